/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * systemd, asynchronously: unit files linked and enabled in batches, jobs
 * followed to their end, reloads coalesced, and every change of every unit
 * signalled.  Lost connections come back by themselves; a job that was under
 * way is then judged by the state of its unit.
 */

#include "sys/loop.h"
#include "util/fault.h"

struct systemd;
struct systemd_op;

/* What one signal or question told of a unit; a NULL or a clear has_ bit: not mentioned. */
struct unit_change {
        const char *unit;
        const char *active;        /* active inactive failed activating deactivating reloading */
        const char *sub;           /* running dead auto-restart start-pre … */
        const char *load;          /* loaded not-found bad-setting error masked */
        const char *load_error;    /* the sentence, with questions only */
        const char *fragment;      /* its file, with questions only … */
        const char *file_state;    /* … whether it is enabled linked disabled … */
        const char *slice;         /* … as this … */
        const char *status;        /* … as what its main process says of itself … */
        uint64_t main_began_usec, main_ended_usec; /* … and these, by the wall clock; 0: not yet */
        const char *result;        /* success exit-code signal timeout … */
        bool has_since, has_invocation, has_main, has_restarts, has_exit, has_job, has_next;
        uint64_t since_usec;       /* wall clock: the last change of state */
        uint8_t invocation[16];
        pid_t main_pid;
        unsigned restarts;
        int exit_code;             /* CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0 none yet */
        int exit_status;
        uint64_t next_usec;        /* of a timer, by the wall clock; 0: never */
        bool job;                  /* a job is pending for it … */
        const char *job_path;      /* … this one */
};

/* Begins, ends, or is about to. */
static inline bool unit_is_at_work(const struct unit_change *unit)
{
        return unit->job || streq(unit->active, "activating") || streq(unit->active, "deactivating");
}

struct systemd_hooks {
        void (*up)(void *arg);
        void (*down)(void *arg, const char *reason);
        bool (*cares)(void *arg, const char *unit);     /* about its changes? Of most units nobody does */
        void (*changed)(void *arg, const struct unit_change *change);
        void (*removed)(void *arg, const char *unit);   /* no longer loaded */
        void (*reloaded)(void *arg);                    /* all unit files were read again, whoever asked */
        void *arg;
};

struct systemd *systemd_new(struct loop *l, const struct systemd_hooks *hooks);
struct systemd *systemd_free(struct systemd *s);
DEFINE_CLEANUP(struct systemd, systemd_free);
bool systemd_is_up(const struct systemd *s);

/* How a job ended. Everything but DONE has a sentence. */
enum job_result {
        JOB_DONE,
        JOB_CANCELED,
        JOB_TIMEOUT,
        JOB_FAILED,
        JOB_DEPENDENCY,
        JOB_SKIPPED,
        JOB_OTHER,
};
const char *job_result_text(enum job_result r);

/*
 * Each answers exactly once, later, unless cancelled; fault is NULL when
 * systemd did as asked (for jobs: when the job ended, in whatever way).
 * Cancelling never undoes anything.  NULL when out of memory.
 */
typedef void systemd_done(void *arg, const struct fault *fault);
typedef void systemd_job_done(void *arg, enum job_result result, const struct fault *fault);
typedef void systemd_flag(void *arg, bool value, const struct fault *fault);
typedef void systemd_listed(void *arg, const struct unit_change *units, size_t n, const struct fault *fault);
typedef void systemd_told(void *arg, const struct unit_change *unit, const struct fault *fault);

/* By the file's absolute path. Enabling links, too. Calls of one turn share one request. */
struct systemd_op *systemd_enable(struct systemd *s, const char *path, systemd_done *done, void *arg);
struct systemd_op *systemd_link(struct systemd *s, const char *path, systemd_done *done, void *arg);
/* By unit name: takes away all links, that of systemd_link() as well. */
struct systemd_op *systemd_disable(struct systemd *s, const char *unit, systemd_done *done, void *arg);
struct systemd_op *systemd_reload(struct systemd *s, systemd_done *done, void *arg);

enum systemd_job { SYSTEMD_START, SYSTEMD_STOP, SYSTEMD_RESTART };
struct systemd_op *systemd_job(struct systemd *s, enum systemd_job job, const char *unit, systemd_job_done *done,
                               void *arg);
struct systemd_op *systemd_reset_failed(struct systemd *s, const char *unit, systemd_done *done, void *arg);

/* Does systemd hold an earlier definition than the file's? Loads the unit if need be. */
struct systemd_op *systemd_needs_reload(struct systemd *s, const char *unit, systemd_flag *done, void *arg);
/* Loaded units by glob: active, sub, load, job only. */
struct systemd_op *systemd_list(struct systemd *s, const char *pattern, systemd_listed *done, void *arg);
/* Everything of one unit; loads it if need be. */
struct systemd_op *systemd_ask(struct systemd *s, const char *unit, systemd_told *done, void *arg);

/* Is it an OnCalendar= that this systemd understands? INVALID where not, without a field. */
struct systemd_op *systemd_check_calendar(struct systemd *s, const char *calendar, systemd_done *done, void *arg);

struct systemd_op *systemd_cancel(struct systemd_op *op);

struct systemd_stats {
        uint64_t reloads, links, jobs;
        uint64_t job_usec_sum;
        unsigned jobs_pending;
};
void systemd_get_stats(const struct systemd *s, struct systemd_stats *ret);
