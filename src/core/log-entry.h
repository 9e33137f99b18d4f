/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One record of a gear's log: a line its container wrote, a mark that systemd
 * made of its run, or word of what is missing.
 */

#include "util/base.h"

#define LOG_CURSOR_MAX 256
#define LOG_ID_LEN 32 /* hex of a 128-bit id */

/*
 * Of the line that geard writes about UNIT= when the kernel has taken a process of
 * its container: that is in a control group systemd knows nothing of.
 */
#define LOG_KILLED_MESSAGE_ID "4db372b393084ed1805701fc2a1d64c5"

/*
 * The field in which every line of a gear or a job says when that was created: so
 * its lines are told from those of an earlier one by the same name, whatever the
 * clock has done since.
 */
#define LOG_CREATED_FIELD "GEARD_CREATED"

/* … and in which every line of a service's instances says whose they are. */
#define LOG_SERVICE_FIELD "GEAR_SERVICE"

enum log_kind {
        LOG_LINE,
        LOG_STARTED,    /* a run began */
        LOG_EXITED,     /* its main process ended with code and status */
        LOG_ENDED,      /* the unit came to rest, and that is fine */
        LOG_FAILED,     /* … or not: result says why */
        LOG_RESTARTING, /* the next run is due; count: the how-manieth */
        LOG_KILLED,     /* the kernel took a process of it: out of memory */
        LOG_SUPPRESSED, /* journald left out so many lines (count), for there were too many */
        LOG_GONE,       /* what was behind the cursor asked for is not kept any more */
};

struct log_entry {
        enum log_kind kind;
        const char *message; /* may hold any byte; not NUL-terminated */
        size_t message_len;
        bool partial;     /* the line goes on in the next record, or was never ended */
        const char *name; /* whose it is: its source's identifier, of a service the instance's */
        const char *run;  /* hex of the invocation, "" if unknown */
        int priority;     /* 0–7 */
        uint64_t realtime_usec;
        const char *cursor; /* "" where it was not asked for */
        char code[16];      /* LOG_EXITED: exited, killed, dumped */
        int status;         /* LOG_EXITED */
        char result[32];    /* LOG_FAILED: exit-code, timeout, … */
        uint64_t count;
        const char *exported; /* all its fields as journald has them; NULL where that was not asked for */
        size_t exported_len;
};
