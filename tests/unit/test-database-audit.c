/* SPDX-License-Identifier: Apache-2.0 */

/* The audit trail in its database: one unbroken chain, whatever happens to disk, process and file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "run-loop.h"
#include "sys/database-audit-private.h"

#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>

#define PAGE 4

struct scene {
        char directory[64], path[96];
        struct loop *loop;
        struct database *db;
        struct database_options options;
        unsigned answers, awaited; /* the loop ends with the last of them */
        unsigned failed;
        struct fault fault; /* the last one */
        unsigned losses;
        struct audit_record page[AUDIT_PAGE_MAX];
        size_t n_page;
        uint64_t next;
        bool end, more;
        unsigned told, told_found;
        struct audit_record last_told; /* without its words */
};

static void on_lost(void *arg, const char *why _unused_, const char *moved_to _unused_)
{
        ((struct scene *) arg)->losses++;
}

static void on_audited(void *arg, const struct audit_record *record, bool found)
{
        struct scene *s = arg;

        s->told++;
        s->told_found += found;
        s->last_told = *record;
}

static void answered(struct scene *s, const struct fault *fault)
{
        if (fault) {
                s->failed++;
                s->fault = *fault;
        }
        if (++s->answers == s->awaited)
                loop_stop(s->loop);
}

static void on_written(void *arg, const struct fault *fault)
{
        answered(arg, fault);
}

/* Runs the loop until so many answers have come; how many of them were faults. */
static unsigned await(struct scene *s, unsigned answers)
{
        unsigned failed;

        s->awaited = answers;
        if (s->answers < answers)
                run_loop(s->loop, "not all answers came");
        failed = s->failed;
        s->answers = s->failed = 0;
        return failed;
}

static void open_database(struct scene *s)
{
        s->db = database_new(s->loop, s->path, &s->options);
        assert_non_null(s->db);
}

static void open_again(struct scene *s)
{
        s->db = database_free(s->db);
        open_database(s);
}

static int set_up(void **state)
{
        struct scene *s = calloc(1, sizeof *s);

        if (!s)
                return -1;
        (void) snprintf(s->directory, sizeof s->directory, "/tmp/geard-test-database.XXXXXX");
        if (!mkdtemp(s->directory))
                return -1;
        (void) snprintf(s->path, sizeof s->path, "%s/geard.db", s->directory);
        s->options = (struct database_options){ .cache_bytes = 1 << 20,
                                                .audit_usec = USEC_NEVER,
                                                .audit_bytes = UINT64_MAX,
                                                .lost = on_lost,
                                                .audited = on_audited,
                                                .arg = s };
        s->loop = loop_new();
        open_database(s);
        *state = s;
        return s->loop ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st _unused_, int what _unused_,
                      struct FTW *ftw _unused_)
{
        return remove(path);
}

static void drop_page(struct scene *s)
{
        for (size_t i = 0; i < s->n_page; i++)
                audit_record_reset(&s->page[i]);
        s->n_page = 0;
}

static int limit_files(rlim_t bytes)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
                return -1;
        limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
        return setrlimit(RLIMIT_FSIZE, &limit);
}

static int tear_down(void **state)
{
        struct scene *s = *state;
        int r;

        (void) limit_files(RLIM_INFINITY);
        s->db = database_free(s->db);
        s->loop = loop_free(s->loop);
        drop_page(s);
        r = nftw(s->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(s);
        return r;
}

/* --- writing and reading --------------------------------------------------------------------------- */

/* took_usec tells them apart. */
static void audit_at(struct scene *s, uint64_t at_usec, unsigned number, const char *principal,
                     const char *said)
{
        const struct audit_record record = {
                .at_usec = at_usec,
                .took_usec = number,
                .code = number % 3 ? 201 : 403,
                .words = { [AUDIT_PRINCIPAL] = (char *) principal,
                           [AUDIT_VERB] = (char *) "create",
                           [AUDIT_USER] = (char *) "",
                           [AUDIT_SAID] = (char *) said },
        };

        assert_int_equal(database_audit(s->db, &record, on_written, s), 0);
}

static void audit(struct scene *s, unsigned number, const char *principal)
{
        audit_at(s, wall_usec(), number, principal, NULL);
}

static void audit_many(struct scene *s, unsigned first, unsigned n, uint64_t at_usec)
{
        for (unsigned i = 0; i < n; i++)
                audit_at(s, at_usec, first + i, "many", NULL);
        assert_int_equal(await(s, n), 0);
}

static void on_page(void *arg, const struct audit_page *page, const struct fault *fault)
{
        struct scene *s = arg;

        drop_page(s);
        assert_in_range(page->n, 0, ARRAY_SIZE(s->page));
        for (size_t i = 0; i < page->n; i++)
                assert_int_equal(audit_record_copy(&page->records[i], &s->page[i]), 0);
        s->n_page = page->n;
        s->next = page->next;
        s->end = page->end;
        answered(s, fault);
}

static void read_page(struct scene *s, const struct audit_query *query)
{
        assert_non_null(database_audit_read(s->db, query, on_page, s));
        assert_int_equal(await(s, 1), 0);
}

static uint64_t took(const struct scene *s, size_t i)
{
        assert_in_range(i, 0, s->n_page - 1);
        return s->page[i].took_usec;
}

/* All there are, oldest first, chained to what the first is chained to; how many. */
static size_t walk(struct scene *s, const char *start)
{
        char hash[DIGEST_HEX_LEN + 1], previous[DIGEST_HEX_LEN + 1];
        uint64_t number = 0;
        size_t n = 0;

        (void) snprintf(previous, sizeof previous, "%s", start ? start : "");
        s->end = false;
        s->next = 0;
        while (!s->end) {
                const struct audit_query query = { .oldest_first = true, .from = s->next };

                read_page(s, &query);
                for (size_t i = 0; i < s->n_page; i++, n++) {
                        if (n == 0 && !start)
                                (void) snprintf(previous, sizeof previous, "%s", s->page[i].trail);
                        if (n > 0)
                                assert_int_equal(s->page[i].number, number + 1);
                        assert_int_equal(audit_hash(previous, &s->page[i], hash), 0);
                        assert_string_equal(hash, s->page[i].hash);
                        (void) snprintf(previous, sizeof previous, "%s", hash);
                        number = s->page[i].number;
                }
        }
        return n;
}

static void records_come_in_pages_from_either_end(void **state)
{
        struct scene *s = *state;
        struct audit_query query = { .limit = PAGE };

        for (unsigned i = 0; i < 10; i++)
                audit(s, i, i % 2 ? "odd" : "even");
        assert_int_equal(await(s, 10), 0);
        read_page(s, &query);
        assert_int_equal(s->n_page, PAGE);
        for (unsigned i = 0; i < PAGE; i++)
                assert_int_equal(took(s, i), 9 - i);
        assert_string_equal(s->page[0].words[AUDIT_PRINCIPAL], "odd");
        assert_string_equal(s->page[0].words[AUDIT_USER], "");
        assert_null(s->page[0].words[AUDIT_RESOURCE]);
        assert_false(s->end);
        query.from = s->next;
        read_page(s, &query);
        assert_int_equal(took(s, 0), 5);
        query.from = s->next;
        read_page(s, &query);
        assert_int_equal(s->n_page, 2);
        assert_true(s->end);

        query = (struct audit_query){ .limit = PAGE, .oldest_first = true };
        read_page(s, &query);
        assert_int_equal(took(s, 0), 0);
        assert_int_equal(took(s, 3), 3);
        assert_false(s->end);
        query.from = 8;
        read_page(s, &query);
        assert_int_equal(s->n_page, 2);
        assert_true(s->end);
        query.from = s->next;
        read_page(s, &query);
        assert_int_equal(s->n_page, 0);
        assert_true(s->end);
        audit(s, 10, "late");
        assert_int_equal(await(s, 1), 0);
        read_page(s, &query);
        assert_int_equal(s->n_page, 1);
        assert_string_equal(s->page[0].words[AUDIT_PRINCIPAL], "late");
}

static void an_empty_trail_is_one_empty_page(void **state)
{
        struct scene *s = *state;

        for (int forward = 0; forward < 2; forward++) {
                const struct audit_query query = { .oldest_first = forward };

                read_page(s, &query);
                assert_int_equal(s->n_page, 0);
                assert_true(s->end);
        }
}

static void only_what_matches_is_read(void **state)
{
        struct scene *s = *state;
        static const struct {
                struct audit_query query;
                size_t n;
        } cases[] = {
                { { .principal = "odd" }, 5 },
                { { .principal = "even", .oldest_first = true }, 5 },
                { { .principal = "none" }, 0 },
                { { .user = "" }, 10 },
                { { .user = "odd" }, 0 },
                { { .resource = "odd" }, 0 },
                { { .request = "odd" }, 0 },
                { { .verb = "create" }, 10 },
                { { .verb = "delete" }, 0 },
                { { .code_min = 400 }, 4 },
                { { .since_usec = 1005 }, 5 },
                { { .until_usec = 1004 }, 5 },
                { { .since_usec = 1003, .until_usec = 1006, .principal = "odd" }, 2 },
        };

        for (unsigned i = 0; i < 10; i++)
                audit_at(s, 1000 + i, i, i % 2 ? "odd" : "even", NULL);
        assert_int_equal(await(s, 10), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                read_page(s, &cases[i].query);
                if (s->n_page != cases[i].n)
                        fail_msg("case %zu: %zu records, not %zu", i, s->n_page, cases[i].n);
        }
}

/* --- the chain ---------------------------------------------------------------------------------------- */

static void the_chain_goes_on_after_a_restart(void **state)
{
        struct scene *s = *state;
        char trail[AUDIT_TRAIL_LEN + 1];

        audit_many(s, 0, 20, wall_usec());
        assert_int_equal(s->told, 20);
        assert_int_equal(walk(s, NULL), 20);
        memcpy(trail, s->page[0].trail, sizeof trail);
        assert_string_equal(s->last_told.hash, s->page[19].hash);
        assert_string_equal(s->last_told.trail, trail);
        open_again(s);
        audit_many(s, 20, 20, wall_usec());
        assert_int_equal(s->told, 20 + 1 + 20);
        assert_int_equal(walk(s, NULL), 40);
        assert_string_equal(s->page[39].trail, trail);
}

/* A crash may have come between the disk and who is told. */
static void the_newest_is_told_when_the_file_is_opened(void **state)
{
        struct scene *s = *state;
        const struct audit_record record = { .took_usec = 5 };

        s->options.audited = NULL;
        open_again(s);
        assert_int_equal(database_audit(s->db, &record, NULL, NULL), 0);
        s->options.audited = on_audited;
        open_again(s);
        read_page(s, &(struct audit_query){ .limit = 1 });
        assert_int_equal(s->told, 1);
        assert_int_equal(s->told_found, 1);
        assert_int_equal(s->last_told.number, 1);
        assert_string_equal(s->last_told.hash, s->page[0].hash);
        assert_string_equal(s->last_told.trail, s->page[0].trail);
}

/* Those that nobody waits for any more, too: written under way, and not even begun. */
static void each_is_told_before_the_end(void **state)
{
        struct scene *s = *state;
        const struct audit_record record = { .took_usec = 5 };

        for (unsigned i = 0; i < 20; i++)
                assert_int_equal(database_audit(s->db, &record, NULL, NULL), 0);
        open_again(s);
        assert_int_equal(s->told, 20);
        assert_int_equal(s->told_found, 0);
        assert_int_equal(s->last_told.number, 20);
}

static void an_outcome_and_its_record_are_one_commit(void **state)
{
        struct scene *s = *state;
        struct audit_record record = { .code = 201, .words = { [AUDIT_VERB] = (char *) "created" } };
        const struct database_request q = { .principal = "test",
                                            .id = "00",
                                            .digest = "00",
                                            .outcome = { .code = 201 },
                                            .record = &record };
        struct database_counters before;

        audit_many(s, 0, 1, 1);
        before = database_counters(s->db);
        assert_non_null(database_conclude(s->db, &q, on_written, s));
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(database_counters(s->db).commits, before.commits + 1);
        assert_int_equal(s->told, 2);
        assert_int_equal(s->last_told.number, 2);
        assert_int_equal(walk(s, NULL), 2);
        assert_string_equal(s->page[1].words[AUDIT_VERB], "created");
        assert_string_equal(s->page[1].hash, s->last_told.hash);
}

static void one_that_does_not_fit_leaves_no_gap(void **state)
{
        struct scene *s = *state;
        const size_t size = DATABASE_ANSWER_MAX - 1024;
        char *long_text = calloc(1, size);
        const struct database_request big = { .principal = "test",
                                              .id = "00",
                                              .digest = "00",
                                              .outcome = { .code = 201, .text = long_text } };

        assert_non_null(long_text);
        srand(1);
        for (size_t i = 0; i < size - 1; i++)
                long_text[i] = (char) ('!' + rand() % 90); /* nothing that could be packed small */
        audit_many(s, 0, 1, 1);
        (void) signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(limit_files(512 * 1024), 0);
        for (unsigned i = 1; i <= 10; i++) {
                audit(s, i, "test");
                if (i == 5)
                        assert_non_null(database_conclude(s->db, &big, on_written, s));
        }
        assert_int_equal(await(s, 11), 1);
        assert_int_equal(s->fault.kind, FAULT_NO_SPACE);
        assert_int_equal(limit_files(RLIM_INFINITY), 0);
        assert_int_equal(s->told, 11);
        assert_int_equal(walk(s, NULL), 11);
        open_again(s);
        assert_int_equal(walk(s, NULL), 11);
        free(long_text);
}

static void a_full_disk_fails_records_and_the_chain_goes_on(void **state)
{
        struct scene *s = *state;
        char said[AUDIT_WORD_MAX + 1];
        unsigned written = 0;

        (void) memset(said, 'x', AUDIT_WORD_MAX);
        said[AUDIT_WORD_MAX] = '\0';
        (void) signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(limit_files(256 * 1024), 0);
        do {
                audit_at(s, 1, written++, "test", said);
        } while (await(s, 1) == 0 && written < 1000);
        assert_int_equal(s->fault.kind, FAULT_NO_SPACE);
        assert_int_equal(s->told, written - 1);
        assert_int_equal(walk(s, NULL), written - 1);
        assert_int_equal(limit_files(RLIM_INFINITY), 0);
        audit_many(s, written, 3, 1);
        assert_int_equal(walk(s, NULL), written + 2);
}

static void a_lost_trail_begins_another(void **state)
{
        struct scene *s = *state;
        char trail[AUDIT_TRAIL_LEN + 1];

        audit_many(s, 0, 5, 1);
        memcpy(trail, s->last_told.trail, sizeof trail);
        assert_int_equal(unlink(s->path), 0);
        audit_many(s, 5, 1, 1);
        assert_int_equal(s->losses, 1);
        assert_string_not_equal(s->last_told.trail, trail);
        assert_int_equal(s->last_told.number, 1);
        assert_int_equal(walk(s, NULL), 1);
}

/* --- rotation -------------------------------------------------------------------------------------------
 */

static void on_cut(void *arg, bool more)
{
        ((struct scene *) arg)->more = more;
        answered(arg, NULL);
}

/* One slice; what is told of it is in last_told. */
static void cut(struct scene *s, uint64_t now_usec, uint64_t keep_usec, uint64_t bytes_max)
{
        const struct audit_bounds bounds = { now_usec, keep_usec, bytes_max };

        assert_non_null(database_submit(s->db, prune_audit_new(&bounds, on_cut, s)));
        assert_int_equal(await(s, 1), 0);
}

#define DAY_USEC (86400 * USEC_PER_SEC)

static void read_newest(struct scene *s)
{
        read_page(s, &(struct audit_query){ .limit = 1 });
        assert_int_equal(s->n_page, 1);
}

static void what_is_too_old_goes_and_that_is_on_record(void **state)
{
        struct scene *s = *state;
        const uint64_t now = 100 * DAY_USEC;
        char hash[DIGEST_HEX_LEN + 1];

        audit_many(s, 0, 10, now - 12 * DAY_USEC);
        memcpy(hash, s->last_told.hash, sizeof hash);
        audit_many(s, 10, 5, now - 10 * DAY_USEC);
        cut(s, now, 11 * DAY_USEC + DAY_USEC / 2, UINT64_MAX); /* too old, but not by a day */
        assert_int_equal(walk(s, NULL), 15);
        cut(s, now, 10 * DAY_USEC + DAY_USEC / 2, UINT64_MAX);
        assert_false(s->more);
        assert_int_equal(s->told, 16);
        assert_int_equal(walk(s, hash), 6);
        read_newest(s);
        assert_int_equal(s->page[0].number, 16);
        assert_string_equal(s->page[0].words[AUDIT_VERB], AUDIT_ROTATE);
        assert_string_equal(s->page[0].words[AUDIT_RESOURCE], "1-10");
        assert_string_equal(s->page[0].words[AUDIT_BEFORE], hash);
        assert_int_equal(s->page[0].code, AUDIT_ROTATED);
        assert_string_equal(s->page[0].hash, s->last_told.hash);
        open_again(s);
        audit_many(s, 16, 1, now);
        assert_int_equal(walk(s, hash), 7);
}

static void what_is_too_much_goes_in_slices(void **state)
{
        struct scene *s = *state;
        const uint64_t now = wall_usec();
        unsigned slices = 0;

        audit_many(s, 0, 2000, now);
        do {
                cut(s, now, USEC_NEVER, 100000);
                slices++;
        } while (s->more);
        assert_in_range(slices, 3, 5);
        read_newest(s);
        assert_true(starts_with(s->page[0].words[AUDIT_RESOURCE], "1001-"));
        assert_in_range(s->page[0].number, 2001, 2005);
        read_page(s, &(struct audit_query){ .oldest_first = true });
        assert_in_range(s->n_page, 500, 1000);
        cut(s, now, USEC_NEVER, 100000);
        read_newest(s);
        assert_in_range(s->page[0].number, 2001, 2005);
}

/* Who sets a record's time back would have us remove it. */
static void what_was_altered_does_not_go_in_silence(void **state)
{
        struct scene *s = *state;
        const uint64_t now = 100 * DAY_USEC;
        sqlite3 *sqlite;

        audit_many(s, 0, 10, now);
        s->db = database_free(s->db);
        assert_int_equal(sqlite3_open(s->path, &sqlite), SQLITE_OK);
        assert_int_equal(sqlite3_exec(sqlite, "UPDATE audit SET at = 1 WHERE number <= 3", NULL, NULL, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
        open_database(s);
        cut(s, now, DAY_USEC, UINT64_MAX);
        read_newest(s);
        assert_string_equal(s->page[0].words[AUDIT_RESOURCE], "1-3");
        assert_int_equal(s->page[0].code, AUDIT_ROTATED_ALTERED);
        assert_non_null(strstr(s->page[0].words[AUDIT_SAID], "3 of them"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                CASE(records_come_in_pages_from_either_end),
                CASE(an_empty_trail_is_one_empty_page),
                CASE(only_what_matches_is_read),
                CASE(the_chain_goes_on_after_a_restart),
                CASE(the_newest_is_told_when_the_file_is_opened),
                CASE(each_is_told_before_the_end),
                CASE(an_outcome_and_its_record_are_one_commit),
                CASE(one_that_does_not_fit_leaves_no_gap),
                CASE(a_full_disk_fails_records_and_the_chain_goes_on),
                CASE(a_lost_trail_begins_another),
                CASE(what_is_too_old_goes_and_that_is_on_record),
                CASE(what_is_too_much_goes_in_slices),
                CASE(what_was_altered_does_not_go_in_silence),
        };

        return cmocka_run_group_tests_name("database-audit", tests, NULL, NULL);
}
