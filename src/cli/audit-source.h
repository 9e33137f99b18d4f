/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The audit trail as geard tells it over its socket: it alone has the database
 * open while it runs.
 */

#include "cli/source.h"
#include "core/audit.h"

struct audit_source;

/* NULL: out of memory. */
struct audit_source *audit_source_new(const char *socket);
struct audit_source *audit_source_free(struct audit_source *s);
DEFINE_CLEANUP(struct audit_source, audit_source_free);

/* A parameter of every question from now on, like principal=alice. 0 or -ENOMEM. */
int audit_source_filter(struct audit_source *s, const char *name, const char *value);

struct audit_batch {
        struct audit_record *records;
        size_t n;
        uint64_t next; /* `from` of the batch behind it */
        bool end;      /* there is none, so far */
};
void audit_batch_reset(struct audit_batch *batch);
#define _cleanup_audit_batch_ _cleanup_(audit_batch_reset)

/* The records behind `from` in the order asked for, 0 for its beginning; perhaps fewer, even none. */
int audit_source_read(struct audit_source *s, bool oldest_first, uint64_t from, struct audit_batch *ret,
                      struct fault *f);

/* Where a stream of records begins. */
struct audit_place {
        bool placed;
        uint64_t after; /* if placed: behind this number … */
        unsigned tail;  /* … else with so many of the newest, 0 for none */
};
/* All from there on, as they come. Ends like source_stream(); that of `take' is handed back. */
int audit_source_follow(struct audit_source *s, const struct audit_place *place,
                        int (*take)(void *arg, const struct audit_record *record, struct fault *f),
                        void *arg, struct fault *f);
