/* SPDX-License-Identifier: Apache-2.0 */

/* fetch against a server that answers in every way one can. */

#include "fake-http.h"
#include "run-loop.h"
#include "sys/fetch.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define OPS_MAX 200

struct bench {
        struct loop *loop;
        struct fetch *fetch;
        struct fake_http *server;
        struct fetch_op *ops[OPS_MAX];
        unsigned done, pieces, heads;
        unsigned wanted; /* stop the loop after so many are done */
        int error, status;
        char reason[256];
        struct text body;
};

static const struct fake_reply table[] = {
        { .match = "GET /hello", .bytes = FAKE_OK "Content-Length: 5\r\n\r\nhello" },
        { .match = "GET /bytewise",
          .bytes = FAKE_OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n",
          .piece = 1 },
        { .match = "GET /big", .bytes = FAKE_OK "Content-Length: 20\r\n\r\n01234567890123456789" },
        { .match = "GET /short", .bytes = FAKE_OK "Content-Length: 20\r\n\r\n0123", .after = FAKE_CLOSE },
        { .match = "GET /nothing", .bytes = "", .after = FAKE_CLOSE },
        { .match = "GET /garbage", .bytes = "SSH-2.0-OpenSSH\r\n\r\n", .after = FAKE_CLOSE },
        { .match = "GET /hang", .bytes = "", .after = FAKE_OPEN },
        { .match = "GET /half", .bytes = FAKE_OK "Content-Length: 20\r\n\r\n0123", .after = FAKE_OPEN },
        { .match = "GET /late",
          .bytes = FAKE_OK "Content-Length: 2\r\n\r\nok",
          .delay_usec = 50 * USEC_PER_MSEC },
        { .match = "GET /much-later",
          .bytes = FAKE_OK "Content-Length: 2\r\n\r\nok",
          .delay_usec = 400 * USEC_PER_MSEC },
        { .match = "GET /moved",
          .bytes = "HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n" },
        { .match = "GET /missing", .bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope" },
        { .match = "GET /stream", .bytes = FAKE_STREAM "3\r\none\r\n", .after = FAKE_OPEN },
        { .match = "POST /", .bytes = "HTTP/1.1 204 No Content\r\n\r\n" },
        { .match = "DELETE /", .bytes = "HTTP/1.1 204 No Content\r\n\r\n" },
        { .match = "HEAD /", .bytes = FAKE_OK "Content-Length: 5\r\n\r\n" },
        { 0 },
};

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);

        b->loop = loop_new();
        b->fetch = fetch_new(b->loop);
        b->server = fake_http_new(b->loop, table);
        b->wanted = 1;
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        (void) fetch_free(b->fetch);
        (void) fake_http_free(b->server);
        (void) loop_free(b->loop);
        text_reset(&b->body);
        free(b);
        return 0;
}

static void run(struct bench *b)
{
        run_loop(b->loop, "no answer");
}

static void run_for(struct bench *b, uint64_t usec)
{
        run_loop_for(b->loop, usec, "no answer");
}

static void on_done(void *arg, const struct fetch_answer *answer)
{
        struct bench *b = arg;

        b->error = answer->error;
        b->status = answer->status;
        (void) snprintf(b->reason, sizeof b->reason, "%s", answer->reason);
        assert_int_equal(answer->body[answer->len], '\0');
        text_addn(&b->body, answer->body, answer->len);
        text_addn(&b->body, "", 0);
        if (++b->done == b->wanted)
                loop_stop(b->loop);
}

static struct fetch_op *start(struct bench *b, const char *url, const struct fetch_request *more)
{
        struct fetch_request request = *more;

        request.url = url;
        request.method = request.method ? request.method : "GET";
        request.unix_socket = fake_http_path(b->server);
        request.answer_max = request.answer_max ? request.answer_max : 100;
        return fetch_start(b->fetch, &request, on_done, b);
}

static const struct fetch_request plain = { 0 };

static void answers(void **state)
{
        static const struct {
                const char *target;
                int error, status;
                const char *body;
        } rows[] = {
                { "/hello", 0, 200, "hello" },
                { "/bytewise", 0, 200, "hello, world" },
                { "/big", 0, 200, "01234567890123456789" },
                { "/missing", 0, 404, "nope" },
                { "/late", 0, 200, "ok" },
                { "/moved", 0, 302, "" },
                { "/short", -ECONNRESET, 200, "0123" },
                { "/nothing", -ECONNRESET, 0, "" },
                { "/garbage", -EPROTONOSUPPORT, 0, "" },
        };
        struct bench *b = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *url = NULL;

                text_truncate(&b->body, 0);
                b->done = 0;
                assert_true(asprintf(&url, "http://x%s", rows[i].target) > 0);
                assert_non_null(start(b, url, &plain));
                assert_int_equal(b->done, 0);
                run(b);
                assert_int_equal(b->error, rows[i].error);
                assert_int_equal(b->status, rows[i].status);
                assert_string_equal(b->body.data ? b->body.data : "", rows[i].body);
                assert_int_equal(*b->reason != '\0', rows[i].error != 0);
        }
}

static void what_cannot_be_reached_or_is_not_http_fails(void **state)
{
        static const struct {
                const char *url, *socket;
                int error;
        } rows[] = {
                { "http://x/", "/nowhere/socket", -ENOENT },
                { "http://127.0.0.1:1/", NULL, -ECONNREFUSED },
                { "file:///etc/passwd", NULL, -EPROTONOSUPPORT },
                { "ftp://127.0.0.1/", NULL, -EPROTONOSUPPORT },
                { "http://[::1", NULL, -EINVAL },
        };
        struct bench *b = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                b->done = 0;
                assert_non_null(fetch_start(b->fetch,
                                            &(struct fetch_request){ .method = "GET",
                                                                     .url = rows[i].url,
                                                                     .unix_socket = rows[i].socket },
                                            on_done, b));
                assert_int_equal(b->done, 0);
                run(b);
                assert_int_equal(b->error, rows[i].error);
        }
}

static void proxies_of_the_environment_are_ignored(void **state)
{
        struct bench *b = *state;

        (void) setenv("http_proxy", "http://127.0.0.1:1/", 1);
        (void) setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
        assert_non_null(start(b, "http://x/hello", &plain));
        run(b);
        (void) unsetenv("http_proxy");
        (void) unsetenv("ALL_PROXY");
        assert_int_equal(b->error, 0);
        assert_string_equal(b->body.data, "hello");
}

static void limits(void **state)
{
        static const struct {
                const char *url;
                struct fetch_request request;
                int error;
        } rows[] = {
                { "http://x/big", { .answer_max = 20 }, 0 },
                { "http://x/big", { .answer_max = 19 }, -EFBIG },
                { "http://x/hang", { .total_usec = 30 * 1000 }, -ETIMEDOUT },
                { "http://x/half", { .total_usec = 30 * 1000 }, -ETIMEDOUT },
                { "http://x/hang", { .silence_usec = 30 * 1000 }, -ETIMEDOUT },
                { "http://x/half", { .silence_usec = 30 * 1000 }, -ETIMEDOUT },
                { "http://x/late", { .silence_usec = 500 * 1000 }, 0 },
                { "http://x/bytewise", { .silence_usec = 500 * 1000 }, 0 },
        };
        struct bench *b = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                b->done = 0;
                assert_non_null(start(b, rows[i].url, &rows[i].request));
                run(b);
                assert_int_equal(b->error, rows[i].error);
        }
}

static void what_is_sent(void **state)
{
        static const char *const headers[] = { "X-One: 1", "X-Two: 2", NULL };
        struct bench *b = *state;

        b->wanted = 1;
        assert_non_null(start(b, "http://host/p?q=1",
                              &(struct fetch_request){ .method = "POST",
                                                       .body = "{}",
                                                       .body_len = 2,
                                                       .content_type = "application/json",
                                                       .headers = headers }));
        run(b);
        assert_int_equal(b->status, 204);
        assert_string_equal(fake_http_last(b->server),
                            "POST /p?q=1 HTTP/1.1\r\nHost: host\r\nAccept: */*\r\n"
                            "Content-Type: application/json\r\nX-One: 1\r\nX-Two: 2\r\n"
                            "Content-Length: 2\r\n\r\n{}");
        b->wanted = 2;
        assert_non_null(start(b, "http://host/empty", &(struct fetch_request){ .method = "POST" }));
        run(b);
        assert_string_equal(
                fake_http_last(b->server),
                "POST /empty HTTP/1.1\r\nHost: host\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n");
        b->wanted = 3;
        assert_non_null(start(b, "http://host/gone", &(struct fetch_request){ .method = "DELETE" }));
        run(b);
        assert_string_equal(fake_http_last(b->server),
                            "DELETE /gone HTTP/1.1\r\nHost: host\r\nAccept: */*\r\n\r\n");
        b->wanted = 4;
        assert_non_null(start(b, "http://host/", &(struct fetch_request){ .method = "HEAD" }));
        run(b);
        assert_int_equal(b->error, 0);
}

static void connections_are_used_again_and_bounded(void **state)
{
        struct bench *b = *state;

        for (b->wanted = 1; b->wanted <= 5; b->wanted++) {
                assert_non_null(start(b, "http://x/hello", &plain));
                run(b);
        }
        assert_int_equal(fake_http_accepted(b->server), 1);

        b->done = 0;
        b->wanted = OPS_MAX;
        for (int i = 0; i < OPS_MAX; i++)
                assert_non_null(start(b, "http://x/late", &plain));
        run(b);
        assert_int_equal(b->error, 0);
        assert_true(fake_http_accepted(b->server) <= 64);
}

/* --- streams -------------------------------------------------------------- */

static void on_head(void *arg, int status)
{
        struct bench *b = arg;

        assert_int_equal(b->pieces, 0);
        b->status = status;
        b->heads++;
}

static bool on_piece(void *arg, int status, const char *bytes, size_t len)
{
        struct bench *b = arg;

        assert_int_equal(status, 200);
        text_addn(&b->body, bytes, len);
        b->pieces++;
        return true;
}

static void a_stream_comes_in_pieces_and_may_exceed_the_limit(void **state)
{
        struct bench *b = *state;

        assert_non_null(
                start(b, "http://x/stream",
                      &(struct fetch_request){ .head = on_head, .piece = on_piece, .answer_max = 1 }));
        run_for(b, 50 * USEC_PER_MSEC);
        assert_int_equal(b->heads, 1);
        assert_string_equal(b->body.data, "one");
        assert_int_equal(b->done, 0);
        fake_http_push(b->server, "GET /stream", "3\r\ntwo\r\n0\r\n\r\n");
        run(b);
        assert_int_equal(b->error, 0);
        assert_string_equal(b->body.data, "onetwo");
}

static bool refuse(void *arg, _unused_ int status, _unused_ const char *bytes, _unused_ size_t len)
{
        ((struct bench *) arg)->pieces++;
        return false;
}

static void a_stream_is_ended_by_its_reader(void **state)
{
        struct bench *b = *state;

        assert_non_null(start(b, "http://x/stream", &(struct fetch_request){ .piece = refuse }));
        run(b);
        assert_int_equal(b->error, -ECANCELED);
        assert_int_equal(b->pieces, 1);
        run_for(b, 20 * USEC_PER_MSEC);
        assert_int_equal(fake_http_open(b->server), 0);
}

/* --- cancelling ----------------------------------------------------------- */

static void cancel_all(struct bench *b)
{
        for (int i = 0; i < OPS_MAX; i++)
                b->ops[i] = fetch_cancel(b->ops[i]);
}

static void a_cancelled_op_calls_nothing(void **state)
{
        static const uint64_t moments[] = { 0, 1000, 20 * 1000 };
        struct bench *b = *state;

        for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
                b->ops[0] = start(b, "http://x/much-later", &plain);
                b->ops[1] = start(b, "http://x/hang", &(struct fetch_request){ .silence_usec = 400 * 1000 });
                if (moments[i])
                        run_for(b, moments[i]);
                cancel_all(b);
                run_for(b, 500 * USEC_PER_MSEC);
                assert_int_equal(b->done, 0);
                assert_int_equal(fake_http_open(b->server), 0);
        }
}

static bool cancel_from_piece(void *arg, _unused_ int status, _unused_ const char *bytes,
                              _unused_ size_t len)
{
        struct bench *b = arg;

        b->pieces++;
        cancel_all(b); /* ourselves, one that runs, one that has not begun */
        b->ops[5] = start(b, "http://x/hello", &plain);
        return true;
}

static void cancelling_from_inside_a_piece(void **state)
{
        struct bench *b = *state;

        b->ops[0] = start(b, "http://x/stream", &(struct fetch_request){ .piece = cancel_from_piece });
        b->ops[1] = start(b, "http://x/half", &(struct fetch_request){ .piece = on_piece });
        b->ops[2] = start(b, "http://x/hang", &plain);
        run(b);
        b->ops[5] = NULL;
        assert_int_equal(b->pieces, 1 + (b->body.len > 5));
        run_for(b, 50 * USEC_PER_MSEC);
        assert_int_equal(b->done, 1);
        assert_int_equal(b->error, 0);
}

static void cancel_from_done(void *arg, const struct fetch_answer *answer)
{
        struct bench *b = arg;

        assert_int_equal(answer->error, 0);
        b->done++;
        for (int i = 0; i < 3; i++)
                b->ops[i] = i + 1 == (int) b->done ? NULL : b->ops[i];
        cancel_all(b);
}

static void cancelling_those_that_are_done_too_from_done(void **state)
{
        struct bench *b = *state;
        const struct fetch_request request = { .method = "GET",
                                               .url = "http://x/hello",
                                               .unix_socket = fake_http_path(b->server),
                                               .answer_max = 100 };

        /* Whichever is first cancels the other two; the order is that of the answers. */
        for (int i = 0; i < 3; i++)
                b->ops[i] = fetch_start(b->fetch, &request, cancel_from_done, b);
        run_for(b, 100 * USEC_PER_MSEC);
        assert_int_equal(b->done, 1);
}

static void free_fetch(void *arg, _unused_ const struct fetch_answer *answer)
{
        struct bench *b = arg;

        b->fetch = fetch_free(b->fetch);
        loop_stop(b->loop);
}

static void the_fetch_may_be_freed_from_done(void **state)
{
        struct bench *b = *state;

        assert_non_null(start(b, "http://x/hang", &plain));
        assert_non_null(start(b, "http://x/stream", &(struct fetch_request){ .piece = on_piece }));
        assert_non_null(fetch_start(b->fetch,
                                    &(struct fetch_request){ .method = "GET",
                                                             .url = "http://x/hello",
                                                             .unix_socket = fake_http_path(b->server),
                                                             .answer_max = 100 },
                                    free_fetch, b));
        run(b);
        run_for(b, 20 * USEC_PER_MSEC);
        assert_int_equal(b->done, 0);
        assert_int_equal(fake_http_open(b->server), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(answers),
                TEST(what_cannot_be_reached_or_is_not_http_fails),
                TEST(proxies_of_the_environment_are_ignored),
                TEST(limits),
                TEST(what_is_sent),
                TEST(connections_are_used_again_and_bounded),
                TEST(a_stream_comes_in_pieces_and_may_exceed_the_limit),
                TEST(a_stream_is_ended_by_its_reader),
                TEST(a_cancelled_op_calls_nothing),
                TEST(cancelling_from_inside_a_piece),
                TEST(cancelling_those_that_are_done_too_from_done),
                TEST(the_fetch_may_be_freed_from_done),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
