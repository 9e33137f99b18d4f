/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One thread for what may block on the disk (fsync), so that the loop never
 * does.  Jobs run in the order they were given, one at a time.
 */

#include "sys/loop.h"

struct worker;

struct worker *worker_new(struct loop *l);
struct worker *worker_free(struct worker *w); /* waits for the job that runs; drops the others */
DEFINE_CLEANUP(struct worker, worker_free);

/*
 * `job` runs in the thread, then `done` on the loop, with what it returned.
 * There is no cancelling: what `arg` points to must live until `done`.
 */
int worker_run(struct worker *w, int (*job)(void *arg), void (*done)(void *arg, int r), void *arg);
