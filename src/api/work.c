/* SPDX-License-Identifier: Apache-2.0 */

#include "api/work.h"

#include "api/answer.h"
#include "api/audit.h"
#include "api/failure.h"
#include "api/image-get.h"
#include "api/ready.h"

#include <stdarg.h>
#include <stdio.h>

#define RETRY_AFTER_SEC 2

/*
 * The queue hangs on the gear's entry in the index.  A delete takes the entry
 * away while others may still wait: it hands the queue on (see work_next).
 */

struct gear *work_gear(const struct work *w)
{
        return gears_find(w->daemon->gears, w->id);
}

size_t work_count(const struct gear *gear)
{
        size_t n = 0;

        for (const struct work *w = gear->work; w; w = w->next)
                n++;
        return n;
}

static void work_cancel(struct work *w)
{
        w->op = systemd_cancel(w->op);
        w->docker = docker_cancel(w->docker);
        w->image = image_get_cancel(w->image);
        w->ready = ready_cancel(w->ready);
        w->failure = failure_cancel(w->failure);
}

static void work_free(struct work *w)
{
        work_cancel(w);
        w->kind->free(w);
}

static void start_now(void *arg)
{
        struct work *w = arg;

        w->held = w->may_start && !w->may_start(w);
        if (w->held)
                return;
        w->started = true;
        if (w->request && !request_begun(w->request))
                request_begin(w->request);
        /* What an earlier life has begun may have changed the gear already. */
        if (w->request && !w->may_start)
                audit_started(w->request, work_gear(w));
        w->kind->start(w);
}

static void work_schedule(struct work *w)
{
        struct fault f;

        if (!loop_defer(w->daemon->loop, start_now, w)) {
                (void) fault_oom(&f);
                work_fail(w, &f);
        }
}

/* Takes it off its gear and starts what waits behind it. */
static void work_next(struct work *w)
{
        struct gear *gear = work_gear(w);
        struct work *next = w->next;

        if (gear && gear->work == w) {
                gear->work = next;
        } else if (next) {
                /* The gear was removed: those behind find no gear, unless one of them makes it anew. */
                gear = gears_add(w->daemon->gears, w->id);
                if (gear) {
                        gear->phase = GEAR_CREATING;
                        gear->work = next;
                }
        }
        if (next)
                work_schedule(next);
        else if (gear && gear->phase == GEAR_CREATING && !gear->image && !gear->damage)
                gears_remove(w->daemon->gears, gear); /* an entry that only held the queue */
}

bool work_look(struct daemon *d)
{
        bool some = false;

        /* From behind: one that is out of memory is gone at once, perhaps with its gear. */
        for (size_t i = gears_count(d->gears); i-- > 0;) {
                struct work *first = gears_at(d->gears, i)->work;

                for (const struct work *w = first; w; w = w->next)
                        some = some || (w->may_start && !w->ended);
                if (first && first->held && first->may_start(first)) {
                        first->held = false;
                        work_schedule(first);
                }
        }
        return some;
}

void work_start_again(struct work *w)
{
        w->started = false;
        w->held = true;
}

bool work_gear_is_known(const struct work *w)
{
        const struct daemon *d = w->daemon;

        return d->systemd_synced && (d->engine_synced || d->engine == ENGINE_STOPPED);
}

static void work_through(void *arg)
{
        struct work *w = arg;

        work_next(w);
        work_free(w);
}

/* A gear that was removed comes back as an entry that only holds the queue. */
static bool keep_queue(struct work *w)
{
        struct gear *gear = work_gear(w);

        if (!gear) {
                gear = gears_add(w->daemon->gears, w->id);
                if (!gear)
                        return false;
                gear->phase = GEAR_CREATING;
                gear->work = w;
        }
        work_cancel(w);
        w->ended = true;
        return true;
}

void work_end(struct work *w, struct outcome *outcome)
{
        struct daemon *d = w->daemon;
        struct request *request = TAKE(w->request);

        if (request && w->next && keep_queue(w)) {
                change_end_then(d, request, outcome, work_through, w);
        } else {
                work_next(w);
                work_free(w);
                if (request)
                        change_end(d, request, outcome);
        }
        outcome_reset(outcome);
}

void work_fail(struct work *w, const struct fault *fault)
{
        struct outcome outcome;

        outcome_of_fault(&outcome, fault);
        work_end(w, &outcome);
}

void work_submit(struct work *w)
{
        struct gear *gear = work_gear(w);
        struct work *last = gear->work;
        struct fault f;

        if (!last) {
                gear->work = w;
                work_schedule(w);
                return;
        }
        if (work_count(gear) >= WORK_QUEUE_MAX) {
                (void) fault_set(&f, FAULT_BUSY, NULL, "%d changes are waiting for gear %s already", WORK_QUEUE_MAX,
                                 w->id);
                f.retry_after = RETRY_AFTER_SEC;
                if (w->request)
                        change_fail(w->daemon, w->request, &f);
                work_free(w);
                return;
        }
        while (last->next)
                last = last->next;
        last->next = w;
        last = gear->work;
        if (!w->hurry || last->ended)
                return;
        if ((last->started || last->held) && last->kind->give_up)
                last->kind->give_up(last, w->hurry);
}

void work_begun(struct daemon *d, struct request *request, void *arg)
{
        struct work *w = arg;
        struct fault f;

        w->request = request;
        if (request && work_gear(w)) {
                work_submit(w);
                return;
        }
        if (request) {
                (void) fault_set(&f, FAULT_MISSING, "id", "there is no gear %s", w->id);
                change_fail(d, request, &f);
        }
        work_free(w);
}

void work_answer_all(struct daemon *d)
{
        struct fault f;

        (void) fault_set(&f, FAULT_AWAY, NULL, "geard stops before this is done: its next start completes or undoes it");
        f.retry_after = RETRY_AFTER_SEC;
        for (size_t i = 0; i < gears_count(d->gears); i++)
                for (struct work *w = gears_at(d->gears, i)->work; w; w = w->next)
                        if (w->request)
                                change_leave(d, TAKE(w->request), &f);
}

void work_free_all(struct daemon *d)
{
        for (size_t i = 0; i < gears_count(d->gears); i++) {
                struct work *w = gears_at(d->gears, i)->work, *next;

                gears_at(d->gears, i)->work = NULL;
                for (; w; w = next) {
                        next = w->next;
                        work_free(w);
                }
        }
}

void work_progress(struct work *w, const char *format, ...)
{
        char line[512];
        va_list ap;

        if (!w->request)
                return;
        va_start(ap, format);
        (void) vsnprintf(line, sizeof line, format, ap);
        va_end(ap);
        request_progress(w->request, line);
}
