/* SPDX-License-Identifier: Apache-2.0 */

#include "core/ip-scope.h"

#include <netinet/in.h>

struct prefix {
        unsigned char bytes[16];
        unsigned bits;
};

static bool is_below(const unsigned char *address, const struct prefix *p)
{
        unsigned whole = p->bits / 8, rest = p->bits % 8;

        if (memcmp(address, p->bytes, whole) != 0)
                return false;
        return rest == 0 || (address[whole] ^ p->bytes[whole]) >> (8 - rest) == 0;
}

static bool is_any_of(const unsigned char *address, const struct prefix *prefixes, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (is_below(address, &prefixes[i]))
                        return true;
        return false;
}

static bool is_public_4(const unsigned char *address)
{
        static const struct prefix closed[] = {
                { { 0 }, 8 },               /* this network */
                { { 10 }, 8 },              /* private … */
                { { 172, 16 }, 12 },
                { { 192, 168 }, 16 },
                { { 100, 64 }, 10 },        /* … to a provider */
                { { 127 }, 8 },             /* this host */
                { { 169, 254 }, 16 },       /* this link, and what clouds tell their machines */
                { { 192, 0, 0 }, 24 },
                { { 198, 18 }, 15 },        /* for measuring */
                { { 224 }, 3 },             /* groups, and nobody's */
        };

        return !is_any_of(address, closed, ARRAY_SIZE(closed));
}

static bool is_public_6(const unsigned char *address)
{
        /* Behind these stands an address of the former kind. */
        static const struct {
                struct prefix prefix;
                size_t at;
        } mapped[] = {
                { { { [10] = 0xff, 0xff }, 96 }, 12 },
                { { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },
                { { { 0x20, 0x02 }, 16 }, 2 },
        };
        static const struct prefix closed[] = {
                { { 0 }, 96 },              /* none, this host, and the old form of the mapped ones */
                { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48 },
                { { 0x01 }, 8 },            /* thrown away */
                { { 0x20, 0x01 }, 32 },     /* holds a former one, turned round */
                { { 0xfc }, 7 },            /* private */
                { { 0xfe, 0x80 }, 9 },      /* this link, this site */
                { { 0xff }, 8 },            /* groups */
        };

        for (size_t i = 0; i < ARRAY_SIZE(mapped); i++)
                if (is_below(address, &mapped[i].prefix))
                        return is_public_4(address + mapped[i].at);
        return !is_any_of(address, closed, ARRAY_SIZE(closed));
}

bool ip_is_public(const struct sockaddr *address)
{
        if (address->sa_family == AF_INET)
                return is_public_4((const unsigned char *) &((const struct sockaddr_in *) (const void *) address)->sin_addr);
        if (address->sa_family == AF_INET6)
                return is_public_6(((const struct sockaddr_in6 *) (const void *) address)->sin6_addr.s6_addr);
        return false;
}
