/* SPDX-License-Identifier: Apache-2.0 */

/* What somebody writes into the pipe comes out as a whole, when it is wanted. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run-loop.h"
#include "sys/outlet.h"
#include "util/text.h"

struct bench {
        struct loop *loop;
        struct outlet *outlet;
        int fd;
        struct text got;
        bool ended, takes, frees;
};

static bool on_bytes(void *arg, const char *bytes, size_t n)
{
        struct bench *b = arg;

        text_addn(&b->got, bytes, n);
        loop_stop(b->loop);
        if (b->frees)
                b->outlet = outlet_free(b->outlet);
        return b->takes;
}

static void on_end(void *arg)
{
        struct bench *b = arg;

        b->ended = true;
        loop_stop(b->loop);
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);

        *b = (struct bench){ .loop = loop_new(), .takes = true };
        assert_int_equal(outlet_new(b->loop, &(struct outlet_hooks){ .bytes = on_bytes, .end = on_end, .arg = b },
                                    &b->outlet, &b->fd),
                         0);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        (void) outlet_free(b->outlet);
        closep(&b->fd);
        (void) loop_free(b->loop);
        text_reset(&b->got);
        free(b);
        return 0;
}

static void put(struct bench *b, const char *words)
{
        assert_int_equal(write(b->fd, words, strlen(words)), (ssize_t) strlen(words));
}

static void all_of_it_and_then_the_end(void **state)
{
        struct bench *b = *state;

        put(b, "one ");
        run_loop(b->loop, "no bytes");
        put(b, "two");
        closep(&b->fd);
        while (!b->ended)
                run_loop(b->loop, "no end");
        assert_string_equal(b->got.data, "one two");
}

static void who_has_enough_is_left_alone(void **state)
{
        struct bench *b = *state;

        b->takes = false;
        put(b, "one ");
        run_loop(b->loop, "no bytes");
        put(b, "two");
        closep(&b->fd);
        run_loop_for(b->loop, 100 * USEC_PER_MSEC, "nothing");
        assert_string_equal(b->got.data, "one ");
        assert_false(b->ended);
        b->takes = true;
        outlet_resume(b->outlet);
        while (!b->ended)
                run_loop(b->loop, "no end");
        assert_string_equal(b->got.data, "one two");
}

static void it_may_be_freed_by_who_takes(void **state)
{
        struct bench *b = *state;

        b->frees = true;
        put(b, "one");
        run_loop(b->loop, "no bytes");
        assert_null(b->outlet);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        static const struct CMUnitTest tests[] = {
                TEST(all_of_it_and_then_the_end),
                TEST(who_has_enough_is_left_alone),
                TEST(it_may_be_freed_by_who_takes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
