/* SPDX-License-Identifier: Apache-2.0 */

/* The directory that is / for gear-git, made on a real disk, once and again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/bare-root.h"
#include "util/text.h"

static int set_up(void **state)
{
        *state = strdup("/tmp/test-bare-root-XXXXXX");
        assert_non_null(mkdtemp(*state));
        return 0;
}

static int tear_down(void **state)
{
        _cleanup_text_ struct text command = { 0 };

        text_addf(&command, "rm -rf %s", (const char *) *state);
        assert_int_equal(system(command.data), 0);
        free(*state);
        return 0;
}

static mode_t mode_of(const struct bare_root *root, const char *name)
{
        char path[512];
        struct stat st;

        (void) snprintf(path, sizeof path, "%s/%s", root->path, name);
        return lstat(path, &st) < 0 ? 0 : st.st_mode;
}

static bool is_beside_usr(const struct bare_root *root, const char *path)
{
        for (const char *const *p = root->beside_usr; *p; p++)
                if (streq(*p, path))
                        return true;
        return false;
}

static void others_may_look_whatever_our_umask(void **state)
{
        mode_t former = umask(077);
        struct bare_root root;

        assert_int_equal(bare_root_make(*state, &root), 0);
        umask(former);
        assert_int_equal(mode_of(&root, "."), S_IFDIR | 0755);
        assert_int_equal(mode_of(&root, "usr"), S_IFDIR | 0755);
        assert_true(S_ISREG(mode_of(&root, "dev/null")));
}

static void programs_are_where_the_host_has_them(void **state)
{
        static const char *const places[] = { "/bin", "/lib", "/lib64" };
        struct bare_root root;
        struct stat st;

        assert_int_equal(bare_root_make(*state, &root), 0);
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                mode_t there = lstat(places[i], &st) < 0 ? 0 : st.st_mode;

                assert_int_equal(mode_of(&root, places[i]) & S_IFMT, there & S_IFMT);
                assert_int_equal(is_beside_usr(&root, places[i]), S_ISDIR(there));
        }
}

static void what_is_missing_is_made_again(void **state)
{
        _cleanup_text_ struct text path = { 0 };
        struct bare_root root;

        assert_int_equal(bare_root_make(*state, &root), 0);
        text_addf(&path, "%s/dev/null", root.path);
        assert_int_equal(unlink(path.data), 0);
        assert_int_equal(bare_root_make(*state, &root), 0);
        assert_true(S_ISREG(mode_of(&root, "dev/null")));
}

static void no_link_leads_elsewhere(void **state)
{
        _cleanup_text_ struct text path = { 0 };
        struct bare_root root;

        text_addf(&path, "%s/root", (const char *) *state);
        assert_int_equal(symlink("/usr", path.data), 0);
        assert_true(bare_root_make(*state, &root) < 0);
        assert_int_equal(bare_root_make("/nowhere", &root), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(others_may_look_whatever_our_umask, set_up, tear_down),
                cmocka_unit_test_setup_teardown(programs_are_where_the_host_has_them, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_missing_is_made_again, set_up, tear_down),
                cmocka_unit_test_setup_teardown(no_link_leads_elsewhere, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
