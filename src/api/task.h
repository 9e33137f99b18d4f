/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Something that runs once in a transient unit of its own and is followed to its
 * end: what it says is the progress of a request, and its last lines say why it
 * failed.  It goes on when we end; whoever comes after us attaches himself to it.
 */

#include "daemon.h"
#include "sys/transient.h"

/* By which a unit of ours is known: others may have names like it. */
#define TASK_SLICE "gear-jobs.slice"

struct task;

struct task_options {
        const char *unit;              /* job-git1.service, of Type=oneshot with RemainAfterExit= */
        const struct setting *settings; /* NULL: attach to the one that runs, or ran */
        size_t n_settings;
        struct request *request;       /* hears each line; NULL: nobody does */
        bool to_the_last_line;         /* its output is what is wanted: wait for all of it */
};

/* What became of it: no fault where it went well. lines: the last it said, indented, each with a newline before it. */
struct task_end {
        const struct fault *fault;
        int exit_code, exit_status;    /* as systemd tells them; 0, 0 where nothing ran */
        bool by_hand;                  /* somebody stopped it, and it may still be at work */
        const char *lines;
};
typedef void task_done(void *arg, const struct task_end *end);

/* Answers once, later. NULL when out of memory. */
struct task *task_start(struct daemon *d, const struct task_options *o, task_done *done, void *arg);
/* It goes on; nobody hears of it. */
struct task *task_leave(struct task *t);

/* Nobody hears what it says any more. */
void task_hush(struct task *t);

/* Ends what still runs of a unit. One that is not there has ended; one that is not ours is a CONFLICT. */
struct task *task_stop(struct daemon *d, const char *unit, task_done *done, void *arg);
/* … and systemd forgets it. */
struct task *task_forget(struct daemon *d, const char *unit, task_done *done, void *arg);

/* The same, but first it stays in sight for JobKeep=, for `systemctl status'. */
void task_forget_later(struct daemon *d, const char *unit);
/* … or for no time at all. */
void task_forget_soon(struct daemon *d, const char *unit);
/* Somebody needs the name. */
void task_keep_no_longer(struct daemon *d, const char *unit);
/* Those units that an earlier life left in sight, too. Once, when systemd is there. */
void task_forget_former(struct daemon *d);
void task_free_all(struct daemon *d);
