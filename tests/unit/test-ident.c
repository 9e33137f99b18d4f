/* SPDX-License-Identifier: Apache-2.0 */

/* Ids and the names that come of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/ident.h"

#define LETTERS63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ZEROS28 "0000000000000000000000000000"

static void gear_ids(void **state _unused_)
{
        static const struct {
                const char *id;
                bool valid;
        } rows[] = {
                { "1", true },         { "2a", true },
                { "git1", true },      { "A.b_c-d", true },
                { "9-", true },        { "a..b", true },
                { LETTERS63, true },   { LETTERS63 "a", false },
                { "", false },         { "-x", false },
                { ".x", false },       { "_x", false },
                { "..", false },       { "../x", false },
                { "a/b", false },      { "a b", false },
                { "a\n", false },      { "a@b", false },
                { "a%n", false },      { "a\\x2d", false },
                { "1*", false },       { "1.service -u x", false },
                { "\xC3\xA9", false }, { "a\x7f", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct fault f = { 0 };

                if (gear_id_valid(rows[i].id) != rows[i].valid)
                        fail_msg("\"%s\"", rows[i].id);
                assert_int_equal(gear_id_check(rows[i].id, "r", &f), rows[i].valid ? 0 : -EINVAL);
                assert_int_equal(f.kind, rows[i].valid ? FAULT_NONE : FAULT_INVALID);
                assert_string_equal(f.field, rows[i].valid ? "" : "r");
        }
}

static void unit_names(void **state _unused_)
{
        static const struct {
                const char *unit, *id; /* NULL: none of ours */
        } rows[] = {
                { "gear-1.service", "1" },
                { "gear-a.service.service", "a.service" },
                { "gear-" LETTERS63 ".service", LETTERS63 },
                { "gear-" LETTERS63 "a.service", NULL },
                { "gear-.service", NULL },
                { "gear--x.service", NULL },
                { "gear-1.slice", NULL },
                { "gear-1@1.service", NULL },
                { "gear-1", NULL },
                { "gear-", NULL },
                { ".service", NULL },
                { "", NULL },
                { "Gear-1.service", NULL },
                { "xgear-1.service", NULL },
                { "gear-a/b.service", NULL },
                { "gear.service", NULL },
        };
        char unit[UNIT_NAME_MAX], container[UNIT_NAME_MAX], id[GEAR_ID_MAX + 1];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                strcpy(id, "untouched");
                if (gear_id_of_unit(rows[i].unit, id) != (rows[i].id != NULL))
                        fail_msg("\"%s\"", rows[i].unit);
                assert_string_equal(id, rows[i].id ? rows[i].id : "untouched");
                if (!rows[i].id)
                        continue;
                gear_unit_name(id, unit);
                assert_string_equal(unit, rows[i].unit);
                gear_container_name(id, container);
                assert_int_equal(strlen(container), strlen(unit) - strlen(".service"));
        }
}

static void request_ids(void **state _unused_)
{
        static const struct {
                const char *in, *out; /* NULL: refused */
        } rows[] = {
                { "1", ZEROS28 "0001" },
                { "01", ZEROS28 "0001" },
                { "2A", ZEROS28 "002a" },
                { "abcd", ZEROS28 "abcd" },
                { "0123456789abcdefABCDEF0123456789", "0123456789abcdefabcdef0123456789" },
                { "0123456789abcdefABCDEF01234567890", NULL },
                { "", NULL },
                { "g", NULL },
                { "0x1", NULL },
                { "+1", NULL },
                { "-1", NULL },
                { " 1", NULL },
                { "1\n", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char id[REQUEST_ID_LEN + 1] = "untouched";

                assert_int_equal(request_id_canonical(rows[i].in, id), rows[i].out ? 0 : -EINVAL);
                assert_string_equal(id, rows[i].out ? rows[i].out : "untouched");
        }
}

static void bus_labels(void **state _unused_)
{
        static const struct {
                const char *name, *label;
        } rows[] = {
                { "gear-1.service", "gear_2d1_2eservice" },
                { "1a", "_31a" },
                { "a1", "a1" },
                { "", "_" },
                { "_", "_5f" },
                { "\xC3\xA9", "_c3_a9" },
        };
        static const char *const bad[] = { "_2", "_zz", "a-b", "_2D", "_00", "x_" };
        char label[64], name[64], tiny[4];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                bus_label_escape(rows[i].name, label, sizeof label);
                assert_string_equal(label, rows[i].label);
                assert_true(bus_label_unescape(label, name, sizeof name));
                assert_string_equal(name, rows[i].name);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (bus_label_unescape(bad[i], name, sizeof name))
                        fail_msg("\"%s\"", bad[i]);
        bus_label_escape("ab-c", tiny, sizeof tiny); /* no half an escape */
        assert_string_equal(tiny, "ab");
        assert_false(bus_label_unescape("abcd", tiny, sizeof tiny));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(gear_ids),
                cmocka_unit_test(unit_names),
                cmocka_unit_test(request_ids),
                cmocka_unit_test(bus_labels),
        };

        return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
