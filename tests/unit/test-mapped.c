/* SPDX-License-Identifier: Apache-2.0 */

/* Pages that cannot be read are zeroes for who said that he reads, and the end for anybody else. */

#include "sys/mapped.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#define PAGES 3

static size_t page;

/*
 * A file of which only the first page is left, mapped when it had more.  The guard
 * is set here because cmocka takes the signal over for every case.
 */
static const char *map_cut_off(void)
{
        char path[] = "/tmp/test-mapped.XXXXXX";
        _cleanup_close_ int fd = mkstemp(path);
        char *at;

        assert_int_equal(mapped_guard(), 0);
        page = (size_t) sysconf(_SC_PAGESIZE);
        assert_true(fd >= 0);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(ftruncate(fd, (off_t) (PAGES * page)), 0);
        assert_int_equal(pwrite(fd, "first", 5, 0), 5);
        at = mmap(NULL, PAGES * page, PROT_READ, MAP_SHARED, fd, 0);
        assert_true(at != MAP_FAILED);
        assert_int_equal(ftruncate(fd, (off_t) page), 0);
        return at;
}

static void what_is_there_is_read(void **state _unused_)
{
        const char *at = map_cut_off();

        mapped_begin();
        assert_memory_equal(at, "first", 5);
        assert_int_equal(mapped_end(), 0);
        assert_int_equal(munmap((void *) (uintptr_t) at, PAGES * page), 0);
}

static void what_is_not_is_zeroes_and_told(void **state _unused_)
{
        const char *at = map_cut_off();

        for (size_t i = 1; i < PAGES; i++) {
                mapped_begin();
                assert_int_equal(*(volatile const char *) (at + i * page + 7), 0);
                assert_int_equal(mapped_end(), -EIO);
        }
        mapped_begin();
        assert_memory_equal(at, "first", 5);
        assert_int_equal(mapped_end(), 0);
        assert_int_equal(munmap((void *) (uintptr_t) at, PAGES * page), 0);
}

static void anybody_else_ends(void **state _unused_)
{
        const char *at = map_cut_off();
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
                mapped_begin();
                (void) mapped_end();
                _exit(*(volatile const char *) (at + page));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
        assert_int_equal(munmap((void *) (uintptr_t) at, PAGES * page), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_there_is_read),
                cmocka_unit_test(what_is_not_is_zeroes_and_told),
                cmocka_unit_test(anybody_else_ends),
        };

        return cmocka_run_group_tests_name("mapped", tests, NULL, NULL);
}
