/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The journal reader on journals written by systemd-journal-remote (Debian
 * package systemd-journal-remote), which is left running where a follower needs
 * something to follow.
 */

#include "run-loop.h"
#include "sys/journal.h"
#include "util/text.h"

#include <endian.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <systemd/sd-journal.h>

#define WRITER "/lib/systemd/systemd-journal-remote"
#define EPOCH UINT64_C(1700000000000000)
#define RUN_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define RUN_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct bench {
        struct loop *loop;
        char dir[64], path[80];
        const char *files[2];
        FILE *writer;
        uint64_t written;
        struct journal_reader *reader;
        struct text said;
        struct journal_entry last;
        unsigned entries, ends, turns, in_turn, in_turn_max;
        unsigned pause_after, free_after, stop_after;
        int error;
};

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);
        _cleanup_text_ struct text command = { 0 };

        if (access(WRITER, X_OK) < 0)
                fail_msg("%s is needed: install the package systemd-journal-remote", WRITER);
        *b = (struct bench){ .loop = loop_new(), .dir = "/tmp/test-journal-XXXXXX" };
        assert_non_null(mkdtemp(b->dir));
        (void) snprintf(b->path, sizeof b->path, "%s/a.journal", b->dir);
        b->files[0] = b->path;
        text_addf(&command, WRITER " -o %s - >/dev/null 2>&1", b->path);
        b->writer = popen(command.data, "we");
        assert_non_null(b->writer);
        *state = b;
        return 0;
}

static void finish_writing(struct bench *b)
{
        if (b->writer)
                assert_int_equal(pclose(b->writer), 0);
        b->writer = NULL;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        (void) journal_reader_free(b->reader);
        finish_writing(b);
        (void) unlink(b->path);
        (void) rmdir(b->dir);
        (void) loop_free(b->loop);
        text_reset(&b->said);
        free(b);
        return 0;
}

static void run(struct bench *b)
{
        run_loop(b->loop, "no entry");
}

static void run_for(struct bench *b, uint64_t usec)
{
        run_loop_for(b->loop, usec, "no entry");
}

static void run_until(struct bench *b, unsigned entries)
{
        b->stop_after = entries;
        run(b);
        assert_int_equal(b->entries, entries);
}

/* One entry, a second after the last; `fields` are lines of the export format. */
static void record(struct bench *b, const char *fields)
{
        b->written++;
        (void) fprintf(b->writer,
                       "__REALTIME_TIMESTAMP=%" PRIu64 "\n__MONOTONIC_TIMESTAMP=%" PRIu64
                       "\n_BOOT_ID=6f4a30fbcee744c1a3e6ea4a1d4f7b02\n%s\n",
                       EPOCH + b->written * USEC_PER_SEC, b->written * USEC_PER_SEC, fields);
        (void) fflush(b->writer);
}

static void say(struct bench *b, const char *message)
{
        _cleanup_text_ struct text fields = { 0 };

        text_addf(&fields,
                  "_SYSTEMD_UNIT=gear-1.service\nSYSLOG_IDENTIFIER=gear-1\nPRIORITY=4\nMESSAGE=%s\n",
                  message);
        record(b, fields.data);
}

static uint64_t entries_there(const struct bench *b)
{
        sd_journal *journal;
        uint64_t n = 0;

        if (sd_journal_open_files(&journal, (const char **) (uintptr_t) b->files, 0) < 0)
                return 0;
        SD_JOURNAL_FOREACH(journal)
                n++;
        sd_journal_close(journal);
        return n;
}

/* Until the writer, a program of its own, has put down all that was recorded. */
static void wait_for_journal(const struct bench *b)
{
        const uint64_t until = now_usec() + 30 * USEC_PER_SEC;

        while (entries_there(b) < b->written && now_usec() < until)
                (void) usleep(10 * 1000);
        assert_int_equal(entries_there(b), b->written);
}

static bool on_entry(void *arg, const struct journal_entry *e)
{
        struct bench *b = arg;

        assert_true(strlen(e->cursor) > 0);
        text_addn(&b->said, e->message, e->message_len < 20 ? e->message_len : 20);
        text_addc(&b->said, ' ');
        b->last = *e;
        b->entries++;
        if (++b->in_turn > b->in_turn_max)
                b->in_turn_max = b->in_turn;
        if (b->entries == b->free_after)
                b->reader = journal_reader_free(b->reader);
        if (b->entries == b->stop_after)
                loop_stop(b->loop);
        return b->pause_after == 0 || b->entries % b->pause_after != 0;
}

static void on_end(void *arg, int error)
{
        struct bench *b = arg;

        b->error = error;
        b->ends++;
        loop_stop(b->loop);
}

static void begin(struct bench *b, const struct journal_options *more)
{
        const struct journal_hooks hooks = { .entry = on_entry, .end = on_end, .arg = b };
        struct journal_options options = *more;

        options.unit = options.unit ? options.unit : "gear-1.service";
        options.files = b->files;
        b->reader = journal_reader_free(b->reader);
        b->entries = b->ends = 0;
        text_truncate(&b->said, 0);
        assert_int_equal(journal_read(b->loop, &options, &hooks, &b->reader), 0);
        assert_int_equal(b->entries + b->ends, 0);
}

static const char *said(struct bench *b)
{
        return b->said.len ? b->said.data : "";
}

/* --- what is found -------------------------------------------------------- */

static void write_mixed(struct bench *b)
{
        for (int i = 0; i < 5; i++) {
                _cleanup_text_ struct text fields = { 0 };

                text_addf(&fields,
                          "_SYSTEMD_UNIT=gear-1.service\nSYSLOG_IDENTIFIER=gear-1\n"
                          "_SYSTEMD_INVOCATION_ID=%s\nMESSAGE=m%d\n",
                          i < 3 ? RUN_A : RUN_B, i);
                record(b, fields.data);
                record(b, "_SYSTEMD_UNIT=gear-2.service\nMESSAGE=foreign\n");
                record(b, "UNIT=gear-1.service\nSYSLOG_IDENTIFIER=gear-1\nMESSAGE=forged\n");
        }
        record(b, "_SYSTEMD_UNIT=gear-1.service\nSYSLOG_IDENTIFIER=helper\nMESSAGE=h\n");
        finish_writing(b);
}

static void places_and_matches(void **state)
{
        static const struct {
                struct journal_options options;
                const char *said;
        } rows[] = {
                { { .tail = -1 }, "m0 m1 m2 m3 m4 h " },
                { { .tail = 100 }, "m0 m1 m2 m3 m4 h " },
                { { .tail = 6 }, "m0 m1 m2 m3 m4 h " },
                { { .tail = 2 }, "m4 h " },
                { { .tail = 1 }, "h " },
                { { .tail = 0 }, "" },
                { { .tail = 2, .identifier = "gear-1" }, "m3 m4 " },
                { { .tail = -1, .identifier = "gear" }, "" },
                { { .tail = -1, .invocation = RUN_B }, "m3 m4 " },
                { { .tail = 2, .invocation = RUN_A, .identifier = "gear-1" }, "m1 m2 " },
                { { .tail = -1, .since_usec = EPOCH + 7 * USEC_PER_SEC }, "m2 m3 m4 h " },
                { { .tail = -1, .since_usec = EPOCH + 7 * USEC_PER_SEC + 1 }, "m3 m4 h " },
                { { .tail = 2, .since_usec = EPOCH + 7 * USEC_PER_SEC }, "m4 h " },
                { { .tail = 100, .since_usec = EPOCH + 7 * USEC_PER_SEC }, "m2 m3 m4 h " },
                { { .tail = 3, .since_usec = EPOCH + 99 * USEC_PER_SEC }, "" },
                { { .tail = -1, .unit = "gear-3.service" }, "" },
                { { .tail = 5, .unit = "gear-3.service" }, "" },
        };
        struct bench *b = *state;

        write_mixed(b);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                begin(b, &rows[i].options);
                run(b);
                assert_int_equal(b->error, 0);
                assert_int_equal(b->ends, 1);
                assert_string_equal(said(b), rows[i].said);
        }
}

static void entries_of_every_form(void **state)
{
        enum { LONG = 200000 };
        struct bench *b = *state;
        _cleanup_text_ struct text fields = { 0 };
        uint64_t n = 5;

        record(b, "_SYSTEMD_UNIT=gear-1.service\nPRIORITY=4\n"); /* no MESSAGE */
        record(b, "_SYSTEMD_UNIT=gear-1.service\nPRIORITY=nine\nMESSAGE=x\n");
        (void) fprintf(b->writer,
                       "__REALTIME_TIMESTAMP=%" PRIu64
                       "\n_SYSTEMD_UNIT=gear-1.service\nPRIORITY=3\nMESSAGE\n",
                       EPOCH + ++b->written * USEC_PER_SEC);
        (void) fwrite(&n, sizeof n, 1, b->writer);
        (void) fwrite("a\0b\nc\n\n", 7, 1, b->writer);
        text_add(&fields, "_SYSTEMD_UNIT=gear-1.service\nSYSLOG_IDENTIFIER=gear-1\nMESSAGE=");
        for (int i = 0; i < LONG; i++)
                text_addc(&fields, (char) ('a' + i % 26));
        text_addc(&fields, '\n');
        record(b, fields.data);
        finish_writing(b);

        b->pause_after = 1;
        begin(b, &(struct journal_options){ .tail = -1 });
        run_until(b, 1);
        assert_string_equal(said(b), "x ");
        assert_int_equal(b->last.priority, 6);
        assert_int_equal(b->last.realtime_usec, EPOCH + 2 * USEC_PER_SEC);
        journal_reader_resume(b->reader);
        run_until(b, 2);
        assert_int_equal(b->last.priority, 3);
        assert_int_equal(b->last.message_len, 5);
        assert_memory_equal(b->said.data + 2, "a\0b\nc ", 6);
        journal_reader_resume(b->reader);
        run_until(b, 3);
        assert_int_equal(b->last.message_len, LONG);
        assert_int_equal(b->ends, 0);
        journal_reader_resume(b->reader);
        run(b);
        assert_int_equal(b->error, 0);
        assert_int_equal(b->entries, 3);
}

/* --- slices, pauses, ends ------------------------------------------------- */

static void count_turn(void *arg)
{
        struct bench *b = arg;

        b->turns++;
        b->in_turn = 0;
        if (b->ends == 0)
                (void) loop_defer(b->loop, count_turn, b);
}

static void a_long_journal_comes_in_slices(void **state)
{
        struct bench *b = *state;

        for (int i = 0; i < 3000; i++)
                say(b, "x");
        finish_writing(b);
        begin(b, &(struct journal_options){ .tail = -1 });
        (void) loop_defer(b->loop, count_turn, b);
        run(b);
        assert_int_equal(b->entries, 3000);
        assert_true(b->turns >= 3000 / 200);
        assert_in_range(b->in_turn_max, 1, 200);
        run_for(b, 1000);
}

static void a_paused_reader_stands_still_and_loses_nothing(void **state)
{
        struct bench *b = *state;

        for (int i = 0; i < 10; i++) {
                char word[16];

                (void) snprintf(word, sizeof word, "%d", i);
                say(b, word);
        }
        finish_writing(b);
        b->pause_after = 3;
        begin(b, &(struct journal_options){ .tail = -1 });
        for (unsigned expected = 3; expected < 10; expected += 3) {
                run_until(b, expected);
                run_for(b, 20 * USEC_PER_MSEC);
                assert_int_equal(b->entries, expected);
                journal_reader_resume(b->reader);
                journal_reader_resume(b->reader);
        }
        run(b);
        assert_string_equal(said(b), "0 1 2 3 4 5 6 7 8 9 ");
}

static void a_reader_may_be_freed_by_its_hook(void **state)
{
        struct bench *b = *state;

        say(b, "one");
        say(b, "two");
        finish_writing(b);
        b->free_after = 1;
        begin(b, &(struct journal_options){ .tail = -1, .follow = true });
        run_until(b, 1);
        run_for(b, 50 * USEC_PER_MSEC);
        assert_string_equal(said(b), "one ");
}

static uint64_t header_field(FILE *f, long offset)
{
        uint64_t value;

        assert_int_equal(fseek(f, offset, SEEK_SET), 0);
        assert_int_equal(fread(&value, sizeof value, 1, f), 1);
        return le64toh(value);
}

static void a_damaged_journal_ends_and_hurts_nobody(void **state)
{
        /* Where the file format puts these three. */
        enum { FIELD_HASH_TABLE_OFFSET = 120, FIELD_HASH_TABLE_SIZE = 128, TAIL_OBJECT_OFFSET = 136 };
        struct bench *b = *state;
        uint64_t from, to;
        FILE *f;

        for (int i = 0; i < 500; i++)
                say(b, "x");
        finish_writing(b);
        f = fopen(b->path, "r+e");
        assert_non_null(f);
        from = header_field(f, FIELD_HASH_TABLE_OFFSET) + header_field(f, FIELD_HASH_TABLE_SIZE);
        to = header_field(f, TAIL_OBJECT_OFFSET);
        assert_true(from < to);
        srandom(7);
        for (int i = 0; i < 1000; i++) {
                assert_int_equal(fseek(f, (long) (from + (uint64_t) random() % (to - from)), SEEK_SET), 0);
                assert_int_not_equal(fputc((int) (random() & 255), f), EOF);
        }
        (void) fclose(f);
        begin(b, &(struct journal_options){ .tail = -1 });
        run(b);
        assert_int_equal(b->ends, 1);
        assert_true(b->entries < 500);
}

static void what_cannot_be_opened_says_so(void **state)
{
        static const char *const nowhere[] = { "/nowhere/a.journal", NULL };
        struct bench *b = *state;

        assert_int_equal(journal_read(b->loop,
                                      &(struct journal_options){ .unit = "a.service", .files = nowhere },
                                      &(struct journal_hooks){ .entry = on_entry, .end = on_end, .arg = b },
                                      &b->reader),
                         -ENOENT);
        assert_null(b->reader);
}

/* --- following ------------------------------------------------------------ */

/* The freshly installed gear: seek_tail and previous alone lost nearly all of these. */
static void a_follower_of_a_unit_without_entries_gets_all_that_come(void **state)
{
        enum { MANY = 6000 };
        struct bench *b = *state;
        const char *at;

        record(b, "_SYSTEMD_UNIT=gear-2.service\nMESSAGE=foreign\n");
        wait_for_journal(b);
        begin(b, &(struct journal_options){ .tail = 0, .follow = true });
        run_for(b, 50 * USEC_PER_MSEC);
        assert_int_equal(b->entries, 0);
        for (int i = 0; i < MANY; i++) {
                char word[16];

                (void) snprintf(word, sizeof word, "%d", i);
                say(b, word);
        }
        run_until(b, MANY);
        at = said(b);
        for (int i = 0; i < MANY; i++) {
                char *end;

                assert_int_equal(strtol(at, &end, 10), i);
                at = end + 1;
        }
        assert_int_equal(b->ends, 0);
}

static void a_follower_starts_where_it_was_asked_to(void **state)
{
        static const struct {
                int64_t tail;
                const char *said;
        } rows[] = { { 0, "new " }, { 1, "b new " }, { -1, "a b new " } };
        struct bench *b = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                void *again = NULL;

                say(b, "a");
                say(b, "b");
                wait_for_journal(b);
                begin(b, &(struct journal_options){ .tail = rows[i].tail, .follow = true });
                run_for(b, 100 * USEC_PER_MSEC);
                say(b, "new");
                run_until(b, rows[i].tail < 0 ? 3 : (unsigned) rows[i].tail + 1);
                assert_string_equal(said(b), rows[i].said);
                assert_int_equal(tear_down(state), 0);
                assert_int_equal(set_up(&again), 0);
                *state = b = again;
        }
}

static void what_comes_while_paused_is_there_after_it(void **state)
{
        struct bench *b = *state;

        say(b, "a");
        wait_for_journal(b);
        b->pause_after = 1;
        begin(b, &(struct journal_options){ .tail = -1, .follow = true });
        run_until(b, 1);
        say(b, "b");
        wait_for_journal(b);
        run_for(b, 500 * USEC_PER_MSEC);
        assert_string_equal(said(b), "a ");
        b->pause_after = 0;
        journal_reader_resume(b->reader);
        run_until(b, 2);
        assert_string_equal(said(b), "a b ");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(places_and_matches),
                TEST(entries_of_every_form),
                TEST(a_long_journal_comes_in_slices),
                TEST(a_paused_reader_stands_still_and_loses_nothing),
                TEST(a_reader_may_be_freed_by_its_hook),
                TEST(a_damaged_journal_ends_and_hurts_nobody),
                TEST(what_cannot_be_opened_says_so),
                TEST(a_follower_of_a_unit_without_entries_gets_all_that_come),
                TEST(a_follower_starts_where_it_was_asked_to),
                TEST(what_comes_while_paused_is_there_after_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
