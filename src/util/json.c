/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The one file that knows json-c.  A `struct json` is a json_object under
 * another name, except that null, which json-c represents by no object at all,
 * is a value of its own here: a member that is null is not a member that is
 * missing.
 */

#include "util/json.h"

#include "util/json-walk.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

struct json {
        char never_read;
};
static const struct json null_value;

static const struct json *wrap(json_object *o)
{
        return o ? (const struct json *) (const void *) o : &null_value;
}

static json_object *unwrap(const struct json *v)
{
        return v == &null_value ? NULL : (json_object *) (uintptr_t) v;
}

static bool is_type(const struct json *v, enum json_type type)
{
        return v && json_object_is_type(unwrap(v), type);
}

/* The walker has accepted the bytes, so all that can go wrong here is memory. */
static struct json *build(const char *bytes, size_t n, struct fault *f)
{
        struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
        enum json_tokener_error error;
        json_object *o;

        if (!tokener) {
                (void) fault_oom(f);
                return NULL;
        }
        o = json_tokener_parse_ex(tokener, bytes, (int) n);
        error = json_tokener_get_error(tokener);
        if (error == json_tokener_continue) { /* a bare number ends only where the text ends */
                o = json_tokener_parse_ex(tokener, "", 1);
                error = json_tokener_get_error(tokener);
        }
        json_tokener_free(tokener);
        if (error != json_tokener_success) {
                json_object_put(o);
                (void) fault_oom(f);
                return NULL;
        }
        return (struct json *) (uintptr_t) wrap(o);
}

struct json *json_parse(const char *bytes, size_t n, const char *what, struct fault *f)
{
        if (n > INT_MAX) {
                (void) fault_set(f, FAULT_TOO_LARGE, what, "%s: %zu bytes are too many", what, n);
                return NULL;
        }
        if (json_walk(bytes, n, what, f) < 0)
                return NULL;
        return build(bytes, n, f);
}

struct json *json_parse_trusted(const char *bytes, size_t n, const char *what, struct fault *f)
{
        struct json_tokener *tokener = n <= INT_MAX ? json_tokener_new() : NULL;
        enum json_tokener_error error;
        json_object *o;

        if (!tokener) {
                (void) fault_oom(f);
                return NULL;
        }
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        o = json_tokener_parse_ex(tokener, bytes, (int) n);
        error = json_tokener_get_error(tokener);
        json_tokener_free(tokener);
        if (error != json_tokener_success) {
                json_object_put(o);
                (void) fault_set(f, FAULT_UPSTREAM, NULL, "%s: %s", what, json_tokener_error_desc(error));
                return NULL;
        }
        return (struct json *) (uintptr_t) wrap(o);
}

struct json *json_free(struct json *root)
{
        if (root)
                (void) json_object_put(unwrap(root));
        return NULL;
}

bool json_is_object(const struct json *v)
{
        return is_type(v, json_type_object);
}

bool json_is_array(const struct json *v)
{
        return is_type(v, json_type_array);
}

bool json_is_string(const struct json *v)
{
        return is_type(v, json_type_string);
}

bool json_is_null(const struct json *v)
{
        return v == &null_value;
}

bool json_is_bool(const struct json *v)
{
        return is_type(v, json_type_boolean);
}

bool json_is_number(const struct json *v)
{
        return is_type(v, json_type_int) || is_type(v, json_type_double);
}

size_t json_array_len(const struct json *array)
{
        return json_is_array(array) ? json_object_array_length(unwrap(array)) : 0;
}

const struct json *json_array_at(const struct json *array, size_t i)
{
        return i < json_array_len(array) ? wrap(json_object_array_get_idx(unwrap(array), i)) : NULL;
}

static const struct lh_entry *first_member(const struct json *object)
{
        return json_is_object(object) ? json_object_get_object(unwrap(object))->head : NULL;
}

const struct json *json_member(const struct json *object, const char *name)
{
        json_object *o;

        if (!json_is_object(object))
                return NULL;
        if (json_object_object_get_ex(unwrap(object), name, &o))
                return wrap(o);
        for (const struct lh_entry *e = first_member(object); e; e = e->next)
                if (strcasecmp(lh_entry_k(e), name) == 0)
                        return wrap(lh_entry_v(e));
        return NULL;
}

size_t json_object_len(const struct json *object)
{
        return json_is_object(object) ? (size_t) json_object_object_length(unwrap(object)) : 0;
}

const struct json *json_object_at(const struct json *object, size_t i, const char **ret_name)
{
        const struct lh_entry *e = first_member(object);

        while (e && i-- > 0)
                e = e->next;
        if (!e)
                return NULL;
        *ret_name = lh_entry_k(e);
        return wrap(lh_entry_v(e));
}

const char *json_path(char ret[static FAULT_FIELD_MAX], const char *path, const char *name)
{
        bool nested = path && *path;

        if (snprintf(ret, FAULT_FIELD_MAX, "%s%s%s", nested ? path : "", nested ? "." : "", name) < 0)
                ret[0] = '\0';
        return ret; /* cut off where it is too long to show */
}

const char *json_index(char ret[static FAULT_FIELD_MAX], const char *path, size_t i)
{
        if (snprintf(ret, FAULT_FIELD_MAX, "%s[%zu]", path, i) < 0)
                ret[0] = '\0';
        return ret;
}

static bool is_listed(const char *name, const char *const *names)
{
        for (; *names; names++)
                if (strcasecmp(name, *names) == 0)
                        return true;
        return false;
}

static int refuse_name(const char *path, const char *name, const char *why, struct fault *f)
{
        _cleanup_text_ struct text shown = { 0 };
        char field[FAULT_FIELD_MAX];

        json_path(field, path, name);
        json_out(&shown, field);
        if (!text_ok(&shown))
                return fault_oom(f);
        return fault_set(f, FAULT_INVALID, field, "%s %s", why, shown.data);
}

int json_check_names(const struct json *object, const char *path, const char *const *names, struct fault *f)
{
        const char *name, *other;

        /* An unlisted or repeated name ends this after at most one turn more than there are names. */
        for (size_t i = 0; json_object_at(object, i, &name); i++) {
                if (!is_listed(name, names))
                        return refuse_name(path, name, "unknown field", f);
                for (size_t j = 0; j < i && json_object_at(object, j, &other); j++)
                        if (strcasecmp(name, other) == 0)
                                return refuse_name(path, name, "given twice, in different case:", f);
        }
        return 0;
}

int json_get_string(const struct json *v, const char *path, size_t max, const char **ret, struct fault *f)
{
        if (!json_is_string(v))
                return fault_set(f, FAULT_INVALID, path, "%s: must be a string", path);
        if ((size_t) json_object_get_string_len(unwrap(v)) > max)
                return fault_set(f, FAULT_INVALID, path, "%s: longer than %zu bytes", path, max);
        *ret = json_object_get_string(unwrap(v));
        return 0;
}

/* The walker has let no integer pass that fits neither int64 nor uint64. */
static bool integer_of(const struct json *v, uint64_t max, uint64_t *ret)
{
        json_object *o = unwrap(v);

        if (json_is_string(v))
                return parse_u64(json_object_get_string(o), max, ret);
        if (!is_type(v, json_type_int) || json_object_get_int64(o) < 0)
                return false;
        *ret = json_object_get_uint64(o);
        return *ret <= max;
}

int json_get_uint(const struct json *v, const char *path, uint64_t min, uint64_t max, uint64_t *ret,
                  struct fault *f)
{
        uint64_t value;

        if (!integer_of(v, max, &value) || value < min)
                return fault_set(f, FAULT_INVALID, path,
                                 "%s: must be a whole number from %" PRIu64 " to %" PRIu64, path, min, max);
        *ret = value;
        return 0;
}

int json_get_bool(const struct json *v, const char *path, bool *ret, struct fault *f)
{
        if (!json_is_bool(v))
                return fault_set(f, FAULT_INVALID, path, "%s: must be true or false", path);
        *ret = json_object_get_boolean(unwrap(v));
        return 0;
}

/* Digits with at most one point between them: what both strings and numbers may look like. */
static bool is_decimal(const char *s)
{
        size_t whole = strspn(s, "0123456789"), fraction;

        if (whole == 0 || s[whole] == '\0')
                return whole != 0;
        fraction = strspn(s + whole + 1, "0123456789");
        return s[whole] == '.' && fraction > 0 && s[whole + 1 + fraction] == '\0';
}

int json_get_double(const struct json *v, const char *path, double min, double max, double *ret,
                    struct fault *f)
{
        double value = NAN;

        if (json_is_number(v))
                value = json_object_get_double(unwrap(v));
        else if (json_is_string(v) && is_decimal(json_object_get_string(unwrap(v))))
                value = json_object_get_double(unwrap(v));
        if (!isfinite(value) || value < min || value > max)
                return fault_set(f, FAULT_INVALID, path, "%s: must be a number from %g to %g", path, min,
                                 max);
        *ret = value;
        return 0;
}

static void out_escape(struct text *t, uint32_t c)
{
        static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
        const char *e = c < 0x80 && c ? strchr(from, (int) c) : NULL;

        if (e) {
                text_addc(t, '\\');
                text_addc(t, to[e - from]);
        } else if (c >= 0x10000) {
                text_addf(t, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
                          0xDC00 + ((c - 0x10000) & 0x3FF));
        } else {
                text_addf(t, "\\u%04x", c);
        }
}

/* How many of these bytes stand for themselves. */
static size_t count_plain(const unsigned char *p, size_t n)
{
        size_t i = 0;

        while (i < n && p[i] >= 0x20 && p[i] < 0x7F && p[i] != '"' && p[i] != '\\')
                i++;
        return i;
}

static void out_string(struct text *t, const unsigned char *p, size_t n, bool ascii)
{
        text_addc(t, '"');
        for (size_t i = 0, len; i < n; i += len) {
                uint32_t c = 0;

                len = count_plain(p + i, n - i);
                if (len > 0) {
                        text_addn(t, p + i, len);
                        continue;
                }
                len = utf8_decode(p + i, n - i, &c);
                if (len == 0) {
                        c = 0xFFFD;
                        len = 1;
                        text_add(t, ascii ? "\\ufffd" : "\xEF\xBF\xBD");
                        continue;
                }
                if (c < 0x20 || c == 0x7F || c == '"' || c == '\\' || (ascii && c >= 0x80))
                        out_escape(t, c);
                else
                        text_addn(t, p + i, len);
        }
        text_addc(t, '"');
}

void json_outn(struct text *t, const void *bytes, size_t n)
{
        out_string(t, bytes, n, false);
}

void json_out(struct text *t, const char *s)
{
        json_outn(t, s, strlen(s));
}

void json_out_ascii(struct text *t, const char *s)
{
        out_string(t, (const unsigned char *) s, strlen(s), true);
}

void json_name(struct text *t, const char *name)
{
        char last = t->len > 0 ? t->data[t->len - 1] : '{';

        if (last != '{' && last != '[')
                text_addc(t, ',');
        json_out(t, name);
        text_addc(t, ':');
}

void json_put(struct text *t, const char *name, const char *value)
{
        json_name(t, name);
        if (value)
                json_out(t, value);
        else
                text_add(t, "null");
}

void json_putu(struct text *t, const char *name, uint64_t value)
{
        json_name(t, name);
        text_addf(t, "%" PRIu64, value);
}

void json_putb(struct text *t, const char *name, bool value)
{
        json_name(t, name);
        text_add(t, value ? "true" : "false");
}
