/* SPDX-License-Identifier: Apache-2.0 */

/* Jobs that an earlier life accepted or began. */

#include "api/job-run-private.h"

#include "api/answer.h"
#include "api/job-schedule.h"
#include "api/job-unit.h"
#include "sys/database-jobs.h"
#include "sys/job-files.h"
#include "util/log.h"

#include <stdio.h>

static struct job_run *take_job(struct daemon *d, struct request *request, struct job *job)
{
        struct job_run *run = job_run_new(d, request, job->id);

        if (!run)
                return NULL;
        run->job = job;
        job->run = run;
        run->recalled = run->waits = true;
        run->spec.timeout_usec = job->timeout_usec;
        run->spec.retries = job->retries;
        return run;
}

static void said_found(void *arg, const char *spec _unused_, const char *output, const struct fault *fault _unused_)
{
        struct job_run *run = arg;

        run->said = output ? strdup(output) : NULL;
        job_run_answer(run);
}

/* It had ended, and only its request had not. */
static void answer_ended(struct daemon *d, struct request *request, struct job *job)
{
        struct job_run *run = take_job(d, request, job);

        if (!run)
                return;
        run->waits = false;
        run->ending = true;
        run->started = job->exit_code != 0;
        run->canceled = job->state == JOB_STATE_CANCELED;
        run->out_of_time = job->why && starts_with(job->why, JOB_TOO_LONG);
        if (!run->started)
                (void) fault_set(&run->fault, FAULT_FAILED, NULL, "%s", job->why ? job->why : "it is not known how it ended");
        if (!database_find_job(d->database, job->id, said_found, run))
                job_run_answer(run);
}

/* Its units are there: whether systemd knows them is found out by telling it again. */
static void take_schedule(struct daemon *d, struct request *request, const struct job *job)
{
        struct job_run *run = job_run_new(d, request, job->id);
        struct fault f;

        if (!run)
                return;
        run->recalled = run->waits = true;
        run->change = schedule_change_new();
        if (run->change)
                return;
        run->request = NULL;
        job_run_free(run);
        (void) fault_oom(&f);
        change_fail(d, request, &f);
}

void job_recall(struct daemon *d, struct request *request, const char *id, const char *verb)
{
        struct job *job = jobs_find(d->jobs, id);
        struct fault f;

        if (!streq(verb, JOB_RUN)) {
                job_cancel_recalled(d, request, id);
        } else if (!job || job->run || !streq(job->request_id, request_id(request))) {
                (void) fault_set(&f, FAULT_AWAY, NULL, "geard ended before job %s was begun: ask again", id);
                f.retry_after = 1;
                change_fail(d, request, &f);
        } else if (job->schedule) {
                take_schedule(d, request, job);
        } else if (job_state_is_final(job->state)) {
                answer_ended(d, request, job);
        } else {
                (void) take_job(d, request, job);
        }
}

void jobs_recall_rest(struct daemon *d)
{
        for (size_t i = 0; i < jobs_count(d->jobs); i++) {
                struct job *job = jobs_at(d->jobs, i);

                if (!job_state_is_final(job->state) && !job->run && job->state != JOB_STATE_SCHEDULED && !job->schedule)
                        (void) take_job(d, NULL, job);
        }
        jobs_forget_oldest(d);
}

/* --- going on ---------------------------------------------------------------------------------------- */

/* Its environment is where it was. */
static void spec_found(void *arg, const char *spec, const char *output _unused_, const struct fault *fault)
{
        struct job_run *run = arg;
        _cleanup_(json_freep) struct json *json = NULL;
        int r = fault || !spec ? -EINVAL : 0;

        if (fault)
                run->fault = *fault;
        else if (!spec)
                (void) fault_set(&run->fault, FAULT_INTERNAL, NULL, "what job %s was to run is not known any more", run->id);
        if (r == 0 && !(json = json_parse(spec, strlen(spec), "spec", &run->fault)))
                r = -EINVAL;
        if (r == 0)
                r = spec_from_json(json, NULL, &run->spec.spec, &run->fault);
        if (r < 0 || run->canceled)
                job_run_fail(run);
        else
                job_run_queue(run);
}

static void take_up(struct job_run *run)
{
        run->waits = false;
        if (run->change)
                job_schedule_go_on(run);
        else if (run->job->state == JOB_STATE_RUNNING)
                job_run_attach(run);
        else if (!database_find_job(run->daemon->database, run->id, spec_found, run))
                job_run_fail_oom(run);
}

/* For one that is to run the engine is waited for, however long that takes. */
static bool may_take_up(const struct job_run *run)
{
        const struct daemon *d = run->daemon;

        return d->systemd_synced && (run->change || run->canceled || run->job->state == JOB_STATE_RUNNING || d->engine_synced);
}

bool jobs_look(struct daemon *d)
{
        struct job_run *run, *next;
        bool some = false;

        for (run = TAILQ_FIRST(&d->job_runs); run; run = next) {
                next = TAILQ_NEXT(run, link);
                if (run->waits && may_take_up(run))
                        take_up(run);
                else
                        some = some || run->waits;
        }
        return some;
}

/* --- what nobody needs any more ------------------------------------------------------------------------ */

struct job_sweep {
        struct daemon *daemon;
        char **found;
};

static void sweep_free(struct job_sweep *s)
{
        if (!s)
                return;
        s->daemon->sweep_of_jobs = NULL;
        (void) strv_free(s->found);
        free(s);
}

static int add_found(void *arg, const char *name)
{
        struct job_sweep *s = arg;

        return strv_add(&s->found, name);
}

static int look_for_files(void *arg)
{
        struct job_sweep *s = arg;

        return job_env_each(s->daemon->config->state_directory, add_found, s);
}

static int remove_found(void *arg)
{
        const struct job_sweep *s = arg;
        int r = 0;

        for (char **name = s->found; name && *name && r == 0; name++)
                if (**name)
                        r = job_env_remove(s->daemon->config->state_directory, *name);
        return r;
}

static void found_removed(void *arg, int r)
{
        if (r < 0)
                log_warning(NO_FIELDS, "environments of former jobs stay for now: %s", strerror(-r));
        sweep_free(arg);
}

/* By whom it would be read, it is not known: then it stays. */
static bool is_needed(const struct daemon *d, const char *name)
{
        char id[JOB_ENV_MAX], env[JOB_ENV_MAX];
        const struct job *job;

        (void) snprintf(id, sizeof id, "%.*s", (int) strcspn(name, (const char[]){ JOB_ENV_MARK, '\0' }), name);
        if (job_run_find(d, id) || (!d->schedules_known && !streq(id, name)))
                return true;
        job = jobs_find(d->jobs, id);
        if (!job || !job->schedule)
                return false;
        job_env_name(job, env);
        return job->damage || job->state == JOB_STATE_RUNNING || streq(name, env);
}

static void looked_for_files(void *arg, int r)
{
        struct job_sweep *s = arg;

        for (char **name = s->found; name && *name; name++)
                if (is_needed(s->daemon, *name))
                        **name = '\0';
        if (r < 0 || !s->found || worker_run(s->daemon->worker, remove_found, found_removed, s) < 0)
                found_removed(s, r);
}

void jobs_sweep(struct daemon *d)
{
        struct job_sweep *s = calloc(1, sizeof *s);

        if (!s)
                return;
        s->daemon = d;
        d->sweep_of_jobs = s;
        if (worker_run(d->worker, look_for_files, looked_for_files, s) < 0)
                sweep_free(s);
}

void job_runs_free(struct daemon *d)
{
        sweep_free(d->sweep_of_jobs);
        while (!TAILQ_EMPTY(&d->job_runs))
                job_run_free(TAILQ_FIRST(&d->job_runs));
}
