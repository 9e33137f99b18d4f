/* SPDX-License-Identifier: Apache-2.0 */

/* The engine's link and verbs, against an engine that can break where a real one does not on demand. */

#include "fake-http.h"
#include "run-loop.h"
#include "sys/docker.h"
#include "sys/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>


struct bench {
        struct loop *loop;
        struct fetch *fetch;
        struct fake_http *server;
        struct docker *docker;
        char said[512]; /* what the watch was told */
        unsigned answers;
        struct fault fault; /* of the last answer */
        struct docker_container container;
        size_t listed;
        char names[128];
        struct docker_image image;
        unsigned reports;
        char report[128];
        uint64_t current, total;
        struct docker_op *op;
        bool forbid;         /* at the next event */
        const char *stop_at; /* leave the loop when `said` ends so */
};

#define INFO                                                                               \
        {                                                                                  \
                .match = "GET /v1.41/info",                                                \
                .bytes = FAKE_OK "Connection: close\r\n\r\n{\"CgroupDriver\":\"systemd\"}" \
        }
#define EVENTS                                                                         \
        {                                                                              \
                .match = "GET /v1.41/events", .bytes = FAKE_STREAM, .after = FAKE_OPEN \
        }
#define PING                                                                                \
        {                                                                                   \
                .match = "GET /v1.41/_ping", .bytes = FAKE_OK "Content-Length: 2\r\n\r\nOK" \
        }

static const struct fake_reply well[] = { INFO, EVENTS, PING, { 0 } };

static void say(struct bench *b, const char *word)
{
        size_t n = strlen(b->said);

        (void) snprintf(b->said + n, sizeof b->said - n, "%s", word);
        if (b->stop_at && ends_with(b->said, b->stop_at))
                loop_stop(b->loop);
}

static void on_up(void *arg)
{
        say(arg, "up;");
}

static void on_down(void *arg, const char *reason)
{
        assert_true(strlen(reason) > 0);
        say(arg, "down;");
}

static void on_event(void *arg, const struct docker_event *e)
{
        struct bench *b = arg;
        char word[128];

        (void) snprintf(word, sizeof word, "%s %s %s %s %d;", e->action, e->name, e->gear, e->health,
                        e->exit_code);
        if (b->forbid)
                docker_allow(b->docker, false);
        say(b, word);
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);
        const struct docker_watch watch = { .up = on_up, .down = on_down, .event = on_event, .arg = b };

        b->loop = loop_new();
        b->fetch = fetch_new(b->loop);
        b->server = fake_http_new(b->loop, well);
        b->docker = docker_new(b->loop, b->fetch, fake_http_path(b->server), &watch);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        (void) docker_free(b->docker);
        (void) fetch_free(b->fetch);
        (void) fake_http_free(b->server);
        (void) loop_free(b->loop);
        free(b);
        return 0;
}

static void run(struct bench *b)
{
        run_loop(b->loop, b->said);
        b->stop_at = NULL;
}

static void run_for(struct bench *b, uint64_t usec)
{
        run_loop_for(b->loop, usec, b->said);
        b->stop_at = NULL;
}

static void run_until(struct bench *b, const char *said)
{
        b->stop_at = said;
        if (!ends_with(b->said, said))
                run(b);
        b->stop_at = NULL;
}

static void run_until_asked(struct bench *b, const char *match, unsigned times)
{
        const uint64_t until = now_usec() + 30 * USEC_PER_SEC;

        while (fake_http_count(b->server, match) < times && now_usec() < until)
                run_for(b, 20 * USEC_PER_MSEC);
        assert_true(fake_http_count(b->server, match) >= times);
}

static void come_up(struct bench *b)
{
        docker_allow(b->docker, true);
        run_until(b, "up;");
        *b->said = '\0';
}

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
        fake_http_script(b->server, well);
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

static void keep_fault(struct bench *b, const struct fault *fault)
{
        b->fault = fault ? *fault : (struct fault){ 0 };
        b->answers++;
        b->op = NULL;
        loop_stop(b->loop);
}

static void on_done(void *arg, const struct fault *fault)
{
        keep_fault(arg, fault);
}

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
static void a_list_of_thousands_is_read(void **state)
{
        enum { MANY = 5000 };
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

static void images_and_volumes_are_read(void **state)
{
        static const struct fake_reply table[] = {
                INFO,
                EVENTS,
                { .match = "GET /v1.41/images/r:5000/a/b:1/json ",
                  .bytes = FAKE_OK
                  "Connection: close\r\n\r\n{\"Id\":\"sha256:1\",\"Size\":12345678901,\"Config\":"
                  "{\"User\":\"u\",\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"]}}}        " },
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
        assert_in_range(now_usec() - start, 10 * USEC_PER_SEC, 11 * USEC_PER_SEC);
        assert_string_equal(b->said, "");
        run_until(b, "down;");
        assert_in_range(now_usec() - start, 20 * USEC_PER_SEC, 21 * USEC_PER_SEC);
        assert_false(docker_is_up(b->docker));
}

/* --- pulls ---------------------------------------------------------------- */

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

/* --- lines ---------------------------------------------------------------- */

static bool note_line(void *arg, const char *line, size_t len)
{
        char *said = arg;

        (void) snprintf(said + strlen(said), 64 - strlen(said), "[%.*s]", (int) len, line);
        return !(len == 4 && memcmp(line, "stop", 4) == 0);
}

static void lines_are_the_same_wherever_the_pieces_end(_unused_ void **state)
{
        static const char stream[] = "one\n\ntwo\r\nthree\nhe";

        for (size_t cut = 0; cut < sizeof stream; cut++) {
                struct line_splitter s = { .max = 8 };
                char said[64] = "";

                assert_int_equal(lines_feed(&s, stream, cut, note_line, said), 0);
                assert_int_equal(lines_feed(&s, stream + cut, sizeof stream - 1 - cut, note_line, said), 0);
                assert_string_equal(said, "[one][][two\r][three]");
                assert_int_equal(s.held.len, 2);
                text_reset(&s.held);
        }
}

static void lines_are_bounded_and_can_be_stopped(_unused_ void **state)
{
        struct line_splitter s = { .max = 4 };
        char said[64] = "";

        assert_int_equal(lines_feed(&s, "1234\n", 5, note_line, said), 0);
        assert_int_equal(lines_feed(&s, "12345\n", 6, note_line, said), -EMSGSIZE);
        assert_int_equal(lines_feed(&s, "123", 3, note_line, said), 0);
        assert_int_equal(lines_feed(&s, "45\n", 3, note_line, said), -EMSGSIZE);
        text_reset(&s.held);
        assert_int_equal(lines_feed(&s, "stop\nmore\n", 10, note_line, said), SPLIT_STOPPED);
        assert_string_equal(said, "[1234][stop]");
        text_reset(&s.held);
}

static void elements_are_the_same_wherever_the_pieces_end(_unused_ void **state)
{
        static const char stream[] = " [{\"a\":\"}\\\"]\"} ,\n[1,[2]],7,\"{\",{}]\n";

        for (size_t cut = 0; cut < sizeof stream; cut++) {
                struct element_splitter s = { .max = 16 };
                char said[64] = "";

                assert_int_equal(elements_feed(&s, stream, cut, note_line, said), 0);
                assert_int_equal(elements_feed(&s, stream + cut, sizeof stream - 1 - cut, note_line, said),
                                 0);
                assert_string_equal(said, "[{\"a\":\"}\\\"]\"}][[1,[2]]][{}]");
                assert_true(s.ended);
                text_reset(&s.held);
        }
}

static void what_is_no_array_has_no_elements(_unused_ void **state)
{
        static const struct {
                const char *stream;
                int result;
                bool ended;
        } rows[] = {
                { "[]", 0, true },
                { "[{}", 0, false },
                { "", 0, false },
                { "{\"a\":{}}", -EBADMSG, false },
                { "]", -EBADMSG, false },
                { "}", -EBADMSG, false },
                { "[}", -EBADMSG, false },
                { "[][]", -EBADMSG, true },
                { "[{\"0123456789abcdef\":1}]", -EMSGSIZE, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct element_splitter s = { .max = 16 };
                char said[64] = "";

                assert_int_equal(elements_feed(&s, rows[i].stream, strlen(rows[i].stream), note_line, said),
                                 rows[i].result);
                assert_int_equal(s.ended, rows[i].ended);
                text_reset(&s.held);
        }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(nothing_connects_before_it_is_allowed),
                TEST(events_arrive_however_they_are_cut),
                TEST(a_lost_stream_is_told_once_and_opened_again),
                TEST(an_engine_that_refuses_is_down_once_and_tried_again),
                TEST(a_line_without_end_is_a_loss),
                TEST(forbidding_fails_what_runs_later_and_at_once_what_comes),
                TEST(forbidding_from_an_event_ends_the_stream_there),
                TEST(a_lost_engine_fails_what_runs),
                TEST(a_container_is_read),
                TEST(a_list_of_thousands_is_read),
                TEST(images_and_volumes_are_read),
                TEST(refusals),
                TEST(removal_is_patient_and_forgives_what_is_gone),
                TEST(a_hung_engine_holds_no_verb_and_is_found_out),
                TEST(what_is_asked_of_the_registry),
                TEST(progress_is_summed_and_throttled),
                TEST(a_pull_may_be_cancelled_from_its_progress),
                TEST(failed_pulls),
                cmocka_unit_test(lines_are_the_same_wherever_the_pieces_end),
                cmocka_unit_test(lines_are_bounded_and_can_be_stopped),
                cmocka_unit_test(elements_are_the_same_wherever_the_pieces_end),
                cmocka_unit_test(what_is_no_array_has_no_elements),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
