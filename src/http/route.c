/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finding the row for a request: first the pattern that fits the path most
 * literally, then, among the rows of that shape, the one with the method.  So a
 * path that a literal row owns never falls through to a {name} beside it.
 */

#include "http/route.h"

/* The part of a pattern up to its next slash. */
static size_t part_len(const char *part)
{
        return strcspn(part, "/");
}

static bool is_placeholder(const char *part)
{
        return *part == '{';
}

/* {name*} */
static bool is_rest(const char *part)
{
        size_t len = part_len(part);

        return is_placeholder(part) && len > 2 && part[len - 2] == '*';
}

/*
 * Does the pattern fit these segments?  *ret_rank then has a bit per literal
 * part, the first part the highest: more literal, and earlier, is larger.
 */
static bool fits(const char *pattern, const char *const *segments, size_t n, uint32_t *ret_rank)
{
        const char *part = pattern + 1;
        uint32_t rank = 0;

        for (size_t i = 0; i < n; i++) {
                size_t len = part_len(part);

                if (len == 0)
                        return false;
                if (is_rest(part)) {
                        *ret_rank = rank;
                        return true;
                }
                if (!is_placeholder(part)) {
                        if (strncmp(part, segments[i], len) != 0 || segments[i][len] != '\0')
                                return false;
                        rank |= UINT32_C(1) << (HTTP_SEGMENTS_MAX - 1 - i);
                }
                part += len;
                if (*part == '/')
                        part++;
        }
        if (*part)
                return false;
        *ret_rank = rank;
        return true;
}

static void take_params(struct route_match *m, const char *const *segments)
{
        const char *part = m->route->pattern + 1;

        for (size_t i = 0; *part; i++) {
                if (is_rest(part))
                        m->rest = i + (m->token ? 2 : 0);
                if (is_placeholder(part) && m->n_params < ROUTE_PARAMS_MAX)
                        m->params[m->n_params++] = (struct http_field){ part + 1, segments[i] };
                part += part_len(part);
                if (*part == '/')
                        part++;
        }
}

static bool serves(const struct route *route, enum http_method method)
{
        return route->method == method || (method == HTTP_HEAD && route->method == HTTP_GET);
}

static unsigned methods_of(const struct route *route)
{
        return 1U << route->method | (route->method == HTTP_GET ? 1U << HTTP_HEAD : 0);
}

void route_find(const struct route_table *tables, size_t n_tables, const struct http_request *request,
                struct route_match *ret)
{
        const char *const *segments = request->segments;
        size_t n = request->n_segments;
        uint32_t best = 0, rank;

        *ret = (struct route_match){ 0 };
        if (n >= 2 && streq(segments[0], "token")) {
                ret->token = segments[1];
                segments += 2;
                n -= 2;
        }

        for (size_t t = 0; t < n_tables; t++) {
                for (size_t i = 0; i < tables[t].n_routes; i++) {
                        const struct route *route = &tables[t].routes[i];

                        if ((route->flags & ROUTE_TOKEN && !ret->token) ||
                            !fits(route->pattern, segments, n, &rank) || (ret->path_known && rank < best))
                                continue;
                        if (!ret->path_known || rank > best) {
                                best = rank;
                                ret->path_known = true;
                                ret->allowed = 0;
                                ret->route = NULL;
                        }
                        ret->allowed |= methods_of(route);
                        if (!ret->route && serves(route, request->method))
                                ret->route = route;
                }
        }
        if (ret->route)
                take_params(ret, segments);
}

/* Names are compared up to the closing brace or the star before it: they point into the pattern. */
const char *route_param(const struct route_match *m, const char *name)
{
        size_t len = strlen(name);

        for (size_t i = 0; i < m->n_params; i++)
                if (strncmp(m->params[i].name, name, len) == 0 && strchr("*}", m->params[i].name[len]))
                        return m->params[i].value;
        return NULL;
}
