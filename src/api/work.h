/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A change of one gear that takes several asynchronous steps.  Changes of the
 * same gear run one after the other in the order they came; a stop or delete
 * does not wait for a create or start, it makes it give up.
 */

#include "api/change.h"

struct work;

struct work_kind {
        void (*start)(struct work *w);
        /* Somebody wants the opposite: come to an end soon. NULL: cannot be hurried. */
        void (*give_up)(struct work *w, const char *why);
        void (*free)(struct work *w);
};

struct work {
        const struct work_kind *kind;
        struct daemon *daemon;
        struct request *request;  /* NULL: geard's own wish (after a start on a new host) */
        char id[GEAR_ID_MAX + 1];
        const char *hurry;        /* makes those before it give up, and says what it does; or NULL */
        struct work *next;        /* waiting behind it, for the same gear */
        struct systemd_op *op;    /* what it waits for; at most one of these at a time */
        struct docker_op *docker;
        struct image_get *image;
        struct ready *ready;
        struct failure *failure;
        /* An earlier life's waits until systemd and the engine have told of the gear. NULL: starts at once. */
        bool (*may_start)(const struct work *w);
        bool held;                /* … and does */
        bool started;
        bool ended;               /* those behind it wait until its outcome is on the disk */
};

/* A change_begun for works of gears that are there; arg is the work, and taken. */
void work_begun(struct daemon *d, struct request *request, void *arg);

/*
 * Queues it behind what is under way for the gear, or starts it in the next
 * turn.  The gear must be in the index.
 * BUSY when too many wait. Takes the work in every case.
 */
void work_submit(struct work *w);

/* Starts those that may by now; false when none of an earlier life is left. To be called again and again. */
bool work_look(struct daemon *d);
/* Of one with a may_start: starts again, from the beginning, at a later look. */
void work_start_again(struct work *w);
/* A may_start: the index is as current as it gets, for an engine that is stopped may stay so. */
bool work_gear_is_known(const struct work *w);

/*
 * The end, one of these: answers the request, frees the work, starts the next.
 * When it was the first of several whose intents are on the disk, its outcome
 * gets there before the next one starts: so a crash leaves at most one intent of
 * a gear that had any effect, the oldest.
 */
void work_end(struct work *w, struct outcome *outcome);
void work_fail(struct work *w, const struct fault *fault);

/* geard goes before they are done: who waits for any of them is told so. They go on until the loop ends. */
void work_answer_all(struct daemon *d);
/* When loop and worker have ended: all that is left, without another word. */
void work_free_all(struct daemon *d);

void work_progress(struct work *w, const char *format, ...) _printf_(2, 3);
struct gear *work_gear(const struct work *w); /* NULL if it is gone from the index */

/* All waiting works of a gear that is removed find out by themselves: it is gone when they start. */
size_t work_count(const struct gear *gear);
