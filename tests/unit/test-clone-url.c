/* SPDX-License-Identifier: Apache-2.0 */

/* What may be cloned, and what must never reach git. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clone-url.h"
#include "util/text.h"

static char *const paths[] = { (char *) "/srv/mirrors", (char *) "/opt/git", NULL };
static const struct clone_rules rules = { .schemes = CLONE_HTTPS | CLONE_HTTP | CLONE_SSH | CLONE_GIT,
                                          .file_paths = (char *const *) paths };

static void understood(void **state _unused_)
{
        static const struct {
                const char *url;
                enum clone_scheme scheme;
                const char *host, *path;
        } rows[] = {
                { "https://example.com/a.git", CLONE_HTTPS, "example.com", "/a.git" },
                { "https://Example.com/a", CLONE_HTTPS, "Example.com", "/a" },
                { "http://127.0.0.1:8080/a/b%20c", CLONE_HTTP, "127.0.0.1", "/a/b%20c" },
                { "https://[2001:db8::1]:443/a", CLONE_HTTPS, "[2001:db8::1]", "/a" },
                { "ssh://git@example.com/~/a.git", CLONE_SSH, "example.com", "/~/a.git" },
                { "ssh://example.com:2222/-x", CLONE_SSH, "example.com", "/-x" },
                { "git://host/a", CLONE_GIT, "host", "/a" },
                { "file:///srv/mirrors/a.git", CLONE_FILE, "", "/srv/mirrors/a.git" },
                { "file:///opt/git/a..b/c", CLONE_FILE, "", "/opt/git/a..b/c" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct clone_url url;
                struct fault f = { 0 };

                if (clone_url_check(rows[i].url, "t", &rules, &url, &f) < 0)
                        fail_msg("%s: %s", rows[i].url, f.text);
                assert_int_equal(url.scheme, rows[i].scheme);
                assert_string_equal(url.host, rows[i].host);
                assert_string_equal(url.path, rows[i].path);
        }
}

static void refused(void **state _unused_)
{
        static const char *const urls[] = {
                "", "x", "/etc", "../a", "-x", "--upload-pack=touch /tmp/x",
                "ext::sh -c touch% /tmp/x", "fd::7", "testhelper::x", "https::https://example.com/a",
                "HTTPS://example.com/a", "FILE:///srv/mirrors/a", "ftp://example.com/a", "ssh+git://example.com/a", "git+ssh://example.com/a", " https://example.com/a",
                "host:path", "git@example.com:a.git", "host:-x",
                "https:/example.com/a", "https://", "https:///a", "https://example.com", "https://example.com/",
                "https://-oProxyCommand=x/a", "ssh://-oProxyCommand=x/a", "ssh://-l@example.com/a", "ssh://@example.com/a",
                "ssh://example.com-/a", "ssh://a..b/a", "ssh://.a/a", "ssh://a b/a", "ssh://a$b/a", "ssh://a%62/a",
                "https://example.com:0/a", "https://example.com:65536/a", "https://example.com:/a", "https://example.com:8o/a",
                "https://[::1/a", "https://::1/a", "https://[x]/a",
                "https://user@example.com/a", "https://user:word@example.com/a", "ssh://user:word@example.com/a",
                "https://example.com/a b", "https://example.com/a\nb", "https://example.com/a'b", "https://example.com/a\\b",
                "https://example.com/a?b", "https://example.com/a#b", "https://example.com/\xc3\xa9", "https://example.com/`a`",
                "file://localhost/srv/mirrors/a", "file:///srv/mirrors/../a", "file:///srv/mirrors/a/..", "file:///srv/mirrors/%2e%2e/a",
        };

        for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
                struct clone_url url;
                struct fault f = { 0 };

                if (clone_url_check(urls[i], "t", &rules, &url, &f) != -EINVAL)
                        fail_msg("%s was let through", urls[i]);
                assert_int_equal(f.kind, FAULT_INVALID);
                assert_string_equal(f.field, "t");
        }
}

static void length(void **state _unused_)
{
        char url[CLONE_URL_MAX + 2];
        struct clone_url ret;
        struct fault f = { 0 };

        memset(url, 'a', sizeof url);
        memcpy(url, "https://example.com/", strlen("https://example.com/"));
        url[CLONE_URL_MAX] = '\0';
        assert_int_equal(clone_url_check(url, "t", &rules, &ret, &f), 0);
        url[CLONE_URL_MAX] = 'a';
        url[CLONE_URL_MAX + 1] = '\0';
        assert_int_equal(clone_url_check(url, "t", &rules, &ret, &f), -EINVAL);
}

static void what_the_rules_forbid(void **state _unused_)
{
        static const struct clone_rules few = { .schemes = CLONE_HTTPS };
        static const char *const urls[] = { "http://example.com/a", "ssh://example.com/a", "git://example.com/a",
                                            "file:///srv/mirrors/a" };
        static const char *const elsewhere[] = { "file:///etc/a", "file:///srv/mirrorsa/b", "file:///srv/mirrors",
                                                 "file:///srv/mirrors/", "file:///srv" };
        struct clone_url url;

        for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
                struct fault f = { 0 };

                assert_int_equal(clone_url_check(urls[i], "t", &few, &url, &f), -EINVAL);
                assert_int_equal(f.kind, FAULT_DENIED);
        }
        for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
                struct fault f = { 0 };

                assert_int_equal(clone_url_check(elsewhere[i], "t", &rules, &url, &f), -EINVAL);
                assert_int_equal(f.kind, FAULT_DENIED);
        }
}

/* A URL may hold what was meant to be secret. */
static void faults_tell_nothing_of_it(void **state _unused_)
{
        struct clone_url url;
        struct fault f = { 0 };

        assert_int_equal(clone_url_check("https://user:hidden@example.com/a", "t", &rules, &url, &f), -EINVAL);
        assert_null(strstr(f.text, "hidden"));
        assert_null(strstr(f.text, "user@"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(understood),
                cmocka_unit_test(refused),
                cmocka_unit_test(length),
                cmocka_unit_test(what_the_rules_forbid),
                cmocka_unit_test(faults_tell_nothing_of_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
