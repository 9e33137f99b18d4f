/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A run of a job, for the files that carry it out: job-run.c its way, job-end.c
 * what it comes to, job-recall.c what an earlier life began.
 */

#include "api/image-get.h"
#include "api/job-output.h"
#include "api/job-run.h"
#include "api/task.h"

#include <sys/queue.h>

struct job_run {
        TAILQ_ENTRY(job_run) link;
        struct daemon *daemon;
        struct request *request;     /* NULL: nobody asks any more */
        struct request **cancelers;  /* who ask for its end, and wait for that */
        size_t n_cancelers;
        char request_id[REQUEST_ID_LEN + 1], principal[DATABASE_PRINCIPAL_MAX + 1]; /* of the request, also when it has left */
        char id[GEAR_ID_MAX + 1], user[USER_MAX + 1];
        char unit[UNIT_NAME_MAX];
        struct job *job;             /* in the index; NULL until nothing stands in its way */
        struct job_spec spec;
        struct schedule_change *change; /* of one with a schedule: nothing runs then, and `job' is NULL */
        bool recalled;               /* from an earlier life … */
        bool waits;                  /* … and systemd or the engine cannot be asked yet */
        bool canceled;
        bool started;                /* its unit is there, or was */
        bool ending;                 /* it is over, and too late to cancel it */
        bool out_of_time;            /* systemd ended it */
        struct slot *slot;
        struct image_get *image;
        struct task *task;
        struct systemd_op *op;
        struct job_output *output;
        struct timer *timer;         /* … until systemd may be there again … */
        void (*later)(struct job_run *run); /* … for this */
        unsigned tries;              /* of what did not work yet */
        struct fault fault;          /* it failed with; or how it came to its end, for people */
        char *said;                  /* its last lines */
};

struct job_run *job_run_find(const struct daemon *d, const char *id);
/* NULL when out of memory; the request has been told so. */
struct job_run *job_run_new(struct daemon *d, struct request *request, const char *id);
void job_run_free(struct job_run *run);

/* The way: each goes on to the next by itself. */
void job_run_queue(struct job_run *run); /* … however many wait already */
void job_run_attach(struct job_run *run);
/* systemd is away: this step comes in a while. */
void job_run_later(struct job_run *run, void (*step)(struct job_run *run));

/* Its end. In run->fault is why, unless its unit is to be asked. */
void job_run_fail(struct job_run *run);
void job_run_fail_oom(struct job_run *run);
void job_run_ask_unit(struct job_run *run);
/* A canceled one may still be at work: only then is it asked. */
void job_run_stop_unit(struct job_run *run);
/* The 204 of a DELETE; what: "is canceled". */
void job_cancel_answer(struct daemon *d, struct request *request, const char *id, const char *what);
/* Tells the request, and those who canceled it: in the row is everything already. */
void job_run_answer(struct job_run *run);
/* Its request gets this, whose strings are taken; those who came to cancel it meanwhile have their turn. */
void job_run_leave(struct job_run *run, struct outcome *outcome);
/* Somebody waits for its end. 0 or -ENOMEM. */
int job_run_join(struct job_run *run, struct request *request);
