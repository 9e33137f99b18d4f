/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A scripted HTTP server on a unix socket, in the loop of the test itself: it
 * answers by a table and can be slow, cut its answers anywhere, die midway or
 * say nothing.
 */

#include "sys/loop.h"

enum fake_after {
        FAKE_KEEP,  /* wait for the next request, unless the answer said `Connection: close` */
        FAKE_CLOSE, /* hang up */
        FAKE_OPEN,  /* leave it so: the client waits */
};

struct fake_reply {
        const char *match; /* beginning of "METHOD /target"; a row with NULL ends the table */
        const char *bytes; /* the answer, head and all; "" says nothing */
        enum fake_after after;
        size_t piece;        /* so many bytes per turn of the loop; 0: all at once */
        uint64_t delay_usec; /* before the first byte */
};

struct fake_http;

/* The table is borrowed and may be replaced at any time. */
struct fake_http *fake_http_new(struct loop *l, const struct fake_reply *table);
struct fake_http *fake_http_free(struct fake_http *s);
const char *fake_http_path(const struct fake_http *s);
void fake_http_script(struct fake_http *s, const struct fake_reply *table);
/* More bytes on every open connection whose request matched so. */
void fake_http_push(struct fake_http *s, const char *match, const char *bytes);
/* Closes every connection. */
void fake_http_hang_up(struct fake_http *s);
unsigned fake_http_accepted(const struct fake_http *s); /* connections so far */
unsigned fake_http_open(const struct fake_http *s);     /* connections now */
/* How many requests began so, and the last such head. */
unsigned fake_http_count(const struct fake_http *s, const char *match);
const char *fake_http_last(const struct fake_http *s);

/* A whole answer with Content-Length, and the head of one in chunks. */
#define FAKE_OK "HTTP/1.1 200 OK\r\n"
#define FAKE_STREAM FAKE_OK "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
