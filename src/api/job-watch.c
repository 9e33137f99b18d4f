/* SPDX-License-Identifier: Apache-2.0 */

#include "api/job-watch.h"

#include "api/job-run-private.h"
#include "api/job-watch-private.h"
#include "sys/database-jobs.h"
#include "sys/job-files.h"
#include "util/log.h"

#include <stdio.h>

#define AGAIN_USEC USEC_PER_SEC
#define SLOT_OWNER "" /* of runs that nobody has asked for just now */

/* Removes what former definitions have left, in the worker. */
struct job_tidy {
        LIST_ENTRY(job_tidy) link;
        struct daemon *daemon;
        char id[GEAR_ID_MAX + 1], keep[JOB_ENV_MAX];
};

/* --- beginning and end ---------------------------------------------------------------------------- */

static void ask_service(struct job_watch *w);

static void ask_service_again(void *arg)
{
        ask_service(arg);
}

/* Of one that is made now it is known that it does not run. */
static struct job_watch *job_watch_new(struct daemon *d, struct job *job)
{
        struct job_watch *w = calloc(1, sizeof *w);

        if (!w)
                return NULL;
        *w = (struct job_watch){ .daemon = d, .job = job, .known = true };
        w->again = timer_new(d->loop, ask_service_again, w);
        if (!w->again) {
                free(w);
                return NULL;
        }
        job->watch = w;
        return w;
}

int job_watch_define(struct daemon *d, struct job *job, char *spec)
{
        struct job_watch *w = job->watch ? job->watch : job_watch_new(d, job);

        if (!w) {
                free(spec);
                return -ENOMEM;
        }
        free(w->spec);
        w->spec = spec;
        return 0;
}

const char *job_watch_spec(const struct job *job)
{
        const struct job_watch *w = job->watch;

        return w ? w->spec : NULL;
}

bool job_watch_is_due(const struct job *job)
{
        const struct job_watch *w = job->watch;

        return w && w->timer_runs;
}

void job_watch_end(struct job *job)
{
        struct job_watch *w = TAKE(job->watch);

        if (!w)
                return;
        (void) systemd_cancel(w->timer_question);
        (void) systemd_cancel(w->service_question);
        (void) job_output_cancel(w->output);
        (void) database_cancel(w->writing);
        (void) slot_free(w->slot);
        (void) timer_free(w->again);
        job_reset(&w->after);
        free(w->spec);
        free(w);
}

static void tidy_free(struct job_tidy *t)
{
        LIST_REMOVE(t, link);
        free(t);
}

void job_watch_free_all(struct daemon *d)
{
        for (size_t i = 0; i < jobs_count(d->jobs); i++)
                job_watch_end(jobs_at(d->jobs, i));
        while (!LIST_EMPTY(&d->job_tidies))
                tidy_free(LIST_FIRST(&d->job_tidies));
}

static struct job_watch *watch_of(const struct daemon *d, const char *unit)
{
        char id[GEAR_ID_MAX + 1];
        struct job *job = job_id_of_unit(unit, id) ? jobs_find(d->jobs, id) : NULL;

        return job ? job->watch : NULL;
}

/* --- what is left of former definitions ---------------------------------------------------------------- */

static int remove_environments(void *arg)
{
        const struct job_tidy *t = arg;

        return job_env_remove_others(t->daemon->config->state_directory, t->id, t->keep);
}

/* The next start looks for them, too. */
static void environments_removed(void *arg, int r)
{
        struct job_tidy *t = arg;

        if (r < 0)
                log_warning(LOG_FIELDS("GEARD_JOB", t->id), "a former environment of job %s stays for now: %s", t->id,
                            strerror(-r));
        tidy_free(t);
}

static void tidy(struct daemon *d, const struct job *job)
{
        struct job_tidy *t = calloc(1, sizeof *t);

        if (!t)
                return;
        t->daemon = d;
        (void) snprintf(t->id, sizeof t->id, "%s", job->id);
        job_env_name(job, t->keep);
        LIST_INSERT_HEAD(&d->job_tidies, t, link);
        if (worker_run(d->worker, remove_environments, environments_removed, t) < 0)
                tidy_free(t);
}

void job_watch_tidy(struct daemon *d, struct job *job)
{
        struct job_watch *w = job->watch;

        w->untidy = job->state == JOB_STATE_RUNNING; /* it may be tried again */
        if (!w->untidy && !job->damage)
                tidy(d, job);
}

/* --- its runs --------------------------------------------------------------------------------------- */

/* Told when it is written down, and with it what it said. */
static void row_written(void *arg, const struct fault *fault)
{
        struct job_watch *w = arg;
        struct job *job = w->job;

        w->writing = NULL;
        if (fault)
                log_error(LOG_FIELDS("GEARD_JOB", job->id), "how job %s ended is not remembered beyond this run of geard: %s",
                          job->id, fault->text);
        job_take_run(job, &w->after);
        job_reset(&w->after);
        w->ending = false;
        job->state = JOB_STATE_SCHEDULED;
        w->slot = slot_free(w->slot);
        if (w->untidy && !job_run_find(w->daemon, job->id)) /* else its change ends with that */
                job_watch_tidy(w->daemon, job);
        if (w->ask_again)
                ask_service(w);
}

/* It may have been replaced meanwhile: the row is what it is now. */
static void output_read(void *arg, const char *lines)
{
        struct job_watch *w = arg;
        const struct job row = job_with_run(w->job, &w->after);
        struct fault f;

        w->output = NULL;
        w->writing = database_put_job(w->daemon->database, &row, w->spec, lines, row_written, w);
        if (w->writing)
                return;
        (void) fault_oom(&f);
        row_written(w, &f);
}

static void run_ends(struct job_watch *w, const struct unit_change *service, const char *otherwise)
{
        struct job *after = &w->after;
        bool out_of_time;

        *after = (struct job){ .started_usec = w->job->started_usec, .timeout_usec = w->job->timeout_usec };
        w->ending = true;
        out_of_time = job_unit_take_end(after, service);
        if (service->main_began_usec)
                after->started_usec = service->main_began_usec;
        if (!after->ended_usec)
                after->ended_usec = wall_usec();
        job_unit_set_why(after, out_of_time, otherwise);
        w->output = job_output_read(w->daemon, w->job, after->started_usec, JOB_OUTPUT_LAG_USEC, output_read, w);
        if (!w->output)
                output_read(w, "");
}

/* Until the run has begun its unit tells the times of the one before. */
static bool has_begun(const struct unit_change *service)
{
        return service->main_began_usec && (!service->main_ended_usec || streq(service->active, "deactivating"));
}

static void run_begins(struct job_watch *w, const struct unit_change *service)
{
        struct job *job = w->job;
        bool began = has_begun(service);

        if (job->state == JOB_STATE_RUNNING) {
                if (began)
                        job->started_usec = service->main_began_usec;
                return;
        }
        job_take_run(job, &(struct job){ .peak_memory = UINT64_MAX,
                                         .started_usec = began ? service->main_began_usec : wall_usec() });
        job->state = JOB_STATE_RUNNING;
        if (!w->slot)
                (void) slot_take(w->daemon->slots, SLOT_OWNER, &w->slot);
}

static void hear(struct job_watch *w, const struct unit_change *change)
{
        struct run_heard *h = &w->heard;

        if (change->main_began_usec && change->main_began_usec != h->began_usec) {
                w->heard_before = *h;
                *h = (struct run_heard){ .began_usec = change->main_began_usec };
        }
        if (change->main_ended_usec)
                h->ended_usec = change->main_ended_usec;
        if (change->has_exit) {
                h->exit_code = change->exit_code;
                h->exit_status = change->exit_status;
        }
        if (change->result)
                (void) snprintf(h->result, sizeof h->result, "%s", change->result);
        if (change->status && *change->status)
                (void) snprintf(h->status, sizeof h->status, "%s", change->status);
}

/* As if it had been asked; points into h. */
static void take_heard(const struct run_heard *h, struct unit_change *ret)
{
        ret->main_began_usec = h->began_usec;
        ret->main_ended_usec = h->ended_usec;
        ret->exit_code = h->exit_code;
        ret->exit_status = h->exit_status;
        ret->result = h->result;
        ret->status = h->status;
}

/*
 * Once per run: one that is known has its times.  systemd forgets a unit that nobody
 * needs any more, and with it how it went: then what it signalled counts.
 */
static void run_is_over(struct job_watch *w, const struct unit_change *service)
{
        const struct job *job = w->job;
        bool running = job->state == JOB_STATE_RUNNING;
        struct unit_change heard = { .unit = service->unit };

        if (service->main_began_usec && (running || service->main_began_usec != job->started_usec || !job->ended_usec)) {
                run_ends(w, service, "it did not end well");
        } else if (w->heard.ended_usec && !service->main_began_usec &&
                   (running || w->heard.began_usec != job->started_usec)) {
                take_heard(&w->heard, &heard);
                run_ends(w, &heard, "it did not end well");
        } else if (running) {
                run_ends(w, &heard, "how it ended is not known: systemd has forgotten it");
        }
}

/* The next run had begun before we could ask how this one ended. */
static bool was_overtaken(struct job_watch *w, const struct unit_change *service)
{
        const struct job *job = w->job;
        struct unit_change heard = { .unit = service->unit };

        if (job->state != JOB_STATE_RUNNING || !has_begun(service) || service->main_began_usec == job->started_usec ||
            w->heard_before.began_usec != job->started_usec || !w->heard_before.ended_usec)
                return false;
        take_heard(&w->heard_before, &heard);
        run_ends(w, &heard, "it did not end well");
        w->ask_again = true;
        return true;
}

static void service_told(void *arg, const struct unit_change *service, const struct fault *fault)
{
        struct job_watch *w = arg;

        w->service_question = NULL;
        if (fault && fault->kind != FAULT_AWAY)
                timer_set(w->again, AGAIN_USEC);
        if (fault) {
                w->known = false;
                return;
        }
        w->known = true;
        if (w->ending)
                w->ask_again = true; /* one after the other */
        else if (!unit_is_at_work(service))
                run_is_over(w, service);
        else if (!was_overtaken(w, service))
                run_begins(w, service);
        if (w->ask_again && !w->ending)
                ask_service(w);
}

static void ask_service(struct job_watch *w)
{
        char unit[UNIT_NAME_MAX];

        w->ask_again = w->service_question != NULL;
        if (w->ask_again)
                return;
        job_unit_name(w->job->id, unit);
        w->service_question = systemd_ask(w->daemon->systemd, unit, service_told, w);
        if (!w->service_question)
                timer_set(w->again, AGAIN_USEC);
}

/* --- its timer ---------------------------------------------------------------------------------------- */

/* A timer that was stopped still says when it would have been due. */
static void take_timer(struct job_watch *w, const struct unit_change *timer)
{
        if (timer->active)
                w->timer_runs = streq(timer->active, "active");
        if (timer->has_next)
                w->job->next_usec = timer->next_usec;
        if (!w->timer_runs)
                w->job->next_usec = 0;
}

static void timer_told(void *arg, const struct unit_change *timer, const struct fault *fault)
{
        struct job_watch *w = arg;

        w->timer_question = NULL;
        if (!fault)
                take_timer(w, timer);
}

static void ask_timer(struct job_watch *w)
{
        char unit[UNIT_NAME_MAX];

        if (w->timer_question)
                return;
        job_timer_name(w->job->id, unit);
        w->timer_question = systemd_ask(w->daemon->systemd, unit, timer_told, w);
}

/* --- signals and lists ---------------------------------------------------------------------------------- */

bool job_watch_cares(const struct daemon *d, const char *unit)
{
        return watch_of(d, unit);
}

void job_watch_changed(struct daemon *d, const struct unit_change *change)
{
        struct job_watch *w = watch_of(d, change->unit);
        bool ran;

        if (!w)
                return;
        if (ends_with(change->unit, ".service")) {
                hear(w, change);
                if (change->active)
                        ask_service(w);
                return;
        }
        ran = w->timer_runs;
        take_timer(w, change);
        if (w->timer_runs && !ran && !change->has_next)
                ask_timer(w);
}

/* What a drop-in changes is heard of by nobody, so that timers are asked in any case. */
static void take_listed(struct daemon *d, const struct unit_change *unit)
{
        struct job_watch *w = watch_of(d, unit->unit);

        if (!w)
                return;
        if (!ends_with(unit->unit, ".service")) {
                w->timer_is_listed = true;
                ask_timer(w);
                return;
        }
        w->service_is_listed = true;
        if (!w->known || (w->job->state == JOB_STATE_RUNNING) != unit_is_at_work(unit))
                ask_service(w);
}

/* What is not loaded is not running. */
static void take_unlisted(struct job_watch *w)
{
        if (!w->timer_is_listed)
                take_timer(w, &(struct unit_change){ .active = "inactive" });
        if (!w->service_is_listed && w->job->state == JOB_STATE_RUNNING)
                ask_service(w);
        else if (!w->service_is_listed)
                w->known = true;
}

static void listed(void *arg, const struct unit_change *units, size_t n, const struct fault *fault)
{
        struct daemon *d = arg;

        for (size_t i = 0; i < jobs_count(d->jobs); i++) {
                struct job_watch *w = jobs_at(d->jobs, i)->watch;

                if (w && fault && !w->known)
                        timer_set(w->again, AGAIN_USEC);
                else if (w)
                        w->timer_is_listed = w->service_is_listed = false;
        }
        if (fault)
                return;
        for (size_t i = 0; i < n; i++)
                take_listed(d, &units[i]);
        for (size_t i = 0; i < jobs_count(d->jobs); i++) {
                struct job_watch *w = jobs_at(d->jobs, i)->watch;

                if (w)
                        take_unlisted(w);
        }
}

static bool is_any(const struct daemon *d)
{
        for (size_t i = 0; i < jobs_count(d->jobs); i++)
                if (jobs_at(d->jobs, i)->watch)
                        return true;
        return false;
}

void job_watch_look(struct daemon *d)
{
        if (is_any(d))
                (void) systemd_list(d->systemd, "job-*", listed, d);
}

void job_watch_lost(struct daemon *d)
{
        for (size_t i = 0; i < jobs_count(d->jobs); i++) {
                struct job_watch *w = jobs_at(d->jobs, i)->watch;

                if (w)
                        w->known = false;
        }
}

bool job_watch_knows_all(const struct daemon *d)
{
        for (size_t i = 0; i < jobs_count(d->jobs); i++) {
                const struct job_watch *w = jobs_at(d->jobs, i)->watch;

                if (w && !w->known)
                        return false;
        }
        return true;
}
