/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Jobs with a schedule run when systemd says, and whether we are there or not.  What
 * is here looks what becomes of that: it notes each run that ends in the job's row, and
 * keeps in mind when the next one is due.
 */

#include "daemon.h"

/* The jobs whose units stand in the state directory. Once, before their rows are read. */
void job_watch_scan(struct daemon *d);
/* A row of theirs was read: what it says of the last run is taken over. */
void job_watch_take_row(struct job *job, struct job *row);
/* All rows were read: those that are missing are written, those that are too many removed. */
void job_watch_settle_rows(struct daemon *d);

/* The job runs this from now on; takes the spec, canonical JSON. -ENOMEM. */
int job_watch_define(struct daemon *d, struct job *job, char *spec);
const char *job_watch_spec(const struct job *job);
/* Its timer is there, and it will be due: unless somebody stopped it. */
bool job_watch_is_due(const struct job *job);
/* Environments of former definitions go, as soon as nothing runs by them. */
void job_watch_tidy(struct daemon *d, struct job *job);
/* It is not looked after any more. */
void job_watch_end(struct job *job);
void job_watch_free_all(struct daemon *d);

/* Is it a unit of a job with a schedule? */
bool job_watch_cares(const struct daemon *d, const char *unit);
/* A signal, or an answer, of any unit. */
void job_watch_changed(struct daemon *d, const struct unit_change *change);
/* Units may have changed unseen: systemd is there again, or has read its files anew. */
void job_watch_look(struct daemon *d);
/* systemd is away. */
void job_watch_lost(struct daemon *d);
/* Is it known of all whether they run? */
bool job_watch_knows_all(const struct daemon *d);
