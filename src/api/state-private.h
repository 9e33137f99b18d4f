/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the two files of api/state share: the turn with its end, and its way to a start. */

#include "api/run.h"
#include "api/state.h"

enum wish { WISH_STARTED, WISH_STOPPED, WISH_RESTARTED };

struct turn {
        struct work work;
        enum wish wish;
        struct spec spec;            /* of what is started: it says when it is ready */
        uint64_t asked_usec;         /* of a recalled one */
        struct run former;           /* the one before the one that is asked for */
        bool given_up;
        bool changed;                /* or it was so already */
        bool recalled;               /* an earlier life may have come up to any of its steps … */
        bool restarted;              /* … and had it restarted */
        struct run_wish asked;        /* what it asked for, and whose run … */
        bool ended_well;             /* … has come to a good end */
        struct fault fault;          /* the worker's, which may be at it when … */
        struct fault given_up_fault; /* … this is set */
};

static inline struct turn *turn_of(struct work *w)
{
        return container_of(w, struct turn, work);
}

/* Fails the work for want of memory. */
void turn_oom(struct turn *turn);
/* The end of one that went well: what is wanted is remembered. */
void turn_settle(struct turn *turn);

/* The steps of a start, or of a restart. */
void turn_start(struct turn *turn);
/* … of one that an earlier life may have made already. */
void turn_recall_restart(struct turn *turn);
