/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A body that its handler takes as it comes: whole pieces of what has arrived, no
 * faster than the handler wants them.  What it does not want yet stays in the
 * connection's bounded input, and behind that with the client.
 */

#include "http/connection.h"

#include <assert.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#define PIECE_MAX 16384

bool upload_is_due(const struct reply *r)
{
        return r->uploads && r->upload.due;
}

void upload_prepare(struct reply *r)
{
        r->upload.due = r->framing.chunked || r->framing.content_length > 0;
        r->upload.left = r->framing.content_length;
}

/* What there is, from the loop, as if it had just arrived. */
static void want(struct reply *r)
{
        struct connection *c = r->connection;

        if (r->upload.over)
                return;
        r->upload.wanted = true;
        r->upload.moved_at = clock_usec();
        if (!c->socket)
                return;
        connection_look_by(c, r->upload.moved_at + c->server->limits.stuck_usec / 8);
        bufferevent_trigger(c->socket, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void reply_receive(struct reply *r, const struct upload_hooks *hooks)
{
        assert(r->uploads && !r->upload.hooks.bytes);
        r->upload.hooks = *hooks;
        if (r->framing.expect_continue && r->connection->socket)
                connection_ask_for_body(r->connection);
        want(r);
}

void reply_receive_more(struct reply *r)
{
        want(r);
}

bool upload_has_stalled(const struct reply *r, uint64_t now, uint64_t stuck_usec)
{
        return now - r->upload.moved_at >= stuck_usec;
}

/* Leaves the data alone in the piece. How many of its bytes are done with; -EBADMSG. */
static ssize_t unchunk(struct upload *u, char *piece, size_t n, size_t *ret_n)
{
        size_t at = 0;

        *ret_n = 0;
        while (at < n && u->due) {
                const char *run = NULL;
                size_t n_run;
                ssize_t used = chunked_read(&u->chunked, piece + at, n - at, &run, &n_run);

                if (used < 0)
                        return used;
                if (n_run > 0)
                        memmove(piece + *ret_n, run, n_run);
                *ret_n += n_run;
                at += (size_t) used;
                u->due = !chunked_ended(&u->chunked);
        }
        return (ssize_t) at;
}

static ssize_t cut(struct upload *u, size_t n, size_t *ret_n)
{
        *ret_n = n < u->left ? n : (size_t) u->left;
        u->left -= *ret_n;
        u->due = u->left > 0;
        return (ssize_t) *ret_n;
}

static void end(struct upload *u, bool whole)
{
        u->wanted = false;
        u->over = true;
        u->hooks.end(u->hooks.arg, whole);
}

/* The hook may end the reply, and with it all that is of the upload. */
static bool pass_on(struct connection *c)
{
        struct evbuffer *input = bufferevent_get_input(c->socket);
        struct reply *r = c->reply;
        struct upload *u = &r->upload;
        char piece[PIECE_MAX];
        ssize_t n = evbuffer_copyout(input, piece, sizeof piece), used;
        size_t n_data = 0;

        if (n < 0)
                return false;
        used = r->framing.chunked ? unchunk(u, piece, (size_t) n, &n_data) : cut(u, (size_t) n, &n_data);
        if (used < 0) {
                end(u, false);
                return c->state != CONNECTION_REPLY;
        }
        u->moved_at = clock_usec();
        (void) evbuffer_drain(input, (size_t) used);
        if (n_data > 0) {
                bool more = u->hooks.bytes(u->hooks.arg, piece, n_data);

                if (c->reply != r)
                        return c->state != CONNECTION_REPLY;
                u->wanted = more;
        }
        return u->wanted;
}

bool upload_advance(struct connection *c)
{
        struct upload *u = &c->reply->upload;

        if (!u->wanted)
                return false;
        if (u->due && connection_unread(c) > 0)
                return pass_on(c);
        if (!u->due || c->half_closed)
                end(u, !u->due);
        return c->state != CONNECTION_REPLY;
}
