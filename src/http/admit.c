/* SPDX-License-Identifier: Apache-2.0 */

/* What the head alone decides, before a byte of the body is read. */

#include "http/connection.h"

enum http_refusal connection_judge_head(const struct connection *c, const char **ret_origin)
{
        const struct reply *r = c->reply;
        struct origin_policy policy = c->listener->policy;
        enum http_refusal why;

        policy.guard_host = policy.guard_host || c->near;
        policy.guard_origin = policy.guard_origin || c->near;
        why = origin_check(&policy, &r->request, ret_origin);
        if (why == HTTP_FINE && !r->uploads && r->framing.content_length > c->server->limits.body_max)
                why = HTTP_LONG_BODY;
        return why;
}

/*
 * Whoever is refused may have sent the body all the same (RFC 9110 10.1.1 lets
 * a client give up waiting), so the connection ends with that answer.
 */
bool connection_may_send_body(struct connection *c)
{
        bool keep_alive = c->keep_alive, client_closes = c->client_closes;
        struct server *s = c->server;
        struct reply *r = c->reply;

        if (!r->framing.expect_continue || !s->hooks.head)
                return true;
        r->request.body = NULL;
        r->request.body_len = (size_t) r->framing.content_length;
        c->state = CONNECTION_REPLY;
        c->keep_alive = false;
        c->client_closes = false;
        if (!s->hooks.head(s->hooks.arg, &r->request, r)) {
                s->stats.requests++;
                return false;
        }
        c->keep_alive = keep_alive;
        c->client_closes = client_closes;
        return true;
}
