/* SPDX-License-Identifier: Apache-2.0 */

/*
 * While an answer is being made or is leaving: is the client still there, and is
 * it taking what is sent?
 *
 * Departure.  A reset, a failed write and the hang-up of a unix socket say for
 * certain that the client is gone.  An end of file does not: `nc -N` and every
 * client that shuts down its sending side after the request still wants its
 * answer, and to TCP a closed socket looks the same until something is sent to
 * it.  So something is sent, once, that no client minds: an HTTP/1.1 client
 * that waits for a head gets an interim 100 (RFC 9110 15.2 lets us), one that
 * waits for a chunk gets a leading zero of the next chunk's size (RFC 9112 7.1
 * lets us).  A closed socket answers with a reset.  What cannot be told: whether
 * an HTTP/1.0 client that has sent its end of file is still there, before the
 * next byte of its answer is written.  Over TLS an end of file ends the
 * connection.
 *
 * Stuck clients.  Progress is what left our buffer and what left the kernel's;
 * a client is cut off when neither moved for stuck_usec.  TCP itself reports a
 * very slow reader's progress in steps of about one segment.  Of a client on this
 * host the kernel knows more (http/unread); one behind a network that takes less
 * than a segment in stuck_usec looks stuck to anybody.
 */

#include "http/connection.h"
#include "http/unread.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <linux/sockios.h>

/* A number that changes whenever the client has taken a byte. */
static uint64_t bytes_taken(const struct connection *c, int *ret_in_kernel)
{
        int in_kernel = 0;

        if (ioctl(connection_fd(c), SIOCOUTQ, &in_kernel) < 0)
                in_kernel = 0;
        *ret_in_kernel = in_kernel;
        return c->queued - connection_pending(c) - (uint64_t) in_kernel;
}

void connection_watch_progress(struct connection *c)
{
        uint64_t now = clock_usec(), next = now + c->server->limits.stuck_usec / 8;

        if (c->taken_at == 0) {
                int in_kernel;

                c->taken = bytes_taken(c, &in_kernel);
                c->taken_at = now;
        }
        connection_look_by(c, next);
}

/* It seems to be stuck: does it read all the same? */
static bool reads_slowly(struct connection *c)
{
        int64_t before = c->unread;

        c->unread = c->peer.loopback || c->peer.kind == PEER_UNIX ? unread_by_peer(connection_fd(c)) : -1;
        return c->unread >= 0 && before >= 0 && c->unread < before;
}

static bool is_stuck(struct connection *c, uint64_t now)
{
        int in_kernel;
        uint64_t taken = bytes_taken(c, &in_kernel);

        if (taken != c->taken || (connection_pending(c) == 0 && in_kernel == 0)) {
                c->taken = taken;
                c->taken_at = now;
                c->unread = -1;
        } else if (now - c->taken_at >= c->server->limits.stuck_usec / 2 && reads_slowly(c)) {
                c->taken_at = now;
        }
        return now - c->taken_at >= c->server->limits.stuck_usec;
}

bool connection_has_hung_up(const struct connection *c)
{
        struct pollfd p = { .fd = connection_fd(c), .events = POLLRDHUP };

        return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR);
}

bool connection_is_deaf(const struct connection *c)
{
        return connection_unread(c) > c->server->limits.head_max;
}

static void probe(struct connection *c)
{
        struct iovec interim = { (void *) "HTTP/1.1 100 Continue\r\n\r\n", 25 };
        struct iovec zero = { (void *) "0", 1 };
        struct reply *r = c->reply;

        c->probed = true;
        if (r->request.minor_version == 0 || connection_pending(c) > 0)
                return;
        if (!r->begun)
                connection_write(c, &interim, 1);
        else if (r->chunked)
                connection_write(c, &zero, 1);
}

void connection_look_after(struct connection *c, uint64_t now)
{
        bool answering = c->state == CONNECTION_REPLY;
        bool receiving = answering && upload_is_due(c->reply) && c->reply->upload.wanted;
        bool streaming = answering && c->reply->begun;
        uint64_t next = CONNECTION_NEVER, stuck = c->server->limits.stuck_usec, step = stuck / 8;

        if (answering && c->half_closed && !c->probed)
                probe(c);
        if (answering && (c->half_closed || connection_is_deaf(c))) {
                if (connection_has_hung_up(c)) {
                        connection_lose(c);
                        return;
                }
                next = now + CONNECTION_LOOK_USEC;
        }
        if (receiving && upload_has_stalled(c->reply, now, stuck)) {
                connection_lose(c);
                return;
        }
        if (receiving && now + step < next)
                next = now + step;
        if (streaming || connection_pending(c) > 0) {
                if (is_stuck(c, now)) {
                        connection_lose(c);
                        return;
                }
                if (now + step < next)
                        next = now + step;
        } else {
                c->taken_at = 0;
        }
        c->deadline = CONNECTION_NEVER;
        connection_set_deadline(c, next);
}
