/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What sys/journal and its slices share. */

#include "sys/journal.h"
#include "sys/worker.h"

#include <sys/queue.h>

struct journal_lane {
        struct worker *worker; /* NULL: nobody was read here yet */
        struct journal_handle *handle;
        struct text joined; /* the line that is being put together from its parts */
        struct text exported;
        unsigned n_readers;
};

/* Behind an entry, or before it; without one, at the beginning. */
struct journal_place {
        char cursor[LOG_CURSOR_MAX];
        bool before;
};

bool journal_place_same(const struct journal_place *a, const struct journal_place *b);

struct journal_reader {
        LIST_ENTRY(journal_reader) link;
        struct journal *journal;
        struct journal_lane *lane;
        struct journal_scope scope;
        struct journal_source *sources; /* the scope's, with their names behind them */
        struct journal_hooks hooks;
        bool follow, cursors, export;

        /* The thread's while in_thread, the loop's otherwise. */
        struct journal_place place;
        uint64_t since_usec;
        int64_t back;        /* while walking: so many are still to be gone back … */
        uint64_t from_usec;  /* … from there; 0: from the end */
        bool walking; /* its place is not found yet */
        bool begun;
        char newest[LOG_CURSOR_MAX]; /* when it began, of the whole journal */
        uint64_t level_usec;         /* it had come to the end of the journal then; 0: it has gone on since */
        struct journal_place until;
        bool has_until;
        struct journal_batch batch;
        void *work;

        /* The loop's. */
        enum journal_wait wait;
        bool busy;      /* asked for a batch that it has not given yet */
        bool in_thread; /* a slice of it waits or runs */
        bool parked;    /* waits for the bell */
        bool rung;      /* the bell rang for it since its slice was asked for */
        bool freed;
};

/* In the lane's thread: reads on for a while, and leaves word of it in r->batch. */
void journal_slice(struct journal_reader *r);
