/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A strict HTTP/1.1 request head: bytes in, struct http_request out, in place.
 * Pure: no descriptors, no clock, no libevent, no allocation.  What is not
 * plainly right is refused, because whatever two parsers read differently is a
 * way to smuggle a request past one of them.
 */

#include "http/request.h"

/* Why a request is refused. Every one but HTTP_FINE ends the connection. */
enum http_refusal {
        HTTP_FINE,
        HTTP_BAD_METHOD,        /* not a token, or no blank after it */
        HTTP_UNKNOWN_METHOD,    /* a token, but not one that is served: TRACE, CONNECT, … */
        HTTP_BAD_TARGET,        /* not origin-form, or a byte that cannot stand there */
        HTTP_LONG_TARGET,
        HTTP_BAD_VERSION,
        HTTP_OTHER_VERSION,     /* HTTP/x.y, but neither 1.0 nor 1.1 */
        HTTP_BAD_ESCAPE,        /* % without two hex digits, or %00 */
        HTTP_BAD_SEGMENT,       /* empty, "." or ".." in the path */
        HTTP_MANY_SEGMENTS,
        HTTP_BAD_QUERY,         /* a value without a name */
        HTTP_DOUBLE_PARAM,
        HTTP_MANY_PARAMS,
        HTTP_BARE_LF,
        HTTP_BAD_HEADER_NAME,
        HTTP_BAD_HEADER_VALUE,
        HTTP_FOLDED_HEADER,
        HTTP_DOUBLE_HEADER,     /* one that may stand only once */
        HTTP_MANY_HEADERS,
        HTTP_LONG_HEAD,
        HTTP_NO_HOST,
        HTTP_BAD_HOST,
        HTTP_BAD_LENGTH,        /* Content-Length is not 1–10 digits */
        HTTP_LENGTH_AND_CODING, /* both Content-Length and Transfer-Encoding */
        HTTP_BAD_CODING,        /* Transfer-Encoding as a list, twice, or in HTTP/1.0 */
        HTTP_UNKNOWN_CODING,
        HTTP_CHUNKED,           /* exactly "chunked": for those that stream a body */
        HTTP_HEAD_WITH_BODY,
        HTTP_BAD_EXPECT,
        HTTP_LONG_BODY,
        HTTP_CUT_SHORT,         /* the client stopped sending in the middle */
        HTTP_SLOW_HEAD,
        HTTP_SLOW_BODY,
        HTTP_FOREIGN_HOST,
        HTTP_FOREIGN_ORIGIN,
        HTTP_MANY_BODIES,       /* of other requests, in memory at this moment */
        HTTP_NO_MEMORY,
        _HTTP_REFUSAL_MAX,
};

/* The status to answer with, and one sentence without a final stop. */
int http_refusal_status(enum http_refusal r);
const char *http_refusal_sentence(enum http_refusal r);
/* "long-head": the refusal's own name, for logs and tables. */
const char *http_refusal_name(enum http_refusal r);

#define HTTP_TARGET_MAX 8192

/* What the head says about the bytes behind it and the connection under it. */
struct http_framing {
        uint64_t content_length; /* 0 where there is none */
        bool chunked;
        bool keep_alive;
        bool expect_continue;
};

/*
 * Looks for the end of the head in the bytes that have arrived.  *scanned (0 at
 * first) remembers how far earlier calls came, so that a head that trickles in
 * is read once.  With HTTP_FINE *ret_len is the head's length, the empty line
 * included, or 0 while more is needed; anything else already condemns it.
 */
enum http_refusal http_head_find(const char *bytes, size_t len, size_t *scanned, size_t *ret_len);

/* Room that http_head_parse() needs behind a head of this length. */
static inline size_t http_head_scratch(size_t len)
{
        return len + 4;
}

/*
 * Takes apart a complete head: `head` holds len bytes as found by
 * http_head_find() and then http_head_scratch(len) more.  Both are written to,
 * and `ret` points into them.  The body and the peer are the caller's to fill
 * in.  On a refusal `ret` holds what was understood so far, so that the refusal
 * can be logged and put into a form the client likes.
 *
 * HTTP_CHUNKED comes last, with everything else found fine and filled in: a
 * caller that can read a chunked body may go on from there.
 */
enum http_refusal http_head_parse(char *head, size_t len, struct http_request *ret,
                                  struct http_framing *ret_framing);

/*
 * The request target alone: checks it, splits it, decodes it once.  Rewrites
 * target[0..len) with the query cut off; needs len + 4 bytes of scratch, which
 * receive the decoded path and query.
 */
enum http_refusal http_target_parse(char *target, size_t len, char *scratch, struct http_request *ret);

/* Is the item in a comma-separated header value? Without regard to case. */
bool http_list_has(const char *list, const char *item);
