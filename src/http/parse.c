/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The request line and the headers, byte by byte against allow-lists, and then
 * what they mean together: where the body ends and whether the connection
 * lives on.
 */

#include "http/parse.h"

#include <strings.h>

enum {
        IN_TOKEN = 1 << 0, /* RFC 9110 tchar: methods, header names */
        IN_VALUE = 1 << 1, /* header values: blank, tab, visible, obs-text */
        IN_HOST = 1 << 2,  /* a registered name or an IPv4 address */
};

static const unsigned char byte_class[256] = {
        ['\t'] = IN_VALUE,
        [' '] = IN_VALUE,
        ['!'] = IN_TOKEN | IN_VALUE,
        ['"'] = IN_VALUE,
        ['#' ... '\''] = IN_TOKEN | IN_VALUE,
        ['(' ... ')'] = IN_VALUE,
        ['*' ... '+'] = IN_TOKEN | IN_VALUE,
        [','] = IN_VALUE,
        ['-' ... '.'] = IN_TOKEN | IN_VALUE | IN_HOST,
        ['/'] = IN_VALUE,
        ['0' ... '9'] = IN_TOKEN | IN_VALUE | IN_HOST,
        [':' ... '@'] = IN_VALUE,
        ['A' ... 'Z'] = IN_TOKEN | IN_VALUE | IN_HOST,
        ['[' ... ']'] = IN_VALUE,
        ['^'] = IN_TOKEN | IN_VALUE,
        ['_'] = IN_TOKEN | IN_VALUE | IN_HOST,
        ['`'] = IN_TOKEN | IN_VALUE,
        ['a' ... 'z'] = IN_TOKEN | IN_VALUE | IN_HOST,
        ['{'] = IN_VALUE,
        ['|'] = IN_TOKEN | IN_VALUE,
        ['}'] = IN_VALUE,
        ['~'] = IN_TOKEN | IN_VALUE,
        [0x80 ... 0xff] = IN_VALUE,
};

static bool is_in(char c, unsigned class)
{
        return byte_class[(unsigned char) c] & class;
}

enum http_refusal http_head_find(const char *bytes, size_t len, size_t *scanned, size_t *ret_len)
{
        *ret_len = 0;
        if (len > 0 && !is_in(bytes[0], IN_TOKEN))
                return HTTP_BAD_METHOD;

        for (size_t i = *scanned; i < len;) {
                const char *lf = memchr(bytes + i, '\n', len - i);

                if (!lf)
                        break;
                i = (size_t) (lf - bytes) + 1;
                if (i < 2 || lf[-1] != '\r')
                        return HTTP_BARE_LF;
                if (i >= 4 && lf[-2] == '\n') {
                        *ret_len = i;
                        return HTTP_FINE;
                }
        }
        *scanned = len;
        return HTTP_FINE;
}

static enum http_method method_of(const char *name)
{
        static const char *const names[] = {
                [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",   [HTTP_PUT] = "PUT",
                [HTTP_POST] = "POST",       [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
                [HTTP_OPTIONS] = "OPTIONS",
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(name, names[i]))
                        return (enum http_method) i;
        return HTTP_OTHER;
}

/* "HTTP/1.1" and nothing else up to the end of the line. */
static enum http_refusal parse_version(const char *version, const char *end, struct http_request *ret)
{
        if (end - version != 8 || memcmp(version, "HTTP/", 5) != 0)
                return HTTP_BAD_VERSION;
        if (version[5] < '0' || version[5] > '9' || version[6] != '.' || version[7] < '0' ||
            version[7] > '9')
                return HTTP_BAD_VERSION;
        if (version[5] != '1' || version[7] > '1')
                return HTTP_OTHER_VERSION;
        ret->minor_version = version[7] - '0';
        return HTTP_FINE;
}

/*
 * line[0..end) without its CRLF, and end[0] may be written to.  The version is
 * looked at before the target is taken apart, which overwrites its end.
 */
static enum http_refusal parse_request_line(char *line, char *end, char *scratch, struct http_request *ret)
{
        char *target, *version, *p = line;
        enum http_refusal r;

        while (p < end && is_in(*p, IN_TOKEN))
                p++;
        if (p == line || p == end || *p != ' ')
                return HTTP_BAD_METHOD;
        *p = '\0';
        ret->method_name = line;
        ret->method = method_of(line);

        target = p + 1;
        p = memchr(target, ' ', (size_t) (end - target));
        if (!p)
                return HTTP_BAD_VERSION;
        version = p + 1;
        if (p - target > HTTP_TARGET_MAX)
                return HTTP_LONG_TARGET;
        r = parse_version(version, end, ret);
        if (r != HTTP_FINE)
                return r;
        return http_target_parse(target, (size_t) (p - target), scratch, ret);
}

/* One header line; line[0..end) without its CRLF, and end[0] may be written to. */
static enum http_refusal parse_header(char *line, char *end, struct http_field *ret)
{
        char *colon = line, *value;

        if (*line == ' ' || *line == '\t')
                return HTTP_FOLDED_HEADER;
        while (colon < end && is_in(*colon, IN_TOKEN))
                colon++;
        if (colon == line || colon == end || *colon != ':')
                return HTTP_BAD_HEADER_NAME;
        *colon = '\0';

        for (value = colon + 1; value < end && (*value == ' ' || *value == '\t');)
                value++;
        for (const char *p = value; p < end; p++)
                if (!is_in(*p, IN_VALUE))
                        return HTTP_BAD_HEADER_VALUE;
        while (end > value && end[-1] == ' ')
                end--;
        /* Parsers disagree on whether a tab there belongs to a Content-Length; nobody honest sends one. */
        if (end > value && end[-1] == '\t')
                return HTTP_BAD_HEADER_VALUE;
        *end = '\0';
        *ret = (struct http_field){ line, value };
        return HTTP_FINE;
}

/* The headers that mean something here, or that would be read two ways if they stood twice. */
enum once { HOST, LENGTH, CODING, EXPECT, AUTHORIZATION, ORIGIN, TYPE, ONCE_MAX };

struct known {
        const char *once[ONCE_MAX];
        bool close, keep_alive;
};

static enum http_refusal note_known(struct known *k, const struct http_field *h)
{
        static const char *const names[ONCE_MAX] = {
                [HOST] = "Host",         [LENGTH] = "Content-Length",       [CODING] = "Transfer-Encoding",
                [EXPECT] = "Expect",     [AUTHORIZATION] = "Authorization", [ORIGIN] = "Origin",
                [TYPE] = "Content-Type",
        };

        for (size_t i = 0; i < ONCE_MAX; i++) {
                if (strcasecmp(h->name, names[i]) != 0)
                        continue;
                if (k->once[i])
                        return HTTP_DOUBLE_HEADER;
                k->once[i] = h->value;
                return HTTP_FINE;
        }
        if (strcasecmp(h->name, "Connection") == 0) {
                k->close = k->close || http_list_has(h->value, "close");
                k->keep_alive = k->keep_alive || http_list_has(h->value, "keep-alive");
        }
        return HTTP_FINE;
}

/* p[0..end) is every line behind the request line, the empty one included. */
static enum http_refusal parse_headers(char *p, char *end, struct http_request *ret, struct known *ret_known)
{
        while (p < end - 2) {
                char *eol = memchr(p, '\n', (size_t) (end - p));
                enum http_refusal r;

                if (ret->n_headers == HTTP_HEADERS_MAX)
                        return HTTP_MANY_HEADERS;
                r = parse_header(p, eol - 1, &ret->headers[ret->n_headers]);
                if (r != HTTP_FINE)
                        return r;
                r = note_known(ret_known, &ret->headers[ret->n_headers++]);
                if (r != HTTP_FINE)
                        return r;
                p = eol + 1;
        }
        return HTTP_FINE;
}

/* name, 1.2.3.4 or [::1], then perhaps :port. */
static bool host_is_sane(const char *host)
{
        const char *p = host;
        size_t digits = 0;

        if (*p == '[') {
                p += 1 + strspn(p + 1, "0123456789abcdefABCDEF:.");
                if (*p++ != ']' || p - host < 4)
                        return false;
        } else {
                while (*p && is_in(*p, IN_HOST))
                        p++;
                if (p == host)
                        return false;
        }
        if (*p == ':')
                digits = strspn(++p, "0123456789");
        return digits <= 5 && p[digits] == '\0';
}

static enum http_refusal judge_length(const char *value, uint64_t *ret)
{
        uint64_t n = 0;
        size_t i;

        for (i = 0; value[i] >= '0' && value[i] <= '9' && i <= 10; i++)
                n = n * 10 + (uint64_t) (value[i] - '0');
        if (i == 0 || i > 10 || value[i])
                return HTTP_BAD_LENGTH;
        *ret = n;
        return HTTP_FINE;
}

static enum http_refusal judge_coding(const struct known *k, const struct http_request *r)
{
        const char *coding = k->once[CODING];

        if (k->once[LENGTH])
                return HTTP_LENGTH_AND_CODING;
        if (r->minor_version == 0 || !*coding)
                return HTTP_BAD_CODING;
        for (const char *p = coding; *p; p++)
                if (!is_in(*p, IN_TOKEN))
                        return HTTP_BAD_CODING;
        return strcasecmp(coding, "chunked") == 0 ? HTTP_FINE : HTTP_UNKNOWN_CODING;
}

/* What the request line and the headers mean together. */
static enum http_refusal judge(const struct known *k, const struct http_request *r, struct http_framing *ret)
{
        enum http_refusal why = HTTP_FINE;

        ret->keep_alive = !k->close && (r->minor_version == 1 || k->keep_alive);
        if (!k->once[HOST] && r->minor_version == 1)
                return HTTP_NO_HOST;
        if (k->once[HOST] && !host_is_sane(k->once[HOST]))
                return HTTP_BAD_HOST;
        if (k->once[CODING]) {
                why = judge_coding(k, r);
                ret->chunked = why == HTTP_FINE;
        } else if (k->once[LENGTH]) {
                why = judge_length(k->once[LENGTH], &ret->content_length);
        }
        if (why != HTTP_FINE)
                return why;
        if (r->method == HTTP_OTHER)
                return HTTP_UNKNOWN_METHOD;
        if (r->method == HTTP_HEAD && (ret->chunked || ret->content_length > 0))
                return HTTP_HEAD_WITH_BODY;
        /* RFC 9110 10.1.1: an expectation in an HTTP/1.0 request is ignored. */
        if (k->once[EXPECT] && r->minor_version == 1) {
                if (strcasecmp(k->once[EXPECT], "100-continue") != 0)
                        return HTTP_BAD_EXPECT;
                ret->expect_continue = ret->chunked || ret->content_length > 0;
        }
        return ret->chunked ? HTTP_CHUNKED : HTTP_FINE;
}

enum http_refusal http_head_parse(char *head, size_t len, struct http_request *ret,
                                  struct http_framing *ret_framing)
{
        char *eol = memchr(head, '\n', len);
        struct known known = { 0 };
        enum http_refusal r;

        *ret_framing = (struct http_framing){ 0 };
        ret->method = HTTP_OTHER;
        ret->method_name = ret->target = "-";
        ret->query_raw = "";
        ret->minor_version = 0;
        ret->n_segments = ret->n_params = ret->n_headers = 0;
        ret->segments[0] = NULL;

        r = parse_request_line(head, eol - 1, head + len, ret);
        if (r == HTTP_FINE)
                r = parse_headers(eol + 1, head + len, ret, &known);
        if (r == HTTP_FINE)
                r = judge(&known, ret, ret_framing);
        return r;
}

bool http_list_has(const char *list, const char *item)
{
        size_t want = strlen(item);

        for (const char *p = list; *p;) {
                const char *start = p += strspn(p, " \t,");
                size_t n = strcspn(p, ",");

                p += n;
                while (n > 0 && (start[n - 1] == ' ' || start[n - 1] == '\t'))
                        n--;
                if (n == want && strncasecmp(start, item, n) == 0)
                        return true;
        }
        return false;
}
