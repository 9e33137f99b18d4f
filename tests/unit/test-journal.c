/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The journal reader on journals written by systemd-journal-remote (Debian
 * package systemd-journal-remote), which is left running where a follower needs
 * something to follow.
 */

#include "run-loop.h"
#include "sys/journal.h"
#include "sys/mapped.h"
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
#define UNIT "_SYSTEMD_UNIT=gear-1.service\n"
#define OURS UNIT "SYSLOG_IDENTIFIER=gear-1\n"
#define PID_1 "_PID=1\n_SYSTEMD_UNIT=init.scope\nUNIT=gear-1.service\n"
#define RUN_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define RUN_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define RUN_C "cccccccccccccccccccccccccccccccc"

/* What a reader brought, filled in its thread. */
struct tape {
        struct text said;
        struct log_entry last; /* its strings are gone */
        char cursor[LOG_CURSOR_MAX];
        char names[128];
        unsigned entries, enough_after;
};

struct bench {
        struct loop *loop;
        struct journal *journal;
        char dir[64], path[80];
        const char *files[2];
        FILE *writer;
        uint64_t written;
        struct journal_reader *reader;
        struct tape tape;
        struct journal_batch batch;
        unsigned batches, dropped;
        bool reading;
        struct timer *noise;
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
        b->journal = journal_new(b->loop, b->files);
        assert_non_null(b->journal);
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

        (void) timer_free(b->noise);
        (void) journal_reader_free(b->reader);
        (void) journal_free(b->journal);
        finish_writing(b);
        (void) unlink(b->path);
        (void) rmdir(b->dir);
        (void) loop_free(b->loop);
        text_reset(&b->tape.said);
        free(b);
        return 0;
}

/* One entry, a second after the last; `fields` are lines of the export format. */
static void record_at(struct bench *b, uint64_t usec, const char *fields)
{
        b->written++;
        (void) fprintf(b->writer,
                       "__REALTIME_TIMESTAMP=%" PRIu64 "\n__MONOTONIC_TIMESTAMP=%" PRIu64
                       "\n_BOOT_ID=6f4a30fbcee744c1a3e6ea4a1d4f7b02\n%s\n",
                       usec, b->written * USEC_PER_SEC, fields);
        (void) fflush(b->writer);
}

static void record(struct bench *b, const char *fields)
{
        record_at(b, EPOCH + (b->written + 1) * USEC_PER_SEC, fields);
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

/* --- a reader and its tape ------------------------------------------------- */

static void add_kind(struct text *t, const struct log_entry *e)
{
        static const char *const marks[] = { [LOG_STARTED] = "<started>",       [LOG_EXITED] = "<exited>",
                                             [LOG_ENDED] = "<ended>",           [LOG_FAILED] = "<failed>",
                                             [LOG_RESTARTING] = "<restarting>", [LOG_KILLED] = "<killed>",
                                             [LOG_SUPPRESSED] = "<suppressed>", [LOG_GONE] = "<gone>" };

        if (e->kind == LOG_LINE)
                text_addn(t, e->message, e->message_len < 20 ? e->message_len : 20);
        else
                text_add(t, marks[e->kind]);
        text_add(t, e->partial ? "... " : " ");
}

static bool on_entry(void *work, const struct log_entry *e)
{
        struct tape *tape = work;

        add_kind(&tape->said, e);
        tape->last = *e;
        (void) snprintf(tape->cursor, sizeof tape->cursor, "%s", e->cursor);
        (void) snprintf(tape->names + strlen(tape->names), sizeof tape->names - strlen(tape->names), "%s ", e->name);
        tape->entries++;
        return tape->enough_after == 0 || tape->entries % tape->enough_after != 0;
}

static void on_done(void *arg, void *work, const struct journal_batch *batch)
{
        struct bench *b = arg;

        assert_ptr_equal(work, &b->tape);
        b->batch = *batch;
        b->batches++;
        b->reading = false;
        loop_stop(b->loop);
}

static void on_drop(void *work)
{
        struct tape *tape = work;
        struct bench *b = container_of(tape, struct bench, tape);

        b->dropped++;
        b->reading = false;
        loop_stop(b->loop);
}

static struct journal_hooks hooks(struct bench *b)
{
        return (struct journal_hooks){ .entry = on_entry, .done = on_done, .drop = on_drop, .arg = b };
}

static const struct journal_source gear_1 = { .unit = "gear-1.service", .identifier = "gear-1" };

static void begin(struct bench *b, const struct journal_options *more)
{
        const struct journal_hooks with = hooks(b);
        struct journal_options options = *more;

        if (!options.scope.sources) {
                options.scope.sources = &gear_1;
                options.scope.n_sources = 1;
        }
        b->reader = journal_reader_free(b->reader);
        b->reader = journal_reader_new(b->journal, &options, &with);
        assert_non_null(b->reader);
        b->batches = b->tape.entries = 0;
        text_truncate(&b->tape.said, 0);
        b->tape.names[0] = '\0';
}

static void ask(struct bench *b, enum journal_wait wait, const struct journal_reader *until)
{
        assert_int_equal(journal_reader_read(b->reader, &b->tape, wait, until), 0);
        b->reading = true;
}

static void read_batch(struct bench *b, enum journal_wait wait, const struct journal_reader *until)
{
        ask(b, wait, until);
        while (b->reading)
                run_loop(b->loop, "no batch");
        assert_int_equal(b->batch.error, 0);
}

static void read_to_end(struct bench *b)
{
        do
                read_batch(b, JOURNAL_NOW, NULL);
        while (!b->batch.level);
}

static void read_until(struct bench *b, unsigned entries)
{
        while (b->tape.entries < entries)
                read_batch(b, JOURNAL_NEWS, NULL);
        assert_int_equal(b->tape.entries, entries);
}

static const char *said(struct bench *b)
{
        return b->tape.said.len ? b->tape.said.data : "";
}

static void say_numbers(struct bench *b, int from, int to)
{
        for (int i = from; i < to; i++) {
                char word[16];

                (void) snprintf(word, sizeof word, "%d", i);
                say(b, word);
        }
}

/* Are these the numbers from 0 on, each once and in order? */
static void check_numbers(const char *said, int n)
{
        for (int i = 0; i < n; i++) {
                char *end;

                assert_int_equal(strtol(said, &end, 10), i);
                said = end + 1;
        }
        assert_string_equal(said, "");
}

/* --- what is found -------------------------------------------------------- */

static void write_mixed(struct bench *b)
{
        for (int i = 0; i < 5; i++) {
                _cleanup_text_ struct text fields = { 0 };

                text_addf(&fields, OURS "_SYSTEMD_INVOCATION_ID=%s\nMESSAGE=m%d\n", i < 3 ? RUN_A : RUN_B,
                          i);
                record(b, fields.data);
                record(b, "_SYSTEMD_UNIT=gear-2.service\nMESSAGE=foreign\n");
                record(b, "UNIT=gear-1.service\nSYSLOG_IDENTIFIER=gear-1\nMESSAGE=forged\n");
        }
        record(b, UNIT "SYSLOG_IDENTIFIER=helper\nMESSAGE=h\n");
        finish_writing(b);
}

static void places_and_scopes(void **state)
{
        static const struct journal_source any = { .unit = "gear-1.service" };
        static const struct journal_source silent = { .unit = "gear-3.service", .identifier = "gear-3" };
        static const struct journal_source both[] = { { .unit = "gear-2.service" },
                                                      { .unit = "gear-1.service", .identifier = "gear-1" } };
        static const struct {
                struct journal_options options;
                const char *said;
        } rows[] = {
                { { .tail = -1 }, "m0 m1 m2 m3 m4 " },
                { { .tail = 100 }, "m0 m1 m2 m3 m4 " },
                { { .tail = 5 }, "m0 m1 m2 m3 m4 " },
                { { .tail = 2 }, "m3 m4 " },
                { { .tail = 1 }, "m4 " },
                { { .tail = 0 }, "" },
                { { .tail = -1, .scope = { .sources = &any, .n_sources = 1 } }, "m0 m1 m2 m3 m4 h " },
                { { .tail = 2, .scope = { .sources = &any, .n_sources = 1 } }, "m4 h " },
                { { .tail = -1, .scope = { .sources = &gear_1, .n_sources = 1, .invocation = RUN_B } },
                  "m3 m4 " },
                { { .tail = 2, .scope = { .sources = &gear_1, .n_sources = 1, .invocation = RUN_A } },
                  "m1 m2 " },
                { { .tail = 3, .scope = { .sources = both, .n_sources = 2 } }, "foreign m4 foreign " },
                { { .tail = -1, .since_usec = EPOCH + 7 * USEC_PER_SEC }, "m2 m3 m4 " },
                { { .tail = -1, .since_usec = EPOCH + 7 * USEC_PER_SEC + 1 }, "m3 m4 " },
                { { .tail = 1, .since_usec = EPOCH + 7 * USEC_PER_SEC }, "m4 " },
                { { .tail = 100, .since_usec = EPOCH + 7 * USEC_PER_SEC }, "m2 m3 m4 " },
                { { .tail = 3, .since_usec = EPOCH + 99 * USEC_PER_SEC }, "" },
                { { .tail = 2, .until_usec = EPOCH + 7 * USEC_PER_SEC }, "m1 m2 m3 m4 " }, /* who asked ends it */
                { { .tail = 2, .until_usec = EPOCH + 7 * USEC_PER_SEC - 1 }, "m0 m1 m2 m3 m4 " },
                { { .tail = 1, .until_usec = EPOCH + 99 * USEC_PER_SEC }, "m4 " },
                { { .tail = 1, .until_usec = EPOCH }, "m0 m1 m2 m3 m4 " },
                { { .tail = -1, .scope = { .sources = &silent, .n_sources = 1 } }, "" },
                { { .tail = 5, .scope = { .sources = &silent, .n_sources = 1 } }, "" },
        };
        struct bench *b = *state;

        write_mixed(b);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                begin(b, &rows[i].options);
                read_to_end(b);
                assert_string_equal(said(b), rows[i].said);
        }
}

/* A gear may come after many others of its name: their lines are not walked over to find that it has none. */
static void nobody_walks_back_over_former_gears(void **state)
{
        static const struct journal_source young = { .unit = "gear-1.service",
                                                     .identifier = "gear-1",
                                                     .created_usec = EPOCH + 99 * USEC_PER_SEC };
        struct bench *b = *state;
        char last[LOG_CURSOR_MAX];

        write_mixed(b);
        begin(b, &(struct journal_options){ .tail = 1, .cursors = true });
        read_to_end(b);
        (void) snprintf(last, sizeof last, "%s", journal_reader_cursor(b->reader));
        begin(b, &(struct journal_options){ .tail = 100, .scope = { .sources = &young, .n_sources = 1 } });
        read_to_end(b);
        assert_string_equal(said(b), "");
        assert_string_equal(journal_reader_cursor(b->reader), last); /* where it turned round */
}

#define STARTED(run) PID_1 "INVOCATION_ID=" run "\nMESSAGE_ID=39f53479d3a045ac8e11786248231fbf\nMESSAGE=Started\n"
#define DROPPED(run)                                                                                       \
        "_PID=9\n_TRANSPORT=driver\nOBJECT_SYSTEMD_UNIT=gear-1.service\nOBJECT_SYSTEMD_INVOCATION_ID=" run \
        "\nN_DROPPED=5\nMESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e\nMESSAGE=Suppressed\n"
#define BORN(usec, run) OURS "GEARD_CREATED=" #usec "\n_SYSTEMD_INVOCATION_ID=" run "\n"

#define FORMER 1700005000000000
#define SECOND 1700007000000000
#define EXPANDED_BORN(usec, run) BORN(usec, run)

static const struct journal_source second_gear = { .unit = "gear-1.service", .identifier = "gear-1", .created_usec = SECOND };

/* Its log is this, however it is asked for. */
static void check_second_gear(struct bench *b, const struct journal_source *source, const char *expected)
{
        const struct journal_scope scope = { .sources = source, .n_sources = 1, .marks = true };

        finish_writing(b);
        for (int64_t tail = -1; tail < 100; tail += 50) {
                begin(b, &(struct journal_options){ .tail = tail, .scope = scope });
                read_to_end(b);
                assert_string_equal(said(b), expected);
        }
        begin(b, &(struct journal_options){ .tail = 1, .scope = scope });
        read_to_end(b);
        assert_non_null(strstr(expected, said(b)));
}

static void write_former(struct bench *b)
{
        uint64_t t = FORMER;

        record_at(b, t++, STARTED(RUN_A));
        record_at(b, t++, EXPANDED_BORN(FORMER, RUN_A) "MESSAGE=former\n");
        record_at(b, t++, DROPPED(RUN_A));
}

static void write_second(struct bench *b, uint64_t t)
{
        record_at(b, t++, STARTED(RUN_B));
        record_at(b, t++, EXPANDED_BORN(SECOND, RUN_B) "MESSAGE=a\n");
}

static void write_more(struct bench *b, uint64_t t)
{
        record_at(b, t++, DROPPED(RUN_B));
        record_at(b, t++, EXPANDED_BORN(SECOND, RUN_B) "MESSAGE=b\n");
        record_at(b, t++, EXPANDED_BORN(SECOND, RUN_B) "MESSAGE=c\n");
        record_at(b, t++, STARTED(RUN_C)); /* of which there are no lines yet */
}

#define ALL_OF_SECOND "<started> a <suppressed> b c <started> "

static void a_clock_set_back_hides_nothing(void **state)
{
        struct bench *b = *state;

        write_former(b);
        write_second(b, EPOCH + 100 * USEC_PER_SEC);
        write_more(b, EPOCH + 200 * USEC_PER_SEC);
        check_second_gear(b, &second_gear, ALL_OF_SECOND);
        begin(b, &(struct journal_options){ .tail = -1,
                                            .since_usec = EPOCH + 150 * USEC_PER_SEC,
                                            .scope = { .sources = &second_gear, .n_sources = 1, .marks = true } });
        read_to_end(b);
        assert_non_null(strstr(said(b), "<suppressed> b c "));
}

/* The former's time is the second's, too. */
static void a_clock_set_back_before_shows_nothing(void **state)
{
        static const struct journal_source early = { .unit = "gear-1.service", .identifier = "gear-1", .created_usec = EPOCH + 100 * USEC_PER_SEC };
        struct bench *b = *state;

        write_former(b);
        record_at(b, early.created_usec + 1, STARTED(RUN_B));
        record_at(b, early.created_usec + 2, EXPANDED_BORN(1700000100000000, RUN_B) "MESSAGE=a\n");
        check_second_gear(b, &early, "<started> a ");
}

/* What was found of one run, or by one who asked, is no answer about another. */
static void marks_of_runs_in_turn_are_told_apart(void **state)
{
        static const struct journal_source former_gear = { .unit = "gear-1.service", .identifier = "gear-1", .created_usec = FORMER };
        static const struct journal_source *const gears[] = { &former_gear, &second_gear };
        static const char *const expected[] = { "<started> former <suppressed> <suppressed> <suppressed> <suppressed> ",
                                                "<started> a <suppressed> <suppressed> <suppressed> <suppressed> " };
        struct bench *b = *state;
        uint64_t t = SECOND;

        write_former(b);
        write_second(b, t);
        for (t += 2; t < SECOND + 5; t++) {
                record_at(b, t, DROPPED(RUN_A));
                record_at(b, t, DROPPED(RUN_B));
        }
        record_at(b, t, DROPPED(RUN_B));
        finish_writing(b);
        for (int i = 0; i < 8; i++) {
                begin(b, &(struct journal_options){ .tail = -1, .scope = { .sources = gears[i % 2], .n_sources = 1, .marks = true } });
                read_to_end(b);
                assert_string_equal(said(b), expected[i % 2]);
        }
}

/* As geard writes it; another user's is a forgery. */
static void record_killed(struct bench *b, unsigned uid)
{
        _cleanup_text_ struct text fields = { 0 };

        text_addf(&fields,
                  "_UID=%u\n_PID=77\nUNIT=gear-1.service\nMESSAGE_ID=" LOG_KILLED_MESSAGE_ID "\nMESSAGE=x\n",
                  uid);
        record(b, fields.data);
}

/* Only what systemd and journald themselves say of a unit counts. */
static void marks_are_told_from_forgeries(void **state)
{
        struct bench *b = *state;
        const struct journal_scope scope = { .sources = &gear_1, .n_sources = 1, .marks = true };

        record(b, PID_1 "MESSAGE_ID=39f53479d3a045ac8e11786248231fbf\nMESSAGE=Started\n");
        record(b, OURS "MESSAGE=a\n");
        record(b, "_PID=77\n_SYSTEMD_UNIT=evil.service\nUNIT=gear-1.service\nSYSLOG_IDENTIFIER=gear-1\n"
                  "MESSAGE_ID=39f53479d3a045ac8e11786248231fbf\nMESSAGE=forged\n");
        record(b, "_PID=77\n_TRANSPORT=journal\nOBJECT_SYSTEMD_UNIT=gear-1.service\nN_DROPPED=5\n"
                  "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e\nMESSAGE=forged\n");
        record(b, "_PID=9\n_TRANSPORT=driver\nOBJECT_SYSTEMD_UNIT=gear-1.service\nN_DROPPED=5\n"
                  "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e\nMESSAGE=Suppressed\n");
        record(b,
               PID_1 "MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15\nCOMMAND=ExecStopPost\nMESSAGE=helper\n");
        record_killed(b, (unsigned) geteuid());
        record_killed(b, (unsigned) geteuid() + 1);
        record(b, PID_1 "MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15\nCOMMAND=ExecStart\nEXIT_CODE=exited\n"
                        "EXIT_STATUS=3\nMESSAGE=exited\n");
        record(b, PID_1 "MESSAGE=of no interest\n");
        finish_writing(b);
        begin(b, &(struct journal_options){ .scope = scope, .tail = -1 });
        read_to_end(b);
        assert_string_equal(said(b), "<started> a <suppressed> <killed> <exited> ");
        assert_int_equal(b->tape.last.status, 3);
        assert_string_equal(b->tape.last.code, "exited");
        begin(b, &(struct journal_options){ .tail = -1 });
        read_to_end(b);
        assert_string_equal(said(b), "a ");
}

static const struct journal_source web = { .unit = "gear-web@.service", .service = "web" };

static void record_instance(struct bench *b, const char *unit, const char *identifier, const char *message)
{
        _cleanup_text_ struct text fields = { 0 };

        text_addf(&fields, "_PID=7\n_SYSTEMD_UNIT=%s\nSYSLOG_IDENTIFIER=%s\nGEAR_SERVICE=web\nMESSAGE=%s\n", unit,
                  identifier, message);
        record(b, fields.data);
}

static void record_started(struct bench *b, const char *pid, const char *unit)
{
        _cleanup_text_ struct text fields = { 0 };

        text_addf(&fields, "_PID=%s\nUNIT=%s\nMESSAGE_ID=39f53479d3a045ac8e11786248231fbf\nMESSAGE=x\n", pid, unit);
        record(b, fields.data);
}

/* Whoever was one of them, without a list of them. */
static void a_service_is_all_of_its_instances(void **state)
{
        const struct journal_scope scope = { .sources = &web, .n_sources = 1, .marks = true };
        struct bench *b = *state;

        record_started(b, "1", "gear-web@1.service");
        record_instance(b, "gear-web@1.service", "gear-web@1", "a");
        record_instance(b, "gear-web@1.service", "gear-unit", "helper");
        record_instance(b, "gear-web@1.service", "gear-web@2", "other");
        record_instance(b, "gear-web@20.service", "gear-web@20", "b");
        record_instance(b, "gear-webber@1.service", "gear-webber@1", "foreign");
        record_instance(b, "gear-web.service", "gear-web", "gear");
        record_instance(b, "gear-web@.service", "gear-web@", "template");
        record_instance(b, "gear-evil.service", "gear-web@1", "forged");
        record_started(b, "1", "gear-evil.service");
        record_started(b, "77", "gear-web@1.service");
        record_started(b, "1", "gear-web@3.service");
        finish_writing(b);
        begin(b, &(struct journal_options){ .scope = scope, .tail = -1 });
        read_to_end(b);
        assert_string_equal(said(b), "<started> a b <started> ");
        assert_string_equal(b->tape.names, "gear-web@1 gear-web@1 gear-web@20 gear-web@3 ");
        begin(b, &(struct journal_options){ .scope = scope, .tail = 1 });
        read_to_end(b);
        assert_string_equal(said(b), "b <started> ");
}

static void a_part_is_of_the_instance_that_wrote_it(void **state)
{
        const struct journal_scope scope = { .sources = &web, .n_sources = 1 };
        struct bench *b = *state;

        record(b, "_PID=7\n_SYSTEMD_UNIT=gear-web@3.service\nSYSLOG_IDENTIFIER=gear-web@3\nGEAR_SERVICE=web\n"
                  "_STREAM_ID=s3\n_LINE_BREAK=line-max\nMESSAGE=part\n");
        record_instance(b, "gear-web@5.service", "gear-unit", "helper");
        record_instance(b, "gear-web@7.service", "gear-web@7", "line");
        finish_writing(b);
        begin(b, &(struct journal_options){ .scope = scope, .tail = -1 });
        read_to_end(b);
        assert_string_equal(said(b), "part... line ");
        assert_string_equal(b->tape.names, "gear-web@3 gear-web@7 ");
}

/* What is not linked yet may be whose it is. */
static void an_instance_s_entry_that_is_being_written_is_not_passed_over(void **state)
{
#define ITS "_PID=7\n_TRANSPORT=journal\nSYSLOG_IDENTIFIER=gear-web@1\nGEAR_SERVICE=web\n"
#define WHOLE ITS "_SYSTEMD_UNIT=gear-web@1.service\n"
        static const char *const rows[] = {
                ITS "MESSAGE=b\n",
                "_PID=1\nMESSAGE_ID=39f53479d3a045ac8e11786248231fbf\nMESSAGE=b\n",
        };
        const struct journal_scope scope = { .sources = &web, .n_sources = 1, .marks = true };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct bench *b = *state;
                uint64_t now = wall_usec();

                record_at(b, now, WHOLE "MESSAGE=a\n");
                record_at(b, now, rows[i]);
                record_at(b, now, WHOLE "MESSAGE=c\n");
                finish_writing(b);
                begin(b, &(struct journal_options){ .scope = scope, .tail = -1 });
                read_to_end(b);
                assert_string_equal(said(b), "a ");
                assert_int_equal(tear_down(state), 0);
                assert_int_equal(set_up(state), 0);
        }
#undef WHOLE
#undef ITS
}

/* Marks of all the host are looked at, but not of a time before it was. */
static void nobody_walks_back_to_before_a_service(void **state)
{
        static const struct journal_source young = { .unit = "gear-web@.service",
                                                     .service = "web",
                                                     .created_usec = EPOCH + 99 * USEC_PER_SEC };
        const struct journal_scope of_all = { .sources = &web, .n_sources = 1, .marks = true };
        const struct journal_scope scope = { .sources = &young, .n_sources = 1, .marks = true };
        struct bench *b = *state;
        char last[LOG_CURSOR_MAX];

        for (int i = 0; i < 5; i++)
                record_started(b, "1", "gear-other.service");
        finish_writing(b);
        begin(b, &(struct journal_options){ .scope = of_all, .tail = -1, .cursors = true });
        read_to_end(b);
        (void) snprintf(last, sizeof last, "%s", journal_reader_cursor(b->reader));
        begin(b, &(struct journal_options){ .scope = scope, .tail = 100 });
        read_to_end(b);
        assert_string_equal(said(b), "");
        assert_string_equal(journal_reader_cursor(b->reader), last); /* where it turned round */
}

/* systemd is silent about the main process where its status counts as success. */
static void the_helper_behind_a_run_tells_its_end(void **state)
{
#define EXITED PID_1 "MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15\nEXIT_CODE=exited\nMESSAGE=x\n"
        static const struct {
                const char *fields, *said, *code, *result;
                int status;
        } rows[] = {
                { EXITED "COMMAND=ExecStopPost\nEXIT_STATUS=1\n", "<exited> ", "exited", "", 137 },
                { EXITED "COMMAND=ExecStopPost\nEXIT_STATUS=75\n", "<failed> ", "exited", "engine-gone", 75 },
                { EXITED "COMMAND=ExecStopPost\nEXIT_STATUS=2\n", "", "", "", 0 },
                { EXITED "COMMAND=ExecStop\nEXIT_STATUS=1\n", "", "", "", 0 },
                { EXITED "COMMAND=ExecStart\nEXIT_STATUS=1\n", "<exited> ", "exited", "", 1 },
        };
#undef EXITED
        const struct journal_scope scope = { .sources = &gear_1, .n_sources = 1, .marks = true };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct bench *b = *state;

                record(b, rows[i].fields);
                finish_writing(b);
                begin(b, &(struct journal_options){ .scope = scope, .tail = -1 });
                read_to_end(b);
                assert_string_equal(said(b), rows[i].said);
                assert_string_equal(b->tape.last.code, rows[i].code);
                assert_string_equal(b->tape.last.result, rows[i].result);
                assert_int_equal(b->tape.last.status, rows[i].status);
                assert_int_equal(tear_down(state), 0);
                assert_int_equal(set_up(state), 0);
        }
}

/*
 * libsystemd leaves out the fields that journald is about to link.  Such a line is
 * waited for, and not passed over; one that has been so for long is damaged.
 */
static void a_line_that_is_being_written_is_not_passed_over(void **state)
{
#define WHOLE "_PID=7\n_TRANSPORT=stdout\n_STREAM_ID=x\nPRIORITY=6\n" OURS
        static const struct {
                uint64_t age_usec;
                const char *fields, *said;
        } rows[] = {
                { 0, WHOLE, "a " },
                { 0, "_TRANSPORT=stdout\n_STREAM_ID=x\nPRIORITY=6\n" OURS "MESSAGE=b\n", "a " },
                { 0, "_PID=7\n_STREAM_ID=x\nPRIORITY=6\n" OURS "MESSAGE=b\n", "a " },
                { 0, "_PID=7\n_TRANSPORT=stdout\nPRIORITY=6\n" OURS "MESSAGE=b\n", "a " },
                { 0, "_PID=7\n_TRANSPORT=stdout\n_STREAM_ID=x\n" OURS "MESSAGE=b\n", "a " },
                { 0, "_PID=7\n_TRANSPORT=stdout\n_STREAM_ID=x\nPRIORITY=6\n" UNIT "MESSAGE=b\n", "a " },
                { 0, WHOLE "MESSAGE=b\n", "a b c " },
                { 3600 * USEC_PER_SEC, WHOLE, "a c " },
        };
        const struct journal_scope scope = { .sources = &gear_1, .n_sources = 1 };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct bench *b = *state;
                uint64_t usec = wall_usec() - rows[i].age_usec;

                record_at(b, usec, WHOLE "MESSAGE=a\n");
                record_at(b, usec, rows[i].fields);
                record_at(b, usec, WHOLE "MESSAGE=c\n");
                finish_writing(b);
                begin(b, &(struct journal_options){ .scope = scope, .tail = -1 });
                read_to_end(b);
                assert_string_equal(said(b), rows[i].said);
                assert_int_equal(tear_down(state), 0);
                assert_int_equal(set_up(state), 0);
        }
#undef WHOLE
}

static void say_what_others_say(void *arg)
{
        struct bench *b = arg;

        record_at(b, wall_usec(), "_PID=8\n_TRANSPORT=journal\n_SYSTEMD_UNIT=gear-2.service\nMESSAGE=foreign\n");
        timer_set(b->noise, 100 * USEC_PER_MSEC);
}

/* The line became whole, or was given up, without news of its own: others' never pause. */
static void a_line_that_was_being_written_is_looked_for_again(void **state)
{
        struct bench *b = *state;
        uint64_t some_time_ago = wall_usec() - 8 * USEC_PER_SEC;

        record_at(b, some_time_ago, OURS "_PID=7\n_TRANSPORT=stdout\n_STREAM_ID=x\nPRIORITY=6\n"); /* no message */
        record_at(b, some_time_ago, OURS "_PID=7\n_TRANSPORT=stdout\n_STREAM_ID=x\nPRIORITY=6\nMESSAGE=next\n");
        wait_for_journal(b);
        b->noise = timer_new(b->loop, say_what_others_say, b);
        timer_set(b->noise, 1);
        begin(b, &(struct journal_options){ .tail = -1, .follow = true });
        read_until(b, 1);
        assert_string_equal(said(b), "next ");
}

static void record_long(struct bench *b, const char *fields, char c, size_t n)
{
        _cleanup_text_ struct text t = { 0 };

        text_addf(&t, "%sMESSAGE=", fields);
        for (size_t i = 0; i < n; i++)
                text_addc(&t, c);
        text_addc(&t, '\n');
        record(b, t.data);
}

static void entries_of_every_form(void **state)
{
        enum { LONG = 200000 };
        struct bench *b = *state;
        uint64_t n = 5;

        record(b, OURS "PRIORITY=4\n"); /* no MESSAGE */
        record(b, OURS "PRIORITY=nine\nMESSAGE=x\n");
        (void) fprintf(b->writer, "__REALTIME_TIMESTAMP=%" PRIu64 "\n" OURS "PRIORITY=3\nMESSAGE\n",
                       EPOCH + ++b->written * USEC_PER_SEC);
        (void) fwrite(&n, sizeof n, 1, b->writer);
        (void) fwrite("a\0b\nc\n\n", 7, 1, b->writer);
        record_long(b, OURS, 'l', LONG);
        finish_writing(b);

        b->tape.enough_after = 1;
        begin(b, &(struct journal_options){ .tail = -1, .cursors = true });
        read_batch(b, JOURNAL_NOW, NULL);
        assert_string_equal(said(b), "x ");
        assert_int_equal(b->tape.last.priority, 6);
        assert_int_equal(b->tape.last.realtime_usec, EPOCH + 2 * USEC_PER_SEC);
        assert_string_equal(b->tape.cursor, journal_reader_cursor(b->reader));
        read_batch(b, JOURNAL_NOW, NULL);
        assert_int_equal(b->tape.last.priority, 3);
        assert_int_equal(b->tape.last.message_len, 5);
        assert_memory_equal(b->tape.said.data + 2, "a\0b\nc ", 6);
        read_batch(b, JOURNAL_NOW, NULL);
        assert_int_equal(b->tape.last.message_len, LONG);
        read_to_end(b);
        assert_int_equal(b->tape.entries, 3);
}

/* --- lines in parts -------------------------------------------------------- */

#define PART(stream) OURS "_STREAM_ID=" stream "\n_LINE_BREAK=line-max\n"
#define WHOLE(stream) OURS "_STREAM_ID=" stream "\n"

static void parts_are_put_together(void **state)
{
        struct bench *b = *state;

        record(b, PART("s1") "MESSAGE=one-\n");
        record(b, PART("s1") "MESSAGE=two-\n");
        record(b, WHOLE("s1") "MESSAGE=three\n");
        record(b, PART("s1") "MESSAGE=cut\n");
        record(b, WHOLE("s2") "MESSAGE=other\n");
        record(b, WHOLE("s1") "MESSAGE=rest\n");
        record(b, PART("s1") "MESSAGE=open\n");
        finish_writing(b);
        begin(b, &(struct journal_options){ .tail = -1, .cursors = true });
        read_to_end(b);
        assert_string_equal(said(b), "one-two-three cut... other rest open... ");
        /* one at a time, each from where the last one left it */
        b->tape.enough_after = 1;
        begin(b, &(struct journal_options){ .tail = -1, .cursors = true });
        read_to_end(b);
        assert_string_equal(said(b), "one-two-three cut... other rest open... ");
        assert_int_equal(b->tape.entries, 5);
}

static void a_line_without_end_waits_for_it(void **state)
{
        struct bench *b = *state;

        say(b, "a");
        record(b, PART("s1") "MESSAGE=begin-\n");
        wait_for_journal(b);
        begin(b, &(struct journal_options){ .tail = -1, .follow = true });
        read_to_end(b);
        assert_string_equal(said(b), "a ");
        record(b, WHOLE("s1") "MESSAGE=end\n");
        read_until(b, 2);
        assert_string_equal(said(b), "a begin-end ");
}

static void a_line_that_is_too_long_comes_in_pieces(void **state)
{
        enum { PART_LEN = 300000 };
        struct bench *b = *state;

        for (int i = 0; i < 4; i++)
                record_long(b, PART("s1"), 'p', PART_LEN);
        record(b, WHOLE("s1") "MESSAGE=end\n");
        finish_writing(b);
        begin(b, &(struct journal_options){ .tail = -1 });
        b->tape.enough_after = 1;
        read_batch(b, JOURNAL_NOW, NULL);
        assert_true(b->tape.last.partial);
        assert_int_equal(b->tape.last.message_len, 3 * PART_LEN);
        read_batch(b, JOURNAL_NOW, NULL);
        assert_false(b->tape.last.partial);
        assert_int_equal(b->tape.last.message_len, PART_LEN + strlen("end"));
}

/* --- slices, ends, cursors ------------------------------------------------- */

static void a_long_journal_comes_in_slices(void **state)
{
        enum { MANY = 10000 };
        struct bench *b = *state;

        say_numbers(b, 0, MANY);
        finish_writing(b);
        begin(b, &(struct journal_options){ .tail = -1 });
        read_to_end(b);
        check_numbers(said(b), MANY);
        assert_true(b->batches > 1);
        /* the way back is sliced as well */
        begin(b, &(struct journal_options){ .tail = MANY - 1 });
        read_to_end(b);
        assert_int_equal(b->tape.entries, MANY - 1);
}

static void a_batch_ends_where_it_is_told_to(void **state)
{
        struct bench *b = *state;

        say_numbers(b, 0, 10);
        finish_writing(b);
        b->tape.enough_after = 3;
        begin(b, &(struct journal_options){ .tail = -1 });
        for (unsigned expected = 3; expected < 10; expected += 3) {
                read_batch(b, JOURNAL_NOW, NULL);
                assert_int_equal(b->tape.entries, expected);
                assert_false(b->batch.level);
        }
        read_to_end(b);
        check_numbers(said(b), 10);
}

static void a_cursor_is_gone_on_from(void **state)
{
        struct bench *b = *state;
        char cursor[LOG_CURSOR_MAX];

        say_numbers(b, 0, 10);
        finish_writing(b);
        b->tape.enough_after = 4;
        begin(b, &(struct journal_options){ .tail = -1, .cursors = true });
        read_batch(b, JOURNAL_NOW, NULL);
        (void) snprintf(cursor, sizeof cursor, "%s", b->tape.cursor);
        b->tape.enough_after = 0;
        begin(b, &(struct journal_options){ .cursor = cursor });
        read_to_end(b);
        assert_string_equal(said(b), "4 5 6 7 8 9 ");
}

/* A cursor whose entry is not kept any more: before the first, and behind all. */
static void a_gap_is_told_once(void **state)
{
        static const struct {
                int seconds;
                const char *said, *said_again;
        } rows[] = { { 0, "<gone> 0 1 2 ", "0 1 2 " }, { 99, "<gone> ", "" } };
        struct bench *b = *state;

        record(b, "_SYSTEMD_UNIT=gear-2.service\nMESSAGE=foreign\n");
        say_numbers(b, 0, 3);
        finish_writing(b);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char cursor[LOG_CURSOR_MAX];

                (void) snprintf(cursor, sizeof cursor,
                                "s=00000000000000000000000000000001;i=1;b=6f4a30fbcee744c1a3e6ea4a1d4f7b02;"
                                "m=%x;t=%" PRIx64 ";x=1",
                                rows[i].seconds * 1000000,
                                EPOCH + (uint64_t) rows[i].seconds * USEC_PER_SEC);
                begin(b, &(struct journal_options){ .cursor = cursor, .follow = true });
                read_to_end(b);
                read_to_end(b);
                assert_string_equal(said(b), rows[i].said);

                /* Who leaves with the word of it and comes back. */
                b->tape.enough_after = 1;
                begin(b, &(struct journal_options){ .cursor = cursor, .cursors = true });
                read_batch(b, JOURNAL_NOW, NULL);
                assert_string_equal(said(b), "<gone> ");
                b->tape.enough_after = 0;
                (void) snprintf(cursor, sizeof cursor, "%s", b->tape.cursor);
                begin(b, &(struct journal_options){ .cursor = cursor });
                read_to_end(b);
                assert_string_equal(said(b), rows[i].said_again);
        }
}

static void what_only_seems_lost_is_no_gap(void **state)
{
        static const struct journal_source other = { .unit = "gear-2.service" };
        struct bench *b = *state;
        char cursor[LOG_CURSOR_MAX], flushed[LOG_CURSOR_MAX];

        say_numbers(b, 0, 2);
        record(b, "_SYSTEMD_UNIT=gear-2.service\nMESSAGE=foreign\n");
        say_numbers(b, 2, 4);
        record(b, "_SYSTEMD_UNIT=gear-2.service\nMESSAGE=foreign\n");
        finish_writing(b);

        /* Another's entry, before some of its own and behind them. */
        for (int64_t tail = 2; tail > 0; tail--) {
                b->tape.enough_after = 1;
                begin(b, &(struct journal_options){ .tail = tail, .cursors = true, .scope = { .sources = &other, .n_sources = 1 } });
                do
                        read_batch(b, JOURNAL_NOW, NULL);
                while (b->tape.entries == 0);
                b->tape.enough_after = 0;
                (void) snprintf(cursor, sizeof cursor, "%s", b->tape.cursor);
                begin(b, &(struct journal_options){ .cursor = cursor, .follow = true });
                read_to_end(b);
                assert_string_equal(said(b), tail == 2 ? "2 3 " : "");
        }
        /* … and it stands where others of its own can be met. */
        (void) snprintf(cursor, sizeof cursor, "%s", journal_reader_cursor(b->reader));
        begin(b, &(struct journal_options){ .tail = 0, .follow = true });
        read_to_end(b);
        assert_string_equal(cursor, journal_reader_cursor(b->reader));

        /* The same entry, of another sequence. */
        b->tape.enough_after = 1;
        begin(b, &(struct journal_options){ .tail = -1, .cursors = true });
        read_batch(b, JOURNAL_NOW, NULL);
        b->tape.enough_after = 0;
        (void) snprintf(flushed, sizeof flushed, "s=%s;i=77%s", RUN_A, strstr(b->tape.cursor, ";b="));
        begin(b, &(struct journal_options){ .cursor = flushed });
        read_to_end(b);
        assert_string_equal(said(b), "1 2 3 ");
}

/* Where it began, for who has got nothing yet: the journal's last entry, whosesoever. */
static void who_found_nothing_can_begin_again(void **state)
{
        struct bench *b = *state;
        char cursor[LOG_CURSOR_MAX];

        record(b, "_SYSTEMD_UNIT=gear-2.service\nMESSAGE=foreign\n");
        wait_for_journal(b);
        begin(b, &(struct journal_options){ .tail = 0, .follow = true });
        read_batch(b, JOURNAL_NOW, NULL);
        assert_string_equal(said(b), "");
        (void) snprintf(cursor, sizeof cursor, "%s", journal_reader_newest(b->reader));
        say_numbers(b, 0, 3);
        wait_for_journal(b);
        begin(b, &(struct journal_options){ .cursor = cursor, .follow = true });
        read_to_end(b);
        assert_string_equal(said(b), "0 1 2 ");
}

static void a_reader_may_be_freed_at_any_time(void **state)
{
        struct bench *b = *state;

        say(b, "one");
        wait_for_journal(b);
        begin(b, &(struct journal_options){ .tail = -1, .follow = true });
        ask(b, JOURNAL_NOW, NULL);
        b->reader = journal_reader_free(b->reader); /* its slice waits or runs */
        while (b->reading)
                run_loop(b->loop, "no drop");
        assert_int_equal(b->dropped, 1);
        begin(b, &(struct journal_options){ .tail = 0, .follow = true });
        ask(b, JOURNAL_NEWS, NULL);
        run_loop_for(b->loop, 200 * USEC_PER_MSEC, "nothing");
        assert_true(b->reading);
        b->reader = journal_reader_free(b->reader); /* it waits for news */
        assert_int_equal(b->dropped, 2);
        assert_int_equal(b->batches, 0);
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
        do {
                ask(b, JOURNAL_NOW, NULL);
                while (b->reading)
                        run_loop(b->loop, "no batch");
        } while (b->batch.error == 0 && !b->batch.level);
        assert_true(b->tape.entries < 500);
}

static void what_cannot_be_opened_says_so(void **state)
{
        static const char *const nowhere[] = { "/nowhere/a.journal", NULL };
        struct bench *b = *state;

        (void) journal_free(b->journal);
        b->journal = journal_new(b->loop, nowhere);
        begin(b, &(struct journal_options){ .tail = -1 });
        ask(b, JOURNAL_NOW, NULL);
        while (b->reading)
                run_loop(b->loop, "no batch");
        assert_int_equal(b->batch.error, -ENOENT);
}

/* --- following ------------------------------------------------------------ */

/* The freshly installed gear: seek_tail and previous alone lost nearly all of these. */
static void a_follower_of_a_unit_without_entries_gets_all_that_come(void **state)
{
        enum { MANY = 6000 };
        struct bench *b = *state;

        record(b, "_SYSTEMD_UNIT=gear-2.service\nMESSAGE=foreign\n");
        wait_for_journal(b);
        begin(b, &(struct journal_options){ .tail = 0, .follow = true });
        read_to_end(b);
        assert_int_equal(b->tape.entries, 0);
        ask(b, JOURNAL_NEWS, NULL);
        say_numbers(b, 0, MANY);
        while (b->reading)
                run_loop(b->loop, "no batch");
        read_until(b, MANY);
        check_numbers(said(b), MANY);
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
                read_to_end(b);
                say(b, "new");
                read_until(b, rows[i].tail < 0 ? 3 : (unsigned) rows[i].tail + 1);
                assert_string_equal(said(b), rows[i].said);
                assert_int_equal(tear_down(state), 0);
                assert_int_equal(set_up(&again), 0);
                *state = b = again;
        }
}

static void who_hurries_does_not_wait_for_news(void **state)
{
        struct bench *b = *state;

        say(b, "a");
        wait_for_journal(b);
        begin(b, &(struct journal_options){ .tail = 0, .follow = true });
        ask(b, JOURNAL_NEWS, NULL);
        run_loop_for(b->loop, 100 * USEC_PER_MSEC, "nothing");
        assert_true(b->reading);
        journal_reader_hurry(b->reader);
        while (b->reading)
                run_loop(b->loop, "no batch");
        assert_true(b->batch.level);
        assert_int_equal(b->tape.entries, 0);
}

/* Whoever is behind reads up to the other, and then both go on with the same entry. */
static void two_readers_meet(void **state)
{
        struct bench *b = *state;
        _cleanup_(journal_reader_freep) struct journal_reader *ahead = NULL;
        struct journal_hooks with = hooks(b);

        say_numbers(b, 0, 10);
        finish_writing(b);
        b->tape.enough_after = 7;
        begin(b, &(struct journal_options){ .tail = -1, .cursors = true });
        read_batch(b, JOURNAL_NOW, NULL);
        ahead = journal_reader_copy(b->reader, &with);
        assert_true(journal_reader_is_at(ahead, b->reader));
        assert_true(journal_reader_looks_at_same(ahead, b->reader));
        b->tape.enough_after = 3;
        begin(b, &(struct journal_options){ .tail = -1, .cursors = true });
        read_batch(b, JOURNAL_NOW, ahead);
        assert_false(b->batch.met);
        assert_false(journal_reader_is_at(ahead, b->reader));
        b->tape.enough_after = 0;
        read_batch(b, JOURNAL_NOW, ahead);
        assert_true(b->batch.met);
        assert_true(journal_reader_is_at(ahead, b->reader));
        check_numbers(said(b), 7);
        read_to_end(b);
        read_batch(b, JOURNAL_NOW, ahead); /* the other is behind */
        assert_false(b->batch.met);
        assert_true(b->batch.level);
        check_numbers(said(b), 10);
}

/* As a disk that fails; libsystemd has mapped what is not there any more. */
static void a_file_that_is_cut_off_ends_the_reading(void **state)
{
        struct bench *b = *state;

        assert_int_equal(mapped_guard(), 0);
        for (int i = 0; i < 200; i++)
                say(b, "x");
        wait_for_journal(b);
        finish_writing(b);
        begin(b, &(struct journal_options){ .tail = -1 });
        b->tape.enough_after = 10;
        read_batch(b, JOURNAL_NOW, NULL);
        assert_int_equal(truncate(b->path, 4096), 0);
        ask(b, JOURNAL_NOW, NULL);
        while (b->reading)
                run_loop(b->loop, "no batch");
        assert_int_equal(b->batch.error, -EIO);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(places_and_scopes),
                TEST(nobody_walks_back_over_former_gears),
                TEST(a_clock_set_back_hides_nothing),
                TEST(a_clock_set_back_before_shows_nothing),
                TEST(marks_of_runs_in_turn_are_told_apart),
                TEST(marks_are_told_from_forgeries),
                TEST(a_service_is_all_of_its_instances),
                TEST(a_part_is_of_the_instance_that_wrote_it),
                TEST(an_instance_s_entry_that_is_being_written_is_not_passed_over),
                TEST(nobody_walks_back_to_before_a_service),
                TEST(the_helper_behind_a_run_tells_its_end),
                TEST(a_line_that_is_being_written_is_not_passed_over),
                TEST(a_line_that_was_being_written_is_looked_for_again),
                TEST(entries_of_every_form),
                TEST(parts_are_put_together),
                TEST(a_line_without_end_waits_for_it),
                TEST(a_line_that_is_too_long_comes_in_pieces),
                TEST(a_long_journal_comes_in_slices),
                TEST(a_batch_ends_where_it_is_told_to),
                TEST(a_cursor_is_gone_on_from),
                TEST(a_gap_is_told_once),
                TEST(what_only_seems_lost_is_no_gap),
                TEST(who_found_nothing_can_begin_again),
                TEST(a_reader_may_be_freed_at_any_time),
                TEST(a_damaged_journal_ends_and_hurts_nobody),
                TEST(a_file_that_is_cut_off_ends_the_reading),
                TEST(what_cannot_be_opened_says_so),
                TEST(a_follower_of_a_unit_without_entries_gets_all_that_come),
                TEST(a_follower_starts_where_it_was_asked_to),
                TEST(who_hurries_does_not_wait_for_news),
                TEST(two_readers_meet),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
