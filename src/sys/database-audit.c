/* SPDX-License-Identifier: Apache-2.0 */

/* The audit trail: appended to, read from its end in pages, cut at its beginning. */

#include "sys/database-private.h"

#define PRUNE_SLICE 500
#define WAITING_MAX 10000 /* records that wait for the disk */
#define LOOK_AT_MAX 20000 /* records that one page may pass over, searching */

static void record_reset(struct audit_record *record)
{
        for (size_t i = 0; i < N_AUDIT_WORDS; i++)
                free(record->words[i]);
        *record = (struct audit_record){ 0 };
}

/* --- writing ------------------------------------------------------------------------------ */

struct audit_op {
        struct database_op op;
        struct audit_record record;
        database_written *done;
};

static struct audit_op *audit_of(struct database_op *op)
{
        return container_of(op, struct audit_op, op);
}

static int run_audit(struct database_file *file, struct database_op *op)
{
        const struct audit_record *record = &audit_of(op)->record;
        sqlite3_stmt *statement = file_statement(file, SQL_AUDIT);
        int code = sqlite3_bind_int64(statement, 1, (int64_t) record->at_usec);

        if (code == SQLITE_OK)
                code = sqlite3_bind_int64(statement, 2, (int64_t) record->took_usec);
        if (code == SQLITE_OK)
                code = sqlite3_bind_int(statement, 3, record->code);
        for (int i = 0; code == SQLITE_OK && i < N_AUDIT_WORDS; i++)
                code = sqlite3_bind_text(statement, 4 + i, record->words[i], -1, SQLITE_STATIC);
        return code == SQLITE_OK ? file_execute(file, SQL_AUDIT) : code;
}

static void deliver_audit(struct database_op *op)
{
        if (audit_of(op)->done)
                audit_of(op)->done(op->arg, op_fault(op));
}

static void free_audit(struct database_op *op)
{
        record_reset(&audit_of(op)->record);
        free(audit_of(op));
}

int database_audit(struct database *db, const struct audit_record *record, database_written *done, void *arg)
{
        struct audit_op *audit;

        if (database_waiting(db) >= WAITING_MAX)
                return -ENOBUFS;
        audit = calloc(1, sizeof *audit);
        if (!audit)
                return -ENOMEM;
        audit->op = (struct database_op){
                .run = run_audit, .deliver = deliver_audit, .free = free_audit, .writes = true, .arg = arg
        };
        audit->done = done;
        audit->record = (struct audit_record){ .at_usec = record->at_usec,
                                               .took_usec = record->took_usec,
                                               .code = record->code };
        for (size_t i = 0; i < N_AUDIT_WORDS; i++) {
                if (record->words[i] && !(audit->record.words[i] = strdup(record->words[i]))) {
                        free_audit(&audit->op);
                        return -ENOMEM;
                }
        }
        return database_submit(db, &audit->op) ? 0 : -ENOMEM;
}

/* --- reading ------------------------------------------------------------------------------- */

struct page_op {
        struct database_op op;
        struct audit_query query;
        char *principal, *resource;
        struct audit_record *records; /* room for limit */
        size_t n;
        uint64_t next;
        audit_read *done;
};

static struct page_op *page_of(struct database_op *op)
{
        return container_of(op, struct page_op, op);
}

static int read_record(sqlite3_stmt *row, struct audit_record *ret)
{
        bool oom = false;

        *ret = (struct audit_record){
                .number = (uint64_t) sqlite3_column_int64(row, 0),
                .at_usec = (uint64_t) sqlite3_column_int64(row, 1),
                .took_usec = (uint64_t) sqlite3_column_int64(row, 2),
                .code = sqlite3_column_int(row, 3),
        };
        for (int i = 0; i < N_AUDIT_WORDS; i++)
                ret->words[i] = column_dup(row, 4 + i, &oom);
        return oom ? SQLITE_NOMEM : SQLITE_OK;
}

static int take_page(struct page_op *page, sqlite3_stmt *statement)
{
        int code;

        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
                code = read_record(statement, &page->records[page->n++]);
                if (code != SQLITE_OK)
                        return code;
        }
        return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int bind_page(sqlite3_stmt *statement, const struct page_op *page, int64_t before, int64_t from)
{
        int code = sqlite3_bind_int64(statement, 1, before);

        if (code == SQLITE_OK)
                code = sqlite3_bind_int64(statement, 2, from);
        if (code == SQLITE_OK)
                code = sqlite3_bind_int64(statement, 3, (int64_t) page->query.since_usec);
        if (code == SQLITE_OK)
                code = sqlite3_bind_text(statement, 4, page->principal, -1, SQLITE_STATIC);
        if (code == SQLITE_OK)
                code = sqlite3_bind_text(statement, 5, page->resource, -1, SQLITE_STATIC);
        return code == SQLITE_OK ? sqlite3_bind_int64(statement, 6, page->query.limit) : code;
}

static void drop_records(struct page_op *page)
{
        for (size_t i = 0; i < page->n; i++)
                record_reset(&page->records[i]);
        page->n = 0;
}

static int last_number(struct database_file *file, int64_t *ret)
{
        sqlite3_stmt *statement = file_statement(file, SQL_AUDIT_LAST);
        int code = sqlite3_step(statement);

        if (code == SQLITE_ROW)
                *ret = sqlite3_column_int64(statement, 0);
        (void) sqlite3_reset(statement);
        return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int run_page(struct database_file *file, struct database_op *op)
{
        struct page_op *page = page_of(op);
        sqlite3_stmt *statement = file_statement(file, SQL_AUDIT_PAGE);
        int64_t before = (int64_t) page->query.before, last = 0, from;
        int code = last_number(file, &last);

        drop_records(page);
        if (before == 0 || before > last)
                before = last + 1;
        from = before > LOOK_AT_MAX ? before - LOOK_AT_MAX : 0;
        if (code == SQLITE_OK)
                code = bind_page(statement, page, before, from);
        if (code == SQLITE_OK)
                code = take_page(page, statement);
        (void) sqlite3_reset(statement);
        (void) sqlite3_clear_bindings(statement);
        page->next = page->n == page->query.limit ? page->records[page->n - 1].number : (uint64_t) from;
        if (page->next <= 1)
                page->next = 0;
        return code;
}

static void deliver_page(struct database_op *op)
{
        struct page_op *page = page_of(op);

        if (op->failed)
                drop_records(page);
        page->done(op->arg, page->records, page->n, page->next, op_fault(op));
}

static void free_page(struct database_op *op)
{
        struct page_op *page = page_of(op);

        drop_records(page);
        free(page->records);
        free(page->principal);
        free(page->resource);
        free(page);
}

struct database_op *database_audit_read(struct database *db, const struct audit_query *query,
                                        audit_read *done, void *arg)
{
        struct page_op *page = calloc(1, sizeof *page);

        if (!page)
                return NULL;
        page->op = (struct database_op){
                .run = run_page, .deliver = deliver_page, .free = free_page, .arg = arg
        };
        page->done = done;
        page->query = *query;
        if (query->limit == 0 || query->limit > AUDIT_PAGE_MAX)
                page->query.limit = AUDIT_PAGE_MAX;
        page->records = calloc(page->query.limit, sizeof *page->records);
        page->principal = query->principal ? strdup(query->principal) : NULL;
        page->resource = query->resource ? strdup(query->resource) : NULL;
        if (!page->records || !page->principal != !query->principal || !page->resource != !query->resource) {
                free_page(&page->op);
                return NULL;
        }
        return database_submit(db, &page->op);
}

/* --- cutting -------------------------------------------------------------------------------- */

struct cut_op {
        struct database_op op;
        uint64_t before_usec, rows_max;
        bool more;
        void (*pruned)(void *arg, bool more);
};

static int run_cut(struct database_file *file, struct database_op *op)
{
        struct cut_op *cut = container_of(op, struct cut_op, op);
        sqlite3_stmt *statement = file_statement(file, SQL_PRUNE_AUDIT);
        int code = sqlite3_bind_int64(statement, 1, (int64_t) cut->before_usec);

        if (code == SQLITE_OK)
                code = sqlite3_bind_int64(statement, 2, (int64_t) cut->rows_max);
        if (code == SQLITE_OK)
                code = sqlite3_bind_int(statement, 3, PRUNE_SLICE);
        if (code == SQLITE_OK)
                code = file_execute(file, SQL_PRUNE_AUDIT);
        cut->more = sqlite3_changes(file->sqlite) == PRUNE_SLICE;
        return code;
}

static void deliver_cut(struct database_op *op)
{
        const struct cut_op *cut = container_of(op, struct cut_op, op);

        cut->pruned(op->arg, !op->failed && cut->more);
}

static void free_cut(struct database_op *op)
{
        free(container_of(op, struct cut_op, op));
}

struct database_op *prune_audit_new(uint64_t before_usec, uint64_t rows_max,
                                    void (*pruned)(void *arg, bool more), void *arg)
{
        struct cut_op *cut = calloc(1, sizeof *cut);

        if (!cut)
                return NULL;
        cut->op = (struct database_op){
                .run = run_cut, .deliver = deliver_cut, .free = free_cut, .writes = true, .arg = arg
        };
        cut->before_usec = before_usec;
        cut->rows_max = rows_max;
        cut->pruned = pruned;
        return &cut->op;
}
