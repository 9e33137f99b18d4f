/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What server.c, connection.c and reply.c share, and nobody else sees. */

#include "http/chunked.h"
#include "http/origin.h"
#include "http/server.h"
#include "util/text.h"

#include <sys/queue.h>
#include <time.h>

#define ADDRESS_BUCKETS 256
#define SPARE_REPLIES 32
#define BODIES_MAX 64 /* the bodies of all requests together may be so many of the largest size */

struct bufferevent;
struct connection;
struct event;
struct evconnlistener;
struct tls;

/* Who counts as one client: an IPv4 address, or the /64 an IPv6 address is in. */
struct address_key {
        unsigned char bytes[8];
};

static inline size_t address_bucket(const struct address_key *k)
{
        uint64_t n;

        memcpy(&n, k->bytes, sizeof n);
        return (size_t) (n * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

struct listener {
        struct server *server;
        struct evconnlistener *event;
        struct tls *tls;
        struct origin_policy policy;
        const void *tag;
        char *socket_path;              /* a unix socket that we made and remove */
        LIST_ENTRY(listener) all;
};

LIST_HEAD(connection_list, connection);

struct server {
        struct event_base *base;
        struct server_limits limits;
        struct server_hooks hooks;
        struct server_stats stats;
        LIST_HEAD(, listener) listeners;
        struct connection_list connections;
        struct connection_list by_address[ADDRESS_BUCKETS];
        struct reply *spares[SPARE_REPLIES]; /* so that a busy server does not allocate */
        size_t n_spares;
        size_t body_bytes;              /* of all requests that are open */
        struct event *resume;           /* listening again after descriptors ran out */
        time_t date_second;
        char date[40];                  /* of that second, for Date: */
        bool draining;
};

/* A body that its handler takes as it comes. */
struct upload {
        struct upload_hooks hooks;
        struct chunked chunked;
        uint64_t left;                  /* of Content-Length */
        uint64_t moved_at;              /* when the last of it came, or was asked for */
        bool wanted;                    /* by the handler */
        bool due;                       /* not all of it was read */
        bool over;                      /* the handler was told its end */
};

/* The answer, and the request it is for: one allocation, used again and again. */
struct reply {
        struct http_request request;
        struct http_framing framing;
        struct connection *connection;
        char *head;                     /* as read; then the decoded path and query */
        size_t head_size;
        char *body;
        bool uploads;                   /* … comes by: */
        struct upload upload;
        struct text extra;              /* header lines that the handler added */
        char request_id[64];
        void (*drained)(void *arg);
        void (*gone)(void *arg);
        void *watch_arg;
        enum http_refusal refusal;
        uint64_t started_usec;
        uint64_t bytes;
        int status;
        bool dispatched;                /* counted in the statistics as being answered */
        bool begun;
        bool chunked;                   /* a stream whose client can read chunks */
        bool bodiless;                  /* HEAD, 204, 304: whatever is written is dropped */
        bool full;                      /* reply_write() said stop; drained is owed */
        bool sets_cache_control;
        bool client_left;
        bool gzipped, gzip_begun, gzip_broken;
        struct gzip_body gzip;          /* what was written */
};

/* For a request of which nothing is known yet. NULL when out of memory. */
struct reply *reply_new(struct connection *c);
bool reply_reserve_head(struct reply *r, size_t size); /* false when out of memory */
enum http_refusal reply_reserve_body(struct reply *r, size_t len);
struct reply *reply_recycle(struct server *s, struct reply *r); /* s may be NULL; returns NULL */
struct reply *reply_destroy(struct reply *r);
/* Answers in the server's own name: one sentence, as text or as a problem. */
void reply_refuse(struct reply *r, const struct server_limits *limits);
/* Lets the page that the request came from read the answer. */
void reply_allow_origin(struct reply *r, const char *origin);
/* Answers a browser that asks what the pages of an allowed origin may do. */
void reply_preflight(struct reply *r);

/* upload.c: is there a body of which not all was read? */
bool upload_is_due(const struct reply *r);
void upload_prepare(struct reply *r);
/* Passes on what has arrived; true if there may be more to do. */
bool upload_advance(struct connection *c);
/* Nothing of it came although it was wanted. */
bool upload_has_stalled(const struct reply *r, uint64_t now, uint64_t stuck_usec);

const char *server_date(struct server *s);
void server_account(struct server *s, const struct reply *r); /* statistics and the access line */

static inline uint64_t clock_usec(void)
{
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}
