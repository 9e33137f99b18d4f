/* SPDX-License-Identifier: Apache-2.0 */

/* What an issuer may grant: `geard' in its JWK, or the sidecar of its key file. */

#include "core/key-private.h"

#include "util/config-file.h"

#include <strings.h>

#define LIMITS_MAX 64         /* patterns in one list */
#define PATTERN_MAX 128       /* bytes of one */
#define MAX_LIFE_SEC_MAX (10ULL * 366 * 86400)
#define USEC_PER_SEC 1000000U

/* Exact, or with one `*' at its end. */
static bool is_pattern(const char *s)
{
        size_t n = strlen(s);
        const char *star = strchr(s, '*');

        return n > 0 && n <= PATTERN_MAX && !has_control(s) && (!star || !star[1]);
}

/* A list that is given but empty would, by what an empty one means, allow everything. */
static int check_list(char *const *list, const char *field, struct fault *f)
{
        size_t n = strv_len(list);

        if (n == 0 || n > LIMITS_MAX)
                return fault_set(f, FAULT_INVALID, field, "%s: must name 1 to %d", field, LIMITS_MAX);
        for (size_t i = 0; i < n; i++)
                if (!is_pattern(list[i]))
                        return fault_set(f, FAULT_INVALID, field,
                                         "%s: each is 1 to %d bytes, with no `*' but at its end", field,
                                         PATTERN_MAX);
        return 0;
}

static int read_list(const struct json *v, const char *field, char ***ret, struct fault *f)
{
        _cleanup_strv_ char **list = NULL;
        const char *s;
        int r;

        if (!json_is_array(v))
                return fault_set(f, FAULT_INVALID, field, "%s: must be a list of strings", field);
        for (size_t i = 0; i < json_array_len(v); i++) {
                r = json_get_string(json_array_at(v, i), field, PATTERN_MAX, &s, f);
                if (r < 0)
                        return r;
                if (strv_add(&list, s) < 0)
                        return fault_oom(f);
        }
        r = check_list(list, field, f);
        if (r == 0)
                *ret = TAKE(list);
        return r;
}

static bool parse_life(const char *s, uint64_t *ret_sec)
{
        uint64_t usec;

        if (!parse_duration(s, &usec) || usec < USEC_PER_SEC || usec / USEC_PER_SEC > MAX_LIFE_SEC_MAX)
                return false;
        *ret_sec = usec / USEC_PER_SEC;
        return true;
}

static int read_life(const struct json *v, uint64_t *ret_sec, struct fault *f)
{
        static const char field[] = "geard.max_life";
        const char *s;
        int r;

        if (!json_is_string(v))
                return json_get_uint(v, field, 1, MAX_LIFE_SEC_MAX, ret_sec, f);
        r = json_get_string(v, field, PATTERN_MAX, &s, f);
        if (r == 0 && !parse_life(s, ret_sec))
                return fault_set(f, FAULT_INVALID, field, "%s: must be a time like 1h, or seconds", field);
        return r;
}

int key_limits_from_json(const struct json *v, struct key_limits *ret, struct fault *f)
{
        static const char *const names[] = { "users", "locators", "rights", "max_life", NULL };
        _cleanup_(key_limits_reset) struct key_limits l = { 0 };
        char ***const lists[] = { &l.users, &l.locators, &l.rights };
        const struct json *member;
        char field[FAULT_FIELD_MAX];
        int r;

        if (!json_is_object(v))
                return fault_set(f, FAULT_INVALID, "geard", "geard: must be an object");
        r = json_check_names(v, "geard", names, f);
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++) {
                member = json_member(v, names[i]);
                if (member)
                        r = read_list(member, json_path(field, "geard", names[i]), lists[i], f);
        }
        member = json_member(v, "max_life");
        if (r == 0 && member)
                r = read_life(member, &l.max_life_sec, f);
        if (r < 0)
                return r;
        *ret = l;
        l = (struct key_limits){ 0 };
        return 0;
}

/* --- the sidecar --- */

struct sidecar {
        struct key *key;
        unsigned given; /* a bit for each setting */
};

static int set_id(struct key *k, const char *value)
{
        if (!key_id_valid(value))
                return -EINVAL;
        memcpy(k->id, value, strlen(value) + 1);
        return 0;
}

/* Only an RSA key leaves anything to say. */
static int set_algorithm(struct key *k, const char *value)
{
        bool is_rsa = k->algorithm == KEY_RS256 || k->algorithm == KEY_PS256;

        if (is_rsa && streq(value, key_algorithm_name(KEY_RS256)))
                k->algorithm = KEY_RS256;
        else if (is_rsa && streq(value, key_algorithm_name(KEY_PS256)))
                k->algorithm = KEY_PS256;
        else if (!streq(value, key_algorithm_name(k->algorithm)))
                return -EINVAL;
        return 0;
}

static int set_list(char ***list, const char *value)
{
        struct fault ignored;

        if (*list)
                return -EEXIST;
        if (shell_split(value, list) == -ENOMEM)
                return -ENOMEM;
        return check_list(*list, "", &ignored);
}

static int set_users(struct key *k, const char *value)
{
        return set_list(&k->limits.users, value);
}

static int set_locators(struct key *k, const char *value)
{
        return set_list(&k->limits.locators, value);
}

static int set_rights(struct key *k, const char *value)
{
        return set_list(&k->limits.rights, value);
}

static int set_life(struct key *k, const char *value)
{
        if (k->limits.max_life_sec)
                return -EEXIST;
        return parse_life(value, &k->limits.max_life_sec) ? 0 : -EINVAL;
}

static const struct setting {
        const char *name;
        const char *accepts;
        int (*set)(struct key *k, const char *value);
} settings[] = {
        { "Id", "1 to 64 of A-Z a-z 0-9 - _ and .", set_id },
        { "Algorithm", "the algorithm that the key is for; RS256 or PS256 of an RSA key", set_algorithm },
        { "Users", "1 to 64 names, the last character of each maybe a *", set_users },
        { "Locators", "1 to 64 names, the last character of each maybe a *", set_locators },
        { "Rights", "1 to 64 rights, the last character of each maybe a *", set_rights },
        { "MaxLife", "a time of at least a second, like 1h", set_life },
};

static int apply(struct sidecar *s, size_t i, const struct config_line *line, struct fault *f)
{
        int r;

        if (s->given & 1U << i)
                return fault_set(f, FAULT_INVALID, line->key, "%s:%u: %s= is given twice", line->file,
                                 line->number, settings[i].name);
        s->given |= 1U << i;
        r = settings[i].set(s->key, line->value);
        if (r == -ENOMEM)
                return fault_oom(f);
        if (r == -EEXIST)
                return fault_set(f, FAULT_INVALID, line->key, "%s:%u: the key itself limits this already",
                                 line->file, line->number);
        if (r < 0)
                return fault_set(f, FAULT_INVALID, line->key, "%s:%u: %s= must be %s", line->file,
                                 line->number, settings[i].name, settings[i].accepts);
        return 0;
}

static int sidecar_line(void *arg, const struct config_line *line, struct fault *f)
{
        if (!streq(line->section, "Key"))
                return fault_set(f, FAULT_INVALID, NULL, "%s:%u: the only section is [Key]", line->file,
                                 line->number);
        if (!line->key)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                if (streq(line->key, settings[i].name))
                        return apply(arg, i, line, f);
        return fault_set(f, FAULT_INVALID, NULL, "%s:%u: not a setting of [Key]", line->file, line->number);
}

int key_read_sidecar(const char *text, struct key *k, struct fault *f)
{
        struct sidecar s = { .key = k };

        return config_file_parse(text, "sidecar", sidecar_line, &s, f);
}
