/* SPDX-License-Identifier: Apache-2.0 */

/* The audit trail: chained and appended to, and read in pages from either end. */

#include "sys/database-audit-private.h"

#define WAITING_MAX 10000 /* records that wait for the disk */
#define LOOK_AT_MAX 20000 /* records that one page may pass over, searching */
#define ROW_BYTES 120     /* of a row, beside its words: 109 to 122 in measured files */

enum column {
        COLUMN_NUMBER,
        COLUMN_AT,
        COLUMN_TOOK,
        COLUMN_CODE,
        COLUMN_WORDS,
        COLUMN_HASH = COLUMN_WORDS + N_AUDIT_WORDS,
        COLUMN_BYTES,
};

/* --- rows ----------------------------------------------------------------------------------- */

uint64_t audit_bytes(const struct audit_record *record)
{
        uint64_t bytes = ROW_BYTES;

        for (size_t i = 0; i < N_AUDIT_WORDS; i++)
                bytes += record->words[i] ? strlen(record->words[i]) : 0;
        return bytes;
}

int audit_read_row(sqlite3_stmt *row, struct audit_record *ret, uint64_t *ret_bytes)
{
        struct audit_record record = {
                .number = (uint64_t) sqlite3_column_int64(row, COLUMN_NUMBER),
                .at_usec = (uint64_t) sqlite3_column_int64(row, COLUMN_AT),
                .took_usec = (uint64_t) sqlite3_column_int64(row, COLUMN_TOOK),
                .code = sqlite3_column_int(row, COLUMN_CODE),
        };
        bool oom = false;

        for (int i = 0; i < N_AUDIT_WORDS; i++)
                record.words[i] = column_dup(row, COLUMN_WORDS + i, &oom);
        column_copy(row, COLUMN_HASH, record.hash, sizeof record.hash);
        if (oom) {
                audit_record_reset(&record);
                return SQLITE_NOMEM;
        }
        *ret = record;
        *ret_bytes = (uint64_t) sqlite3_column_int64(row, COLUMN_BYTES);
        return SQLITE_OK;
}

static int bind_record(sqlite3_stmt *statement, const struct audit_record *record, uint64_t bytes)
{
        int code = sqlite3_bind_int64(statement, COLUMN_NUMBER + 1, (int64_t) record->number);

        if (code == SQLITE_OK)
                code = sqlite3_bind_int64(statement, COLUMN_AT + 1, (int64_t) record->at_usec);
        if (code == SQLITE_OK)
                code = sqlite3_bind_int64(statement, COLUMN_TOOK + 1, (int64_t) record->took_usec);
        if (code == SQLITE_OK)
                code = sqlite3_bind_int(statement, COLUMN_CODE + 1, record->code);
        for (int i = 0; code == SQLITE_OK && i < N_AUDIT_WORDS; i++)
                code = sqlite3_bind_text(statement, COLUMN_WORDS + i + 1, record->words[i], -1,
                                         SQLITE_STATIC);
        if (code == SQLITE_OK)
                code = sqlite3_bind_text(statement, COLUMN_HASH + 1, record->hash, -1, SQLITE_STATIC);
        return code == SQLITE_OK ? sqlite3_bind_int64(statement, COLUMN_BYTES + 1, (int64_t) bytes) : code;
}

/* --- the head -------------------------------------------------------------------------------- */

static int read_trail(struct database_file *file)
{
        sqlite3_stmt *row = file_statement(file, SQL_AUDIT_TRAIL);
        int code = sqlite3_step(row);

        if (code == SQLITE_ROW)
                column_copy(row, 0, file->trail, sizeof file->trail);
        (void) sqlite3_reset(row);
        if (code == SQLITE_DONE || (code == SQLITE_ROW && strlen(file->trail) != AUDIT_TRAIL_LEN))
                return SQLITE_CORRUPT;
        return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int read_newest(struct database_file *file)
{
        sqlite3_stmt *row = file_statement(file, SQL_AUDIT_NEWEST);
        int code = sqlite3_step(row);

        if (code == SQLITE_ROW)
                code = audit_read_row(row, &file->newest, &file->committed.bytes);
        (void) sqlite3_reset(row);
        return code == SQLITE_DONE ? SQLITE_OK : code;
}

int audit_open(struct database_file *file)
{
        int code = read_trail(file);

        audit_record_reset(&file->newest);
        file->committed = (struct audit_head){ 0 };
        memcpy(file->committed.hash, file->trail, sizeof file->trail);
        if (code == SQLITE_OK)
                code = read_newest(file);
        if (code == SQLITE_OK && file->newest.number) {
                memcpy(file->newest.trail, file->trail, sizeof file->trail);
                memcpy(file->committed.hash, file->newest.hash, sizeof file->newest.hash);
                file->committed.number = file->newest.number;
        }
        file->head = file->committed;
        return code;
}

int audit_append(struct database_file *file, struct audit_record *record)
{
        struct audit_head next = { .number = file->head.number + 1,
                                   .bytes = file->head.bytes + audit_bytes(record) };
        int code;

        memcpy(record->trail, file->trail, sizeof file->trail);
        record->number = next.number;
        if (audit_hash(file->head.hash, record, record->hash) < 0)
                return SQLITE_NOMEM;
        memcpy(next.hash, record->hash, sizeof next.hash);
        code = bind_record(file_statement(file, SQL_AUDIT), record, next.bytes);
        if (code == SQLITE_OK)
                code = file_execute(file, SQL_AUDIT);
        if (code == SQLITE_OK)
                file->head = next;
        return code;
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
        op->audited = &audit_of(op)->record;
        return audit_append(file, &audit_of(op)->record);
}

static void deliver_audit(struct database_op *op)
{
        if (audit_of(op)->done)
                audit_of(op)->done(op->arg, op_fault(op));
}

static void free_audit(struct database_op *op)
{
        audit_record_reset(&audit_of(op)->record);
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
        if (audit_record_copy(record, &audit->record) < 0) {
                free(audit);
                return -ENOMEM;
        }
        return database_submit(db, &audit->op) ? 0 : -ENOMEM;
}

/* --- reading ------------------------------------------------------------------------------- */

enum { FILTER_PRINCIPAL, FILTER_USER, FILTER_RESOURCE, FILTER_REQUEST, FILTER_VERB, N_FILTERS };

struct page_op {
        struct database_op op;
        struct audit_query query;
        char *filters[N_FILTERS];
        struct audit_record *records; /* room for limit */
        struct audit_page page;
        audit_read *done;
};

static struct page_op *page_of(struct database_op *op)
{
        return container_of(op, struct page_op, op);
}

/* The numbers that a page looks at, and those that there are. */
struct span {
        uint64_t low, high, oldest, newest;
};

static int read_ends(struct database_file *file, struct span *ret)
{
        sqlite3_stmt *row = file_statement(file, SQL_AUDIT_ENDS);
        int code = sqlite3_step(row);

        if (code == SQLITE_ROW) {
                ret->oldest = (uint64_t) sqlite3_column_int64(row, 0);
                ret->newest = (uint64_t) sqlite3_column_int64(row, 1);
        }
        (void) sqlite3_reset(row);
        return code == SQLITE_ROW ? SQLITE_OK : code;
}

static void span_forward(struct span *span, uint64_t from)
{
        span->low = from < span->oldest ? span->oldest : from + 1;
        span->high = span->low + LOOK_AT_MAX - 1;
        if (span->high > span->newest)
                span->high = span->newest;
}

static void span_backward(struct span *span, uint64_t from)
{
        span->high = from == 0 || from > span->newest ? span->newest : from - 1;
        span->low = span->high > LOOK_AT_MAX ? span->high - LOOK_AT_MAX + 1 : 0;
        if (span->low < span->oldest)
                span->low = span->oldest;
}

static int bind_page(sqlite3_stmt *statement, const struct page_op *page, const struct span *span)
{
        const struct audit_query *q = &page->query;
        const int64_t numbers[] = {
                q->limit,
                (int64_t) span->low,
                (int64_t) span->high,
                (int64_t) q->since_usec,
                q->until_usec && q->until_usec < INT64_MAX ? (int64_t) q->until_usec : INT64_MAX,
                q->code_min,
        };
        int code = SQLITE_OK, parameter = 1;

        for (size_t i = 0; code == SQLITE_OK && i < ARRAY_SIZE(numbers); i++)
                code = sqlite3_bind_int64(statement, parameter++, numbers[i]);
        for (size_t i = 0; code == SQLITE_OK && i < N_FILTERS; i++)
                code = sqlite3_bind_text(statement, parameter++, page->filters[i], -1, SQLITE_STATIC);
        return code;
}

static void drop_records(struct page_op *page)
{
        for (size_t i = 0; i < page->page.n; i++)
                audit_record_reset(&page->records[i]);
        page->page = (struct audit_page){ .records = page->records };
}

static int take_page(struct page_op *page, const char *trail, sqlite3_stmt *statement)
{
        int code;

        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
                struct audit_record *record = &page->records[page->page.n];
                uint64_t bytes;

                code = audit_read_row(statement, record, &bytes);
                if (code != SQLITE_OK)
                        return code;
                memcpy(record->trail, trail, sizeof record->trail);
                page->page.n++;
        }
        return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Where a page ends that is not full is where the span does. */
static void end_page(struct page_op *page, const struct span *span)
{
        bool full = page->page.n == page->query.limit;
        uint64_t last = full ? page->records[page->page.n - 1].number : 0;

        if (page->query.oldest_first) {
                page->page.next = full ? last : span->high;
                page->page.end = page->page.next >= span->newest;
        } else {
                page->page.next = full ? last : span->low;
                page->page.end = page->page.next <= span->oldest;
        }
}

static int run_page(struct database_file *file, struct database_op *op)
{
        struct page_op *page = page_of(op);
        bool forward = page->query.oldest_first;
        sqlite3_stmt *statement = file_statement(file, forward ? SQL_AUDIT_FORWARD : SQL_AUDIT_BACKWARD);
        struct span span = { 0 };
        int code = read_ends(file, &span);

        drop_records(page);
        (forward ? span_forward : span_backward)(&span, page->query.from);
        if (code == SQLITE_OK)
                code = bind_page(statement, page, &span);
        if (code == SQLITE_OK)
                code = take_page(page, file->trail, statement);
        (void) sqlite3_reset(statement);
        (void) sqlite3_clear_bindings(statement);
        end_page(page, &span);
        return code;
}

static void deliver_page(struct database_op *op)
{
        struct page_op *page = page_of(op);

        if (op->failed)
                drop_records(page);
        page->done(op->arg, &page->page, op_fault(op));
}

static void free_page(struct database_op *op)
{
        struct page_op *page = page_of(op);

        drop_records(page);
        for (size_t i = 0; i < N_FILTERS; i++)
                free(page->filters[i]);
        free(page->records);
        free(page);
}

static bool copy_filters(struct page_op *page)
{
        const struct audit_query *q = &page->query;
        const char *const wanted[N_FILTERS] = {
                [FILTER_PRINCIPAL] = q->principal, [FILTER_USER] = q->user, [FILTER_RESOURCE] = q->resource,
                [FILTER_REQUEST] = q->request,     [FILTER_VERB] = q->verb,
        };

        for (size_t i = 0; i < N_FILTERS; i++)
                if (wanted[i] && !(page->filters[i] = strdup(wanted[i])))
                        return false;
        return true;
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
        if (!page->records || !copy_filters(page)) {
                free_page(&page->op);
                return NULL;
        }
        return database_submit(db, &page->op);
}
