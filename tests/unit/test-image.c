/* SPDX-License-Identifier: Apache-2.0 */

/* Image references: docker's reading of them, and what it refuses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/image.h"
#include "util/text.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define HEX64 HEX32 HEX32

static void understood(void **state _unused_)
{
        static const struct {
                const char *in, *registry, *path, *tag, *digest;
        } rows[] = {
                { "busybox", "docker.io", "library/busybox", "latest", "" },
                { "busybox:1.36", "docker.io", "library/busybox", "1.36", "" },
                { "pmorie/sti-html-app", "docker.io", "pmorie/sti-html-app", "latest", "" },
                { "docker.io/busybox", "docker.io", "library/busybox", "latest", "" },
                { "docker.io/a/b", "docker.io", "a/b", "latest", "" },
                { "index.docker.io/busybox", "docker.io", "library/busybox", "latest", "" },
                { "localhost/a", "localhost", "a", "latest", "" },
                { "localhost:5000/a/b:t", "localhost:5000", "a/b", "t", "" },
                { "localhost:5000", "docker.io", "library/localhost", "5000", "" },
                { "quay.io/coreos/etcd:v3.5", "quay.io", "coreos/etcd", "v3.5", "" },
                { "host:1/a", "host:1", "a", "latest", "" },
                { "10.0.0.1:5000/a", "10.0.0.1:5000", "a", "latest", "" },
                { "Example.com/a", "Example.com", "a", "latest", "" },
                { "a/b/c/d", "docker.io", "a/b/c/d", "latest", "" },
                { "a.b/c", "a.b", "c", "latest", "" },
                { "a_b/c__d.e-f--g", "docker.io", "a_b/c__d.e-f--g", "latest", "" },
                { "busybox@sha256:" HEX64, "docker.io", "library/busybox", "", "sha256:" HEX64 },
                { "busybox:1@sha256:" HEX64, "docker.io", "library/busybox", "1", "sha256:" HEX64 },
                { "a@sha512:" HEX64 HEX64, "docker.io", "library/a", "", "sha512:" HEX64 HEX64 },
                { "a:_.-9", "docker.io", "library/a", "_.-9", "" },
                { HEX32, "docker.io", "library/" HEX32, "latest", "" },
                { HEX64 ":t", "docker.io", "library/" HEX64, "t",
                  "" }, /* with a tag it is a name to docker too */
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct image image;
                struct fault f = { 0 };

                if (image_parse(rows[i].in, "image", &image, &f) < 0)
                        fail_msg("%s: %s", rows[i].in, f.text);
                assert_string_equal(image.registry, rows[i].registry);
                assert_string_equal(image.path, rows[i].path);
                assert_string_equal(image.tag, rows[i].tag);
                assert_string_equal(image.digest, rows[i].digest);
        }
}

static void refused(void **state _unused_)
{
        static const struct {
                const char *in, *says;
        } rows[] = {
                { "", "must name an image" },
                { "-v", "not an image reference" },
                { "--privileged", "not an image reference" },
                { "-it", "not an image reference" },
                { "a/b/../c", "not an image reference" },
                { "a//b", "not an image reference" },
                { "/a", "not an image reference" },
                { "a/", "not an image reference" },
                { "BusyBox", "lower case" },
                { "Foo/bar", "lower case" },
                { "quay.io/Foo", "lower case" },
                { "x y", "not an image reference" },
                { "x\ny", "not an image reference" },
                { "busybox;id", "not an image reference" },
                { "busy$(id)box", "not an image reference" },
                { "a___b", "not an image reference" },
                { "a..b", "not an image reference" },
                { "a._b", "not an image reference" },
                { "a-", "not an image reference" },
                { ".a", "not an image reference" },
                { "\xC3\xA9", "not an image reference" },
                { "busybox:", "a tag is" },
                { "busybox:.x", "a tag is" },
                { "busybox:-x", "a tag is" },
                { "busybox:a b", "a tag is" },
                { "busybox:a/b", "registry" },
                { "busybox@", "a digest is" },
                { "busybox@sha256:" HEX32, "a digest is" },
                { "busybox@sha256:" HEX64 "0", "a digest is" },
                { "busybox@sha256:0123456789ABCDEF0123456789abcdef" HEX32, "a digest is" },
                { "busybox@md5:" HEX32, "a digest is" },
                { "busybox@" HEX64, "a digest is" },
                { "busybox@sha256:" HEX64 "@sha256:" HEX64, "a digest is" },
                { "@sha256:" HEX64, "not an image reference" },
                { ":tag", "not an image reference" },
                { HEX64, "not the id of an image" },
                { "-bad.example/x", "registry" },
                { "bad-.example/x", "registry" },
                { "a..b.example/x", "registry" },
                { "example.com:/x", "registry" },
                { "example.com:0/x", "registry" },
                { "example.com:65536/x", "registry" },
                { "example.com:80a/x", "registry" },
                { "a_b.example/x", "registry" },
                { "http://example.com/x", "registry" },
                { "[::1]:5000/x", "registry" },
                { "user@example.com/x", "a digest is" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct image image;
                struct fault f = { 0 };

                if (image_parse(rows[i].in, "t", &image, &f) != -EINVAL)
                        fail_msg("accepted: \"%s\"", rows[i].in);
                if (!strstr(f.text, rows[i].says) || !streq(f.field, "t") || f.kind != FAULT_INVALID)
                        fail_msg("\"%s\": [%s] %s", rows[i].in, f.field, f.text);
        }
}

/* The name counts as docker counts it: with the registry and library/ that were not written. */
static void lengths(void **state _unused_)
{
        static const struct {
                const char *prefix;
                size_t letters, tag;
                bool ok;
        } rows[] = {
                { "", 255 - 18, 0, true }, /* docker.io/library/ */
                { "", 255 - 17, 0, false },  { "a.b/", 251, 0, true }, { "a.b/", 252, 0, false },
                { "a.b/", 10000, 0, false }, { "", 1, 128, true },     { "", 1, 129, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text t = { 0 };
                struct image image;
                struct fault f = { 0 };

                text_add(&t, rows[i].prefix);
                for (size_t n = 0; n < rows[i].letters; n++)
                        text_addc(&t, 'a');
                if (rows[i].tag)
                        text_addc(&t, ':');
                for (size_t n = 0; n < rows[i].tag; n++)
                        text_addc(&t, 't');
                if ((image_parse(t.data, "image", &image, &f) == 0) != rows[i].ok)
                        fail_msg("row %zu: %s", i, f.text);
        }
}

static void registries_allowed(void **state _unused_)
{
        static const struct {
                const char *allowed[3], *reference;
                bool ok;
        } rows[] = {
                { { NULL }, "evil.example/x", true },
                { { "docker.io" }, "busybox", true },
                { { "docker.io" }, "quay.io/x", false },
                { { "quay.io", "docker.io" }, "busybox", true },
                { { "*.example.com" }, "a.example.com/x", true },
                { { "*.example.com" }, "a.b.example.com/x", true },
                { { "*.example.com" }, "A.EXAMPLE.COM/x", true },
                { { "*.example.com" }, "example.com/x", false },
                { { "*.example.com" }, "badexample.com/x", false },
                { { "*.example.com" }, "a.example.com:5000/x", false },
                { { "localhost:5000" }, "localhost:5000/x", true },
                { { "localhost:5000" }, "localhost/x", false },
                { { "localhost" }, "localhost:2379/x", false },
                { { "docker.io" }, "169.254.169.254/x", false },
        };
        struct image image;
        struct fault f;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                assert_int_equal(image_parse(rows[i].reference, "image", &image, &f), 0);
                if (image_allowed(&image, (char *const *) (uintptr_t) rows[i].allowed) != rows[i].ok)
                        fail_msg("row %zu: %s", i, rows[i].reference);
        }
        assert_true(image_allowed(&image, NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(understood),
                cmocka_unit_test(refused),
                cmocka_unit_test(lengths),
                cmocka_unit_test(registries_allowed),
        };

        return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
