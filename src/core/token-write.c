/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The writing side of tokens.  What was written is read back by the code that
 * verifies it, so that a token which would be refused is never handed out.
 */

#include "core/token.h"

#include "core/jws.h"

static int sign(const struct key *k, const char *type, const struct claims *c, struct text *t,
                struct fault *f)
{
        _cleanup_text_ struct text payload = { 0 };
        int r = claims_write(c, &payload, f);

        if (r < 0)
                return r;
        if (!k->can_sign)
                return fault_set(f, FAULT_DENIED, NULL, "signing takes the private half of the key");
        r = jws_sign(k, type, !type && *k->id ? k->id : NULL, payload.data, payload.len, t);
        if (r < 0)
                return fault_set(f, FAULT_INTERNAL, NULL, "signing failed");
        return text_ok(t) ? 0 : fault_oom(f);
}

/* Reads it as its readers will and, only then, adds it. */
static int add_checked(const struct text *token, const struct token_rules *rules, struct text *t,
                       struct fault *f)
{
        _cleanup_(token_reset) struct token again = { 0 };
        int r = token_read(token->data, token->len, rules, &again, f);

        if (r == 0)
                text_addn(t, token->data, token->len);
        return r;
}

int token_mint(const struct claims *c, const struct key *issuer, struct text *t, struct fault *f)
{
        const struct token_rules rules = { .keys = &issuer, .n_keys = 1 };
        _cleanup_text_ struct text token = { 0 };
        int r = sign(issuer, NULL, c, &token, f);

        return r < 0 ? r : add_checked(&token, &rules, t, f);
}

int token_narrow(const char *text, size_t n, const struct key *holder, const struct claims *c,
                 struct text *t, struct fault *f)
{
        _cleanup_(token_reset) struct token before = { 0 };
        _cleanup_text_ struct text token = { 0 };
        struct claims link = *c; /* borrows */
        int r = token_read(text, n, NULL, &before, f);

        if (r < 0)
                return r;
        if (!before.claims.next)
                return fault_set(f, FAULT_DENIED, "cnf", "cnf: this token was not made for narrowing");
        if (!streq(before.claims.next->name, holder->name))
                return fault_set(f, FAULT_DENIED, "cnf",
                                 "cnf: this token was made for narrowing by another key");
        if (digest_base64url(text, n, link.previous) < 0)
                return fault_oom(f);
        text_addn(&token, text, n);
        text_addc(&token, '~');
        r = sign(holder, TOKEN_LINK_TYPE, &link, &token, f);
        return r < 0 ? r : add_checked(&token, NULL, t, f);
}
