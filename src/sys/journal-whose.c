/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/journal-whose.h"

#include "sys/journal-match.h"
#include "util/text.h"

#include <inttypes.h>
#include <stdio.h>

#include <systemd/sd-journal.h>

enum journal_whose journal_whose(const char *created, const struct journal_source *source)
{
        uint64_t usec;

        return parse_u64(created, UINT64_MAX, &usec) && usec == source->created_usec ? JOURNAL_OWN : JOURNAL_FORMERS;
}

static int match_own(sd_journal *j, const struct journal_source *source)
{
        char created[24];
        int r;

        (void) snprintf(created, sizeof created, "%" PRIu64, source->created_usec);
        sd_journal_flush_matches(j);
        r = journal_match_lines(j, source);
        return r < 0 ? r : journal_match(j, LOG_CREATED_FIELD, created);
}

/* Of the line it stands at. */
static enum journal_whose whose_line(sd_journal *j, const struct journal_source *source)
{
        static const size_t name_len = sizeof LOG_CREATED_FIELD; /* and = */
        char created[24] = "";
        const void *data;
        size_t n;

        if (sd_journal_get_data(j, LOG_CREATED_FIELD, &data, &n) < 0 || n < name_len || n - name_len >= sizeof created)
                return JOURNAL_UNKNOWN;
        memcpy(created, (const char *) data + name_len, n - name_len);
        return journal_whose(created, source);
}

static int find_whose_run(sd_journal *j, const struct journal_source *source, const char *run, enum journal_whose *ret)
{
        int r;

        sd_journal_flush_matches(j);
        r = journal_match_lines(j, source);
        if (r >= 0)
                r = journal_match(j, "_SYSTEMD_INVOCATION_ID", run);
        if (r >= 0)
                r = sd_journal_seek_head(j);
        if (r >= 0)
                r = sd_journal_next(j);
        if (r > 0)
                *ret = whose_line(j, source);
        return r;
}

/* A line of the source stands before this moment of this boot: then what comes is the source's. */
static int find_own_before(sd_journal *j, const struct journal_source *source, uint64_t monotonic, sd_id128_t boot,
                           enum journal_whose *ret)
{
        sd_id128_t other;
        uint64_t first;
        int r = match_own(j, source);

        if (r >= 0)
                r = sd_journal_seek_head(j);
        if (r >= 0)
                r = sd_journal_next(j);
        if (r > 0 && sd_journal_get_monotonic_usec(j, &first, &other) >= 0 && sd_id128_equal(boot, other) && first <= monotonic)
                *ret = JOURNAL_OWN;
        return r;
}

enum journal_whose journal_whose_known(const struct journal_last_run *last, const struct journal_source *source, const char *run)
{
        bool same = streq(last->run, run) && last->created_usec == source->created_usec && streq(last->unit, source->unit);

        return same ? last->whose : JOURNAL_UNKNOWN;
}

/* What was not found may come yet, and is looked for again. */
static void note_run(struct journal_last_run *last, const struct journal_source *source, const char *run, enum journal_whose whose)
{
        if (whose == JOURNAL_UNKNOWN)
                return;
        (void) snprintf(last->unit, sizeof last->unit, "%s", source->unit);
        (void) snprintf(last->run, sizeof last->run, "%s", run);
        last->created_usec = source->created_usec;
        last->whose = whose;
}

int journal_whose_mark(sd_journal *j, const struct journal_source *source, const struct log_entry *mark,
                       struct journal_last_run *last, enum journal_whose *ret)
{
        uint64_t monotonic;
        sd_id128_t boot;
        int r = sd_journal_get_monotonic_usec(j, &monotonic, &boot);

        *ret = JOURNAL_UNKNOWN;
        if (r >= 0 && *mark->run)
                r = find_whose_run(j, source, mark->run, ret);
        if (r >= 0)
                note_run(last, source, mark->run, *ret);
        if (r < 0 || *ret != JOURNAL_UNKNOWN || mark->realtime_usec >= source->created_usec)
                return r;
        return find_own_before(j, source, monotonic, boot, ret);
}

/* Was any of its lines written before it was created? 1 or 0. */
static int is_ahead_of_time(sd_journal *j, const struct journal_source *source)
{
        uint64_t written;
        int r = match_own(j, source);

        if (r >= 0)
                r = sd_journal_seek_realtime_usec(j, source->created_usec);
        if (r >= 0)
                r = sd_journal_previous(j);
        if (r <= 0)
                return r;
        return sd_journal_get_realtime_usec(j, &written) < 0 || written < source->created_usec;
}

int journal_whose_oldest(sd_journal *j, const struct journal_scope *scope, uint64_t *ret_usec)
{
        uint64_t oldest = UINT64_MAX;

        for (size_t i = 0; oldest > 0 && i < scope->n_sources; i++) {
                const struct journal_source *source = &scope->sources[i];
                int r = source->created_usec ? is_ahead_of_time(j, source) : 1;

                if (r < 0)
                        return r;
                if (r > 0)
                        oldest = 0;
                else if (source->created_usec < oldest)
                        oldest = source->created_usec;
        }
        *ret_usec = oldest;
        return 0;
}
