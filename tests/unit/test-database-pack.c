/* SPDX-License-Identifier: Apache-2.0 */

/* Answers, packed: as they were, small, and damage is noticed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "database-scene.h"

/* As long as the JSON that is kept may be, and of every byte that text may hold. */
static char *varied(void)
{
        char *text = malloc(REQUEST_JSON_MAX + 1);

        assert_non_null(text);
        for (size_t i = 0; i < REQUEST_JSON_MAX; i++)
                text[i] = (char) (i * 31 % 255 + 1);
        text[REQUEST_JSON_MAX] = '\0';
        return text;
}

static void an_answer_unpacks_as_it_was(void **state _unused_)
{
        _cleanup_free_ char *all = varied();
        const struct outcome answers[] = {
                { .text = NULL },
                { .text = (char *) "Gear web is running\n" },
                { .json = (char *) "{}\n" },
                { .headers = (char *) "Location: /container/web/status\nx-PortMapping: 80:4000\n" },
                { .text = all, .json = all, .headers = all },
        };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                _cleanup_text_ struct text packed = { 0 };
                struct outcome outcome = { 0 };

                assert_int_equal(pack_answer(&answers[i], &packed), SQLITE_OK);
                assert_int_equal(unpack_answer(packed.data, packed.len, &outcome), SQLITE_OK);
                assert_true(streq_null(outcome.text, answers[i].text));
                assert_true(streq_null(outcome.json, answers[i].json));
                assert_true(streq_null(outcome.headers, answers[i].headers));
                outcome_reset(&outcome);
        }
}

/* The dictionary earns its place only as long as it is like what is answered. */
static void an_answer_is_mostly_in_the_dictionary(void **state _unused_)
{
        static const char json[] =
                "{\"id\":\"shop\",\"image\":\"registry.example.org/shop/web:2.17\",\"state\":\"running\",\"unit\":{"
                "\"name\":\"gear-shop.service\",\"active\":\"active\",\"sub\":\"running\",\"result\":\"success\"},"
                "\"container\":\"3f1b09d2c47a\",\"health\":null,\"ports\":[{\"internal\":80,\"external\":4021,"
                "\"protocol\":\"tcp\"}],\"labels\":{},\"user\":\"alice\",\"created\":\"2027-03-05T14:32:17Z\","
                "\"since\":\"2027-03-05T14:32:18Z\",\"restarts\":0}\n";
        const struct outcome answer = {
                .text = (char *) "Gear shop is running\n",
                .json = (char *) json,
                .headers = (char *) "Location: /container/shop/status\nx-PortMapping: 80:4021\n",
        };
        _cleanup_text_ struct text packed = { 0 };

        assert_int_equal(pack_answer(&answer, &packed), SQLITE_OK);
        assert_in_range(packed.len, 1, (strlen(answer.text) + strlen(answer.json) + strlen(answer.headers)) / 3);
}

/* zlib names the dictionary in what it packs with it. */
static void the_dictionary_is_that_of_this_version(void **state _unused_)
{
        static const unsigned char name[] = { 0x56, 0x1b, 0xf8, 0x30 };
        const struct outcome answer = { .text = (char *) "Gear web is running\n" };
        _cleanup_text_ struct text packed = { 0 };

        assert_int_equal(pack_answer(&answer, &packed), SQLITE_OK);
        assert_true(packed.len > 6);
        if (memcmp(packed.data + 2, name, sizeof name) != 0)
                fail_msg("the dictionary has changed: SCHEMA_VERSION has to, and then this");
}

static void an_answer_that_was_changed_is_damage(void **state _unused_)
{
        const struct outcome answer = { .text = (char *) "Gear web is running\n", .json = (char *) "{\"id\":\"web\"}\n" };
        _cleanup_text_ struct text packed = { 0 };
        struct outcome outcome = { 0 };

        assert_int_equal(pack_answer(&answer, &packed), SQLITE_OK);
        for (size_t n = 0; n < packed.len; n++) {
                assert_int_equal(unpack_answer(packed.data, n, &outcome), SQLITE_CORRUPT);
                packed.data[n] ^= 0x10;
                assert_int_equal(unpack_answer(packed.data, packed.len, &outcome), SQLITE_CORRUPT);
                packed.data[n] ^= 0x10;
        }
        assert_null(outcome.text);
}

static void an_answer_that_is_too_long_is_refused_both_ways(void **state)
{
        struct scene *s = *state;
        char *text = malloc(DATABASE_ANSWER_MAX + 1);

        assert_non_null(text);
        (void) memset(text, 'x', DATABASE_ANSWER_MAX);
        text[DATABASE_ANSWER_MAX] = '\0';
        conclude(s, 1, 201, text);
        assert_int_equal(await(s, 1), 1);
        assert_int_equal(s->losses, 0);
        text[DATABASE_ANSWER_MAX - 1000] = '\0';
        conclude(s, 1, 201, text);
        assert_int_equal(await(s, 1), 0);
        assert_int_equal(look_for(s, 1), 1);
        assert_string_equal(s->row.outcome.text, text);
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(an_answer_unpacks_as_it_was),
                CASE(an_answer_is_mostly_in_the_dictionary),
                CASE(the_dictionary_is_that_of_this_version),
                CASE(an_answer_that_was_changed_is_damage),
                CASE(an_answer_that_is_too_long_is_refused_both_ways),
        };

        return cmocka_run_group_tests_name("database-pack", tests, NULL, NULL);
}
