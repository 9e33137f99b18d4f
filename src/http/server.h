/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Listeners, connections and their deadlines: bytes in, struct http_request
 * out, replies back.  The only place beside sys/loop that knows libevent.
 * The program must ignore SIGPIPE.
 */

#include "http/reply.h"
#include "http/request.h"
#include "util/fault.h"

struct event_base;
struct server;

struct server_limits {
        size_t head_max;              /* request line and headers, bytes */
        size_t body_max;
        size_t pending_max;           /* bytes of output queued before reply_write() says stop */
        unsigned connections_max;
        unsigned per_address_max;     /* 0: no cap; never applied to unix sockets */
        unsigned requests_per_connection;
        uint64_t head_usec;           /* absolute, from the first byte (or accept) to the end of the head */
        uint64_t body_usec;           /* absolute, for the body */
        uint64_t idle_usec;           /* keep-alive without a byte */
        uint64_t stuck_usec;          /* the client took no byte while output waited */
};
extern const struct server_limits server_limits_default;

struct server_access {                /* one finished request, for the access line */
        const struct peer *peer;
        const char *method;           /* "-" if the head never parsed */
        const char *target;           /* path with any token redacted; query never included */
        const char *request_id;       /* "" if none was settled on */
        const char *refusal;          /* why the server itself refused, or NULL */
        int status;
        uint64_t bytes;
        uint64_t usec;
};

struct server_hooks {
        /* A complete request. Must lead to exactly one end of the reply, now or later. */
        void (*request)(void *arg, const struct http_request *request, struct reply *reply);
        void (*access)(void *arg, const struct server_access *access);
        /*
         * The client waits with its body until it is asked for it (Expect:
         * 100-continue).  True: it is, and `request` follows once it is there.
         * False: the reply was ended, from the head alone, whose body is NULL
         * and body_len what was announced.  NULL: every body is asked for.
         */
        bool (*head)(void *arg, const struct http_request *request, struct reply *reply);
        /*
         * Does this one's handler take the body as it comes, however long or
         * chunked it is (reply_receive)?  `request' then follows the head at
         * once.  NULL: none does.
         */
        bool (*streams)(void *arg, const struct http_request *request);
        void *arg;
};

struct server_stats {
        unsigned connections;
        unsigned replies;             /* requests not yet answered */
        uint64_t accepted;
        uint64_t requests;
        uint64_t refused;             /* by the parser or a limit */
        uint64_t responses_by_class[6];
};

struct listen_options {
        const char *address;          /* "127.0.0.1:2223", "[::1]:2223", "/run/geard/geard.sock" */
        int fd;                       /* an inherited listening socket, or -1 to make one */
        mode_t mode;                  /* unix sockets that we make: */
        const char *group;            /*   mode and group, NULL to leave them */
        const char *certificate;      /* TLS: PEM paths */
        const char *key;
        const char *client_ca;        /* mutual TLS: clients must show a certificate of it */
        const char *const *origins;   /* browsers' origins allowed beside our own; NULL-terminated or NULL */
        const char *const *hosts;     /* accepted in Host on loopback connections, beside localhost */
        const void *tag;              /* handed back as http_request.listener */
};

struct server *server_new(struct event_base *base, const struct server_limits *limits,
                          const struct server_hooks *hooks);
/* Address in use, bad certificate …: the fault says which. On success an inherited fd is ours. */
int server_listen(struct server *s, const struct listen_options *options, struct fault *f);

/* Stops accepting and tells keep-alive connections to close after their reply. */
void server_drain(struct server *s);
bool server_idle(const struct server *s); /* no request is being answered */
void server_get_stats(const struct server *s, struct server_stats *ret);
/* Replies still open count as gone, without their callback, and must still be ended. */
struct server *server_free(struct server *s);
DEFINE_CLEANUP(struct server, server_free);
