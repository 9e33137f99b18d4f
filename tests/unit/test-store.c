/* SPDX-License-Identifier: Apache-2.0 */

/* The state directory: what is written is read, what a crash left is found, and one daemon has it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sys/store.h"
#include "util/file.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct place {
        char path[64];
        struct store *store;
};

static struct store *opened(const char *path)
{
        struct store *s = NULL;
        struct fault f = { 0 };

        if (store_open(path, &s, &f) < 0)
                fail_msg("%s: %s", path, f.text);
        return s;
}

static int set_up(void **state)
{
        static struct place p;

        (void) snprintf(p.path, sizeof p.path, "/tmp/geard-test-store.XXXXXX");
        if (!mkdtemp(p.path))
                return -1;
        p.store = opened(p.path);
        *state = &p;
        return 0;
}

static int remove_one(const char *path, const struct stat *st _unused_, int what _unused_, struct FTW *ftw _unused_)
{
        return remove(path);
}

static int tear_down(void **state)
{
        struct place *p = *state;

        p->store = store_free(p->store);
        return nftw(p->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void in_place(const struct place *p, const char *name, char *ret, size_t size)
{
        (void) snprintf(ret, size, "%s/%s", p->path, name);
}

/* Puts a file there as somebody else would. */
static void plant(const struct place *p, const char *name, const char *text)
{
        char path[256];
        FILE *file;

        in_place(p, name, path, sizeof path);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static bool is_there(const struct place *p, const char *name)
{
        char path[256];

        in_place(p, name, path, sizeof path);
        return access(path, F_OK) == 0;
}

static void has_mode(const struct place *p, const char *name, mode_t mode)
{
        struct stat st;
        char path[256];

        in_place(p, name, path, sizeof path);
        assert_int_equal(stat(path, &st), 0);
        if ((st.st_mode & 07777) != mode)
                fail_msg("%s has mode %04o", name, st.st_mode & 07777);
}

static void environ_of(const char *value, struct environ *ret)
{
        char line[64];

        (void) snprintf(line, sizeof line, "A=%s\n", value);
        assert_int_equal(environ_from_file(line, ret), 0);
}

static void write_gear(struct store *s, const char *id, const char *unit, const char *value, enum gear_phase phase)
{
        struct environ env = { 0 };
        struct fault f = { 0 };

        environ_of(value, &env);
        assert_int_equal(store_write_phase(s, id, phase, &f), 0);
        assert_int_equal(store_write_env(s, id, &env, NULL, &f), 0);
        assert_int_equal(store_write_unit(s, id, unit, strlen(unit), &f), 0);
        environ_reset(&env);
}

static void unit_is(struct store *s, const char *id, const char *expected)
{
        _cleanup_free_ char *text = NULL;

        assert_int_equal(store_read_unit(s, id, &text), 0);
        assert_string_equal(text, expected);
}

static void value_is(struct store *s, const char *id, const char *expected)
{
        struct environ env = { 0 };

        assert_int_equal(store_read_env(s, id, &env), 0);
        assert_int_equal(env.n, 1);
        assert_string_equal(env.entries[0].value, expected);
        environ_reset(&env);
}

/* --- reading and writing ------------------------------------------------------------- */

static void written_is_read(void **state)
{
        struct place *p = *state;
        char path[256], expected[256];

        write_gear(p->store, "1", "[Unit]\n", "x=y z", GEAR_CREATING);
        unit_is(p->store, "1", "[Unit]\n");
        value_is(p->store, "1", "x=y z");
        assert_int_equal(store_read_phase(p->store, "1"), GEAR_CREATING);
        write_gear(p->store, "1", "other", "", GEAR_STARTED);
        unit_is(p->store, "1", "other");
        value_is(p->store, "1", "");

        store_unit_path(p->store, "1", path, sizeof path);
        in_place(p, "units/gear-1.service", expected, sizeof expected);
        assert_string_equal(path, expected);
        assert_string_equal(store_path(p->store), p->path);
}

static void an_environment_knows_its_request(void **state)
{
        static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        struct place *p = *state;
        struct environ env = { 0 };
        char request[DIGEST_HEX_LEN + 1];
        struct fault f;

        environ_of("x", &env);
        assert_int_equal(store_read_env_request(p->store, "1", request), -ENOENT);
        assert_int_equal(store_write_env(p->store, "1", &env, digest, &f), 0);
        assert_int_equal(store_read_env_request(p->store, "1", request), 0);
        assert_string_equal(request, digest);
        value_is(p->store, "1", "x");

        /* It stays with what it wrote. */
        write_gear(p->store, "2", "unit", "y", GEAR_STARTED);
        assert_int_equal(store_read_env_request(p->store, "2", request), -ENOENT);
        assert_int_equal(store_write_env(p->store, "2", &env, digest, &f), 0);
        assert_int_equal(store_keep_previous(p->store, "2", &f), 0);
        assert_int_equal(store_write_env(p->store, "2", &env, NULL, &f), 0);
        assert_int_equal(store_read_env_request(p->store, "2", request), -ENOENT);
        assert_int_equal(store_restore_previous(p->store, "2", &f), 0);
        assert_int_equal(store_read_env_request(p->store, "2", request), 0);
        environ_reset(&env);
}

static void no_other_comment_is_read(void **state)
{
        static const char *const rows[] = {
                "# request \nA=1\n",
                "# request 0123\nA=1\n",
                "# request 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeF\nA=1\n",
                "# request 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0\nA=1\n",
                "# request 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "A=1\n# request 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
        };
        struct place *p = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct environ env = { 0 };
                char request[DIGEST_HEX_LEN + 1];

                plant(p, "env/1.env", rows[i]);
                assert_int_equal(store_read_env_request(p->store, "1", request), -ENOENT);
                assert_int_equal(store_read_env(p->store, "1", &env), -EBADMSG);
        }
}

static void secrets_are_roots(void **state)
{
        struct place *p = *state;
        struct fault f;

        write_gear(p->store, "1", "x", "secret", GEAR_STARTED);
        assert_int_equal(store_keep_previous(p->store, "1", &f), 0);
        has_mode(p, "env", 0700);
        has_mode(p, "previous", 0700);
        has_mode(p, "env/1.env", 0600);
        has_mode(p, "previous/1.env", 0600);
        has_mode(p, "units/gear-1.service", 0644);
}

static void phases(void **state)
{
        static const enum gear_phase all[] = { GEAR_STARTED, GEAR_STOPPED, GEAR_CREATING, GEAR_REPLACING,
                                               GEAR_REPLACING_STOPPED, GEAR_DELETING, GEAR_DELETING_VOLUMES };
        struct place *p = *state;
        struct fault f;

        assert_int_equal(store_read_phase(p->store, "1"), GEAR_STOPPED); /* nobody said that it should run */
        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                assert_int_equal(store_write_phase(p->store, "1", all[i], &f), 0);
                assert_int_equal(store_read_phase(p->store, "1"), all[i]);
        }
        plant(p, "wanted/1", "");
        assert_int_equal(store_read_phase(p->store, "1"), GEAR_STOPPED);
        plant(p, "wanted/1", "nonsense\n");
        assert_int_equal(store_read_phase(p->store, "1"), GEAR_STOPPED);
        plant(p, "wanted/1", "started"); /* as echo -n would leave it */
        assert_int_equal(store_read_phase(p->store, "1"), GEAR_STARTED);
}

static void bytes_are_no_text(struct place *p)
{
        _cleanup_free_ char *text = NULL;
        struct fault f;

        assert_int_equal(store_write_unit(p->store, "nul", "a\0b", 3, &f), 0);
        assert_int_equal(store_read_unit(p->store, "nul", &text), -EBADMSG);
        assert_null(text);
}

static void what_is_not_there(void **state)
{
        struct place *p = *state;
        _cleanup_free_ char *text = NULL;
        struct environ env = { 0 };
        struct fault f;

        assert_int_equal(store_read_unit(p->store, "1", &text), -ENOENT);
        assert_int_equal(store_read_env(p->store, "1", &env), -ENOENT);
        assert_int_equal(store_remove(p->store, "1", &f), 0);
        bytes_are_no_text(p);
        plant(p, "env/1.env", "no equals sign\n");
        assert_int_equal(store_read_env(p->store, "1", &env), -EBADMSG);
}

static void nothing_is_followed(void **state)
{
        struct place *p = *state;
        _cleanup_free_ char *text = NULL;
        char path[256];

        in_place(p, "units/gear-1.service", path, sizeof path);
        assert_int_equal(symlink("/etc/passwd", path), 0);
        assert_int_equal(store_read_unit(p->store, "1", &text), -ELOOP);
        assert_null(text);
        write_gear(p->store, "1", "mine", "", GEAR_STARTED);
        unit_is(p->store, "1", "mine");
}

/* --- walking --------------------------------------------------------------------------- */

static int collect(void *arg, const char *id)
{
        struct text *t = arg;

        text_addf(t, "%s ", id);
        return 0;
}

static int stop_at_once(void *arg _unused_, const char *id _unused_)
{
        return 7;
}

static void walks(void **state)
{
        struct place *p = *state;
        _cleanup_text_ struct text gears = { 0 }, traces = { 0 };

        write_gear(p->store, "whole", "x", "1", GEAR_STARTED);
        plant(p, "units/other.service", "");
        plant(p, "units/gear-.service", "");
        plant(p, "units/gear--x.service", "");
        plant(p, "units/gear-1.socket", "");
        plant(p, "env/torn.env", "");
        plant(p, "env/not-ours", "");
        plant(p, "env/.env", "");
        plant(p, "env/-.env", "");
        plant(p, "wanted/begun", "creating\n");

        assert_int_equal(store_each(p->store, collect, &gears), 0);
        assert_string_equal(gears.data, "whole ");
        assert_int_equal(store_each_trace(p->store, collect, &traces), 0);
        assert_int_equal(traces.len, strlen("torn whole begun whole ")); /* each directory in its own order */
        assert_non_null(strstr(traces.data, "torn "));
        assert_non_null(strstr(traces.data, "begun "));
        assert_non_null(strstr(traces.data, "whole "));
        assert_int_equal(store_each(p->store, stop_at_once, NULL), 7);
        assert_int_equal(store_each_trace(p->store, stop_at_once, NULL), 7);
}

static void removed_is_gone(void **state)
{
        struct place *p = *state;
        struct fault f;

        write_gear(p->store, "1", "x", "1", GEAR_STARTED);
        write_gear(p->store, "2", "x", "2", GEAR_STARTED);
        assert_int_equal(store_keep_previous(p->store, "1", &f), 0);
        assert_int_equal(store_remove(p->store, "1", &f), 0);
        assert_false(is_there(p, "units/gear-1.service") || is_there(p, "env/1.env") || is_there(p, "wanted/1"));
        assert_false(is_there(p, "previous/gear-1.service") || is_there(p, "previous/1.env"));
        value_is(p->store, "2", "2");
}

static int count_name(void *arg, const char *name _unused_)
{
        (*(int *) arg)++;
        return 0;
}

static int files_in(const struct place *p, const char *part)
{
        _cleanup_close_ int dir = -1;
        char path[256];
        int n = 0;

        in_place(p, part, path, sizeof path);
        dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(dir >= 0);
        assert_int_equal(dir_each(dir, count_name, &n), 0);
        return n;
}

static void write_env_of_2(struct store *s)
{
        struct environ env = { 0 };
        struct fault f;

        environ_of("long enough", &env);
        (void) store_write_env(s, "2", &env, NULL, &f);
        environ_reset(&env);
}

static void write_unit_of_2(struct store *s)
{
        struct fault f;

        (void) store_write_unit(s, "2", "long enough", 11, &f);
}

static void write_phase_of_2(struct store *s)
{
        struct fault f;

        (void) store_write_phase(s, "2", GEAR_CREATING, &f);
}

/* The kernel kills the writer after four bytes. */
static void die_while(void (*writes)(struct store *s), struct store *s)
{
        const struct rlimit four = { .rlim_cur = 4, .rlim_max = 4 };
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                (void) signal(SIGXFSZ, SIG_DFL);
                if (setrlimit(RLIMIT_FSIZE, &four) == 0)
                        writes(s);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}

static void temporary_files_of_a_crash_go(void **state)
{
        struct place *p = *state;

        write_gear(p->store, "1", "x", "1", GEAR_STARTED);
        die_while(write_env_of_2, p->store);
        die_while(write_unit_of_2, p->store);
        die_while(write_phase_of_2, p->store);
        assert_int_equal(files_in(p, "units") + files_in(p, "env") + files_in(p, "wanted"), 6);
        p->store = store_free(p->store);
        p->store = opened(p->path);
        assert_int_equal(files_in(p, "units") + files_in(p, "env") + files_in(p, "wanted"), 3);
        unit_is(p->store, "1", "x");
        value_is(p->store, "1", "1");
}

/* --- replacing -------------------------------------------------------------------------- */

static void the_former_comes_back(void **state)
{
        struct place *p = *state;
        struct fault f;

        write_gear(p->store, "1", "old", "old", GEAR_STARTED);
        assert_int_equal(store_keep_previous(p->store, "1", &f), 0);
        write_gear(p->store, "1", "new", "new", GEAR_REPLACING);
        assert_int_equal(store_restore_previous(p->store, "1", &f), 0);
        unit_is(p->store, "1", "old");
        value_is(p->store, "1", "old");
        store_drop_previous(p->store, "1");
        assert_false(is_there(p, "previous/gear-1.service") || is_there(p, "previous/1.env"));
        assert_int_equal(store_restore_previous(p->store, "1", &f), 0); /* none is kept: nothing to put back */
        unit_is(p->store, "1", "old");
}

static void what_is_kept_for_nobody_goes(void **state)
{
        struct place *p = *state;
        struct fault f;

        write_gear(p->store, "1", "old", "old", GEAR_STARTED);
        write_gear(p->store, "2", "old", "old", GEAR_STARTED);
        assert_int_equal(store_keep_previous(p->store, "1", &f), 0);
        assert_int_equal(store_keep_previous(p->store, "2", &f), 0);
        assert_int_equal(store_write_phase(p->store, "2", GEAR_REPLACING, &f), 0);
        plant(p, "previous/gone.env", "A=1\n");
        p->store = store_free(p->store);
        p->store = opened(p->path);
        assert_int_equal(files_in(p, "previous"), 2);
        assert_true(is_there(p, "previous/gear-2.service") && is_there(p, "previous/2.env"));
}

/* A crash in between: putting back goes on where it was. */
static void half_put_back(void **state)
{
        struct place *p = *state;
        char path[256];
        struct fault f;

        write_gear(p->store, "1", "old", "old", GEAR_STARTED);
        assert_int_equal(store_keep_previous(p->store, "1", &f), 0);
        write_gear(p->store, "1", "new", "old", GEAR_REPLACING);
        in_place(p, "previous/1.env", path, sizeof path);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(store_restore_previous(p->store, "1", &f), 0);
        unit_is(p->store, "1", "old");
        value_is(p->store, "1", "old");
}

static void a_former_without_environment(void **state)
{
        struct place *p = *state;
        struct fault f;

        plant(p, "units/gear-1.service", "old");
        assert_int_equal(store_keep_previous(p->store, "1", &f), 0);
        write_gear(p->store, "1", "new", "new", GEAR_REPLACING);
        assert_int_equal(store_restore_previous(p->store, "1", &f), 0);
        unit_is(p->store, "1", "old");
        assert_true(store_keep_previous(p->store, "2", &f) < 0);
        assert_true(*f.text);
}

/* --- whose it is -------------------------------------------------------------------------- */

static void one_daemon_at_a_time(void **state)
{
        struct place *p = *state;
        struct store *second = NULL;
        struct fault f = { 0 };

        assert_true(store_open(p->path, &second, &f) < 0);
        assert_int_equal(f.kind, FAULT_CONFLICT);
        assert_non_null(strstr(f.text, p->path));
        assert_null(second);
        p->store = store_free(p->store);
        p->store = opened(p->path);
}

static void a_directory_has_a_home(void **state)
{
        struct place *p = *state;
        struct fault f;

        if (access("/etc/machine-id", R_OK) < 0)
                fail_msg("this machine has no /etc/machine-id");
        assert_false(store_is_at_home(p->store));
        assert_int_equal(store_settle(p->store, &f), 0);
        assert_true(store_is_at_home(p->store));
        plant(p, "host", "0123456789abcdef0123456789abcdef\n");
        assert_false(store_is_at_home(p->store));
}

static void no_place_to_be(void **state _unused_)
{
        struct store *s = NULL;
        struct fault f = { 0 };

        assert_true(store_open("/dev/null/gears", &s, &f) < 0);
        assert_non_null(strstr(f.text, "/dev/null/gears"));
        assert_null(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(written_is_read, set_up, tear_down),
                cmocka_unit_test_setup_teardown(an_environment_knows_its_request, set_up, tear_down),
                cmocka_unit_test_setup_teardown(no_other_comment_is_read, set_up, tear_down),
                cmocka_unit_test_setup_teardown(secrets_are_roots, set_up, tear_down),
                cmocka_unit_test_setup_teardown(phases, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_not_there, set_up, tear_down),
                cmocka_unit_test_setup_teardown(nothing_is_followed, set_up, tear_down),
                cmocka_unit_test_setup_teardown(walks, set_up, tear_down),
                cmocka_unit_test_setup_teardown(removed_is_gone, set_up, tear_down),
                cmocka_unit_test_setup_teardown(temporary_files_of_a_crash_go, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_former_comes_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_kept_for_nobody_goes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(half_put_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_former_without_environment, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_daemon_at_a_time, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_directory_has_a_home, set_up, tear_down),
                cmocka_unit_test(no_place_to_be),
        };

        return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
