/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tells whose entries are new, so that a reader which came to its end need not
 * look again for every line of everybody.  journald wakes its readers only every
 * quarter of a second; who looks at the head of its files sees a line at once.
 */

#include "util/base.h"

#define JOURNAL_NEWS_MAX 64

struct journal_news {
        char units[JOURNAL_NEWS_MAX][128];
        size_t n;
        bool all; /* more than fit, or who can tell: everybody's */
};

struct journal_bell;

/* files as in journal_handle_new(). */
struct journal_bell *journal_bell_new(const char *const *files);
struct journal_bell *journal_bell_free(struct journal_bell *b);
DEFINE_CLEANUP(struct journal_bell, journal_bell_free);

/*
 * In a thread of its own: waits until something is new, for so long at most, and
 * tells of what.  The first call begins with what comes from then on.
 */
int journal_bell_wait(struct journal_bell *b, uint64_t usec, struct journal_news *ret);

/* Any thread: a wait under way ends now. */
void journal_bell_hush(struct journal_bell *b);
