/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a caller asks of a log, name by name, in words. */

#include "core/log-form.h"

#define LOG_TAIL_DEFAULT 100
#define LOG_TAIL_MAX 1000000
#define LOG_TIMEOUT_DEFAULT_SEC 30

struct log_query {
        int64_t tail;          /* negative: all */
        uint64_t since_usec;   /* 0: no bound */
        uint64_t until_usec;   /* UINT64_MAX: no bound */
        uint64_t timeout_usec; /* UINT64_MAX: goes on for ever */
        bool follow;
        int priority;
        char cursor[LOG_CURSOR_MAX]; /* "" for none */
        char grep[LOG_GREP_MAX + 1]; /* "" for none */
};

/*
 * value() answers what stands behind a name, NULL where it was not given; resume
 * is the cursor of a client that comes back, NULL for none, and counts before
 * what the query says.  INVALID naming what is wrong.
 */
int log_query_read(const char *(*value)(const void *arg, const char *name), const void *arg,
                   const char *resume, uint64_t now_usec, struct log_query *ret, struct fault *f);

/* A cursor as journald makes them; what it points to need not be there. */
bool log_cursor_valid(const char *cursor);
