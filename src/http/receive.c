/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a client sends: one head after the other, each with its body, until a
 * whole request can be handed out or one has to be refused.
 */

#include "http/connection.h"

#include <sys/uio.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#define LINGER_BODIES 4 /* in a linger at most so many bodies of the largest size are read */

static struct evbuffer *input_of(const struct connection *c)
{
        return bufferevent_get_input(c->socket);
}

void connection_refuse(struct connection *c, enum http_refusal why)
{
        c->server->stats.refused++;
        if (!c->reply) {
                c->reply = reply_new(c);
                if (!c->reply) {
                        connection_close(c);
                        return;
                }
        }
        c->keep_alive = false;
        c->client_closes = false;
        c->state = CONNECTION_REPLY;
        c->reply->refusal = why;
        reply_refuse(c->reply, &c->server->limits);
}

static void dispatch(struct connection *c)
{
        struct server *s = c->server;
        struct reply *r = c->reply;

        c->state = CONNECTION_REPLY;
        c->deadline = CONNECTION_NEVER;
        c->probed = false;
        r->dispatched = true;
        s->stats.requests++;
        s->stats.replies++;
        s->hooks.request(s->hooks.arg, &r->request, r);
        if (c->reply == r && c->half_closed && c->socket)
                connection_look_by(c, clock_usec() + CONNECTION_LOOK_USEC);
}

void connection_ask_for_body(struct connection *c)
{
        struct iovec interim = { (void *) "HTTP/1.1 100 Continue\r\n\r\n", 25 };

        if (connection_unread(c) == 0)
                connection_write(c, &interim, 1);
}

static void begin_body(struct connection *c)
{
        struct reply *r = c->reply;
        enum http_refusal why;

        if (!connection_may_send_body(c))
                return;
        why = reply_reserve_body(r, (size_t) r->framing.content_length);
        if (why != HTTP_FINE) {
                connection_refuse(c, why);
                return;
        }
        c->body_have = 0;
        c->state = CONNECTION_BODY;
        if (r->framing.expect_continue)
                connection_ask_for_body(c);
        connection_set_deadline(c, clock_usec() + c->server->limits.body_usec);
}

/* A head that parsed. */
static void admit(struct connection *c)
{
        struct reply *r = c->reply;
        const char *origin;
        enum http_refusal why = connection_judge_head(c, &origin);

        if (origin)
                reply_allow_origin(r, origin);
        if (why != HTTP_FINE) {
                connection_refuse(c, why);
                return;
        }
        r->request.body = "";
        r->request.body_len = 0;
        if (r->uploads) {
                upload_prepare(r);
                dispatch(c);
        } else if (r->framing.content_length > 0) {
                begin_body(c);
        } else if (origin && origin_is_preflight(&r->request)) {
                c->state = CONNECTION_REPLY;
                reply_preflight(r);
        } else {
                dispatch(c);
        }
}

static bool is_upload(const struct connection *c)
{
        const struct server_hooks *hooks = &c->server->hooks;

        return hooks->streams && hooks->streams(hooks->arg, &c->reply->request);
}

/* Moves a complete head out of the input and takes it apart. */
static void take_head(struct connection *c, size_t len)
{
        struct reply *r = reply_new(c);
        enum http_refusal why;

        if (!r) {
                connection_close(c);
                return;
        }
        c->reply = r;
        if (!reply_reserve_head(r, len + http_head_scratch(len))) {
                connection_refuse(c, HTTP_NO_MEMORY);
                return;
        }
        (void) evbuffer_remove(input_of(c), r->head, len);
        c->scanned = 0;
        c->n_requests++;
        why = http_head_parse(r->head, len, &r->request, &r->framing);
        r->request.peer = &c->peer;
        r->request.listener = c->listener->tag;
        c->keep_alive = r->framing.keep_alive;
        c->client_closes = !r->framing.keep_alive;
        if (why == HTTP_FINE || why == HTTP_CHUNKED)
                r->uploads = is_upload(c);
        if (why == HTTP_CHUNKED && r->uploads)
                why = HTTP_FINE;
        if (why != HTTP_FINE)
                connection_refuse(c, why);
        else
                admit(c);
}

/* Both return whether there may be more to do. */
static bool read_head(struct connection *c)
{
        size_t max = c->server->limits.head_max, have = connection_unread(c), len;
        size_t look = have < max + 1 ? have : max + 1;
        enum http_refusal why;
        const char *bytes;

        if (have == 0)
                return false;
        bytes = (const char *) evbuffer_pullup(input_of(c), (ev_ssize_t) look);
        if (!bytes) {
                connection_close(c);
                return false;
        }
        why = http_head_find(bytes, look, &c->scanned, &len);
        if (why == HTTP_FINE && (len > max || (len == 0 && look > max)))
                why = memchr(bytes, '\n', look) ? HTTP_LONG_HEAD : HTTP_LONG_TARGET;
        if (why != HTTP_FINE) {
                connection_refuse(c, why);
                return true;
        }
        if (len > 0) {
                take_head(c, len);
                return true;
        }
        if (c->half_closed) {
                connection_refuse(c, HTTP_CUT_SHORT);
        } else if (c->state == CONNECTION_IDLE) {
                c->state = CONNECTION_HEAD;
                /* The first head has its time since accept. */
                if (c->n_requests > 0)
                        connection_set_deadline(c, clock_usec() + c->server->limits.head_usec);
        }
        return false;
}

static bool read_body(struct connection *c)
{
        struct reply *r = c->reply;
        size_t want = r->request.body_len - c->body_have;
        int n = evbuffer_remove(input_of(c), r->body + c->body_have, want);

        if (n > 0)
                c->body_have += (size_t) n;
        if (c->body_have < r->request.body_len) {
                if (c->half_closed)
                        connection_refuse(c, HTTP_CUT_SHORT);
                return false;
        }
        r->body[c->body_have] = '\0';
        dispatch(c);
        return true;
}

static void read_linger(struct connection *c)
{
        size_t n = connection_unread(c);

        c->lingered += n;
        (void) evbuffer_drain(input_of(c), n);
        if (c->lingered > LINGER_BODIES * c->server->limits.body_max)
                connection_close(c);
}

/*
 * At a watermark libevent would stop in the middle of a TLS record, whose rest no
 * event ever tells of.  So it reads what has been decrypted, and no more until the
 * input is used up.
 */
static void hold_back(struct connection *c)
{
        bool reads = bufferevent_get_enabled(c->socket) & EV_READ, may = connection_unread(c) <= c->server->limits.head_max;

        if (reads && !may)
                (void) bufferevent_disable(c->socket, EV_READ);
        else if (!reads && may)
                (void) bufferevent_enable(c->socket, EV_READ);
}

void connection_advance(struct connection *c)
{
        bool more = true;

        while (more && c->socket) {
                switch (c->state) {
                case CONNECTION_IDLE:
                case CONNECTION_HEAD:
                        more = read_head(c);
                        break;
                case CONNECTION_BODY:
                        more = read_body(c);
                        break;
                case CONNECTION_LINGER:
                        read_linger(c);
                        more = false;
                        break;
                case CONNECTION_REPLY:
                        more = c->reply && upload_advance(c);
                        break;
                case CONNECTION_HANDSHAKE:
                case CONNECTION_FLUSH:
                        more = false;
                        break;
                }
        }
        if (c->socket && c->listener->tls)
                hold_back(c);
}
