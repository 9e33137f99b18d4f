/* SPDX-License-Identifier: Apache-2.0 */

#include "api/recall.h"

#include "api/answer.h"
#include "api/audit.h"
#include "api/environment.h"
#include "api/errand.h"
#include "api/gear-json.h"
#include "api/git-http.h"
#include "api/job-run.h"
#include "api/job-watch.h"
#include "api/push.h"
#include "api/recover.h"
#include "api/state.h"
#include "api/task.h"
#include "api/work.h"
#include "sys/database-jobs.h"
#include "util/log.h"

#include <stdio.h>

#define START_WAIT_USEC (2 * USEC_PER_SEC)
#define ASK_AGAIN_USEC (1 * USEC_PER_SEC)
#define LOOK_USEC (50 * USEC_PER_MSEC)

struct recalled {
        struct recalled *next;
        struct request *request;
        char verb[DATABASE_WORD_MAX + 1];
        char gear[GEAR_ID_MAX + 1]; /* or of what else it is about */
        bool is_oldest;         /* of its gear: no other can have begun */
};

struct recall {
        struct daemon *daemon;
        struct timer *timer;    /* asks the database again, or looks after works that wait */
        struct recalled *first; /* in the order in which they began, until somebody takes them */
        bool waiting;           /* nothing else is on the loop yet */
        bool asking, answered;  /* perhaps with a fault … */
        struct fault fault;     /* … this one, then; else of kind none */
        struct fault jobs_fault; /* … of the jobs alone */
        bool done;
        bool swept; /* what nobody will ask for any more */
};

/* --- those that had no effect ------------------------------------------------------------------ */

static void fault_undone(struct fault *f, const char *gear, const char *verb)
{
        (void) fault_set(f, FAULT_AWAY, NULL,
                         "geard ended before gear %s was %s, and nothing of that is left: ask again", gear, verb);
        f->retry_after = 1;
}

static void end_undone(struct daemon *d, struct request *request, const char *gear, const char *verb)
{
        struct fault f;

        fault_undone(&f, gear, verb);
        if (request_subject(request) == SUBJECT_REPOSITORY)
                (void) fault_set(&f, FAULT_AWAY, NULL,
                                 "geard ended before it came to this request for repository %s: ask again", gear);
        f.retry_after = 1;
        change_fail(d, request, &f);
}

/* --- creations and deletions that left no mark of being under way -------------------------------- */

struct verdict {
        struct work work;
        char verb[DATABASE_WORD_MAX + 1];
        char request_id[REQUEST_ID_LEN + 1];
};

static void end_done(struct verdict *v, struct gear *gear)
{
        struct outcome outcome;
        struct text json = { 0 };
        char text[160];

        gear_to_json(gear, &json);
        text_addc(&json, '\n');
        (void) snprintf(text, sizeof text, "Gear %s was %s; geard did not live to say so\n", v->work.id, v->verb);
        outcome_of(&outcome, 201, text, &json);
        outcome.replayed = true;
        if (gear->n_ports)
                gear_port_header(gear, &outcome);
        work_end(&v->work, &outcome);
}

static void verdict_begin(struct work *w)
{
        struct verdict *v = container_of(w, struct verdict, work);
        struct gear *gear = work_gear(w);
        struct fault f;

        if (gear && gear->image && streq(v->verb, "created") && streq(gear->request_id, v->request_id)) {
                end_done(v, gear);
                return;
        }
        fault_undone(&f, w->id, v->verb);
        work_fail(w, &f);
}

static void verdict_free(struct work *w)
{
        free(container_of(w, struct verdict, work));
}

static const struct work_kind verdict_kind = {
        .start = verdict_begin,
        .free = verdict_free,
};

static void verdict_submit(struct daemon *d, struct request *request, const char *gear, const char *verb)
{
        struct verdict *v = calloc(1, sizeof *v);

        if (!v) {
                end_undone(d, request, gear, verb);
                return;
        }
        v->work.kind = &verdict_kind;
        v->work.daemon = d;
        v->work.request = request;
        v->work.may_start = work_gear_is_known;
        (void) snprintf(v->work.id, sizeof v->work.id, "%s", gear);
        (void) snprintf(v->verb, sizeof v->verb, "%s", verb);
        (void) snprintf(v->request_id, sizeof v->request_id, "%s", request_id(request));
        work_submit(&v->work);
}

static void end_deleted(struct daemon *d, struct request *request, const char *gear)
{
        struct outcome outcome;
        char text[160];

        (void) snprintf(text, sizeof text, "Gear %s was deleted; geard did not live to say so\n", gear);
        outcome_of(&outcome, 204, text, NULL);
        outcome.replayed = true;
        change_end(d, request, &outcome);
}

/* --- all that are left -------------------------------------------------------------------------------- */

static void find_out(struct daemon *d, struct recalled *recalled)
{
        struct request *request = recalled->request;
        const char *gear = recalled->gear, *verb = recalled->verb;

        if (!recalled->is_oldest && request_subject(request) != SUBJECT_JOB) {
                end_undone(d, request, gear, verb);
        } else if (request_subject(request) == SUBJECT_REPOSITORY) {
                errand_recall(d, request, gear, verb);
        } else if (request_subject(request) == SUBJECT_JOB) {
                job_recall(d, request, gear, verb);
        } else if (!gears_find(d->gears, gear)) {
                if (streq(verb, "deleted"))
                        end_deleted(d, request, gear);
                else
                        end_undone(d, request, gear, verb);
        } else if (streq(verb, "environment")) {
                environment_recall(d, request, gear);
        } else if (streq(verb, "created") || streq(verb, "deleted")) {
                verdict_submit(d, request, gear, verb);
        } else if (streq(verb, CHANGE_KEPT) && streq(gears_find(d->gears, gear)->request_id, request_id(request))) {
                verdict_submit(d, request, gear, "created");
        } else {
                state_recall(d, request, gear, verb);
        }
        free(recalled);
}

/* What was to be kept may have been gone when its turn came. */
static bool is_of(const struct recalled *recalled, const char *gear, const char *verb)
{
        return request_subject(recalled->request) == SUBJECT_GEAR && recalled->is_oldest &&
               streq(recalled->gear, gear) &&
               (streq(recalled->verb, verb) || (streq(recalled->verb, CHANGE_KEPT) && streq(verb, "created")));
}

struct request *recall_take(struct daemon *d, const char *gear, const char *verb)
{
        for (struct recalled **in = &d->recall->first; *in; in = &(*in)->next) {
                struct recalled *recalled = *in;
                struct request *request = recalled->request;

                if (!is_of(recalled, gear, verb))
                        continue;
                *in = recalled->next;
                free(recalled);
                return request;
        }
        return NULL;
}

void recall_go_on(struct daemon *d)
{
        struct recall *r = d->recall;
        struct recalled *recalled;

        if (!r->answered)
                return;
        recover_begin(d);
        while ((recalled = r->first)) {
                r->first = recalled->next;
                find_out(d, recalled);
        }
        if (r->done)
                jobs_recall_rest(d);
        timer_set(r->timer, r->done ? LOOK_USEC : ASK_AGAIN_USEC);
}

/* --- reading them ------------------------------------------------------------------------------------- */

/* Works of a gear begin when the outcome of the one before is on the disk. */
static bool is_oldest(const struct recall *r, const struct request *request)
{
        for (const struct recalled *other = r->first; other; other = other->next)
                if (request_subject(other->request) == request_subject(request) &&
                    streq(other->gear, request_resource(request)))
                        return false;
        return true;
}

static int recall_one(struct recall *r, const struct database_request *row)
{
        struct daemon *d = r->daemon;
        struct recalled *recalled, **in = &r->first;
        enum subject subject = subject_of(row->kind);
        struct request *request = NULL;

        if (streq(row->kind, PUSH_KIND)) {
                if (!git_calls_intend(d, row->id)) /* the database may not have answered before */
                        push_recalled(d, row);
                return 0;
        }
        recalled = calloc(1, sizeof *recalled);
        if (!recalled || subject == N_SUBJECTS ||
            requests_submit(d->requests, subject, row->principal, row->id, row->digest, row->began_usec, &request) != 0) {
                free(recalled);
                return -ENOMEM;
        }
        request_about(request, row->resource);
        request_keep(request, row->keep_until_sec);
        audit_of_intent(request_audit(request), row);
        recalled->request = request;
        (void) snprintf(recalled->verb, sizeof recalled->verb, "%s", row->verb);
        (void) snprintf(recalled->gear, sizeof recalled->gear, "%.*s", GEAR_ID_MAX, row->resource);
        recalled->is_oldest = is_oldest(r, request);
        while (*in)
                in = &(*in)->next;
        *in = recalled;
        return 0;
}

/* Once, however often it is asked. */
static void tell_fault(struct recall *r, const struct fault *fault)
{
        if (r->fault.kind == FAULT_NONE)
                log_error(NO_FIELDS, "no change can be made while this lasts: %s", fault->text);
        r->fault = *fault;
}

static void unfinished_found(void *arg, struct database_request *rows, size_t n, const struct fault *fault)
{
        struct recall *r = arg;

        if (!fault && r->jobs_fault.kind != FAULT_NONE) {
                fault = &r->jobs_fault;
                n = 0; /* asked for again, with the jobs */
        }
        if (fault)
                tell_fault(r, fault);
        else if (!r->waiting)
                log_notice(NO_FIELDS, "%s was read: changes are made again", r->daemon->config->database);
        for (size_t i = 0; i < n; i++)
                if (recall_one(r, &rows[i]) < 0)
                        log_error(LOG_FIELDS("GEARD_REQUEST_ID", rows[i].id),
                                  "what became of request %s is not looked at", rows[i].id);
        r->asking = false;
        r->answered = true;
        r->done = !fault;
        if (r->waiting)
                loop_stop(r->daemon->loop);
        else
                recall_go_on(r->daemon);
}

/* Whoever asked for them: their names are taken. */
static void jobs_found(void *arg, struct job *jobs, size_t n, const struct fault *fault)
{
        struct recall *r = arg;
        struct daemon *d = r->daemon;

        r->jobs_fault = fault ? *fault : (struct fault){ 0 };
        for (size_t i = 0; i < n; i++) {
                struct job *job = jobs_add(d->jobs, jobs[i].id);

                if (!job)
                        log_error(LOG_FIELDS("GEARD_JOB", jobs[i].id), "job %s is not remembered: out of memory", jobs[i].id);
                else if (job->schedule)
                        job_watch_take_row(job, &jobs[i]);
                else if (!job->image)
                        jobs_take(job, &jobs[i]);
        }
        if (!fault)
                job_watch_settle_rows(d);
}

/* The jobs first: they are there when their requests are found. */
static bool ask(struct recall *r)
{
        r->asking = database_list_jobs(r->daemon->database, jobs_found, r) &&
                    database_unfinished(r->daemon->database, unfinished_found, r);
        return r->asking;
}

static void look(void *arg)
{
        struct recall *r = arg;

        bool works = work_look(r->daemon), errands = errands_look(r->daemon), jobs = jobs_look(r->daemon);

        if (r->done && !errands && !r->swept && r->daemon->systemd_synced && job_watch_knows_all(r->daemon)) {
                r->swept = true;
                errands_sweep(r->daemon);
                jobs_sweep(r->daemon);
                task_forget_former(r->daemon);
        }
        if (works || errands || jobs || !r->swept)
                timer_set(r->timer, LOOK_USEC);
        if (!r->done && !r->asking && !ask(r))
                timer_set(r->timer, ASK_AGAIN_USEC);
}

static void waited_enough(void *arg)
{
        struct recall *r = arg;

        log_warning(NO_FIELDS, "%s is slow: changes are refused until it was read",
                    r->daemon->config->database);
        loop_stop(r->daemon->loop);
}

int recall_requests(struct daemon *d, struct fault *f)
{
        struct recall *r = calloc(1, sizeof *r);
        struct timer *patience;

        if (!r)
                return fault_oom(f);
        d->recall = r;
        r->daemon = d;
        r->timer = timer_new(d->loop, look, r);
        patience = timer_new(d->loop, waited_enough, r);
        if (!r->timer || !patience || !ask(r)) {
                patience = timer_free(patience);
                return fault_oom(f);
        }
        timer_set(patience, START_WAIT_USEC);
        r->waiting = true;
        if (loop_run(d->loop) < 0) {
                patience = timer_free(patience);
                return fault_set(f, FAULT_INTERNAL, NULL, "the loop does not run");
        }
        r->waiting = false;
        patience = timer_free(patience);
        return 0;
}

int recall_check(const struct daemon *d, struct fault *f)
{
        const struct recall *r = d->recall;

        if (r->done)
                return 0;
        if (r->fault.kind == FAULT_NONE)
                (void) fault_set(f, FAULT_AWAY, NULL, "%s is slow: no change begins before it was read",
                                 d->config->database);
        else
                (void) fault_set(f, FAULT_AWAY, NULL, "no change begins while this lasts: %s",
                                 r->fault.text);
        f->retry_after = 1;
        return -EAGAIN;
}

/* --- its end -------------------------------------------------------------------------------------------- */

void recall_leave(struct daemon *d)
{
        struct fault f;

        (void) fault_set(&f, FAULT_AWAY, NULL, "geard stops before it is known what became of this: ask again");
        f.retry_after = 2;
        for (size_t i = 0; i < gears_count(d->gears); i++)
                for (struct work *w = gears_at(d->gears, i)->work; w; w = w->next)
                        if (w->request && w->may_start && !w->started)
                                change_leave(d, TAKE(w->request), &f);
}

struct recall *recall_free(struct recall *r)
{
        if (!r)
                return NULL;
        for (struct recalled *recalled = r->first, *next; recalled; recalled = next) {
                next = recalled->next;
                free(recalled);
        }
        r->timer = timer_free(r->timer);
        free(r);
        return NULL;
}
