/* SPDX-License-Identifier: Apache-2.0 */

#include "run-loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PATIENCE_USEC (30 * USEC_PER_SEC)
/* Turns of the loop there are at least, even when the machine stood still for all that time. */
#define PARTS 10

static void lose_patience(void *arg)
{
        fail_msg("nothing happened; so far: %s", (const char *) arg);
}

void run_loop(struct loop *l, const char *said)
{
        _cleanup_(timer_freep) struct timer *patience = timer_new(l, lose_patience, (void *) said);

        assert_non_null(patience);
        timer_set(patience, PATIENCE_USEC);
        assert_int_equal(loop_run(l), 0);
}

struct span {
        struct loop *loop;
        struct timer *timer;
        uint64_t part_usec;
        unsigned parts_left;
};

static void part_is_over(void *arg)
{
        struct span *s = arg;

        if (s->parts_left-- == 0)
                loop_stop(s->loop);
        else
                timer_set(s->timer, s->part_usec);
}

void run_loop_for(struct loop *l, uint64_t usec, const char *said)
{
        struct span s = { .loop = l, .part_usec = usec / PARTS, .parts_left = PARTS - 1 };
        _cleanup_(timer_freep) struct timer *t = timer_new(l, part_is_over, &s);

        assert_non_null(t);
        s.timer = t;
        timer_set(t, s.part_usec);
        run_loop(l, said);
}
