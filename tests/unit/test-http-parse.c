/* SPDX-License-Identifier: Apache-2.0 */

/* The request head: what is understood, and every form of it that is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/origin.h"
#include "http/parse.h"
#include "util/text.h"

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: h\r\n"
#define END "\r\n"

/* A head in memory of its own, exactly as large as promised, so that ASan sees every step beyond it. */
struct parsed {
        enum http_refusal why;
        struct http_request request;
        struct http_framing framing;
        char *memory;
};

static void parsed_reset(struct parsed *p)
{
        free(p->memory);
}

static struct parsed parse(const char *bytes, size_t len)
{
        struct parsed p = { 0 };
        size_t scanned = 0, head_len;

        p.why = http_head_find(bytes, len, &scanned, &head_len);
        if (p.why != HTTP_FINE)
                return p;
        assert_int_not_equal(head_len, 0);
        p.memory = malloc(head_len + http_head_scratch(head_len));
        assert_non_null(p.memory);
        memcpy(p.memory, bytes, head_len);
        p.why = http_head_parse(p.memory, head_len, &p.request, &p.framing);
        return p;
}

#define PARSE(literal) parse((literal), sizeof(literal) - 1)

struct row {
        const char *name, *head;
        size_t len;
        enum http_refusal why;
};
#define ROW(name, head, why)                      \
        {                                         \
                name, head, sizeof(head) - 1, why \
        }

static const struct row rows[] = {
        ROW("plain", GET HOST END, HTTP_FINE),
        ROW("1.0 without Host", "GET / HTTP/1.0\r\n" END, HTTP_FINE),

        ROW("H1 equal lengths", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n" END,
            HTTP_DOUBLE_HEADER),
        ROW("H1 lengths that differ",
            "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\ncontent-length: 5\r\n" END, HTTP_DOUBLE_HEADER),
        ROW("H1 a list of lengths", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n" END,
            HTTP_BAD_LENGTH),
        ROW("H2 length and coding",
            "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n" END,
            HTTP_LENGTH_AND_CODING),
        ROW("H3 xchunked", "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n" END,
            HTTP_UNKNOWN_CODING),
        ROW("H3 vertical tab",
            "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
            "chunked\r\n" END,
            HTTP_BAD_HEADER_VALUE),
        ROW("H3 blank before colon", "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n" END,
            HTTP_BAD_HEADER_NAME),
        ROW("H3 empty coding", "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: \r\n" END, HTTP_BAD_CODING),
        ROW("H4 two codings", "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n" END,
            HTTP_BAD_CODING),
        ROW("H4 coding twice",
            "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END,
            HTTP_DOUBLE_HEADER),
        ROW("H4 coding in 1.0", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" END, HTTP_BAD_CODING),
        ROW("H5 signed", "PUT / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n" END, HTTP_BAD_LENGTH),
        ROW("H5 negative", "PUT / HTTP/1.1\r\n" HOST "Content-Length: -3\r\n" END, HTTP_BAD_LENGTH),
        ROW("H5 NUL",
            "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\0"
            "999\r\n" END,
            HTTP_BAD_HEADER_VALUE),
        ROW("H5 hex", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n" END, HTTP_BAD_LENGTH),
        ROW("H5 empty", "PUT / HTTP/1.1\r\n" HOST "Content-Length:\r\n" END, HTTP_BAD_LENGTH),
        ROW("H5 inner blank", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3 3\r\n" END, HTTP_BAD_LENGTH),
        ROW("H5 tab behind", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\t\r\n" END, HTTP_BAD_HEADER_VALUE),
        ROW("H6 20 digits", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n" END,
            HTTP_BAD_LENGTH),
        ROW("H6 11 digits", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 00000000001\r\n" END,
            HTTP_BAD_LENGTH),
        ROW("H6 10 digits", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 0000000001\r\n" END, HTTP_FINE),
        ROW("H7 HEAD with body", "HEAD /x HTTP/1.1\r\n" HOST "Content-Length: 34\r\n" END,
            HTTP_HEAD_WITH_BODY),
        ROW("H7 HEAD with chunks", "HEAD /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" END,
            HTTP_HEAD_WITH_BODY),
        ROW("H7 HEAD with length 0", "HEAD /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n" END, HTTP_FINE),
        ROW("H7 TRACE", "TRACE / HTTP/1.1\r\n" HOST END, HTTP_UNKNOWN_METHOD),
        ROW("H7 CONNECT", "CONNECT a:1 HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H7 CONNECT with a path", "CONNECT / HTTP/1.1\r\n" HOST END, HTTP_UNKNOWN_METHOD),
        ROW("H8 chunked", "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" END, HTTP_CHUNKED),
        ROW("H8 Chunked", "PUT / HTTP/1.1\r\n" HOST "transfer-encoding:  Chunked \r\n" END, HTTP_CHUNKED),
        ROW("H11 NUL in target", "GET /a\0b HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H11 %00", "GET /a%00b HTTP/1.1\r\n" HOST END, HTTP_BAD_ESCAPE),
        ROW("H12 %00 in query", "GET /?i=1%00a HTTP/1.1\r\n" HOST END, HTTP_BAD_ESCAPE),
        ROW("H12 a name twice", "GET /?i=1&i=1 HTTP/1.1\r\n" HOST END, HTTP_DOUBLE_PARAM),
        ROW("H12 a name twice, once encoded", "GET /?i=1&%69=2 HTTP/1.1\r\n" HOST END, HTTP_DOUBLE_PARAM),
        ROW("H12 a name twice, without values", "GET /?i&i HTTP/1.1\r\n" HOST END, HTTP_DOUBLE_PARAM),
        ROW("H12 no name", "GET /?=1 HTTP/1.1\r\n" HOST END, HTTP_BAD_QUERY),
        ROW("H13 two slashes", "GET //token//x HTTP/1.1\r\n" HOST END, HTTP_BAD_SEGMENT),
        ROW("H13 slash at the end", "GET /token/ HTTP/1.1\r\n" HOST END, HTTP_BAD_SEGMENT),
        ROW("H14 absolute-form", "GET http://evil/token/x HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H14 file:", "GET file:///etc/passwd HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H14 relative", "GET token/x HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H14 asterisk", "OPTIONS * HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H14 fragment", "GET /a#b HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H14 backslash", "GET /a\\b HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H14 blank", "GET /a b HTTP/1.1\r\n" HOST END, HTTP_BAD_VERSION),
        ROW("H14 DEL", "GET /a\x7f HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H14 UTF-8", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H14 no target", "GET  HTTP/1.1\r\n" HOST END, HTTP_BAD_TARGET),
        ROW("H15 encoded dots", "GET /token/%2e%2e/etc HTTP/1.1\r\n" HOST END, HTTP_BAD_SEGMENT),
        ROW("H15 encoded dots and slash", "GET /token/%2e%2e%2fetc HTTP/1.1\r\n" HOST END, HTTP_BAD_SEGMENT),
        ROW("H15 dots", "GET /token/../../etc HTTP/1.1\r\n" HOST END, HTTP_BAD_SEGMENT),
        ROW("H15 dot", "GET /token/./etc HTTP/1.1\r\n" HOST END, HTTP_BAD_SEGMENT),
        ROW("H15 not hex", "GET /%zz HTTP/1.1\r\n" HOST END, HTTP_BAD_ESCAPE),
        ROW("H15 cut", "GET /%2 HTTP/1.1\r\n" HOST END, HTTP_BAD_ESCAPE),
        ROW("H15 cut before slash", "GET /%2/f HTTP/1.1\r\n" HOST END, HTTP_BAD_ESCAPE),
        ROW("H16 no Host", GET END, HTTP_NO_HOST),
        ROW("H16 Host twice", GET HOST HOST END, HTTP_DOUBLE_HEADER),
        ROW("H16 empty Host", GET "Host:\r\n" END, HTTP_BAD_HOST),
        ROW("H16 Host with user", GET "Host: a@b\r\n" END, HTTP_BAD_HOST),
        ROW("H16 Host with path", GET "Host: a/b\r\n" END, HTTP_BAD_HOST),
        ROW("H16 Host with bad port", GET "Host: a:8o\r\n" END, HTTP_BAD_HOST),
        ROW("H16 Host [", GET "Host: [\r\n" END, HTTP_BAD_HOST),
        ROW("H16 Host [::1]:1", GET "Host: [::1]:1\r\n" END, HTTP_FINE),
        ROW("H16 empty name", GET HOST ": v\r\n" END, HTTP_BAD_HEADER_NAME),
        ROW("H16 delimiters in name", GET HOST "X(@)y: v\r\n" END, HTTP_BAD_HEADER_NAME),
        ROW("H16 no colon", GET HOST "X\r\n" END, HTTP_BAD_HEADER_NAME),
        ROW("H16 fold", GET HOST "X: a\r\n b\r\n" END, HTTP_FOLDED_HEADER),
        ROW("H16 fold at once", GET " Host: h\r\n" END, HTTP_FOLDED_HEADER),
        ROW("H16 bare LF everywhere", "GET / HTTP/1.1\nHost: h\n\n", HTTP_BARE_LF),
        ROW("H16 bare LF once", GET "Host: h\n" END, HTTP_BARE_LF),
        ROW("H16 CR in value", GET HOST "X: a\rb\r\n" END, HTTP_BAD_HEADER_VALUE),
        ROW("H16 CR CR LF", GET HOST "X: a\r\r\n" END, HTTP_BAD_HEADER_VALUE),
        ROW("H16 obs-text", GET HOST "X: \xc3\xa9\r\n" END, HTTP_FINE),
        ROW("H17 overflowing version", "GET / HTTP/4294967297.1\r\n" HOST END, HTTP_BAD_VERSION),
        ROW("H17 1.9", "GET / HTTP/1.9\r\n" HOST END, HTTP_OTHER_VERSION),
        ROW("H17 2.0", "GET / HTTP/2.0\r\n" HOST END, HTTP_OTHER_VERSION),
        ROW("H17 0.9", "GET /\r\n" HOST END, HTTP_BAD_VERSION),
        ROW("H17 lower case", "GET / http/1.1\r\n" HOST END, HTTP_BAD_VERSION),
        ROW("H17 blank behind", "GET / HTTP/1.1 \r\n" HOST END, HTTP_BAD_VERSION),
        ROW("H17 two blanks", "GET /  HTTP/1.1\r\n" HOST END, HTTP_BAD_VERSION),
        ROW("H26 other expectation", "PUT / HTTP/1.1\r\n" HOST "Expect: foo\r\nContent-Length: 1\r\n" END,
            HTTP_BAD_EXPECT),
        ROW("H26 other expectation in 1.0", "PUT / HTTP/1.0\r\nExpect: foo\r\nContent-Length: 1\r\n" END,
            HTTP_FINE),
        ROW("H27 TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", HTTP_BAD_METHOD),
        ROW("leading empty line", END GET HOST END, HTTP_BAD_METHOD),
        ROW("method with a colon", "G:T / HTTP/1.1\r\n" HOST END, HTTP_BAD_METHOD),
        ROW("lower-case method", "get / HTTP/1.1\r\n" HOST END, HTTP_UNKNOWN_METHOD),
        ROW("Authorization twice", GET HOST "Authorization: a\r\nAuthorization: b\r\n" END,
            HTTP_DOUBLE_HEADER),
        ROW("Origin twice", GET HOST "Origin: a\r\nOrigin: b\r\n" END, HTTP_DOUBLE_HEADER),
};

static void test_rows(void **state _unused_)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                __attribute__((__cleanup__(parsed_reset))) struct parsed p =
                        parse(rows[i].head, rows[i].len);

                if (p.why != rows[i].why)
                        fail_msg("%s: %s, not %s", rows[i].name, http_refusal_name(p.why),
                                 http_refusal_name(rows[i].why));
        }
}

/* However the bytes trickle in, the end is found at the same place. */
static void test_trickle(void **state _unused_)
{
        static const char head[] = GET HOST "X: y\r\n" END "body\r\n\r\n";
        size_t scanned = 0, len = 0, end = sizeof(GET HOST "X: y\r\n" END) - 1;

        for (size_t n = 0; n < end; n++) {
                assert_int_equal(http_head_find(head, n, &scanned, &len), HTTP_FINE);
                assert_int_equal(len, 0);
        }
        assert_int_equal(http_head_find(head, sizeof head - 1, &scanned, &len), HTTP_FINE);
        assert_int_equal(len, end);
}

static void test_understood(void **state _unused_)
{
        __attribute__((__cleanup__(parsed_reset))) struct parsed p =
                PARSE("POST /token/a.b~c/image%2fname;v?i=1&%74=a+b%2Bc&q&e=&&x=y=z HTTP/1.1\r\n"
                      "hOST: [::1]:80\r\nX-Empty:\r\nX-Trim: \t a b  \r\nCONTENT-length: 007\r\n"
                      "Expect: 100-Continue\r\n\r\n");

        assert_int_equal(p.why, HTTP_FINE);
        assert_int_equal(p.request.method, HTTP_POST);
        assert_string_equal(p.request.target, "/token/a.b~c/image%2fname;v");
        assert_string_equal(p.request.query_raw, "i=1&%74=a+b%2Bc&q&e=&&x=y=z");
        assert_int_equal(p.request.n_segments, 3);
        assert_string_equal(p.request.segments[1], "a.b~c");
        assert_string_equal(p.request.segments[2], "image/name;v");
        assert_null(p.request.segments[3]);
        assert_int_equal(p.request.n_params, 5);
        assert_string_equal(http_param(&p.request, "t"), "a b+c");
        assert_string_equal(http_param(&p.request, "q"), "");
        assert_string_equal(http_param(&p.request, "e"), "");
        assert_string_equal(http_param(&p.request, "x"), "y=z");
        assert_null(http_param(&p.request, "I"));
        assert_string_equal(http_header(&p.request, "host"), "[::1]:80");
        assert_string_equal(http_header(&p.request, "x-empty"), "");
        assert_string_equal(http_header(&p.request, "x-trim"), "a b");
        assert_int_equal(p.framing.content_length, 7);
        assert_true(p.framing.keep_alive);
        assert_true(p.framing.expect_continue);
}

static void test_root(void **state _unused_)
{
        __attribute__((__cleanup__(parsed_reset))) struct parsed p = PARSE("GET /? HTTP/1.1\r\n" HOST END);

        assert_int_equal(p.why, HTTP_FINE);
        assert_int_equal(p.request.n_segments, 0);
        assert_int_equal(p.request.n_params, 0);
        assert_string_equal(p.request.target, "/");
        assert_string_equal(p.request.query_raw, "");
}

static void test_keep_alive(void **state _unused_)
{
        static const struct {
                const char *head;
                bool keep_alive;
        } cases[] = {
                { GET HOST END, true },
                { GET HOST "Connection: close\r\n" END, false },
                { GET HOST "Connection: Keep-Alive, Close\r\n" END, false },
                { GET HOST "Connection: closed\r\n" END, true },
                { GET HOST "Connection: x\r\nConnection: close\r\n" END, false },
                { "GET / HTTP/1.0\r\n" END, false },
                { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n" END, true },
                { "GET / HTTP/1.0\r\nConnection: keep-alive,close\r\n" END, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                __attribute__((__cleanup__(parsed_reset))) struct parsed p =
                        parse(cases[i].head, strlen(cases[i].head));

                assert_int_equal(p.why, HTTP_FINE);
                assert_int_equal(p.framing.keep_alive, cases[i].keep_alive);
        }
}

/* before, then n times "<prefix><number><suffix>", then after. */
static enum http_refusal repeated(const char *before, const char *prefix, int n, const char *suffix,
                                  const char *after)
{
        struct text t = { 0 };
        enum http_refusal why;
        struct parsed p;

        text_add(&t, before);
        for (int i = 0; i < n; i++)
                text_addf(&t, "%s%d%s", prefix, i, suffix);
        text_add(&t, after);
        assert_true(text_ok(&t));
        p = parse(t.data, t.len);
        why = p.why;
        parsed_reset(&p);
        text_reset(&t);
        return why;
}

static enum http_refusal target_of_length(size_t len)
{
        struct text t = { 0 };
        enum http_refusal why;
        struct parsed p;

        text_add(&t, "GET /");
        while (t.len < len + 4)
                text_add(&t, "x");
        text_add(&t, " HTTP/1.1\r\n" HOST END);
        p = parse(t.data, t.len);
        why = p.why;
        parsed_reset(&p);
        text_reset(&t);
        return why;
}

/* At each limit, and one above. */
static void test_limits(void **state _unused_)
{
        const char *rest = " HTTP/1.1\r\n" HOST END;

        assert_int_equal(repeated(GET HOST, "X-", 63, ": v\r\n", END), HTTP_FINE);
        assert_int_equal(repeated(GET HOST, "X-", 64, ": v\r\n", END), HTTP_MANY_HEADERS);
        assert_int_equal(repeated("GET ", "/", 32, "", rest), HTTP_FINE);
        assert_int_equal(repeated("GET ", "/", 33, "", rest), HTTP_MANY_SEGMENTS);
        assert_int_equal(repeated("GET /?", "p", 64, "&", rest), HTTP_FINE);
        assert_int_equal(repeated("GET /?", "p", 65, "&", rest), HTTP_MANY_PARAMS);
        assert_int_equal(target_of_length(HTTP_TARGET_MAX), HTTP_FINE);
        assert_int_equal(target_of_length(HTTP_TARGET_MAX + 1), HTTP_LONG_TARGET);
}

/* Names of one byte without a value gain the most when decoded; ASan watches the scratch's end. */
static void test_scratch(void **state _unused_)
{
        assert_int_equal(repeated("GET /a/b?x&y&z", "&", 61, "", " HTTP/1.1\r\n" HOST END), HTTP_FINE);
}

static void test_list(void **state _unused_)
{
        assert_true(http_list_has("a, B ,c", "b"));
        assert_true(http_list_has("close", "close"));
        assert_true(http_list_has("x,\tclose\t ,", "close"));
        assert_false(http_list_has("x close", "close"));
        assert_false(http_list_has("closed", "close"));
        assert_false(http_list_has("", "close"));
        assert_false(http_list_has(" ,,", "close"));
}

static void test_every_refusal_is_told(void **state _unused_)
{
        for (enum http_refusal r = HTTP_BAD_METHOD; r < _HTTP_REFUSAL_MAX; r++) {
                assert_in_range(http_refusal_status(r), 400, 599);
                assert_non_null(http_refusal_name(r));
                assert_null(strpbrk(http_refusal_sentence(r), "\"\\\n"));
        }
}

struct origin_row {
        const char *head;
        enum http_refusal why;
        bool readable;
};

static void check_origins(const struct origin_policy *policy, const struct origin_row *table, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                __attribute__((__cleanup__(parsed_reset))) struct parsed p =
                        parse(table[i].head, strlen(table[i].head));
                const char *origin;

                assert_int_equal(p.why, HTTP_FINE);
                if (origin_check(policy, &p.request, &origin) != table[i].why)
                        fail_msg("row %zu: %s", i, table[i].head);
                assert_int_equal(origin != NULL, table[i].readable);
        }
}

#define AT(host) "Host: " host "\r\n"
#define FROM(origin) "Origin: " origin "\r\n"

static void test_origin(void **state _unused_)
{
        char *hosts[] = { (char *) "gear.lan", NULL }, *origins[] = { (char *) "https://ui.lan", NULL };
        const struct origin_policy guarded = { true, true, false, hosts, origins };
        const struct origin_policy open = { false, false, false, NULL, NULL };
        static const struct origin_row on_loopback[] = {
                { GET AT("localhost:2223") END, HTTP_FINE, false },
                { GET AT("LOCALHOST") END, HTTP_FINE, false },
                { GET AT("127.0.0.1:80") END, HTTP_FINE, false },
                { GET AT("[::1]:80") END, HTTP_FINE, false },
                { GET AT("192.168.1.1") END, HTTP_FINE, false },
                { GET AT("Gear.lan:1") END, HTTP_FINE, false },
                { GET AT("evil.example") END, HTTP_FOREIGN_HOST, false },
                { GET AT("localhost.evil.example") END, HTTP_FOREIGN_HOST, false },
                { GET AT("127.0.0.1.evil.example") END, HTTP_FOREIGN_HOST, false },
                { GET AT("localhost") FROM("http://localhost") END, HTTP_FINE, false },
                { "PUT / HTTP/1.1\r\n" AT("localhost:1") FROM("http://localhost:1") END, HTTP_FINE, false },
                { "PUT / HTTP/1.1\r\n" AT("localhost:1") FROM("http://localhost:2") END, HTTP_FOREIGN_ORIGIN,
                  false },
                { "PUT / HTTP/1.1\r\n" AT("localhost:1") FROM("https://localhost:1") END,
                  HTTP_FOREIGN_ORIGIN, false },
                { "PUT / HTTP/1.1\r\n" AT("localhost") FROM("null") END, HTTP_FOREIGN_ORIGIN, false },
                { "PUT / HTTP/1.1\r\n" AT("localhost") FROM("http://evil") "Authorization: Bearer x\r\n" END,
                  HTTP_FOREIGN_ORIGIN, false },
                { GET AT("localhost") FROM("http://evil") END, HTTP_FOREIGN_ORIGIN, false },
                { GET AT("localhost") FROM("http://evil") "Authorization: Bearer x\r\n" END, HTTP_FINE,
                  false },
                { "GET /token/abc/x HTTP/1.1\r\n" AT("localhost") FROM("http://evil") END, HTTP_FINE,
                  false },
                { "GET /token/__test__/x HTTP/1.1\r\n" AT("localhost") FROM("http://evil") END,
                  HTTP_FOREIGN_ORIGIN, false },
                { "PUT /x HTTP/1.1\r\n" AT("localhost") FROM("https://ui.lan") END, HTTP_FINE, true },
                { "GET /x HTTP/1.1\r\n" AT("localhost") "Sec-Fetch-Site: cross-site\r\n" END,
                  HTTP_FOREIGN_ORIGIN, false },
                { "GET /x HTTP/1.1\r\n" AT("localhost") "Sec-Fetch-Site: same-origin\r\n" END, HTTP_FINE,
                  false },
                { GET AT("localhost") "Sec-Fetch-Site: cross-site\r\n" END, HTTP_FINE, false },
        };
        static const struct origin_row elsewhere[] = {
                { GET AT("evil.example") END, HTTP_FINE, false },
                { "PUT / HTTP/1.1\r\n" AT("a") FROM("http://b") END, HTTP_FINE, false },
        };

        check_origins(&guarded, on_loopback, ARRAY_SIZE(on_loopback));
        check_origins(&open, elsewhere, ARRAY_SIZE(elsewhere));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),       cmocka_unit_test(test_trickle),
                cmocka_unit_test(test_understood), cmocka_unit_test(test_root),
                cmocka_unit_test(test_keep_alive), cmocka_unit_test(test_limits),
                cmocka_unit_test(test_scratch),    cmocka_unit_test(test_list),
                cmocka_unit_test(test_origin),     cmocka_unit_test(test_every_refusal_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
