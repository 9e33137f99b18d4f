/* SPDX-License-Identifier: Apache-2.0 */

#include "run-loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PATIENCE_USEC (30 * USEC_PER_SEC)

static void lose_patience(void *arg)
{
        fail_msg("nothing happened; so far: %s", (const char *) arg);
}

static void time_is_up(void *arg)
{
        loop_stop(arg);
}

void run_loop(struct loop *l, const char *said)
{
        _cleanup_(timer_freep) struct timer *patience = timer_new(l, lose_patience, (void *) said);

        assert_non_null(patience);
        timer_set(patience, PATIENCE_USEC);
        assert_int_equal(loop_run(l), 0);
}

void run_loop_for(struct loop *l, uint64_t usec, const char *said)
{
        _cleanup_(timer_freep) struct timer *t = timer_new(l, time_is_up, l);

        assert_non_null(t);
        timer_set(t, usec);
        run_loop(l, said);
}
