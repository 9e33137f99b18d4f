/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Growable strings, string vectors, and the small grammars that configuration
 * and requests share: UTF-8, shell words, numbers, durations, sizes.
 */

#include "util/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#define TEXT_CAP_MIN 64

/* Room for `extra` more bytes and the NUL; false (and sticky) when there is none. */
static bool text_reserve(struct text *t, size_t extra)
{
        size_t need, cap = t->cap ? t->cap : TEXT_CAP_MIN;
        char *data;

        if (t->failed)
                return false;
        if (__builtin_add_overflow(t->len, extra, &need) || need >= SIZE_MAX / 2) {
                t->failed = true;
                return false;
        }
        if (need < t->cap)
                return true;
        while (cap <= need)
                cap *= 2;
        data = realloc(t->data, cap);
        if (!data) {
                t->failed = true;
                return false;
        }
        t->data = data;
        t->cap = cap;
        return true;
}

void text_addn(struct text *t, const void *bytes, size_t n)
{
        if (!text_reserve(t, n))
                return;
        if (n > 0)
                memcpy(t->data + t->len, bytes, n);
        t->len += n;
        t->data[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
        text_addn(t, s, strlen(s));
}

void text_addc(struct text *t, char c)
{
        text_addn(t, &c, 1);
}

void text_addf(struct text *t, const char *format, ...)
{
        va_list ap;
        size_t room;
        int n;

        if (!text_reserve(t, 0))
                return;
        room = t->cap - t->len;
        va_start(ap, format);
        n = vsnprintf(t->data + t->len, room, format, ap);
        va_end(ap);
        if (n >= 0 && (size_t) n >= room && text_reserve(t, (size_t) n)) {
                va_start(ap, format);
                n = vsnprintf(t->data + t->len, (size_t) n + 1, format, ap);
                va_end(ap);
        }
        t->failed = t->failed || n < 0;
        if (!t->failed)
                t->len += (size_t) n;
        t->data[t->len] = '\0';
}

void text_truncate(struct text *t, size_t len)
{
        if (len >= t->len)
                return;
        t->len = len;
        t->data[len] = '\0';
}

char *text_take(struct text *t)
{
        char *data;

        text_addn(t, "", 0); /* an untouched text still yields a string */
        data = t->failed ? NULL : TAKE(t->data);
        text_reset(t);
        return data;
}

void text_reset(struct text *t)
{
        free(t->data);
        *t = (struct text){ 0 };
}

size_t strv_len(char *const *v)
{
        size_t n = 0;

        while (v && v[n])
                n++;
        return n;
}

int strv_consume(char ***v, char *s)
{
        size_t n = strv_len(*v);
        char **grown;

        if (!s)
                return -ENOMEM;
        grown = reallocarray(*v, n + 2, sizeof *grown);
        if (!grown) {
                free(s);
                return -ENOMEM;
        }
        *v = grown;
        (*v)[n] = s;
        (*v)[n + 1] = NULL;
        return 0;
}

int strv_add(char ***v, const char *s)
{
        return strv_consume(v, strdup(s));
}

int strv_addf(char ***v, const char *format, ...)
{
        va_list ap;
        char *s;
        int n;

        va_start(ap, format);
        n = vasprintf(&s, format, ap);
        va_end(ap);
        return strv_consume(v, n < 0 ? NULL : s);
}

char **strv_copy(char *const *v)
{
        _cleanup_strv_ char **copy = NULL;

        for (size_t i = 0; v && v[i]; i++)
                if (strv_add(&copy, v[i]) < 0)
                        return NULL;
        return TAKE(copy);
}

bool strv_equal(char *const *a, char *const *b)
{
        size_t n = strv_len(a);

        if (n != strv_len(b))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!streq(a[i], b[i]))
                        return false;
        return true;
}

char **strv_free(char **v)
{
        for (size_t i = 0; v && v[i]; i++)
                free(v[i]);
        free(v);
        return NULL;
}

size_t utf8_decode(const void *bytes, size_t n, uint32_t *ret)
{
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        const unsigned char *p = bytes;
        uint32_t c;
        size_t len;

        if (n == 0)
                return 0;
        if (p[0] < 0x80) {
                *ret = p[0];
                return 1;
        }
        len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
        if (p[0] < 0xC2 || p[0] > 0xF4 || len > n)
                return 0;
        c = p[0] & (0x7Fu >> len);
        for (size_t i = 1; i < len; i++) {
                if ((p[i] & 0xC0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3Fu);
        }
        if (c < smallest[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
                return 0;
        *ret = c;
        return len;
}

bool utf8_valid(const void *bytes, size_t n)
{
        const unsigned char *p = bytes;
        uint32_t c;

        for (size_t i = 0, len; i < n; i += len) {
                len = utf8_decode(p + i, n - i, &c);
                if (len == 0 || c == 0)
                        return false;
        }
        return true;
}

bool has_control(const char *s)
{
        for (; *s; s++)
                if ((unsigned char) *s < 0x20 || *s == 0x7F)
                        return true;
        return false;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n';
}

/* The rest of a quoted part, after its opening quote; NULL when it is never closed. */
static const char *shell_quoted(const char *s, char quote, struct text *word)
{
        for (; *s && *s != quote; s++) {
                if (quote == '"' && *s == '\\' && s[1] && strchr("\"\\$`", s[1]))
                        s++;
                text_addc(word, *s);
        }
        return *s ? s + 1 : NULL;
}

/* One word from a non-blank byte on; NULL for an unclosed quote or trailing backslash. */
static const char *shell_word(const char *s, struct text *word)
{
        while (s && *s && !is_blank(*s)) {
                if (*s == '\'' || *s == '"') {
                        s = shell_quoted(s + 1, *s, word);
                        continue;
                }
                if (*s == '\\' && *++s == '\0')
                        return NULL;
                text_addc(word, *s++);
        }
        return s;
}

int shell_split(const char *s, char ***ret)
{
        _cleanup_strv_ char **words = NULL;
        int r;

        for (;;) {
                _cleanup_text_ struct text word = { 0 };

                while (is_blank(*s))
                        s++;
                if (!*s)
                        break;
                s = shell_word(s, &word);
                if (!s)
                        return -EINVAL;
                r = strv_consume(&words, text_take(&word));
                if (r < 0)
                        return r;
        }
        *ret = TAKE(words);
        return 0;
}

void shell_quote(struct text *t, const char *word)
{
        /* A leading NAME= would be read as an assignment; after a dash it cannot be one. */
        const char *plain = word[0] == '-' ? "_@%+:,./-=" : "_@%+:,./-";
        const char *s = word;

        while (isascii(*s) && (isalnum((unsigned char) *s) || (*s && strchr(plain, *s))))
                s++;
        if (*word && !*s) {
                text_add(t, word);
                return;
        }
        text_addc(t, '\'');
        for (s = word; *s; s++)
                if (*s == '\'')
                        text_add(t, "'\\''");
                else
                        text_addc(t, *s);
        text_addc(t, '\'');
}

bool parse_u64(const char *s, uint64_t max, uint64_t *ret)
{
        uint64_t value = 0;

        if (!*s)
                return false;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return false;
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*s - '0'), &value))
                        return false;
        }
        if (value > max)
                return false;
        *ret = value;
        return true;
}

/* A decimal number with at most six digits after the point. */
struct decimal {
        uint64_t whole;
        uint64_t millionths;
};

static const char *parse_decimal(const char *s, struct decimal *ret)
{
        uint64_t place = 1000000;
        const char *start = s;

        *ret = (struct decimal){ 0 };
        for (; *s >= '0' && *s <= '9'; s++)
                if (__builtin_mul_overflow(ret->whole, UINT64_C(10), &ret->whole) ||
                    __builtin_add_overflow(ret->whole, (uint64_t) (*s - '0'), &ret->whole))
                        return NULL;
        if (s == start)
                return NULL;
        if (*s != '.')
                return s;
        start = ++s;
        for (; *s >= '0' && *s <= '9'; s++) {
                place /= 10;
                if (place == 0)
                        return NULL;
                ret->millionths += (uint64_t) (*s - '0') * place;
        }
        return s == start ? NULL : s;
}

/* number × unit, added to *sum. */
static bool add_scaled(const struct decimal *number, uint64_t unit, uint64_t *sum)
{
        uint64_t whole, fraction;

        return !__builtin_mul_overflow(number->whole, unit, &whole) &&
               !__builtin_mul_overflow(number->millionths, unit, &fraction) &&
               !__builtin_add_overflow(*sum, whole, sum) &&
               !__builtin_add_overflow(*sum, fraction / 1000000, sum);
}

static bool duration_unit(const char *name, size_t n, uint64_t *ret)
{
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = {
                { "us", 1 },
                { "usec", 1 },
                { "ms", 1000 },
                { "msec", 1000 },
                { "s", 1000000 },
                { "sec", 1000000 },
                { "second", 1000000 },
                { "seconds", 1000000 },
                { "m", 60 * UINT64_C(1000000) },
                { "min", 60 * UINT64_C(1000000) },
                { "minute", 60 * UINT64_C(1000000) },
                { "minutes", 60 * UINT64_C(1000000) },
                { "h", 3600 * UINT64_C(1000000) },
                { "hr", 3600 * UINT64_C(1000000) },
                { "hour", 3600 * UINT64_C(1000000) },
                { "hours", 3600 * UINT64_C(1000000) },
                { "d", 86400 * UINT64_C(1000000) },
                { "day", 86400 * UINT64_C(1000000) },
                { "days", 86400 * UINT64_C(1000000) },
                { "w", 604800 * UINT64_C(1000000) },
                { "week", 604800 * UINT64_C(1000000) },
                { "weeks", 604800 * UINT64_C(1000000) },
                { "M", 2629800 * UINT64_C(1000000) }, /* a twelfth of a year … */
                { "month", 2629800 * UINT64_C(1000000) },
                { "months", 2629800 * UINT64_C(1000000) },
                { "y", 31557600 * UINT64_C(1000000) }, /* … of 365.25 days */
                { "year", 31557600 * UINT64_C(1000000) },
                { "years", 31557600 * UINT64_C(1000000) },
        };

        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
                if (strlen(units[i].name) != n || memcmp(units[i].name, name, n) != 0)
                        continue;
                *ret = units[i].usec;
                return true;
        }
        return false;
}

bool parse_duration(const char *s, uint64_t *ret_usec)
{
        uint64_t unit, sum = 0;
        struct decimal number;
        bool bare = false;
        size_t parts = 0, n;

        while (is_blank(*s))
                s++;
        for (; *s; parts++) {
                s = parse_decimal(s, &number);
                if (!s || bare)
                        return false;
                while (is_blank(*s))
                        s++;
                n = strspn(s, "abcdefghijklmnopqrstuvwxyzM");
                bare = n == 0; /* seconds, but only when it stands alone */
                if (bare)
                        unit = 1000000;
                else if (!duration_unit(s, n, &unit))
                        return false;
                if (!add_scaled(&number, unit, &sum))
                        return false;
                for (s += n; is_blank(*s); s++)
                        ;
        }
        if (parts == 0 || (bare && parts > 1))
                return false;
        *ret_usec = sum;
        return true;
}

bool parse_size(const char *s, uint64_t *ret)
{
        static const char prefixes[] = "kmgt";
        uint64_t unit = 1, sum = 0;
        struct decimal number;
        const char *prefix;

        s = parse_decimal(s, &number);
        if (!s)
                return false;
        prefix = *s ? strchr(prefixes, tolower((unsigned char) *s)) : NULL;
        if (prefix) {
                unit <<= 10 * (prefix - prefixes + 1);
                s++;
        }
        if (*s && strcasecmp(s, "b") != 0 && (!prefix || strcasecmp(s, "ib") != 0))
                return false;
        if (unit == 1 && number.millionths != 0)
                return false;
        if (!add_scaled(&number, unit, &sum))
                return false;
        *ret = sum;
        return true;
}
