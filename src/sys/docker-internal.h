/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Between the files of sys/docker only: the link to the engine (docker.c)
 * offers one kind of operation on which the verbs (docker-verbs.c,
 * docker-pull.c) are built.
 */

#include "sys/docker.h"
#include "util/text.h"

#include <sys/queue.h>

#define DOCKER_ANSWER_MAX ((size_t) 64 << 20)

/* First in a verb's own struct where that needs more room. */
struct docker_op {
        LIST_ENTRY(docker_op) link;
        struct docker *docker; /* NULL until started, and again once answered */
        struct fetch_op *fetch;
        struct timer *timer; /* a failure to tell, or the next try */
        struct fault fault;
        const char *method;
        char *url;
        const char *header; /* "Name: value", or NULL */
        uint64_t total_usec, silence_usec;
        uint64_t give_up_usec; /* for `again` */
        /* The bytes of a 2xx answer as they come; false gives up on it. Optional. */
        bool (*piece)(struct docker_op *op, const char *bytes, size_t len);
        struct text refusal; /* the body of another answer, where there is a piece() */
        /* Not yet: shall a refused request be sent again in a while? Optional. */
        bool (*again)(const struct docker_op *op, const struct fault *fault);
        /* Calls the user once, as its last act. Without a fault, the answer is a 2xx. */
        void (*answered)(struct docker_op *op, const struct fetch_answer *answer, const struct fault *fault);
        /* Frees what the verb added. Optional. */
        void (*destroy)(struct docker_op *op);
        union {
                docker_done *done;
                docker_inspected *inspected;
                docker_image_found *image_found;
                docker_listed *listed;
                docker_volumes_listed *volumes_listed;
        } user;
        void *arg;
};

/*
 * Takes over op and sends it to `path`, which stands behind the version in the
 * URL.  Without an engine it will answer FAULT_AWAY.  NULL when out of memory.
 */
struct docker_op *docker_op_start(struct docker *d, struct docker_op *op, struct text *path);
struct docker_op *docker_op_free(struct docker_op *op);
DEFINE_CLEANUP(struct docker_op, docker_op_free);

struct loop *docker_loop(const struct docker *d);

/* Percent-encodes all but unreserved characters and those in `keep`. */
void docker_escape(struct text *path, const char *s, const char *keep);
