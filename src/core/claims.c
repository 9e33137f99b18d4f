/* SPDX-License-Identifier: Apache-2.0 */

/* The claims of one link: JSON in, one small reader per claim, and JSON out. */

#include "core/claims.h"

#include "core/peer.h"

#define UUID_LEN 36

struct list_rule {
        size_t count_max, len_max;
        bool (*valid)(const char *s);
        const char *must; /* what an element that is not valid should be */
};

void claims_reset(struct claims *c)
{
        free(c->user);
        free(c->type);
        free(c->issuer);
        free(c->peer);
        (void) strv_free(c->locators);
        (void) strv_free(c->rights);
        (void) strv_free(c->audience);
        (void) key_free(c->next);
        *c = (struct claims){ 0 };
}

/* Names end up in journals and on terminals: no controls, of C0 or of C1. */
static bool is_plain_text(const char *s)
{
        size_t left = strlen(s), n = 0;
        uint32_t c = 0;

        if (left == 0)
                return false;
        for (; left > 0; s += n, left -= n) {
                n = utf8_decode(s, left, &c);
                if (n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
                        return false;
        }
        return true;
}

/* One way to write a digest: the two bits that 43 digits have too many are zero. */
static bool is_digest(const char *s)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

        return strlen(s) == DIGEST_BASE64URL_LEN && strspn(s, digits) == DIGEST_BASE64URL_LEN &&
               (strchr(digits, s[DIGEST_BASE64URL_LEN - 1]) - digits) % 4 == 0;
}

static bool is_locator(const char *s)
{
        char prefix[GEAR_ID_MAX + 1];
        size_t n = strlen(s);

        if (n == 0 || s[n - 1] != '*')
                return gear_id_valid(s);
        if (n == 1)
                return true;
        if (n - 1 > GEAR_ID_MAX)
                return false;
        memcpy(prefix, s, n - 1);
        prefix[n - 1] = '\0';
        return gear_id_valid(prefix);
}

static int read_time(const struct json *v, const char *name, uint64_t *ret, struct fault *f)
{
        if (!json_is_number(v))
                return fault_set(f, FAULT_INVALID, name, "%s: must be a number", name);
        return json_get_uint(v, name, 1, CLAIM_TIME_MAX, ret, f);
}

static int differs_from_alias(const char *name, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, name, "%s: differs from the other name of the same claim", name);
}

static int read_expiry(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        uint64_t value = 0;
        int r = read_time(v, name, &value, f);

        if (r < 0)
                return r;
        if (c->expires_sec && c->expires_sec != value)
                return differs_from_alias(name, f);
        c->expires_sec = value;
        return 0;
}

static int read_not_before(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        return read_time(v, name, &c->not_before_sec, f);
}

/* A claim that was read before, under its other name, must say the same. */
static int read_text(const struct json *v, const char *name, size_t max, char **value, struct fault *f)
{
        const char *s = NULL;
        int r = json_get_string(v, name, max, &s, f);

        if (r < 0)
                return r;
        if (!is_plain_text(s))
                return fault_set(f, FAULT_INVALID, name, "%s: empty, or with control characters", name);
        if (*value)
                return streq(*value, s) ? 0 : differs_from_alias(name, f);
        *value = strdup(s);
        return *value ? 0 : fault_oom(f);
}

static int read_user(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        return read_text(v, name, CLAIM_USER_MAX, &c->user, f);
}

static int read_type(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        return read_text(v, name, CLAIM_TYPE_MAX, &c->type, f);
}

static int read_issuer(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        return read_text(v, name, CLAIM_ISSUER_MAX, &c->issuer, f);
}

static int read_peer(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        int r = read_text(v, name, CLAIM_TYPE_MAX, &c->peer, f);

        if (r == 0 && !peer_valid(c->peer))
                return fault_set(f, FAULT_INVALID, name,
                                 "%s: must be an address, a network without bits behind its prefix, "
                                 "uid:NUMBER, sha256:DIGITS, dns:NAME, uri:URI or email:ADDRESS",
                                 name);
        return r;
}

static int take_id(const char *digits, const char *name, struct claims *c, struct fault *f)
{
        char id[REQUEST_ID_LEN + 1];

        if (request_id_canonical(digits, id) < 0)
                return fault_set(f, FAULT_INVALID, name, "%s: must be 1 to %d hex digits%s", name,
                                 REQUEST_ID_LEN, streq(name, "jti") ? ", or a UUID" : "");
        if (*c->id && !streq(c->id, id))
                return differs_from_alias(name, f);
        memcpy(c->id, id, sizeof id);
        return 0;
}

static int read_id(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        const char *s = NULL;
        int r = json_get_string(v, name, REQUEST_ID_LEN, &s, f);

        return r < 0 ? r : take_id(s, name, c, f);
}

/* The registered claim may be any string; what libraries put there is mostly a UUID, which is 32 hex digits.
 */
static int read_jti(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        char digits[UUID_LEN + 1] = { 0 };
        const char *s = NULL;
        size_t n = 0;
        int r = json_get_string(v, name, UUID_LEN, &s, f);

        if (r < 0)
                return r;
        if (strlen(s) != UUID_LEN)
                return take_id(s, name, c, f);
        for (size_t i = 0; i < UUID_LEN; i++) {
                bool dash = i == 8 || i == 13 || i == 18 || i == 23;

                if (!dash || s[i] != '-')
                        digits[n++] = s[i];
        }
        return take_id(digits, name, c, f);
}

static int read_element(const struct json *v, const char *path, const struct list_rule *rule, char ***list,
                        struct fault *f)
{
        const char *s = NULL;
        int r = json_get_string(v, path, rule->len_max, &s, f);

        if (r < 0)
                return r;
        if (!rule->valid(s))
                return fault_set(f, FAULT_INVALID, path, "%s: must be %s", path, rule->must);
        return strv_add(list, s) < 0 ? fault_oom(f) : 0;
}

/* A string is a list of one. */
static int read_list(const struct json *v, const char *name, const struct list_rule *rule, char ***list,
                     struct fault *f)
{
        char path[FAULT_FIELD_MAX];
        size_t n = json_array_len(v);

        if (json_is_string(v))
                return read_element(v, name, rule, list, f);
        if (!json_is_array(v))
                return fault_set(f, FAULT_INVALID, name, "%s: must be a string or an array of strings",
                                 name);
        if (n == 0 || n > rule->count_max)
                return fault_set(f, FAULT_INVALID, name, "%s: must have 1 to %zu elements", name,
                                 rule->count_max);
        for (size_t i = 0; i < n; i++) {
                int r = read_element(json_array_at(v, i), json_index(path, name, i), rule, list, f);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_locators(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        static const struct list_rule rule = { CLAIM_LOCATORS_MAX, GEAR_ID_MAX + 1, is_locator,
                                               "the id of a gear, or how it begins and `*'" };

        return read_list(v, name, &rule, &c->locators, f);
}

static int read_rights(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        static const struct list_rule rule = { CLAIM_RIGHTS_MAX, 64, right_known,
                                               "a right that geard knows" };

        return read_list(v, name, &rule, &c->rights, f);
}

static int read_audience(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        static const struct list_rule rule = { CLAIM_AUDIENCE_MAX, 256, is_plain_text,
                                               "a name without control characters" };

        return read_list(v, name, &rule, &c->audience, f);
}

static int read_digest(const struct json *v, const char *name, char ret[static DIGEST_BASE64URL_LEN + 1],
                       struct fault *f)
{
        const char *s = NULL;
        int r = json_get_string(v, name, DIGEST_BASE64URL_LEN, &s, f);

        if (r < 0)
                return r;
        if (!is_digest(s))
                return fault_set(f, FAULT_INVALID, name, "%s: must be 32 bytes in base64url", name);
        memcpy(ret, s, DIGEST_BASE64URL_LEN + 1);
        return 0;
}

static int read_body(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        return read_digest(v, name, c->body, f);
}

static int read_previous(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        return read_digest(v, name, c->previous, f);
}

static int read_next(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        _cleanup_(key_freep) struct key *k = NULL;
        const char *member = NULL;
        const struct json *jwk = json_object_at(v, 0, &member);
        struct fault inner = { 0 };

        if (json_object_len(v) != 1 || !streq(member, "jwk") || !json_is_object(jwk))
                return fault_set(f, FAULT_INVALID, name, "%s: must be an object with `jwk' and nothing else",
                                 name);
        if (json_member(jwk, "geard"))
                return fault_set(f, FAULT_INVALID, name,
                                 "%s: what limits a holder stands in the claims of a link", name);
        if (key_from_jwk(jwk, "next", false, &k, &inner) < 0) {
                if (inner.kind == FAULT_INTERNAL)
                        return fault_oom(f);
                return fault_set(f, FAULT_INVALID, name, "%s: %s", name, inner.text);
        }
        if (k->can_sign)
                return fault_set(f, FAULT_INVALID, name, "%s: this is the private key, which is never shown",
                                 name);
        if (k->algorithm != KEY_EDDSA && k->algorithm != KEY_ES256)
                return fault_set(f, FAULT_INVALID, name, "%s: must be a key for EdDSA or ES256", name);
        c->next = TAKE(k);
        return 0;
}

static int read_claim(const struct json *v, const char *name, struct claims *c, struct fault *f)
{
        static const struct {
                const char *name;
                int (*read)(const struct json *v, const char *name, struct claims *c, struct fault *f);
        } known[] = {
                { "d", read_expiry },      { "exp", read_expiry }, { "nbf", read_not_before },
                { "u", read_user },        { "sub", read_user },   { "t", read_type },
                { "r", read_locators },    { "i", read_id },       { "jti", read_jti },
                { "a", read_rights },      { "b", read_body },     { "aud", read_audience },
                { "iss", read_issuer },    { "p", read_peer },     { "cnf", read_next },
                { "prev", read_previous },
        };

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(name, known[i].name))
                        return known[i].read(v, name, c, f);
        return 0;
}

int claims_read(const char *payload, size_t n, struct claims *ret, struct fault *f)
{
        _cleanup_(json_freep) struct json *v = json_parse(payload, n, "claims", f);
        _cleanup_(claims_reset) struct claims c = { 0 };
        const struct json *value;
        const char *name = NULL;

        if (!v)
                return -EINVAL;
        if (!json_is_object(v) || json_object_len(v) > CLAIM_NAMES_MAX)
                return fault_set(f, FAULT_INVALID, "claims",
                                 "claims: must be an object with at most %d members", CLAIM_NAMES_MAX);
        for (size_t i = 0; (value = json_object_at(v, i, &name)); i++) {
                int r = read_claim(value, name, &c, f);

                if (r < 0)
                        return r;
        }
        *ret = c;
        c = (struct claims){ 0 };
        return 0;
}

static void put_list(struct text *t, const char *name, char *const *list)
{
        if (!list)
                return;
        if (strv_len(list) == 1) {
                json_put(t, name, list[0]);
                return;
        }
        json_name(t, name);
        for (size_t i = 0; list[i]; i++) {
                text_addc(t, i == 0 ? '[' : ',');
                json_out(t, list[i]);
        }
        text_addc(t, ']');
}

static void put_text(struct text *t, const char *name, const char *value)
{
        if (value && *value)
                json_put(t, name, value);
}

static void put_time(struct text *t, const char *name, uint64_t value)
{
        if (value)
                json_putu(t, name, value);
}

int claims_write(const struct claims *c, struct text *t, struct fault *f)
{
        text_addc(t, '{');
        put_time(t, "d", c->expires_sec);
        put_time(t, "nbf", c->not_before_sec);
        put_text(t, "u", c->user);
        put_text(t, "t", c->type);
        put_list(t, "r", c->locators);
        put_text(t, "i", c->id);
        put_list(t, "a", c->rights);
        put_text(t, "b", c->body);
        put_list(t, "aud", c->audience);
        put_text(t, "iss", c->issuer);
        put_text(t, "p", c->peer);
        put_text(t, "prev", c->previous);
        if (c->next) {
                json_name(t, "cnf");
                text_add(t, "{\"jwk\":");
                if (key_to_jwk(c->next, false, t) < 0)
                        return fault_set(f, FAULT_INTERNAL, "cnf", "cnf: the key cannot be written");
                text_addc(t, '}');
        }
        text_addc(t, '}');
        return text_ok(t) ? 0 : fault_oom(f);
}
