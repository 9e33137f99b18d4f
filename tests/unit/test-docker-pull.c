/* SPDX-License-Identifier: Apache-2.0 */

/* Pulls: what is asked, their progress, their end. */

#include "docker-scene.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void on_progress(void *arg, const struct docker_progress *p)
{
        struct bench *b = arg;

        b->reports++;
        (void) snprintf(b->report, sizeof b->report, "%s", p->text);
        b->current = p->current;
        b->total = p->total;
        if (b->forbid)
                b->op = docker_cancel(b->op);
}

static void what_is_asked_of_the_registry(void **state)
{
        static const struct {
                const char *reference, *head;
        } rows[] = {
                { "busybox", "POST /v1.41/images/create?fromImage=busybox&tag=latest " },
                { "a/b:1", "POST /v1.41/images/create?fromImage=a%2Fb&tag=1 " },
                { "r:5000/a", "POST /v1.41/images/create?fromImage=r%3A5000%2Fa&tag=latest " },
                { "r:5000/a:2", "POST /v1.41/images/create?fromImage=r%3A5000%2Fa&tag=2 " },
                { "a@sha256:00", "POST /v1.41/images/create?fromImage=a&tag=sha256%3A00 " },
                { "r:5000/a:2@sha256:00",
                  "POST /v1.41/images/create?fromImage=r%3A5000%2Fa&tag=sha256%3A00 " },
        };
        static const struct fake_reply table[] = {
                INFO, EVENTS, { .match = "POST /", .bytes = FAKE_OK "Content-Length: 0\r\n\r\n" }, { 0 }
        };
        struct bench *b = *state;

        fake_http_script(b->server, table);
        come_up(b);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                assert_non_null(docker_pull(b->docker, rows[i].reference, i ? "e30=" : NULL, 0, on_progress,
                                            on_done, b));
                run(b);
                assert_int_equal(b->fault.kind, FAULT_NONE);
                assert_int_equal(strncmp(fake_http_last(b->server), rows[i].head, strlen(rows[i].head)), 0);
                assert_true(!strstr(fake_http_last(b->server), "\r\nX-Registry-Auth: e30=\r\n") == !i);
        }
}

#define LAYER(id, text, detail) \
        "{\"status\":\"" text "\",\"progressDetail\":{" detail "},\"id\":\"" id "\"}\r\n"
static const char two_layers[] = FAKE_OK
        "Connection: close\r\n\r\n"
        "{\"status\":\"Pulling from x\",\"id\":\"latest\"}\r\n" LAYER("a", "Downloading",
                                                                      "\"current\":10,\"total\":100")
                LAYER("b", "Downloading", "\"current\":50,\"total\":50") LAYER("b", "Download complete", "")
                        LAYER("b", "Extracting", "\"current\":1,\"total\":50");

static void progress_is_summed_and_throttled(void **state)
{
        static const struct fake_reply table[] = {
                INFO,
                EVENTS,
                { .match = "POST /", .bytes = two_layers, .after = FAKE_OPEN, .piece = 3 },
                { 0 }
        };
        struct bench *b = *state;

        fake_http_script(b->server, table);
        come_up(b);
        assert_non_null(docker_pull(b->docker, "x", NULL, 3 * USEC_PER_SEC, on_progress, on_done, b));
        run_for(b, 500 * USEC_PER_MSEC);
        assert_in_range(b->reports, 1, 3);
        assert_string_equal(b->report, "Extracting");
        assert_int_equal(b->current, 60);
        assert_int_equal(b->total, 150);
        assert_int_equal(b->answers, 0);
        run(b);
        assert_int_equal(b->fault.kind, FAULT_TIMEOUT);
        assert_non_null(strstr(b->fault.text, "image x"));
}

static void a_pull_may_be_cancelled_from_its_progress(void **state)
{
        static const struct fake_reply table[] = {
                INFO, EVENTS, { .match = "POST /", .bytes = two_layers, .after = FAKE_OPEN }, { 0 }
        };
        struct bench *b = *state;

        fake_http_script(b->server, table);
        come_up(b);
        b->forbid = true;
        b->op = docker_pull(b->docker, "x", NULL, 0, on_progress, on_done, b);
        run_for(b, 300 * USEC_PER_MSEC);
        assert_int_equal(b->reports, 1);
        assert_int_equal(b->answers, 0);
}

static void failed_pulls(void **state)
{
        static const struct {
                int status;
                const char *message;
                enum fault_kind kind;
        } rows[] = {
                { 404, "manifest for x not found: manifest unknown: manifest unknown", FAULT_MISSING },
                { 404, "pull access denied for x, repository does not exist or may require 'docker login'",
                  FAULT_MISSING },
                { 500, "Get \\\"https://r/v2/\\\": dial tcp: lookup r: no such host", FAULT_UPSTREAM },
                { 500, "Get \\\"https://r/v2/\\\": dial tcp 1.2.3.4:443: connect: connection refused",
                  FAULT_UPSTREAM },
                { 500, "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
                  FAULT_UPSTREAM },
                { 400, "invalid reference format", FAULT_INVALID },
                { 200, "manifest unknown", FAULT_MISSING },
                { 200, "write /var/lib/docker/tmp/x: no space left on device", FAULT_NO_SPACE },
                { 200, "unexpected EOF", FAULT_UPSTREAM },
        };
        struct fake_reply table[] = { INFO, EVENTS, { .match = "POST /" }, { 0 } };
        struct bench *b = *state;

        fake_http_script(b->server, table);
        come_up(b);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text answer = { 0 };

                text_addf(&answer, "HTTP/1.1 %d X\r\nConnection: close\r\n\r\n", rows[i].status);
                if (rows[i].status == 200)
                        text_addf(&answer,
                                  "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"%s\"}}\r\n",
                                  rows[i].message);
                else
                        text_addf(&answer, "{\"message\":\"%s\"}\n", rows[i].message);
                table[2].bytes = answer.data;
                assert_non_null(docker_pull(b->docker, "the/image", NULL, 0, NULL, on_done, b));
                run(b);
                assert_int_equal(b->fault.kind, rows[i].kind);
                assert_non_null(strstr(b->fault.text, "image the/image: "));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                DOCKER_TEST(what_is_asked_of_the_registry),
                DOCKER_TEST(progress_is_summed_and_throttled),
                DOCKER_TEST(a_pull_may_be_cancelled_from_its_progress),
                DOCKER_TEST(failed_pulls),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
