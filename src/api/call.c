/* SPDX-License-Identifier: Apache-2.0 */

#include "api/call.h"

#include "api/answer.h"
#include "api/audit.h"
#include "api/parameters.h"
#include "api/refusals.h"
#include "util/log.h"

#include <stdio.h>

/* The reason is for the journal and the audit trail; who is refused learns that he is, and nothing more. */
void call_refused(const struct call *call, const struct fault *fault)
{
        const struct http_request *q = call->request;
        const char *why = call->why[0] ? call->why : fault->text;
        bool access = fault->kind == FAULT_DENIED || fault->kind == FAULT_UNKNOWN_WHO;

        if (access && refusals_have_line(call->daemon->refusals))
                log_notice(LOG_FIELDS("GEARD_PEER", q->peer->address, "GEARD_METHOD", q->method_name, "GEARD_PRINCIPAL",
                                      call->who.principal[0] ? call->who.principal : NULL),
                           "refused a %s from %s: %s", q->method_name, q->peer->address, why);
        if (access || (call->match.route->flags & ROUTE_CHANGE))
                audit_refused(call, answer_status(fault), why);
}

/* --- reading a call ------------------------------------------------------------------------ */

int call_gear_id(struct call *call, const char **ret, struct fault *f)
{
        const char *id = route_param(&call->match, "id");
        int r;

        if (!id) {
                id = call->who.r;
                if (!id || !*id)
                        return fault_set(f, FAULT_INVALID, "r", "r: which gear is missing");
                r = gear_id_check(id, "r", f);
        } else {
                r = gear_id_check(id, "id", f);
                if (r == 0 && !access_covers(&call->who, id))
                        r = access_denied(call, "the token is for another gear", f);
        }
        if (r == 0)
                *ret = id;
        return r;
}

int call_body(struct call *call, struct json **ret, struct fault *f)
{
        struct json *json;

        *ret = NULL;
        if (call->request->body_len == 0)
                return 0;
        json = json_parse(call->request->body, call->request->body_len, "body", f);
        if (!json)
                return -EINVAL;
        *ret = json;
        return 0;
}

int call_flag(struct call *call, const char *name, bool *ret, struct fault *f)
{
        const char *value = http_param(call->request, name);

        if (!value) {
                *ret = false;
                return 0;
        }
        if (streq(value, "yes") || streq(value, "true") || streq(value, "1"))
                *ret = true;
        else if (streq(value, "no") || streq(value, "false") || streq(value, "0"))
                *ret = false;
        else
                return fault_set(f, FAULT_INVALID, name, "%s: yes or no is expected", name);
        return 0;
}

/* --- dispatch --------------------------------------------------------------------------------- */

static const char *method_name(unsigned bit)
{
        static const char *const names[] = {
                [HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_PUT] = "PUT",        [HTTP_POST] = "POST",
                [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
        };

        return bit < ARRAY_SIZE(names) ? names[bit] : NULL;
}

static void refuse_method(struct call *call)
{
        _cleanup_text_ struct text allow = { 0 };

        for (unsigned bit = 0; method_name(bit); bit++)
                if (call->match.allowed & (1U << bit))
                        text_addf(&allow, "%s%s", allow.len ? ", " : "", method_name(bit));
        if (text_ok(&allow) && allow.data)
                reply_header(call->reply, "Allow", allow.data);
        answer_problem(call, 405, "this path knows other methods, see the Allow header");
}

/* All that the head decides: the route, who asks, whether there may be a body. false: it was answered. */
static bool admit(struct call *call)
{
        struct daemon *d = call->daemon;
        const struct http_request *request = call->request;
        struct fault f;

        route_find(d->routes, d->n_routes, request, &call->match);
        if (!call->match.route) {
                if (call->match.path_known)
                        refuse_method(call);
                else
                        answer_problem(call, 404, "there is no such path");
                return false;
        }
        if (!(call->match.route->flags & ROUTE_OPEN) &&
            (access_identify(call, &f) < 0 || access_allows(call, &f) < 0)) {
                answer_fault(call, &f);
                return false;
        }
        if (d->draining && (call->match.route->flags & ROUTE_CHANGE)) {
                (void) fault_set(&f, FAULT_AWAY, NULL, "geard is stopping, try again in a moment");
                f.retry_after = 5;
                answer_fault(call, &f);
                return false;
        }
        if (parameters_check(call, &f) < 0) {
                answer_fault(call, &f);
                return false;
        }
        if (request->body_len > 0 && !(call->match.route->flags & ROUTE_BODY)) {
                (void) fault_set(&f, FAULT_INVALID, "body", "body: this call takes none");
                answer_fault(call, &f);
                return false;
        }
        return true;
}

bool call_head(void *arg, const struct http_request *request, struct reply *reply)
{
        struct call call = { .daemon = arg, .request = request, .reply = reply };

        return admit(&call);
}

bool call_streams(void *arg, const struct http_request *request)
{
        const struct daemon *d = arg;
        struct route_match match;

        route_find(d->routes, d->n_routes, request, &match);
        return match.route && match.route->flags & ROUTE_UPLOAD;
}

void call_dispatch(void *arg, const struct http_request *request, struct reply *reply)
{
        struct call call = { .daemon = arg, .request = request, .reply = reply };
        struct fault f;

        if (!admit(&call))
                return;
        if (access_allows_body(&call, &f) < 0)
                answer_fault(&call, &f);
        else
                call.match.route->handler(&call);
}
