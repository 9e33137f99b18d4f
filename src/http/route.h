/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Routes are data: one const table per resource, joined by the api layer.
 * A pattern is literal segments and {names}: "/container/{id}/started".
 * A literal segment wins over a {name} at the same place.  {name*} at the end
 * stands for one segment or more.
 */

#include "http/request.h"

struct call; /* the api layer's; http only carries the pointer */

enum route_flags {
        ROUTE_TOKEN = 1 << 0,   /* only below /token/<token>/: what it acts on comes from the claims */
        ROUTE_OPEN = 1 << 1,    /* needs no credentials at all (healthz) */
        ROUTE_BODY = 1 << 2,    /* reads a body */
        ROUTE_CHANGE = 1 << 3,  /* changes something: has a request id, is de-duplicated */
        ROUTE_STREAM = 1 << 4,  /* may answer with a stream */
        ROUTE_UPLOAD = 1 << 5,  /* takes its body as it comes: reply_receive() */
};

struct route {
        enum http_method method;
        const char *pattern;
        void (*handler)(struct call *call);
        const char *right;     /* "gear.read"; NULL with ROUTE_OPEN, or where the handler knows which */
        unsigned flags;
        const char *summary;   /* one line for /openapi.json */
};

struct route_table {
        const struct route *routes;
        size_t n_routes;
};

#define ROUTE_PARAMS_MAX 4

struct route_match {
        const struct route *route;    /* NULL: see the two below */
        bool path_known;              /* 405 rather than 404 */
        unsigned allowed;             /* bit per enum http_method, for Allow: */
        struct http_field params[ROUTE_PARAMS_MAX]; /* names run to a }: see route_param() */
        size_t n_params;
        const char *token;            /* the path token, or NULL */
        size_t rest;                  /* the first of the request's segments that {name*} stands for */
};

/*
 * Finds the route for a request.  "/token/<t>/…" matches every route with the
 * prefix taken off; without the prefix ROUTE_TOKEN rows are passed over.  HEAD
 * matches GET rows.
 */
void route_find(const struct route_table *tables, size_t n_tables,
                const struct http_request *request, struct route_match *ret);

const char *route_param(const struct route_match *m, const char *name);
