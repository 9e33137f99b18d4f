/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * HTTP out, asynchronously: curl's multi interface on the loop, over TCP or a
 * unix socket.  Only http and https, no redirects, no proxies from the
 * environment.
 */

#include "sys/loop.h"

struct fetch;
struct fetch_op;

struct fetch_request {
        const char *method;        /* "GET", "POST", "DELETE" … */
        const char *url;
        const char *unix_socket;   /* NULL: TCP */
        const void *body;          /* copied */
        size_t body_len;
        const char *content_type;  /* of the body; NULL for none */
        const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
        uint64_t connect_usec;     /* 0: 5 s */
        uint64_t total_usec;       /* 0: no limit (streams) */
        uint64_t silence_usec;     /* fail when nothing arrives for so long; 0: never */
        size_t answer_max;         /* a longer body fails with -EFBIG; streams are not counted */
        /* Once the answer's head is there, before any of its body; optional. */
        void (*head)(void *arg, int status);
        /* Streams: each piece as it arrives; return false to end it early (-ECANCELED). */
        bool (*piece)(void *arg, int status, const char *bytes, size_t len);
};

struct fetch_answer {
        /*
         * 0, or negative errno: the connection, not the status.  -ETIMEDOUT: one
         * of the three limits; -EFBIG, -ECANCELED: as said above.
         */
        int error;
        char reason[256];          /* curl's words for the error */
        int status;
        const char *body;          /* NUL-terminated; empty for streams */
        size_t len;
};

struct fetch *fetch_new(struct loop *l);
struct fetch *fetch_free(struct fetch *f); /* cancels what is running */
DEFINE_CLEANUP(struct fetch, fetch_free);

/*
 * `done` runs exactly once, never inside this call, unless the op is cancelled
 * first; the handle is no longer valid in it.  Inside `head` and `piece` any op may be
 * started or cancelled, but the fetch not freed.  NULL when out of memory.
 */
struct fetch_op *fetch_start(struct fetch *f, const struct fetch_request *request,
                             void (*done)(void *arg, const struct fetch_answer *answer), void *arg);
struct fetch_op *fetch_cancel(struct fetch_op *op);
/* In `head' or `piece': a header of the answer, NULL when it has none of that name; until they return. */
const char *fetch_header(const struct fetch_op *op, const char *name);
