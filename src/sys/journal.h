/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Readers of the journal.  A reader is a place in the entries of some units and
 * nothing else; what it reads on from there is read, and turned into whatever
 * its owner needs, in one of a few threads, so that neither a cold disk nor a
 * million lines hold the loop.  It reads a batch when it is asked to, never ahead.
 */

#include "core/log-entry.h"
#include "sys/journal-handle.h"
#include "sys/loop.h"

struct journal;
struct journal_reader;

/* files as in journal_handle_new(). Threads begin with the first reader. */
struct journal *journal_new(struct loop *l, const char *const *files);
struct journal *journal_free(struct journal *j); /* after all of its readers */
DEFINE_CLEANUP(struct journal, journal_free);

struct journal_options {
        struct journal_scope scope; /* copied */
        const char *cursor;         /* begin behind this entry … */
        uint64_t since_usec;        /* … or with what was written then or later; 0: no bound */
        int64_t tail;               /* and with the last so many; negative: all. Not with cursor */
        uint64_t until_usec;        /* … of those until then; 0: of all */
        bool follow;                /* a line that has no end yet may still get one */
        bool cursors;               /* entries come with their cursor */
        bool export;                /* … and in the export format */
};

struct journal_batch {
        int error;        /* -errno: it can be read no further */
        unsigned entries; /* handed to the hook */
        bool level;       /* the journal has no more for now */
        bool met;         /* it came to the place of the other reader */
};

/*
 * keep, entry and finish run in a thread and may look at nothing but `work', which is
 * theirs from journal_reader_read() on until it comes back by done or drop.
 */
struct journal_hooks {
        bool (*keep)(const void *work, const struct log_entry *e); /* does `tail' count it? NULL: yes */
        bool (*entry)(void *work, const struct log_entry *e);      /* false: enough, this one included */
        void (*finish)(void *work); /* the last entry of a batch with any was handed over. NULL: nothing is
                                       left to do */
        void (*done)(void *arg, void *work, const struct journal_batch *batch);
        void (*drop)(void *work); /* on the loop, in place of done: the reader was freed meanwhile */
        void *arg;
};

struct journal_reader *journal_reader_new(struct journal *j, const struct journal_options *o,
                                          const struct journal_hooks *hooks);
/* Another one at the same place, which looks at the same; the first must not be reading. */
struct journal_reader *journal_reader_copy(const struct journal_reader *r,
                                           const struct journal_hooks *hooks);
struct journal_reader *journal_reader_free(struct journal_reader *r);
DEFINE_CLEANUP(struct journal_reader, journal_reader_free);

enum journal_wait {
        JOURNAL_NOW,  /* what there is, if only nothing */
        JOURNAL_NEWS, /* at least one entry, whenever it comes; the reader follows */
};

/*
 * The next batch; not again before it is done.  until: not beyond the place of
 * this other reader of the same scope, which stays where it is meanwhile; NULL: any.
 * Nothing is called inside this.  -ENOMEM, and `work' is still the caller's.
 */
int journal_reader_read(struct journal_reader *r, void *work, enum journal_wait wait,
                        const struct journal_reader *until);

/* It is not to wait for news any longer: what there is, if only nothing, comes soon. */
void journal_reader_hurry(struct journal_reader *r);

bool journal_reader_looks_at_same(const struct journal_reader *r, const struct journal_reader *other);

/* Would both go on with the very same entry?  Neither may be reading. */
bool journal_reader_is_at(const struct journal_reader *r, const struct journal_reader *other);

/*
 * The last entry of the whole journal when it began without a cursor, for one that follows.
 * As long as nothing was found, it is as well begun behind this.  "": there was none.
 */
const char *journal_reader_newest(const struct journal_reader *r);
/* Behind which entry it is; "" at the beginning. */
const char *journal_reader_cursor(const struct journal_reader *r);
