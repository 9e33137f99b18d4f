/* SPDX-License-Identifier: Apache-2.0 */

/* The log of a repository: what git said in the job that makes it, or made it. */

#include "api/repository-log.h"

#include "api/log-search.h"
#include "sys/repositories.h"

#include <stdio.h>

/* Being made, or whole; since then its job is the one that is meant. */
static int find(struct log_search *s)
{
        struct log_source *source = &s->source;
        const char *root = s->daemon->config->state_directory;
        int r = repository_birth(root, s->id, REPOSITORY_NEW, &source->created_usec);

        if (r == 0)
                r = repository_birth(root, s->id, REPOSITORY_WHOLE, &source->created_usec);
        if (r == 0)
                return fault_set(&s->fault, FAULT_MISSING, "id", "there is no repository %s", s->id);
        if (r < 0)
                return fault_errno(&s->fault, r, "cannot look for repository %s", s->id);
        source->runs_once = true;
        (void) snprintf(source->unit, sizeof source->unit, "job-%s.service", s->id);
        (void) snprintf(source->identifier, sizeof source->identifier, "job-%s", s->id);
        return 0;
}

static void repository_log(struct call *call)
{
        log_search(call, 0, false, find);
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
