/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The heads of an audit trail out of a journal that was written by
 * systemd-journal-remote (Debian package systemd-journal-remote): all that
 * geard noted, and nothing that anybody else claims.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sys/journal-heads.h"

#include <inttypes.h>

#define WRITER "/lib/systemd/systemd-journal-remote"
#define EPOCH UINT64_C(1700000000000000)
#define SECOND UINT64_C(1000000)
#define TRAIL "00112233445566778899aabbccddeeff"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GEARD "_SYSTEMD_UNIT=geard.service\nMESSAGE_ID=" AUDIT_MESSAGE_ID "\n"
#define HEADS_MAX 8

struct bench {
        char dir[64], path[80];
        const char *files[2];
        struct audit_witness heads[HEADS_MAX];
        size_t n;
        bool refuse;
};

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);

        if (access(WRITER, X_OK) < 0)
                fail_msg("%s is needed: install the package systemd-journal-remote", WRITER);
        *b = (struct bench){ .dir = "/tmp/test-journal-XXXXXX" };
        assert_non_null(mkdtemp(b->dir));
        (void) snprintf(b->path, sizeof b->path, "%s/a.journal", b->dir);
        b->files[0] = b->path;
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        (void) unlink(b->path);
        (void) rmdir(b->dir);
        free(b);
        return 0;
}

/* Entries as lines of the export format, a second apart. */
static void write_journal(struct bench *b, const char *const *entries, size_t n)
{
        char command[160];
        FILE *writer;

        (void) snprintf(command, sizeof command, WRITER " -o %s - >/dev/null 2>&1", b->path);
        writer = popen(command, "we");
        assert_non_null(writer);
        for (size_t i = 0; i < n; i++)
                (void) fprintf(writer,
                               "__REALTIME_TIMESTAMP=%" PRIu64 "\n__MONOTONIC_TIMESTAMP=%" PRIu64
                               "\n_BOOT_ID=6f4a30fbcee744c1a3e6ea4a1d4f7b02\n%sMESSAGE=said\n\n",
                               EPOCH + i * SECOND, i * SECOND + 1, entries[i]);
        assert_int_equal(pclose(writer), 0);
}

static int on_head(void *arg, const struct audit_witness *witness)
{
        struct bench *b = arg;

        if (b->refuse)
                return -ENOMEM;
        assert_in_range(b->n, 0, HEADS_MAX - 1);
        b->heads[b->n++] = *witness;
        return 0;
}

static int read_heads(struct bench *b, uint64_t since_usec, struct fault *f)
{
        b->n = 0;
        return journal_heads(b->files, since_usec, on_head, b, f);
}

static const char *const entries[] = {
        GEARD "GEARD_AUDIT_TRAIL=" TRAIL "\nGEARD_AUDIT_NUMBER=1\nGEARD_AUDIT_HASH=" HASH "\n",
        /* what anybody may send, by another unit and by none */
        "_SYSTEMD_UNIT=gear-1.service\nMESSAGE_ID=" AUDIT_MESSAGE_ID "\nGEARD_AUDIT_TRAIL=" TRAIL
        "\nGEARD_AUDIT_NUMBER=2\nGEARD_AUDIT_HASH=" HASH "\n",
        "UNIT=geard.service\nMESSAGE_ID=" AUDIT_MESSAGE_ID "\nGEARD_AUDIT_TRAIL=" TRAIL
        "\nGEARD_AUDIT_NUMBER=3\nGEARD_AUDIT_HASH=" HASH "\n",
        /* geard's, and no head */
        "_SYSTEMD_UNIT=geard.service\nGEARD_AUDIT_TRAIL=" TRAIL
        "\nGEARD_AUDIT_NUMBER=4\nGEARD_AUDIT_HASH=" HASH "\n",
        GEARD "GEARD_AUDIT_TRAIL=" TRAIL "\nGEARD_AUDIT_NUMBER=5\n",
        GEARD "GEARD_AUDIT_TRAIL=" TRAIL "\nGEARD_AUDIT_NUMBER=-6\nGEARD_AUDIT_HASH=" HASH "\n",
        GEARD "GEARD_AUDIT_TRAIL=" TRAIL "0\nGEARD_AUDIT_NUMBER=7\nGEARD_AUDIT_HASH=" HASH "\n",
        GEARD "GEARD_AUDIT_TRAIL=" TRAIL "\nGEARD_AUDIT_NUMBER=8\nGEARD_AUDIT_HASH=" HASH
              "\n" AUDIT_FIELD_REPEATED "=yes\n",
};

static void only_what_geard_noted_is_a_head(void **state)
{
        struct bench *b = *state;
        struct fault f = { 0 };

        write_journal(b, entries, ARRAY_SIZE(entries));
        assert_int_equal(read_heads(b, 0, &f), 0);
        assert_int_equal(b->n, 2);
        assert_string_equal(b->heads[0].trail, TRAIL);
        assert_string_equal(b->heads[0].hash, HASH);
        assert_int_equal(b->heads[0].number, 1);
        assert_int_equal(b->heads[0].at_usec, EPOCH);
        assert_false(b->heads[0].repeated);
        assert_int_equal(b->heads[1].number, 8);
        assert_true(b->heads[1].repeated);
}

static void what_was_noted_before_is_passed_over(void **state)
{
        struct bench *b = *state;
        struct fault f = { 0 };

        write_journal(b, entries, ARRAY_SIZE(entries));
        assert_int_equal(read_heads(b, EPOCH + 1, &f), 0);
        assert_int_equal(b->n, 1);
        assert_int_equal(b->heads[0].number, 8);
        assert_int_equal(read_heads(b, EPOCH + 100 * SECOND, &f), 0);
        assert_int_equal(b->n, 0);
}

static void what_cannot_be_read_is_said(void **state)
{
        struct bench *b = *state;
        struct fault f = { 0 };

        assert_true(read_heads(b, 0, &f) < 0);
        assert_non_null(strstr(f.text, "journal"));
        write_journal(b, entries, ARRAY_SIZE(entries));
        b->refuse = true;
        assert_int_equal(read_heads(b, 0, &f), -ENOMEM);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(only_what_geard_noted_is_a_head, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_was_noted_before_is_passed_over, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_cannot_be_read_is_said, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("journal-heads", tests, NULL, NULL);
}
