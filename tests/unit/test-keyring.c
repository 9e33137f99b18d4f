/* SPDX-License-Identifier: Apache-2.0 */

/* The folder of keys: which of its files count, and that no other one harms those. */

#include "sys/keyring.h"

#include "util/digest.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define KEY_A "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" /* RFC 8037, A.2 */
#define KEY_B "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" /* RFC 8032, 7.1 */
#define WRITE(name, text) "printf '%s' '" text "' > " name "\n"
#define JWK(x) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" x "\"}"
#define SECRET "{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}"
#define PRIVATE                                                                                       \
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"," \
        "\"x\":\"" KEY_A "\"}"

struct scene {
        char path[64];
        struct text wrong; /* "name: why\n" */
};

static int set_up(void **state)
{
        static struct scene s;

        s = (struct scene){ .path = "/tmp/test-keyring.XXXXXX" };
        if (!mkdtemp(s.path))
                return -1;
        *state = &s;
        return 0;
}

static void shell(const struct scene *s, const char *lines)
{
        _cleanup_free_ char *command = NULL;

        assert_true(asprintf(&command, "set -e; umask 022; cd %s\n%s", s->path, lines) > 0);
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a shell is what is meant */
}

static int tear_down(void **state)
{
        struct scene *s = *state;

        shell(s, "chmod 700 .; rm -rf \"$PWD\"");
        text_reset(&s->wrong);
        return 0;
}

static void note(void *arg, const char *name, const char *why)
{
        text_addf(&((struct scene *) arg)->wrong, "%s: %s\n", name, why);
}

/* The ids of the keys that count, in order. */
static char *ids(struct scene *s)
{
        _cleanup_(keyring_reset) struct keyring ring;
        struct text t = { 0 };
        struct fault f = { 0 };

        text_truncate(&s->wrong, 0);
        text_add(&t, "");
        if (keyring_load(s->path, note, s, &ring, &f) < 0)
                text_addf(&t, "%s", f.text);
        for (size_t i = 0; i < ring.n_keys; i++)
                text_addf(&t, "%s%s", i ? " " : "", ring.keys[i]->id);
        return text_take(&t);
}

static void test_files(void **state)
{
        static const struct {
                const char *lines, *why; /* of `bad'; NULL: it is not even looked at */
        } rows[] = {
                { "mkdir bad", "it is a directory" },
                { "mkfifo bad", "it is no regular file" },
                { "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"bad\")'",
                  "it is no regular file" },
                { "ln -s bad bad", "it is a symbolic link" },
                { "ln -s good bad", "it is a symbolic link" },
                { "ln -s /nowhere bad", "it is a symbolic link" },
                { "truncate -s 1G bad", "it is longer than 65536 bytes" },
                { "truncate -s 65537 bad", "it is longer than 65536 bytes" },
                { "truncate -s 65536 bad", "neither PEM nor a JWK" },
                { ": > bad", "neither PEM nor a JWK" },
                { "head -c 3000 /dev/urandom | tr '{-' 'xx' > bad", "neither PEM nor a JWK" },
                { WRITE("bad", "{"), "JWK" },
                { WRITE("bad", JWK("AA")), "1 bytes instead of 32" },
                { WRITE("bad", JWK(KEY_B)) "chmod 666 bad",
                  "others than its owner may write it (mode 666)" },
                { WRITE("bad", JWK(KEY_B)) "chmod 664 bad",
                  "others than its owner may write it (mode 664)" },
                { WRITE("bad", SECRET) "chmod 644 bad", "others than its owner may read (mode 644)" },
                { WRITE("bad", SECRET) "chmod 640 bad", "others than its owner may read (mode 640)" },
                { WRITE("bad", PRIVATE) "chmod 604 bad", "others than its owner may read (mode 604)" },
                /* what stands beside it */
                { WRITE("bad", JWK(KEY_B)) "mkdir bad.conf", "cannot read bad.conf" },
                { WRITE("bad", JWK(KEY_B)) "mkfifo bad.conf", "cannot read bad.conf" },
                { WRITE("bad", JWK(KEY_B)) "ln -s bad.conf bad.conf", "cannot read bad.conf" },
                { WRITE("bad", JWK(KEY_B)) "truncate -s 1G bad.conf", "cannot read bad.conf" },
                { WRITE("bad", JWK(KEY_B)) ": > bad.conf; chmod 666 bad.conf",
                  "others than its owner may write" },
                { WRITE("bad", JWK(KEY_B)) WRITE("bad.conf", "[Key]\nFly=yes\n"), "not a setting of [Key]" },
                { WRITE("bad", JWK(KEY_B)) WRITE("bad.conf", "[Key]\nRights=\n"), "Rights= must be" },
                /* leftovers */
                { WRITE("bad~", JWK(KEY_B)), NULL },
                { WRITE(".bad", JWK(KEY_B)), NULL },
                { WRITE("bad.jwk.dpkg-old", JWK(KEY_B)), NULL },
                { WRITE("bad.jwk.bak", JWK(KEY_B)), NULL },
                { WRITE("bad.jwk.disabled", JWK(KEY_B)), NULL },
                { WRITE("bad.conf", JWK(KEY_B)), NULL },
        };
        struct scene *s = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *found = NULL;

                shell(s, WRITE("good", JWK(KEY_A)));
                shell(s, rows[i].lines);
                found = ids(s);
                if (!streq(found, "good"))
                        fail_msg("%s: \"%s\"", rows[i].lines, found);
                if (rows[i].why ? !s->wrong.len || !starts_with(s->wrong.data, "bad: ") ||
                                          !strstr(s->wrong.data, rows[i].why)
                                : s->wrong.len > 0)
                        fail_msg("%s: \"%s\"", rows[i].lines, s->wrong.data ? s->wrong.data : "");
                shell(s, "rm -rf bad* .bad");
        }
}

static void test_one_by_one(void **state)
{
        static const struct {
                const char *lines, *ids;
        } rows[] = {
                { "", "" },
                { WRITE("b.jwk", JWK(KEY_B)) WRITE("a.jwk", JWK(KEY_A)), "a b" },
                { WRITE("b.conf", "[Key]\nId=bob\n"), "a bob" },
                { WRITE("c.jwks", "{\"keys\":[" JWK(KEY_A) "," JWK(KEY_B) "]}"), "a bob c.1 c.2" },
                { WRITE("s", SECRET) "chmod 600 s", "a bob c.1 c.2 s" },
                { "rm b.jwk", "a c.1 c.2 s" },
        };
        struct scene *s = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *found = NULL;

                shell(s, rows[i].lines);
                found = ids(s);
                assert_string_equal(found, rows[i].ids);
                assert_int_equal(s->wrong.len, 0);
        }
}

static void test_dropped(void **state)
{
        struct scene *s = *state;
        _cleanup_(keyring_reset) struct keyring ring;
        struct fault f = { 0 };

        shell(s, WRITE("a", JWK(KEY_A)) WRITE("b", "{\"keys\":[" JWK(KEY_A) "," JWK(KEY_B) "]}")
                         WRITE("c", JWK(KEY_B)));
        assert_int_equal(keyring_load(s->path, note, s, &ring, &f), 0);
        assert_int_equal(ring.n_keys, 4);
        keyring_drop(&ring, "d");
        assert_int_equal(ring.n_keys, 4);
        keyring_drop(&ring, "b");
        assert_int_equal(ring.n_keys, 2);
        assert_string_equal(ring.keys[0]->id, "a");
        assert_string_equal(ring.keys[1]->id, "c");
        keyring_drop(&ring, "c");
        keyring_drop(&ring, "a");
        assert_int_equal(ring.n_keys, 0);
}

static void test_the_folder_itself(void **state)
{
        static const struct {
                const char *lines, *said; /* instead of ids */
        } rows[] = {
                { "chmod 777 .", "others than its owner may write it (mode 777)" },
                { "chmod 775 .", "others than its owner may write it (mode 775)" },
                { "chmod 755 .; seq -f n%.0f 1100 | xargs touch", "more than 1024 files" },
                { "cd ..; rm -r \"$OLDPWD\"; : > \"$OLDPWD\"", "Not a directory" },
        };
        struct scene *s = *state;

        shell(s, WRITE("a", JWK(KEY_A)));
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *found = NULL;

                shell(s, rows[i].lines);
                found = ids(s);
                if (!strstr(found, rows[i].said) || s->wrong.len > 0)
                        fail_msg("%s: %s", rows[i].lines, found);
        }
        assert_int_equal(remove(s->path), 0);
        {
                _cleanup_free_ char *found = ids(s);

                assert_string_equal(found, ""); /* one that is missing has none */
        }
        assert_int_equal(mkdir(s->path, 0700), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_one_by_one, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_dropped, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_the_folder_itself, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("keyring", tests, NULL, NULL);
}
