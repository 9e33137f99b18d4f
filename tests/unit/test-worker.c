/* SPDX-License-Identifier: Apache-2.0 */

/* The worker: jobs in order and one at a time, off the loop, their ends on it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "run-loop.h"
#include "sys/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#define JOBS 200

struct scene {
        struct loop *loop;
        struct worker *worker;
        struct timer *deadline;
        pthread_t loop_thread;
        atomic_int inside;        /* jobs that run right now */
        atomic_int ran;
        atomic_bool ticked;
        int done;
};

struct job {
        struct scene *scene;
        int number;
        bool last;
};

static void too_late(void *arg _unused_)
{
        fail_msg("the jobs did not end in time");
}

static int set_up(void **state)
{
        static struct scene s;

        s = (struct scene){ .loop = loop_new(), .loop_thread = pthread_self() };
        s.worker = worker_new(s.loop);
        s.deadline = timer_new(s.loop, too_late, &s);
        if (!s.loop || !s.worker || !s.deadline)
                return -1;
        timer_set(s.deadline, 20 * USEC_PER_SEC);
        *state = &s;
        return 0;
}

static int tear_down(void **state)
{
        struct scene *s = *state;

        s->worker = worker_free(s->worker);
        s->deadline = timer_free(s->deadline);
        s->loop = loop_free(s->loop);
        return 0;
}

/* Minus its number when all was well: an assertion can only be made on the loop's thread. */
static int run_counted(void *arg)
{
        struct job *job = arg;
        struct scene *s = job->scene;
        bool apart = !pthread_equal(pthread_self(), s->loop_thread);
        bool alone = atomic_fetch_add(&s->inside, 1) == 0;
        bool in_turn = atomic_fetch_add(&s->ran, 1) == job->number;

        (void) atomic_fetch_sub(&s->inside, 1);
        return apart && alone && in_turn ? -job->number : 1;
}

static void done_counted(void *arg, int r)
{
        struct job *job = arg;
        struct scene *s = job->scene;

        assert_true(pthread_equal(pthread_self(), s->loop_thread));
        assert_int_equal(r, -job->number);
        assert_int_equal(s->done++, job->number);
        if (job->last)
                loop_stop(s->loop);
}

static void in_order_one_at_a_time(void **state)
{
        struct scene *s = *state;
        static struct job jobs[JOBS];

        for (int i = 0; i < JOBS; i++) {
                jobs[i] = (struct job){ .scene = s, .number = i, .last = i == JOBS - 1 };
                assert_int_equal(worker_run(s->worker, run_counted, done_counted, &jobs[i]), 0);
        }
        assert_int_equal(s->done, 0); /* never inside the call */
        run_loop(s->loop, "nothing");
        assert_int_equal(s->done, JOBS);
}

/* --- a job may follow from the end of another ------------------------------------------ */

static void done_once_more(void *arg, int r)
{
        struct job *job = arg;
        struct scene *s = job->scene;

        assert_int_equal(r, -job->number);
        s->done++;
        if (++job->number == 5)
                loop_stop(s->loop);
        else
                assert_int_equal(worker_run(s->worker, run_counted, done_once_more, job), 0);
}

static void one_leads_to_the_next(void **state)
{
        struct scene *s = *state;
        struct job job = { .scene = s };

        assert_int_equal(worker_run(s->worker, run_counted, done_once_more, &job), 0);
        run_loop(s->loop, "nothing");
        assert_int_equal(s->done, 5);
}

/* --- the loop does not wait --------------------------------------------------------------- */

/* As long as the loop needs to show that it goes on; else until the deadline of the scene. */
static int run_until_ticked(void *arg)
{
        struct job *job = arg;
        const struct timespec moment = { .tv_nsec = 1000 * 1000 };

        while (!atomic_load(&job->scene->ticked))
                (void) nanosleep(&moment, NULL);
        (void) atomic_fetch_add(&job->scene->ran, 1);
        return 0;
}

static void done_last(void *arg, int r _unused_)
{
        struct job *job = arg;

        job->scene->done++;
        loop_stop(job->scene->loop);
}

static void ticked(void *arg)
{
        struct scene *s = arg;

        assert_int_equal(atomic_load(&s->ran), 0); /* the slow one has not ended yet */
        atomic_store(&s->ticked, true);
        s->done++;
}

static void a_slow_job_blocks_nobody(void **state)
{
        struct scene *s = *state;
        struct job job = { .scene = s };
        struct timer *tick = timer_new(s->loop, ticked, s);

        timer_set(tick, 20 * USEC_PER_MSEC);
        assert_int_equal(worker_run(s->worker, run_until_ticked, done_last, &job), 0);
        run_loop(s->loop, "nothing");
        assert_int_equal(s->done, 2);
        (void) timer_free(tick);
}

/* --- its end -------------------------------------------------------------------------------- */

static int run_slowly(void *arg)
{
        struct job *job = arg;
        const struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };

        (void) nanosleep(&pause, NULL);
        (void) atomic_fetch_add(&job->scene->ran, 1);
        return 0;
}

static int run_first(void *arg)
{
        struct job *job = arg;

        (void) atomic_fetch_add(&job->scene->inside, 1);
        return run_slowly(arg);
}

static void never_done(void *arg _unused_, int r _unused_)
{
        fail_msg("a job of a freed worker came to its end");
}

static void the_running_one_is_waited_for_the_others_are_dropped(void **state)
{
        struct scene *s = *state;
        struct job job = { .scene = s };
        const struct timespec moment = { .tv_nsec = 1000 * 1000 };

        assert_int_equal(worker_run(s->worker, run_first, never_done, &job), 0);
        assert_int_equal(worker_run(s->worker, run_slowly, never_done, &job), 0);
        while (atomic_load(&s->inside) == 0)
                (void) nanosleep(&moment, NULL);
        s->worker = worker_free(s->worker);
        assert_int_equal(atomic_load(&s->ran), 1);
}

/* --- signals are the loop's ------------------------------------------------------------------- */

static int run_look_at_signals(void *arg _unused_)
{
        sigset_t blocked;

        (void) sigemptyset(&blocked);
        (void) pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        return sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGHUP) && sigismember(&blocked, SIGCHLD);
}

static void done_with_1(void *arg, int r)
{
        assert_int_equal(r, 1);
        done_last(arg, r);
}

static void signals_do_not_reach_it(void **state)
{
        struct scene *s = *state;
        struct job job = { .scene = s };

        assert_int_equal(worker_run(s->worker, run_look_at_signals, done_with_1, &job), 0);
        run_loop(s->loop, "nothing");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(in_order_one_at_a_time, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_leads_to_the_next, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_slow_job_blocks_nobody, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_running_one_is_waited_for_the_others_are_dropped, set_up, tear_down),
                cmocka_unit_test_setup_teardown(signals_do_not_reach_it, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
