/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A job with a schedule goes: nothing of it is due any more, then nothing of it runs,
 * then systemd knows nothing of it, and then there is nothing.  Each step may be taken
 * again, by a next life of geard that finds the request unfinished.
 */

#include "api/job-schedule-private.h"
#include "api/job-schedule.h"
#include "api/job-watch.h"
#include "sys/database-jobs.h"
#include "sys/job-files.h"
#include "util/log.h"

#include <stdio.h>

static void finish(struct job_run *run)
{
        run->change->removed(run);
}

/* What brought it here, if something did, is the reason that is told. */
static void fail(struct job_run *run, const struct fault *fault)
{
        if (run->fault.kind == FAULT_NONE)
                run->fault = *fault;
        finish(run);
}

static void fail_oom(struct job_run *run)
{
        struct fault f;

        (void) fault_oom(&f);
        fail(run, &f);
}

/* --- files and row --------------------------------------------------------------------------------------- */

static void reloaded(void *arg, const struct fault *fault _unused_)
{
        struct job_run *run = arg;

        run->op = NULL;
        finish(run);
}

/* After a reload systemd 252 keeps both in its memory though nothing needs them, where they would be taken for a stranger's. */
static void forget_units(struct job_run *run)
{
        run->op = systemd_reload(run->daemon->systemd, reloaded, run);
        if (!run->op)
                finish(run);
}

/* A row that stays has no units, and goes with the next start. */
static void row_removed(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;

        if (fault)
                log_warning(LOG_FIELDS("GEARD_JOB", run->id), "the row of job %s stays for now: %s", run->id, fault->text);
        forget_units(run);
}

static int remove_files(void *arg)
{
        const struct job_run *run = arg;
        int r = job_units_remove(job_schedule_root(run), run->id);

        return r < 0 ? r : job_env_remove_others(job_schedule_root(run), run->id, NULL);
}

static void files_removed(void *arg, int r)
{
        struct job_run *run = arg;
        struct daemon *d = run->daemon;
        struct job *job = jobs_find(d->jobs, run->id);
        struct fault f;

        if (r < 0) {
                (void) fault_errno(&f, r, "cannot remove the units of job %s", run->id);
                fail(run, &f);
                return;
        }
        job_watch_end(job);
        jobs_remove(d->jobs, job);
        if (!database_remove_job(d->database, run->id, row_removed, run))
                row_removed(run, NULL);
}

/* --- its units -------------------------------------------------------------------------------------------- */

static void stop_timer(struct job_run *run);

/* True: it is taken care of. */
static bool failed(struct job_run *run, const struct fault *fault)
{
        if (!fault || fault->kind == FAULT_MISSING)
                return false;
        if (fault->kind == FAULT_AWAY)
                job_run_later(run, stop_timer);
        else
                fail(run, fault);
        return true;
}

static void service_disabled(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (!failed(run, fault) && worker_run(run->daemon->worker, remove_files, files_removed, run) < 0)
                fail_oom(run);
}

static void timer_disabled(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (failed(run, fault))
                return;
        run->op = systemd_disable(run->daemon->systemd, run->unit, service_disabled, run);
        if (!run->op)
                fail_oom(run);
}

/* A stranger's unit of that name, which hides ours, is left alone. */
static void run_stopped(void *arg, const struct task_end *end)
{
        struct job_run *run = arg;
        char timer[UNIT_NAME_MAX];

        run->task = NULL;
        if (end->fault && end->fault->kind != FAULT_CONFLICT && failed(run, end->fault))
                return;
        job_timer_name(run->id, timer);
        run->op = systemd_disable(run->daemon->systemd, timer, timer_disabled, run);
        if (!run->op)
                fail_oom(run);
}

static void timer_stopped(void *arg, enum job_result result _unused_, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (failed(run, fault))
                return;
        run->task = task_forget(run->daemon, run->unit, run_stopped, run);
        if (!run->task)
                fail_oom(run);
}

static void stop_timer(struct job_run *run)
{
        char timer[UNIT_NAME_MAX];

        job_timer_name(run->id, timer);
        run->op = systemd_job(run->daemon->systemd, SYSTEMD_STOP, timer, timer_stopped, run);
        if (!run->op)
                fail_oom(run);
}

void job_schedule_remove(struct job_run *run, void (*removed)(struct job_run *run))
{
        run->change->removed = removed;
        stop_timer(run);
}

/* --- asked for ---------------------------------------------------------------------------------------------- */

static void answer(struct job_run *run)
{
        struct daemon *d = run->daemon;
        struct outcome nobody_asked = { 0 };

        for (size_t i = 0; i < run->n_cancelers; i++) {
                if (run->fault.kind == FAULT_NONE)
                        job_cancel_answer(d, run->cancelers[i], run->id, "is removed, and its schedule");
                else
                        change_fail(d, run->cancelers[i], &run->fault);
        }
        run->n_cancelers = 0;
        job_run_leave(run, &nobody_asked);
}

void job_unschedule(struct daemon *d, struct request *request, const char *id)
{
        struct job_run *run = job_run_new(d, NULL, id);
        struct fault f;

        if (run && job_run_join(run, request) == 0 && (run->change = schedule_change_new())) {
                run->ending = true;
                job_schedule_remove(run, answer);
                return;
        }
        if (run)
                job_run_free(run);
        (void) fault_oom(&f);
        change_fail(d, request, &f);
}
