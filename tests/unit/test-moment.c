/* SPDX-License-Identifier: Apache-2.0 */

#include "core/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define SEC UINT64_C(1000000)
/* 2023-11-14T22:13:20Z, which is 23:13:20 in the zone of these tests. */
#define NOW (1700000000 * SEC)
#define MIDNIGHT (1699916400 * SEC)
#define DAY (86400 * SEC)

static int set_up(void **state)
{
        (void) state;
        (void) setenv("TZ", "XYZ-1", 1);
        tzset();
        return 0;
}

static void moments(void **state)
{
        static const struct {
                const char *text;
                uint64_t usec;
        } rows[] = {
                { "0", 0 },
                { "1700000000", NOW },
                { "@1700000000", NOW },
                { "@1700000000.25", NOW + SEC / 4 },
                { "@1.1234567", SEC + 123456 },
                { "253402300799", 253402300799 * SEC },
                { "2023-11-14T22:13:20Z", NOW },
                { "2023-11-14T22:13:20.5z", NOW + SEC / 2 },
                { "2023-11-14t22:13:20+00:00", NOW },
                { "2023-11-14T23:13:20+01:00", NOW },
                { "2023-11-14T17:43:20-0430", NOW },
                { "2023-11-14 22:13:20 UTC", NOW },
                { "2023-11-14 23:13:20", NOW },
                { "2023-11-14T23:13:20", NOW },
                { "2023-11-14 23:13", NOW - 20 * SEC },
                { "2023-11-14", MIDNIGHT },
                { "2023-11-14 UTC", MIDNIGHT + 3600 * SEC },
                { "2024-02-29", MIDNIGHT + 107 * DAY },
                { "2016-12-31T23:59:60Z", 1483228800 * SEC },
                { "23:13:20", NOW },
                { "23:13", NOW - 20 * SEC },
                { "now", NOW },
                { "today", MIDNIGHT },
                { "yesterday", MIDNIGHT - DAY },
                { "tomorrow", MIDNIGHT + DAY },
                { "-1h", NOW - 3600 * SEC },
                { "-1h30min", NOW - 5400 * SEC },
                { "1h ago", NOW - 3600 * SEC },
                { "5min", NOW - 300 * SEC },
                { "+5min", NOW + 300 * SEC },
                { "-90", NOW - 90 * SEC },
                { "-1month", NOW - 2629800 * SEC },
                { "1y 2M ago", NOW - (31557600 + 2 * UINT64_C(2629800)) * SEC },
                { "Tue 2023-11-14 23:13:20", NOW },
                { "tuesday, 2023-11-14", MIDNIGHT },
                { "2023-11-14 23:13:20 XYZ", NOW },
                { "2023-11-14 XYZ", MIDNIGHT },
                { "2023-11-14T23:13:20 01:00", NOW },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint64_t usec = 7;

                if (!moment_parse(rows[i].text, NOW, &usec) || usec != rows[i].usec)
                        fail_msg("%s is %llu", rows[i].text, (unsigned long long) usec);
        }
}

static void no_moments(void **state)
{
        static const char *const rows[] = {
                "",
                " ",
                "soon",
                "-",
                "+",
                "@",
                "@x",
                "1.5x",
                "12x",
                "253402300800",
                "99999999999999999999",
                "2023-11-14T",
                "2023-11-14T22",
                "2023-11-14T24:00:00Z",
                "2023-11-14T22:60:00Z",
                "2023-11-14T22:13:61Z",
                "2023-13-01",
                "2023-00-01",
                "2023-02-30",
                "2023-02-29",
                "2023-11-31T00:00:00Z",
                "2023-11-00",
                "2023-11-14T22:13:20.Z",
                "2023-11-14T22:13:20+1",
                "2023-11-14T22:13:20+24:00",
                "2023-11-14T22:13:20+01:60",
                "2023-11-14T22:13:20ZZ",
                "2023-11-14T22:13:20 utc",
                "2023-11-14x",
                "1969-12-31T23:59:59Z",
                "22:13:20x",
                "-1fortnight",
                "1h agO",
                "-100y",
                "+9999999999999h",
                "now ",
                "Today",
                "Wed 2023-11-14",
                "Tue",
                "Tue 22:13",
                "Tue2023-11-14",
                "Tuesdays 2023-11-14",
                "2023-11-14 22:13:20 ABC",
                "2023-11-14 22:13:20 ",
                "2023-11-14 22:13:20 01:00",
                "22:13 01:00",
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint64_t usec = 7;

                if (moment_parse(rows[i], NOW, &usec))
                        fail_msg("\"%s\" is %llu", rows[i], (unsigned long long) usec);
        }
}

static void moments_are_shown(void **state)
{
        _cleanup_text_ struct text t = { 0 };

        (void) state;
        moment_add(&t, NOW + 1234, 0);
        text_addc(&t, ' ');
        moment_add(&t, NOW + 1234, 3);
        text_addc(&t, ' ');
        moment_add(&t, NOW + 1234, 6);
        assert_string_equal(t.data,
                            "2023-11-14T22:13:20Z 2023-11-14T22:13:20.001Z 2023-11-14T22:13:20.001234Z");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(moments),
                cmocka_unit_test(no_moments),
                cmocka_unit_test(moments_are_shown),
        };

        return cmocka_run_group_tests(tests, set_up, NULL);
}
