/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A growable byte string.  Allocation failure is sticky: any number of
 * text_add*() calls may follow each other unchecked, and the one check is made
 * where the result is used (text_ok, text_take).
 */

#include "util/base.h"

struct text {
        char *data; /* NUL-terminated once anything was added */
        size_t len;
        size_t cap;
        bool failed;
};

void text_add(struct text *t, const char *s);
void text_addn(struct text *t, const void *bytes, size_t n);
void text_addc(struct text *t, char c);
void text_addf(struct text *t, const char *format, ...) _printf_(2, 3);
void text_truncate(struct text *t, size_t len);

static inline bool text_ok(const struct text *t)
{
        return !t->failed;
}

/* Hands over the string (never NULL unless allocation failed) and empties the text. */
char *text_take(struct text *t) _must_check_;

void text_reset(struct text *t);

#define _cleanup_text_ _cleanup_(text_reset)

/* A NULL-terminated vector of strings; NULL is the empty one. */
size_t strv_len(char *const *v);
int strv_add(char ***v, const char *s);             /* copies; 0 or -ENOMEM */
int strv_addf(char ***v, const char *format, ...) _printf_(2, 3);
int strv_consume(char ***v, char *s);               /* takes s, frees it on failure */
char **strv_copy(char *const *v);                   /* NULL on failure or when empty */
bool strv_equal(char *const *a, char *const *b);
char **strv_free(char **v);
DEFINE_CLEANUP(char *, strv_free);

#define _cleanup_strv_ _cleanup_(strv_freep)

/* The character at the start of the bytes; how many it takes, 0 where none is encoded. */
size_t utf8_decode(const void *bytes, size_t n, uint32_t *ret);

/* Bytes that are valid UTF-8, without overlong forms, surrogates or NUL. */
bool utf8_valid(const void *bytes, size_t n);

/* A C0 control character or DEL anywhere in it? */
bool has_control(const char *s);

/*
 * Splits like a POSIX shell would, without expansions: blanks separate, '…'
 * keeps all, "…" keeps all but \" \\ \$ \`, \x keeps x.  0, -ENOMEM, or -EINVAL
 * for an unclosed quote or a trailing backslash.
 */
int shell_split(const char *s, char ***ret);

/* Appends the word quoted so that a POSIX shell reads it back unchanged. */
void shell_quote(struct text *t, const char *word);

/* Decimal digits only, no sign, at most max: false otherwise. */
bool parse_u64(const char *s, uint64_t max, uint64_t *ret);

/* "90", "90s", "5min", "500ms", "1h30m" → microseconds. false on anything else. */
bool parse_duration(const char *s, uint64_t *ret_usec);

/* "64", "512k", "1.5G" → bytes (powers of 1024; a trailing b or iB is allowed). */
bool parse_size(const char *s, uint64_t *ret);
