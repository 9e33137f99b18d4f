/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Jobs in the database: one row each, from the moment somebody was told that it
 * will run until nobody wants to know any more how it went.
 */

#include "core/job.h"
#include "sys/database.h"

/* The rows are the callee's until it returns; it may take their strings. */
typedef void database_jobs_found(void *arg, struct job *jobs, size_t n, const struct fault *fault);
/* Both NULL where there is no such job, or nothing of it. */
typedef void database_job_found(void *arg, const char *spec, const char *output, const struct fault *fault);

/*
 * Copies what it is given, and replaces the row of that id.  spec: what it runs;
 * output: its last lines.  NULL leaves what is there of either.
 */
struct database_op *database_put_job(struct database *db, const struct job *job, const char *spec, const char *output,
                                     database_written *done, void *arg);
/* done may be NULL. */
struct database_op *database_remove_job(struct database *db, const char *id, database_written *done, void *arg);
/* All of them, without what they run and said. */
struct database_op *database_list_jobs(struct database *db, database_jobs_found *done, void *arg);
struct database_op *database_find_job(struct database *db, const char *id, database_job_found *done, void *arg);
