/* SPDX-License-Identifier: Apache-2.0 */

#include "token-links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "new-key.h"

struct key *named_key(enum key_algorithm algorithm, const char *id)
{
        struct key *k = new_key(algorithm);

        (void) snprintf(k->id, sizeof k->id, "%s", id);
        return k;
}

int set_up_world(void **state)
{
        static const enum key_algorithm kinds[N_HOLDERS] = { KEY_EDDSA, KEY_ES256, KEY_EDDSA, KEY_EDDSA,
                                                             KEY_ES256 };
        struct world *w = calloc(1, sizeof *w);

        assert_non_null(w);
        w->issuer = named_key(KEY_EDDSA, "first");
        w->second = named_key(KEY_EDDSA, "second");
        w->stranger = named_key(KEY_EDDSA, "first");
        for (size_t i = 0; i < N_HOLDERS; i++)
                w->holders[i] = named_key(kinds[i], "");
        w->trusted[0] = w->issuer;
        w->trusted[1] = w->second;
        w->rules = (struct token_rules){
                .keys = w->trusted, .n_keys = 2, .audience = "node-1", .max_life_sec = 86400
        };
        *state = w;
        return 0;
}

int tear_down_world(void **state)
{
        struct world *w = *state;

        key_free(w->issuer);
        key_free(w->second);
        key_free(w->stranger);
        for (size_t i = 0; i < N_HOLDERS; i++)
                key_free(w->holders[i]);
        free(w);
        return 0;
}

void put_claims(struct text *t, const char *claims)
{
        for (; *claims; claims++)
                text_addc(t, (char) (*claims == '\'' ? '"' : *claims));
}

char *signed_link(const struct key *signer, const char *typ, const char *kid, const char *claims,
                  const char *previous, const struct key *next)
{
        _cleanup_text_ struct text payload = { 0 };
        struct text link = { 0 };

        put_claims(&payload, claims);
        text_truncate(&payload, payload.len - 1);
        if (previous)
                json_put(&payload, "prev", previous);
        if (next) {
                json_name(&payload, "cnf");
                text_add(&payload, "{\"jwk\":");
                assert_int_equal(key_to_jwk(next, false, &payload), 0);
                text_addc(&payload, '}');
        }
        text_addc(&payload, '}');
        assert_int_equal(jws_sign(signer, typ, kid, payload.data, payload.len, &link), 0);
        return text_take(&link);
}

char *first_link(const struct key *issuer, const char *claims, const struct key *next)
{
        return signed_link(issuer, NULL, *issuer->id ? issuer->id : NULL, claims, NULL, next);
}

char *further_link(const char *before, const struct key *signer, const char *claims, const struct key *next)
{
        char digest[DIGEST_BASE64URL_LEN + 1];

        assert_int_equal(digest_base64url(before, strlen(before), digest), 0);
        return signed_link(signer, TOKEN_LINK_TYPE, NULL, claims, digest, next);
}

char *joined(const char *a, const char *b)
{
        char *s = NULL;

        assert_true(asprintf(&s, "%s~%s", a, b) > 0);
        return s;
}

void append_link(char **chain, char *link)
{
        char *longer = joined(*chain, link);

        free(*chain);
        free(link);
        *chain = longer;
}

void leaks_nothing(const char *token, const struct fault *f)
{
        char piece[17];

        for (size_t at = 0; at + 16 <= strlen(token); at++) {
                memcpy(piece, token + at, 16);
                piece[16] = '\0';
                if (strstr(f->text, piece))
                        fail_msg("the sentence shows the token: %s", f->text);
        }
}

void token_refused(const char *what, const char *token, const struct token_rules *rules,
                   const char *sentence)
{
        struct token t = { .n_links = 77 };
        struct fault f = { 0 };

        if (token_verify(token, strlen(token), rules, &t, &f) >= 0)
                fail_msg("%s: accepted", what);
        if (f.kind != FAULT_DENIED || !strstr(f.text, sentence))
                fail_msg("%s: %d %s", what, f.kind, f.text);
        assert_int_equal(t.n_links, 77);
        leaks_nothing(token, &f);
}

void token_verified(const char *token, const struct token_rules *rules, struct token *ret)
{
        struct fault f = { 0 };

        if (token_verify(token, strlen(token), rules, ret, &f) < 0)
                fail_msg("%s", f.text);
}

void token_accepted(const char *token, const struct token_rules *rules)
{
        _cleanup_(token_reset) struct token t = { 0 };

        token_verified(token, rules, &t);
}

void read_claims(const char *s, struct claims *ret)
{
        _cleanup_text_ struct text t = { 0 };
        struct fault f = { 0 };

        put_claims(&t, s);
        if (claims_read(t.data, t.len, ret, &f) < 0)
                fail_msg("%s: %s", s, f.text);
}

/* The public half, as the issuer gets to see it. */
struct key *public_of(const struct key *k)
{
        _cleanup_(json_freep) struct json *jwk = NULL;
        _cleanup_text_ struct text t = { 0 };
        struct key *public = NULL;
        struct fault f = { 0 };

        assert_int_equal(key_to_jwk(k, false, &t), 0);
        jwk = json_parse(t.data, t.len, "jwk", &f);
        assert_int_equal(key_from_jwk(jwk, "holder", false, &public, &f), 0);
        return public;
}
