/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From the request to the files.  Before the service is written nothing has happened;
 * from then on a next life of geard goes on.  What cannot be done is undone.
 */

#include "api/job-schedule.h"

#include "api/adopt.h"
#include "api/install.h"
#include "api/job-schedule-private.h"
#include "api/job-unit.h"
#include "api/job-watch.h"
#include "core/job-text.h"
#include "sys/job-files.h"
#include "sys/repositories.h"
#include "util/log.h"

#include <stdio.h>

struct schedule_change *schedule_change_new(void)
{
        return calloc(1, sizeof(struct schedule_change));
}

struct schedule_change *schedule_change_free(struct schedule_change *s)
{
        if (!s)
                return NULL;
        if (s->adoption) /* geard goes before it is done */
                adoption_release(s->adoption, true);
        job_reset(&s->draft);
        job_reset(&s->former);
        free(s->spec);
        free(s->former_spec);
        text_reset(&s->service);
        text_reset(&s->timer);
        free(s->former_service);
        free(s->timer_file);
        free(s);
        return NULL;
}

const char *job_schedule_root(const struct job_run *run)
{
        return run->daemon->config->state_directory;
}

/* --- the way back ------------------------------------------------------------------------------------ */

static int put_back_former(const struct job_run *run)
{
        const struct schedule_change *s = run->change;
        _cleanup_text_ struct text timer = { 0 };
        struct fault f;

        if (job_text_timer(&s->former, &timer, &f) < 0)
                return -ENOMEM;
        return job_units_write(job_schedule_root(run), run->id, s->former_service, timer.data);
}

static int put_back_files(void *arg)
{
        const struct job_run *run = arg;
        int r = run->change->exists ? put_back_former(run) : job_units_remove(job_schedule_root(run), run->id);

        return r < 0 ? r : job_env_remove(job_schedule_root(run), run->change->env);
}

/* Of a former one systemd has to learn anew. */
static void files_put_back(void *arg, int r)
{
        struct job_run *run = arg;
        struct schedule_change *s = run->change;
        struct job *job = jobs_find(run->daemon->jobs, run->id);

        s->written = false;
        if (r < 0)
                log_error(LOG_FIELDS("GEARD_JOB", run->id), "what was written for job %s could not be taken back: %s", run->id,
                          strerror(-r));
        if (r < 0 || !s->entered) {
                job_schedule_answer_fault(run);
                return;
        }
        job_take_definition(job, &s->former);
        (void) job_watch_define(run->daemon, job, TAKE(s->former_spec));
        job_schedule_start(run);
}

void job_schedule_fail(struct job_run *run)
{
        const struct schedule_change *s = run->change;

        if (!s->written || (s->exists && !s->former_service)) /* one that was damaged is better off as it is now */
                job_schedule_answer_fault(run);
        else if (s->entered && !s->exists)
                job_schedule_remove(run, job_schedule_answer_fault);
        else if (worker_run(run->daemon->worker, put_back_files, files_put_back, run) < 0)
                files_put_back(run, -ENOMEM);
}

static void fail_oom(struct job_run *run)
{
        (void) fault_oom(&run->fault);
        job_schedule_fail(run);
}

void job_schedule_hurry(struct job_run *run)
{
        if (!run->image)
                return; /* it does not take long any more */
        run->image = image_get_cancel(run->image);
        (void) fault_set(&run->fault, FAULT_CONFLICT, NULL, "job %s was canceled before it was scheduled", run->id);
        job_schedule_fail(run);
}

/* --- the files ------------------------------------------------------------------------------------------ */

static int enter(struct job_run *run)
{
        struct daemon *d = run->daemon;
        struct schedule_change *s = run->change;
        struct job *job = jobs_find(d->jobs, run->id);

        if (job && !job->schedule) {
                jobs_remove(d->jobs, job);
                job = NULL;
        }
        if (!job && !(job = jobs_add(d->jobs, run->id)))
                return -ENOMEM;
        job_take_definition(job, &s->draft);
        job->state = s->exists ? job->state : JOB_STATE_SCHEDULED;
        s->entered = true;
        return job_watch_define(d, job, TAKE(s->spec));
}

static int write_files(void *arg)
{
        struct job_run *run = arg;
        const struct schedule_change *s = run->change;
        int r = job_env_write(job_schedule_root(run), s->env, &run->spec.spec.env);

        return r < 0 ? r : job_units_write(job_schedule_root(run), run->id, s->service.data, s->timer.data);
}

static void written(void *arg, int r)
{
        struct job_run *run = arg;

        if (r < 0) {
                (void) fault_errno(&run->fault, r, "cannot write the units of job %s", run->id);
                job_schedule_fail(run);
        } else if (enter(run) < 0) {
                fail_oom(run);
        } else {
                job_schedule_start(run);
        }
}

static int keep_former(struct schedule_change *s, const struct job *former)
{
        const char *spec = s->exists ? job_watch_spec(former) : NULL;

        s->paused = s->exists && !job_watch_is_due(former);
        s->former_spec = spec ? strdup(spec) : NULL;
        return (spec && !s->former_spec) || (s->exists && job_copy(former, &s->former) < 0) ? -ENOMEM : 0;
}

/* A job that is changed is as old as it was. */
static int draft(struct job_run *run)
{
        struct text spec = { 0 };
        const struct job *former = jobs_find(run->daemon->jobs, run->id);
        struct schedule_change *s = run->change;
        struct job *job = &s->draft;

        job->id = strdup(run->id);
        job->image = strdup(run->spec.spec.image);
        job->user = strdup(run->user);
        job->schedule = TAKE(run->spec.schedule);
        job->created_usec = s->exists && former->created_usec ? former->created_usec : wall_usec();
        job->defined_usec = s->adoption ? former->defined_usec : wall_usec();
        job->timeout_usec = run->spec.timeout_usec;
        job->retries = run->spec.retries;
        job->memory_max = run->spec.spec.memory;
        (void) snprintf(job->request_id, sizeof job->request_id, "%s", run->request_id);
        spec_to_json(&run->spec.spec, &spec);
        s->spec = text_take(&spec);
        if (!job->id || !job->image || !job->user || !s->spec || keep_former(s, former) < 0)
                return fault_oom(&run->fault);
        job_env_name(job, s->env);
        return job_unit_files(run->daemon, job, &run->spec.spec, &s->service, &s->timer, &run->fault);
}

static void write_down(struct job_run *run)
{
        if (draft(run) < 0) {
                job_schedule_fail(run);
                return;
        }
        run->change->written = true;
        if (worker_run(run->daemon->worker, write_files, written, run) < 0) {
                run->change->written = false;
                fail_oom(run);
        }
}

/* --- what it needs -------------------------------------------------------------------------------------- */

static void former_forgotten(void *arg, const struct task_end *end)
{
        struct job_run *run = arg;

        run->task = NULL;
        if (end->fault) {
                run->fault = *end->fault;
                job_schedule_fail(run);
        } else {
                write_down(run);
        }
}

/* The unit of one that ran once, or a stranger's, would hide ours. */
static void forget_former(struct job_run *run)
{
        if (run->change->exists) {
                write_down(run);
                return;
        }
        task_keep_no_longer(run->daemon, run->unit);
        run->task = task_forget(run->daemon, run->unit, former_forgotten, run);
        if (!run->task)
                fail_oom(run);
}

static void progress(void *arg, const char *line)
{
        struct job_run *run = arg;

        if (run->request)
                request_progress(run->request, line);
}

static void image_got(void *arg, const struct docker_image *image _unused_, const struct fault *fault)
{
        struct job_run *run = arg;

        run->image = NULL;
        if (fault && run->change->adoption) { /* each run will say so, until it is there */
                log_error(LOG_FIELDS("GEARD_JOB", run->id), "the image of job %s is not here: %s", run->id, fault->text);
                forget_former(run);
        } else if (fault) {
                run->fault = *fault;
                job_schedule_fail(run);
        } else {
                forget_former(run);
        }
}

void job_schedule_get_image(struct job_run *run)
{
        run->image = image_get_start(run->daemon, &run->spec.spec,
                                     &(struct image_get_hooks){ .progress = progress, .done = image_got, .arg = run });
        if (!run->image)
                fail_oom(run);
}

enum { IS_REPOSITORY = 1, IS_STRANGERS };

/* A body without an environment says nothing about it: it stays. */
static int compare_env(struct job_run *run, const char *env)
{
        struct spec *spec = &run->spec.spec;
        struct environ now = { 0 };
        int r = job_env_read(job_schedule_root(run), env, &now);

        if (r < 0 && r != -ENOENT && !spec->env_given)
                return r;
        run->change->same = run->change->same && r == 0;
        if (spec->env_given) {
                run->change->same = run->change->same && environ_equal(&now, &spec->env);
                environ_reset(&now);
        } else {
                spec->env = now;
        }
        return 0;
}

/* One that cannot be read is replaced by anything. */
static int compare(struct job_run *run)
{
        struct schedule_change *s = run->change;
        _cleanup_text_ struct text wanted = { 0 };
        _cleanup_free_ char *spec = NULL, *service = NULL;
        char env[JOB_ENV_MAX];
        struct job former = { 0 };
        struct fault f;
        int r;

        r = job_units_read(job_schedule_root(run), run->id, &service);
        if (r < 0 && r != -ENOENT && r != -EBADMSG)
                return r;
        if (r < 0 || job_text_read(service, &former, &spec, &f) < 0)
                return 0;
        spec_to_json(&run->spec.spec, &wanted);
        s->same = text_ok(&wanted) && streq(wanted.data, spec) && streq(former.schedule, run->spec.schedule) &&
                  former.timeout_usec == run->spec.timeout_usec && former.retries == run->spec.retries;
        job_env_name(&former, env);
        s->former_service = TAKE(service);
        job_reset(&former);
        return compare_env(run, env);
}

static int prepare(void *arg)
{
        struct job_run *run = arg;
        int r;

        if (run->change->exists)
                return compare(run);
        r = repository_exists(job_schedule_root(run), run->id);
        if (r != 0)
                return r > 0 ? IS_REPOSITORY : r;
        /* Of one of ours that is gone systemd may still know. */
        return run->change->timer_file && access(run->change->timer_file, F_OK) == 0 ? IS_STRANGERS : 0;
}

static void prepared(void *arg, int r)
{
        struct job_run *run = arg;
        const struct schedule_change *s = run->change;

        if (r == IS_REPOSITORY) {
                (void) fault_set(&run->fault, FAULT_CONFLICT, "id", "%s is held by the repository %s", run->unit, run->id);
        } else if (r == IS_STRANGERS) {
                (void) fault_set(&run->fault, FAULT_CONFLICT, "id", "there is a job-%s.timer already, and it is no job of geard's",
                                 run->id);
        } else if (r < 0) {
                (void) fault_errno(&run->fault, r, "cannot read what job %s is now", run->id);
        } else if (s->same && s->enabled) {
                job_schedule_tell(run);
                return;
        } else if (s->exists && !s->same && !run->spec.spec.replace) {
                (void) fault_set(&run->fault, FAULT_CONFLICT, "replace",
                                 "job %s is scheduled with another definition; \"replace\": true puts this one in its place",
                                 run->id);
        } else if (install_claim(run->daemon, &run->spec.spec, false, &run->fault) == 0) {
                run->change->same = false;
                job_schedule_get_image(run);
                return;
        }
        job_schedule_fail(run);
}

static void timer_told(void *arg, const struct unit_change *timer, const struct fault *fault)
{
        struct job_run *run = arg;
        const char *file = timer && timer->fragment && *timer->fragment ? timer->fragment : NULL;

        run->op = NULL;
        run->change->timer_file = file ? strdup(file) : NULL;
        run->change->enabled = timer && timer->file_state && streq(timer->file_state, "enabled");
        if (fault)
                run->fault = *fault;
        else if ((file && !run->change->timer_file) || worker_run(run->daemon->worker, prepare, prepared, run) < 0)
                (void) fault_oom(&run->fault);
        else
                return;
        job_schedule_fail(run);
}

static void ask_timer(struct job_run *run)
{
        char timer[UNIT_NAME_MAX];

        job_timer_name(run->id, timer);
        run->op = systemd_ask(run->daemon->systemd, timer, timer_told, run);
        if (!run->op)
                fail_oom(run);
}

static void calendar_checked(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;

        run->op = NULL;
        if (fault && fault->kind == FAULT_INVALID)
                (void) fault_set(&run->fault, FAULT_INVALID, "schedule", "schedule: %s", fault->text);
        else if (fault)
                run->fault = *fault;
        if (fault)
                job_schedule_fail(run);
        else
                ask_timer(run);
}

void job_schedule_begin(struct job_run *run)
{
        const struct job *job = jobs_find(run->daemon->jobs, run->id);

        run->change = schedule_change_new();
        if (!run->change) {
                (void) fault_oom(&run->fault);
                job_schedule_answer_fault(run);
                return;
        }
        run->change->exists = job && job->schedule;
        run->op = systemd_check_calendar(run->daemon->systemd, run->spec.schedule, calendar_checked, run);
        if (!run->op)
                fail_oom(run);
}
