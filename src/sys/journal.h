/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The journal of one unit as a pull stream, sliced so that it never holds the
 * loop: entries are handed over while `entry` answers true; after false the
 * reader stands still until journal_reader_resume().
 */

#include "sys/loop.h"

struct journal_reader;

struct journal_entry {
        const char *message;       /* may hold any byte; not NUL-terminated */
        size_t message_len;
        const char *identifier;    /* SYSLOG_IDENTIFIER, NUL-terminated, "" if none */
        int priority;              /* 0–7, 6 when unset */
        uint64_t realtime_usec;
        const char *cursor;
};

struct journal_options {
        const char *unit;          /* matched on the trusted _SYSTEMD_UNIT */
        const char *identifier;    /* only lines with this SYSLOG_IDENTIFIER; NULL for all */
        const char *invocation;    /* only this run (hex _SYSTEMD_INVOCATION_ID); NULL for all */
        uint64_t since_usec;       /* wall clock; 0: no bound */
        int64_t tail;              /* the last so many first; negative: all; 0: only new ones */
        bool follow;
        const char *const *files;  /* only these, NULL-terminated; NULL: the system journal */
};

struct journal_hooks {
        bool (*entry)(void *arg, const struct journal_entry *e);
        void (*end)(void *arg, int error); /* without follow: 0 at the end. With: only on failure */
        void *arg;
};

/*
 * Nothing is called inside this.  -errno when the journal cannot be opened;
 * -EAGAIN when this host has none yet.  The hooks may free the reader.
 */
int journal_read(struct loop *l, const struct journal_options *o, const struct journal_hooks *hooks,
                 struct journal_reader **ret);
void journal_reader_resume(struct journal_reader *r);
struct journal_reader *journal_reader_free(struct journal_reader *r);
DEFINE_CLEANUP(struct journal_reader, journal_reader_free);
