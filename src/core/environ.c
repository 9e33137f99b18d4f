/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Environments, in and out.  No fault here ever holds a value, nor the text of
 * an array element, in which name and value stand together.
 *
 * docker --env-file reads line by line: blanks before the name go, a line that
 * begins with '#' is a comment, one without '=' imports the client's own
 * variable, a CR before the newline goes, a line of 64 KiB or more is an error
 * and so is invalid UTF-8; all behind the first '=' is the value as it stands.
 * The grammar of names and the limits keep us clear of each.
 */

#include "core/environ.h"

#define NAME_FIRST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define NAME_REST NAME_FIRST "0123456789"

static bool name_valid(const char *name, size_t n)
{
        return n >= 1 && n <= ENVIRON_NAME_MAX && strchr(NAME_FIRST, name[0]) &&
               strspn(name, NAME_REST) >= n;
}

static bool value_valid(const char *value, size_t n)
{
        return n <= ENVIRON_VALUE_MAX && utf8_valid(value, n) && !memchr(value, '\n', n) &&
               !memchr(value, '\r', n);
}

static struct environ_entry *find(const struct environ *e, const char *name, size_t n)
{
        for (size_t i = 0; i < e->n; i++)
                if (strncmp(e->entries[i].name, name, n) == 0 && e->entries[i].name[n] == '\0')
                        return &e->entries[i];
        return NULL;
}

static size_t bytes_of(const struct environ *e)
{
        size_t sum = 0;

        for (size_t i = 0; i < e->n; i++)
                sum += strlen(e->entries[i].name) + strlen(e->entries[i].value) + 2;
        return sum;
}

static int append(struct environ *e, const char *name, size_t name_len, const char *value, size_t value_len)
{
        _cleanup_free_ char *n = strndup(name, name_len), *v = strndup(value, value_len);
        struct environ_entry *entries;

        if (!n || !v)
                return -ENOMEM;
        entries = reallocarray(e->entries, e->n + 1, sizeof *entries);
        if (!entries)
                return -ENOMEM;
        e->entries = entries;
        e->entries[e->n++] = (struct environ_entry){ .name = TAKE(n), .value = TAKE(v) };
        return 0;
}

static void remove_entry(struct environ *e, struct environ_entry *entry)
{
        size_t at = (size_t) (entry - e->entries);

        free(entry->name);
        free(entry->value);
        memmove(entry, entry + 1, (e->n - at - 1) * sizeof *entry);
        e->n--;
}

static int refuse_name(const char *field, struct fault *f)
{
        return fault_set(
                f, FAULT_INVALID, field,
                "%s: the name of a variable is 1 to %d letters, digits or '_', and does not begin with "
                "a digit",
                field, ENVIRON_NAME_MAX);
}

static int refuse_value(const char *field, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, field,
                         "%s: a value is at most %d bytes of UTF-8 without newline, carriage return or NUL",
                         field, ENVIRON_VALUE_MAX);
}

static int refuse_length(const char *path, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, path, "%s: more than %d variables", path, ENVIRON_MAX);
}

static int refuse_size(const char *path, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, path, "%s: more than %d bytes in all", path, ENVIRON_BYTES_MAX);
}

/* "env.NAME"; of a name that is none, only "env", since what it holds may be anything. */
static int member_field(const char *path, const char *name, char ret[static FAULT_FIELD_MAX],
                        struct fault *f)
{
        if (!name_valid(name, strlen(name)))
                return refuse_name(path, f);
        json_path(ret, path, name);
        return 0;
}

/* Reads the value of one member; on success it is a borrowed, valid value. */
static int member_value(const struct json *v, const char *field, const char **ret, struct fault *f)
{
        const char *value;
        int r;

        r = json_get_string(v, field, ENVIRON_VALUE_MAX, &value, f);
        if (r < 0)
                return r;
        if (!value_valid(value, strlen(value)))
                return refuse_value(field, f);
        *ret = value;
        return 0;
}

static int add_members(struct environ *e, const struct json *object, const char *path, struct fault *f)
{
        const struct json *v;
        const char *name, *value;

        for (size_t i = 0; (v = json_object_at(object, i, &name)); i++) {
                char field[FAULT_FIELD_MAX];
                int r = member_field(path, name, field, f);

                if (r == 0)
                        r = member_value(v, field, &value, f);
                if (r < 0)
                        return r;
                if (append(e, name, strlen(name), value, strlen(value)) < 0)
                        return fault_oom(f);
        }
        return 0;
}

/* One of an array: after the checks of its own form, the same for both. */
static int add_element(struct environ *e, const char *field, const char *name, size_t n, const char *value,
                       struct fault *f)
{
        if (!name_valid(name, n))
                return refuse_name(field, f);
        if (!value_valid(value, strlen(value)))
                return refuse_value(field, f);
        if (find(e, name, n))
                return fault_set(f, FAULT_INVALID, field, "%s: %.*s is given twice", field, (int) n, name);
        if (append(e, name, n, value, strlen(value)) < 0)
                return fault_oom(f);
        return 0;
}

static int add_assignment(struct environ *e, const struct json *v, const char *field, struct fault *f)
{
        const char *s, *equals;
        int r;

        r = json_get_string(v, field, ENVIRON_NAME_MAX + 1 + ENVIRON_VALUE_MAX, &s, f);
        if (r < 0)
                return r;
        equals = strchr(s, '=');
        if (!equals)
                return fault_set(f, FAULT_INVALID, field, "%s: must be \"NAME=value\"", field);
        return add_element(e, field, s, (size_t) (equals - s), equals + 1, f);
}

static int add_pair(struct environ *e, const struct json *v, const char *field, struct fault *f)
{
        static const char *const names[] = { "name", "value", NULL };
        const char *name, *value;
        int r;

        r = json_check_names(v, field, names, f);
        if (r == 0)
                r = json_get_string(json_member(v, "name"), field, ENVIRON_NAME_MAX, &name, f);
        if (r == 0)
                r = json_get_string(json_member(v, "value"), field, ENVIRON_VALUE_MAX, &value, f);
        if (r < 0)
                return r;
        return add_element(e, field, name, strlen(name), value, f);
}

static int add_elements(struct environ *e, const struct json *array, const char *path, struct fault *f)
{
        for (size_t i = 0; i < json_array_len(array); i++) {
                const struct json *v = json_array_at(array, i);
                char field[FAULT_FIELD_MAX];
                int r;

                json_index(field, path, i);
                r = json_is_object(v) ? add_pair(e, v, field, f) : add_assignment(e, v, field, f);
                if (r < 0)
                        return r;
        }
        return 0;
}

int environ_from_json(const struct json *v, const char *path, struct environ *ret, struct fault *f)
{
        _cleanup_(environ_reset) struct environ e = { 0 };
        int r;

        if (!json_is_object(v) && !json_is_array(v))
                return fault_set(f, FAULT_INVALID, path,
                                 "%s: must be an object of names and values, or an array of \"NAME=value\"",
                                 path);
        if (json_object_len(v) + json_array_len(v) > ENVIRON_MAX)
                return refuse_length(path, f);
        r = json_is_object(v) ? add_members(&e, v, path, f) : add_elements(&e, v, path, f);
        if (r < 0)
                return r;
        if (bytes_of(&e) > ENVIRON_BYTES_MAX)
                return refuse_size(path, f);
        *ret = e;
        e = (struct environ){ 0 };
        return 0;
}

static int copy_entries(const struct environ *from, struct environ *to)
{
        for (size_t i = 0; i < from->n; i++) {
                const struct environ_entry *entry = &from->entries[i];
                int r = append(to, entry->name, strlen(entry->name), entry->value, strlen(entry->value));

                if (r < 0)
                        return r;
        }
        return 0;
}

static int patch_member(struct environ *e, const char *name, const struct json *v, const char *field,
                        struct fault *f)
{
        struct environ_entry *entry = find(e, name, strlen(name));
        const char *value;
        char *replaced;
        int r;

        if (json_is_null(v)) {
                if (entry)
                        remove_entry(e, entry);
                return 0;
        }
        r = member_value(v, field, &value, f);
        if (r < 0)
                return r;
        if (!entry)
                return append(e, name, strlen(name), value, strlen(value)) < 0 ? fault_oom(f) : 0;
        replaced = strdup(value);
        if (!replaced)
                return fault_oom(f);
        free(entry->value);
        entry->value = replaced;
        return 0;
}

int environ_patch(struct environ *e, const struct json *v, const char *path, struct fault *f)
{
        _cleanup_(environ_reset) struct environ patched = { 0 };
        struct environ old = *e;
        const struct json *member;
        const char *name;

        if (!json_is_object(v))
                return fault_set(f, FAULT_INVALID, path, "%s: must be an object of names and values", path);
        if (copy_entries(e, &patched) < 0)
                return fault_oom(f);
        for (size_t i = 0; (member = json_object_at(v, i, &name)); i++) {
                char field[FAULT_FIELD_MAX];
                int r = member_field(path, name, field, f);

                if (r == 0)
                        r = patch_member(&patched, name, member, field, f);
                if (r < 0)
                        return r;
                if (patched.n > ENVIRON_MAX)
                        return refuse_length(path, f);
        }
        if (bytes_of(&patched) > ENVIRON_BYTES_MAX)
                return refuse_size(path, f);
        *e = patched;
        patched = old;
        return 0;
}

void environ_to_json(const struct environ *e, struct text *t)
{
        text_addc(t, '{');
        for (size_t i = 0; i < e->n; i++)
                json_put(t, e->entries[i].name, e->entries[i].value);
        text_addc(t, '}');
}

void environ_to_file(const struct environ *e, struct text *t)
{
        for (size_t i = 0; i < e->n; i++) {
                text_add(t, e->entries[i].name);
                text_addc(t, '=');
                text_add(t, e->entries[i].value);
                text_addc(t, '\n');
        }
}

int environ_from_file(const char *text, struct environ *ret)
{
        _cleanup_(environ_reset) struct environ e = { 0 };

        for (const char *line = text, *end; *line; line = end + 1) {
                const char *equals = strchr(line, '=');

                end = strchr(line, '\n');
                if (!end || !equals || equals > end || e.n == ENVIRON_MAX)
                        return -EBADMSG;
                if (!name_valid(line, (size_t) (equals - line)) ||
                    find(&e, line, (size_t) (equals - line)) ||
                    !value_valid(equals + 1, (size_t) (end - equals - 1)))
                        return -EBADMSG;
                if (append(&e, line, (size_t) (equals - line), equals + 1, (size_t) (end - equals - 1)) < 0)
                        return -ENOMEM;
        }
        if (bytes_of(&e) > ENVIRON_BYTES_MAX)
                return -EBADMSG;
        *ret = e;
        e = (struct environ){ 0 };
        return 0;
}

bool environ_equal(const struct environ *a, const struct environ *b)
{
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++) {
                const struct environ_entry *entry = find(b, a->entries[i].name, strlen(a->entries[i].name));

                if (!entry || !streq(entry->value, a->entries[i].value))
                        return false;
        }
        return true;
}

void environ_reset(struct environ *e)
{
        for (size_t i = 0; i < e->n; i++) {
                free(e->entries[i].name);
                free(e->entries[i].value);
        }
        free(e->entries);
        *e = (struct environ){ 0 };
}
