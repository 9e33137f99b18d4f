/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is not a gear and must outlive geard, in SQLite: request ids with what
 * they came to, and the audit trail.  A thread of its own reads and writes; all
 * that waits while one commit is under way goes into the next one together.
 *
 * A file that cannot be used - damaged, deleted, of another format - is moved
 * aside, the hook is told, and a new one is begun.  One that cannot be written
 * (the disk is full) fails each write with its fault, while reads go on.
 */

#include "core/audit.h"
#include "core/ident.h"
#include "core/request.h"
#include "sys/loop.h"
#include "util/digest.h"
#include "util/fault.h"

#define DATABASE_PRINCIPAL_MAX 255
#define DATABASE_WORD_MAX 15
#define DATABASE_RESOURCE_MAX 255
#define DATABASE_ANSWER_MAX (1 << 20) /* bytes of an outcome's strings, together */

struct database;
struct database_op;

struct database_options {
        uint64_t cache_bytes; /* of pages held in memory */
        uint64_t audit_usec;  /* how long a record of the audit trail is kept … */
        uint64_t audit_bytes; /* … and what all of them take, about */
        /* moved_to is NULL when there was nothing left to be moved. */
        void (*lost)(void *arg, const char *why, const char *moved_to);
        /*
         * A record of the audit trail is on the disk, one of a rotation too.  The
         * newest one is told when the file is opened, as found: a crash may have
         * come before it was told, and somebody else may have written it.  May be
         * NULL.
         */
        void (*audited)(void *arg, const struct audit_record *record, bool found);
        void *arg;
};

/* Opens nothing yet: the thread does, with the first operation. NULL: out of memory or descriptors. */
struct database *database_new(struct loop *l, const char *path, const struct database_options *options);
/* What was asked to be written is; of all callbacks only `audited' is still called. */
struct database *database_free(struct database *db);
DEFINE_CLEANUP(struct database, database_free);

/* Commits and operations so far, for those who wonder how many share one. */
struct database_counters {
        uint64_t commits, operations;
};
struct database_counters database_counters(const struct database *db);

/* The callback is not called any more; what is to be written still is. Returns NULL. */
struct database_op *database_cancel(struct database_op *op);

/* --- request ids ------------------------------------------------------------------------ */

struct database_request {
        char principal[DATABASE_PRINCIPAL_MAX + 1];
        char id[REQUEST_ID_LEN + 1];
        char digest[DIGEST_HEX_LEN + 1];
        char resource[DATABASE_RESOURCE_MAX + 1]; /* "web-1" */
        /* of intents only: "gear", "create" */
        char kind[DATABASE_WORD_MAX + 1], verb[DATABASE_WORD_MAX + 1];
        uint64_t began_usec, keep_until_sec; /* wall clock */
        struct outcome outcome;              /* code 0: an intent */
        char *audit;                         /* of intents: what the trail is to say of it, as JSON; or NULL */
        const struct audit_record *record;   /* of outcomes to be written: what it says, in one commit; or NULL */
};
void database_request_reset(struct database_request *q);

/* fault is NULL when it is on the disk. */
typedef void database_written(void *arg, const struct fault *fault);
/* The rows are the callee's until it returns; it may take their strings. */
typedef void database_found(void *arg, struct database_request *rows, size_t n, const struct fault *fault);

/*
 * All of these copy what they are given and return NULL when out of memory.
 * The intent says that a change is about to begin: found with no row, it is
 * written; a row is what stands in its way, an earlier intent or a good outcome.
 * The outcome says what it came to, and takes the place of all before it.
 */
struct database_op *database_intend(struct database *db, const struct database_request *q,
                                    database_found *done, void *arg);
struct database_op *database_conclude(struct database *db, const struct database_request *q,
                                      database_written *done, void *arg);
/* No effect came of it: as if it had never been asked for. */
struct database_op *database_withdraw(struct database *db, const char *principal, const char *id,
                                      database_written *done, void *arg);
/* None or one row. */
struct database_op *database_find(struct database *db, const char *principal, const char *id,
                                  database_found *done, void *arg);
/* Every intent without an outcome. */
struct database_op *database_unfinished(struct database *db, database_found *done, void *arg);
