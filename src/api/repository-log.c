/* SPDX-License-Identifier: Apache-2.0 */

/* The log of a repository: what git said in the job that makes it, or made it. */

#include "api/repository-log.h"

#include "api/answer.h"
#include "api/log.h"
#include "sys/repositories.h"

#include <stdio.h>

struct search {
        const struct daemon *daemon;
        struct log_stream *stream;
        char id[GEAR_ID_MAX + 1];
        uint64_t created_usec;
};

/* Being made, or whole; since then its job is the one that is meant. */
static int look(void *arg)
{
        struct search *s = arg;
        const char *root = s->daemon->config->state_directory;
        int r = repository_birth(root, s->id, REPOSITORY_NEW, &s->created_usec);

        return r == 0 ? repository_birth(root, s->id, REPOSITORY_WHOLE, &s->created_usec) : r;
}

static void looked(void *arg, int r)
{
        _cleanup_free_ struct search *s = arg;
        struct log_source source = { .created_usec = s->created_usec, .runs_once = true };
        struct fault f;

        if (r == 1) {
                (void) snprintf(source.unit, sizeof source.unit, "job-%s.service", s->id);
                (void) snprintf(source.identifier, sizeof source.identifier, "job-%s", s->id);
                log_stream_begin(s->stream, &source, 1);
                return;
        }
        if (r == 0)
                (void) fault_set(&f, FAULT_MISSING, "id", "there is no repository %s", s->id);
        else
                (void) fault_errno(&f, r, "cannot look for repository %s", s->id);
        log_stream_refuse(s->stream, &f);
}

static void repository_log(struct call *call)
{
        struct daemon *d = call->daemon;
        struct search *s = NULL;
        const char *id;
        struct fault f;
        int r = call_gear_id(call, &id, &f);

        if (r == 0 && !(s = calloc(1, sizeof *s)))
                r = fault_oom(&f);
        if (r == 0) {
                s->daemon = d;
                (void) snprintf(s->id, sizeof s->id, "%s", id);
                r = log_stream_open(call, false, &s->stream, &f);
        }
        if (r < 0) {
                free(s);
                answer_fault(call, &f);
                return;
        }
        if (worker_run(d->worker, look, looked, s) < 0) {
                (void) fault_oom(&f);
                log_stream_refuse(s->stream, &f);
                free(s);
        }
}

static const struct route routes[] = {
        { HTTP_GET, "/repository/log", repository_log, "log.read", ROUTE_TOKEN | ROUTE_STREAM,
          "What git said as it was made, followed" },
        { HTTP_PUT, "/repository/log", repository_log, "log.read", ROUTE_TOKEN | ROUTE_STREAM,
          "What git said as it was made, followed" },
        { HTTP_GET, "/repository/{id}/log", repository_log, "log.read", ROUTE_STREAM,
          "What git said as it was made, followed" },
        { HTTP_PUT, "/repository/{id}/log", repository_log, "log.read", ROUTE_STREAM,
          "What git said as it was made, followed" },
};
const struct route_table repository_log_routes = { routes, ARRAY_SIZE(routes) };
