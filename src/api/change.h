/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A call that changes something: given its request id, de-duplicated, joined
 * or replayed; then its work goes on without the client, who gets the outcome,
 * a 202 when it takes too long, or a stream of progress.
 */

#include "api/call.h"

/*
 * Where the work starts: the request is new, and its intent is on the disk.
 * NULL when there is nothing to be done, since the call is answered another way.
 * Called exactly once, perhaps inside change_begin(); takes arg in every case.
 */
typedef void change_begun(struct daemon *d, struct request *request, void *arg);

/* One that nobody has used. 0 or -EIO. */
int change_random_id(char ret[static REQUEST_ID_LEN + 1]);

/* The request's id, from claim, header, or made: settled once, and then call->request_id. */
int change_settle_id(struct call *call, struct fault *f);

/*
 * Settles the id (claim, header, or made), compares with what is known, here
 * and in the database, and makes the caller's reply listen.  call->reply is
 * taken over.  Subject, id and verb are what a crash is resolved by.
 */
void change_begin(struct call *call, enum subject subject, const char *id, const char *verb, change_begun *begun,
                  void *arg);

/* The same for what the call's id alone says: a request that is new goes to begin(), which ends it. */
typedef void change_of_id(struct daemon *d, struct request *request, const char *id);
void change_begin_of_id(struct call *call, enum subject subject, const char *verb, change_of_id *begin);

/* One for which there is nothing to change: unless its id was answered well before, and is answered again. */
void change_refuse(struct call *call, enum subject subject, const char *id, const char *verb,
                   const struct fault *fault);

/* A create of what is there already, just so, as its intent calls it: it leaves nothing in the gear's record. */
#define CHANGE_KEPT "kept"

/* Counts it, logs it, and ends it as soon as that is on the disk. Takes the outcome's strings. */
void change_end(struct daemon *d, struct request *request, struct outcome *outcome);
void change_fail(struct daemon *d, struct request *request, const struct fault *fault);
/* The same; then() is called when it is remembered, before anybody hears of it, perhaps inside the call. */
void change_end_then(struct daemon *d, struct request *request, struct outcome *outcome,
                     void (*then)(void *arg), void *arg);
/* geard goes before it is done: who waits is told so, and the next start finds out what became of it. */
void change_leave(struct daemon *d, struct request *request, const struct fault *fault);

/* When the database is closed: what still waited for it. */
void change_free_all(struct daemon *d);
