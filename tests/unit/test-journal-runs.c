/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How a run ended, out of a journal that was written by systemd-journal-remote
 * (Debian package systemd-journal-remote): by what systemd said after the run
 * was asked for, in that order, and by nobody else's word.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sys/journal-runs.h"

#include <inttypes.h>
#include <systemd/sd-messages.h>

#define WRITER "/lib/systemd/systemd-journal-remote"
#define EPOCH UINT64_C(1700000000000000)
#define HOUR UINT64_C(3600000000)
#define ENTRIES_MAX 8

#define OF_GEAR(gear, request, principal)                                                             \
        "MESSAGE_ID=" JOURNAL_RUN_MESSAGE_ID "\nGEAR_ID=" gear "\n" JOURNAL_RUN_FIELD_REQUEST "=" request \
        "\n" JOURNAL_RUN_FIELD_PRINCIPAL "=" principal "\n"
#define ASKED "us", OF_GEAR("1", "a1", "alice")
#define SUCCESS "1", "MESSAGE_ID=" SD_MESSAGE_UNIT_SUCCESS_STR "\nUNIT=gear-1.service\n"
#define STOPPED "1", "MESSAGE_ID=" SD_MESSAGE_UNIT_STOPPED_STR "\nUNIT=gear-1.service\n"
#define STARTED "1", "MESSAGE_ID=" SD_MESSAGE_UNIT_STARTED_STR "\nUNIT=gear-1.service\n"

struct entry {
        const char *who; /* "us", another uid, or "1": PID 1 */
        const char *fields;
};

static const struct row {
        const char *name;
        bool expected;
        struct entry entries[ENTRIES_MAX];
} rows[] = {
        { "nothing", false, { { STARTED } } },
        { "asked for, no more", false, { { ASKED } } },
        { "under way", false, { { ASKED }, { STARTED } } },
        { "ended", true, { { ASKED }, { STARTED }, { SUCCESS } } },
        { "the one before ended", false, { { STARTED }, { SUCCESS }, { ASKED } } },
        { "the one before ended, and so did this", true, { { SUCCESS }, { ASKED }, { STARTED }, { SUCCESS } } },
        { "stopped", false, { { ASKED }, { STARTED }, { SUCCESS }, { STOPPED } } },
        { "stopped, and started by somebody", true, { { ASKED }, { SUCCESS }, { STOPPED }, { STARTED }, { SUCCESS } } },
        { "asked for twice", false, { { ASKED }, { SUCCESS }, { ASKED } } },
        { "another gear", false, { { ASKED }, { "1", "MESSAGE_ID=" SD_MESSAGE_UNIT_SUCCESS_STR "\nUNIT=gear-2.service\n" } } },
        { "for another gear", false, { { "us", OF_GEAR("2", "a1", "alice") }, { SUCCESS } } },
        { "another request", false, { { "us", OF_GEAR("1", "a2", "alice") }, { SUCCESS } } },
        { "another principal's", false, { { "us", OF_GEAR("1", "a1", "bob") }, { SUCCESS } } },
        { "somebody says it ended", false,
          { { ASKED }, { "us", "MESSAGE_ID=" SD_MESSAGE_UNIT_SUCCESS_STR "\nUNIT=gear-1.service\n" } } },
        { "somebody says it was asked for", true, { { ASKED }, { SUCCESS }, { "12345", OF_GEAR("1", "a1", "alice") } } },
};

static void write_entry(FILE *writer, const struct entry *e, size_t i)
{
        bool is_systemd = streq(e->who, "1");
        char uid[24];

        (void) snprintf(uid, sizeof uid, "%u", (unsigned) geteuid());
        /* The clock goes backwards. */
        (void) fprintf(writer,
                       "__REALTIME_TIMESTAMP=%" PRIu64 "\n__MONOTONIC_TIMESTAMP=%zu\n"
                       "_BOOT_ID=6f4a30fbcee744c1a3e6ea4a1d4f7b02\n_PID=%d\n_UID=%s\n%sMESSAGE=said\n\n",
                       EPOCH - i * HOUR, i + 1, is_systemd ? 1 : 4711,
                       is_systemd ? "0" : streq(e->who, "us") ? uid : e->who, e->fields);
}

static void write_journal(const char *path, const struct row *row)
{
        char command[160];
        FILE *writer;

        (void) snprintf(command, sizeof command, WRITER " -o %s - >/dev/null 2>&1", path);
        writer = popen(command, "we");
        assert_non_null(writer);
        for (size_t i = 0; i < ENTRIES_MAX && row->entries[i].who; i++)
                write_entry(writer, &row->entries[i], i);
        assert_int_equal(pclose(writer), 0);
}

static void the_journal_tells_how_a_run_ended(void **state _unused_)
{
        static const struct journal_run run = { .gear = "1", .request = "a1", .principal = "alice" };
        char dir[] = "/tmp/test-journal-XXXXXX", path[80];
        const char *files[] = { path, NULL };

        if (access(WRITER, X_OK) < 0)
                fail_msg("%s is needed: install the package systemd-journal-remote", WRITER);
        assert_non_null(mkdtemp(dir));
        (void) snprintf(path, sizeof path, "%s/a.journal", dir);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                bool ended = !rows[i].expected;

                write_journal(path, &rows[i]);
                assert_int_equal(journal_run_ended_well(files, &run, &ended), 0);
                if (ended != rows[i].expected)
                        fail_msg("%s: %s", rows[i].name, ended ? "ended well" : "did not end well");
                assert_int_equal(unlink(path), 0);
        }
        assert_int_equal(rmdir(dir), 0);
}

static void a_journal_that_cannot_be_read_is_an_error(void **state _unused_)
{
        static const struct journal_run run = { .gear = "1", .request = "a1", .principal = "alice" };
        const char *files[] = { "/nonexistent/a.journal", NULL };
        bool ended;

        assert_true(journal_run_ended_well(files, &run, &ended) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_journal_tells_how_a_run_ended),
                cmocka_unit_test(a_journal_that_cannot_be_read_is_an_error),
        };

        return cmocka_run_group_tests_name("journal-runs", tests, NULL, NULL);
}
