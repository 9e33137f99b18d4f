/* SPDX-License-Identifier: Apache-2.0 */

/* Files: what is read, what is refused, and what stands there after a failure. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/file.h"
#include "util/text.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

struct place {
        char path[64];
        int dir;
};

static int remove_entry(void *arg, const char *name)
{
        const struct place *p = arg;

        if (unlinkat(p->dir, name, 0) < 0 && errno == EISDIR)
                (void) unlinkat(p->dir, name, AT_REMOVEDIR);
        return 0;
}

static int set_up(void **state)
{
        static struct place p;

        (void) snprintf(p.path, sizeof p.path, "/tmp/geard-test-file.XXXXXX");
        if (!mkdtemp(p.path))
                return -1;
        p.dir = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = &p;
        return p.dir < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
        struct place *p = *state;

        (void) dir_each(p->dir, remove_entry, p);
        (void) close(p->dir);
        return rmdir(p->path);
}

static int count_entry(void *arg, const char *name _unused_)
{
        (*(int *) arg)++;
        return 0;
}

static int count(int dir)
{
        int n = 0;

        assert_int_equal(dir_each(dir, count_entry, &n), 0);
        return n;
}

static void replaced_and_read_back(void **state)
{
        const struct place *p = *state;
        _cleanup_free_ char *a = NULL, *b = NULL, *big = NULL, *back = NULL;
        struct stat st;
        size_t n;

        (void) umask(0077);
        assert_int_equal(file_replace_at(p->dir, "x", "one", 3, 0644), 0);
        assert_int_equal(fstatat(p->dir, "x", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(file_read_at(p->dir, "x", 3, &a, &n), 0);
        assert_int_equal(n, 3);
        assert_string_equal(a, "one");

        assert_int_equal(file_replace_at(p->dir, "x", "a\0b", 3, 0600), 0);
        assert_int_equal(file_read_at(p->dir, "x", 100, &b, &n), 0);
        assert_int_equal(n, 3);
        assert_memory_equal(b, "a\0b", 4);
        assert_int_equal(fstatat(p->dir, "x", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);

        big = malloc(300000);
        assert_non_null(big);
        memset(big, 'x', 300000);
        assert_int_equal(file_replace_at(p->dir, "big", big, 300000, 0600), 0);
        assert_int_equal(file_read_at(p->dir, "big", 300000, &back, &n), 0);
        assert_int_equal(n, 300000);
        assert_memory_equal(back, big, n);
        assert_int_equal(count(p->dir), 2); /* no temporary stays */
}

static void empty_files(void **state)
{
        const struct place *p = *state;
        _cleanup_free_ char *s = NULL;
        size_t n = 1;

        assert_int_equal(file_replace_at(p->dir, "x", NULL, 0, 0600), 0);
        assert_int_equal(file_read_at(p->dir, "x", 0, &s, &n), 0);
        assert_int_equal(n, 0);
        assert_string_equal(s, "");
}

static void what_is_refused(void **state)
{
        const struct place *p = *state;
        static const char *const names[] = { "", ".", "..", "a/b", "/etc/passwd", "../x" };
        char *s = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(file_read_at(p->dir, names[i], 10, &s, NULL), -EINVAL);
                assert_int_equal(file_replace_at(p->dir, names[i], "", 0, 0600), -EINVAL);
                assert_int_equal(file_remove_at(p->dir, names[i]), -EINVAL);
                assert_int_equal(file_rename_at(p->dir, "x", p->dir, names[i]), -EINVAL);
                assert_int_equal(dir_open_at(p->dir, names[i], 0700), -EINVAL);
                assert_false(file_exists_at(p->dir, names[i]));
        }
        assert_int_equal(file_read_at(p->dir, "missing", 10, &s, NULL), -ENOENT);
        assert_int_equal(file_replace_at(p->dir, "x", "12345", 5, 0600), 0);
        assert_int_equal(file_read_at(p->dir, "x", 4, &s, NULL), -EFBIG);
        assert_int_equal(symlinkat("x", p->dir, "link"), 0);
        assert_int_equal(file_read_at(p->dir, "link", 10, &s, NULL), -ELOOP);
        assert_true(file_exists_at(p->dir, "link"));
        assert_int_equal(mkfifoat(p->dir, "fifo", 0600), 0);
        assert_int_equal(file_read_at(p->dir, "fifo", 10, &s, NULL), -EINVAL); /* and at once */
        assert_int_equal(mkdirat(p->dir, "dir", 0700), 0);
        assert_int_equal(file_read_at(p->dir, "dir", 10, &s, NULL), -EISDIR);
        assert_int_equal(symlinkat("dir", p->dir, "dirlink"), 0);
        assert_true(dir_open_at(p->dir, "dirlink", 0700) < 0);
        assert_null(s);
}

static void symlinks_are_replaced_not_followed(void **state)
{
        const struct place *p = *state;
        struct stat st;

        assert_int_equal(file_replace_at(p->dir, "target", "safe", 4, 0600), 0);
        assert_int_equal(symlinkat("target", p->dir, "x"), 0);
        assert_int_equal(file_replace_at(p->dir, "x", "new", 3, 0600), 0);
        assert_int_equal(fstatat(p->dir, "x", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISREG(st.st_mode));
        assert_int_equal(fstatat(p->dir, "target", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_size, 4);
}

/* RLIMIT_FSIZE makes write() fail half-way, as a full disk does. */
static void a_failed_replace_leaves_the_old(void **state)
{
        const struct place *p = *state;
        _cleanup_free_ char *s = NULL, *big = calloc(1, 100000);
        struct rlimit old, small;
        int r;

        assert_non_null(big);
        assert_int_equal(file_replace_at(p->dir, "x", "old", 3, 0600), 0);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
        small = old;
        small.rlim_cur = 50000;
        (void) signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        r = file_replace_at(p->dir, "x", big, 100000, 0600);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(r, -EFBIG);
        assert_int_equal(file_read_at(p->dir, "x", 10, &s, NULL), 0);
        assert_string_equal(s, "old");
        assert_int_equal(count(p->dir), 1);
}

/* A directory in the way is what makes the rename itself fail. */
static void a_failed_rename_leaves_nothing(void **state)
{
        const struct place *p = *state;

        assert_int_equal(mkdirat(p->dir, "x", 0700), 0);
        assert_int_equal(file_replace_at(p->dir, "x", "new", 3, 0600), -EISDIR);
        assert_int_equal(count(p->dir), 1);
}

static void devices_are_refused(void **state _unused_)
{
        _cleanup_close_ int dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char *s = NULL;

        /* A device is not a file to read, however its name got there. */
        assert_true(dev >= 0);
        assert_int_equal(file_read_at(dev, "null", 10, &s, NULL), -EINVAL);
}

static void renamed_and_removed(void **state)
{
        const struct place *p = *state;
        _cleanup_close_ int sub = dir_open_at(p->dir, "sub", 0750);
        struct stat st;

        assert_true(sub >= 0);
        assert_int_equal(fstat(sub, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0750);
        assert_int_equal(file_replace_at(p->dir, "a", "1", 1, 0600), 0);
        assert_int_equal(file_rename_at(p->dir, "a", sub, "b"), 0);
        assert_false(file_exists_at(p->dir, "a"));
        assert_true(file_exists_at(sub, "b"));
        assert_int_equal(file_rename_at(p->dir, "a", sub, "b"), -ENOENT);
        assert_int_equal(file_remove_at(sub, "b"), 0);
        assert_int_equal(file_remove_at(sub, "b"), 0); /* already gone */
        assert_int_equal(file_remove_at(p->dir, "sub"), -EISDIR);
}

static int stop_at_second(void *arg, const char *name _unused_)
{
        return ++*(int *) arg == 2 ? 77 : 0;
}

static void directories_are_walked(void **state)
{
        const struct place *p = *state;
        char name[8];
        int n = 0;

        for (int i = 0; i < 100; i++) {
                (void) snprintf(name, sizeof name, "f%d", i);
                assert_int_equal(file_replace_at(p->dir, name, "", 0, 0600), 0);
        }
        assert_int_equal(count(p->dir), 100);
        assert_int_equal(count(p->dir), 100); /* again, from the start */
        assert_int_equal(dir_each(p->dir, stop_at_second, &n), 77);
        assert_int_equal(n, 2);
}

static void leftovers_go_and_nothing_else(void **state)
{
        const struct place *p = *state;
        static const char *const keep[] = { "gear-1.service", ".#",          ".#x",        ".#x.1234567",
                                            ".#x.1234567g",   "#x.12345678", ".x.12345678" };
        static const char *const go[] = { ".#gear-1.service.0123abcd", ".#x.00000000", ".#a.b.c.ffffffff" };

        for (size_t i = 0; i < ARRAY_SIZE(keep); i++)
                assert_int_equal(file_replace_at(p->dir, keep[i], "", 0, 0600), 0);
        for (size_t i = 0; i < ARRAY_SIZE(go); i++)
                assert_int_equal(file_replace_at(p->dir, go[i], "", 0, 0600), 0);
        assert_int_equal(dir_remove_leftovers(p->dir), 0);
        assert_int_equal(count(p->dir), ARRAY_SIZE(keep));
        for (size_t i = 0; i < ARRAY_SIZE(keep); i++)
                assert_true(file_exists_at(p->dir, keep[i]));
}

static void proc_has_no_size(void **state _unused_)
{
        _cleanup_free_ char *s = NULL;
        size_t n;

        assert_int_equal(file_read("/proc/self/status", 65536, &s, &n), 0);
        assert_true(n > 100);
        assert_int_equal(strlen(s), n);
        assert_int_equal(file_read("/proc/self/status", 10, &s, &n), -EFBIG);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                CASE(replaced_and_read_back),
                CASE(empty_files),
                CASE(what_is_refused),
                CASE(symlinks_are_replaced_not_followed),
                CASE(a_failed_replace_leaves_the_old),
                CASE(a_failed_rename_leaves_nothing),
                CASE(devices_are_refused),
                CASE(renamed_and_removed),
                CASE(directories_are_walked),
                CASE(leftovers_go_and_nothing_else),
                CASE(proc_has_no_size),
        };

        return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
