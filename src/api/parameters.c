/* SPDX-License-Identifier: Apache-2.0 */

#include "api/parameters.h"

/* clang-format off */
/* `call` is a pattern without its {id}: both spellings of it are meant. */
static const struct {
        enum http_method method;
        const char *call;
        struct parameter parameter;
} parameters[] = {
        { HTTP_PUT, "/container", { "plan", "yes: only tell what would be written and what would restart" } },
        { HTTP_PUT, "/container/started", { "plan", "yes: only tell what would start" } },
        { HTTP_PUT, "/container/stopped", { "plan", "yes: only tell what would stop" } },
        { HTTP_PUT, "/container/restarted", { "plan", "yes: only tell what would restart" } },
        { HTTP_POST, "/container/restart", { "plan", "yes: only tell what would restart" } },
        { HTTP_PUT, "/container/env", { "plan", "yes: only tell what would be written" } },
        { HTTP_PATCH, "/container/env", { "plan", "yes: only tell what would be written" } },
        { HTTP_DELETE, "/container", { "volumes", "yes: remove the volumes of the gear, too" } },
        { HTTP_GET, "/containers", { "state", "only gears in this state" } },
        { HTTP_GET, "/containers", { "label", "only gears with this label: name or name=value" } },
        { HTTP_GET, "/containers", { "name", "only gears whose id matches this glob pattern" } },
        { HTTP_GET, "/containers", { "limit", "at most so many" } },
        { HTTP_GET, "/containers", { "after", "go on behind this id" } },
        { HTTP_GET, "/containers", { "fields", "only these members, comma-separated" } },
        { HTTP_GET, "/containers", { "all", "1: stopped ones, too, as without it" } },
        { HTTP_GET, "/containers/log", { "ids", "of these gears, comma-separated" } },
        { HTTP_GET, "/service/log", { "instance", "only this one: a number from 1 on" } },
        { HTTP_PUT, "/service/log", { "instance", "only this one: a number from 1 on" } },
        { HTTP_GET, "/jobs", { "state", "only jobs in this state" } },
        { HTTP_GET, "/jobs", { "name", "only jobs whose id matches this glob pattern" } },
        { HTTP_GET, "/jobs", { "limit", "at most so many" } },
        { HTTP_GET, "/jobs", { "after", "go on behind this id" } },
        { HTTP_GET, "/content", { "format", "zip, tar or tar.gz; zip by default" } },
        { HTTP_GET, "/content/{ref*}", { "format", "zip, tar or tar.gz; zip by default" } },
        { HTTP_GET, "/repository/content", { "format", "zip, tar or tar.gz; zip by default" } },
        { HTTP_GET, "/repository/content/{ref*}", { "format", "zip, tar or tar.gz; zip by default" } },
        { HTTP_GET, "/git/info/refs", { "service", "git-upload-pack or git-receive-pack" } },
        { HTTP_GET, "/audit", { "since", "a time like 2031-12-31T23:59:59Z, -1h, yesterday, or seconds since 1970" } },
        { HTTP_GET, "/audit", { "until", "the same" } },
        { HTTP_GET, "/audit", { "principal", "only what was asked for by this key, uid:N, test" } },
        { HTTP_GET, "/audit", { "user", "only what was asked for this user" } },
        { HTTP_GET, "/audit", { "resource", "only what was about this gear" } },
        { HTTP_GET, "/audit", { "request", "only the request with this id" } },
        { HTTP_GET, "/audit", { "verb", "only created, deleted, started, refused ..." } },
        { HTTP_GET, "/audit", { "code", "only what was answered with at least this status" } },
        { HTTP_GET, "/audit", { "before", "newest first, and only before this number; that is the default" } },
        { HTTP_GET, "/audit", { "after", "oldest first, and only behind this number" } },
        { HTTP_GET, "/audit", { "limit", "at most so many; 100 by default" } },
        { HTTP_GET, "/audit", { "follow", "yes: go on with what comes, behind after or the newest there is" } },
};
/* clang-format on */

/* Of every call that answers a log. */
/* clang-format off */
static const struct parameter of_logs[] = {
        { "tail", "the last so many lines first, or all; 100 by default" },
        { "since", "a time like 2031-12-31T23:59:59Z, -1h, yesterday, or seconds since 1970" },
        { "until", "the same" },
        { "cursor", "go on behind this one; Last-Event-ID counts before it" },
        { "grep", "only lines that match this Perl-compatible expression" },
        { "priority", "only what is at least as urgent: 0 to 7, or emerg to debug" },
        { "follow", "no: end where the log ends; yes by default" },
        { "timeout", "end after so many seconds, 30 by default; 0: never" },
};
/* clang-format on */

static const struct parameter wait = { "wait", "seconds until a 202 is answered instead" };

static const struct parameter claims[] = {
        { "i", "the claim i: the request id" },
        { "d", "the claim d: seconds since 1970" },
        { "u", "the claim u: the user" },
        { "t", "the claim t: the image" },
        { "r", "the claim r: which gear" },
};

bool pattern_is_call(const char *pattern, const char *call)
{
        const char *id = strstr(pattern, "/{id}");
        size_t n = id ? (size_t) (id - pattern) : 0;

        return id ? strncmp(pattern, call, n) == 0 && streq(pattern + n + strlen("/{id}"), call + n)
                  : streq(pattern, call);
}

static bool is_log(const struct route *route)
{
        return streq_null(route->right, "log.read");
}

static bool is_of(size_t i, const struct route *route)
{
        return parameters[i].method == route->method &&
               pattern_is_call(route->pattern, parameters[i].call);
}

const struct parameter *parameters_of(const struct route *route, bool claimed, size_t n)
{
        for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
                if (is_of(i, route) && n-- == 0)
                        return &parameters[i].parameter;
        if (is_log(route)) {
                if (n < ARRAY_SIZE(of_logs))
                        return &of_logs[n];
                n -= ARRAY_SIZE(of_logs);
        }
        if (route->flags & ROUTE_CHANGE && n-- == 0)
                return &wait;
        return claimed && n < ARRAY_SIZE(claims) ? &claims[n] : NULL;
}

/* One of parameters_of(), with every call: the name is looked at first, and few of the rows have it. */
static bool is_known(const struct call *call, const char *name)
{
        const struct route *route = call->match.route;
        bool claimed = call->match.token || call->who.kind == WHO_TOKEN;

        for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
                if (streq(parameters[i].parameter.name, name) && is_of(i, route))
                        return true;
        for (size_t i = 0; is_log(route) && i < ARRAY_SIZE(of_logs); i++)
                if (streq(of_logs[i].name, name))
                        return true;
        for (size_t i = 0; claimed && i < ARRAY_SIZE(claims); i++)
                if (streq(claims[i].name, name))
                        return true;
        return route->flags & ROUTE_CHANGE && streq(wait.name, name);
}

int parameters_check(const struct call *call, struct fault *f)
{
        const struct http_request *request = call->request;

        for (size_t i = 0; i < request->n_params; i++) {
                _cleanup_text_ struct text quoted = { 0 };

                if (is_known(call, request->params[i].name))
                        continue;
                json_out(&quoted, request->params[i].name);
                return fault_set(f, FAULT_INVALID, request->params[i].name,
                                 "unknown parameter %s in the query", text_ok(&quoted) ? quoted.data : "");
        }
        return 0;
}
