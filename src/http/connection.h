/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One client's connection, from accept to close.  It reads one request at a
 * time, hands it out, and reads the next once the answer has left; what arrives
 * in between waits, bounded.  The object outlives its socket for as long as a
 * reply is open, so that handlers never hold a dangling pointer.
 */

#include "http/server-private.h"

struct iovec;

#define CONNECTION_NEVER UINT64_MAX
/* A client that has half-closed is looked at so soon, and so often; by then it usually has its answer. */
#define CONNECTION_LOOK_USEC 1000000

enum connection_state {
        CONNECTION_HANDSHAKE, /* TLS, before the first plain byte */
        CONNECTION_IDLE,      /* between requests, not a byte of the next one seen */
        CONNECTION_HEAD,      /* a head has begun */
        CONNECTION_BODY,
        CONNECTION_REPLY,     /* the request is with a handler */
        CONNECTION_FLUSH,     /* the reply ended, its bytes are still leaving */
        CONNECTION_LINGER,    /* we said all; what the client still sends is dropped */
};

struct connection {
        struct server *server;          /* NULL once the server is gone */
        struct listener *listener;
        struct bufferevent *socket;     /* NULL once closed */
        struct event *timer;
        struct reply *reply;            /* open from a complete head to the reply's end */
        enum connection_state state;
        uint64_t deadline;              /* of this state */
        uint64_t timer_at;              /* when the timer fires; never later than the deadline */
        uint64_t taken, taken_at;       /* the client's progress, as last seen, and when */
        int64_t unread;                 /* what a client that seems stuck has not read of it; -1: unknown */
        uint64_t queued;                /* bytes given to the socket or its buffer so far */
        size_t scanned;                 /* bytes of input known to hold no end of a head */
        size_t body_have;
        size_t lingered;
        unsigned n_requests;
        unsigned busy;                  /* calls into us that still need this object */
        bool keep_alive;
        bool client_closes;             /* it asked for the close, so it sends nothing more */
        bool half_closed;               /* the client's end of file was seen */
        bool probed;
        bool near;                      /* it came from or to a loopback address, whatever its listener's is */
        struct address_key address;
        struct peer peer;
        LIST_ENTRY(connection) all, same_address;
};

/* Takes over the descriptor, also when it fails. */
int connection_open(struct listener *l, int fd, const struct peer *peer, const struct address_key *address);

/* Sends now what the socket takes and queues the rest. */
void connection_write(struct connection *c, const struct iovec *parts, size_t n);
size_t connection_pending(const struct connection *c); /* bytes queued */

/* For reply.c: it will be a stream; it has ended and c->reply was let go; it must end abruptly. */
void connection_begin_stream(struct connection *c);
void connection_reply_ended(struct connection *c);
void connection_break(struct connection *c, bool reset);
/* Has `gone` called from the loop, for a client that left before anybody asked. */
void connection_tell_gone_soon(struct connection *c);

/* For server.c: closes now when idle, else after the reply; closes without any callback. */
void connection_drain(struct connection *c);
void connection_abandon(struct connection *c);

/* Between connection.c and receive.c: does what there is to do with what has arrived. */
void connection_advance(struct connection *c);
/* Answers in our own name and closes: after a refusal nobody knows where the next request starts. */
void connection_refuse(struct connection *c, enum http_refusal why);
/* The socket goes; the object stays for as long as somebody needs it. */
void connection_close(struct connection *c);

/* For upload.c: says that a client that waits to be asked may send its body. */
void connection_ask_for_body(struct connection *c);

/* Between receive.c and admit.c: may this page and this size go on? For ret_origin see origin.h. */
enum http_refusal connection_judge_head(const struct connection *c, const char **ret_origin);
/* false: a client that asked first was answered that it need not send its body. */
bool connection_may_send_body(struct connection *c);

/* Between connection.c and watch.c. */
int connection_fd(const struct connection *c);
size_t connection_unread(const struct connection *c);
/* The client is gone. A request it sent completely goes on; one still arriving ends here. */
void connection_lose(struct connection *c);
/*
 * A later deadline leaves the timer alone: it looks again when it fires.  So a
 * busy connection touches its timer once per deadline, not once per request.
 */
void connection_set_deadline(struct connection *c, uint64_t at);
void connection_look_by(struct connection *c, uint64_t at); /* not later than that */

bool connection_has_hung_up(const struct connection *c);
/* Pipelined input has filled its bound, so that reading, and with it the end of file, is suspended. */
bool connection_is_deaf(const struct connection *c);
/* Waiting for the client to take something, from now on if it was not before. */
void connection_watch_progress(struct connection *c);
/* In CONNECTION_REPLY and CONNECTION_FLUSH, when the deadline has come: looks, and sets the next one. */
void connection_look_after(struct connection *c, uint64_t now);
