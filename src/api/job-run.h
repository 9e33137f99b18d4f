/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A job is carried out: it waits for its turn, gets its image, runs in
 * job-<id>.service, and what became of it is written down before anybody hears of
 * it.  Who asked may leave, and so may we: the unit goes on, and the next life
 * takes the job up where its row and systemd say it is.
 */

#include "api/change.h"
#include "core/job.h"

/* The verbs of the intents, by which a request of an earlier life is taken up again. */
#define JOB_RUN "job-run"
#define JOB_CANCELED "job-canceled"

struct job_order {
        char id[GEAR_ID_MAX + 1], user[USER_MAX + 1];
        struct job_spec spec;
};

/* Both take the request, and end it; the order's spec is taken, too. */
void job_run_begin(struct daemon *d, struct request *request, struct job_order *order);
/* One that waits or runs comes to its end, one that has ended is forgotten. */
void job_cancel(struct daemon *d, struct request *request, const char *id);

/* … as an intent of an earlier life has it, which may have done so. */
void job_cancel_recalled(struct daemon *d, struct request *request, const char *id);

/* Of those that ended more than JobsKept= are remembered no longer. */
void jobs_forget_oldest(struct daemon *d);

/* What an earlier life's intent asked for. Its jobs are in the index by then. */
void job_recall(struct daemon *d, struct request *request, const char *id, const char *verb);
/* … and then what it left without one. */
void jobs_recall_rest(struct daemon *d);
/* Goes on with those as soon as it can; false when none is left. */
bool jobs_look(struct daemon *d);
/* Once, behind all that were recalled: what nobody needs any more. */
void jobs_sweep(struct daemon *d);

/* None whose row says that it runs is still without a unit: a stop of geard waits for that. */
bool jobs_are_begun(const struct daemon *d);
/* geard goes: who waits is told so, and finds out later what became of it. */
void jobs_answer_all(struct daemon *d);
/* When loop and worker have ended. Their units go on. */
void job_runs_free(struct daemon *d);

/* Is it the unit of a job that is under way, or of a scheduled one? */
bool job_holds_unit(const struct daemon *d, const char *unit);
/* CONFLICT where a job has the name job-<id>.service, saying so. */
int job_name_is_free(const struct daemon *d, const char *id, struct fault *f);
