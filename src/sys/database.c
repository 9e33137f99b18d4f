/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The queue: what is asked for waits on the loop until the thread is free, then
 * all of it runs as one batch and is committed once.  The batch and the file
 * belong to the thread until the batch is done; everything else is the loop's.
 */

#include "sys/database-audit-private.h"

#include "sys/worker.h"

#include <stdio.h>

#define PRUNE_USEC (60 * USEC_PER_SEC)
#define BATCH_MAX 512 /* so that nobody waits long for those before him */

struct database {
        struct worker *worker;
        struct timer *prune;
        struct database_options options;
        uint64_t began_usec, began_wall_usec;
        struct database_ops waiting, batch;
        size_t n_waiting;
        bool running; /* a batch is with the thread … */
        bool ran;     /* … which is through with it */
        struct database_file file;
        struct database_counters counters;
};

/* --- in the thread ---------------------------------------------------------------------------- */

static bool batch_writes(const struct database_ops *batch)
{
        const struct database_op *op;

        STAILQ_FOREACH(op, batch, link) {
                if (op->writes)
                        return true;
        }
        return false;
}

static int run_all(struct database *db)
{
        struct database_op *op;
        int code = SQLITE_OK;

        STAILQ_FOREACH(op, &db->batch, link) {
                op->failed = false;
                code = op->run(&db->file, op);
                if (code != SQLITE_OK)
                        break;
        }
        return code;
}

static int run_together(struct database *db)
{
        bool writes = batch_writes(&db->batch);
        int code = writes ? file_begin(&db->file) : SQLITE_OK;

        if (code == SQLITE_OK)
                code = run_all(db);
        if (code == SQLITE_OK && writes)
                code = file_commit(&db->file);
        if (code != SQLITE_OK)
                file_rollback(&db->file);
        return code;
}

/* SQLite knows more of what it found itself, and nothing of an answer that does not unpack. */
static int set_aside(struct database *db, int code, struct fault *f)
{
        bool found_itself = sqlite3_extended_errcode(db->file.sqlite) == code;
        char why[LOST_WHY_MAX];

        (void) snprintf(why, sizeof why, "%s",
                        found_itself ? sqlite3_errmsg(db->file.sqlite) : sqlite3_errstr(code));
        return file_set_aside(&db->file, why, f);
}

#define RUN_AGAIN 1 /* with a new file, since the one it met is set aside */

static int run_once(struct database *db, struct database_op *op, struct fault *f)
{
        int code, r = file_ready(&db->file, f);

        if (r < 0)
                return r;
        code = op->writes ? file_begin(&db->file) : SQLITE_OK;
        if (code == SQLITE_OK)
                code = op->run(&db->file, op);
        if (code == SQLITE_OK && op->writes)
                code = file_commit(&db->file);
        if (code == SQLITE_OK)
                return 0;
        r = file_fault(&db->file, code, f);
        if (file_is_damage(code))
                return set_aside(db, code, f) < 0 ? -EIO : RUN_AGAIN;
        file_rollback(&db->file);
        /* What a failed fsync left in memory and what is on the disk may differ. */
        if ((code & 0xff) == SQLITE_IOERR && f->kind != FAULT_NO_SPACE)
                file_close(&db->file);
        return r;
}

/* What is wrong with one of them, or with the file, is found out here. */
static void run_alone(struct database *db, struct database_op *op)
{
        int r = run_once(db, op, &op->fault);

        if (r == RUN_AGAIN)
                r = run_once(db, op, &op->fault);
        op->failed = r != 0;
}

static int run_batch(void *arg)
{
        struct database *db = arg;
        struct database_op *op;
        struct fault f;

        if (file_ready(&db->file, &f) < 0 || run_together(db) != SQLITE_OK) {
                STAILQ_FOREACH(op, &db->batch, link)
                        run_alone(db, op);
        }
        db->ran = true;
        return 0;
}

/* --- on the loop --------------------------------------------------------------------------------- */

static void take_batch(struct database *db)
{
        struct database_op *op;

        for (int n = 0; n < BATCH_MAX && (op = STAILQ_FIRST(&db->waiting)); n++) {
                STAILQ_REMOVE_HEAD(&db->waiting, link);
                STAILQ_INSERT_TAIL(&db->batch, op, link);
                db->n_waiting--;
        }
}

static void give_back_batch(struct database *db)
{
        struct database_op *op;

        STAILQ_FOREACH(op, &db->batch, link)
                db->n_waiting++;
        STAILQ_CONCAT(&db->batch, &db->waiting);
        STAILQ_CONCAT(&db->waiting, &db->batch);
}

static void tell_loss(struct database *db)
{
        _cleanup_free_ char *moved_to = TAKE(db->file.moved_to);

        if (!db->file.was_lost)
                return;
        db->file.was_lost = false;
        if (db->options.lost)
                db->options.lost(db->options.arg, db->file.why, moved_to);
}

static void tell_newest(struct database *db)
{
        if (db->file.newest.number && db->options.audited)
                db->options.audited(db->options.arg, &db->file.newest, true);
        audit_record_reset(&db->file.newest);
}

static void tell_audited(struct database *db, const struct database_op *op)
{
        if (op->audited && !op->failed && db->options.audited)
                db->options.audited(db->options.arg, op->audited, false);
}

static void deliver(struct database *db, struct database_op *op)
{
        db->counters.operations++;
        tell_audited(db, op);
        if (!op->cancelled)
                op->deliver(op);
        op->free(op);
}

static void batch_done(void *arg, int r);

/* Without memory they wait for the next call. */
static void run_next(struct database *db)
{
        if (db->running || STAILQ_EMPTY(&db->waiting))
                return;
        take_batch(db);
        db->ran = false;
        db->running = worker_run(db->worker, run_batch, batch_done, db) == 0;
        if (!db->running)
                give_back_batch(db);
}

static void batch_done(void *arg, int r _unused_)
{
        struct database *db = arg;
        struct database_ops done = STAILQ_HEAD_INITIALIZER(done);
        struct database_op *op;

        STAILQ_CONCAT(&done, &db->batch);
        db->running = false;
        db->counters.commits = db->file.commits;
        tell_loss(db);
        tell_newest(db);
        run_next(db);
        while ((op = STAILQ_FIRST(&done))) {
                STAILQ_REMOVE_HEAD(&done, link);
                deliver(db, op);
        }
}

struct database_op *database_submit(struct database *db, struct database_op *op)
{
        if (!op)
                return NULL;
        STAILQ_INSERT_TAIL(&db->waiting, op, link);
        db->n_waiting++;
        run_next(db);
        return op;
}

struct database_op *database_cancel(struct database_op *op)
{
        if (op)
                op->cancelled = true;
        return NULL;
}

size_t database_waiting(const struct database *db)
{
        return db->n_waiting;
}

struct database_counters database_counters(const struct database *db)
{
        return db->counters;
}

/* --- forgetting ------------------------------------------------------------------------------------ */

/* A slice at a time, so that commits come in between. */
static void pruned(void *arg, bool more)
{
        struct database *db = arg;

        if (more)
                timer_set(db->prune, 0);
}

uint64_t prune_time(uint64_t wall_usec, uint64_t began_wall_usec, uint64_t passed_usec)
{
        uint64_t latest = began_wall_usec + passed_usec;

        return wall_usec < latest ? wall_usec : latest;
}

static void prune(void *arg)
{
        struct database *db = arg;
        const struct audit_bounds bounds = {
                .now_usec = prune_time(wall_usec(), db->began_wall_usec, now_usec() - db->began_usec),
                .keep_usec = db->options.audit_usec,
                .bytes_max = db->options.audit_bytes,
        };

        timer_set(db->prune, PRUNE_USEC);
        (void) database_submit(db, prune_requests_new(bounds.now_usec / USEC_PER_SEC, pruned, db));
        (void) database_submit(db, prune_audit_new(&bounds, pruned, db));
}

/* --- its life ---------------------------------------------------------------------------------------- */

struct database *database_new(struct loop *l, const char *path, const struct database_options *options)
{
        struct database *db = calloc(1, sizeof *db);

        if (!db)
                return NULL;
        STAILQ_INIT(&db->waiting);
        STAILQ_INIT(&db->batch);
        db->options = *options;
        db->began_usec = now_usec();
        db->began_wall_usec = wall_usec();
        db->file.path = strdup(path);
        db->file.cache_bytes = options->cache_bytes;
        db->worker = worker_new(l);
        db->prune = timer_new(l, prune, db);
        if (!db->file.path || !db->worker || !db->prune)
                return database_free(db);
        timer_set(db->prune, PRUNE_USEC);
        return db;
}

/* Nobody waits for its answers any more; what it added to the trail must not seem to be somebody else's. */
static void drop_batch(struct database *db)
{
        struct database_op *op;

        tell_newest(db);
        while ((op = STAILQ_FIRST(&db->batch))) {
                STAILQ_REMOVE_HEAD(&db->batch, link);
                tell_audited(db, op);
                op->free(op);
        }
}

struct database *database_free(struct database *db)
{
        if (!db)
                return NULL;
        db->worker = worker_free(db->worker);
        if (db->running && !db->ran)
                (void) run_batch(db);
        drop_batch(db);
        while (!STAILQ_EMPTY(&db->waiting)) {
                take_batch(db);
                (void) run_batch(db);
                drop_batch(db);
        }
        db->prune = timer_free(db->prune);
        file_close(&db->file);
        audit_record_reset(&db->file.newest);
        free(db->file.moved_to);
        free(db->file.path);
        free(db);
        return NULL;
}
