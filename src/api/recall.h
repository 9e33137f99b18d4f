/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Requests whose outcome an earlier life did not live to write down.  They are
 * under way for whoever asks again, first in the queues of their gears, until
 * the host tells what became of them.
 */

#include "daemon.h"

/*
 * Asks the database, and waits a moment for it by running the loop before
 * anything else is on it.  From one that is slower, or cannot be read, the
 * answer is taken when it comes; until then no change begins.
 */
int recall_requests(struct daemon *d, struct fault *f);
struct recall *recall_free(struct recall *r);
/* May a change begin? If not: why not yet. */
int recall_check(const struct daemon *d, struct fault *f);

/* When the state directory is in the index: queues what is left to be done, or to be found out. */
void recall_go_on(struct daemon *d);

/* The request that this was begun for, or NULL. It is the caller's to end. */
struct request *recall_take(struct daemon *d, const char *gear, const char *verb);

/* geard stops before it is known what became of them: the next start asks again. */
void recall_leave(struct daemon *d);
