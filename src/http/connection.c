/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The life of a connection: opening, writing, time, closing.  What is read of it
 * is receive.c's business, and whether the client is still there watch.c's.
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

int connection_fd(const struct connection *c)
{
        return bufferevent_getfd(c->socket);
}

size_t connection_unread(const struct connection *c)
{
        return evbuffer_get_length(bufferevent_get_input(c->socket));
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

void connection_close(struct connection *c)
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

        connection_close(c);
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

        connection_close(c);
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
                connection_refuse(c, HTTP_CUT_SHORT);
        } else if (c->state == CONNECTION_REPLY) {
                connection_look_by(c, clock_usec() + (c->reply->begun ? 0 : CONNECTION_LOOK_USEC));
                connection_advance(c);
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
                connection_close(c);
                return;
        }
        c->state = CONNECTION_LINGER;
        if (c->listener->tls)
                tls_goodbye(c->socket);
        else
                (void) shutdown(connection_fd(c), SHUT_WR);
        connection_set_deadline(c, clock_usec() + LINGER_USEC);
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
                connection_close(c);
        } else {
                linger(c);
        }
}

void connection_drain(struct connection *c)
{
        if (c->state == CONNECTION_IDLE && connection_unread(c) == 0) {
                connection_close(c);
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
                connection_close(c);
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

/* Called by the reply's last act, from a handler or from within connection_advance(). */
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

/* --- what the loop calls ---------------------------------------------------- */

static void on_readable(struct bufferevent *socket _unused_, void *arg)
{
        struct connection *c = arg;

        c->busy++;
        connection_advance(c);
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
        connection_advance(c);
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
                connection_close(c);
                break;
        case CONNECTION_HEAD:
                connection_refuse(c, HTTP_SLOW_HEAD);
                break;
        case CONNECTION_BODY:
                connection_refuse(c, HTTP_SLOW_BODY);
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
        /* One byte above the largest head: enough to know that a head is too large. For TLS see hold_back(). */
        if (!l->tls)
                bufferevent_setwatermark(c->socket, EV_READ, 0, s->limits.head_max + 1);
        (void) bufferevent_enable(c->socket, EV_READ | EV_WRITE);
        connection_set_deadline(c, clock_usec() + s->limits.head_usec);
        LIST_INSERT_HEAD(&s->connections, c, all);
        LIST_INSERT_HEAD(&s->by_address[address_bucket(address)], c, same_address);
        s->stats.connections++;
        return 0;
}
