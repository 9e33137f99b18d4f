/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The two directories in which this host has its journal, on disk and in memory.
 * libsystemd watches those that are there when it opens them; one that is made
 * later, or takes another's place, it never sees.
 */

#include "util/base.h"

#include <sys/types.h>

struct journal_roots {
        struct {
                dev_t device;
                ino_t inode; /* 0: not there */
        } at[2];
};

void journal_roots_look(struct journal_roots *ret);
bool journal_roots_same(const struct journal_roots *a, const struct journal_roots *b);

/* Why no file of them is open: -EACCES, or -EAGAIN where there is none yet. */
int journal_roots_missing(void);
