/* SPDX-License-Identifier: Apache-2.0 */

/* The engine's link and verbs. */

#include "docker-scene.h"
#include "util/json.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- the link ------------------------------------------------------------- */

static void nothing_connects_before_it_is_allowed(void **state)
{
        struct bench *b = *state;

        run_for(b, 50 * USEC_PER_MSEC);
        assert_int_equal(fake_http_accepted(b->server), 0);
        assert_false(docker_is_up(b->docker));
        assert_null(docker_cgroup_driver(b->docker));
        docker_allow(b->docker, true);
        assert_false(docker_is_up(b->docker));
        run_until(b, "up;");
        assert_true(docker_is_up(b->docker));
        assert_string_equal(docker_cgroup_driver(b->docker), "systemd");
}

/* One chunk of the event stream. */
static void push(struct bench *b, const char *bytes)
{
        _cleanup_text_ struct text chunk = { 0 };

        text_addf(&chunk, "%zx\r\n%s\r\n", strlen(bytes), bytes);
        fake_http_push(b->server, "GET /v1.41/events", chunk.data);
        run_for(b, 5 * USEC_PER_MSEC);
}

#define EVENT(action, attributes)                      \
        "{\"Type\":\"container\",\"Action\":\"" action \
        "\",\"Actor\":{\"ID\":\"ab\",\"Attributes\":{" attributes "}}}\n"
#define OURS "\"name\":\"n\",\"io.geard.id\":\"1\""

static void events_arrive_however_they_are_cut(void **state)
{
        static const char died[] = EVENT("die", "\"exitCode\":\"137\"," OURS);
        struct bench *b = *state;

        come_up(b);
        for (size_t cut = 1; cut < sizeof died - 1; cut += 9) {
                _cleanup_free_ char *begin = strndup(died, cut);

                push(b, begin);
                assert_string_equal(b->said, "");
                push(b, died + cut);
                assert_string_equal(b->said, "die n 1  137;");
                *b->said = '\0';
        }
        push(b, EVENT("health_status: unhealthy", OURS) "not json\n{\"a\":1}\n" EVENT("start", OURS));
        assert_string_equal(b->said, "health_status n 1 unhealthy -1;start n 1  -1;");
}

static void a_lost_stream_is_told_once_and_opened_again(void **state)
{
        struct bench *b = *state;

        come_up(b);
        fake_http_hang_up(b->server);
        run_until(b, "up;");
        assert_string_equal(b->said, "down;up;");
        assert_int_equal(fake_http_count(b->server, "GET /v1.41/info"), 2);
        assert_int_equal(fake_http_count(b->server, "GET /v1.41/events"), 2);
}

static void an_engine_that_refuses_is_down_once_and_tried_again(void **state)
{
        static const struct fake_reply broken[] = {
                { .match = "GET /v1.41/info",
                  .bytes = "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n"
                           "{\"message\":\"oops\"}" },
                { 0 },
        };
        static const struct fake_reply deaf[] = {
                INFO,
                { .match = "GET /v1.41/events", .bytes = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" },
                { 0 },
        };
        struct bench *b = *state;

        fake_http_script(b->server, broken);
        docker_allow(b->docker, true);
        run_until_asked(b, "GET /v1.41/info", 3);
        assert_string_equal(b->said, "down;");
        fake_http_script(b->server, deaf);
        run_until_asked(b, "GET /v1.41/events", 1);
        run_for(b, 20 * USEC_PER_MSEC);
        assert_string_equal(b->said, "down;");
        fake_http_script(b->server, docker_well);
        run_until(b, "up;");
        assert_string_equal(b->said, "down;up;");
}

static void a_line_without_end_is_a_loss(void **state)
{
        enum { PIECE = 65536 };
        struct bench *b = *state;
        _cleanup_free_ char *piece = calloc(1, PIECE + 32);

        come_up(b);
        (void) snprintf(piece, 16, "%x\r\n", PIECE);
        memset(piece + strlen(piece), 'x', PIECE);
        (void) strcat(piece, "\r\n");
        for (int i = 0; i < 17 && !*b->said; i++) {
                fake_http_push(b->server, "GET /v1.41/events", piece);
                run_for(b, 5 * USEC_PER_MSEC);
        }
        run_until(b, "up;");
        assert_string_equal(b->said, "down;up;");
}

/* --- answers -------------------------------------------------------------- */

static void on_inspected(void *arg, const struct docker_container *c, const struct fault *fault)
{
        struct bench *b = arg;

        assert_true(!c == !!fault);
        if (c)
                b->container = *c;
        keep_fault(b, fault);
}

static void on_image(void *arg, const struct docker_image *image, const struct fault *fault)
{
        struct bench *b = arg;

        assert_true(!image == !!fault);
        if (image)
                b->image = *image;
        keep_fault(b, fault);
}

static void on_listed(void *arg, const struct docker_container *c, size_t n, const struct fault *fault)
{
        struct bench *b = arg;

        b->listed = n;
        if (n)
                b->container = c[n - 1];
        keep_fault(b, fault);
}

static void on_volumes(void *arg, char *const *names, const struct fault *fault)
{
        struct bench *b = arg;

        for (; names && *names; names++)
                (void) snprintf(b->names + strlen(b->names), sizeof b->names - strlen(b->names), "%s;",
                                *names);
        keep_fault(b, fault);
}

static void forbidding_fails_what_runs_later_and_at_once_what_comes(void **state)
{
        static const struct fake_reply slow[] = {
                INFO, EVENTS, { .match = "GET /v1.41/containers", .bytes = "", .after = FAKE_OPEN }, { 0 }
        };
        struct bench *b = *state;

        fake_http_script(b->server, slow);
        come_up(b);
        assert_non_null(docker_inspect(b->docker, "a", on_inspected, b));
        run_for(b, 10 * USEC_PER_MSEC);
        docker_allow(b->docker, false);
        assert_int_equal(b->answers, 0);
        assert_string_equal(b->said, "");
        assert_false(docker_is_up(b->docker));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_AWAY);
        assert_true(b->fault.retry_after > 0);

        assert_non_null(docker_inspect(b->docker, "a", on_inspected, b));
        assert_int_equal(b->answers, 1);
        run(b);
        assert_int_equal(b->fault.kind, FAULT_AWAY);
        run_for(b, 700 * USEC_PER_MSEC);
        assert_string_equal(b->said, "down;");
        assert_int_equal(b->answers, 2);
        assert_int_equal(fake_http_open(b->server), 0);
}

static void forbidding_from_an_event_ends_the_stream_there(void **state)
{
        struct bench *b = *state;

        come_up(b);
        b->forbid = true;
        push(b, EVENT("stop", OURS) EVENT("start", OURS));
        run_until(b, "down;");
        assert_string_equal(b->said, "stop n 1  -1;down;");
}

static void a_lost_engine_fails_what_runs(void **state)
{
        static const struct fake_reply slow[] = {
                INFO, EVENTS, { .match = "DELETE /v1.41/containers", .bytes = "", .after = FAKE_OPEN }, { 0 }
        };
        struct bench *b = *state;

        fake_http_script(b->server, slow);
        come_up(b);
        assert_non_null(docker_remove(b->docker, "a", on_done, b));
        run_for(b, 10 * USEC_PER_MSEC);
        fake_http_hang_up(b->server);
        run(b);
        assert_int_equal(b->fault.kind, FAULT_AWAY);
        run_until(b, "up;");
        assert_int_equal(b->answers, 1);
}

static void a_container_is_read(void **state)
{
        static const struct fake_reply table[] = {
                INFO,
                EVENTS,
                { .match = "GET /v1.41/containers/gear-1%2Fx/json ",
                  .bytes = FAKE_OK
                  "Connection: close\r\n\r\n"
                  "{\"Id\":\"abc\",\"Name\":\"/gear-1\",\"State\":{\"Status\":\"running\",\"Pid\":42,"
                  "\"ExitCode\":137,\"OOMKilled\":true,\"Error\":\"a\\nb\","
                  "\"StartedAt\":\"2026-01-02T03:04:05.123456789Z\",\"Health\":{\"Status\":"
                  "\"starting\"}},\"Config\":{\"Image\":\"i:1\",\"Labels\":{\"io.geard.id\":\"1\","
                  "\"io.geard.request\":\"2a\"}},"
                  "\"NetworkSettings\":{\"IPAddress\":\"\",\"Networks\":{\"n\":{\"IPAddress\":"
                  "\"10.0.0.2\"}}}}",
                  .piece = 7 },
                { .match = "GET /v1.41/containers/odd/json ",
                  .bytes = FAKE_OK "Connection: close\r\n\r\n{\"Id\":7,\"State\":null,\"Config\":[]}" },
                { .match = "GET /v1.41/containers/torn/json ",
                  .bytes = FAKE_OK "Connection: close\r\n\r\n{\"Id\":" },
                { 0 },
        };
        struct bench *b = *state;
        const struct docker_container *c = &b->container;

        fake_http_script(b->server, table);
        come_up(b);
        assert_non_null(docker_inspect(b->docker, "gear-1/x", on_inspected, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_NONE);
        assert_string_equal(c->id, "abc");
        assert_string_equal(c->name, "gear-1");
        assert_string_equal(c->gear, "1");
        assert_string_equal(c->request, "2a");
        assert_string_equal(c->image, "i:1");
        assert_string_equal(c->state, "running");
        assert_string_equal(c->health, "starting");
        assert_string_equal(c->address, "10.0.0.2");
        assert_string_equal(c->error, "a b");
        assert_int_equal(c->pid, 42);
        assert_int_equal(c->exit_code, 137);
        assert_true(c->oom_killed);
        assert_int_equal(c->started_usec, UINT64_C(1767323045123456));

        assert_non_null(docker_inspect(b->docker, "odd", on_inspected, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_NONE);
        assert_string_equal(c->id, "");
        assert_non_null(docker_inspect(b->docker, "torn", on_inspected, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_UPSTREAM);
}

/* More members than a client's JSON may have. */
static void a_long_list_is_read(void **state)
{
        enum { MANY = JSON_MEMBERS_MAX / 4 };
        static const char one[] =
                "{\"Id\":\"abc\",\"Names\":[\"/gear-1\"],\"Image\":\"i\",\"State\":\"exited\","
                "\"Status\":\"Up 2 hours (unhealthy)\",\"Labels\":{\"io.geard.id\":\"1\"}},";
        struct bench *b = *state;
        _cleanup_text_ struct text answer = { 0 };
        struct fake_reply table[] = {
                INFO, EVENTS, { .match = "GET /v1.41/containers/json?all=1&" }, { 0 }
        };

        text_add(&answer, FAKE_OK "Connection: close\r\n\r\n[");
        for (int i = 0; i < MANY; i++)
                text_addn(&answer, one, sizeof one - (i == MANY - 1 ? 2 : 1));
        text_add(&answer, "]");
        table[2].bytes = answer.data;
        table[2].piece = 16384;
        fake_http_script(b->server, table);
        come_up(b);
        assert_non_null(docker_list(b->docker, on_listed, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_NONE);
        assert_int_equal(b->listed, MANY);
        assert_string_equal(b->container.gear, "1");
        assert_string_equal(b->container.state, "exited");
        assert_string_equal(b->container.health, "unhealthy");

        table[2].bytes = FAKE_OK "Connection: close\r\n\r\n[{\"Id\":\"a\"},{\"Id\"";
        assert_non_null(docker_list(b->docker, on_listed, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_UPSTREAM);
        assert_int_equal(b->listed, 0);
        table[2].bytes = "HTTP/1.1 500 No\r\nConnection: close\r\n\r\n{\"message\":\"[tired]\"}";
        assert_non_null(docker_list(b->docker, on_listed, b));
        run(b);
        assert_string_equal(b->fault.text, "Docker engine: [tired]");
}

static void images_networks_and_volumes_are_read(void **state)
{
        static const struct fake_reply table[] = {
                INFO,
                EVENTS,
                { .match = "GET /v1.41/images/r:5000/a/b:1/json ",
                  .bytes = FAKE_OK
                  "Connection: close\r\n\r\n{\"Id\":\"sha256:1\",\"Size\":12345678901,\"Config\":"
                  "{\"User\":\"u\",\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"]}}}        " },
                { .match = "GET /v1.41/networks/there ",
                  .bytes = FAKE_OK "Connection: close\r\n\r\n{\"Name\":\"there\"}" },
                { .match = "GET /v1.41/networks/",
                  .bytes = "HTTP/1.1 404 No\r\nConnection: close\r\n\r\n{\"message\":\"network a not "
                           "found\"}" },
                { .match = "GET /v1.41/volumes?filters=%7B%22label%22%3A%5B%22io.geard.id%3D2a%22%5D%7D ",
                  .bytes = FAKE_OK
                  "Connection: close\r\n\r\n{\"Volumes\":[{\"Name\":\"v1\"},{\"Name\":\"v2\"}]}  " },
                { .match = "GET /v1.41/volumes?",
                  .bytes = FAKE_OK "Connection: close\r\n\r\n{\"Volumes\":null}" },
                { 0 },
        };
        struct bench *b = *state;

        fake_http_script(b->server, table);
        come_up(b);
        assert_non_null(docker_inspect_image(b->docker, "r:5000/a/b:1", on_image, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_NONE);
        assert_string_equal(b->image.id, "sha256:1");
        assert_string_equal(b->image.user, "u");
        assert_int_equal(b->image.size, UINT64_C(12345678901));
        assert_true(b->image.has_health);
        assert_non_null(docker_find_network(b->docker, "there", on_done, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_NONE);
        assert_non_null(docker_find_network(b->docker, "a", on_done, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_MISSING);
        assert_non_null(docker_list_volumes(b->docker, "2a", on_volumes, b));
        run(b);
        assert_string_equal(b->names, "v1;v2;");
        assert_non_null(docker_list_volumes(b->docker, "3", on_volumes, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_NONE);
        assert_string_equal(b->names, "v1;v2;");
}

static void refusals(void **state)
{
        static const struct {
                const char *bytes;
                enum fault_kind kind;
                const char *text;
        } rows[] = {
                { "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{\"message\":\"No such container: "
                  "a\"}",
                  FAULT_MISSING, "Docker engine: No such container: a" },
                { "HTTP/1.1 409 Conflict\r\nConnection: close\r\n\r\n{\"message\":\"busy\"} ",
                  FAULT_CONFLICT, "Docker engine: busy" },
                { "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n{\"message\":\"a\\n\\u001bb\"}  ",
                  FAULT_UPSTREAM, "Docker engine: a  b" },
                { "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n{\"message\":\"what\"}", FAULT_INVALID,
                  "Docker engine: what" },
                { "HTTP/1.1 502 Bad\r\nConnection: close\r\n\r\noops\n", FAULT_UPSTREAM,
                  "Docker engine: oops" },
                { "HTTP/1.1 503 Bad\r\nContent-Length: 0\r\n\r\n", FAULT_UPSTREAM,
                  "the Docker engine answered 503" },
        };
        struct fake_reply table[] = { INFO, EVENTS, { .match = "GET /v1.41/containers" }, { 0 } };
        struct bench *b = *state;

        fake_http_script(b->server, table);
        come_up(b);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                table[2].bytes = rows[i].bytes;
                assert_non_null(docker_inspect(b->docker, "a", on_inspected, b));
                run(b);
                assert_int_equal(b->fault.kind, rows[i].kind);
                assert_string_equal(b->fault.text, rows[i].text);
        }
}

static void removal_is_patient_and_forgives_what_is_gone(void **state)
{
        struct fake_reply table[] = {
                INFO,
                EVENTS,
                { .match = "DELETE /v1.41/containers/a?force=1&v=1 ",
                  .bytes = "HTTP/1.1 409 Conflict\r\nConnection: close\r\n\r\n"
                           "{\"message\":\"removal of container a is already in progress\"}    " },
                { .match = "DELETE /v1.41/volumes/used ",
                  .bytes = "HTTP/1.1 409 Conflict\r\nConnection: close\r\n\r\n{\"message\":\"volume in "
                           "use\"} " },
                { .match = "DELETE /v1.41/volumes/none ",
                  .bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" },
                { 0 },
        };
        struct bench *b = *state;

        fake_http_script(b->server, table);
        come_up(b);
        assert_non_null(docker_remove(b->docker, "a", on_done, b));
        run_until_asked(b, "DELETE", 3);
        assert_int_equal(b->answers, 0);
        table[2].bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        run(b);
        assert_int_equal(b->fault.kind, FAULT_NONE);
        assert_non_null(docker_remove_volume(b->docker, "used", on_done, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_CONFLICT);
        assert_non_null(docker_remove_volume(b->docker, "none", on_done, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_NONE);
}

/* As after SIGSTOP: it accepts, and never answers. */
static void a_hung_engine_holds_no_verb_and_is_found_out(void **state)
{
        static const struct fake_reply hung[] = {
                INFO, EVENTS, { .match = "GET /v1.41/", .bytes = "", .after = FAKE_OPEN }, { 0 }
        };
        struct bench *b = *state;
        uint64_t start;

        fake_http_script(b->server, hung);
        come_up(b);
        start = now_usec();
        assert_non_null(docker_inspect_image(b->docker, "x", on_image, b));
        run(b);
        assert_int_equal(b->fault.kind, FAULT_TIMEOUT);
        assert_true(now_usec() - start >= 9 * USEC_PER_SEC);
        assert_string_equal(b->said, "");
        run_until(b, "down;");
        assert_false(docker_is_up(b->docker));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                DOCKER_TEST(nothing_connects_before_it_is_allowed),
                DOCKER_TEST(events_arrive_however_they_are_cut),
                DOCKER_TEST(a_lost_stream_is_told_once_and_opened_again),
                DOCKER_TEST(an_engine_that_refuses_is_down_once_and_tried_again),
                DOCKER_TEST(a_line_without_end_is_a_loss),
                DOCKER_TEST(forbidding_fails_what_runs_later_and_at_once_what_comes),
                DOCKER_TEST(forbidding_from_an_event_ends_the_stream_there),
                DOCKER_TEST(a_lost_engine_fails_what_runs),
                DOCKER_TEST(a_container_is_read),
                DOCKER_TEST(a_long_list_is_read),
                DOCKER_TEST(images_networks_and_volumes_are_read),
                DOCKER_TEST(refusals),
                DOCKER_TEST(removal_is_patient_and_forgives_what_is_gone),
                DOCKER_TEST(a_hung_engine_holds_no_verb_and_is_found_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
