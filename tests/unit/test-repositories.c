/* SPDX-License-Identifier: Apache-2.0 */

/* Where repositories are, and how they come and go, on a real directory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sys/repositories.h"
#include "util/text.h"

struct bench {
        char root[64], path[512];
};

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);

        *b = (struct bench){ .root = "/tmp/test-repositories-XXXXXX" };
        assert_non_null(mkdtemp(b->root));
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;
        _cleanup_text_ struct text command = { 0 };

        text_addf(&command, "rm -rf %s", b->root);
        assert_int_equal(system(command.data), 0);
        free(b);
        return 0;
}

static void make(struct bench *b, const char *name)
{
        (void) snprintf(b->path, sizeof b->path, "%s/git/%s", b->root, name);
        assert_int_equal(mkdir(b->path, 0700), 0);
}

static int add(void *arg, const char *id)
{
        text_addf(arg, "%s ", id);
        return 0;
}

static const char *list(struct bench *b, enum repository_place place, struct text *t)
{
        text_reset(t);
        text_add(t, "");
        assert_int_equal(repositories_each(b->root, place, add, t), 0);
        return t->data;
}

static void none_where_nothing_is(void **state)
{
        struct bench *b = *state;
        uint64_t birth;
        _cleanup_text_ struct text t = { 0 };

        assert_int_equal(repository_exists(b->root, "r"), 0);
        assert_int_equal(repository_came_since(b->root, "r", 0), 0);
        assert_int_equal(repository_birth(b->root, "r", REPOSITORY_NEW, &birth), 0);
        assert_int_equal(repository_remove_empty(b->root, "r", REPOSITORY_NEW), 0);
        assert_int_equal(repository_move(b->root, "r", REPOSITORY_NEW, REPOSITORY_WHOLE), -ENOENT);
        assert_string_equal(list(b, REPOSITORY_WHOLE, &t), "");
        assert_int_equal(repositories_prepare("/nonexistent"), -ENOENT);
}

static void one_comes_and_goes(void **state)
{
        struct bench *b = *state;
        _cleanup_text_ struct text t = { 0 };

        assert_int_equal(repositories_prepare(b->root), 0);
        assert_int_equal(repositories_prepare(b->root), 0);
        make(b, ".r.new");
        assert_int_equal(repository_exists(b->root, "r"), 0);
        assert_string_equal(list(b, REPOSITORY_WHOLE, &t), "");
        assert_string_equal(list(b, REPOSITORY_NEW, &t), "r ");
        assert_int_equal(repository_move(b->root, "r", REPOSITORY_NEW, REPOSITORY_WHOLE), 0);
        assert_int_equal(repository_exists(b->root, "r"), 1);
        assert_string_equal(list(b, REPOSITORY_WHOLE, &t), "r ");
        assert_int_equal(repository_came_since(b->root, "r", 0), 1);
        assert_int_equal(repository_came_since(b->root, "r", UINT64_MAX), 0);
        assert_int_equal(repository_move(b->root, "r", REPOSITORY_WHOLE, REPOSITORY_GONE), 0);
        assert_string_equal(list(b, REPOSITORY_GONE, &t), "r ");
        assert_int_equal(repository_remove_empty(b->root, "r", REPOSITORY_GONE), 0);
        assert_string_equal(list(b, REPOSITORY_GONE, &t), "");
}

/* To be put in its place is not to be made. */
static void it_is_as_old_as_its_directory(void **state)
{
        struct bench *b = *state;
        uint64_t made, moved;

        assert_int_equal(repositories_prepare(b->root), 0);
        make(b, ".r.new");
        assert_int_equal(repository_birth(b->root, "r", REPOSITORY_NEW, &made), 1);
        assert_true(made > 0);
        (void) usleep(20000);
        assert_int_equal(repository_move(b->root, "r", REPOSITORY_NEW, REPOSITORY_WHOLE), 0);
        assert_int_equal(repository_birth(b->root, "r", REPOSITORY_WHOLE, &moved), 1);
        assert_true(moved == made);
}

/* What is there is neither taken for another's nor written over. */
static void nothing_is_in_the_way_of_another(void **state)
{
        struct bench *b = *state;

        assert_int_equal(repositories_prepare(b->root), 0);
        make(b, ".r.new");
        make(b, "r");
        assert_int_equal(repository_move(b->root, "r", REPOSITORY_NEW, REPOSITORY_WHOLE), -EEXIST);
        make(b, ".r.new/x");
        assert_int_equal(repository_remove_empty(b->root, "r", REPOSITORY_NEW), -ENOTEMPTY);
}

static void names_say_whose_and_what_it_is(void **state)
{
        struct bench *b = *state;
        _cleanup_text_ struct text t = { 0 };

        assert_int_equal(repositories_prepare(b->root), 0);
        make(b, "a.new"); /* an id may end so */
        make(b, ".b.new.new");
        make(b, ".new");
        make(b, ".c.gone");
        make(b, "-x");
        make(b, ".d.other");
        assert_string_equal(list(b, REPOSITORY_WHOLE, &t), "a.new ");
        assert_string_equal(list(b, REPOSITORY_NEW, &t), "b.new ");
        assert_string_equal(list(b, REPOSITORY_GONE, &t), "c ");
}

/* Whoever may write there must not lead us elsewhere. */
static void a_link_is_no_folder(void **state)
{
        struct bench *b = *state;

        (void) snprintf(b->path, sizeof b->path, "%s/git", b->root);
        assert_int_equal(symlink("/tmp", b->path), 0);
        assert_true(repository_exists(b->root, "r") < 0);
        assert_true(repository_move(b->root, "r", REPOSITORY_NEW, REPOSITORY_WHOLE) < 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        static const struct CMUnitTest tests[] = {
                TEST(none_where_nothing_is),
                TEST(one_comes_and_goes),
                TEST(it_is_as_old_as_its_directory),
                TEST(nothing_is_in_the_way_of_another),
                TEST(names_say_whose_and_what_it_is),
                TEST(a_link_is_no_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
