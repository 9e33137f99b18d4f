/* SPDX-License-Identifier: Apache-2.0 */

/* All but names are read as strings of bits, so that one comparison of prefixes serves every kind. */

#include "core/peer.h"

#include "util/digest.h"
#include "util/text.h"

#include <arpa/inet.h>
#include <strings.h>

#define ADDRESS_BITS 128
#define IPV4_MAPPED_BITS 96
#define NAME_MAX_BYTES 480

enum kind {
        ADDRESS,
        UID,
        CERTIFICATE,
        DNS_NAME,
        URI,
        EMAIL,
};

struct peer {
        enum kind kind;
        unsigned char bytes[32];
        unsigned bits;    /* how many of them are said */
        const char *name; /* NULL but for the last three kinds */
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

static bool is_visible(const char *s)
{
        size_t n = strlen(s);

        for (size_t i = 0; i < n; i++)
                if (s[i] <= ' ' || s[i] > '~')
                        return false;
        return n > 0 && n <= NAME_MAX_BYTES;
}

/* A star would look like a pattern, and is none. */
static bool read_dns_name(const char *s, struct peer *p)
{
        p->kind = DNS_NAME;
        p->name = s;
        return is_visible(s) && !strpbrk(s, "*/:@");
}

static bool read_uri(const char *s, struct peer *p)
{
        p->kind = URI;
        p->name = s;
        return is_visible(s) && *s != ':' && strchr(s, ':');
}

static bool read_email(const char *s, struct peer *p)
{
        const char *at = strrchr(s, '@');

        p->kind = EMAIL;
        p->name = s;
        return is_visible(s) && at && at > s && at[1];
}

static bool peer_read(const char *s, struct peer *ret)
{
        static const struct {
                const char *prefix;
                bool (*read)(const char *s, struct peer *p);
        } kinds[] = {
                { "uid:", read_uid }, { "sha256:", read_certificate }, { "dns:", read_dns_name },
                { "uri:", read_uri }, { "email:", read_email },
        };

        *ret = (struct peer){ 0 };
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (starts_with(s, kinds[i].prefix))
                        return kinds[i].read(s + strlen(kinds[i].prefix), ret);
        return read_network(s, ret);
}

static bool same_name(const struct peer *a, const struct peer *b)
{
        return a->kind == DNS_NAME ? strcasecmp(a->name, b->name) == 0 : streq(a->name, b->name);
}

bool peer_valid(const char *peer)
{
        struct peer p;

        return peer_read(peer, &p);
}

bool peer_covers(const char *pattern, const char *peer)
{
        struct peer outer, inner;

        if (!peer_read(pattern, &outer) || !peer_read(peer, &inner) || outer.kind != inner.kind)
                return false;
        if (outer.name)
                return same_name(&outer, &inner);
        return outer.bits <= inner.bits && same_prefix(outer.bytes, inner.bytes, outer.bits);
}
