/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the verbs of gear-unit share. */

#include "unit-helper/manager.h"

#define RETRY_USEC (100 * (useconds_t) 1000)

struct helper {
        const char *socket;
        const char *engine;       /* the engine's unit, NULL: none runs it */
        const char *container;    /* gear-1, job-1 */
        const char *cgroup;       /* of a job: where its container's lies; NULL: nowhere of its own */
        unsigned retries;         /* of a job */
        char unit[300];           /* gear-1.service */
        char **command;           /* what is run */
        struct sd_bus *bus;       /* NULL: systemd does not answer */
};

bool engine_is_up(struct helper *h);
/* For as long as its start may take, and without waking it. */
int wait_for_engine(struct helper *h, const struct manager_run *run);
/* A container of ours that has the name. */
int remove_ours(struct helper *h);
/* … and may come into being only now, for a while: its client was perhaps killed as it made it. */
int remove_late(struct helper *h, bool for_a_while);
/* Standard output and error become the log of the container. */
void open_log(struct helper *h);
/* Says so, and returns the status for it. */
int complain(const char *what, int error);

/* The verbs of jobs. */
int run_job(struct helper *h);
int clean_job(struct helper *h);
