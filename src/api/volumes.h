/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The volumes of a gear, which the engine tells by their label, removed one after the other. */

#include "api/work.h"

typedef void volumes_removed(struct work *w, const struct fault *fault);

/* Part of the work that waits for it. */
struct volume_removal {
        struct work *work;
        char *const *keep;
        char **names;
        size_t next;
        bool failed;
        struct fault first;
        volumes_removed *done;
};

/*
 * Removes those not in `keep`, which is borrowed and may be NULL.  One that
 * cannot be removed holds up no other: `done` is told the first reason in the
 * end, NULL when there was none.  -ENOMEM: nothing was begun.
 */
int volumes_remove(struct volume_removal *v, struct work *w, char *const *keep, volumes_removed *done);
