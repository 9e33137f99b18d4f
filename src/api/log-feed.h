/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ways through the logs of gears, one per client.  All that follow the same gears
 * and are level with the journal share one reader, the feed.  Who does not take
 * what the feed brings leaves it with nothing but a place, reads on from there by
 * himself when he takes again, and comes back when he is level: so nobody waits
 * for another, and what waits for a client is in the journal and not in memory.
 */

#include "core/log-work.h"
#include "daemon.h"
#include "sys/journal.h"

struct log_tap;

struct log_tap_options {
        struct journal_scope scope;
        const char *cursor;
        uint64_t since_usec;
        int64_t tail;
        uint64_t until_usec; /* of those until then; 0: of all */
        bool follow;
        struct log_form *form; /* a reference is taken */
};

struct log_tap_hooks {
        /*
         * It has its place; before anything is written.  cursor: where nothing is there
         * yet, behind this it is as well begun again; "" otherwise.
         */
        void (*begun)(void *arg, const char *cursor);
        bool (*write)(void *arg,
                      const struct log_output *output); /* false: no more until log_tap_resume() */
        void (*end)(void *arg, int error);              /* it came to its end, or cannot go on: free it */
        void *arg;
};

struct log_tap *log_tap_new(struct daemon *d, const struct log_tap_options *o,
                            const struct log_tap_hooks *hooks);
void log_tap_resume(struct log_tap *t);
struct log_tap *log_tap_free(struct log_tap *t);
