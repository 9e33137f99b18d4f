/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/journal-match.h"

#include <stdio.h>

#include <systemd/sd-journal.h>

#define MATCH_MAX 512

int journal_match(sd_journal *j, const char *name, const char *value)
{
        char match[MATCH_MAX];
        int n;

        if (!value)
                return 0;
        n = snprintf(match, sizeof match, "%s=%s", name, value);
        if (n < 0 || (size_t) n >= sizeof match)
                return -ENAMETOOLONG;
        return sd_journal_add_match(j, match, (size_t) n);
}

int journal_match_lines(sd_journal *j, const struct journal_source *source)
{
        return source->service ? journal_match(j, LOG_SERVICE_FIELD, source->service)
                               : journal_match(j, "_SYSTEMD_UNIT", source->unit);
}

static int match_marks_of_unit(sd_journal *j, const char *unit)
{
        int r = sd_journal_add_disjunction(j);

        if (r >= 0)
                r = journal_match(j, "UNIT", unit);
        if (r >= 0)
                r = sd_journal_add_disjunction(j);
        if (r >= 0)
                r = journal_match(j, "OBJECT_SYSTEMD_UNIT", unit);
        return r;
}

/*
 * Which instances a service has had, and will have, nobody can tell: the marks of
 * all units are found.  They are a few per run, lines are what there is much of.
 */
static int match_marks_of_all(sd_journal *j)
{
        int r = sd_journal_add_disjunction(j);

        for (size_t i = 0; r >= 0 && journal_mark_id(i); i++)
                r = journal_match(j, "MESSAGE_ID", journal_mark_id(i));
        return r;
}

static int match_source(sd_journal *j, const struct journal_scope *scope, const struct journal_source *source)
{
        int r = sd_journal_add_disjunction(j);

        if (r >= 0)
                r = journal_match_lines(j, source);
        if (r >= 0)
                r = journal_match(j, "_SYSTEMD_INVOCATION_ID", scope->invocation);
        if (r < 0 || !scope->marks)
                return r;
        return source->service ? match_marks_of_all(j) : match_marks_of_unit(j, source->unit);
}

int journal_match_scope(sd_journal *j, const struct journal_scope *scope)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < scope->n_sources; i++)
                r = match_source(j, scope, &scope->sources[i]);
        return r;
}
