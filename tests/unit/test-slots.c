/* SPDX-License-Identifier: Apache-2.0 */

/* So many at once, each has a turn, and nobody two before another's first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run-loop.h"
#include "sys/slots.h"
#include "util/text.h"

#define MANY 8

struct bench {
        struct loop *loop;
        struct slots *slots;
        struct visitor {
                struct bench *bench;
                char name;
                struct slot *slot;
        } visitors[MANY];
        struct text came;
};

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);

        b->loop = loop_new();
        b->slots = slots_new(b->loop);
        for (size_t i = 0; i < MANY; i++)
                b->visitors[i] = (struct visitor){ .bench = b, .name = (char) ('a' + i) };
        text_add(&b->came, "");
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        slots_limit(b->slots, 0, 0);
        for (size_t i = 0; i < MANY; i++)
                (void) slot_free(b->visitors[i].slot);
        (void) slots_free(b->slots);
        (void) loop_free(b->loop);
        text_reset(&b->came);
        free(b);
        return 0;
}

static void on_come(void *arg)
{
        const struct visitor *v = arg;

        text_addc(&v->bench->came, v->name);
}

static int arrive(struct bench *b, size_t i, const char *who)
{
        return slot_new(b->slots, who, on_come, &b->visitors[i], &b->visitors[i].slot);
}

static void leave(struct bench *b, size_t i)
{
        b->visitors[i].slot = slot_free(b->visitors[i].slot);
}

static const char *came(struct bench *b)
{
        run_loop_for(b->loop, 1, "turns");
        return b->came.data;
}

static void so_many_at_once(void **state)
{
        struct bench *b = *state;

        slots_limit(b->slots, 2, 1);
        assert_int_equal(arrive(b, 0, "x"), 0);
        assert_true(slot_has_come(b->visitors[0].slot));
        assert_string_equal(b->came.data, ""); /* never from inside */
        assert_int_equal(arrive(b, 1, "x"), 0);
        assert_int_equal(arrive(b, 2, "x"), 0);
        assert_false(slot_has_come(b->visitors[2].slot));
        assert_int_equal(arrive(b, 3, "x"), -EBUSY);
        assert_int_equal(arrive(b, 3, "y"), 0); /* who has nothing yet is not locked out */
        assert_int_equal(arrive(b, 4, "y"), -EBUSY);
        assert_string_equal(came(b), "ab");
        assert_int_equal(slots_running(b->slots), 2);
        assert_int_equal(slots_waiting(b->slots), 2);
        leave(b, 0);
        assert_string_equal(came(b), "abd");
        leave(b, 1);
        assert_string_equal(came(b), "abdc");
        assert_int_equal(slots_waiting(b->slots), 0);
}

static void nobody_has_two_before_anothers_first(void **state)
{
        struct bench *b = *state;

        slots_limit(b->slots, 2, MANY);
        for (size_t i = 0; i < 5; i++)
                assert_int_equal(arrive(b, i, "many"), 0);
        assert_int_equal(arrive(b, 5, "one"), 0);
        assert_int_equal(arrive(b, 6, "other"), 0);
        assert_string_equal(came(b), "ab");
        leave(b, 0);
        assert_string_equal(came(b), "abf");
        leave(b, 1);
        assert_string_equal(came(b), "abfg");
        leave(b, 5);
        leave(b, 6);
        assert_string_equal(came(b), "abfgcd"); /* and in the order of their coming */
}

static void who_leaves_the_queue_is_not_called(void **state)
{
        struct bench *b = *state;

        slots_limit(b->slots, 1, MANY);
        assert_int_equal(arrive(b, 0, "x"), 0);
        leave(b, 0); /* as it is about to be called */
        assert_int_equal(arrive(b, 1, "x"), 0);
        assert_int_equal(arrive(b, 2, "x"), 0);
        assert_int_equal(arrive(b, 3, "x"), 0);
        leave(b, 2);
        assert_string_equal(came(b), "b");
        leave(b, 1);
        assert_string_equal(came(b), "bd");
}

static void what_is_at_work_already_takes_one(void **state)
{
        struct bench *b = *state;

        slots_limit(b->slots, 1, MANY);
        assert_int_equal(slot_take(b->slots, "x", &b->visitors[0].slot), 0);
        assert_int_equal(slot_take(b->slots, "x", &b->visitors[1].slot), 0); /* one too many */
        assert_true(slot_has_come(b->visitors[1].slot));
        assert_int_equal(slots_running(b->slots), 2);
        assert_int_equal(arrive(b, 2, "y"), 0);
        assert_string_equal(came(b), "");
        leave(b, 0);
        assert_string_equal(came(b), "");
        leave(b, 1);
        assert_string_equal(came(b), "c");
}

static void a_larger_limit_counts_at_once(void **state)
{
        struct bench *b = *state;

        slots_limit(b->slots, 1, MANY);
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(arrive(b, i, "x"), 0);
        assert_string_equal(came(b), "a");
        slots_limit(b->slots, 3, MANY);
        assert_string_equal(came(b), "abc");
        slots_limit(b->slots, 1, 0); /* who has a place keeps it */
        assert_int_equal(slots_running(b->slots), 3);
        assert_int_equal(arrive(b, 4, "x"), -EBUSY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        static const struct CMUnitTest tests[] = {
                TEST(so_many_at_once),
                TEST(nobody_has_two_before_anothers_first),
                TEST(who_leaves_the_queue_is_not_called),
                TEST(what_is_at_work_already_takes_one),
                TEST(a_larger_limit_counts_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
