/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What becomes a record of the audit trail: every change, when it ends, and
 * every call that is refused.  No record holds anything of a token, nor a value
 * from a query, a body or an environment.
 */

#include "api/call.h"

#define AUDIT_REFUSED "refused" /* the verb of all that was not even begun */

/* --- changes --- */

/* Who asks for what, before anything of it is done. 0 or -ENOMEM. */
int audit_begin(const struct call *call, const char *verb, struct request *request);
/* The same as its intent keeps it, and back after a crash. NULL, and nothing told, when out of memory. */
char *audit_to_intent(struct request *request);
void audit_of_intent(struct audit_record *ret, const struct database_request *row);
/* The work on it starts: what it changes is now as it was before. */
void audit_started(struct request *request, const struct gear *gear);
/* How it ended: the record that belongs to its outcome, and to the request. */
const struct audit_record *audit_ended(const struct daemon *d, struct request *request,
                                       const struct outcome *outcome);

/* --- what is done without a request's id --- */

/* Who does it, to be told when it has ended; or to be reset. 0 or -ENOMEM. */
int audit_keep(const struct call *call, const char *verb, const char *resource, struct audit_record *ret);
/* It has ended so: the record is whole. */
void audit_of_kept(struct audit_record *record, uint64_t began_usec, int status, const char *said);

/* --- refusals --- */

/* The caller is answered with this status, and this is the true reason. */
void audit_refused(const struct call *call, int status, const char *why);
/* The same for a request that had begun, and that nothing was done for. */
void audit_refused_request(struct daemon *d, struct request *request, int status, const char *why);

/* --- all of them --- */

/* Into the database. What cannot be written is logged and counted. */
void audit_submit(struct daemon *d, const struct audit_record *record);
void audit_lost(struct daemon *d, const char *why);

/*
 * The database's hook: repeats it in the journal, and tells those who follow the
 * trail.  One that was found in the file is said to be, and looked into.
 */
void audit_written(void *arg, const struct audit_record *record, bool found);

/* "created web-1: 201 for alice by k1 from 127.0.0.1:51234: Gear web-1 was created". */
void audit_to_text(struct text *t, const struct audit_record *record);
