/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The audit trail cut at its beginning.  What goes is looked at a last time,
 * and that it went is itself a record: who cuts it otherwise, or makes us cut
 * what he altered, is found out.
 */

#include "sys/database-audit-private.h"

#include <inttypes.h>
#include <stdio.h>

#define SLICE 500 /* records that may delay a commit */
/* So that a host where little happens does not note every minute that a record went. */
#define SLACK_USEC (86400 * USEC_PER_SEC)

struct cut_op {
        struct database_op op;
        struct audit_bounds bounds;
        struct audit_record rotation;
        bool more;
        void (*pruned)(void *arg, bool more);
};

static struct cut_op *cut_of(struct database_op *op)
{
        return container_of(op, struct cut_op, op);
}

/* What goes. */
struct removal {
        uint64_t first, last, n;
        uint64_t altered, n_altered; /* the first that is not what was written */
        uint64_t slack_usec, bytes_max;
        char hash[DIGEST_HEX_LEN + 1]; /* of the last one; before the first, what that is chained to */
};

static bool is_beyond(const struct audit_bounds *bounds, const struct removal *removal,
                      const struct audit_record *record, uint64_t left)
{
        uint64_t age = bounds->now_usec > record->at_usec ? bounds->now_usec - record->at_usec : 0;

        return left > removal->bytes_max ||
               (age > removal->slack_usec && age - removal->slack_usec > bounds->keep_usec);
}

static int take(struct removal *removal, const struct audit_record *record)
{
        char hash[DIGEST_HEX_LEN + 1];

        if (audit_hash(removal->hash, record, hash) < 0)
                return SQLITE_NOMEM;
        if (!streq(hash, record->hash) || (removal->n > 0 && record->number != removal->last + 1)) {
                if (removal->n_altered++ == 0)
                        removal->altered = record->number;
        }
        if (removal->n++ == 0)
                removal->first = record->number;
        removal->last = record->number;
        memcpy(removal->hash, record->hash, sizeof removal->hash);
        return SQLITE_OK;
}

/* SQLITE_DONE: this one stays, and so do all behind it. */
static int consider(const struct database_file *file, const struct audit_bounds *bounds, sqlite3_stmt *row,
                    struct removal *removal)
{
        _cleanup_audit_record_ struct audit_record record = { 0 };
        uint64_t until, left;
        int code = audit_read_row(row, &record, &until);

        if (code != SQLITE_OK)
                return code;
        memcpy(record.trail, file->trail, sizeof record.trail);
        left = file->head.bytes > until ? file->head.bytes - until + audit_bytes(&record) : 0;
        if (!is_beyond(bounds, removal, &record, left))
                return SQLITE_DONE;
        removal->slack_usec = 0;
        if (left > bounds->bytes_max)
                removal->bytes_max = bounds->bytes_max - bounds->bytes_max / 8;
        return take(removal, &record);
}

static int find_start(struct database_file *file, struct removal *removal)
{
        sqlite3_stmt *row = file_statement(file, SQL_AUDIT_TRAIL);
        int code = sqlite3_step(row);

        if (code == SQLITE_ROW)
                column_copy(row, sqlite3_column_type(row, 1) == SQLITE_NULL ? 0 : 1, removal->hash,
                            sizeof removal->hash);
        (void) sqlite3_reset(row);
        return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int find_removal(struct database_file *file, const struct audit_bounds *bounds,
                        struct removal *removal)
{
        sqlite3_stmt *statement = file_statement(file, SQL_AUDIT_OLDEST);
        int code = find_start(file, removal);

        if (code == SQLITE_OK)
                code = sqlite3_bind_int(statement, 1, SLICE);
        while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
                code = consider(file, bounds, statement, removal);
        (void) sqlite3_reset(statement);
        (void) sqlite3_clear_bindings(statement);
        return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int remove_rows(struct database_file *file, const struct removal *removal)
{
        int code = sqlite3_bind_int64(file_statement(file, SQL_AUDIT_REMOVE), 1, (int64_t) removal->last);

        if (code == SQLITE_OK)
                code = file_execute(file, SQL_AUDIT_REMOVE);
        if (code == SQLITE_OK)
                code = sqlite3_bind_text(file_statement(file, SQL_AUDIT_REMOVED), 1, removal->hash, -1,
                                         SQLITE_STATIC);
        return code == SQLITE_OK ? file_execute(file, SQL_AUDIT_REMOVED) : code;
}

static int describe(const struct removal *removal, const struct audit_bounds *bounds,
                    struct audit_record *ret)
{
        char range[48], said[160];
        struct audit_record record = {
                .at_usec = bounds->now_usec,
                .code = removal->n_altered ? AUDIT_ROTATED_ALTERED : AUDIT_ROTATED,
                .words = { [AUDIT_VERB] = (char *) AUDIT_ROTATE,
                           [AUDIT_RESOURCE] = range,
                           [AUDIT_BEFORE] = (char *) removal->hash,
                           [AUDIT_SAID] = said },
        };

        (void) snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, removal->first, removal->last);
        if (removal->n_altered)
                (void) snprintf(said, sizeof said,
                                "%" PRIu64 " records were removed, and %" PRIu64
                                " of them were not as they had been written, the first %" PRIu64,
                                removal->n, removal->n_altered, removal->altered);
        else
                (void) snprintf(said, sizeof said, "%" PRIu64 " records were removed", removal->n);
        return audit_record_copy(&record, ret) < 0 ? SQLITE_NOMEM : SQLITE_OK;
}

static int run_cut(struct database_file *file, struct database_op *op)
{
        struct cut_op *cut = cut_of(op);
        struct removal removal = { .slack_usec = SLACK_USEC, .bytes_max = cut->bounds.bytes_max };
        int code = find_removal(file, &cut->bounds, &removal);

        audit_record_reset(&cut->rotation);
        op->audited = NULL;
        cut->more = removal.n == SLICE;
        if (code != SQLITE_OK || removal.n == 0)
                return code;
        code = remove_rows(file, &removal);
        if (code == SQLITE_OK)
                code = describe(&removal, &cut->bounds, &cut->rotation);
        if (code == SQLITE_OK)
                code = audit_append(file, &cut->rotation);
        op->audited = &cut->rotation;
        return code;
}

static void deliver_cut(struct database_op *op)
{
        cut_of(op)->pruned(op->arg, !op->failed && cut_of(op)->more);
}

static void free_cut(struct database_op *op)
{
        audit_record_reset(&cut_of(op)->rotation);
        free(cut_of(op));
}

struct database_op *prune_audit_new(const struct audit_bounds *bounds, void (*pruned)(void *arg, bool more),
                                    void *arg)
{
        struct cut_op *cut = calloc(1, sizeof *cut);

        if (!cut)
                return NULL;
        cut->op = (struct database_op){
                .run = run_cut, .deliver = deliver_cut, .free = free_cut, .writes = true, .arg = arg
        };
        cut->bounds = *bounds;
        cut->pruned = pruned;
        return &cut->op;
}
