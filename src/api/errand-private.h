/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An errand, for the files that carry it out: errand.c its beginning and end,
 * -create and -remove what is done, -recall what an earlier life began.
 */

#include "api/errand.h"
#include "api/git-container.h"
#include "api/image-get.h"
#include "api/task.h"
#include "sys/repositories.h"

#include <sys/queue.h>

struct errand {
        LIST_ENTRY(errand) link;
        struct daemon *daemon;
        struct request *request; /* NULL: nobody asks any more */
        char id[GEAR_ID_MAX + 1];
        char unit[UNIT_NAME_MAX];      /* job-ID.service makes it … */
        char tidy_unit[UNIT_NAME_MAX]; /* … and this one empties it */
        char *url, *description, *branch;
        bool removes;
        struct request *deletion; /* came while it was made: that ends, and then this begins; NULL: none */
        struct task *stop;        /* … of its unit */
        bool recalled;           /* what was done of it before is not known … */
        bool waits;              /* … and cannot be asked yet */
        bool tried_again;        /* a former unit of the name was in the way */
        bool started;            /* its unit is one that we started, or took up */
        bool again;              /* what was emptied was an earlier one's: then the work itself */
        bool untidy;             /* e->fault is about the emptying alone */
        uint64_t began_usec;     /* when it was asked for; wall clock */
        enum repository_place emptied; /* by the task under way, where it removes */
        struct git_base *base;   /* of the container that is to make it; NULL: a sandbox does */
        struct image_get *get;   /* … and its image */
        struct slot *slot;       /* to do the work, one among others */
        struct task *task;
        struct fault fault;      /* what it fails with, when all is tidy */
};

const char *errand_root(const struct errand *e);
struct errand *errand_find(const struct daemon *d, const char *id);
/* request: NULL where nobody asks; out of memory it is told so. */
struct errand *errand_new(struct daemon *d, struct request *request, const char *id);

void errand_progress(struct errand *e, const char *what);

/* Its end; what: "is created". With fail, e->fault says why. */
void errand_end(struct errand *e, int code, const char *what);
void errand_fail(struct errand *e);
void errand_fail_oom(struct errand *e);
void errand_free(struct errand *e);

/* Jobs at once are limited: go_on(e) comes when it is its turn, or it fails because too many wait. */
void errand_wait_for_turn(struct errand *e, void (*go_on)(void *arg));

/* The steps: each goes on to the next by itself. */
void errand_start_create(struct errand *e);
void errand_made(struct errand *e, const struct task_end *task);
void errand_undo(struct errand *e); /* nothing is to be left; then it fails */
void errand_cancel(struct errand *e); /* what is under way of making it is ended */
void errand_start_remove(struct errand *e);
void errand_take_away(struct errand *e); /* … when it is its turn */
void errand_start_emptying(struct errand *e, enum repository_place place);
/* Blocks: was it made since it was asked for? Then it is what the request was about. */
bool errand_has_come(const struct errand *e);
