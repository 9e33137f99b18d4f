/* SPDX-License-Identifier: Apache-2.0 */

/* Intents and outcomes: the operations on the tables of request ids. */

#include "sys/database-audit-private.h"

#include <stdio.h>

#define PRUNE_SLICE 500 /* rows that may delay a commit */

void database_request_reset(struct database_request *q)
{
        outcome_reset(&q->outcome);
        q->audit = (free(q->audit), NULL);
}

/* --- between rows and structures ------------------------------------------------------------- */

static unsigned nibble(char c)
{
        return (unsigned) (c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Half as long as text: the ids and digests are most of a small row. */
static int bind_hex(sqlite3_stmt *statement, int parameter, const char *hex)
{
        unsigned char bytes[DIGEST_HEX_LEN / 2];
        size_t n = strlen(hex) / 2;

        for (size_t i = 0; i < n; i++)
                bytes[i] = (unsigned char) (nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
        return sqlite3_bind_blob(statement, parameter, bytes, (int) n, SQLITE_TRANSIENT);
}

static int bind_key(sqlite3_stmt *statement, const struct database_request *q)
{
        int code = sqlite3_bind_text(statement, 1, q->principal, -1, SQLITE_STATIC);

        return code == SQLITE_OK ? bind_hex(statement, 2, q->id) : code;
}

static int bind_common(sqlite3_stmt *statement, const struct database_request *q)
{
        int code = bind_key(statement, q);

        if (code == SQLITE_OK)
                code = bind_hex(statement, 3, q->digest);
        if (code == SQLITE_OK)
                code = sqlite3_bind_int64(statement, 4, (int64_t) q->began_usec);
        if (code == SQLITE_OK)
                code = sqlite3_bind_int64(statement, 5, (int64_t) q->keep_until_sec);
        return code == SQLITE_OK ? sqlite3_bind_text(statement, 6, q->resource, -1, SQLITE_STATIC) : code;
}

static int bind_outcome(sqlite3_stmt *statement, const struct outcome *o)
{
        _cleanup_text_ struct text answer = { 0 };
        int code = pack_answer(o, &answer);

        if (code == SQLITE_OK)
                code = sqlite3_bind_int(statement, 7, o->code);
        if (code == SQLITE_OK)
                code = sqlite3_bind_int(statement, 8, o->good);
        if (code == SQLITE_OK)
                code = sqlite3_bind_int64(statement, 9, o->retry_after);
        if (code == SQLITE_OK)
                code = sqlite3_bind_blob(statement, 10, answer.data, (int) answer.len, SQLITE_TRANSIENT);
        return code;
}

static int read_outcome(sqlite3_stmt *row, int column, struct outcome *ret)
{
        const void *answer = sqlite3_column_blob(row, column + 3);

        ret->code = sqlite3_column_int(row, column);
        ret->good = sqlite3_column_int(row, column + 1) != 0;
        ret->retry_after = (unsigned) sqlite3_column_int64(row, column + 2);
        return answer ? unpack_answer(answer, (size_t) sqlite3_column_bytes(row, column + 3), ret) : SQLITE_OK;
}

static int read_row(sqlite3_stmt *row, struct database_request *ret)
{
        struct database_request q = { 0 };
        bool oom = false;
        int code = read_outcome(row, 6, &q.outcome);

        column_copy(row, 0, q.principal, sizeof q.principal);
        column_copy(row, 1, q.id, sizeof q.id);
        column_copy(row, 2, q.digest, sizeof q.digest);
        q.began_usec = (uint64_t) sqlite3_column_int64(row, 3);
        q.keep_until_sec = (uint64_t) sqlite3_column_int64(row, 4);
        column_copy(row, 5, q.resource, sizeof q.resource);
        column_copy(row, 10, q.kind, sizeof q.kind);
        column_copy(row, 11, q.verb, sizeof q.verb);
        q.audit = column_dup(row, 12, &oom);
        if (code == SQLITE_OK && oom)
                code = SQLITE_NOMEM;
        if (code == SQLITE_OK)
                *ret = q;
        else
                database_request_reset(&q);
        return code;
}

/* --- writing ------------------------------------------------------------------------------------ */

struct write_op {
        struct database_op op;
        struct database_request request;
        struct audit_record record; /* without a code: there is none */
        database_written *done;
};

static struct write_op *write_of(struct database_op *op)
{
        return container_of(op, struct write_op, op);
}

static int run_withdraw(struct database_file *file, struct database_op *op)
{
        int code = bind_key(file_statement(file, SQL_WITHDRAW), &write_of(op)->request);

        return code == SQLITE_OK ? file_execute(file, SQL_WITHDRAW) : code;
}

static int run_conclude(struct database_file *file, struct database_op *op)
{
        const struct database_request *q = &write_of(op)->request;
        struct audit_record *record = &write_of(op)->record;
        sqlite3_stmt *statement = file_statement(file, SQL_CONCLUDE);
        int code = bind_common(statement, q);

        if (code == SQLITE_OK)
                code = bind_outcome(statement, &q->outcome);
        if (code == SQLITE_OK)
                code = file_execute(file, SQL_CONCLUDE);
        if (code == SQLITE_OK)
                code = run_withdraw(file, op);
        if (code != SQLITE_OK || record->code == 0)
                return code;
        op->audited = record;
        return audit_append(file, record);
}

static void deliver_write(struct database_op *op)
{
        if (write_of(op)->done)
                write_of(op)->done(op->arg, op_fault(op));
}

static void free_write(struct database_op *op)
{
        database_request_reset(&write_of(op)->request);
        audit_record_reset(&write_of(op)->record);
        free(write_of(op));
}

static bool copy_string(char **ret, const char *s)
{
        *ret = s ? strdup(s) : NULL;
        return !s || *ret;
}

static struct write_op *write_new(const struct database_request *q, database_written *done, void *arg)
{
        struct write_op *w = calloc(1, sizeof *w);
        const struct outcome *o = &q->outcome;

        if (!w)
                return NULL;
        w->op = (struct database_op){
                .deliver = deliver_write, .free = free_write, .writes = true, .arg = arg
        };
        w->done = done;
        w->request = *q;
        w->request.audit = NULL;
        w->request.record = NULL;
        w->request.outcome =
                (struct outcome){ .code = o->code, .good = o->good, .retry_after = o->retry_after };
        if (!copy_string(&w->request.outcome.text, o->text) ||
            !copy_string(&w->request.outcome.json, o->json) ||
            !copy_string(&w->request.outcome.headers, o->headers) ||
            (q->record && audit_record_copy(q->record, &w->record) < 0)) {
                free_write(&w->op);
                return NULL;
        }
        return w;
}

static struct database_op *submit_write(struct database *db, const struct database_request *q,
                                        int (*run)(struct database_file *file, struct database_op *op),
                                        database_written *done, void *arg)
{
        struct write_op *w = write_new(q, done, arg);

        if (!w)
                return NULL;
        w->op.run = run;
        return database_submit(db, &w->op);
}

struct database_op *database_conclude(struct database *db, const struct database_request *q,
                                      database_written *done, void *arg)
{
        return submit_write(db, q, run_conclude, done, arg);
}

static struct database_request key_of(const char *principal, const char *id)
{
        struct database_request q = { 0 };

        (void) snprintf(q.principal, sizeof q.principal, "%s", principal);
        (void) snprintf(q.id, sizeof q.id, "%s", id);
        return q;
}

struct database_op *database_withdraw(struct database *db, const char *principal, const char *id,
                                      database_written *done, void *arg)
{
        const struct database_request q = key_of(principal, id);

        return submit_write(db, &q, run_withdraw, done, arg);
}

/* --- reading ------------------------------------------------------------------------------------ */

struct find_op {
        struct database_op op;
        struct database_request key;
        struct database_request *rows;
        size_t n;
        database_found *done;
};

static struct find_op *find_of(struct database_op *op)
{
        return container_of(op, struct find_op, op);
}

static void drop_rows(struct find_op *find)
{
        for (size_t i = 0; i < find->n; i++)
                database_request_reset(&find->rows[i]);
        free(find->rows);
        find->rows = NULL;
        find->n = 0;
}

static int take_rows(struct find_op *find, sqlite3_stmt *statement)
{
        int code;

        drop_rows(find);
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
                struct database_request *rows = reallocarray(find->rows, find->n + 1, sizeof *rows);

                if (!rows)
                        return SQLITE_NOMEM;
                find->rows = rows;
                code = read_row(statement, &find->rows[find->n]);
                if (code != SQLITE_OK)
                        return code;
                find->n++;
        }
        return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int run_find(struct database_file *file, struct database_op *op)
{
        sqlite3_stmt *statement = file_statement(file, SQL_FIND);
        int code = bind_key(statement, &find_of(op)->key);

        if (code == SQLITE_OK)
                code = take_rows(find_of(op), statement);
        (void) sqlite3_reset(statement);
        (void) sqlite3_clear_bindings(statement);
        return code;
}

static int write_intent(struct database_file *file, const struct database_request *q)
{
        sqlite3_stmt *statement = file_statement(file, SQL_INTEND);
        int code = bind_common(statement, q);

        if (code == SQLITE_OK)
                code = sqlite3_bind_text(statement, 7, q->kind, -1, SQLITE_STATIC);
        if (code == SQLITE_OK)
                code = sqlite3_bind_text(statement, 8, q->verb, -1, SQLITE_STATIC);
        if (code == SQLITE_OK)
                code = sqlite3_bind_text(statement, 9, q->audit, -1, SQLITE_STATIC);
        return code == SQLITE_OK ? file_execute(file, SQL_INTEND) : code;
}

/* A failure is no answer to who asks again. */
static int run_intend(struct database_file *file, struct database_op *op)
{
        struct find_op *find = find_of(op);
        int code = run_find(file, op);

        if (code != SQLITE_OK || (find->n > 0 && (find->rows[0].outcome.code == 0 || find->rows[0].outcome.good)))
                return code;
        drop_rows(find);
        return write_intent(file, &find->key);
}

static int run_unfinished(struct database_file *file, struct database_op *op)
{
        sqlite3_stmt *statement = file_statement(file, SQL_UNFINISHED);
        int code = take_rows(find_of(op), statement);

        (void) sqlite3_reset(statement);
        return code;
}

static void deliver_find(struct database_op *op)
{
        struct find_op *find = find_of(op);

        if (op->failed)
                drop_rows(find);
        find->done(op->arg, find->rows, find->n, op_fault(op));
}

static void free_find(struct database_op *op)
{
        drop_rows(find_of(op));
        database_request_reset(&find_of(op)->key);
        free(find_of(op));
}

static struct find_op *find_new(database_found *done, void *arg)
{
        struct find_op *find = calloc(1, sizeof *find);

        if (!find)
                return NULL;
        find->op = (struct database_op){ .deliver = deliver_find, .free = free_find, .arg = arg };
        find->done = done;
        return find;
}

struct database_op *database_intend(struct database *db, const struct database_request *q,
                                    database_found *done, void *arg)
{
        struct find_op *find = find_new(done, arg);

        if (!find)
                return NULL;
        find->op.run = run_intend;
        find->op.writes = true;
        find->key = *q;
        find->key.outcome = (struct outcome){ 0 };
        if (!copy_string(&find->key.audit, q->audit)) {
                free(find);
                return NULL;
        }
        return database_submit(db, &find->op);
}

struct database_op *database_find(struct database *db, const char *principal, const char *id,
                                  database_found *done, void *arg)
{
        struct find_op *find = find_new(done, arg);

        if (!find)
                return NULL;
        find->op.run = run_find;
        find->key = key_of(principal, id);
        return database_submit(db, &find->op);
}

struct database_op *database_unfinished(struct database *db, database_found *done, void *arg)
{
        struct find_op *find = find_new(done, arg);

        if (!find)
                return NULL;
        find->op.run = run_unfinished;
        return database_submit(db, &find->op);
}

/* --- forgetting ------------------------------------------------------------------------------------- */

struct prune_op {
        struct database_op op;
        uint64_t now_sec;
        bool more;
        void (*pruned)(void *arg, bool more);
};

static int run_prune(struct database_file *file, struct database_op *op)
{
        struct prune_op *prune = container_of(op, struct prune_op, op);
        sqlite3_stmt *statement = file_statement(file, SQL_PRUNE_OUTCOMES);
        int code = sqlite3_bind_int64(statement, 1, (int64_t) prune->now_sec);

        if (code == SQLITE_OK)
                code = sqlite3_bind_int(statement, 2, PRUNE_SLICE);
        if (code == SQLITE_OK)
                code = file_execute(file, SQL_PRUNE_OUTCOMES);
        prune->more = sqlite3_changes(file->sqlite) == PRUNE_SLICE;
        return code;
}

static void deliver_prune(struct database_op *op)
{
        const struct prune_op *prune = container_of(op, struct prune_op, op);

        prune->pruned(op->arg, !op->failed && prune->more);
}

static void free_prune(struct database_op *op)
{
        free(container_of(op, struct prune_op, op));
}

struct database_op *prune_requests_new(uint64_t now_sec, void (*pruned)(void *arg, bool more), void *arg)
{
        struct prune_op *prune = calloc(1, sizeof *prune);

        if (!prune)
                return NULL;
        prune->op = (struct database_op){
                .run = run_prune, .deliver = deliver_prune, .free = free_prune, .writes = true, .arg = arg
        };
        prune->now_sec = now_sec;
        prune->pruned = pruned;
        return &prune->op;
}
