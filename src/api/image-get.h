/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the container of a spec needs of the engine before it can be run: the
 * network that the spec names, and its image, pulled if that is asked for.
 */

#include "daemon.h"

struct image_get;

struct image_get_hooks {
        void (*progress)(void *arg, const char *line);
        /* Once, the last call. image: NULL where it was pulled, or with a fault. */
        void (*done)(void *arg, const struct docker_image *image, const struct fault *fault);
        void *arg;
};

/* Borrows the spec. Answers later; NULL when out of memory. */
struct image_get *image_get_start(struct daemon *d, const struct spec *spec, const struct image_get_hooks *hooks);
struct image_get *image_get_cancel(struct image_get *get);
