/* SPDX-License-Identifier: Apache-2.0 */

/* Audit records: a hash that no change of one leaves alone, and JSON that brings back the same. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/audit.h"

#include <limits.h>

#define TRAIL "00112233445566778899aabbccddeeff"

static struct audit_record example(void)
{
        return (struct audit_record){
                .trail = TRAIL,
                .number = 7,
                .at_usec = 1700000000123456,
                .took_usec = 250000,
                .code = 201,
                .words = { [AUDIT_REQUEST] = (char *) "00000000000000000000000000000001",
                           [AUDIT_PRINCIPAL] = (char *) "alice",
                           [AUDIT_VERB] = (char *) "create",
                           [AUDIT_RESOURCE] = (char *) "web-1",
                           [AUDIT_USER] = (char *) "" },
        };
}

static void hash_of(const char *previous, const struct audit_record *record, char ret[DIGEST_HEX_LEN + 1])
{
        assert_int_equal(audit_hash(previous, record, ret), 0);
}

static bool same_hash(const struct audit_record *a, const struct audit_record *b)
{
        char of_a[DIGEST_HEX_LEN + 1], of_b[DIGEST_HEX_LEN + 1];

        hash_of(TRAIL, a, of_a);
        hash_of(TRAIL, b, of_b);
        return streq(of_a, of_b);
}

/* What gear(1) says of the form, made with printf and sha256sum. */
static void the_hash_is_the_one_that_is_written_down(void **state _unused_)
{
        const struct audit_record record = example();
        char hash[DIGEST_HEX_LEN + 1], expected[DIGEST_HEX_LEN + 1];
        const char *bytes =
                "geard audit record 1\n"
                "32:" TRAIL "\n32:" TRAIL "\n7\n1700000000123456\n250000\n201\n"
                "32:00000000000000000000000000000001\n5:alice\n-\n-\n0:\n-\n-\n6:create\n5:web-1\n"
                "-\n-\n-\n";

        hash_of(TRAIL, &record, hash);
        assert_int_equal(digest_hex(bytes, strlen(bytes), expected), 0);
        assert_string_equal(hash, expected);
}

static void every_field_is_in_the_hash(void **state _unused_)
{
        const struct audit_record record = example();
        struct audit_record other = record;
        char a[DIGEST_HEX_LEN + 1], b[DIGEST_HEX_LEN + 1];

        hash_of(TRAIL, &record, a);
        hash_of(a, &record, b);
        assert_string_not_equal(a, b);
        assert_true(same_hash(&record, &other));
        other.trail[0] = 'f';
        assert_false(same_hash(&record, &other));
        other = record;
        other.number++;
        assert_false(same_hash(&record, &other));
        other = record;
        other.at_usec++;
        assert_false(same_hash(&record, &other));
        other = record;
        other.took_usec++;
        assert_false(same_hash(&record, &other));
        other = record;
        other.code++;
        assert_false(same_hash(&record, &other));
        for (size_t i = 0; i < N_AUDIT_WORDS; i++) {
                other = record;
                other.words[i] = (char *) "another";
                assert_false(same_hash(&record, &other));
                other.words[i] = (char *) (record.words[i] && !*record.words[i] ? NULL : "");
                if (record.words[i] != other.words[i])
                        assert_false(same_hash(&record, &other));
        }
}

/* The same bytes, one word along or with another border between two. */
static void words_do_not_run_into_each_other(void **state _unused_)
{
        struct audit_record a = { .words = { [AUDIT_USER] = (char *) "ab" } };
        struct audit_record b = { .words = { [AUDIT_PEER] = (char *) "ab" } };
        struct audit_record c = { .words = { [AUDIT_USER] = (char *) "a\n1:b" } };
        struct audit_record d = { .words = { [AUDIT_USER] = (char *) "a", [AUDIT_PEER] = (char *) "b" } };
        struct audit_record e = { .at_usec = 1, .took_usec = 11 }, f = { .at_usec = 11, .took_usec = 1 };

        assert_false(same_hash(&a, &b));
        assert_false(same_hash(&c, &d));
        assert_false(same_hash(&a, &d));
        assert_false(same_hash(&e, &f));
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void through_json(const struct audit_record *record, struct audit_record *ret)
{
        _cleanup_text_ struct text t = { 0 };
        _cleanup_(json_freep) struct json *json = NULL;
        struct fault f = { 0 };

        audit_to_json(&t, record);
        assert_true(text_ok(&t));
        json = json_parse(t.data, t.len, "record", &f);
        if (!json || audit_from_json(json, ret, &f) < 0)
                fail_msg("%s: %s", t.data, f.text);
}

static void assert_same(const struct audit_record *a, const struct audit_record *b)
{
        assert_string_equal(a->trail, b->trail);
        assert_int_equal(a->number, b->number);
        assert_string_equal(a->hash, b->hash);
        assert_int_equal(a->at_usec, b->at_usec);
        assert_int_equal(a->took_usec, b->took_usec);
        assert_int_equal(a->code, b->code);
        for (size_t i = 0; i < N_AUDIT_WORDS; i++)
                if (!streq_null(a->words[i], b->words[i]))
                        fail_msg("%s: %s is not %s", audit_word_name((enum audit_word) i), a->words[i],
                                 b->words[i]);
}

static void json_brings_back_the_same(void **state _unused_)
{
        struct audit_record records[] = {
                example(),
                { .trail = "" },
                { .number = AUDIT_NUMBER_MAX,
                  .at_usec = UINT64_MAX,
                  .took_usec = UINT64_MAX,
                  .code = INT_MIN },
                { .code = INT_MAX,
                  .words = { (char *) "", (char *) "\x01\x1f\x7f\"\\/\xc3\xa4\xf0\x9f\x98\x80" } },
        };

        for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
                struct audit_record back = { 0 };

                hash_of("", &records[i], records[i].hash);
                through_json(&records[i], &back);
                assert_same(&records[i], &back);
                audit_record_reset(&back);
        }
}

static void a_copy_is_what_json_can_carry(void **state _unused_)
{
        char long_word[3 * AUDIT_WORD_MAX];
        struct audit_record record = { .words = { [AUDIT_USER] = (char *) "a\xff\xc3",
                                                  [AUDIT_PEER] = (char *) "",
                                                  [AUDIT_SAID] = long_word } };
        struct audit_record copy = { 0 }, back = { 0 };

        (void) memset(long_word, 0xe4, sizeof long_word - 1);
        long_word[sizeof long_word - 1] = '\0';
        assert_int_equal(audit_record_copy(&record, &copy), 0);
        assert_string_equal(copy.words[AUDIT_USER], "a\xef\xbf\xbd\xef\xbf\xbd");
        assert_string_equal(copy.words[AUDIT_PEER], "");
        assert_null(copy.words[AUDIT_TOKEN]);
        assert_in_range(strlen(copy.words[AUDIT_SAID]), AUDIT_WORD_MAX, AUDIT_WORD_MAX + 3);
        assert_true(utf8_valid(copy.words[AUDIT_SAID], strlen(copy.words[AUDIT_SAID])));
        through_json(&copy, &back);
        assert_same(&copy, &back);
        audit_record_reset(&copy);
        audit_record_reset(&back);
}

static void what_is_no_record_is_refused_by_its_field(void **state _unused_)
{
        static const struct {
                const char *json, *field;
        } cases[] = {
                { "[]", "" },
                { "{}", "trail" },
                { "{\"trail\":\"" TRAIL "0\"}", "trail" },
                { "{\"trail\":\"" TRAIL "\",\"number\":-1}", "number" },
                { "{\"trail\":\"\",\"number\":1,\"at_usec\":1,\"took_usec\":1,\"code\":4294967296}",
                  "code" },
                { "{\"trail\":\"\",\"number\":1,\"at_usec\":1,\"took_usec\":1,\"code\":1,\"said\":null}",
                  "said" },
                { "{\"trail\":\"\",\"number\":1,\"at_usec\":1,\"took_usec\":1,\"code\":1}", "hash" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fault f = { 0 };
                _cleanup_(json_freep) struct json *json =
                        json_parse(cases[i].json, strlen(cases[i].json), "record", &f);
                struct audit_record record = { .number = 77 };

                assert_non_null(json);
                assert_true(audit_from_json(json, &record, &f) < 0);
                assert_string_equal(f.field, cases[i].field);
                assert_int_equal(record.number, 77);
        }
}

/* --- rotation ---------------------------------------------------------------------------------- */

static void a_rotation_tells_its_range(void **state _unused_)
{
        static const struct {
                const char *verb, *resource;
                uint64_t first, last; /* 0: it is none */
        } cases[] = {
                { "rotate", "1-500", 1, 500 },
                { "rotate", "7-7", 7, 7 },
                { "rotate", "8-7", 0, 0 },
                { "rotate", "500", 0, 0 },
                { "rotate", "1-", 0, 0 },
                { "rotate", "-5", 0, 0 },
                { "rotate", "1-2-3", 0, 0 },
                { "rotate", NULL, 0, 0 },
                { "create", "1-500", 0, 0 },
                { "rotate", "1111111111111111111111111111-2", 0, 0 },
                { "rotate", "1-9223372036854775808", 0, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct audit_record record = { .words = { [AUDIT_VERB] = (char *) cases[i].verb,
                                                                [AUDIT_RESOURCE] =
                                                                        (char *) cases[i].resource } };
                uint64_t first = 0, last = 0;

                assert_int_equal(audit_rotated_range(&record, &first, &last), cases[i].last != 0);
                assert_int_equal(first, cases[i].first);
                assert_int_equal(last, cases[i].last);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_hash_is_the_one_that_is_written_down),
                cmocka_unit_test(every_field_is_in_the_hash),
                cmocka_unit_test(words_do_not_run_into_each_other),
                cmocka_unit_test(json_brings_back_the_same),
                cmocka_unit_test(a_copy_is_what_json_can_carry),
                cmocka_unit_test(what_is_no_record_is_refused_by_its_field),
                cmocka_unit_test(a_rotation_tells_its_range),
        };

        return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
