/* SPDX-License-Identifier: Apache-2.0 */

/* Bad days of the database: the process is killed, the disk is full, the file is damaged or gone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "database-scene.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

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

/* --- a file that is none ------------------------------------------------------------------------ */

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

static void execute(const char *path, const char *sql)
{
        sqlite3 *sqlite = NULL;

        assert_int_equal(sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
}

static void spoil_by_older_version(const char *path)
{
        execute(path, "PRAGMA user_version=1");
}

static void spoil_by_newer_version(const char *path)
{
        execute(path, "PRAGMA user_version=99");
}

static void spoil_by_other_program(const char *path)
{
        execute(path, "PRAGMA application_id=1");
}

static void spoil_tables(const char *path)
{
        execute(path, "ALTER TABLE outcomes RENAME TO others");
}

static void spoil_answers(const char *path)
{
        execute(path, "UPDATE outcomes SET answer = substr(answer, 1, 10)");
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

#define MALFORMED "malformed"
#define OTHER_VERSION "it is no database of this version of geard"
#define NO_FILE "it cannot be opened"

static const struct {
        const char *name;
        void (*spoil)(const char *path);
        const char *why;
} spoilt[] = {
        { "no database", spoil_start, OTHER_VERSION },
        { "pages of noise", spoil_middle, MALFORMED },
        { "cut short", spoil_length, MALFORMED },
        { "an older version", spoil_by_older_version, OTHER_VERSION },
        { "a newer version", spoil_by_newer_version, OTHER_VERSION },
        { "another program's", spoil_by_other_program, OTHER_VERSION },
        { "other tables", spoil_tables, "no such table" },
        { "answers cut short", spoil_answers, MALFORMED },
        { "a directory", spoil_by_directory, NO_FILE },
        { "a symlink", spoil_by_link, NO_FILE },
        { "a FIFO", spoil_by_fifo, NO_FILE },
};

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
                if (!strstr(s->why, spoilt[i].why))
                        fail_msg("%s", s->why);
                assert_true(starts_with(s->moved_to, s->path));
                assert_non_null(strstr(s->moved_to, ".damaged-"));
                assert_int_equal(lstat(s->moved_to, &st), 0);
                assert_int_equal(remove(s->moved_to), 0);
                assert_int_equal(stat(s->path, &st), 0);
                assert_int_equal(st.st_mode, S_IFREG | 0600);
        }
}

/* What another program writes into the open file is met when it is read next. */
static void one_spoilt_while_open_is_noticed_by_the_next_start(void **state)
{
        static void (*const spoil[])(const char *path) = { spoil_start, spoil_middle, spoil_length };
        struct scene *s = *state;

        for (size_t i = 0; i < ARRAY_SIZE(spoil); i++) {
                s->losses = 0;
                fill(s, 200);
                open_again(s);
                assert_int_equal(look_for(s, 0), 1);
                spoil[i](s->path);
                intend(s, 1000);
                assert_int_equal(await(s, 1), 0);
                open_again(s);
                intend(s, 1001);
                assert_int_equal(await(s, 1), 0);
                (void) look_for(s, 10);
                assert_int_equal(s->losses, 1);
                assert_int_equal(look_for(s, 1001), 1);
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(what_was_reported_survives_kill_9),
                CASE(a_full_disk_fails_writes_and_no_reads),
                CASE(one_that_does_not_fit_takes_none_along),
                CASE(what_is_spoilt_is_moved_aside),
                CASE(one_spoilt_while_open_is_noticed_by_the_next_start),
                CASE(one_deleted_while_open_is_noticed),
                CASE(its_directory_is_made_and_no_more),
        };

        return cmocka_run_group_tests_name("database-damage", tests, NULL, NULL);
}
