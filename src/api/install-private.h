/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the three files of api/install share: the decision, the steps, the way back. */

#include "api/image-get.h"
#include "api/install.h"
#include "api/run.h"
#include "api/volumes.h"

struct install {
        struct work work;
        struct spec spec;
        char *user;
        char request_id[REQUEST_ID_LEN + 1]; /* "": as it was */
        bool replacing;
        bool before_started;         /* … and was to run */
        bool keeping;                /* the same gear is there already: it only has to run */
        bool entered;                /* the index holds the new gear's record */
        bool wrote, linked, running; /* what there is to undo */
        bool given_up, undoing;
        bool knows_volumes;          /* these were asked for: … */
        char **volumes_before;       /* … those of an earlier gear, not ours to remove when this one fails */
        struct volume_removal volume_removal;
        struct run former;           /* the one before the one that is started */
        struct run_wish wish;        /* of an earlier life, whose run … */
        bool ended_well;             /* … has come to a good end */
        struct text unit;            /* rendered; the worker writes it */
        struct fault fault;          /* why it is being undone; or the worker's */
        struct outcome outcome;
};

static inline struct install *install_of(struct work *w)
{
        return container_of(w, struct install, work);
}

/* The steps: from network and image on, or from the link on when everything is written already. */
void install_image(struct install *in);
void install_link(struct install *in);
/* Its start was asked for: from here on, until it is ready or not. */
void install_await(struct install *in);
/* It ran, and came to a good end already. */
void install_ended(struct install *in);
/* The gear's record goes into the index: its ports are spoken for. */
int install_enter(struct install *in, struct fault *f);
/* False when it was given up meanwhile; the way back has then begun. */
bool install_still_wanted(struct install *in);

/* Takes back what was done so far and fails the work with the fault. */
void install_undo(struct install *in, const struct fault *fault);

/* The last step that can fail: the wanted state is written, the former unit forgotten. */
int install_settle_files(void *arg);

/* struct work_kind's. */
void install_give_up(struct work *w, const char *why);
void install_free(struct work *w);
