/* SPDX-License-Identifier: Apache-2.0 */

/* The loop: what fires, in which order, and what never fires after it was freed. */

#include "run-loop.h"
#include "sys/loop.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

struct bench {
        struct loop *loop;
        struct timer *timer, *other;
        struct watch *watch;
        struct deferred *deferred;
        char said[64];
        uint64_t set_usec, fired_usec;
        unsigned left;
        int fd;
};

static void say(struct bench *b, const char *word)
{
        size_t n = strlen(b->said);

        (void) snprintf(b->said + n, sizeof b->said - n, "%s", word);
}

static void run(struct bench *b)
{
        run_loop(b->loop, b->said);
}

static void stop(void *arg)
{
        struct bench *b = arg;

        say(b, ".");
        loop_stop(b->loop);
}

/* Long enough for anything that is due to have happened. */
static void run_for(struct bench *b, uint64_t usec)
{
        run_loop_for(b->loop, usec, b->said);
        say(b, ".");
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);

        b->loop = loop_new();
        *state = b;
        return b->loop ? 0 : -1;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        (void) timer_free(b->timer);
        (void) timer_free(b->other);
        (void) watch_free(b->watch);
        (void) loop_free(b->loop);
        free(b);
        return 0;
}

/* --- timers --------------------------------------------------------------- */

static void note_and_stop(void *arg)
{
        struct bench *b = arg;

        b->fired_usec = now_usec();
        loop_stop(b->loop);
}

static void timers_never_fire_early(void **state)
{
        struct bench *b = *state;

        b->timer = timer_new(b->loop, note_and_stop, b);
        for (uint64_t usec = 100; usec < 20 * USEC_PER_MSEC; usec += 900) {
                uint64_t start = now_usec();

                timer_set(b->timer, usec);
                run(b);
                assert_true(b->fired_usec - start >= usec);
        }
}

static void dawdle(void *arg)
{
        struct bench *b = arg;

        (void) usleep(30 * 1000);
        b->set_usec = now_usec();
        timer_set(b->timer, 10 * USEC_PER_MSEC);
}

static void a_timer_set_late_in_a_long_turn_counts_from_then(void **state)
{
        struct bench *b = *state;

        /* libevent would count from the beginning of the turn. */
        b->timer = timer_new(b->loop, note_and_stop, b);
        (void) loop_defer(b->loop, dawdle, b);
        run(b);
        assert_true(b->fired_usec - b->set_usec >= 10 * USEC_PER_MSEC);
}

static void say_a(void *arg)
{
        say(arg, "a");
}

static void setting_a_timer_again_replaces(void **state)
{
        struct bench *b = *state;

        b->timer = timer_new(b->loop, say_a, b);
        timer_set(b->timer, 1000);
        timer_set(b->timer, 5 * USEC_PER_SEC);
        run_for(b, 20 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".");
        timer_set(b->timer, 0);
        run_for(b, 20 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".a.");
}

static void stopped_timers_and_timers_set_to_never_stay_silent(void **state)
{
        struct bench *b = *state;

        b->timer = timer_new(b->loop, say_a, b);
        b->other = timer_new(b->loop, say_a, b);
        timer_set(b->timer, 1000);
        timer_stop(b->timer);
        timer_set(b->other, 1000);
        timer_set(b->other, USEC_NEVER);
        run_for(b, 20 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".");
}

static void free_both(void *arg)
{
        struct bench *b = arg;

        say(b, "x");
        b->timer = timer_free(b->timer);
        b->other = timer_free(b->other);
}

static void a_timer_may_free_itself_and_one_that_is_due(void **state)
{
        struct bench *b = *state;

        b->timer = timer_new(b->loop, free_both, b);
        b->other = timer_new(b->loop, free_both, b);
        timer_set(b->timer, 0);
        timer_set(b->other, 0);
        run_for(b, 20 * USEC_PER_MSEC);
        assert_string_equal(b->said, "x.");
}

/* --- deferred calls ------------------------------------------------------- */

static void say_b(void *arg)
{
        say(arg, "b");
}

static void deferred_calls_run_later_and_in_order(void **state)
{
        struct bench *b = *state;

        assert_non_null(loop_defer(b->loop, say_a, b));
        assert_non_null(loop_defer(b->loop, say_b, b));
        assert_non_null(loop_defer(b->loop, say_a, b));
        assert_string_equal(b->said, "");
        assert_non_null(loop_defer(b->loop, stop, b));
        run(b);
        assert_string_equal(b->said, "aba.");
}

static void cancel_other(void *arg)
{
        struct bench *b = arg;

        say(b, "c");
        b->deferred = deferred_cancel(b->deferred);
}

static void a_deferred_call_can_be_cancelled_from_another(void **state)
{
        struct bench *b = *state;

        (void) loop_defer(b->loop, cancel_other, b);
        b->deferred = loop_defer(b->loop, say_a, b);
        (void) loop_defer(b->loop, stop, b);
        run(b);
        assert_string_equal(b->said, "c.");
}

static void defer_again(void *arg)
{
        struct bench *b = arg;

        if (b->left-- > 0)
                (void) loop_defer(b->loop, defer_again, b);
        else
                fail_msg("the descriptor was starved");
}

static void read_and_stop(void *arg, _unused_ unsigned what)
{
        loop_stop(((struct bench *) arg)->loop);
}

static void a_call_that_defers_itself_starves_no_descriptor(void **state)
{
        struct bench *b = *state;
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "x", 1), 1);
        b->watch = watch_new(b->loop, ends[0], WATCH_READ, read_and_stop, b);
        b->left = 1000;
        (void) loop_defer(b->loop, defer_again, b);
        run(b);
        b->watch = watch_free(b->watch);
        (void) close(ends[0]);
        (void) close(ends[1]);
}

static void what_is_still_deferred_dies_with_the_loop(_unused_ void **state)
{
        struct bench b = { 0 };
        _cleanup_(loop_freep) struct loop *l = loop_new();

        assert_non_null(loop_defer(l, say_a, &b));
        l = loop_free(l);
        assert_string_equal(b.said, "");
}

/* --- signals and descriptors ---------------------------------------------- */

static void on_signal(void *arg, int signo)
{
        struct bench *b = arg;

        say(b, signo == SIGUSR1 ? "1" : "2");
        if (signo == SIGUSR2)
                loop_stop(b->loop);
}

static void signals_arrive_from_the_loop(void **state)
{
        struct bench *b = *state;

        assert_int_equal(loop_on_signal(b->loop, SIGUSR1, on_signal, b), 0);
        assert_int_equal(loop_on_signal(b->loop, SIGUSR2, on_signal, b), 0);
        (void) raise(SIGUSR1);
        assert_string_equal(b->said, "");
        run_for(b, 20 * USEC_PER_MSEC);
        (void) raise(SIGUSR2);
        run(b);
        assert_string_equal(b->said, "1.2");
}

static void on_ready(void *arg, unsigned what)
{
        struct bench *b = arg;
        char byte;

        say(b, what & WATCH_READ ? what & WATCH_WRITE ? "rw" : "r" : "w");
        if (what & WATCH_READ)
                assert_int_equal(read(b->fd, &byte, 1), 1);
        else
                watch_set(b->watch, WATCH_READ);
}

static void a_watch_follows_what_it_is_set_to(void **state)
{
        struct bench *b = *state;
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        b->fd = ends[0];
        b->watch = watch_new(b->loop, ends[0], 0, on_ready, b);
        assert_int_equal(write(ends[1], "xy", 2), 2);
        run_for(b, 5 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".");
        watch_set(b->watch, WATCH_READ);
        run_for(b, 5 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".rr.");
        watch_set(b->watch, WATCH_WRITE);
        run_for(b, 5 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".rr.w.");
        (void) close(ends[1]);
        b->watch = watch_free(b->watch);
        (void) close(ends[0]);
}

/* Who is told to read his configuration again answers by it whoever asks from then on. */
static void a_signal_comes_before_what_came_behind_it(void **state)
{
        struct bench *b = *state;
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        b->fd = ends[0];
        b->watch = watch_new(b->loop, ends[0], WATCH_READ, on_ready, b);
        assert_int_equal(loop_on_signal(b->loop, SIGUSR1, on_signal, b), 0);
        for (unsigned i = 0; i < 3; i++) {
                (void) raise(SIGUSR1);
                assert_int_equal(write(ends[1], "x", 1), 1);
                run_for(b, 5 * USEC_PER_MSEC);
        }
        assert_string_equal(b->said, "1r.1r.1r.");
        (void) close(ends[1]);
        b->watch = watch_free(b->watch);
        (void) close(ends[0]);
}

/* --- the pump ------------------------------------------------------------- */

/*
 * A library as sd-bus is one: bytes come over a pipe, and a call, once started,
 * has a deadline that process() must be run for.
 */
struct library {
        struct bench *bench;
        struct pump *pump;
        int fd;
        int events;
        uint64_t deadline;
};

static int library_fd(void *arg)
{
        return ((struct library *) arg)->fd;
}

static int library_events(void *arg)
{
        return ((struct library *) arg)->events;
}

static int library_deadline(void *arg, uint64_t *ret_usec)
{
        *ret_usec = ((struct library *) arg)->deadline;
        return 0;
}

static void library_process(void *arg)
{
        struct library *lib = arg;
        struct pollfd p = { .fd = lib->fd, .events = POLLIN };
        char byte[2] = "";

        if (lib->fd >= 0 && poll(&p, 1, 0) > 0 && read(lib->fd, byte, 1) == 1)
                say(lib->bench, byte);
        if (now_usec() >= lib->deadline) {
                say(lib->bench, "T");
                lib->deadline = USEC_NEVER;
        }
        /* What a byte says may start a call: a change only the pump's own re-arming can see. */
        if (*byte == 'c')
                lib->deadline = now_usec() + 5 * USEC_PER_MSEC;
}

static const struct pump_ops library_ops = { .fd = library_fd,
                                             .events = library_events,
                                             .deadline = library_deadline,
                                             .process = library_process };

static void library_open(struct library *lib, struct bench *b, int ends[2])
{
        assert_int_equal(pipe(ends), 0);
        *lib = (struct library){ .bench = b, .fd = ends[0], .events = POLLIN, .deadline = USEC_NEVER };
        lib->pump = pump_new(b->loop, &library_ops, lib);
        assert_non_null(lib->pump);
}

static void library_close(struct library *lib, const int ends[2])
{
        lib->pump = pump_free(lib->pump);
        (void) close(ends[0]);
        (void) close(ends[1]);
}

static void the_pump_processes_what_is_ready(void **state)
{
        struct bench *b = *state;
        struct library lib;
        int ends[2];

        library_open(&lib, b, ends);
        assert_int_equal(write(ends[1], "xyz", 3), 3);
        run_for(b, 10 * USEC_PER_MSEC);
        assert_string_equal(b->said, "xyz.");
        library_close(&lib, ends);
}

static void a_deadline_set_by_a_verb_needs_the_rearm(void **state)
{
        struct bench *b = *state;
        struct library lib;
        int ends[2];

        library_open(&lib, b, ends);
        lib.deadline = now_usec() + 5 * USEC_PER_MSEC;
        run_for(b, 30 * USEC_PER_MSEC);
        assert_string_equal(b->said, "."); /* nobody told the pump */
        pump_rearm(lib.pump);
        run_for(b, 30 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".T.");
        library_close(&lib, ends);
}

static void a_deadline_set_while_processing_needs_none(void **state)
{
        struct bench *b = *state;
        struct library lib;
        int ends[2];

        library_open(&lib, b, ends);
        assert_int_equal(write(ends[1], "c", 1), 1);
        run_for(b, 30 * USEC_PER_MSEC);
        assert_string_equal(b->said, "cT.");
        library_close(&lib, ends);
}

static void the_pump_follows_events_and_descriptor(void **state)
{
        struct bench *b = *state;
        struct library lib;
        int ends[2], others[2];

        library_open(&lib, b, ends);
        lib.events = 0;
        pump_rearm(lib.pump);
        assert_int_equal(write(ends[1], "x", 1), 1);
        run_for(b, 10 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".");
        lib.events = POLLIN;
        pump_rearm(lib.pump);
        run_for(b, 10 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".x.");

        assert_int_equal(pipe(others), 0);
        lib.fd = others[0];
        pump_rearm(lib.pump);
        assert_int_equal(write(others[1], "y", 1), 1);
        run_for(b, 10 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".x.y.");

        lib.fd = -ENOTCONN;
        pump_rearm(lib.pump);
        assert_int_equal(write(others[1], "z", 1), 1);
        run_for(b, 10 * USEC_PER_MSEC);
        assert_string_equal(b->said, ".x.y..");
        library_close(&lib, ends);
        (void) close(others[0]);
        (void) close(others[1]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(timers_never_fire_early),
                TEST(a_timer_set_late_in_a_long_turn_counts_from_then),
                TEST(setting_a_timer_again_replaces),
                TEST(stopped_timers_and_timers_set_to_never_stay_silent),
                TEST(a_timer_may_free_itself_and_one_that_is_due),
                TEST(deferred_calls_run_later_and_in_order),
                TEST(a_deferred_call_can_be_cancelled_from_another),
                TEST(a_call_that_defers_itself_starves_no_descriptor),
                TEST(what_is_still_deferred_dies_with_the_loop),
                TEST(signals_arrive_from_the_loop),
                TEST(a_signal_comes_before_what_came_behind_it),
                TEST(a_watch_follows_what_it_is_set_to),
                TEST(the_pump_processes_what_is_ready),
                TEST(a_deadline_set_by_a_verb_needs_the_rearm),
                TEST(a_deadline_set_while_processing_needs_none),
                TEST(the_pump_follows_events_and_descriptor),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
