/* SPDX-License-Identifier: Apache-2.0 */

/* The database: what is written is read, what is reported is on the disk, and what nobody asks for is forgotten. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "database-scene.h"

static void an_intent_is_found_as_unfinished(void **state)
{
        struct scene *s = *state;

        intend(s, 1);
        assert_int_equal(s->answers, 0); /* never inside the call */
        assert_int_equal(await(s, 1), 0);
        open_again(s);
        assert_int_equal(count_unfinished(s), 1);
        assert_string_equal(s->row.principal, "test");
        assert_string_equal(s->row.id, numbered(1).id);
        assert_string_equal(s->row.digest, numbered(1).digest);
        assert_string_equal(s->row.kind, "gear");
        assert_string_equal(s->row.verb, "create");
        assert_string_equal(s->row.resource, "web-1");
        assert_string_equal(s->row.audit, "{\"user\":\"alice\"}");
        assert_int_equal(s->row.outcome.code, 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->row.outcome.code, 0);
        assert_int_equal(look_for(s, 2), 0);
}

static void an_outcome_takes_the_place_of_its_intent(void **state)
{
        struct scene *s = *state;

        intend(s, 1);
        conclude(s, 1, 201, "Gear web is running\n");
        assert_int_equal(await(s, 2), 0);
        open_again(s);
        assert_int_equal(count_unfinished(s), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->row.outcome.code, 201);
        assert_true(s->row.outcome.good);
        assert_string_equal(s->row.outcome.text, "Gear web is running\n");
        assert_string_equal(s->row.outcome.json, "{\"id\":\"web\"}\n");
        assert_string_equal(s->row.outcome.headers, "PortMapping: 80=4000\n");
        assert_string_equal(s->row.resource, "web-1");
        assert_string_equal(s->row.digest, numbered(1).digest);
        assert_true(s->row.keep_until_sec >= wall_usec() / USEC_PER_SEC);
}

static void the_second_try_stands_before_the_failure_of_the_first(void **state)
{
        struct scene *s = *state;

        conclude(s, 1, 500, "it did not start\n");
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_false(s->row.outcome.good);
        intend(s, 1);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->row.outcome.code, 0);
        conclude(s, 1, 201, "it did\n");
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->row.outcome.code, 201);
}

static void an_intent_gives_way_to_what_went_well_or_is_under_way(void **state)
{
        struct scene *s = *state;

        intend(s, 1);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(s->found, 0);
        intend(s, 1);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(s->found, 1);
        assert_int_equal(s->row.outcome.code, 0);
        conclude(s, 1, 201, "it runs\n");
        intend(s, 1);
        assert_int_equal(await(s, 2), 0);
        assert_int_equal(s->found, 1);
        assert_string_equal(s->row.outcome.text, "it runs\n");
        assert_int_equal(count_unfinished(s), 0);
}

static void what_is_withdrawn_was_never_asked_for(void **state)
{
        struct scene *s = *state;
        struct database_request q = numbered(1);

        intend(s, 1);
        assert_non_null(database_withdraw(s->db, q.principal, q.id, on_written, s));
        assert_int_equal(await(s, 2), 0);
        assert_int_equal(look_for(s, 1), 0);
        assert_int_equal(count_unfinished(s), 0);
}

static void no_memory_is_shared_through_a_file(void **state)
{
        struct scene *s = *state;
        char shared[112];

        (void) snprintf(shared, sizeof shared, "%s-shm", s->path);
        for (unsigned i = 0; i < 2; i++) {
                intend(s, i);
                assert_int_equal(await(s, 1), 0);
                assert_int_equal(access(shared, F_OK), -1);
                open_again(s);
        }
}

static void ids_belong_to_their_principals(void **state)
{
        struct scene *s = *state;
        struct database_request q = concluded(1, 201, "mine\n");

        assert_non_null(database_conclude(s->db, &q, on_written, s));
        assert_int_equal(await(s, 1), 0);
        assert_non_null(database_find(s->db, "uid:0", q.id, on_found, s));
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(s->found, 0);
}

static void what_waits_together_is_committed_together(void **state)
{
        struct scene *s = *state;

        for (unsigned i = 0; i < 200; i++)
                intend(s, i);
        assert_int_equal(await(s, 200), 0);
        assert_in_range(database_counters(s->db).commits, 1, 2);
        assert_int_equal(database_counters(s->db).operations, 200);
        assert_int_equal(count_unfinished(s), 200);
}

static void a_cancelled_callback_is_not_called_but_the_write_is_made(void **state)
{
        struct scene *s = *state;
        struct database_request q = numbered(1);

        assert_null(database_cancel(database_intend(s->db, &q, on_found, s)));
        intend(s, 2);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
}

static void what_waits_at_the_end_is_written(void **state)
{
        struct scene *s = *state;

        for (unsigned i = 0; i < 100; i++)
                intend(s, i);
        open_again(s);
        assert_int_equal(s->answers, 0);
        assert_int_equal(count_unfinished(s), 100);
}

/* --- forgetting ------------------------------------------------------------------------------- */

struct pruning {
        struct scene *scene;
        uint64_t now_sec;
        unsigned slices;
};

static void on_pruned(void *arg, bool more)
{
        struct pruning *p = arg;

        p->slices++;
        if (more)
                assert_non_null(database_submit(p->scene->db, prune_requests_new(p->now_sec, on_pruned, p)));
        else
                answered(p->scene, NULL);
}

static void what_nobody_may_repeat_is_forgotten(void **state)
{
        struct scene *s = *state;
        struct pruning p = { .scene = s, .now_sec = wall_usec() / USEC_PER_SEC };

        for (unsigned i = 0; i < 1200; i++) {
                struct database_request q = concluded(i, 201, "done\n");

                q.keep_until_sec = i < 1100 ? p.now_sec - 1 : p.now_sec + 1;
                assert_non_null(database_conclude(s->db, &q, on_written, s));
        }
        assert_int_equal(await(s, 1200), 0);
        assert_non_null(database_submit(s->db, prune_requests_new(p.now_sec, on_pruned, &p)));
        assert_int_equal(await(s, 1), 0);
        assert_in_range(p.slices, 3, 10);
        assert_int_equal(look_for(s, 0), 0);
        assert_int_equal(look_for(s, 1099), 0);
        assert_int_equal(look_for(s, 1100), 1);
        assert_int_equal(look_for(s, 1199), 1);
}

static void a_clock_set_forward_forgets_nothing(void **state _unused_)
{
        enum { START = 1000000, PASSED = 50 };

        assert_int_equal(prune_time(START + PASSED, START, PASSED), START + PASSED);
        assert_int_equal(prune_time(START + PASSED + 5000, START, PASSED), START + PASSED);
        assert_int_equal(prune_time(START + PASSED - 5000, START, PASSED), START + PASSED - 5000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(an_intent_is_found_as_unfinished),
                CASE(an_outcome_takes_the_place_of_its_intent),
                CASE(the_second_try_stands_before_the_failure_of_the_first),
                CASE(an_intent_gives_way_to_what_went_well_or_is_under_way),
                CASE(what_is_withdrawn_was_never_asked_for),
                CASE(no_memory_is_shared_through_a_file),
                CASE(ids_belong_to_their_principals),
                CASE(what_waits_together_is_committed_together),
                CASE(a_cancelled_callback_is_not_called_but_the_write_is_made),
                CASE(what_waits_at_the_end_is_written),
                CASE(what_nobody_may_repeat_is_forgotten),
                CASE(a_clock_set_forward_forgets_nothing),
        };

        return cmocka_run_group_tests_name("database", tests, NULL, NULL);
}
