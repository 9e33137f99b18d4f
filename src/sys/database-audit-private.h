/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The audit trail in the thread: what opens, writes and cuts it, between the files of the database. */

#include "sys/database-private.h"

/* The audit trail of a file just opened: its head, and the newest record, to be told. */
int audit_open(struct database_file *file);
/* Chains the record to the head and writes it; gives it trail, number and hash. */
int audit_append(struct database_file *file, struct audit_record *record);
/* The current row of a statement on the table. */
int audit_read_row(sqlite3_stmt *row, struct audit_record *ret, uint64_t *ret_bytes);
/* About what a record takes on the disk. */
uint64_t audit_bytes(const struct audit_record *record);

/* A slice of what is too old, and a day more, or too much. */
struct audit_bounds {
        uint64_t now_usec, keep_usec, bytes_max;
};
struct database_op *prune_audit_new(const struct audit_bounds *bounds, void (*pruned)(void *arg, bool more),
                                    void *arg);
