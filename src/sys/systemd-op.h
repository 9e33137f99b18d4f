/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of sys/systemd share: the object and its operations. */

#include "sys/bus.h"
#include "sys/systemd.h"

#include <sys/queue.h>

#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

/* PID 1 may be busy reloading thousands of units; systemd itself allows that 180 s. */
#define CALL_USEC (200 * USEC_PER_SEC)

enum batch_kind { BATCH_ENABLE, BATCH_LINK, BATCH_DISABLE, BATCH_RELOAD, N_BATCHES };

struct systemd_op {
        struct systemd *systemd;
        TAILQ_ENTRY(systemd_op) link;
        struct systemd_ops *on;          /* the list it stands on */
        struct bus_call *call;
        char *name;                      /* unit or path */

        enum batch_kind batch;
        enum systemd_job job;
        char *job_path;                  /* once systemd told us */
        bool sent_once;                  /* systemd may know of it */
        bool must_ask;                   /* the connection was lost: judge by the unit's state */
        uint64_t started_usec;

        systemd_done *done;
        systemd_job_done *job_done;
        systemd_flag *flag_done;
        systemd_listed *listed;
        systemd_told *told;
        void *arg;
};
TAILQ_HEAD(systemd_ops, systemd_op);

struct batch {
        struct systemd *systemd;
        enum batch_kind kind;
        struct systemd_ops waiting;      /* for the next request … */
        struct systemd_ops flying;       /* … and part of the one under way */
        struct bus_call *call;
        struct deferred *starting;
        bool one_by_one;                 /* the last one failed as a whole: find out whose fault it was */
};

struct systemd {
        struct loop *loop;
        struct systemd_hooks hooks;
        struct bus *bus;
        struct batch batches[N_BATCHES];
        struct systemd_ops jobs, questions;
        bool reloading;                  /* systemd has told of the beginning, and not yet of the end */
        unsigned calendars_checked;
        struct systemd_stats stats;
};

struct systemd_op *op_new(struct systemd *s, struct systemd_ops *on, const char *name, void *arg);
void op_move(struct systemd_op *op, struct systemd_ops *to);
/* Ends an operation with a systemd_done: freed first, so that the callback may start the next. */
void op_finish(struct systemd_op *op, const struct fault *fault);
/* What went wrong on the bus, as a fault; NULL when nothing did. */
const struct fault *bus_fault(const char *error, const char *text, struct fault *f);
/* Properties.Get or GetAll of the op's unit, which systemd loads if it has not yet. */
struct bus_call *ask_unit(struct systemd_op *op, const char *member, const char *const *strings, bus_done *done);
/* A bus_fill for a NULL-terminated array of strings. */
int fill_strings(sd_bus_message *m, const void *arg);

void batch_init(struct systemd *s);
void batch_deinit(struct systemd *s);

/* Of a call that answers with a job. */
struct systemd_op *job_start(struct systemd *s, enum systemd_job job, const char *unit,
                             const struct bus_call_options *call, systemd_job_done *done, void *arg);
/* A JobRemoved signal. */
void job_removed(struct systemd *s, const char *path, const char *result);
/* Connected again: what became of the jobs we waited for? */
void jobs_resume(struct systemd *s);
