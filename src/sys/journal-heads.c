/* SPDX-License-Identifier: Apache-2.0 */

/* What the journal has of the audit trail. */

#include "sys/journal-heads.h"

#include "sys/mapped.h"

#include <stdio.h>

#include <systemd/sd-journal.h>

#define UNIT_MATCH "_SYSTEMD_UNIT=geard.service"

static inline void journal_closep(sd_journal **j)
{
        sd_journal_close(*j);
}

/* False for a field that is not there, or longer than any of ours. */
static bool read_field(sd_journal *j, const char *name, char *ret, size_t size)
{
        size_t n, skip = strlen(name) + 1;
        const void *data;

        if (sd_journal_get_data(j, name, &data, &n) < 0 || n < skip || n - skip >= size)
                return false;
        memcpy(ret, (const char *) data + skip, n - skip);
        ret[n - skip] = '\0';
        return true;
}

static bool read_head(sd_journal *j, struct audit_witness *ret)
{
        char number[24], repeated[4];

        ret->repeated = read_field(j, AUDIT_FIELD_REPEATED, repeated, sizeof repeated);
        return read_field(j, AUDIT_FIELD_TRAIL, ret->trail, sizeof ret->trail) &&
               read_field(j, AUDIT_FIELD_NUMBER, number, sizeof number) &&
               parse_u64(number, AUDIT_NUMBER_MAX, &ret->number) &&
               read_field(j, AUDIT_FIELD_HASH, ret->hash, sizeof ret->hash) &&
               sd_journal_get_realtime_usec(j, &ret->at_usec) >= 0;
}

static int open_journal(const char *const *files, sd_journal **ret, struct fault *f)
{
        int r = files ? sd_journal_open_files(ret, (const char **) files, 0)
                      : sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

        return r < 0 ? fault_errno(f, r, "cannot open the journal") : 0;
}

static int read_heads(const char *const *files, uint64_t since_usec,
                      int (*head)(void *arg, const struct audit_witness *witness), void *arg, struct fault *f)
{
        _cleanup_(journal_closep) sd_journal *j = NULL;
        int r = open_journal(files, &j, f);

        if (r < 0)
                return r;
        r = sd_journal_add_match(j, "MESSAGE_ID=" AUDIT_MESSAGE_ID, 0);
        if (r >= 0)
                r = sd_journal_add_match(j, UNIT_MATCH, 0);
        if (r >= 0)
                r = since_usec ? sd_journal_seek_realtime_usec(j, since_usec) : sd_journal_seek_head(j);
        while (r >= 0 && (r = sd_journal_next(j)) > 0) {
                struct audit_witness witness = { 0 };
                int taken = read_head(j, &witness) ? head(arg, &witness) : 0;

                if (taken < 0)
                        return fault_oom(f);
        }
        return r < 0 ? fault_errno(f, r, "cannot read the journal") : 0;
}

int journal_heads(const char *const *files, uint64_t since_usec,
                  int (*head)(void *arg, const struct audit_witness *witness), void *arg, struct fault *f)
{
        int r, missing;

        mapped_begin();
        r = read_heads(files, since_usec, head, arg, f);
        missing = mapped_end();
        return r == 0 && missing < 0 ? fault_errno(f, missing, "cannot read the journal") : r;
}
