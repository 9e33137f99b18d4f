/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Of those that had one name, one after the other: which of them an entry is of.  Lines
 * say when that one was created (LOG_CREATED_FIELD); what systemd and journald say of
 * its unit does not, and the clock may have been set back meanwhile.
 *
 * All below answer -errno on failure, and leave other matches and another place.
 */

#include "core/ident.h"
#include "sys/journal-scope.h"

struct sd_journal;

enum journal_whose { JOURNAL_UNKNOWN, JOURNAL_FORMERS, JOURNAL_OWN };

/* What the field of a line says. */
enum journal_whose journal_whose(const char *created, const struct journal_source *source);

/* The last run of which its lines told; a gear that ends again and again has several marks of each. */
struct journal_last_run {
        char unit[SERVICE_UNIT_NAME_MAX], run[LOG_ID_LEN + 1];
        uint64_t created_usec; /* of the source that was asked about */
        enum journal_whose whose;
};

enum journal_whose journal_whose_known(const struct journal_last_run *last, const struct journal_source *source, const char *run);

/* Of the mark it stands at: by what the lines of its run say, which is then the last, or those before it. */
int journal_whose_mark(struct sd_journal *j, const struct journal_source *source, const struct log_entry *mark,
                       struct journal_last_run *last, enum journal_whose *ret);

/* No entry of the sources was written before this; 0: that cannot be told by the time. */
int journal_whose_oldest(struct sd_journal *j, const struct journal_scope *scope, uint64_t *ret_usec);
