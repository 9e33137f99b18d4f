/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Between the files of the database: the open file with its statements, which
 * belongs to the thread while a batch runs, and the operations that batches
 * are made of.
 */

#include "sys/database-audit.h"

#include <sqlite3.h>
#include <sys/queue.h>
#include <sys/stat.h>

enum statement {
        SQL_BEGIN,
        SQL_COMMIT,
        SQL_ROLLBACK,
        SQL_INTEND,
        SQL_WITHDRAW,
        SQL_CONCLUDE,
        SQL_FIND,
        SQL_UNFINISHED,
        SQL_PRUNE_OUTCOMES,
        SQL_AUDIT,
        SQL_AUDIT_TRAIL,
        SQL_AUDIT_ENDS,
        SQL_AUDIT_NEWEST,
        SQL_AUDIT_OLDEST,
        SQL_AUDIT_FORWARD,
        SQL_AUDIT_BACKWARD,
        SQL_AUDIT_REMOVE,
        SQL_AUDIT_REMOVED,
        SQL_JOB_PUT,
        SQL_JOB_REMOVE,
        SQL_JOB_LIST,
        SQL_JOB_FIND,
        N_STATEMENTS,
};

#define LOST_WHY_MAX 256

/* Where the next record of the audit trail is chained to. */
struct audit_head {
        uint64_t number; /* 0: there is none yet */
        uint64_t bytes;  /* of all there ever were */
        char hash[DIGEST_HEX_LEN + 1];
};

struct database_file {
        char *path;
        uint64_t cache_bytes;
        sqlite3 *sqlite; /* NULL: closed */
        sqlite3_stmt *statements[N_STATEMENTS];
        dev_t device;
        ino_t inode;
        uint64_t commits;
        bool was_lost; /* … which the loop has not been told yet */
        char why[LOST_WHY_MAX];
        char *moved_to;
        char trail[AUDIT_TRAIL_LEN + 1];
        struct audit_head head, committed; /* the former with what this commit adds */
        struct audit_record newest;        /* number 0: the loop has been told */
};

/* All of these return SQLite's codes, SQLITE_OK being 0, unless they take a fault. */
int file_ready(struct database_file *file, struct fault *f); /* open, and still the one that has the name */
void file_close(struct database_file *file);
int file_begin(struct database_file *file);
int file_commit(struct database_file *file);
void file_rollback(struct database_file *file);
/* Does it say that the file, and not the moment, is at fault? */
bool file_is_damage(int code);
int file_set_aside(struct database_file *file, const char *why, struct fault *f);
/* What went wrong just now; returns a negative errno. */
int file_fault(const struct database_file *file, int code, struct fault *f);

/* Ready to be bound anew. */
sqlite3_stmt *file_statement(struct database_file *file, enum statement which);
/* Steps once and lets go of what was bound: for statements without rows. */
int file_execute(struct database_file *file, enum statement which);
/* Values of the current row; "" and NULL for none. */
void column_copy(sqlite3_stmt *row, int column, char *ret, size_t size);
char *column_dup(sqlite3_stmt *row, int column, bool *oom);

/* The strings of an outcome as one small value, and back; "" is as good as none. SQLite's codes. */
int pack_answer(const struct outcome *o, struct text *ret);
int unpack_answer(const void *bytes, size_t n, struct outcome *ret);

struct database_op {
        STAILQ_ENTRY(database_op) link;
        /* In the thread, perhaps more than once: a batch that failed is tried again one by one. */
        int (*run)(struct database_file *file, struct database_op *op);
        void (*deliver)(struct database_op *op); /* on the loop, unless it was cancelled */
        void (*free)(struct database_op *op);
        const struct audit_record *audited; /* what it added to the trail, if it did */
        bool writes, cancelled, failed;
        struct fault fault; /* when it failed */
        void *arg;
};
STAILQ_HEAD(database_ops, database_op);

static inline const struct fault *op_fault(const struct database_op *op)
{
        return op->failed ? &op->fault : NULL;
}

/* Queues it, and starts a batch when none is under way. Takes the op and returns it; NULL is fine. */
struct database_op *database_submit(struct database *db, struct database_op *op);
size_t database_waiting(const struct database *db);

/*
 * What is pruned by: a clock that is set forward by mistake, and back later, must
 * not have forgotten what tokens did that are good again then.
 */
uint64_t prune_time(uint64_t wall_usec, uint64_t began_wall_usec, uint64_t passed_usec);
struct database_op *prune_requests_new(uint64_t now_sec, void (*pruned)(void *arg, bool more), void *arg);
