/* SPDX-License-Identifier: Apache-2.0 */

/* Request ids: once each, joined while under way, replayed when good, free again when not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/request.h"

#define ID "0000000000000000000000000000002a"

/* What one listener heard. */
struct ear {
        struct sink sink;
        char progress[64];
        int begun, done;
        int code;
        char text[64];
};

static void hear_begun(struct sink *sink)
{
        container_of(sink, struct ear, sink)->begun++;
}

static void hear_progress(struct sink *sink, const char *text)
{
        struct ear *ear = container_of(sink, struct ear, sink);

        (void) snprintf(ear->progress, sizeof ear->progress, "%s", text);
}

static void hear_done(struct sink *sink, const struct outcome *outcome)
{
        struct ear *ear = container_of(sink, struct ear, sink);

        ear->done++;
        ear->code = outcome->code;
        (void) snprintf(ear->text, sizeof ear->text, "%s", outcome->text);
}

static struct ear new_ear(void)
{
        return (struct ear){ .sink = { .begun = hear_begun, .progress = hear_progress, .done = hear_done } };
}

static struct request *submitted(struct requests *r, const char *principal, const char *id, const char *digest)
{
        struct request *q = NULL;

        assert_int_equal(requests_submit(r, SUBJECT_GEAR, principal, id, digest, 7, &q), 0);
        assert_non_null(q);
        return q;
}

static void finish(struct requests *r, struct request *q, int code)
{
        struct outcome outcome = { .code = code, .good = code < 400 };

        assert_true(asprintf(&outcome.text, "status %d\n", code) > 0);
        outcome.json = strdup("{}");
        outcome.headers = strdup("Location: /x\n");
        request_finish(r, q, &outcome);
        assert_null(outcome.text); /* taken */
}

static void a_new_one_runs(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(8, 8);
        struct request *q = submitted(r, "me", ID, "d1");

        assert_string_equal(request_id(q), ID);
        assert_string_equal(request_principal(q), "me");
        assert_int_equal(request_began(q), 7);
        assert_int_equal(request_outcome(q)->code, 0);
        assert_string_equal(request_last_progress(q), "");
        assert_string_equal(request_resource(q), "");
        assert_int_equal(requests_running(r), 1);
        assert_ptr_equal(requests_find(r, "me", ID), q);
}

static void the_same_joins_while_it_runs(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(8, 8);
        struct request *q = submitted(r, "me", ID, "d1"), *again = NULL;
        struct ear first = new_ear(), second = new_ear(), gone = new_ear();

        assert_int_equal(requests_submit(r, SUBJECT_GEAR, "me", ID, "d1", 9, &again), REQUEST_E_RUNNING);
        assert_ptr_equal(again, q);
        assert_int_equal(requests_running(r), 1);

        request_listen(q, &first.sink);
        request_listen(q, &gone.sink);
        request_listen(q, &second.sink);
        request_leave(q, &gone.sink);
        request_progress(q, "half");
        assert_string_equal(first.progress, "half");
        assert_string_equal(second.progress, "half");
        assert_string_equal(gone.progress, "");
        assert_string_equal(request_last_progress(q), "half");

        finish(r, q, 201);
        assert_int_equal(first.done + second.done, 2);
        assert_int_equal(first.code, 201);
        assert_string_equal(second.text, "status 201\n");
        assert_int_equal(gone.done, 0);
        assert_int_equal(requests_running(r), 0);
}

static void who_listens_hears_when_it_is_known_to_be_new(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(8, 8);
        struct request *q = submitted(r, "me", ID, "d1");
        struct ear first = new_ear(), second = new_ear();

        request_listen(q, &first.sink);
        request_listen(q, &second.sink);
        assert_false(request_begun(q));
        assert_int_equal(first.begun, 0);
        request_begin(q);
        assert_true(request_begun(q));
        assert_int_equal(first.begun, 1);
        assert_int_equal(second.begun, 1);
        finish(r, q, 201);
        assert_int_equal(first.begun, 1);
}

static void it_knows_what_it_is_about(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(8, 8);
        struct request *q = submitted(r, "me", ID, "d1");

        request_about(q, "web-1");
        finish(r, q, 201);
        assert_string_equal(request_resource(requests_find(r, "me", ID)), "web-1");
}

static void the_same_is_replayed_when_it_went_well(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(8, 8);
        struct request *again = NULL;

        finish(r, submitted(r, "me", ID, "d1"), 201);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(requests_submit(r, SUBJECT_GEAR, "me", ID, "d1", 9, &again), REQUEST_E_FINISHED);
                assert_int_equal(request_outcome(again)->code, 201);
                assert_string_equal(request_outcome(again)->text, "status 201\n");
                assert_string_equal(request_outcome(again)->json, "{}");
                assert_string_equal(request_outcome(again)->headers, "Location: /x\n");
        }
}

static void another_under_the_same_id_is_refused(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(8, 8);
        struct request *q = submitted(r, "me", ID, "d1"), *other = NULL;

        assert_int_equal(requests_submit(r, SUBJECT_GEAR, "me", ID, "d2", 9, &other), REQUEST_E_DIFFERENT);
        finish(r, q, 200);
        assert_int_equal(requests_submit(r, SUBJECT_GEAR, "me", ID, "d2", 9, &other), REQUEST_E_DIFFERENT);
        assert_int_equal(requests_running(r), 0);
}

static void a_failed_id_is_free(void **state _unused_)
{
        static const char *const digests[] = { "d1", "d2" };
        _cleanup_(requests_freep) struct requests *r = requests_new(8, 8);

        for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
                finish(r, submitted(r, "me", ID, "d1"), 500);
                assert_int_equal(request_outcome(requests_find(r, "me", ID))->code, 500); /* can still be asked for */
                finish(r, submitted(r, "me", ID, digests[i]), 503);
        }
        finish(r, submitted(r, "me", ID, "d1"), 200);
}

static void ids_belong_to_who_speaks(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(8, 8);
        struct request *mine = submitted(r, "me", ID, "d1"), *yours = submitted(r, "you", ID, "d2");

        assert_ptr_not_equal(mine, yours);
        finish(r, yours, 200);
        assert_int_equal(request_outcome(mine)->code, 0);
        assert_null(requests_find(r, "they", ID));
        /* Names that only together spell the same. */
        submitted(r, "a", "b" ID, "d1");
        assert_null(requests_find(r, "ab", ID));
}

static void too_many_under_way_are_refused(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(8, 2);
        struct request *first = submitted(r, "me", "1", "d"), *q = NULL;

        submitted(r, "me", "2", "d");
        assert_int_equal(requests_submit(r, SUBJECT_GEAR, "me", "3", "d", 9, &q), REQUEST_E_FULL);
        assert_null(q);
        assert_int_equal(requests_submit(r, SUBJECT_JOB, "me", "4", "d", 9, &q), 0); /* jobs wait elsewhere */
        assert_int_equal(requests_running(r), 3);
        assert_int_equal(requests_submit(r, SUBJECT_GEAR, "me", "1", "d", 9, &q), REQUEST_E_RUNNING); /* joining costs nothing */
        finish(r, first, 200);
        submitted(r, "me", "3", "d");
}

static void the_oldest_are_forgotten(void **state _unused_)
{
        enum { REMEMBERED = 3 };
        _cleanup_(requests_freep) struct requests *r = requests_new(REMEMBERED, 8);
        struct request *running = submitted(r, "me", "running", "d");
        char id[16];

        for (int i = 0; i < 10; i++) {
                (void) snprintf(id, sizeof id, "%d", i);
                finish(r, submitted(r, "me", id, "d"), 200);
        }
        for (int i = 0; i < 10; i++) {
                (void) snprintf(id, sizeof id, "%d", i);
                assert_int_equal(requests_find(r, "me", id) != NULL, i >= 10 - REMEMBERED);
        }
        assert_ptr_equal(requests_find(r, "me", "running"), running); /* never one that runs */
}

/* Who was told is told before it may be forgotten, even when nothing is remembered. */
static void nothing_remembered(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(0, 8);
        struct request *q = submitted(r, "me", ID, "d1");
        struct ear ear = new_ear();

        request_listen(q, &ear.sink);
        finish(r, q, 200);
        assert_int_equal(ear.done, 1);
        assert_null(requests_find(r, "me", ID));
}

/* What is remembered stays small, whatever a gear's labels hold. */
static void a_long_body_is_not_remembered(void **state _unused_)
{
        _cleanup_(requests_freep) struct requests *r = requests_new(4, 4);
        struct outcome outcome = { .code = 201, .good = true };
        struct request *q = NULL;

        assert_int_equal(requests_submit(r, SUBJECT_GEAR, "test", "1", "digest", 0, &q), 0);
        outcome.text = strdup("done\n");
        outcome.json = calloc(1, REQUEST_JSON_MAX + 2);
        memset(outcome.json, 'x', REQUEST_JSON_MAX + 1);
        request_finish(r, q, &outcome);
        assert_int_equal(requests_submit(r, SUBJECT_GEAR, "test", "1", "digest", 0, &q), REQUEST_E_FINISHED);
        assert_null(request_outcome(q)->json);
        assert_string_equal(request_outcome(q)->text, "done\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_new_one_runs),
                cmocka_unit_test(the_same_joins_while_it_runs),
                cmocka_unit_test(who_listens_hears_when_it_is_known_to_be_new),
                cmocka_unit_test(it_knows_what_it_is_about),
                cmocka_unit_test(the_same_is_replayed_when_it_went_well),
                cmocka_unit_test(another_under_the_same_id_is_refused),
                cmocka_unit_test(a_failed_id_is_free),
                cmocka_unit_test(ids_belong_to_who_speaks),
                cmocka_unit_test(too_many_under_way_are_refused),
                cmocka_unit_test(the_oldest_are_forgotten),
                cmocka_unit_test(nothing_remembered),
                cmocka_unit_test(a_long_body_is_not_remembered),
        };

        return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
