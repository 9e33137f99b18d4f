/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Makes requests, good, odd and broken, lets the front end's parser judge each,
 * and writes both to stdout for compare.js, which asks another parser.
 *
 *   generate SEED COUNT          cases 0 … COUNT-1 of that seed
 *   generate SEED only INDEX     that one case again
 *   generate SEED show INDEX     its bytes alone
 *
 * A case depends on nothing but seed and index.  A record is, little-endian:
 * u32 length of the rest; u32 index; bytes raw (u32 length first); u8 messages,
 * each u8 minor version, u8 keep-alive, u32 body length, bytes method, bytes
 * target, u8 headers, each bytes name, bytes value; bytes refusal ("" if none).
 */

#include "http/parse.h"
#include "http/server.h"
#include "util/text.h"

#include <stdio.h>

/* --- chance ----------------------------------------------------------------- */

struct dice {
        uint64_t state;
};

static uint64_t roll(struct dice *d)
{
        uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static unsigned below(struct dice *d, unsigned n)
{
        return (unsigned) (roll(d) % n);
}

/* True in so many of 100 cases. */
static bool chance(struct dice *d, unsigned percent)
{
        return below(d, 100) < percent;
}

#define PICK(d, list) ((list)[below((d), ARRAY_SIZE(list))])

/* --- a request, grammar first ------------------------------------------------ */

static const char *const methods[] = { "GET",    "GET",  "GET",   "PUT",    "POST",
                                       "DELETE", "HEAD", "PATCH", "OPTIONS" };
static const char *const odd_methods[] = {
        "get", "TRACE",    "CONNECT", "PROPFIND", "G T",  "",   "GET\t",
        "PRI", "M-SEARCH", "G\x01T",  "BREW",     "GETT", "PU",
};
static const char *const words[] = {
        "container",
        "token",
        "a",
        "x1",
        "status",
        "log",
        "service",
        "web-1",
        "a.b",
        "~u",
        "b;c",
        "k=v",
        "@",
        "a:b",
        "%41",
        "%2f",
        "%2F%c3%a9",
        "__test__",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
        "(x)",
        "a'b",
        "!$&*+,",
        "%7e",
};
static const char *const odd_words[] = {
        "",     ".",  "..",           "%00",  "%",        "%2", "%zz", "%2e%2e", "a b",
        "a\tb", "\\", "#f",           "\x7f", "\xc3\xa9", "\"", "<>",  "{id}",   "a|b",
        "^",    "`",  "%2e%2e%2fetc", "\x01", "a\r",      "//", "?",
};
static const char *const odd_targets[] = {
        "*",     "http://evil/x", "https://h:1/", "evil:443", "x",         "",      "?q",
        "/?",    "/??",           "/?&&",         "/?=v",     "/?a=1&a=2", "//h/x", "/a#b",
        "/?a#b", "file:///x",     "HTTP/1.1",     "/ /",      "/\xff",
};
static const char *const versions[] = { "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0" };
static const char *const odd_versions[] = {
        "HTTP/1.2",          "HTTP/2.0",  "HTTP/0.9", "HTTP/1.10",  "HTTP/11.1", "http/1.1",
        "HTTP/1.1 ",         "HTTP/1,1",  "HTTP/1",   "",           "HTTPS/1.1", "HTTP/ 1.1",
        "HTTP/4294967297.1", " HTTP/1.1", "ICE/1.0",  "HTTP/1.1\t",
};
static const char *const names[] = {
        "Accept", "User-Agent",   "X-Request-Id",     "Authorization",   "Cookie",        "accept-encoding",
        "X",      "Origin",       "Referer",          "X-Forwarded-For", "If-None-Match", "Upgrade",
        "TE",     "Content-Type", "!#$%&'*+-.^_`|~1", "Trailer",         "Range",
};
static const char *const odd_names[] = {
        "",      "X Y", "X(",  "X\x01", "X\xc3", "X:",  " X", "X\t",
        "\"X\"", "X,Y", "X/Y", "{X}",   "\x7f",  "X\r", "X ",
};
static const char *const values[] = {
        "",
        "a",
        "*/*",
        "curl/7.88.1",
        "text/plain, application/json;q=0.5",
        "Bearer abc.def.ghi",
        "  padded  ",
        "a\tb",
        "\xc3\xa9",
        "\"q\"",
        "a:b",
        "(c)",
        "\xff",
        "=",
        "0",
        "h2c",
        "trailers",
};
static const char *const odd_values[] = {
        "a\x01", "a\rb", "\x7f", "a\x0b", "\x1b[0m", "a\r\n b", "a\r", "\b", "a\nb", "a\t ",
};
static const char *const hosts[] = {
        "localhost", "localhost:2223", "127.0.0.1", "[::1]:80", "a.example", "h"
};
static const char *const odd_hosts[] = { "",   "a b",      "a@b",      "a/b", "a:b", "[",
                                         "[]", "a:123456", "\xc3\xa9", "a,b", "a:" };
static const char *const connections[] = { "close",   "keep-alive", "Keep-Alive, Upgrade",
                                           "upgrade", "x, CLOSE",   "closed" };
static const char *const odd_lengths[] = {
        "+3",
        "-1",
        "0x3",
        "3,3",
        "3 3",
        "",
        "99999999999999999999",
        "18446744073709551616",
        "4294967296",
        "00000000003",
        "3\t",
        "\x0b"
        "3",
        "3.0",
        "1e1",
        "3;",
        "0000000003",
        "\xb3",
};
static const char *const codings[] = {
        "chunked",
        "Chunked",
        "xchunked",
        "gzip, chunked",
        "chunked, gzip",
        "identity",
        "",
        "chunked;x",
        "\x0b"
        "chunked",
        "chunked,chunked",
        " chunked ",
        "gzip",
};
static const char *const chunks[] = {
        "0\r\n\r\n",     "3\r\nabc\r\n0\r\n\r\n",  "0x3\r\nabc\r\n0\r\n\r\n", "3;e=1\r\nabc\r\n0\r\n\r\n",
        "3\nabc\n0\n\n", "ffffffffffffffffff\r\n", "+3\r\nabc\r\n0\r\n\r\n",  "0\r\nX: y\r\n\r\n",
};

static void add_target(struct dice *d, struct text *t, bool odd)
{
        unsigned n = below(d, 4);

        if (odd && chance(d, 40)) {
                text_add(t, PICK(d, odd_targets));
                return;
        }
        text_add(t, "/");
        for (unsigned i = 0; i < n; i++) {
                text_add(t, i > 0 ? "/" : "");
                text_add(t, odd && chance(d, 50) ? PICK(d, odd_words) : PICK(d, words));
        }
        if (chance(d, 30)) {
                n = below(d, 3);
                text_add(t, "?");
                for (unsigned i = 0; i < n; i++) {
                        text_addf(t, "%s%s%u=", i > 0 ? "&" : "", PICK(d, words), i);
                        text_add(t, odd && chance(d, 50) ? PICK(d, odd_words) : PICK(d, words));
                }
        }
}

static void add_header(struct dice *d, struct text *t, const char *name, const char *value)
{
        text_addf(t, "%s:%s%s\r\n", name, chance(d, 90) ? " " : chance(d, 50) ? "" : " \t", value);
}

static void add_ordinary_headers(struct dice *d, struct text *t, bool odd)
{
        unsigned n = chance(d, 3) ? 60 + below(d, 8) : below(d, 6);

        for (unsigned i = 0; i < n; i++) {
                if (odd && chance(d, 30))
                        add_header(d, t, PICK(d, odd_names), PICK(d, values));
                else if (odd && chance(d, 30))
                        add_header(d, t, PICK(d, names), PICK(d, odd_values));
                else if (n > 10 || chance(d, 50))
                        text_addf(t, "X-%u: %s\r\n", i, PICK(d, values));
                else
                        add_header(d, t, PICK(d, names), PICK(d, values));
        }
        if (chance(d, 15))
                add_header(d, t, "Connection", PICK(d, connections));
        if (chance(d, 4))
                add_header(d, t, "Expect", chance(d, 70) ? "100-continue" : "other");
}

/* The headers that frame the body, and the body itself to go behind the head. */
static void add_framing(struct dice *d, struct text *t, struct text *body, bool odd)
{
        unsigned len = chance(d, 70) ? 0 : below(d, 40);

        if (odd && chance(d, 30)) {
                add_header(d, t, chance(d, 80) ? "Transfer-Encoding" : "transfer-encoding",
                           PICK(d, codings));
                text_add(body, PICK(d, chunks));
        }
        if (odd && chance(d, 30)) {
                add_header(d, t, "Content-Length", PICK(d, odd_lengths));
                text_add(body, "abc");
        }
        if (len == 0 && chance(d, 85))
                return;
        text_addf(t, "%s: %u\r\n", chance(d, 70) ? "Content-Length" : "content-length", len);
        if (odd && chance(d, 15))
                text_addf(t, "Content-Length: %u\r\n", chance(d, 50) ? len : len + 1);
        for (unsigned i = 0; i < len; i++)
                text_addc(body, (char) ('a' + below(d, 26)));
}

static void add_request(struct dice *d, struct text *t, bool odd)
{
        struct text body = { 0 };
        unsigned where = odd ? below(d, 5) : 5; /* which part is odd; framing counts twice */

        text_add(t, where == 0 && chance(d, 60) ? PICK(d, odd_methods) : PICK(d, methods));
        text_add(t, " ");
        add_target(d, t, where == 1);
        text_add(t, " ");
        text_add(t, where == 0 && chance(d, 60) ? PICK(d, odd_versions) : PICK(d, versions));
        text_add(t, "\r\n");
        if (where != 2 || chance(d, 50))
                add_header(d, t, "Host", where == 2 && chance(d, 60) ? PICK(d, odd_hosts) : PICK(d, hosts));
        if (where == 2 && chance(d, 20))
                add_header(d, t, "host", PICK(d, hosts));
        add_ordinary_headers(d, t, where == 2);
        add_framing(d, t, &body, where >= 3 && where < 5);
        text_add(t, "\r\n");
        if (body.len > 0)
                text_addn(t, body.data, body.len);
        text_reset(&body);
}

/* --- and then damage --------------------------------------------------------- */

static void insert(struct text *t, size_t at, const char *bytes, size_t n)
{
        text_addn(t, bytes, n);
        if (!text_ok(t))
                return;
        memmove(t->data + at + n, t->data + at, t->len - n - at);
        memcpy(t->data + at, bytes, n);
}

static void cut(struct text *t, size_t at, size_t n)
{
        memmove(t->data + at, t->data + at + n, t->len - at - n);
        text_truncate(t, t->len - n);
}

static void damage(struct dice *d, struct text *t)
{
        static const char *const splinters[] = {
                "\r",
                "\n",
                "\r\n",
                " ",
                "\t",
                ":",
                "\x0b",
                "\xff",
                "\x7f",
                "%",
                "#",
                "/",
                "?",
                "\r\n\r\n",
                ",",
                "\x01",
                "Content-Length: 1\r\n",
                "\r\nHost: b\r\n",
                "\r\n X",
                "Transfer-Encoding: chunked\r\n",
        };
        size_t at = t->len > 1 ? below(d, (unsigned) t->len - 1) : 0;
        const char *splinter = PICK(d, splinters);

        switch (below(d, 7)) {
        case 0:
                t->data[at] = (char) below(d, 256);
                break;
        case 1:
                insert(t, at, splinter, strlen(splinter));
                break;
        case 2:
                cut(t, at, 1);
                break;
        case 3:
                cut(t, at, below(d, (unsigned) (t->len - at)));
                break;
        case 4: /* one CR LF becomes LF */
                for (char *p = memchr(t->data + at, '\r', t->len - at); p; p = NULL)
                        cut(t, (size_t) (p - t->data), 1);
                break;
        case 5:
                insert(t, at, "\0", 1);
                break;
        case 6:
                t->data[at] = (char) (t->data[at] ^ 0x20);
                break;
        }
}

static void make_case(uint64_t seed, uint32_t index, struct text *t)
{
        struct dice d = { seed };
        unsigned n;

        d.state = roll(&d) ^ ((uint64_t) index + 1) * UINT64_C(0xd1342543de82ef95);
        n = chance(&d, 15) ? 2 + below(&d, 2) : 1;
        for (unsigned i = 0; i < n; i++)
                add_request(&d, t, chance(&d, 45));
        if (chance(&d, 35))
                for (unsigned hits = 1 + below(&d, 2); hits > 0 && t->len > 1; hits--)
                        damage(&d, t);
}

/* --- the verdict -------------------------------------------------------------- */

static void put_u32(struct text *t, size_t n)
{
        uint32_t u = (uint32_t) n;

        text_addn(t, &u, sizeof u);
}

static void put_bytes(struct text *t, const char *bytes, size_t n)
{
        put_u32(t, n);
        if (n > 0)
                text_addn(t, bytes, n);
}

static void put_string(struct text *t, const char *s)
{
        put_bytes(t, s, strlen(s));
}

static void put_message(struct text *t, const struct http_request *r, const struct http_framing *f)
{
        /* Where there was a '?', the query lies right behind the target. */
        bool has_query = r->query_raw == r->target + strlen(r->target) + 1;

        text_addc(t, (char) r->minor_version);
        text_addc(t, f->keep_alive);
        put_u32(t, f->content_length);
        put_string(t, r->method_name);
        put_u32(t, strlen(r->target) + has_query + strlen(r->query_raw));
        text_add(t, r->target);
        text_add(t, has_query ? "?" : "");
        text_add(t, r->query_raw);
        text_addc(t, (char) r->n_headers);
        for (size_t i = 0; i < r->n_headers; i++) {
                put_string(t, r->headers[i].name);
                put_string(t, r->headers[i].value);
        }
}

/* One request from p[0..n): its length if complete and accepted, else 0 with the reason or HTTP_FINE. */
static size_t judge_one(const char *p, size_t n, struct text *out, bool *ret_keep_alive,
                        enum http_refusal *ret)
{
        static const size_t max = 16 * 1024;
        char head[2 * (16 * 1024 + 1) + 4];
        size_t scanned = 0, len, look = n < max + 1 ? n : max + 1;
        struct http_framing framing;
        struct http_request request;

        *ret = http_head_find(p, look, &scanned, &len);
        if (*ret == HTTP_FINE && (len > max || (len == 0 && look > max)))
                *ret = HTTP_LONG_HEAD;
        if (*ret != HTTP_FINE || len == 0)
                return 0;
        memcpy(head, p, len);
        *ret = http_head_parse(head, len, &request, &framing);
        if (*ret == HTTP_FINE && framing.content_length > server_limits_default.body_max)
                *ret = HTTP_LONG_BODY;
        if (*ret != HTTP_FINE || framing.content_length > n - len)
                return 0;
        put_message(out, &request, &framing);
        *ret_keep_alive = framing.keep_alive;
        return len + (size_t) framing.content_length;
}

static void put_verdict(const struct text *raw, struct text *out)
{
        enum http_refusal why = HTTP_FINE;
        size_t at = 0, count_at = out->len;
        bool keep_alive = true;
        char count = 0;

        text_addc(out, 0);
        while (keep_alive && at < raw->len) {
                size_t n = judge_one(raw->data + at, raw->len - at, out, &keep_alive, &why);

                if (n == 0)
                        break;
                at += n;
                count++;
        }
        if (text_ok(out))
                out->data[count_at] = count;
        put_string(out, why == HTTP_FINE ? "" : http_refusal_name(why));
}

static bool write_record(const struct text *raw, uint32_t index, struct text *out)
{
        uint32_t len;

        text_truncate(out, 0);
        put_u32(out, 0);
        put_u32(out, index);
        put_bytes(out, raw->data, raw->len);
        put_verdict(raw, out);
        if (!text_ok(out))
                return false;
        len = (uint32_t) (out->len - sizeof len);
        memcpy(out->data, &len, sizeof len);
        return fwrite(out->data, 1, out->len, stdout) == out->len;
}

int main(int argc, char **argv)
{
        struct text raw = { 0 }, out = { 0 };
        uint64_t seed, first = 0, end;
        bool fine = true;

        if (argc < 3 || !parse_u64(argv[1], UINT64_MAX, &seed) ||
            !parse_u64(argv[argc - 1], UINT32_MAX - 1, &end)) {
                (void) fprintf(stderr, "usage: generate SEED COUNT | generate SEED only|show INDEX\n");
                return 2;
        }
        if (argc == 4)
                first = end++;
        for (uint64_t i = first; i < end && fine; i++) {
                text_truncate(&raw, 0);
                make_case(seed, (uint32_t) i, &raw);
                fine = text_ok(&raw);
                if (fine && argc == 4 && streq(argv[2], "show"))
                        fine = fwrite(raw.data, 1, raw.len, stdout) == raw.len;
                else if (fine)
                        fine = write_record(&raw, (uint32_t) i, &out);
        }
        text_reset(&raw);
        text_reset(&out);
        return fine ? 0 : 1;
}
