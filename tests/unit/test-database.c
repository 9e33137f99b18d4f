/* SPDX-License-Identifier: Apache-2.0 */

/* The database: what was reported is on the disk, whatever happens to process, disk and file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "run-loop.h"
#include "sys/database-private.h"
#include "util/file.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define HOUR_SEC 3600

struct scene {
        char directory[64], path[96];
        struct loop *loop;
        struct database *db;
        struct database_options options;
        unsigned answers, awaited; /* the loop ends with the last of them */
        unsigned failed;
        struct fault fault; /* the last one */
        size_t found;
        struct database_request row;
        unsigned losses;
        char why[256], moved_to[160];
};

static void on_lost(void *arg, const char *why, const char *moved_to)
{
        struct scene *s = arg;

        s->losses++;
        (void) snprintf(s->why, sizeof s->why, "%s", why);
        (void) snprintf(s->moved_to, sizeof s->moved_to, "%s", moved_to ? moved_to : "");
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

static void on_found(void *arg, struct database_request *rows, size_t n, const struct fault *fault)
{
        struct scene *s = arg;

        database_request_reset(&s->row);
        s->found = n;
        if (n > 0) {
                s->row = rows[0];
                rows[0].outcome = (struct outcome){ 0 };
                rows[0].audit = NULL;
        }
        answered(s, fault);
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
                                                .audit_usec = HOUR_SEC * USEC_PER_SEC,
                                                .audit_bytes = 1 << 30,
                                                .lost = on_lost,
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
        database_request_reset(&s->row);
        r = nftw(s->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(s);
        return r;
}

/* --- requests that are like real ones -------------------------------------------------------- */

static struct database_request numbered(unsigned number)
{
        struct database_request q = { .began_usec = wall_usec(), .kind = "gear", .verb = "create",
                                      .audit = (char *) "{\"user\":\"alice\"}" };

        (void) snprintf(q.principal, sizeof q.principal, "test");
        (void) snprintf(q.id, sizeof q.id, "%032x", number);
        (void) snprintf(q.digest, sizeof q.digest, "%064x", number * 7);
        (void) snprintf(q.resource, sizeof q.resource, "web-%u", number);
        q.keep_until_sec = wall_usec() / USEC_PER_SEC + HOUR_SEC;
        return q;
}

static struct database_request concluded(unsigned number, int code, const char *text)
{
        struct database_request q = numbered(number);

        q.outcome = (struct outcome){ .code = code,
                                      .good = code < 400,
                                      .text = (char *) text,
                                      .json = (char *) "{\"id\":\"web\"}\n",
                                      .headers = (char *) "PortMapping: 80=4000\n" };
        return q;
}

static void intend(struct scene *s, unsigned number)
{
        struct database_request q = numbered(number);

        assert_non_null(database_intend(s->db, &q, on_found, s));
}

static void conclude(struct scene *s, unsigned number, int code, const char *text)
{
        struct database_request q = concluded(number, code, text);

        assert_non_null(database_conclude(s->db, &q, on_written, s));
}

static void find(struct scene *s, unsigned number)
{
        struct database_request q = numbered(number);

        assert_non_null(database_find(s->db, q.principal, q.id, on_found, s));
}

/* How many rows there are of it. */
static size_t look_for(struct scene *s, unsigned number)
{
        find(s, number);
        assert_int_equal(await(s, 1), 0);
        return s->found;
}

static size_t count_unfinished(struct scene *s)
{
        assert_non_null(database_unfinished(s->db, on_found, s));
        assert_int_equal(await(s, 1), 0);
        return s->found;
}

/* --- what is written is read -------------------------------------------------------------------- */

static void an_intent_is_found_as_unfinished(void **state)
{
        struct scene *s = *state;

        intend(s, 1);
        assert_int_equal(s->answers, 0); /* never inside the call */
        assert_int_equal(await(s, 1), 0);
        open_again(s);
        assert_int_equal(count_unfinished(s), 1);
        assert_string_equal(s->row.principal, "test");
        assert_string_equal(s->row.id, numbered(1).id);
        assert_string_equal(s->row.digest, numbered(1).digest);
        assert_string_equal(s->row.kind, "gear");
        assert_string_equal(s->row.verb, "create");
        assert_string_equal(s->row.resource, "web-1");
        assert_string_equal(s->row.audit, "{\"user\":\"alice\"}");
        assert_int_equal(s->row.outcome.code, 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->row.outcome.code, 0);
        assert_int_equal(look_for(s, 2), 0);
}

static void an_outcome_takes_the_place_of_its_intent(void **state)
{
        struct scene *s = *state;

        intend(s, 1);
        conclude(s, 1, 201, "Gear web is running\n");
        assert_int_equal(await(s, 2), 0);
        open_again(s);
        assert_int_equal(count_unfinished(s), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->row.outcome.code, 201);
        assert_true(s->row.outcome.good);
        assert_string_equal(s->row.outcome.text, "Gear web is running\n");
        assert_string_equal(s->row.outcome.json, "{\"id\":\"web\"}\n");
        assert_string_equal(s->row.outcome.headers, "PortMapping: 80=4000\n");
        assert_string_equal(s->row.resource, "web-1");
        assert_string_equal(s->row.digest, numbered(1).digest);
        assert_true(s->row.keep_until_sec >= wall_usec() / USEC_PER_SEC);
}

static void the_second_try_stands_before_the_failure_of_the_first(void **state)
{
        struct scene *s = *state;

        conclude(s, 1, 500, "it did not start\n");
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_false(s->row.outcome.good);
        intend(s, 1);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->row.outcome.code, 0);
        conclude(s, 1, 201, "it did\n");
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->row.outcome.code, 201);
}

/* --- answers ----------------------------------------------------------------------------------- */

/* As long as the JSON that is kept may be, and of every byte that text may hold. */
static char *varied(void)
{
        char *text = malloc(REQUEST_JSON_MAX + 1);

        assert_non_null(text);
        for (size_t i = 0; i < REQUEST_JSON_MAX; i++)
                text[i] = (char) (i * 31 % 255 + 1);
        text[REQUEST_JSON_MAX] = '\0';
        return text;
}

static void an_answer_unpacks_as_it_was(void **state _unused_)
{
        _cleanup_free_ char *all = varied();
        const struct outcome answers[] = {
                { .text = NULL },
                { .text = (char *) "Gear web is running\n" },
                { .json = (char *) "{}\n" },
                { .headers = (char *) "Location: /container/web/status\nx-PortMapping: 80:4000\n" },
                { .text = all, .json = all, .headers = all },
        };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                _cleanup_text_ struct text packed = { 0 };
                struct outcome outcome = { 0 };

                assert_int_equal(pack_answer(&answers[i], &packed), SQLITE_OK);
                assert_int_equal(unpack_answer(packed.data, packed.len, &outcome), SQLITE_OK);
                assert_true(streq_null(outcome.text, answers[i].text));
                assert_true(streq_null(outcome.json, answers[i].json));
                assert_true(streq_null(outcome.headers, answers[i].headers));
                outcome_reset(&outcome);
        }
}

/* The dictionary earns its place only as long as it is like what is answered. */
static void an_answer_is_mostly_in_the_dictionary(void **state _unused_)
{
        static const char json[] =
                "{\"id\":\"shop\",\"image\":\"registry.example.org/shop/web:2.17\",\"state\":\"running\",\"unit\":{"
                "\"name\":\"gear-shop.service\",\"active\":\"active\",\"sub\":\"running\",\"result\":\"success\"},"
                "\"container\":\"3f1b09d2c47a\",\"health\":null,\"ports\":[{\"internal\":80,\"external\":4021,"
                "\"protocol\":\"tcp\"}],\"labels\":{},\"user\":\"alice\",\"created\":\"2027-03-05T14:32:17Z\","
                "\"since\":\"2027-03-05T14:32:18Z\",\"restarts\":0}\n";
        const struct outcome answer = {
                .text = (char *) "Gear shop is running\n",
                .json = (char *) json,
                .headers = (char *) "Location: /container/shop/status\nx-PortMapping: 80:4021\n",
        };
        _cleanup_text_ struct text packed = { 0 };

        assert_int_equal(pack_answer(&answer, &packed), SQLITE_OK);
        assert_in_range(packed.len, 1, (strlen(answer.text) + strlen(answer.json) + strlen(answer.headers)) / 3);
}

static void an_answer_that_was_changed_is_damage(void **state _unused_)
{
        const struct outcome answer = { .text = (char *) "Gear web is running\n", .json = (char *) "{\"id\":\"web\"}\n" };
        _cleanup_text_ struct text packed = { 0 };
        struct outcome outcome = { 0 };

        assert_int_equal(pack_answer(&answer, &packed), SQLITE_OK);
        for (size_t n = 0; n < packed.len; n++) {
                assert_int_equal(unpack_answer(packed.data, n, &outcome), SQLITE_CORRUPT);
                packed.data[n] ^= 0x10;
                assert_int_equal(unpack_answer(packed.data, packed.len, &outcome), SQLITE_CORRUPT);
                packed.data[n] ^= 0x10;
        }
        assert_null(outcome.text);
}

static void an_answer_that_is_too_long_is_refused_both_ways(void **state)
{
        struct scene *s = *state;
        char *text = malloc(DATABASE_ANSWER_MAX + 1);

        assert_non_null(text);
        (void) memset(text, 'x', DATABASE_ANSWER_MAX);
        text[DATABASE_ANSWER_MAX] = '\0';
        conclude(s, 1, 201, text);
        assert_int_equal(await(s, 1), 1);
        assert_int_equal(s->losses, 0);
        text[DATABASE_ANSWER_MAX - 1000] = '\0';
        conclude(s, 1, 201, text);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_string_equal(s->row.outcome.text, text);
        free(text);
}

static void an_intent_gives_way_to_what_went_well_or_is_under_way(void **state)
{
        struct scene *s = *state;

        intend(s, 1);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(s->found, 0);
        intend(s, 1);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(s->found, 1);
        assert_int_equal(s->row.outcome.code, 0);
        conclude(s, 1, 201, "it runs\n");
        intend(s, 1);
        assert_int_equal(await(s, 2), 0);
        assert_int_equal(s->found, 1);
        assert_string_equal(s->row.outcome.text, "it runs\n");
        assert_int_equal(count_unfinished(s), 0);
}

static void what_is_withdrawn_was_never_asked_for(void **state)
{
        struct scene *s = *state;
        struct database_request q = numbered(1);

        intend(s, 1);
        assert_non_null(database_withdraw(s->db, q.principal, q.id, on_written, s));
        assert_int_equal(await(s, 2), 0);
        assert_int_equal(look_for(s, 1), 0);
        assert_int_equal(count_unfinished(s), 0);
}

static void no_memory_is_shared_through_a_file(void **state)
{
        struct scene *s = *state;
        char shared[112];

        (void) snprintf(shared, sizeof shared, "%s-shm", s->path);
        for (unsigned i = 0; i < 2; i++) {
                intend(s, i);
                assert_int_equal(await(s, 1), 0);
                assert_int_equal(access(shared, F_OK), -1);
                open_again(s);
        }
}

static void ids_belong_to_their_principals(void **state)
{
        struct scene *s = *state;
        struct database_request q = concluded(1, 201, "mine\n");

        assert_non_null(database_conclude(s->db, &q, on_written, s));
        assert_int_equal(await(s, 1), 0);
        assert_non_null(database_find(s->db, "uid:0", q.id, on_found, s));
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(s->found, 0);
}

static void what_waits_together_is_committed_together(void **state)
{
        struct scene *s = *state;

        for (unsigned i = 0; i < 200; i++)
                intend(s, i);
        assert_int_equal(await(s, 200), 0);
        assert_in_range(database_counters(s->db).commits, 1, 2);
        assert_int_equal(database_counters(s->db).operations, 200);
        assert_int_equal(count_unfinished(s), 200);
}

static void a_cancelled_callback_is_not_called_but_the_write_is_made(void **state)
{
        struct scene *s = *state;
        struct database_request q = numbered(1);

        assert_null(database_cancel(database_intend(s->db, &q, on_found, s)));
        intend(s, 2);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
}

static void what_waits_at_the_end_is_written(void **state)
{
        struct scene *s = *state;

        for (unsigned i = 0; i < 100; i++)
                intend(s, i);
        open_again(s);
        assert_int_equal(s->answers, 0);
        assert_int_equal(count_unfinished(s), 100);
}

/* --- kill -9 ----------------------------------------------------------------------------------------- */

#define KILLS 10

struct writer {
        struct scene *scene;
        unsigned number;
        int told; /* a pipe */
};

static void write_next(struct writer *w);
static void on_durable(void *arg, const struct fault *fault);

static void on_intended(void *arg, struct database_request *rows _unused_, size_t n _unused_,
                        const struct fault *fault)
{
        on_durable(arg, fault);
}

static void on_durable(void *arg, const struct fault *fault)
{
        struct writer *w = arg;

        if (fault || write(w->told, &w->number, sizeof w->number) != sizeof w->number)
                _exit(1);
        w->number++;
        write_next(w);
}

static void write_next(struct writer *w)
{
        struct database_request q =
                w->number % 2 ? concluded(w->number, 201, "done\n") : numbered(w->number);

        if (w->number % 2 ? !database_conclude(w->scene->db, &q, on_durable, w)
                          : !database_intend(w->scene->db, &q, on_intended, w))
                _exit(1);
}

/* Writes one after the other, and says so of each, until it is killed. */
static pid_t fork_writer(struct scene *s, unsigned first, int *ret_told)
{
        int ends[2];
        pid_t pid;

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                struct writer w = { .scene = s, .number = first, .told = ends[1] };

                s->loop = loop_new();
                open_database(s);
                write_next(&w);
                (void) loop_run(s->loop);
                _exit(1);
        }
        (void) close(ends[1]);
        *ret_told = ends[0];
        return pid;
}

/* One past the last that the writer reported before it was killed after so many. */
static unsigned kill_writer(struct scene *s, unsigned first, unsigned after)
{
        unsigned number = first, last;
        int told = -1, status;
        pid_t pid = fork_writer(s, first, &told);

        for (unsigned i = 0; i < after; i++)
                assert_int_equal(read(told, &number, sizeof number), sizeof number);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        while (read(told, &last, sizeof last) == sizeof last)
                number = last;
        (void) close(told);
        return number + 1;
}

static void what_was_reported_survives_kill_9(void **state)
{
        struct scene *s = *state;
        unsigned end = 0;

        s->db = database_free(s->db);
        for (unsigned i = 0; i < KILLS; i++)
                end = kill_writer(s, end, 5 + 3 * i);
        open_database(s);
        for (unsigned i = 0; i < end; i++) {
                if (look_for(s, i) != 1)
                        fail_msg("%u of %u was reported and is gone", i, end);
                assert_int_equal(s->row.outcome.code, i % 2 ? 201 : 0);
        }
        assert_int_equal(s->losses, 0);
}

/* --- a full disk -------------------------------------------------------------------------------------- */

/* Text that hardly becomes shorter. */
static char *noise(size_t n)
{
        char *text = malloc(n + 1);
        uint64_t bits = 1;

        assert_non_null(text);
        for (size_t i = 0; i < n; i++) {
                bits = bits * UINT64_C(6364136223846793005) + 1442695040888963407;
                text[i] = (char) ('A' + (bits >> 59));
        }
        text[n] = '\0';
        return text;
}

static void a_full_disk_fails_writes_and_no_reads(void **state)
{
        struct scene *s = *state;
        char *long_text = noise(100000);
        unsigned written = 0;

        conclude(s, 0, 201, "the first\n");
        assert_int_equal(await(s, 1), 0);
        (void) signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(limit_files(512 * 1024), 0);
        do {
                conclude(s, ++written, 201, long_text);
        } while (await(s, 1) == 0 && written < 1000);
        assert_int_equal(s->fault.kind, FAULT_NO_SPACE);
        assert_in_range(written, 2, 100);
        assert_int_equal(look_for(s, 0), 1);
        assert_int_equal(look_for(s, written), 0);
        assert_int_equal(look_for(s, written - 1), 1);
        assert_int_equal(limit_files(RLIM_INFINITY), 0);
        conclude(s, written, 201, long_text);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, written), 1);
        assert_int_equal(s->losses, 0);
        free(long_text);
}

static void one_that_does_not_fit_takes_none_along(void **state)
{
        struct scene *s = *state;
        char *long_text = noise(1000000);

        intend(s, 0);
        assert_int_equal(await(s, 1), 0);
        (void) signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(limit_files(256 * 1024), 0);
        for (unsigned i = 1; i <= 10; i++)
                conclude(s, i, 201, i == 5 ? long_text : "short\n");
        assert_int_equal(await(s, 10), 1);
        assert_int_equal(s->fault.kind, FAULT_NO_SPACE);
        for (unsigned i = 1; i <= 10; i++)
                assert_int_equal(look_for(s, i), i == 5 ? 0 : 1);
        assert_int_equal(limit_files(RLIM_INFINITY), 0);
        free(long_text);
}

/* --- a file that is none ----------------------------------------------------------------------------------
 */

static void write_file(const char *path, const char *bytes, size_t n)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, n), n);
        (void) close(fd);
}

static void spoil_start(const char *path)
{
        write_file(path,
                   "this is no database, and longer than the header of one would have to be, which is 100 "
                   "bytes "
                   "or so, all told\n",
                   108);
}

static void spoil_middle(const char *path)
{
        char noise[4096];
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        struct stat st;

        (void) memset(noise, 0xa5, sizeof noise);
        assert_int_equal(fstat(fd, &st), 0);
        for (off_t at = 4096; at < st.st_size; at += 4096)
                assert_int_equal(pwrite(fd, noise, sizeof noise, at), sizeof noise);
        (void) close(fd);
}

static void spoil_length(const char *path)
{
        assert_int_equal(truncate(path, 5000), 0);
}

/* Bytes 60 to 63 of the header are the version of the tables. */
static void spoil_version(const char *path)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        assert_int_equal(pwrite(fd, "\0\0\0\x63", 4, 60), 4);
        (void) close(fd);
}

static void spoil_by_directory(const char *path)
{
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0700), 0);
}

static void spoil_by_link(const char *path)
{
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("/dev/null", path), 0);
}

static void spoil_by_fifo(const char *path)
{
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
}

static const struct {
        const char *name;
        void (*spoil)(const char *path);
} spoilt[] = {
        { "no database", spoil_start },        { "pages of noise", spoil_middle },
        { "cut short", spoil_length },         { "another version", spoil_version },
        { "a directory", spoil_by_directory }, { "a symlink", spoil_by_link },
        { "a FIFO", spoil_by_fifo },
};

static void fill(struct scene *s, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                conclude(s, i, 201, "before\n");
        assert_int_equal(await(s, n), 0);
}

static void what_is_spoilt_is_moved_aside(void **state)
{
        struct scene *s = *state;
        struct stat st;

        for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++) {
                print_message("%s\n", spoilt[i].name);
                s->losses = 0;
                fill(s, 200);
                s->db = database_free(s->db);
                spoilt[i].spoil(s->path);
                open_database(s);
                intend(s, 1000);
                assert_int_equal(await(s, 1), 0);
                (void) look_for(s, 10);
                assert_int_equal(s->found, 0);
                assert_int_equal(s->losses, 1);
                assert_true(s->why[0]);
                assert_true(starts_with(s->moved_to, s->path));
                assert_non_null(strstr(s->moved_to, ".damaged-"));
                assert_int_equal(lstat(s->moved_to, &st), 0);
                assert_int_equal(remove(s->moved_to), 0);
                assert_int_equal(stat(s->path, &st), 0);
                assert_int_equal(st.st_mode, S_IFREG | 0600);
        }
}

static void one_deleted_while_open_is_noticed(void **state)
{
        struct scene *s = *state;

        fill(s, 10);
        assert_int_equal(unlink(s->path), 0);
        conclude(s, 11, 201, "after\n");
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(s->losses, 1);
        assert_string_equal(s->moved_to, "");
        assert_int_equal(access(s->path, F_OK), 0);
        open_again(s);
        assert_int_equal(look_for(s, 11), 1);
        assert_int_equal(look_for(s, 1), 0);
        assert_int_equal(s->losses, 1);
}

static void its_directory_is_made_and_no_more(void **state)
{
        struct scene *s = *state;
        char parent[72];

        s->db = database_free(s->db);
        (void) snprintf(parent, sizeof parent, "%s/a", s->directory);
        (void) snprintf(s->path, sizeof s->path, "%s/b/geard.db", parent);
        open_database(s);
        intend(s, 1);
        assert_int_equal(await(s, 1), 1);
        assert_int_equal(s->fault.kind, FAULT_INTERNAL);
        assert_int_equal(mkdir(parent, 0755), 0);
        intend(s, 1);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->losses, 0);
}

/* --- forgetting
 * ---------------------------------------------------------------------------------------------- */

struct pruning {
        struct scene *scene;
        uint64_t now_sec;
        unsigned slices;
};

static void on_pruned(void *arg, bool more)
{
        struct pruning *p = arg;

        p->slices++;
        if (more)
                assert_non_null(database_submit(p->scene->db, prune_requests_new(p->now_sec, on_pruned, p)));
        else
                answered(p->scene, NULL);
}

static void what_nobody_may_repeat_is_forgotten(void **state)
{
        struct scene *s = *state;
        struct pruning p = { .scene = s, .now_sec = wall_usec() / USEC_PER_SEC };

        for (unsigned i = 0; i < 1200; i++) {
                struct database_request q = concluded(i, 201, "done\n");

                q.keep_until_sec = i < 1100 ? p.now_sec - 1 : p.now_sec + 1;
                assert_non_null(database_conclude(s->db, &q, on_written, s));
        }
        assert_int_equal(await(s, 1200), 0);
        assert_non_null(database_submit(s->db, prune_requests_new(p.now_sec, on_pruned, &p)));
        assert_int_equal(await(s, 1), 0);
        assert_in_range(p.slices, 3, 10);
        assert_int_equal(look_for(s, 0), 0);
        assert_int_equal(look_for(s, 1099), 0);
        assert_int_equal(look_for(s, 1100), 1);
        assert_int_equal(look_for(s, 1199), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                CASE(an_intent_is_found_as_unfinished),
                CASE(an_outcome_takes_the_place_of_its_intent),
                CASE(the_second_try_stands_before_the_failure_of_the_first),
                CASE(an_answer_unpacks_as_it_was),
                CASE(an_answer_is_mostly_in_the_dictionary),
                CASE(an_answer_that_was_changed_is_damage),
                CASE(an_answer_that_is_too_long_is_refused_both_ways),
                CASE(an_intent_gives_way_to_what_went_well_or_is_under_way),
                CASE(what_is_withdrawn_was_never_asked_for),
                CASE(no_memory_is_shared_through_a_file),
                CASE(ids_belong_to_their_principals),
                CASE(what_waits_together_is_committed_together),
                CASE(a_cancelled_callback_is_not_called_but_the_write_is_made),
                CASE(what_waits_at_the_end_is_written),
                CASE(what_was_reported_survives_kill_9),
                CASE(a_full_disk_fails_writes_and_no_reads),
                CASE(one_that_does_not_fit_takes_none_along),
                CASE(what_is_spoilt_is_moved_aside),
                CASE(one_deleted_while_open_is_noticed),
                CASE(its_directory_is_made_and_no_more),
                CASE(what_nobody_may_repeat_is_forgotten),
        };

        return cmocka_run_group_tests_name("database", tests, NULL, NULL);
}
