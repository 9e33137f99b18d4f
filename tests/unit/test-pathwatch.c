/* SPDX-License-Identifier: Apache-2.0 */

/* The watch of a directory that comes, goes and is replaced, by what the shell does to it. */

#include "sys/pathwatch.h"

#include "run-loop.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define MOMENT_USEC (20 * USEC_PER_MSEC)

struct scene {
        struct loop *loop;
        struct pathwatch *watch;
        struct text told; /* "name " or "-name " for one that is gone; "." is the directory itself */
        char top[64];
};

static void changed(void *arg, const char *name, bool gone)
{
        struct scene *s = arg;

        text_addf(&s->told, "%s%s ", gone ? "-" : "", name ? name : ".");
}

static int set_up(void **state)
{
        static struct scene s;

        s = (struct scene){ .loop = loop_new(), .top = "/tmp/test-pathwatch.XXXXXX" };
        if (!s.loop || !mkdtemp(s.top))
                return -1;
        *state = &s;
        return 0;
}

static void shell(const struct scene *s, const char *line)
{
        _cleanup_free_ char *command = NULL;

        assert_true(asprintf(&command, "cd %s && { %s\n}", s->top, line) > 0);
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a shell is what is meant */
}

static int tear_down(void **state)
{
        struct scene *s = *state;

        shell(s, "rm -rf \"$PWD\"");
        s->watch = pathwatch_free(s->watch);
        text_reset(&s->told);
        s->loop = loop_free(s->loop);
        return 0;
}

/* Is this in what is told of a shell line? */
static bool tells(struct scene *s, const char *line, const char *wanted)
{
        text_truncate(&s->told, 0);
        shell(s, line);
        run_loop_for(s->loop, MOMENT_USEC, line);
        return s->told.data && strstr(s->told.data, wanted);
}

static void watch(struct scene *s, const char *below)
{
        _cleanup_free_ char *path = NULL;

        assert_true(asprintf(&path, "%s/%s", s->top, below) > 0);
        assert_int_equal(pathwatch_new(s->loop, path, changed, s, &s->watch), 0);
}

static void every_change_is_told(void **state)
{
        static const struct {
                const char *line, *told;
        } rows[] = {
                /* not there yet, at two levels */
                { "mkdir a", "-. " },
                { "mkdir a/other; echo > a/file", "" },
                { "mkdir a/keys", "-. " },
                { "echo > a/keys/x", "x " },
                { "chmod 600 a/keys/x", "x " },
                { "mv a/keys/x a/keys/y", "-x y " },
                { "rm a/keys/y", "-y " },
                { "ln -s /nowhere a/keys/z", "z " },
                { "chmod 700 a/keys", ". " },
                /* another one under the same name */
                { "mkdir a/new; echo > a/new/x; mv a/keys a/old; mv a/new a/keys", "-. " },
                { "echo >> a/keys/x", "x " },
                { "rm a/keys/x", "-x " },
                /* … under that of a directory above it */
                { "mkdir -p b/keys; mv a c; mv b a", "-. " },
                { "echo > a/keys/x", "x " },
                { "rm -r a", "-. " },
                { "mkdir -p a/keys; sleep 0.01; echo > a/keys/x", "-. " },
                { "echo > a/keys/x", "x " },
                /* a symlink in place of it */
                { "mkdir real; rm -r a/keys; ln -s ../real a/keys", "-. " },
                { "echo > real/x", "x " },
        };
        struct scene *s = *state;

        watch(s, "a/keys");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (!tells(s, rows[i].line, rows[i].told))
                        fail_msg("%s: told \"%s\" instead of \"%s\"", rows[i].line, s->told.data,
                                 rows[i].told);
}

static void what_is_elsewhere_is_not_told(void **state)
{
        static const char *const lines[] = {
                "mkdir a/keys2; rmdir a/keys2; echo > a/key; rm a/key",
                "echo > a/old/x; rm a/old/x; rmdir a/old", /* the directory that had the name before */
                "echo > ../${PWD##*/}/file",
        };
        struct scene *s = *state;

        shell(s, "mkdir -p a/keys");
        watch(s, "a//keys/");
        assert_true(tells(s, "mv a/keys a/old; mkdir a/keys", "-. "));
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                if (tells(s, lines[i], "") && s->told.len > 0)
                        fail_msg("%s: told \"%s\"", lines[i], s->told.data);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(every_change_is_told, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_elsewhere_is_not_told, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("pathwatch", tests, NULL, NULL);
}
