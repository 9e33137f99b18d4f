/* SPDX-License-Identifier: Apache-2.0 */

/* Scheduled jobs of an earlier life: their units are what counts, their rows say how they went. */

#include "api/job-watch-private.h"
#include "core/job-text.h"
#include "sys/database-jobs.h"
#include "sys/job-files.h"
#include "util/log.h"

#include <stdio.h>

/* --- units ---------------------------------------------------------------------------------------- */

/* Without its record it cannot be told what it runs; it is run all the same, and so it is shown. */
static int note_damage(struct job *job, const char *why)
{
        job->schedule = strdup("");
        job->image = strdup("");
        job->damage = strdup(why);
        job->state = JOB_STATE_SCHEDULED;
        log_error(LOG_FIELDS("GEARD_JOB", job->id), "job %s: its unit file cannot be read: %s", job->id, why);
        return job->schedule && job->image && job->damage ? 0 : -ENOMEM;
}

/* An earlier life may have written another one, and ended before it came to the service. */
static void check_timer(const struct daemon *d, const struct job *job)
{
        _cleanup_text_ struct text timer = { 0 };
        struct fault f;
        int r = job_text_timer(job, &timer, &f);

        if (r == 0)
                r = job_units_write_timer(d->config->state_directory, job->id, timer.data);
        if (r < 0)
                log_error(LOG_FIELDS("GEARD_JOB", job->id), "the timer of job %s cannot be written: %s", job->id, strerror(-r));
}

static int read_units(struct daemon *d, struct job *job, char **ret_spec)
{
        _cleanup_free_ char *service = NULL;
        struct job record = { 0 };
        struct fault f;
        int r = job_units_read(d->config->state_directory, job->id, &service);

        if (r < 0)
                return note_damage(job, r == -EBADMSG ? "it is no text" : strerror(-r));
        if (job_text_read(service, &record, ret_spec, &f) < 0)
                return note_damage(job, f.text);
        if (streq(record.id, job->id)) {
                jobs_take(job, &record);
                check_timer(d, job);
                return 0;
        }
        job_reset(&record);
        return note_damage(job, "it is another job's");
}

static int scan_job(void *arg, const char *id)
{
        struct daemon *d = arg;
        struct job *job = jobs_add(d->jobs, id);
        _cleanup_free_ char *spec = NULL;

        if (!job)
                return -ENOMEM;
        if (read_units(d, job, &spec) < 0 || job_watch_define(d, job, TAKE(spec)) < 0) {
                jobs_remove(d->jobs, job);
                return -ENOMEM;
        }
        ((struct job_watch *) job->watch)->known = false;
        return 0;
}

void job_watch_scan(struct daemon *d)
{
        int r = job_units_each(d->config->state_directory, scan_job, d);

        d->schedules_known = r == 0;
        if (r < 0)
                log_error(NO_FIELDS, "not all scheduled jobs in %s/units are known: %s", d->config->state_directory,
                          strerror(-r));
}

/* --- rows --------------------------------------------------------------------------------------------- */

/* A row of one that ran once is that of a former job. */
void job_watch_take_row(struct job *job, struct job *row)
{
        struct job_watch *w = job->watch;

        w->row_is_formers = row->state != JOB_STATE_SCHEDULED;
        if (w->row_is_formers)
                return;
        w->row_is_there = streq(row->request_id, job->request_id);
        if (job->state != JOB_STATE_RUNNING && !job->ended_usec && !w->ending) /* else the database was late */
                job_take_run(job, row);
}

static void row_written(void *arg _unused_, const struct fault *fault)
{
        if (fault)
                log_error(NO_FIELDS, "the row of a scheduled job comes with the next start: %s", fault->text);
}

void job_watch_settle_rows(struct daemon *d)
{
        for (size_t i = jobs_count(d->jobs); i-- > 0;) {
                struct job *job = jobs_at(d->jobs, i);
                struct job_watch *w = job->watch;

                if (!w && job->state == JOB_STATE_SCHEDULED && d->schedules_known) { /* its units are gone */
                        (void) database_remove_job(d->database, job->id, NULL, NULL);
                        jobs_remove(d->jobs, job);
                } else if (w && w->spec && !w->row_is_there) {
                        (void) database_put_job(d->database, job, w->spec, w->row_is_formers ? "" : NULL, row_written, NULL);
                }
        }
}
