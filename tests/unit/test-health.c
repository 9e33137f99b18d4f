/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The health that geard finds out by itself, from probe to word: a listening
 * socket stands for the container, whose address is loopback.
 */

#include "api/health.h"
#include "core/unit.h"
#include "run-loop.h"
#include "util/log.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#define INTERVAL_USEC (100 * USEC_PER_MSEC) /* the shortest there may be */
#define SLACK_USEC (10 * USEC_PER_MSEC)     /* between two clocks */
#define PATIENCE_USEC (10 * USEC_PER_SEC)

struct bench {
        struct daemon d;
        char path[64];
        struct gear *gear;
        uint16_t port;
        int fd; /* -1 while it does not listen */
};

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);
        struct fault f;

        *b = (struct bench){ .path = "/tmp/test-health-XXXXXX", .fd = -1 };
        assert_non_null(mkdtemp(b->path));
        b->d.loop = loop_new();
        b->d.fetch = fetch_new(b->d.loop);
        b->d.gears = gears_new();
        assert_int_equal(store_open(b->path, &b->d.store, &f), 0);
        log_open("test-health", LOG_ERR);
        *state = b;
        return 0;
}

static int remove_one(const char *path, const struct stat *st _unused_, int what _unused_, struct FTW *ftw _unused_)
{
        return remove(path);
}

static int tear_down(void **state)
{
        struct bench *b = *state;
        int r;

        if (b->gear)
                health_forget(b->gear);
        if (b->fd >= 0)
                (void) close(b->fd);
        (void) gears_free(b->d.gears);
        (void) fetch_free(b->d.fetch);
        (void) store_free(b->d.store);
        (void) loop_free(b->d.loop);
        r = nftw(b->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(b);
        return r;
}

/* --- the container ------------------------------------------------------------ */

/* On the same port every time. */
static void listens(struct bench *b)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(b->port) };
        socklen_t len = sizeof a;
        int yes = 1;

        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        b->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(b->fd >= 0);
        assert_int_equal(setsockopt(b->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
        assert_int_equal(bind(b->fd, (struct sockaddr *) &a, sizeof a), 0);
        assert_int_equal(listen(b->fd, 128), 0);
        assert_int_equal(getsockname(b->fd, (struct sockaddr *) &a, &len), 0);
        b->port = ntohs(a.sin_port);
}

static void is_deaf(struct bench *b)
{
        (void) close(b->fd);
        b->fd = -1;
}

/* How often it was asked since the last time. */
static unsigned times_asked(struct bench *b)
{
        unsigned n = 0;
        int fd;

        while ((fd = accept4(b->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                (void) close(fd);
                n++;
        }
        return n;
}

static void starts_as(struct bench *b, const char *container)
{
        struct gear *gear = b->gear;

        (void) snprintf(gear->container, sizeof gear->container, "%s", container);
        (void) snprintf(gear->address, sizeof gear->address, "127.0.0.1");
        gear->container_state = gear_word("running");
        gear->health = gear_word("");
        gear->started_usec = wall_usec();
        health_look(&b->d, gear);
}

/* --- the gear ------------------------------------------------------------------- */

static void write_unit(struct bench *b, const struct spec *spec)
{
        const struct unit_host host = { .state_directory = b->path,
                                        .docker = "/usr/bin/docker",
                                        .docker_unit = "",
                                        .docker_socket = "/run/docker.sock",
                                        .helper = "/usr/libexec/geard/gear-unit",
                                        .publish_address = "0.0.0.0" };
        const struct unit_origin origin = { .id = "1", .user = "", .request_id = "0000000000000000000000000000002a" };
        struct unit_record record = { 0 };
        _cleanup_text_ struct text unit = { 0 };
        struct fault f;

        if (unit_render(spec, &origin, &host, &unit, &f) < 0 ||
            store_write_unit(b->d.store, "1", unit.data, unit.len, &f) < 0 || unit_read(unit.data, &record, &f) < 0)
                fail_msg("%s", f.text);
        assert_int_equal(gear_set_record(b->d.gears, b->gear, &record), 0);
        unit_record_reset(&record);
}

/* Gear 1 with that health, in the index and on the disk; its container is not there yet. */
static void gear_with(struct bench *b, const char *health)
{
        _cleanup_text_ struct text text = { 0 };
        struct json *json;
        struct spec spec;
        struct fault f;

        if (b->port == 0)
                listens(b);
        b->gear = gears_add(b->d.gears, "1");
        assert_non_null(b->gear);
        text_addf(&text, "{\"image\":\"demo\",\"health\":{%s}}", health);
        json = json_parse(text.data, text.len, "body", &f);
        if (!json || spec_from_json(json, NULL, &spec, &f) < 0)
                fail_msg("%s: %s", text.data, f.text);
        if (spec.health.kind == PROBE_TCP)
                spec.health.port = b->port;
        write_unit(b, &spec);
        spec_reset(&spec);
        (void) json_free(json);
}

static void becomes(struct bench *b, const char *health)
{
        uint64_t until = now_usec() + PATIENCE_USEC;

        while (!streq(b->gear->health, health) && now_usec() < until)
                run_loop_for(b->d.loop, 5 * USEC_PER_MSEC, b->gear->health);
        assert_string_equal(b->gear->health, health);
}

static void stays(struct bench *b, const char *health, uint64_t usec)
{
        uint64_t until = now_usec() + usec;

        while (now_usec() < until) {
                run_loop_for(b->d.loop, 5 * USEC_PER_MSEC, b->gear->health);
                assert_string_equal(b->gear->health, health);
        }
}

static void is_asked(struct bench *b)
{
        uint64_t until = now_usec() + PATIENCE_USEC;

        while (times_asked(b) == 0 && now_usec() < until)
                run_loop_for(b->d.loop, 5 * USEC_PER_MSEC, "not asked");
        assert_true(now_usec() < until);
}

/* --- cases ------------------------------------------------------------------------ */

#define EVERY "\"tcp\":1,\"interval\":\"100ms\",\"timeout\":\"1s\""

static void it_is_asked_one_interval_after_its_start_and_after_every_answer(void **state)
{
        struct bench *b = *state;
        uint64_t began = now_usec();

        gear_with(b, EVERY);
        starts_as(b, "aaaaaaaaaaaa");
        assert_string_equal(b->gear->health, "starting");
        becomes(b, "healthy");
        is_asked(b);
        is_asked(b);
        is_asked(b);
        assert_true(now_usec() - began >= 3 * INTERVAL_USEC - SLACK_USEC);
        assert_string_equal(b->gear->health, "healthy");
}

/* It is geard that has started: the interval was over long ago. */
static void one_that_has_run_for_long_is_asked_at_once(void **state)
{
        struct bench *b = *state;

        gear_with(b, "\"tcp\":1,\"interval\":\"1h\"");
        starts_as(b, "aaaaaaaaaaaa");
        health_forget(b->gear);
        b->gear->started_usec -= 3600 * USEC_PER_SEC;
        health_look(&b->d, b->gear);
        becomes(b, "healthy");
}

static void only_so_many_failures_in_a_row_are_unhealthy_and_one_answer_is_healthy(void **state)
{
        struct bench *b = *state;
        uint64_t began = now_usec();

        gear_with(b, EVERY ",\"retries\":4");
        is_deaf(b);
        starts_as(b, "aaaaaaaaaaaa");
        becomes(b, "unhealthy");
        assert_true(now_usec() - began >= 4 * INTERVAL_USEC - SLACK_USEC);
        listens(b);
        becomes(b, "healthy");
        is_deaf(b);
        stays(b, "healthy", 3 * INTERVAL_USEC / 2);
        listens(b);
        is_asked(b);
        began = now_usec();
        is_deaf(b);
        becomes(b, "unhealthy");
        assert_true(now_usec() - began >= 3 * INTERVAL_USEC); /* the row began anew */
}

static void failures_of_the_start_period_do_not_count(void **state)
{
        struct bench *b = *state;

        gear_with(b, EVERY ",\"retries\":1,\"start_period\":\"3s\"");
        is_deaf(b);
        starts_as(b, "aaaaaaaaaaaa");
        stays(b, "starting", 5 * INTERVAL_USEC);
        becomes(b, "unhealthy");
}

static void the_start_period_ends_with_the_first_answer(void **state)
{
        struct bench *b = *state;

        gear_with(b, EVERY ",\"retries\":1,\"start_period\":\"1h\"");
        starts_as(b, "aaaaaaaaaaaa");
        becomes(b, "healthy");
        is_deaf(b);
        becomes(b, "unhealthy");
}

static void another_container_begins_anew(void **state)
{
        struct bench *b = *state;

        gear_with(b, EVERY ",\"retries\":1");
        starts_as(b, "aaaaaaaaaaaa");
        becomes(b, "healthy");
        starts_as(b, "bbbbbbbbbbbb");
        assert_string_equal(b->gear->health, "starting");
        becomes(b, "healthy");
        b->gear->container[0] = '\0';
        health_look(&b->d, b->gear);
        assert_null(b->gear->prober);
}

static void the_engines_word_does_not_last(void **state)
{
        struct bench *b = *state;

        gear_with(b, EVERY);
        starts_as(b, "aaaaaaaaaaaa");
        becomes(b, "healthy");
        b->gear->health = gear_word("");
        health_look(&b->d, b->gear);
        assert_string_equal(b->gear->health, "healthy");
}

static void a_paused_container_is_not_asked(void **state)
{
        struct bench *b = *state;

        gear_with(b, EVERY ",\"retries\":1");
        starts_as(b, "aaaaaaaaaaaa");
        becomes(b, "healthy");
        is_deaf(b);
        b->gear->container_state = gear_word("paused");
        stays(b, "healthy", 4 * INTERVAL_USEC);
        b->gear->container_state = gear_word("running");
        becomes(b, "unhealthy");
}

static void nobody_is_asked_who_need_not_be(void **state)
{
        struct bench *b = *state;

        gear_with(b, "\"command\":[\"true\"]");
        starts_as(b, "aaaaaaaaaaaa");
        assert_null(b->gear->prober); /* the engine does that */
        assert_string_equal(b->gear->health, "");

        gear_with(b, EVERY);
        b->gear->address[0] = '\0'; /* not inspected yet */
        health_look(&b->d, b->gear);
        assert_null(b->gear->prober);
}

static void without_a_record_there_is_no_probe(void **state)
{
        struct bench *b = *state;
        struct fault f;

        gear_with(b, EVERY);
        assert_int_equal(store_write_unit(b->d.store, "1", "nonsense\n", strlen("nonsense\n"), &f), 0);
        starts_as(b, "aaaaaaaaaaaa");
        assert_null(b->gear->prober);
        assert_false(b->gear->health_is_ours); /* not tried again at every event */
}

static void one_that_is_forgotten_is_not_asked_any_more(void **state)
{
        struct bench *b = *state;

        gear_with(b, EVERY);
        starts_as(b, "aaaaaaaaaaaa");
        becomes(b, "healthy");
        for (unsigned i = 0; i < 6; i++) {
                (void) times_asked(b);
                health_forget(b->gear);
                assert_null(b->gear->prober);
                run_loop_for(b->d.loop, 2 * INTERVAL_USEC, "nothing");
                assert_int_equal(times_asked(b), 0);
                starts_as(b, "aaaaaaaaaaaa");
                /* A little later each time: before the probe, in the middle of it, behind it. */
                run_loop_for(b->d.loop, INTERVAL_USEC - 2 * USEC_PER_MSEC + i * 600, "nothing");
        }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                CASE(it_is_asked_one_interval_after_its_start_and_after_every_answer),
                CASE(one_that_has_run_for_long_is_asked_at_once),
                CASE(only_so_many_failures_in_a_row_are_unhealthy_and_one_answer_is_healthy),
                CASE(failures_of_the_start_period_do_not_count),
                CASE(the_start_period_ends_with_the_first_answer),
                CASE(another_container_begins_anew),
                CASE(the_engines_word_does_not_last),
                CASE(a_paused_container_is_not_asked),
                CASE(nobody_is_asked_who_need_not_be),
                CASE(without_a_record_there_is_no_probe),
                CASE(one_that_is_forgotten_is_not_asked_any_more),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
