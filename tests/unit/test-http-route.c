/* SPDX-License-Identifier: Apache-2.0 */

/* Which row answers which path, with and without a token in front. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/route.h"

/* Never called: a row is told by its summary. */
static void nothing(struct call *call _unused_)
{
}

static const struct route gears[] = {
        { HTTP_GET, "/", nothing, NULL, ROUTE_OPEN, "front" },
        { HTTP_GET, "/containers", nothing, "gear.read", 0, "list" },
        { HTTP_PUT, "/container", nothing, "gear.create", ROUTE_TOKEN | ROUTE_BODY, "token-create" },
        { HTTP_PUT, "/container/started", nothing, "gear.state", ROUTE_TOKEN, "token-start" },
        { HTTP_GET, "/container/status", nothing, "gear.read", ROUTE_TOKEN, "token-status" },
        { HTTP_PUT, "/container/{id}", nothing, "gear.create", ROUTE_BODY, "create" },
        { HTTP_DELETE, "/container/{id}", nothing, "gear.delete", 0, "delete" },
        { HTTP_PUT, "/container/{id}/started", nothing, "gear.state", 0, "start" },
        { HTTP_GET, "/content/{id}/{path*}", nothing, "repo.read", 0, "content" },
        { HTTP_GET, "/content/{id}/log", nothing, "log.read", 0, "content-log" },
};
static const struct route services[] = {
        { HTTP_GET, "/service/{name}/{verb}", nothing, "service.any", 0, "any-verb" },
        { HTTP_GET, "/service/{name}/status", nothing, "service.read", 0, "service-status" },
        { HTTP_POST, "/{a}/{b}/{c}", nothing, "x", 0, "three" },
};
static const struct route_table tables[] = {
        { gears, ARRAY_SIZE(gears) },
        { services, ARRAY_SIZE(services) },
};

static struct route_match find(enum http_method method, const char *const *segments)
{
        struct http_request r = { .method = method };
        struct route_match m;

        for (; segments[r.n_segments]; r.n_segments++)
                r.segments[r.n_segments] = segments[r.n_segments];
        route_find(tables, ARRAY_SIZE(tables), &r, &m);
        return m;
}

#define PATH(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ROOT ((const char *const[]){ NULL })

static void test_found(void **state _unused_)
{
        const struct {
                enum http_method method;
                const char *const *segments;
                const char *summary, *param, *value, *token;
        } cases[] = {
                { HTTP_GET, ROOT, "front", NULL, NULL, NULL },
                { HTTP_HEAD, ROOT, "front", NULL, NULL, NULL },
                { HTTP_GET, PATH("token", "t"), "front", NULL, NULL, "t" },
                { HTTP_GET, PATH("containers"), "list", NULL, NULL, NULL },
                { HTTP_GET, PATH("token", "t", "containers"), "list", NULL, NULL, "t" },
                { HTTP_PUT, PATH("token", "t", "container"), "token-create", NULL, NULL, "t" },
                { HTTP_PUT, PATH("token", "t", "container", "started"), "token-start", NULL, NULL, "t" },
                { HTTP_PUT, PATH("container", "started"), "create", "id", "started", NULL },
                { HTTP_PUT, PATH("container", "a/b"), "create", "id", "a/b", NULL },
                { HTTP_PUT, PATH("token", "t", "container", "x"), "create", "id", "x", "t" },
                { HTTP_PUT, PATH("container", "x", "started"), "start", "id", "x", NULL },
                { HTTP_GET, PATH("service", "web", "status"), "service-status", "name", "web", NULL },
                { HTTP_GET, PATH("service", "web", "kill"), "any-verb", "verb", "kill", NULL },
                { HTTP_POST, PATH("a", "b", "c"), "three", "c", "c", NULL },
                { HTTP_GET, PATH("content", "x", "a"), "content", "path", "a", NULL },
                { HTTP_GET, PATH("content", "x", "log"), "content-log", "id", "x", NULL },
                { HTTP_GET, PATH("content", "x", "log", "b"), "content", "path", "log", NULL },
                { HTTP_GET, PATH("token", "t", "content", "x", "a", "b", "c"), "content", "id", "x", "t" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct route_match m = find(cases[i].method, cases[i].segments);

                assert_non_null(m.route);
                assert_string_equal(m.route->summary, cases[i].summary);
                assert_true(streq_null(m.token, cases[i].token));
                if (cases[i].param)
                        assert_string_equal(route_param(&m, cases[i].param), cases[i].value);
        }
}

static void test_not_found(void **state _unused_)
{
        const struct {
                enum http_method method;
                const char *const *segments;
                bool path_known;
                unsigned allowed;
        } cases[] = {
                { HTTP_GET, PATH("nothing"), false, 0 },
                { HTTP_GET, PATH("container"), false, 0 }, /* only below a token */
                { HTTP_GET, PATH("token", "t", "container"), true, 1 << HTTP_PUT },
                { HTTP_POST, PATH("containers"), true, 1 << HTTP_GET | 1 << HTTP_HEAD },
                { HTTP_GET, PATH("container", "x"), true, 1 << HTTP_PUT | 1 << HTTP_DELETE },
                { HTTP_GET, PATH("container", "x", "y", "z"), false, 0 },
                { HTTP_GET, PATH("token"), false, 0 },
                { HTTP_GET, PATH("containers", "x"), false, 0 },
                { HTTP_GET, PATH("content", "x"), false, 0 },
                /* a literal row owns its path: no fall-through to {verb} or to /{a}/{b}/{c} */
                { HTTP_POST, PATH("service", "web", "status"), true, 1 << HTTP_GET | 1 << HTTP_HEAD },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct route_match m = find(cases[i].method, cases[i].segments);

                assert_null(m.route);
                assert_int_equal(m.path_known, cases[i].path_known);
                assert_int_equal(m.allowed, cases[i].allowed);
        }
}

static void test_params(void **state _unused_)
{
        struct route_match m = find(HTTP_GET, PATH("service", "web", "kill"));

        assert_string_equal(route_param(&m, "name"), "web");
        assert_null(route_param(&m, "nam"));
        assert_null(route_param(&m, "names"));
        assert_null(route_param(&m, ""));
        m = find(HTTP_GET, PATH("content", "x", "a", "b"));
        assert_int_equal(m.rest, 2);
        m = find(HTTP_GET, PATH("token", "t", "content", "x", "a", "b"));
        assert_int_equal(m.rest, 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_found),
                cmocka_unit_test(test_not_found),
                cmocka_unit_test(test_params),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
