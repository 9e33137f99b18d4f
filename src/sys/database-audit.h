/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The audit trail, a table of the database: appended to, read from either end,
 * and cut at its beginning by age and size, which is a record, too.  A record
 * that belongs to the outcome of a request goes with it (database_conclude).
 */

#include "sys/database.h"

struct audit_query {
        bool oldest_first;
        uint64_t from; /* only behind this number, in the order asked for; 0: from the beginning of it */
        uint64_t since_usec, until_usec;                          /* 0: no bound */
        const char *principal, *user, *resource, *request, *verb; /* NULL: of all */
        int code_min;
        unsigned limit; /* at most AUDIT_PAGE_MAX */
};
#define AUDIT_PAGE_MAX 1000

/*
 * A page may hold less than the limit, even nothing, before the end.  To follow
 * the trail, oldest first, go on with `next` even after the end.
 */
struct audit_page {
        const struct audit_record *records;
        size_t n;
        uint64_t next; /* `from` of the page behind this one */
        bool end;      /* there is none, so far */
};
typedef void audit_read(void *arg, const struct audit_page *page, const struct fault *fault);

/*
 * Trail, number and hash are given when it is written: the hook `audited' has
 * them.  0, -ENOMEM, or -ENOBUFS when too many wait for a disk that does not
 * answer.  done may be NULL.
 */
int database_audit(struct database *db, const struct audit_record *record, database_written *done,
                   void *arg);
/* The words of the query are copied. */
struct database_op *database_audit_read(struct database *db, const struct audit_query *query,
                                        audit_read *done, void *arg);
