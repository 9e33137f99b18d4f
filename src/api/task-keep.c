/* SPDX-License-Identifier: Apache-2.0 */

/* Units that came to their end stay in sight for a while. */

#include "api/git-talk.h"
#include "api/job-run.h"
#include "api/task.h"

#include <stdio.h>
#include <sys/queue.h>

struct kept_unit {
        LIST_ENTRY(kept_unit) link;
        struct daemon *daemon;
        char unit[UNIT_NAME_MAX];
        struct timer *timer;
        struct task *task;
};

static void kept_free(struct kept_unit *k)
{
        LIST_REMOVE(k, link);
        (void) timer_free(k->timer);
        (void) task_leave(k->task);
        free(k);
}

static void forgotten(void *arg, const struct task_end *end _unused_)
{
        struct kept_unit *k = arg;

        k->task = NULL;
        kept_free(k);
}

static void time_is_over(void *arg)
{
        struct kept_unit *k = arg;

        k->task = task_forget(k->daemon, k->unit, forgotten, k);
        if (!k->task)
                kept_free(k);
}

static struct kept_unit *find(const struct daemon *d, const char *unit)
{
        struct kept_unit *k;

        LIST_FOREACH(k, &d->kept_units, link)
        if (streq(k->unit, unit))
                return k;
        return NULL;
}

/* Out of memory it stays for longer: until the next start. */
static void forget_in(struct daemon *d, const char *unit, uint64_t usec)
{
        struct kept_unit *k = find(d, unit);

        if (k)
                kept_free(k);
        k = calloc(1, sizeof *k);
        if (!k)
                return;
        k->daemon = d;
        (void) snprintf(k->unit, sizeof k->unit, "%s", unit);
        LIST_INSERT_HEAD(&d->kept_units, k, link);
        k->timer = timer_new(d->loop, time_is_over, k);
        if (k->timer)
                timer_set(k->timer, usec);
        else
                kept_free(k);
}

void task_forget_later(struct daemon *d, const char *unit)
{
        forget_in(d, unit, d->config->job_keep_usec);
}

void task_forget_soon(struct daemon *d, const char *unit)
{
        forget_in(d, unit, 0);
}

void task_keep_no_longer(struct daemon *d, const char *unit)
{
        struct kept_unit *k = find(d, unit);

        if (k)
                kept_free(k);
}

void task_free_all(struct daemon *d)
{
        while (!LIST_EMPTY(&d->kept_units))
                kept_free(LIST_FIRST(&d->kept_units));
}

/* --- those of an earlier life ------------------------------------------------------------------------ */

/* What is still at work is somebody's errand or job, or nobody's business. */
static void listed(void *arg, const struct unit_change *units, size_t n, const struct fault *fault _unused_)
{
        struct daemon *d = arg;

        for (size_t i = 0; i < n; i++)
                if (!streq(units[i].active, "activating") && !streq(units[i].active, "deactivating") &&
                    !job_holds_unit(d, units[i].unit))
                        task_forget_later(d, units[i].unit);
}

/* Those of an earlier life had nobody else to talk to; but there may be some of ours by now. */
static void listed_talks(void *arg, const struct unit_change *units, size_t n, const struct fault *fault _unused_)
{
        for (size_t i = 0; i < n; i++)
                if (!git_talk_is_ours(arg, units[i].unit))
                        task_forget_soon(arg, units[i].unit);
}

void task_forget_former(struct daemon *d)
{
        (void) systemd_list(d->systemd, "job-*.service", listed, d);
        (void) systemd_list(d->systemd, GIT_TALK_UNITS, listed_talks, d);
}
