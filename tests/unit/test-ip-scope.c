/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "core/ip-scope.h"

static bool is_public(const char *text)
{
        struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
        struct sockaddr_in four = { .sin_family = AF_INET };

        if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
                return ip_is_public((const struct sockaddr *) &four);
        assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
        return ip_is_public((const struct sockaddr *) &six);
}

static void of_anybody(void **state _unused_)
{
        static const char *const addresses[] = {
                "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.1.1.1", "128.0.0.1",
                "169.253.1.1", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.1.1", "198.17.1.1", "198.20.0.0",
                "223.255.255.255", "2606:4700::1111", "2001:4860::8888", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1",
                "2002:101:101::1",
        };

        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
                if (!is_public(addresses[i]))
                        fail_msg("%s is not", addresses[i]);
}

static void of_somebody_here(void **state _unused_)
{
        static const char *const addresses[] = {
                "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
                "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.168.1.1",
                "198.18.0.1", "198.19.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
                "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1",
                "2001::1", "2002:7f00:1::1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1",
        };

        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
                if (is_public(addresses[i]))
                        fail_msg("%s is", addresses[i]);
        assert_false(ip_is_public(&(struct sockaddr){ .sa_family = AF_UNIX }));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(of_anybody),
                cmocka_unit_test(of_somebody_here),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
