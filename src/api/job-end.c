/* SPDX-License-Identifier: Apache-2.0 */

/* What a job comes to: asked of its unit, written down, and then told. */

#include "api/job-run-private.h"

#include "api/answer.h"
#include "api/job-json.h"
#include "api/job-unit.h"
#include "sys/database-jobs.h"
#include "sys/job-files.h"
#include "util/log.h"

#include <stdio.h>

#define TRIES_MAX 30

/* --- telling it ----------------------------------------------------------------------------------- */

/* Who came to cancel it when it had ended comes to forget it. */
static void leave(void *arg)
{
        struct job_run *run = arg;
        struct daemon *d = run->daemon;
        struct request **late = TAKE(run->cancelers);
        size_t n = run->n_cancelers;
        char id[GEAR_ID_MAX + 1];

        (void) snprintf(id, sizeof id, "%s", run->id);
        job_run_free(run);
        for (size_t i = 0; i < n; i++)
                job_cancel(d, late[i], id);
        free(late);
        jobs_forget_oldest(d);
}

static void answer_cancelers(struct job_run *run)
{
        bool ended = run->job && run->job->state != JOB_STATE_CANCELED;

        for (size_t i = 0; i < run->n_cancelers; i++)
                job_cancel_answer(run->daemon, run->cancelers[i], run->id, ended ? "has ended" : "is canceled");
        run->n_cancelers = 0;
}

/* As many of the last lines as a fault can hold, and never half of one but the first. */
static void add_last_lines(struct fault *f, const char *said)
{
        size_t used = strlen(f->text), n = said ? strlen(said) : 0, room = sizeof f->text - 1 - used;
        const char *from;

        while (n > 0 && said[n - 1] == '\n')
                n--;
        if (n == 0 || room < 2)
                return;
        from = n < room ? said : said + n - room + 1;
        if (from > said && from[-1] != '\n' && memchr(from, '\n', (size_t) (said + n - from)))
                from = strchr(from, '\n') + 1;
        (void) snprintf(f->text + used, sizeof f->text - used, "\n%.*s", (int) (said + n - from), from);
}

static void fault_of(const struct job_run *run, struct fault *ret)
{
        const struct job *job = run->job;
        _cleanup_text_ struct text sentence = { 0 };
        enum fault_kind kind = FAULT_FAILED;

        if (!job || (!run->started && !run->canceled)) {
                *ret = run->fault;
                return;
        }
        job_sentence(job, &sentence);
        if (job->state == JOB_STATE_CANCELED)
                kind = FAULT_CONFLICT;
        else if (run->out_of_time)
                kind = FAULT_TIMEOUT;
        (void) fault_set(ret, kind, NULL, "job %s %s", job->id, text_ok(&sentence) ? sentence.data : "failed");
        add_last_lines(ret, run->said);
}

static void outcome_of_run(const struct job_run *run, struct outcome *ret)
{
        _cleanup_text_ struct text text = { 0 };
        struct text json = { 0 };
        struct fault f;

        if (!run->job || run->job->state != JOB_STATE_SUCCEEDED) {
                fault_of(run, &f);
                outcome_of_fault(ret, &f);
        } else {
                text_addf(&text, "Job %s ", run->id);
                job_sentence(run->job, &text);
                text_addf(&text, "%s\n%s", run->recalled ? "; geard did not live to say so" : "", run->said ? run->said : "");
                job_to_json(run->job, NULL, run->said ? run->said : "", &json);
                text_addc(&json, '\n');
                outcome_of(ret, 201, text_ok(&text) ? text.data : "", &json);
                text_reset(&json);
        }
        ret->replayed = run->recalled && run->job && run->job->state == JOB_STATE_SUCCEEDED;
        if (run->job)
                outcome_header(ret, "Location", "/jobs/%s", run->id);
}

void job_run_leave(struct job_run *run, struct outcome *outcome)
{
        struct request *request = TAKE(run->request);
        uint64_t until = wall_usec() / USEC_PER_SEC + REQUEST_KEEP_SEC;

        if (request && request_kept_until(request) < until)
                request_keep(request, until); /* it may have taken days */
        if (request)
                change_end_then(run->daemon, request, outcome, leave, run);
        else
                leave(run);
        outcome_reset(outcome);
}

void job_run_answer(struct job_run *run)
{
        struct outcome outcome = { 0 };

        answer_cancelers(run);
        if (run->started)
                task_forget_later(run->daemon, run->unit);
        run->slot = slot_free(run->slot);
        if (run->request)
                outcome_of_run(run, &outcome);
        job_run_leave(run, &outcome);
}

/* --- writing it down --------------------------------------------------------------------------------- */

static void write_row(struct job_run *run);

/* A row that still says that it waits would be run by the next life: space may be had in a while. */
static void row_written(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;

        if (fault && run->tries++ < TRIES_MAX) {
                job_run_later(run, write_row);
                return;
        }
        if (fault)
                log_error(LOG_FIELDS("GEARD_JOB", run->id), "how job %s ended is not remembered beyond this run of geard: %s",
                          run->id, fault->text);
        job_run_answer(run);
}

static void write_row(struct job_run *run)
{
        struct fault f;

        if (database_put_job(run->daemon->database, run->job, NULL, run->said, row_written, run))
                return;
        (void) fault_oom(&f);
        row_written(run, &f);
}

static int remove_files(void *arg)
{
        const struct job_run *run = arg;

        return job_env_remove(run->daemon->config->state_directory, run->id);
}

static void files_removed(void *arg, int r)
{
        struct job_run *run = arg;

        if (r < 0)
                log_warning(LOG_FIELDS("GEARD_JOB", run->id), "the environment of job %s stays for now: %s", run->id,
                            strerror(-r));
        if (run->job)
                write_row(run);
        else
                job_run_answer(run);
}

static void conclude(struct job_run *run)
{
        run->ending = true;
        if (run->job && !run->job->ended_usec)
                run->job->ended_usec = wall_usec();
        if (worker_run(run->daemon->worker, remove_files, files_removed, run) < 0)
                files_removed(run, -ENOMEM);
}

static void set_why(struct job_run *run)
{
        job_unit_set_why(run->job, run->out_of_time,
                         run->fault.kind != FAULT_NONE && !run->canceled ? run->fault.text : NULL);
}

void job_run_fail(struct job_run *run)
{
        if (run->canceled && run->fault.kind == FAULT_NONE)
                (void) fault_set(&run->fault, FAULT_CONFLICT, NULL, "job %s was canceled before it ran", run->id);
        if (run->job) {
                run->job->state = run->canceled ? JOB_STATE_CANCELED : JOB_STATE_FAILED;
                set_why(run);
        }
        conclude(run);
}

void job_run_fail_oom(struct job_run *run)
{
        (void) fault_oom(&run->fault);
        job_run_fail(run);
}

/* --- asking its unit ------------------------------------------------------------------------------------- */

static void output_read(void *arg, const char *lines)
{
        struct job_run *run = arg;
        struct job *job = run->job;

        run->output = NULL;
        run->said = strdup(lines);
        if (run->canceled)
                job->state = JOB_STATE_CANCELED;
        else
                job->state = run->fault.kind == FAULT_NONE ? JOB_STATE_SUCCEEDED : JOB_STATE_FAILED;
        set_why(run);
        conclude(run);
}

static void read_output(struct job_run *run)
{
        run->output = job_output_read(run->daemon, run->job, 0, 0, output_read, run);
        if (!run->output)
                output_read(run, "");
}

/* Whatever we heard or missed on the way, the unit knows how it went. */
static void judge(struct job_run *run, const struct unit_change *unit)
{
        if (streq(unit->load, "not-found")) {
                if (run->fault.kind == FAULT_NONE)
                        (void) fault_set(&run->fault, FAULT_FAILED, NULL, "its unit is gone: how it ended is not known");
        } else if (streq(unit->active, "active")) {
                run->fault = (struct fault){ 0 };
                run->canceled = false; /* too late */
        } else if (run->fault.kind == FAULT_NONE) {
                (void) fault_set(&run->fault, FAULT_FAILED, NULL, "it did not end well");
        }
}

static void unit_told(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (fault && (fault->kind == FAULT_AWAY || run->tries++ < TRIES_MAX)) {
                job_run_later(run, job_run_ask_unit);
                return;
        }
        if (!fault && unit_is_at_work(unit)) { /* somebody did not hear us, or we him */
                run->ending = false;
                run->canceled = run->canceled || run->n_cancelers > 0;
                job_run_later(run, run->canceled ? job_run_stop_unit : job_run_attach);
                return;
        }
        if (!fault) {
                if (!streq(unit->load, "not-found"))
                        run->out_of_time = job_unit_take_end(run->job, unit) && !run->canceled;
                judge(run, unit);
        }
        run->tries = 0;
        read_output(run);
}

void job_run_ask_unit(struct job_run *run)
{
        run->ending = true;
        run->op = systemd_ask(run->daemon->systemd, run->unit, unit_told, run);
        if (!run->op)
                read_output(run);
}

/* --- stopping it ------------------------------------------------------------------------------------------- */

static void unit_stopped(void *arg, const struct task_end *end)
{
        struct job_run *run = arg;

        run->task = NULL;
        if (end->fault && end->fault->kind == FAULT_AWAY)
                job_run_later(run, job_run_stop_unit);
        else
                job_run_ask_unit(run);
}

/* One that has ended well is not stopped, for its unit would go, and with it what it came to. */
static void told_before_stop(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (fault) {
                job_run_later(run, job_run_stop_unit);
        } else if (unit_is_at_work(unit)) {
                run->task = task_stop(run->daemon, run->unit, unit_stopped, run);
                if (!run->task)
                        job_run_ask_unit(run);
        } else {
                run->ending = true;
                unit_told(run, unit, NULL);
        }
}

void job_run_stop_unit(struct job_run *run)
{
        run->op = systemd_ask(run->daemon->systemd, run->unit, told_before_stop, run);
        if (!run->op)
                job_run_ask_unit(run);
}
