/* SPDX-License-Identifier: Apache-2.0 */

#include "core/log-form.h"
#include "core/log-work.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SEC UINT64_C(1000000)
#define NOW (1700000000 * SEC)

static struct log_entry line(const char *text)
{
        return (struct log_entry){ .kind = LOG_LINE,
                                   .message = text,
                                   .message_len = strlen(text),
                                   .name = "gear-1",
                                   .run = "",
                                   .priority = 6,
                                   .realtime_usec = NOW,
                                   .cursor = "c1" };
}

static const char *rendered(struct text *t, enum log_format format, bool named, const struct log_entry *e)
{
        text_truncate(t, 0);
        log_render(format, named, e, t);
        assert_true(text_ok(t));
        return t->data;
}

static void lines(void **state)
{
        _cleanup_text_ struct text t = { 0 };
        struct log_entry e = line("hello \"you\"");

        (void) state;
        assert_string_equal(rendered(&t, LOG_TEXT, false, &e), "hello \"you\"\n");
        assert_string_equal(rendered(&t, LOG_TEXT, true, &e), "gear-1: hello \"you\"\n");
#define OBJECT                                                                                     \
        "{\"time\":\"2023-11-14T22:13:20.000000Z\",\"name\":\"gear-1\",\"priority\":6,\"stream\":" \
        "\"stdout\","                                                                              \
        "\"text\":\"hello \\\"you\\\"\",\"cursor\":\"c1\"}"
        assert_string_equal(rendered(&t, LOG_JSON, false, &e), OBJECT "\n");
        assert_string_equal(rendered(&t, LOG_EVENTS, false, &e), "id: c1\ndata: " OBJECT "\n\n");
        e.exported = "MESSAGE=x\n\n";
        e.exported_len = strlen(e.exported);
        assert_string_equal(rendered(&t, LOG_EXPORT, false, &e), "MESSAGE=x\n\n");
        e.priority = 3;
        e.partial = true;
        e.run = "abc";
        assert_non_null(strstr(rendered(&t, LOG_JSON, false, &e),
                               "\"run\":\"abc\",\"priority\":3,\"stream\":\"stderr\""));
        assert_non_null(strstr(t.data, "\"partial\":true"));
}

/* No byte is lost, and no newline in a line ends a record. */
static void any_bytes(void **state)
{
        static const char bytes[] = { 'a', '\0', '\n', '\xff', '\x1b', 'b' };
        _cleanup_text_ struct text t = { 0 };
        struct log_entry e = line("");

        (void) state;
        e.message = bytes;
        e.message_len = sizeof bytes;
        (void) rendered(&t, LOG_TEXT, false, &e);
        assert_int_equal(t.len, sizeof bytes + 1);
        assert_memory_equal(t.data, bytes, sizeof bytes);
        assert_non_null(strstr(rendered(&t, LOG_EVENTS, false, &e), "\"base64url\":\"YQAK_xti\""));
        assert_ptr_equal(strchr(strstr(t.data, "data:"), '\n'), t.data + t.len - 2);
}

static void marks(void **state)
{
        static const struct {
                struct log_entry entry;
                const char *text, *json;
        } rows[] = {
                { { .kind = LOG_STARTED }, "-- gear-1 started --\n", "\"mark\":\"started\"" },
                { { .kind = LOG_EXITED, .code = "exited", .status = 3 },
                  "-- gear-1 exited with status 3 --\n",
                  "\"mark\":\"exited\",\"code\":\"exited\",\"status\":3" },
                { { .kind = LOG_EXITED, .code = "exited", .status = 139 },
                  "-- gear-1 exited with status 139 (SIGSEGV) --\n",
                  "\"status\":139" },
                { { .kind = LOG_EXITED, .code = "killed", .status = SIGKILL },
                  "-- gear-1 was ended (SIGKILL) --\n",
                  "\"code\":\"killed\",\"status\":9" },
                { { .kind = LOG_ENDED }, "-- gear-1 ended --\n", "\"mark\":\"ended\"" },
                { { .kind = LOG_FAILED, .result = "timeout" },
                  "-- gear-1 failed: timeout --\n",
                  "\"result\":\"timeout\"" },
                { { .kind = LOG_RESTARTING, .count = 2 }, "-- gear-1 restarts (2) --\n", "\"count\":2" },
                { { .kind = LOG_KILLED }, "-- gear-1 ran out of memory --\n", "\"mark\":\"out-of-memory\"" },
                { { .kind = LOG_SUPPRESSED, .count = 12 },
                  "-- gear-1 12 lines were too many at once and were not kept --\n",
                  "\"gap\":\"suppressed\",\"count\":12" },
                { { .kind = LOG_GONE },
                  "-- gear-1 lines before this are not kept any more --\n",
                  "\"gap\":\"gone\"" },
        };
        _cleanup_text_ struct text t = { 0 };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct log_entry e = rows[i].entry;

                e.name = "gear-1";
                e.run = e.cursor = e.message = "";
                assert_string_equal(rendered(&t, LOG_TEXT, true, &e), rows[i].text);
                assert_non_null(strstr(rendered(&t, LOG_JSON, false, &e), rows[i].json));
        }
}

static struct log_form *form(const struct log_form_options *o)
{
        struct log_form *f = NULL;
        struct fault fault = { 0 };

        if (log_form_new(o, &f, &fault) < 0)
                fail_msg("%s", fault.text);
        return f;
}

static void what_is_wanted(void **state)
{
        static const struct {
                const char *grep;
                int priority;
                const char *text;
                bool wanted;
        } rows[] = {
                { NULL, 7, "anything", true },
                { NULL, 6, "info", true },
                { NULL, 5, "info", false },
                { "b+", 7, "abbc", true },
                { "b+", 7, "ABBC", true },
                { "B+", 7, "abbc", false },
                { "^a.*c$", 7, "abbc", true },
                { "^b", 7, "abbc", false },
                { "\xc3\xa9", 7, "caf\xc3\xa9", true },
                { "a", 7,
                  "\xff\xfe"
                  "a",
                  true },
                { "\xc3\xa9", 7, "\xff\xfe", false },
                /* this would take longer than the world has been there */
                { "(a+)+$", 7, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(log_form_unrefp) struct log_form *f = form(
                        &(struct log_form_options){ .grep = rows[i].grep, .priority = rows[i].priority });
                struct log_entry e = line(rows[i].text);

                if (log_form_wants(f, &e) != rows[i].wanted)
                        fail_msg("%s in %s", rows[i].grep ? rows[i].grep : "", rows[i].text);
        }
}

/* Who looks for a word does not want to hear of restarts, but always of what is missing. */
static void which_marks_are_wanted(void **state)
{
        _cleanup_(log_form_unrefp) struct log_form *any = form(&(struct log_form_options){ .priority = 7 });
        _cleanup_(log_form_unrefp) struct log_form *grep =
                form(&(struct log_form_options){ .priority = 7, .grep = "x" });
        struct log_entry e = line("");

        (void) state;
        e.kind = LOG_STARTED;
        assert_true(log_form_wants(any, &e));
        assert_false(log_form_wants(grep, &e));
        e.kind = LOG_SUPPRESSED;
        assert_true(log_form_wants(grep, &e));
        e.kind = LOG_FAILED;
        (void) snprintf(e.result, sizeof e.result, "exit-code");
        assert_false(log_form_wants(any, &e)); /* its exit was told */
        (void) snprintf(e.result, sizeof e.result, "timeout");
        assert_true(log_form_wants(any, &e));
}

static void expressions_are_refused_with_their_fault(void **state)
{
        static const char *const wrong[] = { "(", "a{2,1}", "[z-a]", "\\C", "*" };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                struct log_form *f = NULL;
                struct fault fault = { 0 };

                assert_int_equal(log_form_new(&(struct log_form_options){ .grep = wrong[i] }, &f, &fault),
                                 -EINVAL);
                assert_string_equal(fault.field, "grep");
                assert_null(f);
        }
}

/* One batch, for two who want text, one who wants JSON and one whose time is over. */
static void a_batch_is_made_in_every_form_once(void **state)
{
        const struct log_form_options text = { .priority = 7, .until_usec = UINT64_MAX };
        const struct log_form_options json = { .format = LOG_JSON, .priority = 7, .until_usec = UINT64_MAX };
        const struct log_form_options past = { .priority = 7, .until_usec = NOW - 1 };
        _cleanup_(log_form_unrefp) struct log_form *a = form(&text), *b = form(&text), *c = form(&json),
                                                   *d = form(&past);
        _cleanup_(log_work_freep) struct log_work *w = log_work_new();
        struct log_entry e = line("x");
        const char *const big = memset(calloc(1, 70001), 'y', 70000);

        (void) state;
        assert_int_equal(log_work_add(w, a) | log_work_add(w, b) | log_work_add(w, c) | log_work_add(w, d),
                         0);
        assert_true(log_work_take(w, &e));
        assert_ptr_equal(log_work_output(w, a), log_work_output(w, b));
        assert_string_equal(log_work_output(w, b)->text.data, "x\n");
        assert_int_equal(log_work_output(w, c)->text.data[0], '{');
        assert_true(log_work_output(w, d)->over);
        assert_int_equal(log_work_output(w, d)->text.len, 0);
        e.message = big;
        e.message_len = 70000;
        assert_false(log_work_take(w, &e)); /* that is enough for one batch */
        free((void *) (uintptr_t) big);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines),
                cmocka_unit_test(any_bytes),
                cmocka_unit_test(marks),
                cmocka_unit_test(what_is_wanted),
                cmocka_unit_test(which_marks_are_wanted),
                cmocka_unit_test(expressions_are_refused_with_their_fault),
                cmocka_unit_test(a_batch_is_made_in_every_form_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
