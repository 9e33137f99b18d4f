/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An engine that can break where a real one does not on demand, and who talks to it. */

#include "fake-http.h"
#include "sys/docker.h"

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

extern const struct fake_reply docker_well[];

int docker_set_up(void **state);
int docker_tear_down(void **state);
#define DOCKER_TEST(f) cmocka_unit_test_setup_teardown(f, docker_set_up, docker_tear_down)

/* The loop, until a hook stops it; for so long; until `said` ends so; until that was asked so often. */
void run(struct bench *b);
void run_for(struct bench *b, uint64_t usec);
void run_until(struct bench *b, const char *said);
void run_until_asked(struct bench *b, const char *match, unsigned times);

/* The link is up, and nothing is said any more. */
void come_up(struct bench *b);

/* What a verb ends with: the answer is counted, and its fault kept. */
void keep_fault(struct bench *b, const struct fault *fault);
void on_done(void *arg, const struct fault *fault);
