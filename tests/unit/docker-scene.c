/* SPDX-License-Identifier: Apache-2.0 */

#include "docker-scene.h"

#include "run-loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

const struct fake_reply docker_well[] = { INFO, EVENTS, PING, { 0 } };

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

int docker_set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);
        const struct docker_watch watch = { .up = on_up, .down = on_down, .event = on_event, .arg = b };

        b->loop = loop_new();
        b->fetch = fetch_new(b->loop);
        b->server = fake_http_new(b->loop, docker_well);
        b->docker = docker_new(b->loop, b->fetch, fake_http_path(b->server), &watch);
        *state = b;
        return 0;
}

int docker_tear_down(void **state)
{
        struct bench *b = *state;

        (void) docker_free(b->docker);
        (void) fetch_free(b->fetch);
        (void) fake_http_free(b->server);
        (void) loop_free(b->loop);
        free(b);
        return 0;
}

void run(struct bench *b)
{
        run_loop(b->loop, b->said);
        b->stop_at = NULL;
}

void run_for(struct bench *b, uint64_t usec)
{
        run_loop_for(b->loop, usec, b->said);
        b->stop_at = NULL;
}

void run_until(struct bench *b, const char *said)
{
        b->stop_at = said;
        if (!ends_with(b->said, said))
                run(b);
        b->stop_at = NULL;
}

void run_until_asked(struct bench *b, const char *match, unsigned times)
{
        const uint64_t until = now_usec() + 30 * USEC_PER_SEC;

        while (fake_http_count(b->server, match) < times && now_usec() < until)
                run_for(b, 20 * USEC_PER_MSEC);
        assert_true(fake_http_count(b->server, match) >= times);
}

void come_up(struct bench *b)
{
        docker_allow(b->docker, true);
        run_until(b, "up;");
        *b->said = '\0';
}

void keep_fault(struct bench *b, const struct fault *fault)
{
        b->fault = fault ? *fault : (struct fault){ 0 };
        b->answers++;
        b->op = NULL;
        loop_stop(b->loop);
}

void on_done(void *arg, const struct fault *fault)
{
        keep_fault(arg, fault);
}
