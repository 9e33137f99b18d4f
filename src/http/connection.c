/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The life of a connection: reading, handing out, writing, closing.  Whether the
 * client is still there meanwhile is watch.c's business.
 */

#include "http/connection.h"
#include "http/socket.h"
#include "http/tls.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#define LINGER_USEC 2000000
#define LINGER_BODIES 4 /* in a linger at most so many bodies of the largest size are read */

static void advance(struct connection *c);
static void refuse(struct connection *c, enum http_refusal why);

static struct evbuffer *input_of(const struct connection *c)
{
        return bufferevent_get_input(c->socket);
}

int connection_fd(const struct connection *c)
{
        return bufferevent_getfd(c->socket);
}

size_t connection_unread(const struct connection *c)
{
        return evbuffer_get_length(input_of(c));
}

size_t connection_pending(const struct connection *c)
{
        return c->socket ? evbuffer_get_length(bufferevent_get_output(c->socket)) : 0;
}

/* --- its memory ------------------------------------------------------------- */

static void release(struct connection *c)
{
        if (c->socket || c->reply || c->busy > 0)
                return;
        if (c->timer)
                event_free(c->timer);
        (void) strv_free(c->peer.names);
        free(c);
}

/* The socket goes; the object stays for as long as somebody needs it. */
static void close_socket(struct connection *c)
{
        if (!c->socket)
                return;
        if (c->listener->tls && c->state != CONNECTION_HANDSHAKE)
                tls_goodbye(c->socket);
        bufferevent_free(c->socket);
        c->socket = NULL;
        c->deadline = CONNECTION_NEVER;
        (void) event_del(c->timer);
        c->timer_at = CONNECTION_NEVER;
        LIST_REMOVE(c, all);
        LIST_REMOVE(c, same_address);
        c->server->stats.connections--;
}

void connection_lose(struct connection *c)
{
        struct reply *r = c->reply;

        close_socket(c);
        if (r && !r->dispatched) {
                c->reply = reply_recycle(c->server, r);
        } else if (r) {
                void (*gone)(void *arg) = r->gone;

                r->client_left = true;
                r->gone = NULL;
                if (gone)
                        gone(r->watch_arg);
        }
}

void connection_abandon(struct connection *c)
{
        struct reply *r = c->reply;

        close_socket(c);
        event_free(TAKE(c->timer));
        c->server = NULL;
        c->listener = NULL;
        if (r && !r->dispatched)
                c->reply = reply_destroy(r);
        release(c);
}

/* --- time ------------------------------------------------------------------- */

static void arm(struct connection *c, uint64_t now)
{
        uint64_t usec = c->deadline > now ? c->deadline - now : 0;
        struct timeval tv = { (time_t) (usec / 1000000), (suseconds_t) (usec % 1000000) };

        if (event_add(c->timer, &tv) == 0)
                c->timer_at = c->deadline;
}

void connection_set_deadline(struct connection *c, uint64_t at)
{
        c->deadline = at;
        if (at < c->timer_at)
                arm(c, clock_usec());
}

void connection_look_by(struct connection *c, uint64_t at)
{
        if (at < c->deadline)
                connection_set_deadline(c, at);
}

/* --- departure -------------------------------------------------------------- */

static void on_end_of_file(struct connection *c)
{
        c->half_closed = true;
        if (connection_has_hung_up(c) || c->listener->tls || c->state == CONNECTION_IDLE ||
            c->state == CONNECTION_LINGER || c->state == CONNECTION_HANDSHAKE) {
                connection_lose(c);
        } else if (c->state == CONNECTION_HEAD || c->state == CONNECTION_BODY) {
                refuse(c, HTTP_CUT_SHORT);
        } else if (c->state == CONNECTION_REPLY) {
                connection_look_by(c, clock_usec() + (c->reply->begun ? 0 : CONNECTION_LOOK_USEC));
        }
}

/* --- closing ---------------------------------------------------------------- */

/*
 * Closing a socket that holds unread input makes the kernel send a reset, which
 * may overtake the answer and erase it at the client.  So the sending side is
 * closed first, and what the client still had to say is read, for a while.
 */
static void linger(struct connection *c)
{
        if (c->half_closed) {
                close_socket(c);
                return;
        }
        c->state = CONNECTION_LINGER;
        if (c->listener->tls)
                tls_goodbye(c->socket);
        else
                (void) shutdown(connection_fd(c), SHUT_WR);
        connection_set_deadline(c, clock_usec() + LINGER_USEC);
}

static void read_linger(struct connection *c)
{
        size_t n = connection_unread(c);

        c->lingered += n;
        (void) evbuffer_drain(input_of(c), n);
        if (c->lingered > LINGER_BODIES * c->server->limits.body_max)
                close_socket(c);
}

/* The last byte of an answer has left our buffer. */
static void flushed(struct connection *c)
{
        c->taken_at = 0;
        if (c->server->draining)
                c->keep_alive = false;
        if (c->keep_alive && !(c->half_closed && connection_unread(c) == 0)) {
                c->state = CONNECTION_IDLE;
                c->scanned = 0;
                connection_set_deadline(c, clock_usec() + c->server->limits.idle_usec);
        } else if (c->client_closes && connection_unread(c) == 0) {
                close_socket(c);
        } else {
                linger(c);
        }
}

void connection_drain(struct connection *c)
{
        if (c->state == CONNECTION_IDLE && connection_unread(c) == 0) {
                close_socket(c);
                release(c);
        }
}

void connection_break(struct connection *c, bool reset)
{
        struct linger hard = { .l_onoff = 1, .l_linger = 0 };

        c->keep_alive = false;
        c->client_closes = true;
        if (reset)
                (void) setsockopt(connection_fd(c), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        if (reset || !c->reply->begun)
                close_socket(c);
}

/* --- writing ---------------------------------------------------------------- */

/* What the socket takes at once never sees a buffer: no copy, no event, no second turn of the loop. */
static size_t write_now(struct connection *c, const struct iovec *parts, size_t n)
{
        struct msghdr message = { .msg_iov = (struct iovec *) parts, .msg_iovlen = n };
        ssize_t sent;

        if (c->listener->tls || connection_pending(c) > 0)
                return 0;
        sent = sendmsg(connection_fd(c), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        /* An error other than a full socket meets libevent's own write again, which reports it. */
        return sent > 0 ? (size_t) sent : 0;
}

void connection_write(struct connection *c, const struct iovec *parts, size_t n)
{
        size_t sent = write_now(c, parts, n);
        struct evbuffer *output = bufferevent_get_output(c->socket);

        for (size_t i = 0; i < n; i++) {
                size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;

                c->queued += parts[i].iov_len;
                sent -= skip;
                if (skip == parts[i].iov_len)
                        continue;
                /* With a hole in it the stream is worthless: the loop will find the socket dead. */
                if (evbuffer_add(output, (const char *) parts[i].iov_base + skip, parts[i].iov_len - skip) <
                    0)
                        (void) shutdown(connection_fd(c), SHUT_RDWR);
        }
        if (connection_pending(c) > 0 && (c->state == CONNECTION_REPLY || c->state == CONNECTION_FLUSH))
                connection_watch_progress(c);
}

void connection_begin_stream(struct connection *c)
{
        bufferevent_setwatermark(c->socket, EV_WRITE, c->server->limits.pending_max / 4, 0);
        connection_watch_progress(c);
        /* An earlier probe could only ask about the head; now there are chunks to ask with. */
        c->probed = false;
        if (c->half_closed)
                connection_look_by(c, clock_usec());
}

void connection_tell_gone_soon(struct connection *c)
{
        event_active(c->timer, EV_TIMEOUT, 0);
}

/* Called by the reply's last act, from a handler or from within advance(). */
void connection_reply_ended(struct connection *c)
{
        if (!c->socket) {
                release(c);
                return;
        }
        bufferevent_setwatermark(c->socket, EV_WRITE, 0, 0);
        c->state = CONNECTION_FLUSH;
        c->deadline = CONNECTION_NEVER;
        if (connection_pending(c) > 0) {
                connection_watch_progress(c);
                return;
        }
        c->busy++;
        flushed(c);
        c->busy--;
        /* The next request must not be handled inside whatever ended this one. */
        if (c->socket && c->busy == 0 && connection_unread(c) > 0)
                bufferevent_trigger(c->socket, EV_READ,
                                    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
        release(c);
}

/* --- reading ---------------------------------------------------------------- */

/* Answers in our own name and closes: after a refusal nobody knows where the next request starts. */
static void refuse(struct connection *c, enum http_refusal why)
{
        c->server->stats.refused++;
        if (!c->reply) {
                c->reply = reply_new(c);
                if (!c->reply) {
                        close_socket(c);
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

static void begin_body(struct connection *c)
{
        struct reply *r = c->reply;
        struct iovec interim = { (void *) "HTTP/1.1 100 Continue\r\n\r\n", 25 };
        enum http_refusal why;

        if (!connection_may_send_body(c))
                return;
        why = reply_reserve_body(r, (size_t) r->framing.content_length);
        if (why != HTTP_FINE) {
                refuse(c, why);
                return;
        }
        c->body_have = 0;
        c->state = CONNECTION_BODY;
        if (r->framing.expect_continue && connection_unread(c) == 0)
                connection_write(c, &interim, 1);
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
                refuse(c, why);
                return;
        }
        r->request.body = "";
        r->request.body_len = 0;
        if (r->framing.content_length > 0) {
                begin_body(c);
        } else if (origin && origin_is_preflight(&r->request)) {
                c->state = CONNECTION_REPLY;
                reply_preflight(r);
        } else {
                dispatch(c);
        }
}

/* Moves a complete head out of the input and takes it apart. */
static void take_head(struct connection *c, size_t len)
{
        struct reply *r = reply_new(c);
        enum http_refusal why;

        if (!r) {
                close_socket(c);
                return;
        }
        c->reply = r;
        if (!reply_reserve_head(r, len + http_head_scratch(len))) {
                refuse(c, HTTP_NO_MEMORY);
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
        if (why != HTTP_FINE)
                refuse(c, why);
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
                close_socket(c);
                return false;
        }
        why = http_head_find(bytes, look, &c->scanned, &len);
        if (why == HTTP_FINE && (len > max || (len == 0 && look > max)))
                why = memchr(bytes, '\n', look) ? HTTP_LONG_HEAD : HTTP_LONG_TARGET;
        if (why != HTTP_FINE) {
                refuse(c, why);
                return true;
        }
        if (len > 0) {
                take_head(c, len);
                return true;
        }
        if (c->half_closed) {
                refuse(c, HTTP_CUT_SHORT);
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
                        refuse(c, HTTP_CUT_SHORT);
                return false;
        }
        r->body[c->body_have] = '\0';
        dispatch(c);
        return true;
}

static void advance(struct connection *c)
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
                case CONNECTION_HANDSHAKE:
                case CONNECTION_REPLY:
                case CONNECTION_FLUSH:
                        more = false;
                        break;
                }
        }
}

/* --- what the loop calls ---------------------------------------------------- */

static void on_readable(struct bufferevent *socket _unused_, void *arg)
{
        struct connection *c = arg;

        c->busy++;
        advance(c);
        if (c->socket && c->state == CONNECTION_REPLY && connection_is_deaf(c))
                connection_look_by(c, clock_usec() + CONNECTION_LOOK_USEC);
        c->busy--;
        release(c);
}

static void on_writable(struct bufferevent *socket _unused_, void *arg)
{
        struct connection *c = arg;
        struct reply *r = c->reply;

        c->busy++;
        if (c->state == CONNECTION_FLUSH && connection_pending(c) == 0) {
                flushed(c);
        } else if (c->state == CONNECTION_REPLY && r->full) {
                r->full = false;
                if (r->drained)
                        r->drained(r->watch_arg);
        }
        advance(c);
        c->busy--;
        release(c);
}

static void on_event(struct bufferevent *socket, short what, void *arg)
{
        struct connection *c = arg;

        c->busy++;
        if (what & BEV_EVENT_CONNECTED) {
                if (tls_peer_certificate(socket, &c->peer) < 0)
                        connection_lose(c);
                else
                        c->state = CONNECTION_IDLE;
        } else if (what & BEV_EVENT_EOF && !(what & BEV_EVENT_WRITING)) {
                on_end_of_file(c);
        } else {
                connection_lose(c);
        }
        c->busy--;
        release(c);
}

static void expire(struct connection *c, uint64_t now)
{
        switch (c->state) {
        case CONNECTION_HANDSHAKE:
        case CONNECTION_IDLE:
        case CONNECTION_LINGER:
                close_socket(c);
                break;
        case CONNECTION_HEAD:
                refuse(c, HTTP_SLOW_HEAD);
                break;
        case CONNECTION_BODY:
                refuse(c, HTTP_SLOW_BODY);
                break;
        case CONNECTION_REPLY:
        case CONNECTION_FLUSH:
                connection_look_after(c, now);
                break;
        }
}

static void on_timer(int fd _unused_, short what _unused_, void *arg)
{
        struct connection *c = arg;
        uint64_t now = clock_usec();

        c->timer_at = CONNECTION_NEVER;
        c->busy++;
        if (!c->socket) {
                connection_lose(c);
        } else if (c->deadline != CONNECTION_NEVER) {
                if (now < c->deadline)
                        arm(c, now);
                else
                        expire(c, now);
        }
        c->busy--;
        release(c);
}

int connection_open(struct listener *l, int fd, const struct peer *peer, const struct address_key *address)
{
        struct server *s = l->server;
        struct connection *c = calloc(1, sizeof *c);

        if (c)
                c->timer = event_new(s->base, -1, 0, on_timer, c);
        if (c && c->timer)
                c->socket = l->tls ? tls_accept(l->tls, s->base, fd)
                                   : bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
        if (!c || !c->timer || !c->socket) {
                if (c && c->timer)
                        event_free(c->timer);
                free(c);
                (void) close(fd);
                return -ENOMEM;
        }
        c->server = s;
        c->listener = l;
        c->peer = *peer;
        c->peer.tls = l->tls;
        c->near = peer->loopback || socket_is_at_loopback(fd);
        c->address = *address;
        c->state = l->tls ? CONNECTION_HANDSHAKE : CONNECTION_IDLE;
        c->timer_at = c->deadline = CONNECTION_NEVER;
        bufferevent_setcb(c->socket, on_readable, on_writable, on_event, c);
        /* One byte above the largest head: enough to know that a head is too large. */
        bufferevent_setwatermark(c->socket, EV_READ, 0, s->limits.head_max + 1);
        (void) bufferevent_enable(c->socket, EV_READ | EV_WRITE);
        connection_set_deadline(c, clock_usec() + s->limits.head_usec);
        LIST_INSERT_HEAD(&s->connections, c, all);
        LIST_INSERT_HEAD(&s->by_address[address_bucket(address)], c, same_address);
        s->stats.connections++;
        return 0;
}
