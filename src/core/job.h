/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The jobs: containers that run once, and what became of them.  This is what
 * memory holds, so that reads cost a lookup; what they are to run and what they
 * said stands in the database.
 */

#include "core/ident.h"
#include "core/spec.h"
#include "util/text.h"

#define JOB_TIMEOUT_MAX_USEC (UINT64_C(30) * 86400 * 1000000)
#define JOB_RETRIES_MAX 100
#define JOB_SCHEDULE_MAX 256
#define JOB_OUTPUT_MAX 16384 /* bytes of its last lines that are kept */

/* --- what is asked for --------------------------------------------------------------- */

struct job_spec {
        char id[GEAR_ID_MAX + 1]; /* "" where the body does not name it */
        struct spec spec;
        uint64_t timeout_usec;    /* of all attempts together; 0: the daemon's default */
        unsigned retries;
        char *schedule;           /* OnCalendar=; NULL: it runs at once, and once */
};

/* What systemd may be asked to understand: INVALID, naming the field. */
int job_schedule_check(const char *schedule, const char *field, struct fault *f);

/* As spec_from_json(): the same fields, but for those that only what goes on for ever can have. */
int job_spec_from_json(const struct json *body, const char *image, struct job_spec *ret, struct fault *f);
void job_spec_reset(struct job_spec *s);

/* --- what became of it ----------------------------------------------------------------- */

enum job_state {
        JOB_STATE_WAITING,   /* for its turn, or its image */
        JOB_STATE_RUNNING,
        JOB_STATE_SUCCEEDED,
        JOB_STATE_FAILED,
        JOB_STATE_CANCELED,
        JOB_STATE_SCHEDULED, /* the rest is of its last run, if it had one */
        N_JOB_STATES,
};
const char *job_state_name(enum job_state s);
static inline bool job_state_is_final(enum job_state s)
{
        return s >= JOB_STATE_SUCCEEDED && s <= JOB_STATE_CANCELED;
}

struct job {
        char *id;
        char *image;
        char *user;                   /* the token's `u` */
        char *schedule;               /* NULL: it runs once */
        char *why;                    /* it failed, where that is not its container's doing; or NULL */
        char *damage;                 /* of one with a schedule: its unit file cannot be read; or NULL */
        char request_id[REQUEST_ID_LEN + 1];
        enum job_state state;
        uint64_t created_usec, started_usec, ended_usec; /* wall clock; 0: not yet */
        uint64_t defined_usec;        /* of a scheduled one: as it is now, it is since then … */
        uint64_t next_usec;           /* … and this is when it is due; wall clock, 0: never */
        uint64_t timeout_usec, memory_max;               /* memory_max 0: no limit */
        unsigned retries, attempts;
        int exit_code, exit_status;   /* CLD_EXITED …; 0, 0 where nothing ran */
        uint64_t peak_memory;         /* UINT64_MAX: unknown */
        void *run;                    /* the api layer's: what carries it out … */
        void *watch;                  /* … and what looks at its schedule */
};

int job_copy(const struct job *job, struct job *ret); /* all but `run` and `watch`. 0 or -ENOMEM */
void job_reset(struct job *job);
/* What it is, and what its last run came to: each is taken from another one, with its strings. */
void job_take_definition(struct job *job, struct job *from);
void job_take_run(struct job *job, struct job *from);
/* The one with the other's last run: for reading, since nothing in it is its own. */
struct job job_with_run(const struct job *job, const struct job *run);

/* Its end by itself was a good one? */
bool job_ended_well(const struct job *job);
/* Killed with no memory left, as far as can be told. */
bool job_was_out_of_memory(const struct job *job);

void job_unit_name(const char *id, char ret[static UNIT_NAME_MAX]);      /* job-1.service */
void job_timer_name(const char *id, char ret[static UNIT_NAME_MAX]);     /* job-1.timer */
void job_container_name(const char *id, char ret[static UNIT_NAME_MAX]); /* job-1 */
/* Of either unit; false for what is none of them. */
bool job_id_of_unit(const char *unit, char ret[static GEAR_ID_MAX + 1]);

/*
 * The file of its environment, less its suffix. With a schedule each definition has
 * one of its own, so that a replaced job runs by the former until its unit changes.
 */
#define JOB_ENV_MAX (GEAR_ID_MAX + sizeof "@18446744073709551615")
#define JOB_ENV_MARK '@' /* between id and definition */
void job_env_name(const struct job *job, char ret[static JOB_ENV_MAX]);

/* Its container's slice, as systemd escapes it: "gear-jobs-a\x2db.slice". */
#define JOB_SLICE_MAX (4 * GEAR_ID_MAX + sizeof "gear-jobs-.slice")
void job_slice_name(const char *id, char ret[static JOB_SLICE_MAX]);

/* --- all of them ------------------------------------------------------------------------ */

struct jobs;

/* Of those that ended, so many are kept. */
struct jobs *jobs_new(size_t ended_max);
struct jobs *jobs_free(struct jobs *j);
DEFINE_CLEANUP(struct jobs, jobs_free);

struct job *jobs_find(const struct jobs *j, const char *id);
struct job *jobs_add(struct jobs *j, const char *id); /* or the one that is there; NULL: out of memory */
void jobs_remove(struct jobs *j, struct job *job);
/* Takes over what a row says of it, strings and all, and leaves the row empty. */
void jobs_take(struct job *job, struct job *row);
size_t jobs_count(const struct jobs *j);
struct job *jobs_at(const struct jobs *j, size_t i); /* in the order of ids */
size_t jobs_after(const struct jobs *j, const char *id); /* the first whose id sorts behind */

/* Those that ended too long ago to be kept beside the others: the oldest first, at most max. How many. */
size_t jobs_too_old(const struct jobs *j, struct job **ret, size_t max);
void jobs_limit(struct jobs *j, size_t ended_max);
