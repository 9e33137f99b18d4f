/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The reading side of tokens.  A link is believed only once its signature is:
 * the keys of the first are ours, the key of each other is what the link before,
 * by then believed, has named.  So nothing that an attacker wrote is interpreted
 * beyond its form.
 */

#include "core/token.h"

#include "core/jwe.h"
#include "core/jws.h"

#include <inttypes.h>
#include <stdio.h>

#define LINK_END '~'

struct chain {
        const char *text;
        struct {
                const char *text;
                size_t len;
        } links[TOKEN_LINKS_MAX];
        size_t n_links;
};

void token_reset(struct token *t)
{
        claims_reset(&t->claims);
        (void) strv_free(t->holders);
        *t = (struct token){ 0 };
}

static int denied(const char *claim, const char *why, struct fault *f)
{
        return fault_set(f, FAULT_DENIED, claim, "%s%s%s", claim, *claim ? ": " : "", why);
}

static int from_jws(int r, const char *why, struct fault *f)
{
        if (r == 0)
                return 0;
        return r == -EBADMSG ? denied("", why, f) : fault_oom(f);
}

static int chain_split(const char *text, size_t n, struct chain *ret, struct fault *f)
{
        const char *end = text + n;

        *ret = (struct chain){ .text = text };
        if (n > TOKEN_MAX)
                return fault_set(f, FAULT_DENIED, NULL, "longer than %d bytes", TOKEN_MAX);
        for (const char *link = text;;) {
                const char *stop = memchr(link, LINK_END, (size_t) (end - link));

                if (ret->n_links == TOKEN_LINKS_MAX)
                        return fault_set(f, FAULT_DENIED, NULL, "more than %d links", TOKEN_LINKS_MAX);
                ret->links[ret->n_links].text = link;
                ret->links[ret->n_links++].len = (size_t) ((stop ? stop : end) - link);
                if (!stop)
                        return 0;
                link = stop + 1;
        }
}

/* Several issuers may use one kid; a token without any is tried with all keys of its algorithm. */
static bool may_be_signed_by(const struct jws *j, const struct key *k)
{
        return j->kid ? streq(j->kid, k->id) : streq(j->alg, key_algorithm_name(k->algorithm));
}

static int find_issuer(const struct jws *j, const struct token_rules *rules, const struct key **ret,
                       struct fault *f)
{
        const char *why = j->kid ? "no trusted key has its kid" : "no trusted key is for its algorithm";
        int r = -EBADMSG;

        for (size_t i = 0; i < rules->n_keys && r == -EBADMSG; i++) {
                if (!may_be_signed_by(j, rules->keys[i]))
                        continue;
                r = jws_verify(j, rules->keys[i], &why);
                if (r == 0)
                        *ret = rules->keys[i];
        }
        return from_jws(r, why, f);
}

/* `typ' keeps a link that a holder signed from ever being read as a token of its own, and the reverse. */
static int check_type(const struct jws *j, bool first, struct fault *f)
{
        bool is_link = j->typ && streq(j->typ, TOKEN_LINK_TYPE);

        if (first && is_link)
                return denied("typ", "a further link of a chain stands first", f);
        if (!first && !is_link)
                return denied("typ", "not that of a further link", f);
        return 0;
}

/* What its issuer may say.  The further links are narrower, so this binds the whole chain. */
static int check_limits(const struct key_limits *l, const struct claims *c, struct fault *f)
{
        char *const *rights = c->rights ? c->rights : rights_of_seed();

        if (strv_len(l->users) > 0 && !(c->user && pattern_covers(l->users, c->user)))
                return denied("u", "not a user for whom its key may speak", f);
        if (strv_len(l->locators) > 0 && !(c->locators && patterns_cover(l->locators, c->locators)))
                return denied("r", "reaches further than its key may", f);
        if (strv_len(l->rights) > 0 && !rights_cover(l->rights, rights))
                return denied("a", "grants more than its key may", f);
        return 0;
}

static int take_first(struct claims *c, struct token *t, struct fault *f)
{
        if (!c->expires_sec)
                return denied("d", "missing", f);
        if (*c->previous)
                return denied("prev", "there is no link before the first", f);
        if (!c->rights && !c->locators)
                return denied("r", "missing, and without `a' there is nothing else it could grant", f);
        if (t->issuer) {
                int r = check_limits(&t->issuer->limits, c, f);

                if (r < 0)
                        return r;
        }
        t->issued_until_sec = c->expires_sec;
        t->claims = *c;
        *c = (struct claims){ 0 };
        return 0;
}

static int take_further(const struct chain *chain, size_t i, struct claims *c, struct token *t,
                        struct fault *f)
{
        size_t before = (size_t) (chain->links[i].text - 1 - chain->text);
        char digest[DIGEST_BASE64URL_LEN + 1];
        int r;

        if (digest_base64url(chain->text, before, digest) < 0 ||
            strv_add(&t->holders, t->claims.next->name) < 0)
                return fault_oom(f);
        if (!streq(c->previous, digest))
                return denied("prev", "not the digest of the links before", f);
        r = claims_narrow(&t->claims, c, f);
        if (r < 0)
                return r;
        claims_reset(&t->claims);
        t->claims = *c;
        *c = (struct claims){ 0 };
        return 0;
}

static int check_signature(const struct jws *j, bool first, const struct token_rules *rules, struct token *t,
                           struct fault *f)
{
        const char *why = "";

        if (first)
                return rules ? find_issuer(j, rules, &t->issuer, f) : 0;
        if (!t->claims.next)
                return denied("cnf", "the link before names no next signer", f);
        return from_jws(jws_verify(j, t->claims.next, &why), why, f);
}

/* Tells whose it is as soon as that is proven, whatever it says. */
static int read_link(const struct chain *chain, size_t i, const struct token_rules *rules, struct token *t,
                     const struct key **ret_signer, struct fault *f)
{
        _cleanup_(claims_reset) struct claims c = { 0 };
        _cleanup_(jws_reset) struct jws j = { 0 };
        const char *why = "";
        bool first = i == 0;
        int r;

        *ret_signer = NULL;
        r = from_jws(jws_parse(chain->links[i].text, chain->links[i].len, &j, &why), why, f);
        if (r == 0)
                r = check_type(&j, first, f);
        if (r == 0)
                r = check_signature(&j, first, rules, t, f);
        if (r < 0)
                return r;
        *ret_signer = t->issuer;
        r = claims_read(j.payload, j.payload_len, &c, f);
        if (r < 0)
                return r;
        return first ? take_first(&c, t, f) : take_further(chain, i, &c, t, f);
}

/* What is wrong with a link, as what is wrong with the token. */
static int denied_by_link(size_t i, const struct chain *chain, struct fault *f)
{
        const struct fault in_link = *f;

        if (in_link.kind == FAULT_INTERNAL)
                return -ENOMEM;
        if (chain->n_links == 1)
                return fault_set(f, FAULT_DENIED, in_link.field, "%s", in_link.text);
        return fault_set(f, FAULT_DENIED, in_link.field, "link %zu of %zu: %s", i + 1, chain->n_links,
                         in_link.text);
}

static bool is_encrypted(const char *text, size_t n)
{
        return !memchr(text, LINK_END, n) && jwe_is_one(text, n);
}

/* Of links that were read before, so that each has its dots. */
static int make_id(const struct chain *chain, size_t n_links, char ret[static TOKEN_ID_LEN + 1])
{
        _cleanup_text_ struct text t = { 0 };
        char digest[DIGEST_HEX_LEN + 1];

        for (size_t i = 0; i < n_links; i++) {
                const char *link = chain->links[i].text;
                const char *signature = memrchr(link, '.', chain->links[i].len);

                if (i > 0)
                        text_addc(&t, LINK_END);
                text_addn(&t, link, (size_t) (signature - link));
        }
        if (!text_ok(&t) || digest_hex(t.data, t.len, digest) < 0)
                return -ENOMEM;
        memcpy(ret, digest, TOKEN_ID_LEN);
        ret[TOKEN_ID_LEN] = '\0';
        return 0;
}

static int read_links(const struct chain *chain, const struct token_rules *rules, struct token *t,
                      struct token_proof *proof, struct fault *f)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < chain->n_links; i++) {
                r = read_link(chain, i, rules, t, &proof->signer, f);
                t->n_links = i + 1;
        }
        if ((r == 0 || proof->signer) && make_id(chain, t->n_links, proof->id) < 0)
                return fault_oom(f);
        return r < 0 ? denied_by_link(t->n_links - 1, chain, f) : 0;
}

static int read_chain(const char *text, size_t n, const struct token_rules *rules, struct token *ret,
                      struct token_proof *ret_proof, struct fault *f)
{
        _cleanup_(token_reset) struct token t = { 0 };
        struct chain chain;
        int r = chain_split(text, n, &chain, f);

        *ret_proof = (struct token_proof){ 0 };
        if (r < 0)
                return r;
        if (is_encrypted(text, n))
                return denied("", "encrypted", f);
        r = read_links(&chain, rules, &t, ret_proof, f);
        if (r < 0)
                return r;
        memcpy(t.id, ret_proof->id, sizeof t.id);
        if (!t.claims.rights) {
                t.claims.rights = strv_copy(rights_of_seed());
                if (!t.claims.rights)
                        return fault_oom(f);
        }
        *ret = t;
        t = (struct token){ 0 };
        return 0;
}

int token_read(const char *text, size_t n, const struct token_rules *rules, struct token *ret,
               struct fault *f)
{
        struct token_proof proof;

        return read_chain(text, n, rules, ret, &proof, f);
}

static int check_audience(const struct claims *c, const char *name, struct fault *f)
{
        if (!c->audience)
                return 0;
        for (size_t i = 0; name && c->audience[i]; i++)
                if (*name && streq(c->audience[i], name))
                        return 0;
        return denied("aud", "made for another node", f);
}

static int verify_chain(const char *text, size_t n, const struct token_rules *rules, struct token *ret,
                        struct token_proof *ret_proof, struct fault *f)
{
        _cleanup_(token_reset) struct token t = { 0 };
        int r = read_chain(text, n, rules, &t, ret_proof, f);

        if (r < 0)
                return r;
        if (t.claims.next)
                return denied("cnf", "the last link names a next signer: a link is missing", f);
        r = check_audience(&t.claims, rules->audience, f);
        if (r < 0)
                return r;
        *ret = t;
        t = (struct token){ 0 };
        return 0;
}

int token_examine(const char *text, size_t n, const struct token_rules *rules, struct token *ret,
                  struct token_proof *ret_proof, struct fault *f)
{
        _cleanup_free_ char *inner = NULL;
        size_t inner_n = 0;
        int r;

        *ret_proof = (struct token_proof){ 0 };
        if (n > TOKEN_MAX || !is_encrypted(text, n))
                return verify_chain(text, n, rules, ret, ret_proof, f);
        r = from_jws(jwe_decrypt(text, n, rules->own, rules->n_own, &inner, &inner_n), "cannot be decrypted",
                     f);
        if (r < 0)
                return r;
        if (is_encrypted(inner, inner_n))
                return denied("", "encrypted twice", f);
        r = verify_chain(inner, inner_n, rules, ret, ret_proof, f);
        if (r == 0)
                ret->encrypted = true;
        return r;
}

int token_verify(const char *text, size_t n, const struct token_rules *rules, struct token *ret,
                 struct fault *f)
{
        struct token_proof proof;

        return token_examine(text, n, rules, ret, &proof, f);
}

static bool is_later(uint64_t time, uint64_t now, uint64_t by)
{
        return time > now && time - now > by;
}

int token_check_time(const struct token *t, const struct token_rules *rules, uint64_t now_sec,
                     struct fault *f)
{
        const struct claims *c = &t->claims;
        uint64_t life = rules->max_life_sec, soon = now_sec + TOKEN_LEEWAY_SEC;

        if (t->issuer && t->issuer->limits.max_life_sec && t->issuer->limits.max_life_sec < life)
                life = t->issuer->limits.max_life_sec;
        if (now_sec < TOKEN_CLOCK_MIN_SEC)
                return denied("", "the clock of this host is wrong: it shows a time before 2026", f);
        if (now_sec >= c->expires_sec + TOKEN_LEEWAY_SEC)
                return fault_set(f, FAULT_DENIED, "d", "d: expired %" PRIu64 " s ago",
                                 now_sec - c->expires_sec);
        if (c->not_before_sec > soon)
                return fault_set(f, FAULT_DENIED, "nbf", "nbf: %" PRIu64 " s too early",
                                 c->not_before_sec - now_sec);
        /* Of the first link: else a chain would be the way to a token for years. */
        if (is_later(t->issued_until_sec, soon, life))
                return fault_set(f, FAULT_DENIED, "d",
                                 "d: further ahead than the %" PRIu64 " s that are allowed", life);
        return 0;
}
