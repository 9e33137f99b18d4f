/* SPDX-License-Identifier: Apache-2.0 */

/* Chains, every attack on one that has a name, and random ones: none grants what a link of it does not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "token-links.h"
#include "util/base64.h"

/* --- chains */

static void longest_chain(void **state)
{
        static const char *const claims[] = {
                "{'d':900,'u':'alice','r':'*','a':['gear.*','log.*'],'aud':['node-1','x']}",
                "{'d':800,'r':'web-*','p':'10.0.0.0/8'}", "{'a':['gear.*']}",
                "{'a':'gear.read','p':'10.0.0.7','nbf':5}",
                "{'r':'web-1','aud':'node-1','d':700,'t':'x','i':'1','b':'" DIGEST "'}"
        };
        struct world *w = *state;
        _cleanup_free_ char *chain = first_link(w->issuer, claims[0], w->holders[0]);
        _cleanup_(token_reset) struct token t = { 0 };
        _cleanup_text_ struct text whole = { 0 };
        struct fault f = { 0 };

        for (size_t i = 1; i < TOKEN_LINKS_MAX; i++) {
                bool last = i + 1 == TOKEN_LINKS_MAX;

                token_refused("a chain that goes on", chain, &w->rules,
                              "cnf: the last link names a next signer");
                append_link(&chain,
                            further_link(chain, w->holders[i - 1], claims[i], last ? NULL : w->holders[i]));
        }
        token_verified(chain, &w->rules, &t);
        assert_ptr_equal(t.issuer, w->issuer);
        assert_int_equal(t.n_links, TOKEN_LINKS_MAX);
        assert_int_equal(strv_len(t.holders), TOKEN_LINKS_MAX - 1);
        for (size_t i = 0; i + 1 < TOKEN_LINKS_MAX; i++)
                assert_string_equal(t.holders[i], w->holders[i]->name);
        assert_int_equal(t.issued_until_sec, 900);
        assert_null(t.claims.next);
        *t.claims.previous = '\0';
        assert_int_equal(claims_write(&t.claims, &whole, &f), 0);
        assert_string_equal(whole.data,
                            "{\"d\":700,\"nbf\":5,\"u\":\"alice\",\"t\":\"x\",\"r\":\"web-1\","
                            "\"i\":\"00000000000000000000000000000001\",\"a\":\"gear.read\",\"b\":\"" DIGEST
                            "\",\"aud\":\"node-1\",\"p\":\"10.0.0.7\"}");
}

/* Two chains of three links by the same people: 1, 2, 3 and A, B, C. */
struct chains {
        char *l1, *l2, *l3, *a, *b, *c;
};

static void chains_free(struct chains *c)
{
        free(c->l1);
        free(c->l2);
        free(c->l3);
        free(c->a);
        free(c->b);
        free(c->c);
}

static void make_three(struct world *w, const char *r, char **one, char **two, char **three)
{
        _cleanup_free_ char *claims = NULL, *before = NULL;

        assert_true(asprintf(&claims, "{'d':900,'a':'gear.*','r':'%s'}", r) > 0);
        *one = first_link(w->issuer, claims, w->holders[0]);
        *two = further_link(*one, w->holders[0], "{'a':'gear.read'}", w->holders[2]);
        before = joined(*one, *two);
        *three = further_link(before, w->holders[2], "{'d':800}", NULL);
}

/* Letters name links. */
static char *arrange(const struct chains *c, const char *order)
{
        struct text t = { 0 };

        for (const char *o = order; *o; o++) {
                const char *link = *o == '1'   ? c->l1
                                   : *o == '2' ? c->l2
                                   : *o == '3' ? c->l3
                                   : *o == 'A' ? c->a
                                   : *o == 'B' ? c->b
                                               : c->c;

                text_addf(&t, "%s%s", o == order ? "" : "~", link);
        }
        return text_take(&t);
}

static void rearranged(void **state)
{
        static const struct {
                const char *order, *sentence;
        } rows[] = {
                /* dropped */
                { "23", "typ: a further link" },
                { "3", "typ: a further link" },
                { "2", "typ: a further link" },
                { "13", "link 2 of 2" },
                { "12", "cnf: the last link" },
                { "1", "cnf: the last link" },
                /* reordered */
                { "132", "link 2 of 3" },
                { "213", "typ: a further link" },
                { "231", "typ: a further link" },
                { "312", "typ: a further link" },
                { "321", "typ: a further link" },
                /* repeated */
                { "1123", "link 2 of 4: typ: not that" },
                { "1223", "link 3 of 4" },
                { "1233", "link 4 of 4: cnf: the link before names no" },
                { "123123", "more than" },
                { "1231", "link 4 of 4: typ: not that" },
                { "11", "link 2 of 2: typ: not that" },
                /* spliced: each signature is by the key that the link before names, and yet */
                { "A23", "link 2 of 3: prev: not the digest" },
                { "1B3", "link 2 of 3: prev: not the digest" },
                { "1BC", "link 2 of 3: prev: not the digest" },
                { "12C", "link 3 of 3: prev: not the digest" },
                { "AB3", "link 3 of 3: prev: not the digest" },
                { "A", "cnf: the last link" },
                { "1A", "link 2 of 2: typ: not that" },
                { "123C", "link 4 of 4: cnf: the link before names no" },
        };
        struct world *w = *state;
        _cleanup_(chains_free) struct chains c = { 0 };

        make_three(w, "web-1", &c.l1, &c.l2, &c.l3);
        make_three(w, "web-2", &c.a, &c.b, &c.c);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *chain = arrange(&c, rows[i].order);

                token_refused(rows[i].order, chain, &w->rules, rows[i].sentence);
        }
        for (size_t i = 0; i < 2; i++) {
                _cleanup_free_ char *chain = arrange(&c, i ? "ABC" : "123");

                token_accepted(chain, &w->rules);
        }
}

/* What is signed well and refused nevertheless is somebody's; anything else is nobody's. */
static void told_whose(void **state)
{
        static const struct {
                const char *order;
                bool of_issuer;
        } rows[] = {
                { "12", true },   { "1", true },   { "A23", true }, { "12C", true },
                { "123C", false }, { "13", false }, { "23", false }, { "1231", false }, { "123123", false },
        };
        struct world *w = *state;
        _cleanup_(chains_free) struct chains c = { 0 };
        _cleanup_free_ char *forged = first_link(w->stranger, "{'d':900,'a':'gear.*'}", NULL);
        _cleanup_free_ char *empty = first_link(w->second, "{'d':900}", NULL);
        struct token_proof proof;
        struct token t;
        struct fault f;

        make_three(w, "web-1", &c.l1, &c.l2, &c.l3);
        make_three(w, "web-2", &c.a, &c.b, &c.c);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *chain = arrange(&c, rows[i].order);

                assert_true(token_examine(chain, strlen(chain), &w->rules, &t, &proof, &f) < 0);
                if (proof.signer != (rows[i].of_issuer ? w->issuer : NULL))
                        fail_msg("%s: %s", rows[i].order, proof.signer ? proof.signer->name : "nobody's");
                assert_int_equal(strlen(proof.id), rows[i].of_issuer ? TOKEN_ID_LEN : 0);
        }
        assert_true(token_examine(empty, strlen(empty), &w->rules, &t, &proof, &f) < 0);
        assert_ptr_equal(proof.signer, w->second);
        assert_true(token_examine(forged, strlen(forged), &w->rules, &t, &proof, &f) < 0);
        assert_null(proof.signer);
}

/* --- ids */

static void id_of(const char *token, const struct token_rules *rules, char ret[static TOKEN_ID_LEN + 1])
{
        struct token_proof proof;
        struct token t = { 0 };
        struct fault f;

        if (token_examine(token, strlen(token), rules, &t, &proof, &f) == 0)
                assert_string_equal(t.id, proof.id);
        memcpy(ret, proof.id, sizeof proof.id);
        token_reset(&t);
}

/* As who has the manual at hand would make it: the parts that are signed, with `~' between them. */
static void has_id(const char *token, size_t n_links, const struct token_rules *rules)
{
        char wanted[DIGEST_HEX_LEN + 1], id[TOKEN_ID_LEN + 1];
        _cleanup_text_ struct text t = { 0 };
        const char *link = token;

        for (size_t i = 0; i < n_links; i++, link += strcspn(link, "~") + 1) {
                const char *payload = link + strcspn(link, ".") + 1;

                text_addf(&t, "%s%.*s.%.*s", i ? "~" : "", (int) (payload - 1 - link), link,
                          (int) strcspn(payload, "."), payload);
        }
        assert_int_equal(digest_hex(t.data, t.len, wanted), 0);
        wanted[TOKEN_ID_LEN] = '\0';
        id_of(token, rules, id);
        assert_string_equal(id, wanted);
}

/* Of an ES256 signature in the last link: the other one that anybody can make of it. */
static char *twin_of(const char *token)
{
        static const unsigned char order[32] = {
                0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
        };
        const char *signature = strrchr(token, '.') + 1;
        _cleanup_free_ unsigned char *bytes = NULL;
        struct text twin = { 0 };
        int borrowed = 0;
        size_t n;

        assert_int_equal(base64url_decode(signature, strlen(signature), &bytes, &n), 0);
        assert_int_equal(n, 64);
        for (size_t i = 32; i-- > 0;) {
                int difference = order[i] - bytes[32 + i] - borrowed;

                borrowed = difference < 0;
                bytes[32 + i] = (unsigned char) difference;
        }
        text_addn(&twin, token, (size_t) (signature - token));
        base64url_add(&twin, bytes, n);
        return text_take(&twin);
}

static void twins_are_one_token(void **state)
{
        struct world *w = *state;
        _cleanup_(key_freep) struct key *es256 = named_key(KEY_ES256, "es256");
        const struct key *trusted[] = { es256, w->issuer };
        const struct token_rules rules = { .keys = trusted, .n_keys = 2 };
        _cleanup_free_ char *single = first_link(es256, "{'d':900,'r':'1'}", NULL);
        _cleanup_free_ char *chain = first_link(w->issuer, "{'d':900,'r':'*'}", w->holders[1]);

        append_link(&chain, further_link(chain, w->holders[1], "{'r':'web-1'}", NULL));
        for (size_t i = 0; i < 2; i++) {
                const char *token = i ? chain : single;
                _cleanup_free_ char *twin = twin_of(token);

                assert_string_not_equal(token, twin);
                token_accepted(twin, &rules);
                has_id(token, i + 1, &rules);
                has_id(twin, i + 1, &rules);
        }
}

static void each_token_has_its_id(void **state)
{
        struct world *w = *state;
        _cleanup_free_ char *chain = first_link(w->issuer, "{'d':900,'r':'*'}", w->holders[0]);
        _cleanup_free_ char *other = first_link(w->issuer, "{'d':901,'r':'*'}", w->holders[0]);
        char id[TOKEN_ID_LEN + 1], another[TOKEN_ID_LEN + 1];

        id_of(chain, &w->rules, id);
        id_of(other, &w->rules, another);
        assert_string_not_equal(id, another);
        has_id(chain, 1, &w->rules);
        append_link(&chain, further_link(chain, w->holders[0], "{}", w->holders[2]));
        append_link(&chain, further_link(chain, w->holders[2], "{}", NULL));
        has_id(chain, 3, &w->rules);
}

/* What nobody signed, put behind what is refused, makes no other token of it. */
static void rubbish_behind_it_changes_no_id(void **state)
{
        struct world *w = *state;
        _cleanup_free_ char *refused = first_link(w->issuer, "{'d':900}", w->holders[0]);
        _cleanup_free_ char *longer = joined(refused, "a.b.c");
        char id[TOKEN_ID_LEN + 1], same[TOKEN_ID_LEN + 1];

        has_id(refused, 1, &w->rules);
        id_of(refused, &w->rules, id);
        id_of(longer, &w->rules, same);
        assert_string_equal(id, same);
}

/* Whoever receives 1~2 and has none of the holders' keys. */
static void cut_off(void **state)
{
        struct world *w = *state;
        _cleanup_free_ char *one = first_link(w->issuer, "{'d':900,'a':'gear.*','r':'*'}", w->holders[0]);
        _cleanup_free_ char *two = further_link(one, w->holders[0], "{'a':'gear.read','r':'web-1'}", NULL);
        _cleanup_free_ char *whole = joined(one, two);
        _cleanup_free_ char *own = further_link(one, w->stranger, "{}", NULL);
        _cleanup_free_ char *by_stranger = joined(one, own);
        _cleanup_free_ char *third = further_link(whole, w->stranger, "{}", NULL);
        _cleanup_free_ char *continued = joined(whole, third);
        _cleanup_free_ char *by_issuer = further_link(one, w->issuer, "{}", NULL);
        _cleanup_free_ char *with_issuer = joined(one, by_issuer);

        token_accepted(whole, &w->rules);
        token_refused("cut off", one, &w->rules, "cnf: the last link names a next signer");
        token_refused("a narrowing of one's own in its place", by_stranger, &w->rules, "link 2 of 2");
        token_refused("one more", continued, &w->rules, "cnf: the link before names no");
        token_refused("a trusted key in place of the holder's", with_issuer, &w->rules, "link 2 of 2");
}

static void confused_types(void **state)
{
        static const char *const types[] = { "JWT",      "Gear-Link", "gear-links",
                                             "gear-lin", "",          "application/gear-link" };
        struct world *w = *state;
        char digest[DIGEST_BASE64URL_LEN + 1];
        /* The issuer is a holder, too: only the type tells its links from its tokens. */
        _cleanup_free_ char *one = first_link(w->issuer, "{'d':900,'r':'web-1'}", w->second);
        _cleanup_free_ char *two = further_link(one, w->second, "{'d':800,'r':'web-1'}", NULL);
        _cleanup_free_ char *untyped = NULL, *chain = NULL;
        _cleanup_free_ char *fresh =
                signed_link(w->second, TOKEN_LINK_TYPE, NULL, "{'d':5,'r':'1'}", NULL, NULL);

        token_refused("a link as a token", two, &w->rules, "typ: a further link of a chain stands first");
        token_refused("a token of a link's type", fresh, &w->rules,
                      "typ: a further link of a chain stands first");
        assert_int_equal(digest_base64url(one, strlen(one), digest), 0);
        untyped = signed_link(w->second, NULL, NULL, "{}", digest, NULL);
        chain = joined(one, untyped);
        token_refused("a link without a type", chain, &w->rules, "link 2 of 2: typ: not that");
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                _cleanup_free_ char *link = signed_link(w->second, types[i], NULL, "{}", digest, NULL);
                _cleanup_free_ char *whole = joined(one, link);

                token_refused(types[i], whole, &w->rules, "link 2 of 2");
        }
}

static void wrong_previous(void **state)
{
        struct world *w = *state;
        _cleanup_free_ char *one = first_link(w->issuer, "{'d':900,'r':'web-1'}", w->holders[0]);
        _cleanup_free_ char *two = further_link(one, w->holders[0], "{}", w->holders[2]);
        _cleanup_free_ char *both = joined(one, two), *open = joined(both, "");
        const struct {
                const char *what, *of;
        } rows[] = {
                { "of the last link alone", two },
                { "of the first link alone", one },
                { "of the tilde, too", open },
                { "of nothing", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *link = further_link(rows[i].of, w->holders[2], "{}", NULL);
                _cleanup_free_ char *chain = joined(both, link);

                token_refused(rows[i].what, chain, &w->rules, "link 3 of 3: prev: not the digest");
        }
        {
                _cleanup_free_ char *link =
                        signed_link(w->holders[2], TOKEN_LINK_TYPE, NULL, "{}", NULL, NULL);
                _cleanup_free_ char *chain = joined(both, link);

                token_refused("none", chain, &w->rules, "link 3 of 3: prev: not the digest");
        }
}

static void wider(void **state)
{
        static const struct {
                const char *claims, *sentence;
        } rows[] = {
                { "{'d':901}", "d: later" },
                { "{'exp':901}", "d: later" },
                { "{'nbf':99}", "nbf: earlier" },
                { "{'u':'bob'}", "u: not the user" },
                { "{'sub':'bob'}", "u: not the user" },
                { "{'iss':'you'}", "iss: not the issuer" },
                { "{'t':'alpine'}", "t: another" },
                { "{'r':'*'}", "r: reaches further" },
                { "{'r':['web-1','mail']}", "r: reaches further" },
                { "{'i':'8'}", "i: another" },
                { "{'jti':'8'}", "i: another" },
                { "{'a':'gear.delete'}", "a: grants more" },
                { "{'a':'gear.host'}", "a: grants more" },
                { "{'b':'" OTHER_DIGEST "'}", "b: another" },
                { "{'aud':'node-2'}", "aud: names somebody" },
                { "{'p':'10.0.0.0/7'}", "p: not within" },
                { "{'d':0}", "d: must be" },
                { "{'a':[]}", "a: must have" },
        };
        struct world *w = *state;
        _cleanup_free_ char *one = first_link(
                w->issuer,
                "{'d':900,'nbf':100,'u':'alice','iss':'me','t':'busybox','r':'web-*',"
                "'i':'7','a':['gear.read','gear.state'],'b':'" DIGEST "','aud':'node-1','p':'10.0.0.0/8'}",
                w->holders[0]);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *two = further_link(one, w->holders[0], rows[i].claims, NULL);
                _cleanup_free_ char *chain = joined(one, two);
                _cleanup_free_ char *between =
                        further_link(one, w->holders[0], rows[i].claims, w->holders[2]);
                _cleanup_free_ char *wide = joined(one, between);

                token_refused(rows[i].claims, chain, &w->rules, rows[i].sentence);
                append_link(&wide, further_link(wide, w->holders[2], "{}", NULL));
                token_refused(rows[i].claims, wide, &w->rules, rows[i].sentence);
        }
}

/* Every byte of a chain matters, and so does every one that is left out. */
static void every_byte(void **state)
{
        struct world *w = *state;
        _cleanup_free_ char *chain = first_link(w->issuer, "{'d':900,'r':'web-1'}", w->holders[0]);
        size_t n;

        append_link(&chain, further_link(chain, w->holders[0], "{'a':'gear.state'}", NULL));
        token_accepted(chain, &w->rules);
        n = strlen(chain);
        for (size_t i = 0; i < n; i++) {
                char kept = chain[i];
                struct token t = { 0 };
                struct fault f = { 0 };

                chain[i] = (char) (kept == 'A' ? 'B' : 'A');
                if (token_verify(chain, n, &w->rules, &t, &f) >= 0)
                        fail_msg("byte %zu may be changed", i);
                chain[i] = kept;
                if (token_verify(chain, i, &w->rules, &t, &f) >= 0)
                        fail_msg("%zu bytes are enough", i);
        }
}

/* --- random chains, signed */

static unsigned roll(uint64_t *seed, size_t sides)
{
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return (unsigned) ((*seed >> 33) % sides);
}

static void random_claims(uint64_t *seed, bool first, struct claims *c)
{
        static const char *const names[] = { "*", "web-*", "web-1", "web-2", "db" };
        static const char *const rights[] = { "gear.*", "gear.read", "gear.state", "log.read", "gear.host" };

        if (first || roll(seed, 5) == 0)
                c->expires_sec = 890 + roll(seed, 10);
        for (size_t n = roll(seed, 4) == 0 ? 1 + roll(seed, 2) : first; n > 0; n--)
                assert_int_equal(strv_add(&c->locators, names[roll(seed, ARRAY_SIZE(names))]), 0);
        for (size_t n = roll(seed, first ? 2 : 5) == 0 ? 1 + roll(seed, 2) : 0; n > 0; n--)
                assert_int_equal(strv_add(&c->rights, rights[roll(seed, ARRAY_SIZE(rights))]), 0);
}

static void within(const struct claims *whole, const struct claims *link, bool first)
{
        static const char *const names[] = { "web-1", "web-2", "web-3", "db", "mail" };
        static const char *const rights[] = { "gear.read", "gear.state", "gear.delete",
                                              "log.read",  "gear.host",  "repo.read" };
        char *const *granted = link->rights ? link->rights : first ? rights_of_seed() : NULL;

        if (link->expires_sec)
                assert_true(whole->expires_sec <= link->expires_sec);
        for (size_t i = 0; link->locators && i < ARRAY_SIZE(names); i++)
                if (pattern_covers(whole->locators, names[i]))
                        assert_true(pattern_covers(link->locators, names[i]));
        for (size_t i = 0; granted && i < ARRAY_SIZE(rights); i++)
                if (rights_grant(whole->rights, rights[i]))
                        assert_true(rights_grant(granted, rights[i]));
}

/* How long it became before a link was wider: that one the writer and the verifier both refuse. */
static size_t random_chain(struct world *w, uint64_t *seed)
{
        _cleanup_text_ struct text chain = { 0 };
        struct claims links[TOKEN_LINKS_MAX] = { 0 };
        size_t want = 2 + roll(seed, TOKEN_LINKS_MAX - 1), n = 0;

        for (; n < want; n++) {
                _cleanup_text_ struct text longer = { 0 };
                _cleanup_(token_reset) struct token t = { 0 };
                struct fault f = { 0 };
                int r;

                random_claims(seed, n == 0, &links[n]);
                links[n].next = n + 1 < want ? public_of(w->holders[n]) : NULL;
                r = n == 0 ? token_mint(&links[n], w->issuer, &longer, &f)
                           : token_narrow(chain.data, chain.len, w->holders[n - 1], &links[n], &longer, &f);
                if (r < 0)
                        break;
                text_reset(&chain);
                chain = longer;
                longer = (struct text){ 0 };
                assert_int_equal(token_read(chain.data, chain.len, &w->rules, &t, &f), 0);
                for (size_t i = 0; i <= n; i++)
                        within(&t.claims, &links[i], i == 0);
        }
        if (n == want)
                token_accepted(chain.data, &w->rules);
        for (size_t i = 0; i < TOKEN_LINKS_MAX; i++)
                claims_reset(&links[i]);
        return n;
}

static void random_chains(void **state)
{
        size_t of_length[TOKEN_LINKS_MAX + 1] = { 0 };
        uint64_t seed = 3;

        for (size_t i = 0; i < 400; i++)
                of_length[random_chain(*state, &seed)]++;
        for (size_t n = 1; n <= TOKEN_LINKS_MAX; n++)
                assert_true(of_length[n] >= 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(longest_chain),  cmocka_unit_test(rearranged),
                cmocka_unit_test(told_whose),     cmocka_unit_test(twins_are_one_token),
                cmocka_unit_test(each_token_has_its_id),
                cmocka_unit_test(rubbish_behind_it_changes_no_id),
                cmocka_unit_test(cut_off),        cmocka_unit_test(confused_types),
                cmocka_unit_test(wrong_previous), cmocka_unit_test(wider),
                cmocka_unit_test(every_byte),     cmocka_unit_test(random_chains),
        };

        return cmocka_run_group_tests_name("chain", tests, set_up_world, tear_down_world);
}
