/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What api/install.c and api/install-undo.c share. */

#include "api/install.h"

struct install {
        struct work work;
        struct spec spec;
        char *user;
        bool replacing;
        bool before_started;         /* … and was to run */
        bool keeping;                /* the same gear is there already: it only has to run */
        bool entered;                /* the index holds the new gear's record */
        bool wrote, linked, running; /* what there is to undo */
        bool given_up, undoing;
        uint64_t started_usec;
        struct text unit;            /* rendered; the worker writes it */
        struct fault fault;          /* why it is being undone; or the worker's */
        struct outcome outcome;
};

/* Takes back what was done so far and fails the work with the fault. */
void install_undo(struct install *in, const struct fault *fault);

/* The last step that can fail: the wanted state is written, the former unit forgotten. */
int install_settle_files(void *arg);

/* struct work_kind's free. */
void install_free(struct work *w);
