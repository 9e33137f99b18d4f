/* SPDX-License-Identifier: Apache-2.0 */

/* Strings, vectors, UTF-8, shell words, numbers, durations, sizes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "util/digest.h"
#include "util/text.h"

static void text_grows_and_is_taken(void **state _unused_)
{
        _cleanup_text_ struct text t = { 0 };
        _cleanup_free_ char *taken = NULL, *empty = NULL;

        for (int i = 0; i < 1000; i++)
                text_addf(&t, "%d,", i);
        assert_true(text_ok(&t));
        assert_int_equal(t.len, 10 * 2 + 90 * 3 + 900 * 4);
        assert_memory_equal(t.data + t.len - 4, "999,", 5);
        text_truncate(&t, 3);
        text_addc(&t, '!');
        text_truncate(&t, 100); /* nothing to cut */
        taken = text_take(&t);
        assert_string_equal(taken, "0,1!");
        assert_int_equal(t.len, 0);
        empty = text_take(&t);
        assert_string_equal(empty, "");
}

static void text_failure_is_sticky(void **state _unused_)
{
        struct text t = { 0 };

        text_add(&t, "abc");
        text_addn(&t, "abc", SIZE_MAX - 2); /* refused before a byte is read */
        text_add(&t, "def");
        assert_false(text_ok(&t));
        assert_null(text_take(&t));
        assert_true(text_ok(&t));
}

static void vectors(void **state _unused_)
{
        _cleanup_strv_ char **v = NULL, **copy = NULL;

        assert_int_equal(strv_len(NULL), 0);
        assert_true(strv_equal(NULL, NULL));
        for (int i = 0; i < 20; i++)
                assert_int_equal(strv_addf(&v, "%d", i), 0);
        assert_int_equal(strv_len(v), 20);
        assert_string_equal(v[19], "19");
        assert_null(v[20]);
        copy = strv_copy(v);
        assert_true(strv_equal(v, copy));
        assert_int_equal(strv_add(&copy, ""), 0);
        assert_false(strv_equal(v, copy));
        assert_int_equal(strv_consume(&copy, NULL), -ENOMEM);
        assert_null(strv_copy(NULL));
}

static void utf8(void **state _unused_)
{
        static const struct {
                const char *bytes;
                size_t n;
                bool valid;
        } rows[] = {
                { "", 0, true },
                { "abc\x7f", 4, true },
                { "\xC3\xA9", 2, true },          /* é */
                { "\xE2\x82\xAC", 3, true },      /* € */
                { "\xF0\x9F\x98\x80", 4, true },  /* an emoji */
                { "\xF4\x8F\xBF\xBF", 4, true },  /* U+10FFFF */
                { "\xEE\x80\x80", 3, true },      /* U+E000 */
                { "\xEF\xBF\xBF", 3, true },      /* a noncharacter, but encoded well */
                { "a\0b", 3, false },             /* NUL */
                { "\xC0\x80", 2, false },         /* overlong NUL */
                { "\xC1\xBF", 2, false },         /* overlong */
                { "\xE0\x9F\xBF", 3, false },     /* overlong */
                { "\xF0\x8F\xBF\xBF", 4, false }, /* overlong */
                { "\xED\xA0\x80", 3, false },     /* a surrogate */
                { "\xED\xBF\xBF", 3, false },     /* a surrogate */
                { "\xF4\x90\x80\x80", 4, false }, /* beyond U+10FFFF */
                { "\xF8\x88\x80\x80\x80", 5, false },
                { "\xFF", 1, false },
                { "\x80", 1, false }, /* continuation alone */
                { "\xC3", 1, false }, /* cut off */
                { "\xE2\x82", 2, false },
                { "\xC3(", 2, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (utf8_valid(rows[i].bytes, rows[i].n) != rows[i].valid)
                        fail_msg("row %zu", i);
}

static void control_characters(void **state _unused_)
{
        assert_false(has_control(""));
        assert_false(has_control("a b~\xC3\xA9"));
        for (char c = 1; c < 0x20; c++)
                assert_true(has_control((char[]){ 'a', c, 0 }));
        assert_true(has_control("\x7f"));
}

/* words joined by '|', or NULL for -EINVAL */
static void shell_words(void **state _unused_)
{
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "", "" },
                { "  \t\n", "" },
                { "a", "a" },
                { " a  b\tc\n", "a|b|c" },
                { "'a b'", "a b" },
                { "'a\\b\"c'", "a\\b\"c" },
                { "\"a b\"", "a b" },
                { "\"\\\"\\\\\\$\\`\\n\"", "\"\\$`\\n" },
                { "\"it's\"", "it's" },
                { "a\\ b", "a b" },
                { "\\'", "'" },
                { "''", "" },
                { "a '' b", "a||b" },
                { "a'b'\"c\"d", "abcd" },
                { "$HOME `x` *.c ;|", "$HOME|`x`|*.c|;|" },
                { "#no comment", "#no|comment" },
                { "a'", NULL },
                { "\"a", NULL },
                { "a\\", NULL },
                { "\"a\\", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text joined = { 0 };
                _cleanup_strv_ char **words = NULL;
                int r = shell_split(rows[i].in, &words);

                if (!rows[i].out) {
                        assert_int_equal(r, -EINVAL);
                        continue;
                }
                assert_int_equal(r, 0);
                for (char **w = words; w && *w; w++)
                        text_addf(&joined, "%s%s", w == words ? "" : "|", *w);
                text_add(&joined, "");
                /* ";|" is one word: '|' separates nothing. */
                assert_string_equal(joined.data, rows[i].out);
        }
}

static void shell_quoting(void **state _unused_)
{
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "abc", "abc" },
                { "", "''" },
                { "a b", "'a b'" },
                { "it's", "'it'\\''s'" },
                { "--memory=64m", "--memory=64m" },
                { "A=b", "'A=b'" }, /* would be an assignment */
                { "$x", "'$x'" },
                { "~", "'~'" },
                { "a\nb", "'a\nb'" },
                { "\xC3\xA9", "'\xC3\xA9'" },
                { "/usr/bin:x,y@z%1+2_3.4", "/usr/bin:x,y@z%1+2_3.4" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text t = { 0 };
                _cleanup_strv_ char **words = NULL;

                shell_quote(&t, rows[i].in);
                assert_string_equal(t.data, rows[i].out);
                assert_int_equal(shell_split(t.data, &words), 0);
                assert_int_equal(strv_len(words), 1);
                assert_string_equal(words[0], rows[i].in);
        }
}

/* Every byte there is, through our own splitter and through the real shell. */
static void shell_quoting_is_read_back(void **state _unused_)
{
        _cleanup_text_ struct text word = { 0 }, line = { 0 };
        _cleanup_strv_ char **words = NULL;
        char back[512];
        FILE *shell;
        size_t n;

        for (int c = 1; c < 256; c++)
                text_addc(&word, (char) c);
        text_add(&line, "LC_ALL=C printf %s ");
        shell_quote(&line, word.data);
        assert_int_equal(shell_split(line.data + strlen("LC_ALL=C printf %s "), &words), 0);
        assert_string_equal(words[0], word.data);
        shell = popen(line.data, "r");
        assert_non_null(shell);
        n = fread(back, 1, sizeof back, shell);
        assert_int_equal(pclose(shell), 0);
        assert_int_equal(n, word.len);
        assert_memory_equal(back, word.data, n);
}

static void numbers(void **state _unused_)
{
        static const struct {
                const char *in;
                uint64_t max;
                bool ok;
                uint64_t out;
        } rows[] = {
                { "0", 10, true, 0 },
                { "007", 10, true, 7 },
                { "10", 10, true, 10 },
                { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
                { "11", 10, false, 0 },
                { "18446744073709551616", UINT64_MAX, false, 0 },
                { "99999999999999999999999", UINT64_MAX, false, 0 },
                { "", 10, false, 0 },
                { "-1", 10, false, 0 },
                { "+1", 10, false, 0 },
                { " 1", 10, false, 0 },
                { "1 ", 10, false, 0 },
                { "0x1", 10, false, 0 },
                { "1e1", 10, false, 0 },
                { "1.0", 10, false, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint64_t n = 4711;

                if (parse_u64(rows[i].in, rows[i].max, &n) != rows[i].ok)
                        fail_msg("\"%s\"", rows[i].in);
                assert_int_equal(n, rows[i].ok ? rows[i].out : 4711);
        }
}

static void durations(void **state _unused_)
{
        static const struct {
                const char *in;
                bool ok;
                uint64_t usec;
        } rows[] = {
                { "0", true, 0 },
                { "90", true, 90000000 },
                { "90s", true, 90000000 },
                { "1.5", true, 1500000 },
                { "5min", true, 300000000 },
                { "5m", true, 300000000 },
                { "500ms", true, 500000 },
                { "7us", true, 7 },
                { "1h30m", true, 5400000000 },
                { "1h 30min 5sec", true, 5405000000 },
                { " 2 hours ", true, 7200000000 },
                { "1d", true, 86400000000 },
                { "1w", true, 604800000000 },
                { "1M 1month", true, 5259600000000 },
                { "2y", true, 63115200000000 },
                { "0.5h", true, 1800000000 },
                { "18446744073709551615us", true, UINT64_MAX },
                { "", false, 0 },
                { " ", false, 0 },
                { "s", false, 0 },
                { "-1s", false, 0 },
                { "1h30", false, 0 }, /* thirty what? */
                { "30 1h", false, 0 },
                { "1x", false, 0 },
                { "1S", false, 0 },
                { "1Min", false, 0 },
                { "1s!", false, 0 },
                { "1.", false, 0 },
                { ".5s", false, 0 },
                { "1.0000001s", false, 0 },
                { "infinity", false, 0 },
                { "18446744073709551616us", false, 0 },
                { "18446744073709551615s", false, 0 },
                { "99999999999999999999", false, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint64_t usec = 4711;

                if (parse_duration(rows[i].in, &usec) != rows[i].ok)
                        fail_msg("\"%s\"", rows[i].in);
                if (usec != (rows[i].ok ? rows[i].usec : 4711))
                        fail_msg("\"%s\": %ju", rows[i].in, (uintmax_t) usec);
        }
}

static void sizes(void **state _unused_)
{
        static const struct {
                const char *in;
                bool ok;
                uint64_t bytes;
        } rows[] = {
                { "64", true, 64 },
                { "64b", true, 64 },
                { "64B", true, 64 },
                { "512k", true, 524288 },
                { "512K", true, 524288 },
                { "512KiB", true, 524288 },
                { "512kb", true, 524288 },
                { "64m", true, 67108864 },
                { "1.5G", true, 1610612736 },
                { "0.5k", true, 512 },
                { "2t", true, 2199023255552 },
                { "16777215t", true, UINT64_C(16777215) << 40 },
                { "", false, 0 },
                { "k", false, 0 },
                { "1.5", false, 0 },
                { "1.5b", false, 0 },
                { "64x", false, 0 },
                { "64 m", false, 0 },
                { "64mm", false, 0 },
                { "64iB", false, 0 },
                { "-1", false, 0 },
                { "1e3", false, 0 },
                { "16777216t", false, 0 },
                { "18446744073709551616", false, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint64_t bytes = 4711;

                if (parse_size(rows[i].in, &bytes) != rows[i].ok)
                        fail_msg("\"%s\"", rows[i].in);
                if (bytes != (rows[i].ok ? rows[i].bytes : 4711))
                        fail_msg("\"%s\": %ju", rows[i].in, (uintmax_t) bytes);
        }
}

/* The vectors of FIPS 180-4 and RFC 4648. */
static void digests(void **state _unused_)
{
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "", "" },           { "f", "Zg" },          { "fo", "Zm8" },          { "foo", "Zm9v" },
                { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }, { "\xFB\xFF", "-_8" }
        };
        char hex[DIGEST_HEX_LEN + 1], base64url[DIGEST_BASE64URL_LEN + 1];

        assert_int_equal(digest_hex("abc", 3, hex), 0);
        assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_int_equal(digest_hex("", 0, hex), 0);
        assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_int_equal(digest_base64url("abc", 3, base64url), 0);
        assert_string_equal(base64url, "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text t = { 0 };

                text_add(&t, "");
                base64url_add(&t, rows[i].in, strlen(rows[i].in));
                assert_string_equal(t.data, rows[i].out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_grows_and_is_taken),
                cmocka_unit_test(text_failure_is_sticky),
                cmocka_unit_test(vectors),
                cmocka_unit_test(utf8),
                cmocka_unit_test(control_characters),
                cmocka_unit_test(shell_words),
                cmocka_unit_test(shell_quoting),
                cmocka_unit_test(shell_quoting_is_read_back),
                cmocka_unit_test(numbers),
                cmocka_unit_test(durations),
                cmocka_unit_test(sizes),
                cmocka_unit_test(digests),
        };

        return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
