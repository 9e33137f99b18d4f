/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What libsystemd is to look for.  It finds no less than is wanted, and what only
 * claims to be of a unit as well: that is told apart when it is read, see journal-scope.h.
 *
 * All below answer -errno on failure.
 */

#include "sys/journal-scope.h"

struct sd_journal;

/* NAME=value; NULL: none. */
int journal_match(struct sd_journal *j, const char *name, const char *value);
/* Lines of the source. */
int journal_match_lines(struct sd_journal *j, const struct journal_source *source);
/* All that the scope is made of. */
int journal_match_scope(struct sd_journal *j, const struct journal_scope *scope);
