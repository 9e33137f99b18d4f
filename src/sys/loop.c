/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The event loop: libevent behind handles that one owner frees.
 *
 * libevent keeps time by the coarse clock and by the start of the turn, so its
 * timers may fire some milliseconds early.  Ours never do: what comes early is
 * sent back for the rest, which is what deadlines of other libraries need.
 */

#include "sys/loop.h"

#include <poll.h>
#include <sys/queue.h>
#include <time.h>

#include <event2/event.h>

struct deferred {
        TAILQ_ENTRY(deferred) link;
        struct loop *loop;
        uint64_t turn;
        void (*fn)(void *arg);
        void *arg;
};

struct signal_hook {
        SLIST_ENTRY(signal_hook) link;
        struct event *event;
        void (*fn)(void *arg, int signo);
        void *arg;
};

struct loop {
        struct event_base *base;
        struct event *deferred_event;
        TAILQ_HEAD(, deferred) deferred;
        uint64_t turn; /* counts the runs of the deferred queue */
        SLIST_HEAD(, signal_hook) signals;
};

struct timer {
        struct event *event;
        uint64_t due;
        void (*fire)(void *arg);
        void *arg;
};

struct watch {
        struct event *event;
        unsigned what;
        void (*ready)(void *arg, unsigned what);
        void *arg;
};

struct pump {
        struct loop *loop;
        struct watch *watch; /* NULL while the library has no descriptor */
        struct timer *timer;
        int fd;
        struct pump_ops ops;
        void *arg;
};

static uint64_t clock_usec(clockid_t clock)
{
        struct timespec ts;

        (void) clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

uint64_t now_usec(void)
{
        return clock_usec(CLOCK_MONOTONIC);
}

uint64_t wall_usec(void)
{
        return clock_usec(CLOCK_REALTIME);
}

/*
 * A timeout that libevent has no memory for comes at once instead: whoever
 * waits for it finds out early, which beats never.  False then.
 */
static bool add_timeout(struct event *event, uint64_t usec)
{
        struct timeval tv = { .tv_sec = (time_t) (usec / USEC_PER_SEC),
                              .tv_usec = (suseconds_t) (usec % USEC_PER_SEC) };

        if (event_add(event, &tv) == 0)
                return true;
        event_active(event, EV_TIMEOUT, 0);
        return false;
}

/* --- the loop ------------------------------------------------------------- */

static void run_deferred(_unused_ evutil_socket_t fd, _unused_ short events, void *arg)
{
        struct loop *l = arg;
        struct deferred *d;

        l->turn++;
        while ((d = TAILQ_FIRST(&l->deferred)) && d->turn < l->turn) {
                void (*fn)(void *) = d->fn;
                void *fn_arg = d->arg;

                (void) deferred_cancel(d);
                fn(fn_arg);
        }
        if (d)
                (void) add_timeout(l->deferred_event, 0);
}

/* Signals first: who was told to read his configuration again does so before he answers on a new connection. */
enum { OF_SIGNALS, OF_THE_REST, N_PRIORITIES };

static struct event_base *base_new(void)
{
        struct event_config *config = event_config_new();
        struct event_base *base;

        if (!config)
                return NULL;
        (void) event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        (void) event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
        base = event_base_new_with_config(config);
        event_config_free(config);
        if (base)
                (void) event_base_priority_init(base, N_PRIORITIES); /* that of events is the middle: of the rest */
        return base;
}

struct loop *loop_new(void)
{
        _cleanup_(loop_freep) struct loop *l = calloc(1, sizeof *l);

        if (!l)
                return NULL;
        TAILQ_INIT(&l->deferred);
        SLIST_INIT(&l->signals);
        l->base = base_new();
        if (!l->base)
                return NULL;
        l->deferred_event = evtimer_new(l->base, run_deferred, l);
        if (!l->deferred_event)
                return NULL;
        return TAKE(l);
}

struct loop *loop_free(struct loop *l)
{
        struct deferred *d;
        struct signal_hook *hook;

        if (!l)
                return NULL;
        while ((d = TAILQ_FIRST(&l->deferred)))
                (void) deferred_cancel(d);
        while ((hook = SLIST_FIRST(&l->signals))) {
                SLIST_REMOVE_HEAD(&l->signals, link);
                event_free(hook->event);
                free(hook);
        }
        if (l->deferred_event)
                event_free(l->deferred_event);
        if (l->base)
                event_base_free(l->base);
        free(l);
        return NULL;
}

int loop_run(struct loop *l)
{
        return event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0 ? -EIO : 0;
}

void loop_stop(struct loop *l)
{
        (void) event_base_loopbreak(l->base);
}

struct event_base *loop_base(struct loop *l)
{
        return l->base;
}

/* --- timers --------------------------------------------------------------- */

static void timer_arm(struct timer *t, uint64_t usec)
{
        if (!add_timeout(t->event, usec))
                t->due = 0;
}

static void timer_expired(_unused_ evutil_socket_t fd, _unused_ short events, void *arg)
{
        struct timer *t = arg;
        uint64_t now = now_usec();

        if (now < t->due)
                timer_arm(t, t->due - now);
        else
                t->fire(t->arg);
}

struct timer *timer_new(struct loop *l, void (*fire)(void *arg), void *arg)
{
        _cleanup_free_ struct timer *t = calloc(1, sizeof *t);

        if (!t)
                return NULL;
        *t = (struct timer){ .fire = fire, .arg = arg };
        t->event = evtimer_new(l->base, timer_expired, t);
        if (!t->event)
                return NULL;
        return TAKE(t);
}

void timer_set(struct timer *t, uint64_t usec)
{
        uint64_t now = now_usec();

        if (usec >= USEC_NEVER - now) {
                timer_stop(t);
                return;
        }
        t->due = now + usec;
        timer_arm(t, usec);
}

void timer_stop(struct timer *t)
{
        (void) event_del(t->event);
}

struct timer *timer_free(struct timer *t)
{
        if (!t)
                return NULL;
        event_free(t->event);
        free(t);
        return NULL;
}

/* --- deferred calls ------------------------------------------------------- */

/*
 * One queue behind a zero timeout, not one active event per call: libevent runs
 * an event that was made active by a callback in the same turn, so a call that
 * defers itself would starve every descriptor.
 */
struct deferred *loop_defer(struct loop *l, void (*fn)(void *arg), void *arg)
{
        struct deferred *d = calloc(1, sizeof *d);

        if (!d)
                return NULL;
        *d = (struct deferred){ .loop = l, .turn = l->turn, .fn = fn, .arg = arg };
        if (TAILQ_EMPTY(&l->deferred))
                (void) add_timeout(l->deferred_event, 0);
        TAILQ_INSERT_TAIL(&l->deferred, d, link);
        return d;
}

struct deferred *deferred_cancel(struct deferred *d)
{
        if (!d)
                return NULL;
        TAILQ_REMOVE(&d->loop->deferred, d, link);
        free(d);
        return NULL;
}

/* --- signals -------------------------------------------------------------- */

static void signal_arrived(evutil_socket_t signo, _unused_ short events, void *arg)
{
        struct signal_hook *hook = arg;

        hook->fn(hook->arg, (int) signo);
}

int loop_on_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg)
{
        _cleanup_free_ struct signal_hook *hook = calloc(1, sizeof *hook);

        if (!hook)
                return -ENOMEM;
        *hook = (struct signal_hook){ .fn = fn, .arg = arg };
        hook->event = evsignal_new(l->base, signo, signal_arrived, hook);
        if (!hook->event)
                return -ENOMEM;
        if (event_priority_set(hook->event, OF_SIGNALS) < 0 || event_add(hook->event, NULL) < 0) {
                event_free(hook->event);
                return -EIO;
        }
        SLIST_INSERT_HEAD(&l->signals, hook, link);
        (void) TAKE(hook);
        return 0;
}

/* --- watched descriptors -------------------------------------------------- */

static short event_bits(unsigned what)
{
        return (short) (EV_PERSIST | (what & WATCH_READ ? EV_READ : 0) |
                        (what & WATCH_WRITE ? EV_WRITE : 0));
}

static void watch_event(_unused_ evutil_socket_t fd, short events, void *arg)
{
        struct watch *w = arg;

        w->ready(w->arg, (events & EV_READ ? WATCH_READ : 0u) | (events & EV_WRITE ? WATCH_WRITE : 0u));
}

struct watch *watch_new(struct loop *l, int fd, unsigned what, void (*ready)(void *arg, unsigned what),
                        void *arg)
{
        _cleanup_(watch_freep) struct watch *w = calloc(1, sizeof *w);

        if (!w)
                return NULL;
        *w = (struct watch){ .what = what, .ready = ready, .arg = arg };
        w->event = event_new(l->base, fd, event_bits(what), watch_event, w);
        if (!w->event || (what && event_add(w->event, NULL) < 0))
                return NULL;
        return TAKE(w);
}

void watch_set(struct watch *w, unsigned what)
{
        evutil_socket_t fd = event_get_fd(w->event);

        if (w->what == what)
                return;
        (void) event_del(w->event);
        w->what = what;
        if (!what)
                return;
        (void) event_assign(w->event, event_get_base(w->event), fd, event_bits(what), watch_event, w);
        /* The owner's next read or write tells what is wrong with a descriptor that cannot be watched. */
        if (event_add(w->event, NULL) < 0)
                event_active(w->event, event_bits(what) & (EV_READ | EV_WRITE), 0);
}

struct watch *watch_free(struct watch *w)
{
        if (!w)
                return NULL;
        if (w->event)
                event_free(w->event);
        free(w);
        return NULL;
}

/* --- the pump ------------------------------------------------------------- */

static void pump_wake(void *arg)
{
        struct pump *p = arg;

        p->ops.process(p->arg);
        pump_rearm(p);
}

static void pump_ready(void *arg, _unused_ unsigned what)
{
        pump_wake(arg);
}

static unsigned watch_bits(int poll_events)
{
        if (poll_events < 0)
                return 0;
        return (poll_events & POLLIN ? WATCH_READ : 0u) | (poll_events & POLLOUT ? WATCH_WRITE : 0u);
}

static void rearm_descriptor(struct pump *p)
{
        int fd = p->ops.fd(p->arg);
        unsigned what = fd < 0 ? 0 : watch_bits(p->ops.events(p->arg));

        if (fd != p->fd) {
                p->watch = watch_free(p->watch);
                p->fd = fd;
        }
        if (p->watch)
                watch_set(p->watch, what);
        else if (fd >= 0)
                p->watch = watch_new(p->loop, fd, what, pump_ready, p);
}

void pump_rearm(struct pump *p)
{
        uint64_t deadline, now;

        rearm_descriptor(p);
        /* A descriptor that cannot be watched now (no memory) is polled until it can. */
        if (p->fd >= 0 && !p->watch) {
                timer_set(p->timer, 100 * USEC_PER_MSEC);
                return;
        }
        if (p->ops.deadline(p->arg, &deadline) < 0 || deadline == USEC_NEVER) {
                timer_stop(p->timer);
                return;
        }
        now = now_usec();
        timer_set(p->timer, deadline > now ? deadline - now : 0);
}

struct pump *pump_new(struct loop *l, const struct pump_ops *ops, void *arg)
{
        _cleanup_(pump_freep) struct pump *p = calloc(1, sizeof *p);

        if (!p)
                return NULL;
        *p = (struct pump){ .loop = l, .fd = -1, .ops = *ops, .arg = arg };
        p->timer = timer_new(l, pump_wake, p);
        if (!p->timer)
                return NULL;
        pump_rearm(p);
        return TAKE(p);
}

struct pump *pump_free(struct pump *p)
{
        if (!p)
                return NULL;
        (void) watch_free(p->watch);
        (void) timer_free(p->timer);
        free(p);
        return NULL;
}
