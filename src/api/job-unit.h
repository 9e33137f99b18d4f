/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The unit in which gear-unit runs the container of a job: a transient one, or files where there is a schedule. */

#include "core/job.h"
#include "daemon.h"
#include "sys/transient.h"

#define JOB_TOO_LONG "it took longer than" /* why, of one that ran out of time */

#define JOB_UNIT_SETTINGS_MAX 24
#define JOB_UNIT_WORDS_MAX 12

struct job_unit {
        struct setting settings[JOB_UNIT_SETTINGS_MAX];
        size_t n;

        /* What they point to. */
        char description[GEAR_ID_MAX + 32], container[UNIT_NAME_MAX];
        char socket[320], engine[320], cgroup[JOB_SLICE_MAX + 64], retries[32], parent[JOB_SLICE_MAX + 64];
        char **start;
        const char *clean[JOB_UNIT_WORDS_MAX];
        char created[UNIT_LOG_CREATED_MAX];
        const char *fields[2];
};

struct job_unit_options {
        const struct job *job;
        const struct spec *spec;

        /* Where the container is no user's, but does a work of ours. */
        const char *description;    /* NULL: "Job ID" */
        const char *const *options; /* more of `docker run's; NULL: none */
        bool no_environment;        /* there is no file of it */
};

/* Must not move. FAULT_INVALID where its command is too long for a unit. */
int job_unit_init(struct job_unit *u, const struct daemon *d, const struct job_unit_options *o, struct fault *f);
/* One more of its settings; of those with one value the last counts. */
void job_unit_set(struct job_unit *u, struct setting s);
void job_unit_reset(struct job_unit *u);

/* Without it: the two files of a job with a schedule, of which the spec is its canonical JSON. */
int job_unit_files(const struct daemon *d, const struct job *job, const struct spec *spec, struct text *ret_service,
                   struct text *ret_timer, struct fault *f);

/* What such a unit tells of its end. True: it took too long. */
bool job_unit_take_end(struct job *job, const struct unit_change *unit);
/* Why it failed, where the status of its container does not tell; otherwise may be NULL. */
void job_unit_set_why(struct job *job, bool out_of_time, const char *otherwise);
