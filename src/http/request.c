/* SPDX-License-Identifier: Apache-2.0 */

#include "http/request.h"

#include <strings.h>

const char *http_header(const struct http_request *r, const char *name)
{
        for (size_t i = 0; i < r->n_headers; i++)
                if (strcasecmp(r->headers[i].name, name) == 0)
                        return r->headers[i].value;
        return NULL;
}

const char *http_param(const struct http_request *r, const char *name)
{
        for (size_t i = 0; i < r->n_params; i++)
                if (streq(r->params[i].name, name))
                        return r->params[i].value;
        return NULL;
}

/* --- Accept ------------------------------------------------------------------- */

#define WEIGHT_ONE 1000

/* "0.25" → 250.  Digits beyond the third, which RFC 9110 12.4.2 does not allow, count for nothing. */
static int read_weight(const char *s)
{
        int weight = *s == '1' ? WEIGHT_ONE : 0, digit = WEIGHT_ONE / 10;

        if (weight == 0 && s[0] == '0' && s[1] == '.')
                for (s += 2; *s >= '0' && *s <= '9'; s++, digit /= 10)
                        weight += (*s - '0') * digit;
        return weight;
}

/* range[0..n) is "type/subtype;name=value ; q=0.5": how much it is liked. */
static int weight_of(const char *range, size_t n)
{
        for (const char *p = range, *end = range + n; p && p < end; p = memchr(p, ';', (size_t) (end - p))) {
                if (*p == ';')
                        p++;
                p += strspn(p, " \t");
                if (end - p > 2 && (p[0] == 'q' || p[0] == 'Q') && p[1] == '=')
                        return read_weight(p + 2);
        }
        return WEIGHT_ONE;
}

/* -1: the list does not name the type. */
static int accept_weight(const char *accept, const char *type)
{
        size_t want = strlen(type), n;
        int found = -1;

        for (const char *p = accept; *p; p += n + (p[n] == ',')) {
                p += strspn(p, " \t");
                n = strcspn(p, ",");
                if (strcspn(p, ",; \t") == want && strncasecmp(p, type, want) == 0)
                        found = weight_of(p, n);
        }
        return found;
}

bool http_prefers_json(const struct http_request *r)
{
        const char *accept = http_header(r, "Accept");
        int json, problem;

        if (!accept)
                return false;
        json = accept_weight(accept, "application/json");
        problem = accept_weight(accept, "application/problem+json");
        if (problem > json)
                json = problem;
        return json > 0 && json >= accept_weight(accept, "text/plain");
}

bool http_has_tag(const struct http_request *r, const char *tag)
{
        const char *known = http_header(r, "If-None-Match");

        return known && (streq(known, "*") || strstr(known, tag));
}

bool http_accepts_gzip(const struct http_request *r)
{
        const char *accept = http_header(r, "Accept-Encoding");

        return accept && accept_weight(accept, "gzip") > 0;
}
