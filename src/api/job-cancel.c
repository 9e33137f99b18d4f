/* SPDX-License-Identifier: Apache-2.0 */

/* DELETE of a job: one that waits or runs comes to its end, one that has ended is forgotten. */

#include "api/job-run-private.h"

#include "api/answer.h"
#include "api/errand.h"
#include "api/job-schedule.h"
#include "sys/database-jobs.h"

#include <stdio.h>

#define FORGOTTEN_AT_ONCE 100 /* so that nobody waits for it */

/* --- one that is under way --------------------------------------------------------------------------- */

int job_run_join(struct job_run *run, struct request *request)
{
        struct request **all = reallocarray(run->cancelers, run->n_cancelers + 1, sizeof(struct request *));

        if (!all)
                return -ENOMEM;
        run->cancelers = all;
        run->cancelers[run->n_cancelers++] = request;
        return 0;
}

/* What waits for the disk or for systemd ends soon by itself, and then looks. */
static void hurry(struct job_run *run)
{
        if (run->canceled || run->ending)
                return;
        if (run->change) {
                job_schedule_hurry(run);
                return;
        }
        run->canceled = true;
        if (run->task && run->started) {
                run->task = task_leave(run->task);
                job_run_stop_unit(run);
        } else if (run->image) {
                run->image = image_get_cancel(run->image);
                job_run_fail(run);
        } else if (run->slot && !slot_has_come(run->slot)) {
                run->slot = slot_free(run->slot);
                job_run_fail(run);
        }
}

/* --- one that has ended ------------------------------------------------------------------------------- */

struct forgetting {
        struct daemon *daemon;
        struct request *request;
        char id[GEAR_ID_MAX + 1];
};

void job_cancel_answer(struct daemon *d, struct request *request, const char *id, const char *what)
{
        struct outcome outcome;
        char text[GEAR_ID_MAX + 64];

        (void) snprintf(text, sizeof text, "Job %s %s\n", id, what);
        outcome_of(&outcome, 204, text, NULL);
        change_end(d, request, &outcome);
        outcome_reset(&outcome);
}

static void row_removed(void *arg, const struct fault *fault)
{
        _cleanup_free_ struct forgetting *forgetting = arg;

        if (fault)
                change_fail(forgetting->daemon, forgetting->request, fault);
        else
                job_cancel_answer(forgetting->daemon, forgetting->request, forgetting->id, "is forgotten");
}

static void forget(struct daemon *d, struct request *request, struct job *job)
{
        struct forgetting *forgetting = calloc(1, sizeof *forgetting);
        struct fault f;

        if (forgetting) {
                forgetting->daemon = d;
                forgetting->request = request;
                (void) snprintf(forgetting->id, sizeof forgetting->id, "%s", job->id);
                if (database_remove_job(d->database, job->id, row_removed, forgetting)) {
                        jobs_remove(d->jobs, job);
                        return;
                }
                free(forgetting);
        }
        (void) fault_oom(&f);
        change_fail(d, request, &f);
}

static void forget_more(void *arg)
{
        jobs_forget_oldest(arg);
}

void jobs_forget_oldest(struct daemon *d)
{
        struct job *oldest[FORGOTTEN_AT_ONCE];
        /* Some may have left their requests to the next life, which has to find them. */
        size_t n = d->draining ? 0 : jobs_too_old(d->jobs, oldest, FORGOTTEN_AT_ONCE);

        for (size_t i = 0; i < n; i++) {
                (void) database_remove_job(d->database, oldest[i]->id, NULL, NULL);
                jobs_remove(d->jobs, oldest[i]);
        }
        if (n == FORGOTTEN_AT_ONCE)
                (void) loop_defer(d->loop, forget_more, d);
}

void job_cancel(struct daemon *d, struct request *request, const char *id)
{
        struct job_run *run = job_run_find(d, id);
        struct job *job = jobs_find(d->jobs, id);
        struct fault f;

        if (run && job_run_join(run, request) == 0) {
                hurry(run);
        } else if (run) {
                (void) fault_oom(&f);
                change_fail(d, request, &f);
        } else if (job && job->schedule) {
                job_unschedule(d, request, id);
        } else if (job && !job_state_is_final(job->state)) { /* there was no memory to take it up */
                (void) fault_set(&f, FAULT_AWAY, NULL, "geard has lost job %s out of sight: its next start looks for it", id);
                change_fail(d, request, &f);
        } else if (job) {
                forget(d, request, job);
        } else if (errand_is_at_work(d, id)) {
                (void) fault_set(&f, FAULT_CONFLICT, "id", "job-%s.service is at work on repository %s, whose DELETE ends it", id, id);
                change_fail(d, request, &f);
        } else {
                job_cancel_answer(d, request, id, "is not there");
        }
}

/* What it was to cancel is not to be forgotten for that. */
void job_cancel_recalled(struct daemon *d, struct request *request, const char *id)
{
        const struct job *job = jobs_find(d->jobs, id);

        if (job && job->state == JOB_STATE_CANCELED)
                job_cancel_answer(d, request, id, "is canceled");
        else
                job_cancel(d, request, id);
}
