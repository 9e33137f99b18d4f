/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What stands between a browser's other tabs and a daemon that trusts its peers
 * by where they connect from: a name that an attacker's DNS points at
 * this machine (Host), and requests that a page of another site makes (Origin).
 * Pure.
 */

#include "http/parse.h"

struct origin_policy {
        bool guard_host;    /* the connection is one of this machine with itself */
        bool guard_origin;  /* the same, or the listener knows clients by certificate */
        bool tls;
        char **hosts;       /* names allowed in Host beside localhost and addresses */
        char **origins;     /* allowed beside our own */
};

/*
 * HTTP_FINE, HTTP_FOREIGN_HOST or HTTP_FOREIGN_ORIGIN.  *ret_origin is the
 * request's Origin where its page may read the answer (CORS), else NULL.
 */
enum http_refusal origin_check(const struct origin_policy *p, const struct http_request *r,
                               const char **ret_origin);

/* An OPTIONS request by which a browser asks what a page may do. */
bool origin_is_preflight(const struct http_request *r);
