/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The request target: origin-form only, every byte visible ASCII, the path
 * split at '/' and each part decoded once, the query as names and values.  A
 * decoded slash stays inside its segment (an image name in a path needs it).
 */

#include "http/parse.h"

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* Decodes s[0..n) to *out, ends it with NUL and moves *out behind that. */
static enum http_refusal decode(const char *s, size_t n, bool plus_is_blank, char **out)
{
        char *o = *out;

        for (size_t i = 0; i < n; i++) {
                int high, low;

                if (s[i] != '%') {
                        *o++ = s[i] == '+' && plus_is_blank ? ' ' : s[i];
                        continue;
                }
                if (n - i < 3)
                        return HTTP_BAD_ESCAPE;
                high = hex_digit(s[i + 1]);
                low = hex_digit(s[i + 2]);
                if (high < 0 || low < 0 || high + low == 0)
                        return HTTP_BAD_ESCAPE;
                *o++ = (char) (high << 4 | low);
                i += 2;
        }
        *o++ = '\0';
        *out = o;
        return HTTP_FINE;
}

/*
 * Empty, or with a "." or ".." between slashes: a decoded slash must not bring
 * back what the split at the plain ones kept out.
 */
static bool segment_is_bad(const char *s)
{
        if (!*s)
                return true;
        for (;;) {
                size_t n = strcspn(s, "/");

                if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
                        return true;
                if (!s[n])
                        return false;
                s += n + 1;
        }
}

/* path[0..n) starts with its slash. */
static enum http_refusal split_path(const char *path, size_t n, char **scratch, struct http_request *ret)
{
        const char *end = path + n, *p = path + 1;

        if (n == 1)
                return HTTP_FINE;
        for (;;) {
                const char *slash = memchr(p, '/', (size_t) (end - p));
                const char *stop = slash ? slash : end;
                const char *segment = *scratch;
                enum http_refusal r;

                if (ret->n_segments == HTTP_SEGMENTS_MAX)
                        return HTTP_MANY_SEGMENTS;
                r = decode(p, (size_t) (stop - p), false, scratch);
                if (r != HTTP_FINE)
                        return r;
                if (segment_is_bad(segment))
                        return HTTP_BAD_SEGMENT;
                ret->segments[ret->n_segments++] = segment;
                ret->segments[ret->n_segments] = NULL;
                if (!slash)
                        return HTTP_FINE;
                p = slash + 1;
        }
}

static enum http_refusal add_param(const char *pair, size_t n, char **scratch, struct http_request *ret)
{
        const char *equals = memchr(pair, '=', n), *name = *scratch, *value = "";
        size_t name_len = equals ? (size_t) (equals - pair) : n;
        enum http_refusal r;

        if (ret->n_params == HTTP_PARAMS_MAX)
                return HTTP_MANY_PARAMS;
        if (name_len == 0)
                return HTTP_BAD_QUERY;
        r = decode(pair, name_len, true, scratch);
        if (r != HTTP_FINE)
                return r;
        if (equals) {
                value = *scratch;
                r = decode(equals + 1, n - name_len - 1, true, scratch);
                if (r != HTTP_FINE)
                        return r;
        }
        if (http_param(ret, name))
                return HTTP_DOUBLE_PARAM;
        ret->params[ret->n_params++] = (struct http_field){ name, value };
        return HTTP_FINE;
}

/* "i=1&t=a%2fb&q": pairs between '&', empty ones passed over. */
static enum http_refusal split_query(const char *query, char *scratch, struct http_request *ret)
{
        for (const char *p = query; *p;) {
                size_t n = strcspn(p, "&");

                if (n > 0) {
                        enum http_refusal r = add_param(p, n, &scratch, ret);

                        if (r != HTTP_FINE)
                                return r;
                }
                p += n + (p[n] == '&');
        }
        return HTTP_FINE;
}

/*
 * The scratch suffices: every segment and every name or value gives up the
 * separator before or behind it and gains a NUL, and decoding only shortens.
 */
enum http_refusal http_target_parse(char *target, size_t len, char *scratch, struct http_request *ret)
{
        char *question;
        size_t path_len;
        enum http_refusal r;

        if (len == 0 || target[0] != '/')
                return HTTP_BAD_TARGET;
        for (size_t i = 0; i < len; i++)
                if (target[i] < 0x21 || target[i] > 0x7e || target[i] == '#' || target[i] == '\\')
                        return HTTP_BAD_TARGET;

        question = memchr(target, '?', len);
        path_len = question ? (size_t) (question - target) : len;
        target[len] = '\0';
        target[path_len] = '\0';
        r = split_path(target, path_len, &scratch, ret);
        if (r != HTTP_FINE) {
                ret->n_segments = 0;
                ret->segments[0] = NULL;
                return r;
        }
        /* Only now is it known where a token would stand in it, which must not be logged. */
        ret->target = target;
        ret->query_raw = question ? question + 1 : "";
        return split_query(ret->query_raw, scratch, ret);
}
