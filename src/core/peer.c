/* SPDX-License-Identifier: Apache-2.0 */

/* Every kind of peer is read as a string of bits, so that one comparison of prefixes serves them all. */

#include "core/peer.h"

#include "util/digest.h"
#include "util/text.h"

#include <arpa/inet.h>

#define ADDRESS_BITS 128
#define IPV4_MAPPED_BITS 96

enum kind {
        ADDRESS,
        UID,
        CERTIFICATE,
};

struct peer {
        enum kind kind;
        unsigned char bytes[32];
        unsigned bits; /* how many of them are said */
};

/* The first `bits' agree. */
static bool same_prefix(const unsigned char *a, const unsigned char *b, unsigned bits)
{
        unsigned whole = bits / 8, rest = bits % 8;

        if (memcmp(a, b, whole) != 0)
                return false;
        return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool read_address(const char *s, struct peer *p)
{
        static const unsigned char mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

        p->kind = ADDRESS;
        p->bits = ADDRESS_BITS;
        if (inet_pton(AF_INET6, s, p->bytes) == 1)
                return true;
        memcpy(p->bytes, mapped, sizeof mapped);
        return inet_pton(AF_INET, s, p->bytes + sizeof mapped) == 1;
}

static bool read_network(const char *s, struct peer *p)
{
        const char *slash = strchr(s, '/');
        char address[INET6_ADDRSTRLEN];
        uint64_t bits;
        bool four;

        if (!slash)
                return read_address(s, p);
        if ((size_t) (slash - s) >= sizeof address)
                return false;
        memcpy(address, s, (size_t) (slash - s));
        address[slash - s] = '\0';
        four = !strchr(address, ':');
        if (!read_address(address, p) ||
            !parse_u64(slash + 1, four ? ADDRESS_BITS - IPV4_MAPPED_BITS : ADDRESS_BITS, &bits))
                return false;
        p->bits = (unsigned) bits + (four ? IPV4_MAPPED_BITS : 0);
        for (unsigned i = p->bits; i < ADDRESS_BITS; i++)
                if (p->bytes[i / 8] & 0x80 >> i % 8)
                        return false;
        return true;
}

static bool read_uid(const char *s, struct peer *p)
{
        uint64_t uid;
        uint32_t big_endian;

        p->kind = UID;
        p->bits = 32;
        if (!parse_u64(s, UINT32_MAX - 1, &uid))
                return false;
        big_endian = htonl((uint32_t) uid);
        memcpy(p->bytes, &big_endian, sizeof big_endian);
        return true;
}

static bool read_certificate(const char *s, struct peer *p)
{
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";

        p->kind = CERTIFICATE;
        p->bits = 256;
        if (strlen(s) != DIGEST_HEX_LEN)
                return false;
        for (size_t i = 0; i < DIGEST_HEX_LEN; i++) {
                const char *digit = strchr(digits, s[i]);

                if (!digit)
                        return false;
                p->bytes[i / 2] = (unsigned char) (p->bytes[i / 2] << 4 | ((digit - digits) & 15));
        }
        return true;
}

static bool peer_read(const char *s, struct peer *ret)
{
        *ret = (struct peer){ 0 };
        if (starts_with(s, "uid:"))
                return read_uid(s + strlen("uid:"), ret);
        if (starts_with(s, "sha256:"))
                return read_certificate(s + strlen("sha256:"), ret);
        return read_network(s, ret);
}

bool peer_valid(const char *peer)
{
        struct peer p;

        return peer_read(peer, &p);
}

bool peer_covers(const char *pattern, const char *peer)
{
        struct peer outer, inner;

        return peer_read(pattern, &outer) && peer_read(peer, &inner) && outer.kind == inner.kind &&
               outer.bits <= inner.bits && same_prefix(outer.bytes, inner.bytes, outer.bits);
}
