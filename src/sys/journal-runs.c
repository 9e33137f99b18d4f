/* SPDX-License-Identifier: Apache-2.0 */

/* What the journal has of a run: two questions, the second from the place that the first one found. */

#include "sys/journal-runs.h"

#include "sys/journal-match.h"
#include "sys/mapped.h"

#include <stdio.h>

#include <systemd/sd-journal.h>
#include <systemd/sd-messages.h>

static inline void journal_closep(sd_journal **j)
{
        sd_journal_close(*j);
}

/* Ours alone, or anybody on the host could say that a run was asked for later than it was. */
static int match_asked(sd_journal *j, const struct journal_run *run)
{
        char uid[24];
        int r = journal_match(j, "MESSAGE_ID", JOURNAL_RUN_MESSAGE_ID);

        (void) snprintf(uid, sizeof uid, "%u", (unsigned) geteuid());
        if (r == 0)
                r = journal_match(j, "_UID", uid);
        if (r == 0)
                r = journal_match(j, "GEAR_ID", run->gear);
        if (r == 0)
                r = journal_match(j, JOURNAL_RUN_FIELD_REQUEST, run->request);
        if (r == 0)
                r = journal_match(j, JOURNAL_RUN_FIELD_PRINCIPAL, run->principal);
        return r;
}

/* systemd's own: that the unit came to a good end by itself, and that a stop of it is done. */
static int match_ends(sd_journal *j, const struct journal_run *run)
{
        char unit[UNIT_NAME_MAX];
        int r = journal_match(j, "_PID", "1");

        gear_unit_name(run->gear, unit);
        if (r == 0)
                r = journal_match(j, "UNIT", unit);
        if (r == 0)
                r = journal_match(j, "MESSAGE_ID", SD_MESSAGE_UNIT_SUCCESS_STR);
        if (r == 0)
                r = journal_match(j, "MESSAGE_ID", SD_MESSAGE_UNIT_STOPPED_STR);
        return r;
}

/* 1, with the cursor of the last time; 0: it was never asked for. */
static int find_asked(sd_journal *j, const struct journal_run *run, char **ret_cursor)
{
        int r = match_asked(j, run);

        if (r == 0)
                r = sd_journal_seek_tail(j);
        if (r >= 0)
                r = sd_journal_previous(j);
        if (r <= 0)
                return r;
        r = sd_journal_get_cursor(j, ret_cursor);
        return r < 0 ? r : 1;
}

static bool is_success(sd_journal *j)
{
        static const char success[] = "MESSAGE_ID=" SD_MESSAGE_UNIT_SUCCESS_STR;
        const void *data;
        size_t n;

        return sd_journal_get_data(j, "MESSAGE_ID", &data, &n) == 0 && n == sizeof success - 1 &&
               memcmp(data, success, n) == 0;
}

static int ended_well(const char *const *files, const struct journal_run *run, bool *ret)
{
        _cleanup_(journal_closep) sd_journal *j = NULL;
        _cleanup_free_ char *cursor = NULL;
        int r;

        *ret = false;
        r = files ? sd_journal_open_files(&j, (const char **) (uintptr_t) files, 0)
                  : sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r >= 0)
                r = find_asked(j, run, &cursor);
        if (r > 0) {
                sd_journal_flush_matches(j);
                r = match_ends(j, run);
                if (r == 0)
                        r = sd_journal_seek_cursor(j, cursor);
                while (r >= 0 && (r = sd_journal_next(j)) > 0)
                        *ret = is_success(j);
        }
        return r < 0 ? r : 0;
}

int journal_run_ended_well(const char *const *files, const struct journal_run *run, bool *ret)
{
        bool well;
        int r, missing;

        mapped_begin();
        r = ended_well(files, run, &well);
        missing = mapped_end();
        if (r < 0 || missing < 0)
                return r < 0 ? r : missing;
        *ret = well;
        return 0;
}
