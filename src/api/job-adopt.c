/* SPDX-License-Identifier: Apache-2.0 */

#include "api/job-adopt.h"

#include "api/job-schedule-private.h"
#include "api/job-schedule.h"
#include "api/recover.h"
#include "core/job-text.h"
#include "sys/job-files.h"
#include "util/log.h"

#include <stdio.h>

/* --- from another host --------------------------------------------------------------------------- */

static int read_files(void *arg)
{
        struct job_run *run = arg;
        _cleanup_free_ char *service = NULL, *spec = NULL;
        _cleanup_(json_freep) struct json *json = NULL;
        struct job job = { 0 };
        char env[JOB_ENV_MAX];
        int r = job_units_read(job_schedule_root(run), run->id, &service);

        if (r < 0)
                return fault_errno(&run->fault, r, "cannot read its unit");
        if (job_text_read(service, &job, &spec, &run->fault) < 0)
                return -EINVAL;
        job_env_name(&job, env);
        run->spec.schedule = TAKE(job.schedule);
        run->spec.timeout_usec = job.timeout_usec;
        run->spec.retries = job.retries;
        (void) snprintf(run->user, sizeof run->user, "%s", job.user);
        (void) snprintf(run->request_id, sizeof run->request_id, "%s", job.request_id);
        json = json_parse(spec, strlen(spec), "spec", &run->fault);
        r = json ? spec_from_json(json, NULL, &run->spec.spec, &run->fault) : -EINVAL;
        job_reset(&job);
        if (r < 0)
                return r;
        r = job_env_read(job_schedule_root(run), env, &run->spec.spec.env);
        return r < 0 ? fault_errno(&run->fault, r, "cannot read its environment") : 0;
}

static void files_read(void *arg, int r)
{
        struct job_run *run = arg;

        if (r < 0)
                job_schedule_answer_fault(run);
        else
                job_schedule_get_image(run);
}

static void adopt(struct daemon *d, const struct job *job, struct adoption *adoption)
{
        struct job_run *run = job_run_find(d, job->id) ? NULL : job_run_new(d, NULL, job->id);

        adoption_hold(adoption);
        if (run && (run->change = schedule_change_new())) {
                log_notice(LOG_FIELDS("GEARD_JOB", job->id), "job %s came from another host: making it at home here", job->id);
                run->change->exists = true;
                run->change->adoption = adoption;
                if (worker_run(d->worker, read_files, files_read, run) < 0)
                        job_run_free(run);
                return;
        }
        if (run)
                job_run_free(run);
        adoption_release(adoption, true);
}

/* --- links ------------------------------------------------------------------------------------------- */

static void reloaded(void *arg _unused_, const struct fault *fault)
{
        if (fault)
                log_error(NO_FIELDS, "systemd does not read the units of jobs anew: %s", fault->text);
}

static void compared(void *arg, bool stale, const struct fault *fault)
{
        struct daemon *d = arg;

        if (!fault && stale)
                (void) systemd_reload(d->systemd, reloaded, NULL);
}

/* An earlier life may have ended before it told systemd of what it wrote, or put back. */
static void look_after(struct daemon *d, const char *unit)
{
        char path[4096];

        job_units_path(d->config->state_directory, unit, path, sizeof path);
        recover_link(d, unit, path);
        (void) systemd_needs_reload(d->systemd, unit, compared, d);
}

void job_adopt_all(struct daemon *d, struct adoption *adoption)
{
        char unit[UNIT_NAME_MAX];

        for (size_t i = 0; i < jobs_count(d->jobs); i++) {
                const struct job *job = jobs_at(d->jobs, i);

                if (!job->schedule)
                        continue;
                if (adoption && !job->damage)
                        adopt(d, job, adoption);
                if (adoption || job_run_find(d, job->id))
                        continue;
                job_unit_name(job->id, unit);
                look_after(d, unit);
                job_timer_name(job->id, unit);
                look_after(d, unit);
        }
}
