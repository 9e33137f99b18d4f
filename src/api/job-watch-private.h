/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is known of a job with a schedule beside the job itself. */

#include "api/job-output.h"
#include "api/job-unit.h"
#include "api/job-watch.h"

/* What the service signalled of a run. */
struct run_heard {
        uint64_t began_usec, ended_usec;
        int exit_code, exit_status;
        char result[32], status[128];
};

struct job_watch {
        struct daemon *daemon;
        struct job *job;
        char *spec;                /* what it runs, canonical; NULL where the unit is damaged */
        bool row_is_there;         /* … and the database has it, at the start … */
        bool row_is_formers;       /* … or what a job of this id was that ran once */
        struct systemd_op *timer_question, *service_question;
        bool ask_again;            /* something happened meanwhile */
        bool known;                /* systemd was asked since we could last hear it */
        struct timer *again;       /* … or could not answer */
        bool timer_is_listed, service_is_listed;
        bool timer_runs;
        struct slot *slot;         /* while it runs: others wait for it */
        struct run_heard heard, heard_before; /* the latest run, and the one before */
        bool ending;               /* a run is over, but not told yet: … */
        struct job after;          /* … this is the run, and nothing but the run */
        struct job_output *output;
        struct database_op *writing;
        bool untidy;               /* it was replaced while it ran */
};
