/* SPDX-License-Identifier: Apache-2.0 */

#include "core/log-query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SEC UINT64_C(1000000)
#define NOW (1700000000 * SEC)
#define REST ";b=138853a784cd436a90f237bb33aeeae9;m=1;t=1;x=1" /* of a cursor */
#define CURSOR                                                                                       \
        "s=f1a7b9f92bc54b60bed5f148ee657cdb;i=143;b=138853a784cd436a90f237bb33aeeae9;m=951b3af98;t=" \
        "660c861feaefa;x=23f03cfd0fe6ccb8"

/* "tail=5&follow=no", without any escaping. */
static const char *value(const void *arg, const char *name)
{
        static char values[4][2048];
        static unsigned turn;
        char *found = values[turn++ % ARRAY_SIZE(values)];
        const char *p = arg;
        size_t n = strlen(name);

        for (; p && *p; p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL)
                if (strncmp(p, name, n) == 0 && p[n] == '=') {
                        (void) snprintf(found, sizeof values[0], "%.*s", (int) strcspn(p + n + 1, "&"),
                                        p + n + 1);
                        return found;
                }
        return NULL;
}

static void what_is_asked_for(void **state)
{
        static const struct {
                const char *query, *resume;
                struct log_query expected;
        } rows[] = {
#define USUAL .until_usec = UINT64_MAX, .timeout_usec = 30 * SEC, .follow = true, .priority = 7
                { "", NULL, { USUAL, .tail = 100 } },
                { "tail=0&timeout=0",
                  NULL,
                  { .until_usec = UINT64_MAX,
                    .timeout_usec = UINT64_MAX,
                    .follow = true,
                    .priority = 7,
                    .tail = 0 } },
                { "tail=all", NULL, { USUAL, .tail = -1 } },
                { "since=-1h", NULL, { USUAL, .tail = -1, .since_usec = NOW - 3600 * SEC } },
                { "since=-1h&tail=5", NULL, { USUAL, .tail = 5, .since_usec = NOW - 3600 * SEC } },
                { "until=now",
                  NULL,
                  { .until_usec = NOW, .timeout_usec = 30 * SEC, .priority = 7, .tail = -1 } },
                { "tail=5&until=now",
                  NULL,
                  { .until_usec = NOW, .timeout_usec = 30 * SEC, .priority = 7, .tail = 5 } },
                { "until=%2B5s", NULL, { .tail = -2 } },
                { "until=+5s",
                  NULL,
                  { .until_usec = NOW + 5 * SEC,
                    .timeout_usec = 30 * SEC,
                    .follow = true,
                    .priority = 7,
                    .tail = -1 } },
                { "follow=no&priority=err&grep=a|b",
                  NULL,
                  { .until_usec = UINT64_MAX,
                    .timeout_usec = 30 * SEC,
                    .priority = 3,
                    .tail = 100,
                    .grep = "a|b" } },
                { "priority=0",
                  NULL,
                  { .until_usec = UINT64_MAX, .timeout_usec = 30 * SEC, .follow = true, .tail = 100 } },
                { "cursor=" CURSOR, NULL, { USUAL, .tail = -1, .cursor = CURSOR } },
                { "tail=5", CURSOR, { USUAL, .tail = -1, .cursor = CURSOR } },
                { "cursor=nonsense", CURSOR, { USUAL, .tail = -1, .cursor = CURSOR } },
#undef USUAL
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct log_query q;
                struct fault f = { 0 };
                int r = log_query_read(value, rows[i].query, rows[i].resume, NOW, &q, &f);

                if (rows[i].expected.tail == -2) {
                        assert_int_equal(r, -EINVAL);
                        continue;
                }
                if (r < 0)
                        fail_msg("%s: %s", rows[i].query, f.text);
                if (memcmp(&q, &rows[i].expected, sizeof q) != 0)
                        fail_msg("%s is read as something else", rows[i].query);
        }
}

static void what_is_refused_is_named(void **state)
{
        static const struct {
                const char *query, *resume, *field;
        } rows[] = {
                { "tail=-1", NULL, "tail" },
                { "tail=1000001", NULL, "tail" },
                { "tail=", NULL, "tail" },
                { "tail=5&cursor=" CURSOR, NULL, "tail" },
                { "since=soon", NULL, "since" },
                { "until=", NULL, "until" },
                { "follow=maybe", NULL, "follow" },
                { "timeout=-1", NULL, "timeout" },
                { "timeout=1h", NULL, "timeout" },
                { "timeout=99999999999", NULL, "timeout" },
                { "priority=8", NULL, "priority" },
                { "priority=error", NULL, "priority" },
                { "cursor=1", NULL, "cursor" },
                { "", "1", "Last-Event-ID" },
        };
        char long_one[LOG_GREP_MAX + 16] = "grep=";
        struct fault f;
        struct log_query q;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                f = (struct fault){ 0 };
                assert_int_equal(log_query_read(value, rows[i].query, rows[i].resume, NOW, &q, &f), -EINVAL);
                assert_string_equal(f.field, rows[i].field);
                assert_non_null(strstr(f.text, rows[i].field));
        }
        memset(long_one + strlen("grep="), 'x', LOG_GREP_MAX + 1);
        assert_int_equal(log_query_read(value, long_one, NULL, NOW, &q, &f), -EINVAL);
        assert_string_equal(f.field, "grep");
}

static void cursors(void **state)
{
        static const char *const wrong[] = {
                "",
                "s",
                "s=",
                ";",
                "s=1",
                "i=143;" CURSOR, /* twice */
                CURSOR ";",      /* something follows */
                CURSOR ";y=1",
                CURSOR "\n",
                "s=f1a7b9f92bc54b60bed5f148ee657cdb;i=143", /* the rest is missing */
                "s=F1A7B9F92BC54B60BED5F148EE657CDB;i=143" REST,
                "s=f1a7b9f92bc54b60bed5f148ee657cdb;i=" REST,
                "s=f1a7b9f92bc54b60bed5f148ee657cdb;i=11112222333344445" REST,
        };

        (void) state;
        assert_true(log_cursor_valid(CURSOR));
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                if (log_cursor_valid(wrong[i]))
                        fail_msg("%s is taken for a cursor", wrong[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_asked_for),
                cmocka_unit_test(what_is_refused_is_named),
                cmocka_unit_test(cursors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
