/* SPDX-License-Identifier: Apache-2.0 */

#include "http/origin.h"

#include <strings.h>

/* "name:80" → length of "name"; "[::1]:80" → length of "[::1]". */
static size_t host_name_len(const char *host)
{
        return *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
}

/* An address cannot be a DNS name that somebody else answers for. */
static bool is_address(const char *host, size_t len)
{
        return *host == '[' || strspn(host, "0123456789.") == len;
}

static bool same_name(const char *host, size_t len, const char *name)
{
        return strlen(name) == len && strncasecmp(host, name, len) == 0;
}

static bool host_is_ours(const struct origin_policy *p, const char *host)
{
        size_t len = host_name_len(host);

        if (is_address(host, len) || same_name(host, len, "localhost"))
                return true;
        for (char **h = p->hosts; h && *h; h++)
                if (same_name(host, len, *h))
                        return true;
        return false;
}

/* Did a page that came from this very address make the request? */
static bool is_own_origin(const struct origin_policy *p, const struct http_request *r, const char *origin)
{
        const char *host = http_header(r, "Host"), *scheme = p->tls ? "https://" : "http://";

        return host && strncasecmp(origin, scheme, strlen(scheme)) == 0 &&
               strcasecmp(origin + strlen(scheme), host) == 0;
}

static bool is_listed(const struct origin_policy *p, const char *origin)
{
        for (char **o = p->origins; o && *o; o++)
                if (strcasecmp(*o, origin) == 0)
                        return true;
        return false;
}

/* The test token is no secret, so it does not show that the page was let in. */
static bool has_credentials(const struct http_request *r)
{
        return http_header(r, "Authorization") ||
               (r->n_segments >= 2 && streq(r->segments[0], "token") && !streq(r->segments[1], "__test__"));
}

static bool only_reads(const struct http_request *r)
{
        return r->method == HTTP_GET || r->method == HTTP_HEAD;
}

/*
 * Images, forms and links of other sites send no Origin with a GET, but today's
 * browsers say where such a request came from.  Following a link to the front
 * page is harmless; some of the GETs below it are not.
 */
static bool is_foreign_fetch(const struct http_request *r)
{
        const char *site = http_header(r, "Sec-Fetch-Site");

        return site && (streq(site, "cross-site") || streq(site, "same-site")) && r->n_segments > 0;
}

enum http_refusal origin_check(const struct origin_policy *p, const struct http_request *r,
                               const char **ret_origin)
{
        const char *host = http_header(r, "Host"), *origin = http_header(r, "Origin");
        bool foreign;

        *ret_origin = NULL;
        if (p->guard_host && host && !host_is_ours(p, host))
                return HTTP_FOREIGN_HOST;
        if (origin && is_listed(p, origin)) {
                *ret_origin = origin;
                return HTTP_FINE;
        }
        if (!p->guard_origin)
                return HTTP_FINE;
        foreign = origin ? !is_own_origin(p, r, origin) : is_foreign_fetch(r);
        if (foreign && !(only_reads(r) && has_credentials(r)))
                return HTTP_FOREIGN_ORIGIN;
        return HTTP_FINE;
}

bool origin_is_preflight(const struct http_request *r)
{
        return r->method == HTTP_OPTIONS && http_header(r, "Origin") &&
               http_header(r, "Access-Control-Request-Method");
}
