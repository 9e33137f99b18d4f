/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A job with a schedule as two unit files, job-<id>.service and job-<id>.timer, and
 * the record of it that the first one keeps in its [X-Gear] section.  Pure text in,
 * pure text out.
 */

#include "core/job.h"
#include "core/unit.h"

struct job_text {
        const struct job *job;
        const char *spec;                /* its canonical JSON */
        char *const *start;              /* gear-unit and the command of the container */
        const char *const *clean;
        uint64_t stop_usec;              /* how long the unit may take to stop */
        const struct unit_host *host;
};

/* Too much text for one line is INVALID, naming the field. */
int job_text_service(const struct job_text *o, struct text *ret, struct fault *f);
int job_text_timer(const struct job *job, struct text *ret, struct fault *f);

/*
 * Reads the record back, and what it runs as canonical JSON.  INVALID for what
 * job_text_service() could not have written.
 */
int job_text_read(const char *service, struct job *ret, char **ret_spec, struct fault *f);
