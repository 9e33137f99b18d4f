/* SPDX-License-Identifier: Apache-2.0 */

/* The compact serialisation of JOSE, up to where signing and encrypting part ways. */

#include "core/jose.h"

#include "core/key.h"
#include "util/base64.h"

size_t jose_split(const char *token, size_t n, struct jose_part ret[static JOSE_PARTS_MAX])
{
        const char *end = token + n;
        size_t parts = 0;

        for (;;) {
                const char *dot = memchr(token, '.', (size_t) (end - token));

                if (parts == JOSE_PARTS_MAX)
                        return 0;
                ret[parts++] = (struct jose_part){ token, (size_t) ((dot ? dot : end) - token) };
                if (!dot)
                        return parts;
                token = dot + 1;
        }
}

void jose_header_reset(struct jose_header *h)
{
        (void) json_free(h->root);
        *h = (struct jose_header){ 0 };
}

static int refuse(const char **ret_why, const char *why)
{
        *ret_why = why;
        return -EBADMSG;
}

static bool is_listed(const char *name, const char *const *names)
{
        for (; *names; names++)
                if (streq(name, *names))
                        return true;
        return false;
}

static bool take_string(const struct json *v, size_t max, const char **ret)
{
        struct fault ignored;

        return json_get_string(v, "", max, ret, &ignored) == 0;
}

static bool take_member(const struct json *v, const char *name, struct jose_header *h)
{
        const struct {
                const char *name;
                const char **ret;
                size_t max;
        } strings[] = {
                { "alg", &h->alg, JOSE_TYPE_MAX },    { "enc", &h->enc, JOSE_TYPE_MAX },
                { "kid", &h->kid, KEY_ID_MAX },       { "typ", &h->typ, JOSE_TYPE_MAX },
                { "cty", &h->cty, JOSE_TYPE_MAX },    { "apu", &h->apu, JOSE_HEADER_MAX },
                { "apv", &h->apv, JOSE_HEADER_MAX },
        };

        if (streq(name, "epk")) {
                h->epk = v;
                return json_is_object(v);
        }
        for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
                if (streq(name, strings[i].name))
                        return take_string(v, strings[i].max, strings[i].ret);
        return false;
}

static int take_members(struct jose_header *h, const char *const *names, const char **ret_why)
{
        const struct json *member;
        const char *name;

        if (!json_is_object(h->root))
                return refuse(ret_why, "its header is not an object");
        for (size_t i = 0; (member = json_object_at(h->root, i, &name)); i++) {
                if (!is_listed(name, names))
                        return refuse(ret_why, "its header says something that is not allowed there");
                if (!take_member(member, name, h))
                        return refuse(ret_why, "a member of its header has the wrong type or is too long");
        }
        if (!h->alg)
                return refuse(ret_why, "its header names no algorithm");
        if (h->kid && !key_id_valid(h->kid))
                return refuse(ret_why, "its header names a key as no key is called");
        return 0;
}

int jose_header_read(struct jose_part part, const char *const *names, struct jose_header *ret,
                     const char **ret_why)
{
        _cleanup_(jose_header_reset) struct jose_header h = { 0 };
        _cleanup_free_ unsigned char *bytes = NULL;
        struct fault f = { 0 };
        size_t n;
        int r;

        if (part.len == 0 || part.len > JOSE_HEADER_MAX)
                return refuse(ret_why, "its header is empty or too long");
        r = base64url_decode(part.text, part.len, &bytes, &n);
        if (r < 0)
                return r == -EBADMSG ? refuse(ret_why, "its header is not base64url") : r;
        h.root = json_parse((const char *) bytes, n, "header", &f);
        if (!h.root)
                return f.kind == FAULT_INTERNAL ? -ENOMEM : refuse(ret_why, "its header is not strict JSON");
        r = take_members(&h, names, ret_why);
        if (r < 0)
                return r;
        *ret = h;
        h = (struct jose_header){ 0 };
        return 0;
}
