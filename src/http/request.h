/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request as the handlers see it: parsed, bounded, decoded once, with the
 * whole body in memory.  A plain value that names no socket, so that the part
 * in front of it could live in another process.  Valid until the reply ends.
 */

#include "util/base.h"

#include <sys/types.h>

enum http_method {
        HTTP_GET,
        HTTP_HEAD,
        HTTP_PUT,
        HTTP_POST,
        HTTP_PATCH,
        HTTP_DELETE,
        HTTP_OPTIONS,
        HTTP_OTHER, /* a valid token that is none of these: 405 or 501 */
};

#define HTTP_HEADERS_MAX 64
#define HTTP_SEGMENTS_MAX 32
#define HTTP_PARAMS_MAX 64

struct http_field {
        const char *name;  /* headers: as sent; look up without regard to case */
        const char *value; /* headers: blanks trimmed; query: decoded */
};

enum peer_kind { PEER_TCP, PEER_UNIX };

struct peer {
        enum peer_kind kind;
        bool loopback;         /* TCP from 127.0.0.0/8 or ::1 */
        bool tls;
        char address[64];      /* "127.0.0.1:51234", "[::1]:80", "uid=0 pid=12" */
        uid_t uid;             /* PEER_UNIX only, as are these three */
        gid_t gid;
        pid_t pid;
        gid_t groups[64];      /* supplementary groups (SO_PEERGROUPS) */
        size_t n_groups;
        char certificate[65];  /* SHA-256 of a verified client certificate, hex; "" if none */
        char **names;          /* that it is for: "dns:…", "uri:…", "email:…"; NULL for none */
};

struct http_request {
        enum http_method method;
        const char *method_name;
        int minor_version;                /* HTTP/1.x */

        const char *target;               /* the request target as sent, without the query */
        const char *query_raw;            /* after the '?', "" if none */
        const char *segments[HTTP_SEGMENTS_MAX + 1]; /* the path, split at '/', each decoded once */
        size_t n_segments;
        struct http_field params[HTTP_PARAMS_MAX];   /* the query, each name at most once */
        size_t n_params;
        struct http_field headers[HTTP_HEADERS_MAX];
        size_t n_headers;

        const char *body;                 /* NUL-terminated behind body_len for convenience */
        size_t body_len;

        const struct peer *peer;
        const void *listener;             /* the opaque tag given to server_listen() */
};

/* NULL where absent. */
const char *http_header(const struct http_request *r, const char *name);
const char *http_param(const struct http_request *r, const char *name);

/* By its Accept: JSON, or problems of it, at least as much as text. Without one, and for wildcards: text. */
bool http_prefers_json(const struct http_request *r);

/* By its If-None-Match: does the client have what this tag, quotes included, stands for? */
bool http_has_tag(const struct http_request *r, const char *tag);

/* By its Accept-Encoding, in which it has to be named. */
bool http_accepts_gzip(const struct http_request *r);
