/* SPDX-License-Identifier: Apache-2.0 */

/* The description of the API against the route tables it is made from. */

#include "api/openapi.h"
#include "api/parameters.h"
#include "api/routes.h"
#include "core/spec.h"
#include "util/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct document {
        struct route_table tables[API_TABLES];
        struct json *root;
        const struct json *paths;
};

static int build(void **state)
{
        static struct document doc;
        struct text t = { 0 };
        struct fault f;

        api_routes(doc.tables);
        openapi_write(doc.tables, ARRAY_SIZE(doc.tables), &t);
        assert_true(text_ok(&t));
        doc.root = json_parse_trusted(t.data, t.len, "openapi", &f);
        if (!doc.root)
                fail_msg("%s in %s", f.text, t.data);
        doc.paths = json_member(doc.root, "paths");
        text_reset(&t);
        *state = &doc;
        return 0;
}

static int drop(void **state)
{
        struct document *doc = *state;

        doc->root = json_free(doc->root);
        return 0;
}

static const char *lower_name(enum http_method m)
{
        switch (m) {
        case HTTP_GET:
                return "get";
        case HTTP_PUT:
                return "put";
        case HTTP_POST:
                return "post";
        case HTTP_PATCH:
                return "patch";
        case HTTP_DELETE:
                return "delete";
        default:
                fail_msg("a method that no route has");
                return NULL;
        }
}

static const struct json *operation_of(const struct document *doc, const struct route *route, bool token)
{
        char path[256];
        int plain = (int) strcspn(route->pattern, "*"); /* {ref*} is {ref} there */
        const char *rest = route->pattern + plain;

        (void) snprintf(path, sizeof path, "%s%.*s%s", token ? "/token/{token}" : "", plain, route->pattern,
                        *rest == '*' ? rest + 1 : rest);
        return json_member(json_member(doc->paths, path), lower_name(route->method));
}

static const char *string_of(const struct json *object, const char *name)
{
        const char *s;
        struct fault f;

        if (json_get_string(json_member(object, name), name, 4096, &s, &f) < 0)
                fail_msg("%s", f.text);
        return s;
}

static bool has_parameter(const struct json *operation, const char *in, const char *name, size_t len)
{
        const struct json *parameters = json_member(operation, "parameters"), *p;

        for (size_t i = 0; (p = json_array_at(parameters, i)); i++)
                if (streq(string_of(p, "in"), in) && strlen(string_of(p, "name")) == len &&
                    strncmp(string_of(p, "name"), name, len) == 0)
                        return true;
        return false;
}

static void check_operation(const struct json *operation, const struct route *route, bool token)
{
        if (!json_is_object(operation))
                fail_msg("%s%s is not described", token ? "/token/{token}" : "", route->pattern);
        assert_string_equal(string_of(operation, "summary"), route->summary);
        assert_true(json_is_object(json_member(operation, "responses")));
        if (route->right)
                assert_string_equal(string_of(operation, "x-right"), route->right);
        assert_int_equal(json_is_object(json_member(operation, "requestBody")),
                         (route->flags & (ROUTE_BODY | ROUTE_UPLOAD)) != 0);
        assert_int_equal(has_parameter(operation, "path", "token", strlen("token")), token);
        for (const char *open = strchr(route->pattern, '{'); open; open = strchr(open + 1, '{'))
                assert_true(has_parameter(operation, "path", open + 1, strcspn(open + 1, "*}")));
}

/* Every route in each of its spellings, and nothing else. */
static void test_every_route(void **state)
{
        const struct document *doc = *state;
        size_t expected = 0, found = 0;
        const struct json *item;
        const char *path;

        for (size_t k = 0; k < ARRAY_SIZE(doc->tables); k++) {
                for (size_t i = 0; i < doc->tables[k].n_routes; i++) {
                        const struct route *route = &doc->tables[k].routes[i];

                        if (!(route->flags & ROUTE_TOKEN)) {
                                check_operation(operation_of(doc, route, false), route, false);
                                expected++;
                        }
                        if (!(route->flags & ROUTE_OPEN)) {
                                check_operation(operation_of(doc, route, true), route, true);
                                expected++;
                        }
                }
        }
        for (size_t i = 0; (item = json_object_at(doc->paths, i, &path)); i++)
                found += json_object_len(item);
        assert_true(expected > 30);
        assert_int_equal(found, expected);
}

/* A name given twice would parse, and hide one of the two. */
static void test_unique(void **state)
{
        const struct document *doc = *state;
        const struct json *item, *operation;
        const char *path, *method;
        char **ids = NULL;

        for (size_t i = 0; (item = json_object_at(doc->paths, i, &path)); i++) {
                for (size_t k = 0; (operation = json_object_at(item, k, &method)); k++) {
                        const char *id = string_of(operation, "operationId");

                        for (char **other = ids; other && *other; other++)
                                assert_string_not_equal(*other, id);
                        assert_int_equal(strv_add(&ids, id), 0);
                }
        }
        strv_free(ids);
}

static void check_reference(const struct json *root, const char *ref)
{
        _cleanup_free_ char *copy = strdup(ref);
        const struct json *at = root;
        char *save = NULL;

        assert_true(starts_with(ref, "#/"));
        for (char *name = strtok_r(copy + 2, "/", &save); name; name = strtok_r(NULL, "/", &save))
                at = json_member(at, name);
        if (!json_is_object(at))
                fail_msg("%s points to nothing", ref);
}

/* Our own document: as deep as it is written. */
static size_t check_references(const struct json *root, const struct json *v)
{
        const struct json *member;
        const char *name;
        size_t n = 0;

        for (size_t i = 0; (member = json_object_at(v, i, &name)); i++) {
                if (streq(name, "$ref")) {
                        check_reference(root, string_of(v, "$ref"));
                        n++;
                } else {
                        n += check_references(root, member);
                }
        }
        for (size_t i = 0; (member = json_array_at(v, i)); i++)
                n += check_references(root, member);
        return n;
}

static void test_references(void **state)
{
        const struct document *doc = *state;

        assert_true(check_references(doc->root, doc->root) > 30);
}

/* Every member that the document offers is one that a spec takes; null counts as not given. */
static void test_gear_members(void **state)
{
        const struct document *doc = *state;
        const struct json *schemas = json_member(json_member(doc->root, "components"), "schemas");
        const struct json *members = json_member(json_member(schemas, "Gear"), "properties"), *member;
        const char *name;

        assert_true(json_object_len(members) > 20);
        for (size_t i = 0; (member = json_object_at(members, i, &name)); i++) {
                struct text body = { 0 };
                struct spec spec;
                struct json *json;
                struct fault f;

                text_addf(&body, "{\"%s\":null}", name);
                json = json_parse(body.data, body.len, "body", &f);
                if (!json || spec_from_json(json, "demo", &spec, &f) < 0)
                        fail_msg("%s: %s", name, f.text);
                spec_reset(&spec);
                (void) json_free(json);
                text_reset(&body);
        }
}

/* --- what is listed is what is taken ---------------------------------------------------- */

static bool is_taken(const struct route *route, bool token, const char *name)
{
        struct http_request request = { .params = { { name, "1" } }, .n_params = 1 };
        struct call call = { .request = &request,
                             .match = { .route = route, .token = token ? "__test__" : NULL },
                             .who = { .kind = token ? WHO_TEST : WHO_PEER } };
        struct fault f;

        if (parameters_check(&call, &f) == 0)
                return true;
        assert_int_equal(f.kind, FAULT_INVALID);
        assert_string_equal(f.field, name);
        assert_non_null(strstr(f.text, name));
        return false;
}

/* Every name that any call takes, and some that none does, against this one call. */
static size_t compare_names(const struct document *doc, const struct route *route, bool token)
{
        static const char *const strange[] = { "sinze", "Tail", "all ", "", "token", "id", "X-Request-Id" };
        const struct json *operation = operation_of(doc, route, token), *path, *other, *p;
        const char *ignored;
        size_t taken = 0;

        for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
                assert_false(is_taken(route, token, strange[i]));
        for (size_t i = 0; (path = json_object_at(doc->paths, i, &ignored)); i++)
                for (size_t k = 0; (other = json_object_at(path, k, &ignored)); k++)
                        for (size_t n = 0; (p = json_array_at(json_member(other, "parameters"), n)); n++) {
                                const char *name = string_of(p, "name");

                                if (!streq(string_of(p, "in"), "query"))
                                        continue;
                                if (has_parameter(operation, "query", name, strlen(name)) !=
                                    is_taken(route, token, name))
                                        fail_msg("%s: %s is not both listed and taken", route->pattern, name);
                                taken += is_taken(route, token, name);
                        }
        return taken;
}

static void test_query_names(void **state)
{
        const struct document *doc = *state;
        size_t taken = 0;

        for (size_t k = 0; k < ARRAY_SIZE(doc->tables); k++)
                for (size_t i = 0; i < doc->tables[k].n_routes; i++) {
                        const struct route *route = &doc->tables[k].routes[i];

                        if (!(route->flags & ROUTE_TOKEN))
                                taken += compare_names(doc, route, false);
                        if (!(route->flags & ROUTE_OPEN))
                                taken += compare_names(doc, route, true);
                }
        assert_true(taken > 100);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_every_route, build, drop),
                cmocka_unit_test_setup_teardown(test_unique, build, drop),
                cmocka_unit_test_setup_teardown(test_references, build, drop),
                cmocka_unit_test_setup_teardown(test_gear_members, build, drop),
                cmocka_unit_test_setup_teardown(test_query_names, build, drop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
