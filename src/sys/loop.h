/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one fence around libevent: timers, signals, watched descriptors,
 * deferred calls, and the pump that drives a library which brings its own
 * (fd, events, deadline) triple – sd-bus, sd-journal.
 *
 * Every handle is freed by its owner; freeing cancels. NULL is fine.
 */

#include "util/base.h"

struct event_base;
struct loop;
struct timer;
struct watch;
struct pump;
struct deferred;

#define USEC_PER_MSEC ((uint64_t) 1000)
#define USEC_PER_SEC ((uint64_t) 1000000)
#define USEC_NEVER UINT64_MAX

struct loop *loop_new(void);
struct loop *loop_free(struct loop *l);
DEFINE_CLEANUP(struct loop, loop_free);
int loop_run(struct loop *l); /* until loop_stop() */
void loop_stop(struct loop *l);
struct event_base *loop_base(struct loop *l); /* for http/server only */
uint64_t now_usec(void);      /* CLOCK_MONOTONIC */
uint64_t wall_usec(void);     /* CLOCK_REALTIME */

struct timer *timer_new(struct loop *l, void (*fire)(void *arg), void *arg);
/* From now, once, never early; setting it again replaces. USEC_NEVER stops it. */
void timer_set(struct timer *t, uint64_t usec);
void timer_stop(struct timer *t);
struct timer *timer_free(struct timer *t);
DEFINE_CLEANUP(struct timer, timer_free);

/* Runs in the next turn of the loop, in order, never inside this call. Frees itself when run. */
struct deferred *loop_defer(struct loop *l, void (*fn)(void *arg), void *arg);
struct deferred *deferred_cancel(struct deferred *d);

int loop_on_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg);

enum { WATCH_READ = 1, WATCH_WRITE = 2 };
struct watch *watch_new(struct loop *l, int fd, unsigned what,
                        void (*ready)(void *arg, unsigned what), void *arg);
void watch_set(struct watch *w, unsigned what); /* 0 pauses */
struct watch *watch_free(struct watch *w);
DEFINE_CLEANUP(struct watch, watch_free);

/*
 * Free the pump before the library closes its descriptor.
 *
 * The library is asked for its triple before every wait, which with libevent
 * means: pump_rearm() at the end of every adapter verb that touched the
 * library, and after every wake-up (the pump does that one itself).  Forgetting
 * one loses the timeout of a call silently.
 */
struct pump_ops {
        int (*fd)(void *arg);
        int (*events)(void *arg);              /* poll(2) bits, or negative errno */
        int (*deadline)(void *arg, uint64_t *ret_usec); /* absolute CLOCK_MONOTONIC, UINT64_MAX for none */
        void (*process)(void *arg);            /* do all that is ready; must not free the pump */
};
struct pump *pump_new(struct loop *l, const struct pump_ops *ops, void *arg);
void pump_rearm(struct pump *p);
struct pump *pump_free(struct pump *p);
DEFINE_CLEANUP(struct pump, pump_free);
