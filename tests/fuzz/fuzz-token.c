/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A token as it comes from outside; and a chain that is made of the input, whose
 * signatures are right, so that what lies behind them is reached.  Each line is a
 * link: a letter that says what is wrong with it, and its claims.  A chain with
 * anything wrong must be refused, whatever its claims.
 */

#include "core/jws.h"
#include "core/token.h"

/* The keys of RFC 8032, 7.1, tests 1 and 2. */
#define JWK(d, x) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"" d "\",\"x\":\"" x "\"}"
#define ISSUER \
        JWK("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
#define HOLDER \
        JWK("TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs", "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw")
#define LINES_MAX 8

enum wrong {
        NOTHING = '.',
        SIGNER = 's',
        TYPE = 't',
        PREVIOUS = 'p',
        NEXT = 'n', /* a cnf in the last link; in others it belongs */
};

struct people {
        struct key *issuer, *holder;
};

static struct key *key_of(const char *jwk)
{
        _cleanup_(json_freep) struct json *v = NULL;
        struct key *k = NULL;
        struct fault f = { 0 };

        v = json_parse(jwk, strlen(jwk), "jwk", &f);
        if (!v || key_from_jwk(v, "key", false, &k, &f) < 0)
                abort();
        return k;
}

/* `claims' up to its closing brace, and what makes it a link. */
static void add_link(const struct people *who, const char *claims, size_t n, enum wrong wrong, bool last,
                     struct text *chain)
{
        bool first = chain->len == 0, signed_by_holder = first == (wrong == SIGNER);
        _cleanup_text_ struct text payload = { 0 };
        char digest[DIGEST_BASE64URL_LEN + 1];

        while (n > 0 && claims[n - 1] != '}')
                n--;
        text_addn(&payload, claims, n > 0 ? n - 1 : 0);
        if (digest_base64url(first ? "" : chain->data, chain->len, digest) < 0)
                abort();
        if (first == (wrong == PREVIOUS))
                json_put(&payload, "prev", digest);
        if (!last || wrong == NEXT) {
                json_name(&payload, "cnf");
                text_add(&payload, "{\"jwk\":");
                if (key_to_jwk(who->holder, false, &payload) < 0)
                        abort();
                text_addc(&payload, '}');
        }
        text_addc(&payload, '}');
        if (!first)
                text_addc(chain, '~');
        if (jws_sign(signed_by_holder ? who->holder : who->issuer,
                     first == (wrong == TYPE) ? TOKEN_LINK_TYPE : NULL, NULL, payload.data, payload.len,
                     chain) < 0)
                abort();
}

static enum wrong wrong_of(char letter)
{
        return strchr("stpn", letter) && letter ? (enum wrong) letter : NOTHING;
}

/* Returns whether anything was made wrong. */
static bool make_chain(const struct people *who, const char *text, size_t size, struct text *chain)
{
        const char *end = text + size;
        bool any = false, last = size == 0;

        for (size_t i = 1; !last; i++) {
                const char *stop = memchr(text, '\n', (size_t) (end - text)), *until = stop ? stop : end;
                enum wrong wrong = text < until ? wrong_of(*text) : NOTHING;
                const char *claims = text < until ? text + 1 : text;

                last = !stop || i == LINES_MAX;
                any = any || (wrong != NOTHING && (wrong != NEXT || last));
                add_link(who, claims, (size_t) (until - claims), wrong, last, chain);
                text = stop ? stop + 1 : end;
        }
        return any;
}

static bool is_granted(const struct token_rules *rules, const char *text, size_t n)
{
        _cleanup_(token_reset) struct token t = { 0 };
        struct fault f = { 0 };

        if (token_verify(text, n, rules, &t, &f) < 0) {
                if (f.kind != FAULT_DENIED || !f.text[0])
                        abort();
                return false;
        }
        if (t.claims.next || !t.claims.rights || !t.claims.expires_sec || !t.issuer ||
            t.claims.expires_sec > t.issued_until_sec || t.n_links != strv_len(t.holders) + 1)
                abort();
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct people who;
        _cleanup_text_ struct text chain = { 0 };
        const struct key *trusted[1];
        struct token_rules rules = { .keys = trusted, .n_keys = 1, .audience = "node-1" };
        bool wrong;

        if (!who.issuer)
                who = (struct people){ key_of(ISSUER), key_of(HOLDER) };
        trusted[0] = who.issuer;
        (void) is_granted(&rules, (const char *) data, size);
        wrong = make_chain(&who, (const char *) data, size, &chain);
        if (chain.len > 0 && is_granted(&rules, chain.data, chain.len) && wrong)
                abort();
        return 0;
}
