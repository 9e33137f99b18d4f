/* SPDX-License-Identifier: Apache-2.0 */

/* Who may bring a token: addresses, networks, uids, certificates. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/peer.h"

#define FINGERPRINT(last) "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde" last

static void forms(void **state _unused_)
{
        static const char *const good[] = {
                "192.0.2.7",
                "192.0.2.0/24",
                "0.0.0.0/0",
                "10.0.0.1/32",
                "2001:db8::1",
                "2001:db8::/32",
                "::/0",
                "::1/128",
                "uid:0",
                "uid:4294967294",
                FINGERPRINT("f"),
                FINGERPRINT("F"),
                "::ffff:1.2.3.4",
                "dns:a",
                "dns:_x.host-1.example",
                "uri:spiffe://example/host?a#b",
                "uri:urn:x",
                "email:alice@example.org",
                "email:\"a@b\"@c",
        };
        static const char *const bad[] = {
                "",
                "192.0.2",
                "192.0.2.7/33",
                "192.0.2.7/24",
                "192.0.2.7/",
                "/24",
                "01.2.3.4",
                "1.2.3.4 ",
                "1.2.3.4/-1",
                "1.2.3.4/+8",
                "2001:db8::1/32",
                "::/129",
                "fe80::1%lo",
                "[::1]",
                "localhost",
                "uid:",
                "uid:-1",
                "uid:4294967295",
                "uid:root",
                "sha256:",
                FINGERPRINT(""),
                FINGERPRINT("g"),
                FINGERPRINT("ff"),
                "SHA256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "128.0.0.0/0",
                "1111:2222:3333:4444:5555:6666:7777:8888:9999/12",
                "*",
                "dns:",
                "dns:*.example",
                "dns:a b",
                "dns:a/8",
                "dns:a\x7f",
                "dns:b\303\274cher.example",
                "DNS:a",
                "uri:",
                "uri:x",
                "uri::x",
                "uri:a:b\n",
                "email:",
                "email:alice",
                "email:@example.org",
                "email:alice@",
                "ip:1.2.3.4",
        };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                if (!peer_valid(good[i]))
                        fail_msg("\"%s\" is refused", good[i]);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (peer_valid(bad[i]) || peer_covers("0.0.0.0/0", bad[i]) || peer_covers(bad[i], "1.2.3.4"))
                        fail_msg("\"%s\" is taken", bad[i]);
}

static void within(void **state _unused_)
{
        static const struct {
                const char *outer, *inner;
                bool covered;
        } rows[] = {
                { "192.0.2.7", "192.0.2.7", true },
                { "192.0.2.7", "192.0.2.6", false },
                { "192.0.2.7", "192.0.2.7/32", true },
                { "192.0.2.0/24", "192.0.2.255", true },
                { "192.0.2.0/24", "192.0.3.0", false },
                { "192.0.2.0/25", "192.0.2.128", false },
                { "192.0.2.0/25", "192.0.2.127", true },
                { "192.0.2.0/24", "192.0.2.0/25", true },
                { "192.0.2.0/25", "192.0.2.0/24", false },
                { "0.0.0.0/0", "203.0.113.9", true },
                { "0.0.0.0/0", "2001:db8::1", false },
                { "192.0.2.0/24", "::ffff:192.0.2.9", true },
                { "::ffff:192.0.2.0/120", "192.0.2.9", true },
                { "2001:db8::/32", "2001:db8:1::/48", true },
                { "2001:db8::/33", "2001:db8:8000::", false },
                { "2001:db8::/32", "2001:DB8:0:0::5", true },
                { "uid:1000", "uid:1000", true },
                { "uid:1000", "uid:100", false },
                { "uid:0", "0.0.0.0", false },
                { "0.0.0.0/0", "uid:0", false },
                { "::/0", "uid:0", false },
                { FINGERPRINT("a"), FINGERPRINT("A"), true },
                { FINGERPRINT("a"), FINGERPRINT("b"), false },
                { "dns:host.example", "dns:Host.EXAMPLE", true },
                { "dns:host.example", "dns:host.example.org", false },
                { "dns:host.example", "dns:a.host.example", false },
                { "dns:host.example", "dns:*.example", false },
                { "dns:host.example", "dns:host.example.", false },
                { "uri:spiffe://example/a", "uri:spiffe://example/a", true },
                { "uri:spiffe://example/a", "uri:spiffe://example/A", false },
                { "uri:spiffe://example/a", "uri:spiffe://example/a/b", false },
                { "uri:dns:x", "dns:x", false },
                { "email:alice@example.org", "email:alice@example.org", true },
                { "email:alice@example.org", "email:Alice@example.org", false },
                { "dns:example.org", "email:alice@example.org", false },
                { "0.0.0.0/0", "dns:host.example", false },
                { FINGERPRINT("a"), "dns:a", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (peer_covers(rows[i].outer, rows[i].inner) != rows[i].covered)
                        fail_msg("%s in %s", rows[i].inner, rows[i].outer);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(forms),
                cmocka_unit_test(within),
        };

        return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
