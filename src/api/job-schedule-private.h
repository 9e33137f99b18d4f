/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A change of a job with a schedule: job-schedule.c what it takes until its files
 * are there, job-schedule-start.c how systemd learns of them, and the answer,
 * job-unschedule.c how all of it goes again.
 */

#include "api/job-run-private.h"

/* What such a run has beside a run's own. */
struct schedule_change {
        struct job draft;             /* what is to be; until it stands in the index */
        char *spec;                   /* … as canonical JSON … */
        struct text service, timer;   /* … and as files */
        bool exists;                  /* there is one of this id already … */
        bool same;                    /* … which is what was asked for … */
        bool enabled;                 /* … and systemd knows of it */
        struct job former;            /* … or what it was, to go back to … */
        char *former_spec;
        char *former_service;         /* … by this; NULL where that could not be read */
        bool paused;                  /* somebody had stopped its timer */
        char *timer_file;             /* of a timer that systemd knows by this name */
        char env[JOB_ENV_MAX];        /* its environment */
        bool written;                 /* its files stand there, or some … */
        bool entered;                 /* … and the index has it */
        void (*removed)(struct job_run *run);
        struct adoption *adoption;    /* it came from another host: nobody asked, but this is to know */
};

const char *job_schedule_root(const struct job_run *run);

/* And then all the rest, with the spec that it has. */
void job_schedule_get_image(struct job_run *run);
/* In run->fault is why: nothing of it stays, and one that was there before is there again. */
void job_schedule_fail(struct job_run *run);
/* The files stand there, and the index has the job. */
void job_schedule_start(struct job_run *run);
/* It is as it is to be. */
void job_schedule_tell(struct job_run *run);
void job_schedule_answer_fault(struct job_run *run);

/* Timer, run, links, files, row; then removed(), with a fault where one of them could not be. */
void job_schedule_remove(struct job_run *run, void (*removed)(struct job_run *run));
