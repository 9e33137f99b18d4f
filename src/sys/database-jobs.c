/* SPDX-License-Identifier: Apache-2.0 */

/* The table of jobs: a row is written, read, removed as a whole. */

#include "sys/database-jobs.h"

#include "sys/database-private.h"

#include <stdio.h>

/* --- between rows and structures ------------------------------------------------------------- */

/* Numbers as SQLite has them: all of ours are below 2^63 but for the one that means `unknown'. */
static int bind_number(sqlite3_stmt *statement, int parameter, uint64_t number)
{
        return number == UINT64_MAX ? sqlite3_bind_null(statement, parameter)
                                    : sqlite3_bind_int64(statement, parameter, (int64_t) number);
}

static uint64_t column_number(sqlite3_stmt *row, int column)
{
        return sqlite3_column_type(row, column) == SQLITE_NULL ? UINT64_MAX
                                                               : (uint64_t) sqlite3_column_int64(row, column);
}

static int bind_job(sqlite3_stmt *statement, const struct job *job)
{
        const char *const texts[] = { job->id, job->image, job->user, job->why, job->request_id };
        /* Whether one with a schedule runs is asked of systemd. */
        const enum job_state state = job->schedule ? JOB_STATE_SCHEDULED : job->state;
        const uint64_t numbers[] = { state,             job->created_usec, job->started_usec, job->ended_usec,
                                     job->timeout_usec, job->memory_max,   job->retries,      job->attempts,
                                     job->peak_memory };
        const int codes[] = { job->exit_code, job->exit_status };
        int parameter = 1, code = SQLITE_OK;

        for (size_t i = 0; code == SQLITE_OK && i < ARRAY_SIZE(texts); i++)
                code = sqlite3_bind_text(statement, parameter++, texts[i], -1, SQLITE_STATIC);
        for (size_t i = 0; code == SQLITE_OK && i < ARRAY_SIZE(numbers); i++)
                code = bind_number(statement, parameter++, numbers[i]);
        for (size_t i = 0; code == SQLITE_OK && i < ARRAY_SIZE(codes); i++)
                code = sqlite3_bind_int(statement, parameter++, codes[i]);
        return code;
}

/* A state that only a later version knows is no state to us. */
static enum job_state state_of(int64_t number)
{
        return number >= 0 && number < N_JOB_STATES ? (enum job_state) number : JOB_STATE_FAILED;
}

static char *copy_of(const char *s, bool *oom)
{
        char *copy = s ? strdup(s) : NULL;

        *oom = *oom || (s && !copy);
        return copy;
}

static int read_job(sqlite3_stmt *row, struct job *ret)
{
        struct job job = { 0 };
        bool oom = false;

        job.id = column_dup(row, 0, &oom);
        job.image = column_dup(row, 1, &oom);
        job.user = column_dup(row, 2, &oom);
        job.why = column_dup(row, 3, &oom);
        column_copy(row, 4, job.request_id, sizeof job.request_id);
        job.state = state_of(sqlite3_column_int64(row, 5));
        job.created_usec = column_number(row, 6);
        job.started_usec = column_number(row, 7);
        job.ended_usec = column_number(row, 8);
        job.timeout_usec = column_number(row, 9);
        job.memory_max = column_number(row, 10);
        job.retries = (unsigned) sqlite3_column_int64(row, 11);
        job.attempts = (unsigned) sqlite3_column_int64(row, 12);
        job.peak_memory = column_number(row, 13);
        job.exit_code = sqlite3_column_int(row, 14);
        job.exit_status = sqlite3_column_int(row, 15);
        if (!oom && !job.image)
                job.image = copy_of("", &oom);
        if (oom || !job.id) {
                job_reset(&job);
                return oom ? SQLITE_NOMEM : SQLITE_CORRUPT;
        }
        *ret = job;
        return SQLITE_OK;
}

/* --- writing ------------------------------------------------------------------------------------ */

struct put_op {
        struct database_op op;
        struct job job; /* of one that is removed: its id alone */
        char *spec, *output;
        database_written *done;
};

static struct put_op *put_of(struct database_op *op)
{
        return container_of(op, struct put_op, op);
}

static int run_put(struct database_file *file, struct database_op *op)
{
        const struct put_op *put = put_of(op);
        sqlite3_stmt *statement = file_statement(file, SQL_JOB_PUT);
        int code = bind_job(statement, &put->job);

        if (code == SQLITE_OK)
                code = sqlite3_bind_text(statement, 17, put->spec, -1, SQLITE_STATIC);
        if (code == SQLITE_OK)
                code = sqlite3_bind_text(statement, 18, put->output, -1, SQLITE_STATIC);
        return code == SQLITE_OK ? file_execute(file, SQL_JOB_PUT) : code;
}

static int run_remove(struct database_file *file, struct database_op *op)
{
        sqlite3_stmt *statement = file_statement(file, SQL_JOB_REMOVE);
        int code = sqlite3_bind_text(statement, 1, put_of(op)->job.id, -1, SQLITE_STATIC);

        return code == SQLITE_OK ? file_execute(file, SQL_JOB_REMOVE) : code;
}

static void deliver_put(struct database_op *op)
{
        if (put_of(op)->done)
                put_of(op)->done(op->arg, op_fault(op));
}

static void free_put(struct database_op *op)
{
        struct put_op *put = put_of(op);

        job_reset(&put->job);
        free(put->spec);
        free(put->output);
        free(put);
}

static struct put_op *put_new(int (*run)(struct database_file *file, struct database_op *op), database_written *done,
                              void *arg)
{
        struct put_op *put = calloc(1, sizeof *put);

        if (!put)
                return NULL;
        put->op = (struct database_op){
                .run = run, .deliver = deliver_put, .free = free_put, .writes = true, .arg = arg
        };
        put->done = done;
        return put;
}

struct database_op *database_put_job(struct database *db, const struct job *job, const char *spec, const char *output,
                                     database_written *done, void *arg)
{
        struct put_op *put = put_new(run_put, done, arg);
        bool oom = false;

        if (!put)
                return NULL;
        put->spec = copy_of(spec, &oom);
        put->output = copy_of(output, &oom);
        if (oom || job_copy(job, &put->job) < 0) {
                free_put(&put->op);
                return NULL;
        }
        return database_submit(db, &put->op);
}

struct database_op *database_remove_job(struct database *db, const char *id, database_written *done, void *arg)
{
        struct put_op *put = put_new(run_remove, done, arg);
        bool oom = false;

        if (!put)
                return NULL;
        put->job.id = copy_of(id, &oom);
        if (oom) {
                free_put(&put->op);
                return NULL;
        }
        return database_submit(db, &put->op);
}

/* --- all of them ---------------------------------------------------------------------------------- */

struct list_op {
        struct database_op op;
        struct job *jobs;
        size_t n, size;
        database_jobs_found *done;
};

static struct list_op *list_of(struct database_op *op)
{
        return container_of(op, struct list_op, op);
}

static void drop_jobs(struct list_op *list)
{
        for (size_t i = 0; i < list->n; i++)
                job_reset(&list->jobs[i]);
        free(list->jobs);
        list->jobs = NULL;
        list->n = list->size = 0;
}

static int add_row(struct list_op *list, sqlite3_stmt *row)
{
        int code;

        if (list->n == list->size) {
                size_t size = list->size ? 2 * list->size : 64;
                struct job *jobs = reallocarray(list->jobs, size, sizeof *jobs);

                if (!jobs)
                        return SQLITE_NOMEM;
                list->jobs = jobs;
                list->size = size;
        }
        code = read_job(row, &list->jobs[list->n]);
        list->n += code == SQLITE_OK;
        return code;
}

static int run_list(struct database_file *file, struct database_op *op)
{
        sqlite3_stmt *statement = file_statement(file, SQL_JOB_LIST);
        int code, added = SQLITE_OK;

        drop_jobs(list_of(op));
        while ((code = sqlite3_step(statement)) == SQLITE_ROW && added == SQLITE_OK)
                added = add_row(list_of(op), statement);
        (void) sqlite3_reset(statement);
        if (added != SQLITE_OK)
                return added;
        return code == SQLITE_DONE ? SQLITE_OK : code;
}

static void deliver_list(struct database_op *op)
{
        struct list_op *list = list_of(op);

        if (op->failed)
                drop_jobs(list);
        list->done(op->arg, list->jobs, list->n, op_fault(op));
}

static void free_list(struct database_op *op)
{
        drop_jobs(list_of(op));
        free(list_of(op));
}

struct database_op *database_list_jobs(struct database *db, database_jobs_found *done, void *arg)
{
        struct list_op *list = calloc(1, sizeof *list);

        if (!list)
                return NULL;
        list->op = (struct database_op){ .run = run_list, .deliver = deliver_list, .free = free_list, .arg = arg };
        list->done = done;
        return database_submit(db, &list->op);
}

/* --- what one runs, and said ------------------------------------------------------------------------ */

struct find_job_op {
        struct database_op op;
        char id[GEAR_ID_MAX + 1];
        char *spec, *output;
        database_job_found *done;
};

static struct find_job_op *find_job_of(struct database_op *op)
{
        return container_of(op, struct find_job_op, op);
}

static void drop_found(struct find_job_op *find)
{
        find->spec = (free(find->spec), NULL);
        find->output = (free(find->output), NULL);
}

static int run_find_job(struct database_file *file, struct database_op *op)
{
        struct find_job_op *find = find_job_of(op);
        sqlite3_stmt *statement = file_statement(file, SQL_JOB_FIND);
        int code = sqlite3_bind_text(statement, 1, find->id, -1, SQLITE_STATIC);
        bool oom = false;

        drop_found(find);
        if (code == SQLITE_OK)
                code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
                find->spec = column_dup(statement, 0, &oom);
                find->output = column_dup(statement, 1, &oom);
                code = oom ? SQLITE_NOMEM : SQLITE_DONE;
        }
        (void) sqlite3_reset(statement);
        (void) sqlite3_clear_bindings(statement);
        return code == SQLITE_DONE ? SQLITE_OK : code;
}

static void deliver_find_job(struct database_op *op)
{
        struct find_job_op *find = find_job_of(op);

        if (op->failed)
                drop_found(find);
        find->done(op->arg, find->spec, find->output, op_fault(op));
}

static void free_find_job(struct database_op *op)
{
        drop_found(find_job_of(op));
        free(find_job_of(op));
}

struct database_op *database_find_job(struct database *db, const char *id, database_job_found *done, void *arg)
{
        struct find_job_op *find = calloc(1, sizeof *find);

        if (!find)
                return NULL;
        find->op = (struct database_op){
                .run = run_find_job, .deliver = deliver_find_job, .free = free_find_job, .arg = arg
        };
        find->done = done;
        (void) snprintf(find->id, sizeof find->id, "%s", id);
        return database_submit(db, &find->op);
}
