/* SPDX-License-Identifier: Apache-2.0 */

/* What is given into the pipe arrives as a whole, as fast as somebody reads. */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "run-loop.h"
#include "sys/inlet.h"

#define MANY (1024 * 1024)

struct bench {
        struct loop *loop;
        struct inlet *inlet;
        int fd;
        unsigned drained;
};

static void on_drained(void *arg)
{
        struct bench *b = arg;

        b->drained++;
        loop_stop(b->loop);
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);

        (void) signal(SIGPIPE, SIG_IGN);
        b->loop = loop_new();
        assert_int_equal(inlet_new(b->loop, on_drained, b, &b->inlet, &b->fd), 0);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        (void) inlet_free(b->inlet);
        closep(&b->fd);
        (void) loop_free(b->loop);
        free(b);
        return 0;
}

static size_t read_up(struct bench *b, char *into, size_t n)
{
        size_t got = 0;
        ssize_t r;

        while (got < n && (r = read(b->fd, into + got, n - got)) > 0)
                got += (size_t) r;
        return got;
}

static void a_little_arrives_at_once(void **state)
{
        struct bench *b = *state;
        char got[16] = "";

        assert_true(inlet_give(b->inlet, "one ", 4));
        assert_true(inlet_give(b->inlet, "two", 3));
        inlet_end(b->inlet);
        assert_int_equal(read_up(b, got, sizeof got), 7);
        assert_string_equal(got, "one two");
}

/* 1 MiB is more than a pipe holds. */
static void much_waits_for_its_reader(void **state)
{
        struct bench *b = *state;
        _cleanup_free_ char *sent = malloc(MANY), *got = malloc(MANY);
        size_t n = 0;

        for (size_t i = 0; i < MANY; i++)
                sent[i] = (char) (i % 251);
        assert_false(inlet_give(b->inlet, sent, MANY));
        run_loop_for(b->loop, 50 * USEC_PER_MSEC, "nothing");
        assert_int_equal(b->drained, 0);
        inlet_end(b->inlet);
        assert_true(fcntl(b->fd, F_SETFL, O_NONBLOCK) == 0);
        while (n < MANY) {
                n += read_up(b, got + n, MANY - n);
                run_loop_for(b->loop, USEC_PER_MSEC, "more of it");
        }
        assert_memory_equal(sent, got, MANY);
        assert_int_equal(b->drained, 1);
        assert_int_equal(read(b->fd, got, 1), 0);
}

static void who_reads_no_more_is_no_trouble(void **state)
{
        struct bench *b = *state;
        _cleanup_free_ char *sent = calloc(1, MANY);

        assert_false(inlet_give(b->inlet, sent, MANY));
        closep(&b->fd);
        run_loop(b->loop, "not drained");
        assert_int_equal(b->drained, 1);
        assert_true(inlet_give(b->inlet, sent, MANY));
        inlet_end(b->inlet);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        static const struct CMUnitTest tests[] = {
                TEST(a_little_arrives_at_once),
                TEST(much_waits_for_its_reader),
                TEST(who_reads_no_more_is_no_trouble),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
