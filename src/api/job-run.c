/* SPDX-License-Identifier: Apache-2.0 */

#include "api/job-run-private.h"

#include "api/errand.h"
#include "api/index.h"
#include "api/install.h"
#include "api/job-schedule.h"
#include "api/job-unit.h"
#include "sys/database-jobs.h"
#include "sys/job-files.h"
#include "sys/repositories.h"

#include <stdio.h>

#define RETRY_AFTER_SEC 10
#define AGAIN_USEC USEC_PER_SEC

struct job_run *job_run_find(const struct daemon *d, const char *id)
{
        struct job_run *run;

        TAILQ_FOREACH(run, &d->job_runs, link)
        if (streq(run->id, id))
                return run;
        return NULL;
}

void job_run_free(struct job_run *run)
{
        TAILQ_REMOVE(&run->daemon->job_runs, run, link);
        if (run->job)
                run->job->run = NULL;
        (void) image_get_cancel(run->image);
        (void) task_leave(run->task);
        (void) systemd_cancel(run->op);
        (void) job_output_cancel(run->output);
        (void) timer_free(run->timer);
        (void) slot_free(run->slot);
        job_spec_reset(&run->spec);
        run->change = schedule_change_free(run->change);
        free(run->cancelers);
        free(run->said);
        free(run);
}

static void later_comes(void *arg)
{
        struct job_run *run = arg;

        run->later(run);
}

struct job_run *job_run_new(struct daemon *d, struct request *request, const char *id)
{
        struct job_run *run = calloc(1, sizeof *run);
        struct fault f;

        if (!run || !(run->timer = timer_new(d->loop, later_comes, run))) {
                free(run);
                (void) fault_oom(&f);
                if (request)
                        change_fail(d, request, &f);
                return NULL;
        }
        run->daemon = d;
        run->request = request;
        (void) snprintf(run->id, sizeof run->id, "%s", id);
        (void) snprintf(run->request_id, sizeof run->request_id, "%s", request ? request_id(request) : "");
        (void) snprintf(run->principal, sizeof run->principal, "%s", request ? request_principal(request) : "");
        job_unit_name(id, run->unit);
        TAILQ_INSERT_TAIL(&d->job_runs, run, link);
        return run;
}

void job_run_later(struct job_run *run, void (*step)(struct job_run *run))
{
        run->later = step;
        timer_set(run->timer, AGAIN_USEC);
}

static void progress(void *arg, const char *line)
{
        struct job_run *run = arg;

        if (run->request)
                request_progress(run->request, line);
}

/* --- its unit ------------------------------------------------------------------------------------- */

/* It was to run: said by its row, or asked of a systemd that went away. */
static void explain_missing(struct job_run *run)
{
        if (run->recalled) {
                (void) fault_set(&run->fault, FAULT_FAILED, NULL,
                                 "geard or this host went down when it began, or as it ran: how it ended is not known");
                return;
        }
        (void) fault_set(&run->fault, FAULT_AWAY, NULL, "systemd went away before job %s was started: ask again", run->id);
        run->fault.retry_after = RETRY_AFTER_SEC;
}

static void unit_ended(void *arg, const struct task_end *end)
{
        struct job_run *run = arg;
        const struct fault *fault = end->fault;

        run->task = NULL;
        if (fault)
                run->fault = *fault;
        if (fault && fault->kind == FAULT_CONFLICT) {
                run->started = false;
                job_run_fail(run);
        } else if (end->by_hand) {
                run->canceled = true;
                job_run_stop_unit(run);
        } else if (fault && fault->kind == FAULT_MISSING) {
                run->started = false;
                explain_missing(run);
                job_run_fail(run);
        } else if (fault && fault->kind == FAULT_AWAY) { /* whether it runs only systemd can tell */
                job_run_later(run, job_run_attach);
        } else {
                job_run_ask_unit(run);
        }
}

static void watch_unit(struct job_run *run, const struct job_unit *unit)
{
        run->started = true;
        run->task = task_start(run->daemon,
                               &(struct task_options){ .unit = run->unit,
                                                       .settings = unit ? unit->settings : NULL,
                                                       .n_settings = unit ? unit->n : 0,
                                                       .request = run->request,
                                                       .to_the_last_line = true },
                               unit_ended, run);
        if (!run->task)
                job_run_fail_oom(run);
}

static void start_unit(struct job_run *run)
{
        const struct job_unit_options options = { .job = run->job, .spec = &run->spec.spec };
        struct job_unit unit = { .n = 0 };

        if (run->canceled || install_claim(run->daemon, &run->spec.spec, true, &run->fault) < 0 ||
            job_unit_init(&unit, run->daemon, &options, &run->fault) < 0)
                job_run_fail(run);
        else
                watch_unit(run, &unit);
        job_unit_reset(&unit);
}

void job_run_attach(struct job_run *run)
{
        run->started = true;
        run->fault = (struct fault){ 0 };
        if (!run->slot &&
            slot_take(run->daemon->slots, run->principal, &run->slot) < 0)
                job_run_fail_oom(run);
        else if (run->canceled)
                job_run_stop_unit(run);
        else
                watch_unit(run, NULL);
}

/* --- its turn --------------------------------------------------------------------------------------- */

static bool write_row(struct job_run *run, database_written *done)
{
        _cleanup_text_ struct text spec = { 0 };

        spec_to_json(&run->spec.spec, &spec);
        return text_ok(&spec) &&
               database_put_job(run->daemon->database, run->job, spec.data, "", done, done ? run : NULL);
}

/* From here on nobody can tell whether it ran, but by its unit. */
static void begun(void *arg, const struct fault *fault)
{
        struct job_run *run = arg;

        if (fault) {
                run->fault = *fault;
                job_run_fail(run);
                return;
        }
        progress(run, "Running");
        start_unit(run);
}

/* There is no unit of the name any more: one that is found from here on is this job's. */
static void former_forgotten(void *arg, const struct task_end *end)
{
        struct job_run *run = arg;

        run->task = NULL;
        if (run->daemon->draining)
                return;
        if (end->fault)
                run->fault = *end->fault;
        if (end->fault || run->canceled) {
                job_run_fail(run);
                return;
        }
        run->job->state = JOB_STATE_RUNNING;
        run->job->started_usec = wall_usec();
        if (!write_row(run, begun))
                job_run_fail_oom(run);
}

static void image_got(void *arg, const struct docker_image *image _unused_, const struct fault *fault)
{
        struct job_run *run = arg;

        run->image = NULL;
        if (run->daemon->draining)
                return;
        if (fault) {
                run->fault = *fault;
                job_run_fail(run);
                return;
        }
        task_keep_no_longer(run->daemon, run->unit);
        run->task = task_forget(run->daemon, run->unit, former_forgotten, run);
        if (!run->task)
                job_run_fail_oom(run);
}

static void turn_comes(void *arg)
{
        struct job_run *run = arg;

        if (run->daemon->draining) /* its row says that it waits: the next life runs it */
                return;
        if (run->canceled) {
                job_run_fail(run);
                return;
        }
        run->image = image_get_start(run->daemon, &run->spec.spec,
                                     &(struct image_get_hooks){ .progress = progress, .done = image_got, .arg = run });
        if (!run->image)
                job_run_fail_oom(run);
}

/* False: it failed. */
static bool take_place(struct job_run *run)
{
        struct slots *slots = run->daemon->slots;
        int r = slot_new(slots, run->principal, turn_comes, run, &run->slot);

        if (r == -EBUSY) {
                (void) fault_set(&run->fault, FAULT_BUSY, NULL,
                                 "%zu jobs run and %zu wait for their turn already (JobsMax=, JobsWaiting=)",
                                 slots_running(slots), slots_waiting(slots));
                run->fault.retry_after = RETRY_AFTER_SEC;
                job_run_fail(run);
        } else if (r < 0) {
                job_run_fail_oom(run);
        }
        return r == 0;
}

/* Its turn comes later, from the loop. */
static void await_turn(struct job_run *run)
{
        if (!slot_has_come(run->slot))
                progress(run, "Waiting for other jobs to end");
        (void) write_row(run, NULL); /* at worst it is not run when we end before its turn */
}

void job_run_queue(struct job_run *run)
{
        if (slot_queue(run->daemon->slots, run->principal, turn_comes, run, &run->slot) < 0)
                job_run_fail_oom(run);
}

/* --- its beginning ------------------------------------------------------------------------------------ */

enum { IS_REPOSITORY = 1 };

static int prepare(void *arg)
{
        const struct job_run *run = arg;
        const char *root = run->daemon->config->state_directory;
        int r = repository_exists(root, run->id);

        if (r != 0)
                return r < 0 ? r : IS_REPOSITORY;
        return job_env_write(root, run->id, &run->spec.spec.env);
}

/* Another one of its id has ended, and is heard of no more. */
static int enter(struct job_run *run)
{
        struct daemon *d = run->daemon;
        _cleanup_free_ char *image = strdup(run->spec.spec.image), *user = strdup(run->user);
        struct job *former = jobs_find(d->jobs, run->id), *job;

        if (!image || !user)
                return -ENOMEM;
        if (former)
                jobs_remove(d->jobs, former);
        job = jobs_add(d->jobs, run->id);
        if (!job)
                return -ENOMEM;
        run->job = job;
        job->run = run;
        job->image = TAKE(image);
        job->user = TAKE(user);
        (void) snprintf(job->request_id, sizeof job->request_id, "%s", run->request_id);
        job->state = JOB_STATE_WAITING;
        job->created_usec = wall_usec();
        job->timeout_usec = run->spec.timeout_usec;
        job->retries = run->spec.retries;
        job->memory_max = run->spec.spec.memory;
        return 0;
}

static void prepared(void *arg, int r)
{
        struct job_run *run = arg;

        if (r == IS_REPOSITORY) {
                (void) fault_set(&run->fault, FAULT_CONFLICT, "id", "%s is held by the repository %s", run->unit, run->id);
                job_run_fail(run);
        } else if (r < 0) {
                (void) fault_errno(&run->fault, r, "cannot write the environment of job %s", run->id);
                job_run_fail(run);
        } else if (run->canceled) {
                job_run_fail(run);
        } else if (take_place(run)) {
                if (enter(run) == 0) {
                        await_turn(run);
                } else {
                        run->slot = slot_free(run->slot);
                        job_run_fail_oom(run);
                }
        }
}

static int may_begin(const struct daemon *d, const struct job_order *order, struct fault *f)
{
        const char *id = order->id;
        const struct job_run *run = job_run_find(d, id);
        const struct job *job = jobs_find(d->jobs, id);
        int r = 0;

        if (d->draining)
                return fault_set(f, FAULT_AWAY, NULL, "geard is stopping, try again in a moment");
        if (run && run->change)
                return fault_set(f, FAULT_CONFLICT, "id", "the schedule of job %s is being changed just now", id);
        if (!order->spec.schedule && job && job->schedule)
                return fault_set(f, FAULT_CONFLICT, "id", "job %s has a schedule: DELETE /jobs/ID ends it", id);
        if (run)
                return fault_set(f, FAULT_CONFLICT, "id", "job %s %s already", id,
                                 run->started || (run->job && run->job->state == JOB_STATE_RUNNING) ? "runs" : "waits");
        if (errand_is_at_work(d, id))
                return fault_set(f, FAULT_CONFLICT, "id", "job-%s.service is at work on repository %s", id, id);
        r = index_need_systemd(d, f);
        if (r == 0)
                r = index_need_engine(d, f);
        return r == 0 ? index_need_programs(d, f) : r;
}

void job_run_begin(struct daemon *d, struct request *request, struct job_order *order)
{
        struct job_run *run = NULL;
        struct fault f;

        if (may_begin(d, order, &f) < 0)
                change_fail(d, request, &f);
        else
                run = job_run_new(d, request, order->id);
        if (!run) {
                job_spec_reset(&order->spec);
                return;
        }
        (void) snprintf(run->user, sizeof run->user, "%s", order->user);
        run->spec = order->spec;
        order->spec = (struct job_spec){ 0 };
        if (!run->spec.timeout_usec)
                run->spec.timeout_usec = d->config->job_timeout_usec;
        if (run->spec.schedule)
                job_schedule_begin(run);
        else if (worker_run(d->worker, prepare, prepared, run) < 0)
                job_run_fail_oom(run);
}

bool job_holds_unit(const struct daemon *d, const char *unit)
{
        const struct job_run *run;
        char id[GEAR_ID_MAX + 1];
        const struct job *job = job_id_of_unit(unit, id) ? jobs_find(d->jobs, id) : NULL;

        if ((job && job->schedule) || !d->schedules_known)
                return true;
        TAILQ_FOREACH(run, &d->job_runs, link)
        if (streq(run->unit, unit))
                return true;
        return false;
}

int job_name_is_free(const struct daemon *d, const char *id, struct fault *f)
{
        const struct job *job = jobs_find(d->jobs, id);

        if (!job && !job_run_find(d, id))
                return 0;
        return fault_set(f, FAULT_CONFLICT, "id", "job-%s.service is held by the job %s, which %s", id, id,
                         job && job->schedule                    ? "has a schedule: DELETE /jobs/ID ends it"
                         : job && job_state_is_final(job->state) ? "has ended and is remembered: DELETE /jobs/ID forgets it"
                                                                 : "is under way");
}

/* --- the end of geard ------------------------------------------------------------------------------------ */

bool jobs_are_begun(const struct daemon *d)
{
        const struct job_run *run;

        TAILQ_FOREACH(run, &d->job_runs, link)
        if (run->job && run->job->state == JOB_STATE_RUNNING && !run->started && !run->ending && !run->waits)
                return false;
        return true;
}

void jobs_answer_all(struct daemon *d)
{
        struct job_run *run;
        struct fault f;

        (void) fault_set(&f, FAULT_AWAY, NULL, "geard stops before this is done: the job goes on, ask again how it went");
        f.retry_after = RETRY_AFTER_SEC;
        TAILQ_FOREACH(run, &d->job_runs, link)
        {
                if (run->task)
                        task_hush(run->task);
                if (run->request)
                        change_leave(d, TAKE(run->request), &f);
                for (size_t i = 0; i < run->n_cancelers; i++)
                        change_leave(d, run->cancelers[i], &f);
                run->n_cancelers = 0;
        }
}
