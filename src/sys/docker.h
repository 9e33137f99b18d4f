/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The Docker Engine, over its unix socket and sys/fetch.
 *
 * docker.socket starts dockerd for whoever connects, so an engine that an
 * administrator stopped would come back by our asking.  Therefore nothing here
 * connects unless docker_allow() said that docker.service is running.
 */

#include "sys/fetch.h"
#include "util/fault.h"

struct docker;
struct docker_op;

#define DOCKER_LABEL_ID "io.geard.id"           /* the gear's id: our mark of ownership */
#define DOCKER_LABEL_REQUEST "io.geard.request" /* the request that its unit was written for */

struct docker_container {
        char id[65];
        char name[128];
        char gear[64];             /* the label DOCKER_LABEL_ID, "" if it is not ours */
        char request[33];          /* the label DOCKER_LABEL_REQUEST; inspect only */
        char image[256];
        char state[16];            /* created running paused restarting removing exited dead */
        char health[12];           /* "" if none, starting healthy unhealthy */
        pid_t pid;                 /* inspect only, 0 otherwise */
        int exit_code;             /* inspect only */
        bool oom_killed;           /* inspect only */
        char address[46];          /* of the first network; inspect only */
        char error[256];           /* the engine's own; inspect only */
        uint64_t started_usec;     /* wall clock; inspect only */
};

struct docker_event {
        const char *action;        /* create start die oom kill stop destroy health_status pause unpause rename … */
        const char *container;     /* full id */
        const char *name;
        const char *gear;          /* the label */
        const char *health;        /* with health_status */
        int exit_code;             /* with die, else -1 */
        uint64_t usec;             /* wall clock */
};

struct docker_image {
        char id[80];               /* sha256:… */
        uint64_t size;
        char user[64];
        bool has_health;           /* the image brings its own HEALTHCHECK */
};

/* Called from the loop only; docker_free() is the one verb that is not allowed in them. */
struct docker_watch {
        /* The event stream is up (again): list, then trust the events. */
        void (*up)(void *arg);
        /* Once per loss, and once where the engine cannot be reached after docker_allow(). */
        void (*down)(void *arg, const char *reason);
        /* Of containers that carry DOCKER_LABEL_ID. */
        void (*event)(void *arg, const struct docker_event *event);
        void *arg;
};

/* NULL when out of memory. */
struct docker *docker_new(struct loop *l, struct fetch *f, const char *socket_path,
                          const struct docker_watch *watch);
struct docker *docker_free(struct docker *d);
DEFINE_CLEANUP(struct docker, docker_free);

/* May we connect? Going true opens the event stream and keeps it open (reconnect ≤ 1 s). */
void docker_allow(struct docker *d, bool allowed);
bool docker_is_up(const struct docker *d); /* allowed, and the event stream stands */
/* "systemd" or "cgroupfs", known once up; NULL before. */
const char *docker_cgroup_driver(const struct docker *d);

/*
 * Each answers exactly once, in a later turn of the loop, unless cancelled;
 * the handle is no longer valid then.  `fault` is NULL on success.  Engine not there: FAULT_AWAY with retry_after.
 * A thing that does not exist: FAULT_MISSING.  NULL when out of memory.
 */
typedef void docker_done(void *arg, const struct fault *fault);
typedef void docker_inspected(void *arg, const struct docker_container *c, const struct fault *fault);
typedef void docker_image_found(void *arg, const struct docker_image *image, const struct fault *fault);
typedef void docker_listed(void *arg, const struct docker_container *c, size_t n, const struct fault *fault);

struct docker_op *docker_inspect(struct docker *d, const char *name, docker_inspected *done, void *arg);
struct docker_op *docker_inspect_image(struct docker *d, const char *reference, docker_image_found *done, void *arg);
/* All containers, running or not, that carry our label. */
struct docker_op *docker_list(struct docker *d, docker_listed *done, void *arg);
/* Is there such a network? */
struct docker_op *docker_find_network(struct docker *d, const char *name, docker_done *done, void *arg);
/* Force, with anonymous volumes; a missing one is success, one being removed is waited for. */
struct docker_op *docker_remove(struct docker *d, const char *name, docker_done *done, void *arg);
struct docker_op *docker_remove_volume(struct docker *d, const char *name, docker_done *done, void *arg);
/* Engine-wide names of volumes with the label io.geard.id=gear. */
typedef void docker_volumes_listed(void *arg, char *const *names, const struct fault *fault);
struct docker_op *docker_list_volumes(struct docker *d, const char *gear, docker_volumes_listed *done, void *arg);

struct docker_progress {
        const char *text;          /* "Downloading", "Extracting", "Pull complete" … */
        uint64_t current, total;   /* bytes, summed over the layers; 0/0 unknown */
};
/*
 * `auth`: base64url JSON for X-Registry-Auth, or NULL.  An image that the
 * registry does not have is FAULT_MISSING and names it; silence for
 * `silence_usec` is FAULT_TIMEOUT.
 */
struct docker_op *docker_pull(struct docker *d, const char *reference, const char *auth, uint64_t silence_usec,
                              void (*progress)(void *arg, const struct docker_progress *p),
                              docker_done *done, void *arg);
struct docker_op *docker_cancel(struct docker_op *op);
