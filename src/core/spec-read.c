/* SPDX-License-Identifier: Apache-2.0 */

/* The kinds of values that the fields of a spec are made of. */

#include "core/spec-read.h"

#include <stdio.h>

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

#define USEC_PER_SEC UINT64_C(1000000)

int spec_refuse(const char *field, const char *why, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, field, "%s: %s", field, why);
}

const struct json *spec_member(const struct json *object, const char *name)
{
        const struct json *v = json_member(object, name);

        return json_is_null(v) ? NULL : v;
}

int spec_read_string(const struct json *v, const char *field, size_t max, char **ret, struct fault *f)
{
        const char *s;
        int r = json_get_string(v, field, max, &s, f);

        if (r < 0)
                return r;
        if (!*s)
                return spec_refuse(field, "must not be empty", f);
        if (has_control(s))
                return spec_refuse(field, "must not hold control characters", f);
        *ret = strdup(s);
        return *ret ? 0 : fault_oom(f);
}

int spec_read_port(const struct json *v, const char *field, uint16_t *ret, struct fault *f)
{
        uint64_t port;
        int r = json_get_uint(v, field, 1, UINT16_MAX, &port, f);

        if (r == 0)
                *ret = (uint16_t) port;
        return r;
}

int spec_read_duration(const struct json *v, const char *field, uint64_t min, uint64_t max, uint64_t *ret,
                       struct fault *f)
{
        uint64_t usec = 0;
        const char *s;
        bool ok;
        int r;

        if (json_is_string(v)) {
                r = json_get_string(v, field, 64, &s, f);
                ok = r == 0 && parse_duration(s, &usec);
        } else {
                r = json_get_uint(v, field, 0, max / USEC_PER_SEC, &usec, f);
                ok = r == 0;
                usec *= USEC_PER_SEC;
        }
        if (!ok || usec < min || usec > max)
                return fault_set(f, FAULT_INVALID, field,
                                 "%s: must be seconds, or a duration like \"1m30s\", from %gs to %gs", field,
                                 (double) min / 1e6, (double) max / 1e6);
        *ret = usec;
        return 0;
}

int spec_read_words(const struct json *v, const char *field, char ***ret, struct fault *f)
{
        _cleanup_strv_ char **words = NULL;
        char at[FAULT_FIELD_MAX];
        size_t sum = 0;

        if (!json_is_array(v))
                return spec_refuse(field, "must be an array of strings, or a string", f);
        if (json_array_len(v) > SPEC_COMMAND_MAX)
                return fault_set(f, FAULT_INVALID, field, "%s: more than %d words", field, SPEC_COMMAND_MAX);
        for (size_t i = 0; i < json_array_len(v); i++) {
                const char *word;
                int r;

                json_index(at, field, i);
                r = json_get_string(json_array_at(v, i), at, SPEC_WORD_MAX, &word, f);
                if (r < 0)
                        return r;
                sum += strlen(word) + 1;
                if (strv_add(&words, word) < 0)
                        return fault_oom(f);
        }
        if (sum > SPEC_COMMAND_BYTES_MAX)
                return fault_set(f, FAULT_INVALID, field, "%s: more than %d bytes in all", field,
                                 SPEC_COMMAND_BYTES_MAX);
        *ret = TAKE(words);
        return 0;
}

/* One of a few words; *ret is its place in the list. */
int spec_read_choice(const struct json *v, const char *field, const char *(*name_of)(int), int n, int *ret,
                     struct fault *f)
{
        _cleanup_text_ struct text list = { 0 };

        for (int i = 0; i < n; i++) {
                const char *word;

                if (json_is_string(v) && json_get_string(v, field, SIZE_MAX, &word, f) == 0 &&
                    streq(word, name_of(i))) {
                        *ret = i;
                        return 0;
                }
                text_addf(&list, "%s%s", i > 0 ? ", " : "", name_of(i));
        }
        if (!text_ok(&list))
                return fault_oom(f);
        return fault_set(f, FAULT_INVALID, field, "%s: must be one of %s", field, list.data);
}

/* [A-Za-z0-9][A-Za-z0-9_.-]*, at most 63: what the engine calls a name. */
bool spec_is_name(const char *s)
{
        return strspn(s, NAME_BYTES) == strlen(s) && strlen(s) <= SPEC_NAME_MAX && *s && !strchr("_.-", *s);
}

/* Absolute, and the same however it is read: no "//", "." or ".."; no ':', which separates in docker's argv.
 */
static bool is_clean_path(const char *path)
{
        if (*path != '/' || strchr(path, ':'))
                return false;
        for (const char *part = path + 1;; part++) {
                size_t n = strcspn(part, "/");

                if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
                        return false;
                part += n;
                if (!*part)
                        return true;
        }
}

int spec_read_path(const struct json *v, const char *field, char **ret, struct fault *f)
{
        _cleanup_free_ char *path = NULL;
        int r = spec_read_string(v, field, SPEC_PATH_MAX, &path, f);

        if (r < 0)
                return r;
        if (!is_clean_path(path))
                return spec_refuse(
                        field,
                        "must be an absolute path other than /, without ':', empty, '.' or '..' parts", f);
        *ret = TAKE(path);
        return 0;
}
