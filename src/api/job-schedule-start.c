/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From the files to the answer: each step may be taken again, so that after a crash,
 * or with systemd away, it begins at the first one.
 */

#include "api/adopt.h"
#include "api/answer.h"
#include "api/job-json.h"
#include "api/job-schedule-private.h"
#include "api/job-schedule.h"
#include "api/job-watch.h"
#include "core/moment.h"
#include "sys/database-jobs.h"
#include "sys/job-files.h"
#include "util/log.h"

#include <stdio.h>

/* --- the answer ---------------------------------------------------------------------------------------- */

static void end_adoption(struct job_run *run)
{
        if (!run->change->adoption)
                return;
        if (run->fault.kind != FAULT_NONE)
                log_error(LOG_FIELDS("GEARD_JOB", run->id), "job %s is not at home here: %s", run->id, run->fault.text);
        adoption_release(TAKE(run->change->adoption), run->fault.kind == FAULT_AWAY);
}

void job_schedule_answer_fault(struct job_run *run)
{
        struct job *job = jobs_find(run->daemon->jobs, run->id);
        struct outcome outcome;

        if (run->change)
                end_adoption(run);
        if (job && job->watch) /* a run that ended meanwhile has left it to us */
                job_watch_tidy(run->daemon, job);
        outcome_of_fault(&outcome, &run->fault);
        job_run_leave(run, &outcome);
}

static void answer(struct job_run *run)
{
        const struct job *job = jobs_find(run->daemon->jobs, run->id);
        bool same = run->change->same;
        _cleanup_text_ struct text text = { 0 };
        struct text json = { 0 };
        struct outcome outcome;

        end_adoption(run);
        text_addf(&text, "Job %s is scheduled%s (%s), ", run->id, same ? " already, and unchanged" : "", job->schedule);
        if (job->next_usec) {
                text_add(&text, "next at ");
                moment_add(&text, job->next_usec, 0);
        } else {
                text_add(&text, job_watch_is_due(job) ? "and never due" : "but its timer is stopped");
        }
        text_add(&text, run->recalled ? "; geard did not live to say so\n" : "\n");
        job_to_json(job, NULL, NULL, &json);
        text_addc(&json, '\n');
        outcome_of(&outcome, same ? 200 : 201, text_ok(&text) ? text.data : "", &json);
        text_reset(&json);
        outcome.replayed = run->recalled;
        outcome_header(&outcome, "Location", "/jobs/%s", run->id);
        job_run_leave(run, &outcome);
}

/* --- when something does not work ------------------------------------------------------------------------ */

/*
 * With systemd away all is begun anew when it is back.  Of what an earlier life wrote
 * nobody knows any more what it replaced: it stays, and its request is told.
 */
static void fail(struct job_run *run, const struct fault *fault)
{
        bool undoes = run->fault.kind != FAULT_NONE;

        if (fault->kind == FAULT_AWAY && !run->change->same) {
                job_run_later(run, job_schedule_start);
                return;
        }
        if (!undoes)
                run->fault = *fault;
        if (undoes || run->recalled || run->change->adoption || run->change->same)
                job_schedule_answer_fault(run);
        else
                job_schedule_fail(run);
}

static void await(struct job_run *run, struct systemd_op *op)
{
        struct fault f;

        run->op = op;
        if (op)
                return;
        (void) fault_oom(&f);
        fail(run, &f);
}

/* --- its row ------------------------------------------------------------------------------------------------ */

static void row_written(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;

        if (fault)
                log_error(LOG_FIELDS("GEARD_JOB", run->id), "the row of job %s comes with the next start: %s", run->id,
                          fault->text);
        if (run->change->exists)
                job_watch_tidy(run->daemon, jobs_find(run->daemon->jobs, run->id));
        answer(run);
}

static void write_row(struct job_run *run)
{
        const struct job *job = jobs_find(run->daemon->jobs, run->id);
        struct fault f;

        /* What one that ran once has said is not of this one. */
        if (database_put_job(run->daemon->database, job, job_watch_spec(job), run->change->exists ? NULL : "", row_written, run))
                return;
        (void) fault_oom(&f);
        row_written(run, &f);
}

/* --- its units ------------------------------------------------------------------------------------------------ */

static void timer_told(void *arg, const struct unit_change *timer, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (fault) {
                fail(run, fault);
                return;
        }
        job_watch_changed(run->daemon, timer);
        if (run->fault.kind != FAULT_NONE)
                job_schedule_answer_fault(run);
        else if (run->change->same)
                answer(run);
        else
                write_row(run);
}

void job_schedule_tell(struct job_run *run)
{
        char timer[UNIT_NAME_MAX];

        job_timer_name(run->id, timer);
        await(run, systemd_ask(run->daemon->systemd, timer, timer_told, run));
}

static void timer_started(void *arg, enum job_result result, const struct fault *fault)
{
        struct job_run *run = arg;
        struct fault f;

        run->op = NULL;
        if (!fault && result != JOB_DONE) {
                (void) fault_set(&f, FAULT_FAILED, NULL, "the timer of job %s did not start: %s", run->id,
                                 job_result_text(result));
                fault = &f;
        }
        if (fault)
                fail(run, fault);
        else
                job_schedule_tell(run);
}

/* A former one that is put back. */
static bool stays_paused(const struct job_run *run)
{
        return run->fault.kind != FAULT_NONE && run->change->paused;
}

/* One that runs counts from the calendar event that it had. */
static void start_timer(struct job_run *run)
{
        char timer[UNIT_NAME_MAX];

        if (stays_paused(run)) {
                job_schedule_answer_fault(run);
                return;
        }
        job_timer_name(run->id, timer);
        await(run, systemd_job(run->daemon->systemd, SYSTEMD_RESTART, timer, timer_started, run));
}

static void reloaded(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (fault)
                fail(run, fault);
        else
                start_timer(run);
}

static void reload(struct job_run *run)
{
        await(run, systemd_reload(run->daemon->systemd, reloaded, run));
}

static void timer_compared(void *arg, bool stale, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (fault)
                fail(run, fault);
        else if (stale)
                reload(run);
        else
                start_timer(run);
}

static void service_compared(void *arg, bool stale, const struct fault *fault)
{
        struct job_run *run = arg;
        char timer[UNIT_NAME_MAX];

        run->op = NULL;
        job_timer_name(run->id, timer);
        if (fault)
                fail(run, fault);
        else if (stale)
                reload(run);
        else
                await(run, systemd_needs_reload(run->daemon->systemd, timer, timer_compared, run));
}

static void timer_enabled(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (fault)
                fail(run, fault);
        else
                await(run, systemd_needs_reload(run->daemon->systemd, run->unit, service_compared, run));
}

static void service_linked(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;
        char timer[UNIT_NAME_MAX], path[4096];

        run->op = NULL;
        if (fault) {
                fail(run, fault);
                return;
        }
        job_timer_name(run->id, timer);
        job_units_path(job_schedule_root(run), timer, path, sizeof path);
        if (stays_paused(run))
                await(run, systemd_link(run->daemon->systemd, path, timer_enabled, run));
        else
                await(run, systemd_enable(run->daemon->systemd, path, timer_enabled, run));
}

void job_schedule_start(struct job_run *run)
{
        char path[4096];

        job_units_path(job_schedule_root(run), run->unit, path, sizeof path);
        await(run, systemd_link(run->daemon->systemd, path, service_linked, run));
}

/* The start of geard has written its timer as its service wants it. */
void job_schedule_go_on(struct job_run *run)
{
        run->change->exists = true; /* for all that is known */
        job_schedule_start(run);
}
