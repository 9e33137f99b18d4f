/* SPDX-License-Identifier: Apache-2.0 */

/* The calls about jobs: what is asked for and told; the work is api/job-run. */

#include "api/job.h"

#include "api/answer.h"
#include "api/install.h"
#include "api/job-json.h"
#include "api/job-run.h"
#include "api/job-watch.h"
#include "api/log.h"
#include "sys/database-jobs.h"

#include <fnmatch.h>
#include <stdio.h>

/* --- which one ------------------------------------------------------------------------------------- */

/* {id} of the path, else the claim r, else the body's `id`, else that of the request. */
static int settle_id(struct call *call, const char *in_body, char ret[static GEAR_ID_MAX + 1], struct fault *f)
{
        const char *in_path = route_param(&call->match, "id"), *id = in_path ? in_path : call->who.r;
        const char *field = in_path ? "id" : "r";
        int r = 0;

        if (!id || !*id) {
                field = "id";
                id = in_body;
        } else if (*in_body && !streq(id, in_body)) {
                return fault_set(f, FAULT_DENIED, "id", "id: the %s names another one", in_path ? "path" : "token");
        }
        if (!*id) {
                r = change_settle_id(call, f);
                id = call->request_id;
        }
        if (r == 0)
                r = gear_id_check(id, field, f);
        if (r == 0 && !access_covers(&call->who, id))
                r = access_denied(call, "the token is for another job", f);
        if (r == 0)
                (void) snprintf(ret, GEAR_ID_MAX + 1, "%s", id);
        return r;
}

static int find_job(struct call *call, struct job **ret, struct fault *f)
{
        const char *id;
        int r = call_gear_id(call, &id, f);

        if (r < 0)
                return r;
        *ret = jobs_find(call->daemon->jobs, id);
        return *ret ? 0 : fault_set(f, FAULT_MISSING, "id", "there is no job %s", id);
}

/* --- running one ----------------------------------------------------------------------------------- */

static int read_order(struct call *call, struct job_order *o, struct fault *f)
{
        const char *image = call->who.t && *call->who.t ? call->who.t : NULL;
        _cleanup_(json_freep) struct json *body = NULL;
        int r = call_body(call, &body, f);

        if (r == 0)
                r = job_spec_from_json(body, image, &o->spec, f);
        if (r < 0)
                return r;
        if (!o->spec.spec.stop_timeout_given)
                o->spec.spec.stop_timeout_usec = call->daemon->config->stop_timeout_usec;
        r = install_check(call->daemon, &o->spec.spec, access_may_reach_host(&call->who), f);
        return r < 0 ? r : settle_id(call, o->spec.id, o->id, f);
}

static struct job_order *order_free(struct job_order *o)
{
        if (!o)
                return NULL;
        job_spec_reset(&o->spec);
        free(o);
        return NULL;
}
DEFINE_CLEANUP(struct job_order, order_free);

static void put_begun(struct daemon *d, struct request *request, void *arg)
{
        _cleanup_(order_freep) struct job_order *o = arg;

        if (request)
                job_run_begin(d, request, o);
}

static void jobs_put(struct call *call)
{
        _cleanup_(order_freep) struct job_order *o = calloc(1, sizeof *o);
        const char *id;
        struct fault f;

        if ((o ? read_order(call, o, &f) : fault_oom(&f)) < 0) {
                answer_fault(call, &f);
                return;
        }
        (void) snprintf(o->user, sizeof o->user, "%s", call->who.user);
        id = o->id;
        change_begin(call, SUBJECT_JOB, id, JOB_RUN, put_begun, TAKE(o));
}

/* --- canceling or forgetting one --------------------------------------------------------------------- */

static void job_delete(struct call *call)
{
        change_begin_of_id(call, SUBJECT_JOB, JOB_CANCELED, job_cancel);
}

/* --- all of them --------------------------------------------------------------------------------------- */

struct filter {
        const char *state, *name, *after;
        uint64_t limit;
};

static int read_filter(const struct call *call, struct filter *filter, struct fault *f)
{
        const char *limit = http_param(call->request, "limit");
        int state = 0;

        *filter = (struct filter){ .state = http_param(call->request, "state"),
                                   .name = http_param(call->request, "name"),
                                   .after = http_param(call->request, "after"),
                                   .limit = LIST_LIMIT_MAX };
        while (filter->state && state < N_JOB_STATES && !streq(filter->state, job_state_name((enum job_state) state)))
                state++;
        if (state == N_JOB_STATES)
                return fault_set(f, FAULT_INVALID, "state",
                                 "state: waiting, running, succeeded, failed, canceled or scheduled is expected");
        if (limit && (!parse_u64(limit, LIST_LIMIT_MAX, &filter->limit) || filter->limit == 0))
                return fault_set(f, FAULT_INVALID, "limit", "limit: 1 to %d are allowed", LIST_LIMIT_MAX);
        return filter->after ? gear_id_check(filter->after, "after", f) : 0;
}

static bool matches(const struct filter *filter, const struct identity *who, const struct job *job)
{
        return access_covers(who, job->id) &&
               (!filter->state || streq(filter->state, job_state_name(job->state))) &&
               (!filter->name || fnmatch(filter->name, job->id, 0) == 0);
}

/* The id after which to go on, NULL when these were all. */
static const char *add_jobs(const struct call *call, const struct filter *filter, bool json, struct text *t)
{
        const struct jobs *jobs = call->daemon->jobs;
        const char *last = NULL;
        uint64_t n = 0;

        for (size_t i = jobs_after(jobs, filter->after); i < jobs_count(jobs); i++) {
                const struct job *job = jobs_at(jobs, i);

                if (!matches(filter, &call->who, job))
                        continue;
                if (n++ == filter->limit)
                        return last;
                if (json && n > 1)
                        text_addc(t, ',');
                if (json)
                        job_to_json(job, NULL, NULL, t);
                else
                        job_to_row(job, t);
                last = job->id;
        }
        return NULL;
}

static void jobs_get(struct call *call)
{
        _cleanup_text_ struct text t = { 0 };
        bool json = call_wants_json(call->request);
        struct filter filter;
        const char *next;
        struct fault f;

        if (read_filter(call, &filter, &f) < 0) {
                answer_fault(call, &f);
                return;
        }
        if (json)
                text_add(&t, "{\"jobs\":[");
        else
                text_addf(&t, "%-32s %-10s %-6s %-20s %-20s %s\n", "ID", "STATE", "STATUS", "STARTED", "NEXT", "IMAGE");
        next = add_jobs(call, &filter, json, &t);
        if (json) {
                text_add(&t, "]");
                json_put(&t, "next", next);
                text_add(&t, "}\n");
                answer_json(call, 200, &t);
        } else {
                if (next)
                        text_addf(&t, "# more: after=%s\n", next);
                answer_text(call, 200, text_ok(&t) ? t.data : "");
        }
}

/* --- one of them ----------------------------------------------------------------------------------------- */

struct show {
        struct daemon *daemon;
        struct reply *reply;
        char id[GEAR_ID_MAX + 1];
        bool json;
};

static void found(void *arg, const char *spec, const char *output, const struct fault *fault)
{
        _cleanup_free_ struct show *show = arg;
        const struct job *job = jobs_find(show->daemon->jobs, show->id);
        _cleanup_(outcome_reset) struct outcome outcome = { 0 };
        _cleanup_text_ struct text text = { 0 };
        struct text json = { 0 };
        struct fault f;

        if (!fault && !job) {
                (void) fault_set(&f, FAULT_MISSING, "id", "there is no job %s", show->id);
                fault = &f;
        }
        if (fault) {
                outcome_of_fault(&outcome, fault);
        } else {
                job_to_text(job, output, &text);
                job_to_json(job, job->schedule ? job_watch_spec(job) : spec, output ? output : "", &json);
                text_addc(&json, '\n');
                outcome_of(&outcome, 200, text_ok(&text) ? text.data : "", &json);
        }
        text_reset(&json);
        answer_outcome(TAKE(show->reply), show->json, &outcome);
}

static void job_get(struct call *call)
{
        struct show *show = NULL;
        struct job *job;
        struct fault f;
        int r = find_job(call, &job, &f);

        if (r == 0 && !(show = calloc(1, sizeof *show)))
                r = fault_oom(&f);
        if (r == 0) {
                *show = (struct show){ .daemon = call->daemon, .reply = call->reply, .json = call_wants_json(call->request) };
                (void) snprintf(show->id, sizeof show->id, "%s", job->id);
                if (!database_find_job(call->daemon->database, job->id, found, show))
                        r = fault_oom(&f);
        }
        if (r == 0) {
                call->reply = NULL;
                return;
        }
        free(show);
        answer_fault(call, &f);
}

static void job_log(struct call *call)
{
        struct log_source source = { .runs_once = true };
        struct log_stream *stream;
        struct job *job;
        struct fault f;
        int r = find_job(call, &job, &f);

        if (r == 0)
                r = log_stream_open(call, false, &stream, &f);
        if (r < 0) {
                answer_fault(call, &f);
                return;
        }
        job_unit_name(job->id, source.unit);
        job_container_name(job->id, source.identifier);
        source.created_usec = job->created_usec;
        log_stream_begin(stream, &source, 1);
}

#define CHANGE (ROUTE_CHANGE | ROUTE_BODY | ROUTE_STREAM)

static const struct route routes[] = {
        { HTTP_PUT, "/jobs", jobs_put, "job.run", CHANGE, "Run a container once, or by a schedule; its id is the request's, or the body's `id'" },
        { HTTP_POST, "/jobs", jobs_put, "job.run", CHANGE, "Run a container once, or by a schedule; its id is the request's, or the body's `id'" },
        { HTTP_PUT, "/jobs/{id}", jobs_put, "job.run", CHANGE, "Run a container once, or by a schedule, by this id" },
        { HTTP_GET, "/jobs", jobs_get, "job.run", 0, "All jobs that wait, run, are scheduled or remembered; ?state= &name= &limit= &after=" },
        { HTTP_GET, "/jobs/{id}", job_get, "job.run", 0, "How the job is, or how it ended and what it said last" },
        { HTTP_DELETE, "/jobs/{id}", job_delete, "job.run", ROUTE_CHANGE | ROUTE_BODY, "Cancel the job, end its schedule, or forget one that has ended" },
        { HTTP_GET, "/jobs/{id}/log", job_log, "log.read", ROUTE_STREAM, "What the job said, followed" },
        { HTTP_PUT, "/jobs/{id}/log", job_log, "log.read", ROUTE_STREAM, "What the job said, followed" },
};
const struct route_table job_routes = { routes, ARRAY_SIZE(routes) };
