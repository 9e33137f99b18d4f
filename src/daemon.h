/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one context that handlers get: every part of the daemon, built by main.c
 * in this order and freed in the reverse.  There are no globals beside it.
 */

#include "config.h"
#include "core/gear.h"
#include "core/job.h"
#include "core/request.h"
#include "http/route.h"
#include "http/server.h"
#include "sys/bare-root.h"
#include "sys/database.h"
#include "sys/dirwatch.h"
#include "sys/docker.h"
#include "sys/fetch.h"
#include "sys/journal.h"
#include "sys/loop.h"
#include "sys/store.h"
#include "sys/systemd.h"
#include "sys/slots.h"
#include "sys/worker.h"

#include <sys/queue.h>

/* Limits that no configuration changes; the others stand in struct config. */
#define WORK_QUEUE_MAX 16        /* changes waiting for one gear */
#define LIST_LIMIT_MAX 10000     /* ?limit= */
#define GIT_TALKS_MAX 64         /* repositories that are read or written at once, but for jobs … */
#define GIT_TALKS_OF_ONE_MAX 48  /* … and for one principal */
#define FAILURE_LOG_LINES 10     /* quoted in the answer to a failed create */
#define REQUEST_KEEP_SEC 86400   /* ids that came without a token */

enum engine_state {
        ENGINE_UNKNOWN,          /* systemd has not told yet */
        ENGINE_STOPPED,          /* its unit is not active: we must not connect */
        ENGINE_RUNNING,
};

struct errand;
struct job_run;
struct kept_unit;

struct counters {
        uint64_t changes_good, changes_bad, replays, joins;
        uint64_t audit_records, audit_lost;
        uint64_t refusals_known, refusals_of_strangers;
};

struct daemon {
        struct config *config;
        struct loop *loop;
        struct server *server;
        struct store *store;
        struct worker *worker;   /* what writes to the store */
        struct dirwatch *units;  /* notices others who do; NULL when the kernel has no watch left */
        struct timer *sweep;     /* looks for what they did while we were away … */
        char swept[GEAR_ID_MAX + 1]; /* … behind this gear */
        struct gears *gears;
        struct requests *requests;
        struct database *database;
        struct change *changes;  /* the api layer's: those that wait for the database */
        struct recall *recall;   /* … and those of an earlier life */
        struct refusals *refusals; /* the api layer's: those that are counted into one record */
        struct follower *followers; /* … and who follows the audit trail */
        struct jobs *jobs;                 /* containers that run once, and what became of them */
        TAILQ_HEAD(, job_run) job_runs;    /* … those under way, by their coming */
        struct slots *slots;               /* whose job may run */
        LIST_HEAD(, errand) errands;       /* … and what is done to repositories */
        struct bare_root git_root;         /* … in which directory as / … */
        int git_root_error;                /* … or why there is none … */
        LIST_HEAD(, git_talk) git_talks;   /* … what gear-git is asked at this moment … */
        unsigned git_talked;               /* … and how often it was ever */
        LIST_HEAD(, git_call) git_calls;   /* … and whom for: clones and pushes */
        struct sweep *sweep_of_errands;    /* … and what looks for those that nobody will ask for */
        struct job_sweep *sweep_of_jobs;   /* … and for what jobs have left */
        LIST_HEAD(, job_tidy) job_tidies;  /* … and for what their former definitions have */
        bool schedules_known;              /* the units of all jobs that have one could be read */
        LIST_HEAD(, kept_unit) kept_units; /* … and units of jobs that are in sight for a while */
        struct noted *noted;     /* … and what looks whether its newest record was noted in time */
        struct tokens *tokens;   /* those that are believed, and by which keys */
        struct systemd *systemd;
        struct journal *journal;
        LIST_HEAD(, log_feed) feeds; /* the api layer's: who follows what */
        struct fetch *fetch;
        struct docker *docker;

        const struct route_table *routes;
        size_t n_routes;

        enum engine_state engine;
        char engine_away[160];   /* why the engine is not there, for people; "" when it is */
        unsigned listing;        /* lists of systemd's units taken so far */
        bool systemd_synced;     /* the index holds systemd's states … */
        bool engine_synced;      /* … and the engine's */
        bool recovering;         /* what an earlier life left undone stands in the queues … */
        bool settled;            /* … and the rest was looked at, too */
        bool ready;              /* READY=1 was sent */
        bool draining;
        unsigned streams;        /* open log and progress streams */
        uint64_t began_usec;
        struct counters counters;
        void (*status_changed)(struct daemon *d); /* main's: the STATUS= line */
};

/* What of host and configuration goes into units. Strings are borrowed from the daemon. */
void daemon_unit_host(const struct daemon *d, struct unit_host *ret);
