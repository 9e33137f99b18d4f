/* SPDX-License-Identifier: Apache-2.0 */

/* The reading half of core/unit.h: the [X-Gear] section back into a record. */

#include "core/ident.h"
#include "core/unit.h"

#include <stdio.h>
#include <time.h>

struct section {
        char *version, *id, *image, *user, *request_id, *created, *hash, *spec;
};

static void section_reset(struct section *s)
{
        free(s->version);
        free(s->id);
        free(s->image);
        free(s->user);
        free(s->request_id);
        free(s->created);
        free(s->hash);
        free(s->spec);
}

static char **section_slot(struct section *s, const char *key, size_t n)
{
        const struct {
                const char *key;
                char **slot;
        } slots[] = {
                { "Version", &s->version },      { "Id", &s->id },         { "Image", &s->image },
                { "User", &s->user },            { "SpecHash", &s->hash }, { "Spec", &s->spec },
                { "RequestId", &s->request_id }, { "Created", &s->created },
        };

        for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
                if (strlen(slots[i].key) == n && strncmp(slots[i].key, key, n) == 0)
                        return slots[i].slot;
        return NULL;
}

static int damaged(struct fault *f, const char *what)
{
        return fault_set(f, FAULT_INVALID, "[X-Gear]", "the unit file is damaged: %s in its [X-Gear] section", what);
}

static int read_line(struct section *s, const char *line, size_t n, struct fault *f)
{
        const char *equals = memchr(line, '=', n);
        char **slot;

        if (!equals)
                return damaged(f, "a line without `='");
        slot = section_slot(s, line, (size_t) (equals - line));
        if (!slot)
                return damaged(f, "an unknown key");
        if (*slot)
                return damaged(f, "a key that stands there twice");
        *slot = strndup(equals + 1, n - (size_t) (equals - line) - 1);
        return *slot ? 0 : fault_oom(f);
}

static int read_section(const char *text, struct section *s, struct fault *f)
{
        bool inside = false, seen = false;
        int r;

        for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
                end = strchrnul(line, '\n');
                size_t n = (size_t) (end - line);

                if (n > 0 && line[0] == '[') {
                        inside = n == strlen("[X-Gear]") && strncmp(line, "[X-Gear]", n) == 0;
                        if (inside && seen)
                                return damaged(f, "a second heading");
                        seen |= inside;
                } else if (inside && n > 0 && line[0] != '#') {
                        r = read_line(s, line, n, f);
                        if (r < 0)
                                return r;
                }
        }
        return seen ? 0 : fault_set(f, FAULT_INVALID, "[X-Gear]", "the unit file has no [X-Gear] section");
}

static bool read_moment(const char *text, uint64_t *ret_usec)
{
        struct tm tm = { 0 };
        const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
        uint64_t usec;
        char digits[7];
        time_t seconds;

        if (!rest || strlen(rest) != strlen(".123456Z") || rest[0] != '.' || rest[7] != 'Z')
                return false;
        (void) snprintf(digits, sizeof digits, "%.6s", rest + 1);
        seconds = timegm(&tm);
        if (seconds < 0 || !parse_u64(digits, 999999, &usec))
                return false;
        *ret_usec = (uint64_t) seconds * 1000000 + usec;
        return true;
}

static int read_user(const char *quoted, char **ret, struct fault *f)
{
        _cleanup_text_ struct text t = { 0 };
        _cleanup_(json_freep) struct json *wrapped = NULL;
        const char *user;

        /* A JSON document is an object here, so the bare string gets one. */
        text_addf(&t, "{\"user\":%s}", quoted);
        if (!text_ok(&t))
                return fault_oom(f);
        wrapped = json_parse(t.data, t.len, "User", f);
        if (!wrapped || json_object_len(wrapped) != 1 ||
            json_get_string(json_member(wrapped, "user"), "User", 4096, &user, f) < 0)
                return damaged(f, "an unreadable User=");
        *ret = strdup(user);
        return *ret ? 0 : fault_oom(f);
}

static int read_spec(const struct section *s, struct spec *ret, struct fault *f)
{
        _cleanup_(json_freep) struct json *json = json_parse(s->spec, strlen(s->spec), "Spec", f);

        if (!json)
                return damaged(f, "an unreadable Spec=");
        return spec_from_json(json, NULL, ret, f);
}

int unit_read(const char *text, struct unit_record *ret, struct fault *f)
{
        _cleanup_(section_reset) struct section s = { 0 };
        struct unit_record record = { 0 };
        char hash[DIGEST_HEX_LEN + 1];
        int r;

        r = read_section(text, &s, f);
        if (r < 0)
                return r;
        if (!s.version || !s.id || !s.image || !s.user || !s.request_id || !s.created || !s.hash || !s.spec)
                return damaged(f, "a key is missing");
        if (!streq(s.version, "1"))
                return damaged(f, "a format this geard does not know");
        if (!gear_id_valid(s.id) || request_id_canonical(s.request_id, record.request_id) < 0)
                return damaged(f, "a malformed id");
        if (!read_moment(s.created, &record.created_usec))
                return damaged(f, "an unreadable Created=");

        (void) snprintf(record.id, sizeof record.id, "%s", s.id);
        r = read_user(s.user, &record.user, f);
        if (r >= 0)
                r = read_spec(&s, &record.spec, f);
        if (r >= 0 && unit_spec_hash(&record.spec, hash) < 0)
                r = fault_oom(f);
        if (r >= 0) {
                if (!streq(hash, s.hash) || !streq(record.spec.image, s.image))
                        r = damaged(f, "the hash does not fit the spec");
                (void) snprintf(record.hash, sizeof record.hash, "%s", hash);
        }
        if (r < 0) {
                unit_record_reset(&record);
                return r;
        }
        *ret = record;
        return 0;
}

void unit_record_reset(struct unit_record *r)
{
        r->user = (free(r->user), NULL);
        spec_reset(&r->spec);
}
