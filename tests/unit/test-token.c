/* SPDX-License-Identifier: Apache-2.0 */

/* Tokens of one link: form, who may have signed them, limits, time; and the writing side. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/jwe.h"

#include "token-links.h"

#define NOW UINT64_C(1800000000)

/* --- one link */

static void single(void **state)
{
        struct world *w = *state;
        _cleanup_free_ char *link = first_link(w->second, "{'d':5,'u':'alice','r':'web-1','i':'7'}", NULL);
        _cleanup_(token_reset) struct token t = { 0 };

        token_verified(link, &w->rules, &t);
        assert_ptr_equal(t.issuer, w->second);
        assert_int_equal(t.n_links, 1);
        assert_null(t.holders);
        assert_false(t.encrypted);
        assert_string_equal(t.claims.user, "alice");
        assert_int_equal(t.issued_until_sec, 5);
        assert_true(strv_equal(t.claims.rights, rights_of_seed()));
}

static void malformed(void **state)
{
        static const char *const rows[] = { "",        ".", "..",  "...",    "a.b",      "a..c",   "a.b.c",
                                            "a.b.c.d", "~", "~~~", "a.b.c~", "__test__", "%2e%2e", "a b c" };
        struct world *w = *state;
        _cleanup_free_ char *link = first_link(w->issuer, "{'d':5,'r':'1'}", NULL);
        _cleanup_text_ struct text t = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                token_refused(rows[i], rows[i], &w->rules, "");
        text_addf(&t, "~%s", link);
        token_refused("an empty first link", t.data, &w->rules, "link 1 of 2");
        text_truncate(&t, 0);
        text_addf(&t, "%s~", link);
        token_refused("an empty last link", t.data, &w->rules, "link 2 of 2");
        text_truncate(&t, 0);
        text_addf(&t, "%s\n", link);
        token_refused("trailing data", t.data, &w->rules, "");
        text_truncate(&t, 0);
        for (size_t i = 0; i <= TOKEN_LINKS_MAX; i++)
                text_addf(&t, "%sx", i ? "~" : "");
        token_refused("too many links", t.data, &w->rules, "more than 5 links");
        text_truncate(&t, 0);
        while (t.len <= TOKEN_MAX)
                text_addc(&t, 'x');
        token_refused("too long", t.data, &w->rules, "longer than 12288 bytes");
}

static void claims_of_the_first(void **state)
{
        static const struct {
                const char *claims, *sentence;
        } rows[] = {
                { "{'r':'1'}", "d: missing" },
                { "{'r':'1','d':'5'}", "d: must be a number" },
                { "{'d':5,'exp':6,'r':'1'}", "exp: differs" },
                { "{'d':5,'d':5,'r':'1'}", "duplicate name" },
                { "{'d':5,'u':'alice'}", "r: missing" },
                { "{'d':5,'r':'1','prev':'" DIGEST "'}", "prev: there is no link before" },
                { "{'d':5,'r':'1','a':'gear.fly'}", "a: must be a right" },
                { "[5]", "claims: must be an object" },
        };
        struct world *w = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text payload = { 0 }, link = { 0 };

                put_claims(&payload, rows[i].claims);
                assert_int_equal(jws_sign(w->issuer, NULL, "first", payload.data, payload.len, &link), 0);
                token_refused(rows[i].claims, link.data, &w->rules, rows[i].sentence);
        }
}

static void who_signed(void **state)
{
        struct world *w = *state;
        struct token_rules none = { .audience = "node-1", .max_life_sec = 86400 };
        const struct {
                const char *what, *kid;
                const struct key *signer;
                const char *sentence; /* NULL: accepted */
        } rows[] = {
                { "by kid", "second", w->second, NULL },
                { "without kid", NULL, w->second, NULL },
                { "of another key's kid", "first", w->second, "" },
                { "of a stranger, with our kid", "first", w->stranger, "" },
                { "of a stranger, without kid", NULL, w->stranger, "" },
                { "of an unknown kid", "third", w->issuer, "no trusted key has its kid" },
                { "of a kid in another case", "First", w->issuer, "no trusted key has its kid" },
                { "of another algorithm", NULL, w->holders[1], "no trusted key is for its algorithm" },
                { "of a kid with another algorithm", "first", w->holders[1], "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *link =
                        signed_link(rows[i].signer, "JWT", rows[i].kid, "{'d':5,'r':'1'}", NULL, NULL);

                if (rows[i].sentence)
                        token_refused(rows[i].what, link, &w->rules, rows[i].sentence);
                else
                        token_accepted(link, &w->rules);
                token_refused("no key at all", link, &none, "no trusted key");
        }
}

static void shared_kid(void **state)
{
        struct world *w = *state;
        const struct key *same[] = { w->stranger, w->issuer }; /* both are called "first" */
        struct token_rules rules = { .keys = same, .n_keys = 2 };
        _cleanup_free_ char *link = first_link(w->issuer, "{'d':5,'r':'1'}", NULL);
        _cleanup_(token_reset) struct token t = { 0 };

        token_verified(link, &rules, &t);
        assert_ptr_equal(t.issuer, w->issuer);
}

/* --- encrypted */

static char *encrypted(const struct key *to, const char *token)
{
        struct text t = { 0 };

        assert_int_equal(jwe_encrypt(to, NULL, token, strlen(token), &t), 0);
        return text_take(&t);
}

static void encrypted_to_us(void **state)
{
        static const enum key_algorithm algorithms[] = { KEY_ECDH_P256, KEY_ECDH_X25519, KEY_RSA_OAEP_256 };
        struct world *w = *state;
        _cleanup_free_ char *chain = first_link(w->issuer, "{'d':900,'r':'*'}", w->holders[0]);
        _cleanup_(token_reset) struct token plain = { 0 };

        append_link(&chain, further_link(chain, w->holders[0], "{'r':'web-1'}", NULL));
        token_verified(chain, &w->rules, &plain);
        for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
                _cleanup_(key_freep) struct key *own = named_key(algorithms[i], "own");
                _cleanup_free_ char *once = encrypted(own, chain);
                const struct key *ours[] = { own };
                struct token_rules rules = w->rules;
                _cleanup_(token_reset) struct token t = { 0 };

                token_refused("without a key for it", once, &rules, "cannot be decrypted");
                rules.own = ours;
                rules.n_own = 1;
                token_verified(once, &rules, &t);
                assert_true(t.encrypted);
                assert_string_equal(t.id, plain.id);
                assert_int_equal(t.n_links, 2);
                assert_string_equal(t.claims.locators[0], "web-1");
        }
}

/* What is in it is held to all that holds without it. */
static void encrypted_wrongly(void **state)
{
        struct world *w = *state;
        _cleanup_(key_freep) struct key *own = named_key(KEY_ECDH_X25519, "own"),
                                        *other = named_key(KEY_ECDH_X25519, "own");
        const struct key *ours[] = { own };
        struct token_rules rules = w->rules;
        _cleanup_free_ char *good = first_link(w->issuer, "{'d':900,'r':'1'}", NULL);
        _cleanup_free_ char *open = first_link(w->issuer, "{'d':900,'r':'1'}", w->holders[0]);
        _cleanup_free_ char *foreign = first_link(w->stranger, "{'d':900,'r':'1'}", NULL);
        _cleanup_free_ char *once = encrypted(own, good);
        const struct {
                const char *what;
                char *token;
                const char *sentence;
        } rows[] = {
                { "to another", encrypted(other, good), "cannot be decrypted" },
                { "twice", encrypted(own, once), "encrypted twice" },
                { "bare claims", encrypted(own, "{\"d\":900,\"r\":\"1\"}"), "" },
                { "nothing", encrypted(own, ""), "" },
                { "a link that goes on", encrypted(own, open), "cnf: the last link" },
                { "by a stranger", encrypted(own, foreign), "" },
                { "behind a link", joined(good, once), "link 2 of 2" },
                { "before a link", joined(once, good), "link 1 of 2" },
        };
        struct fault f = { 0 };
        struct token t = { 0 };

        rules.own = ours;
        rules.n_own = 1;
        token_accepted(once, &rules);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                token_refused(rows[i].what, rows[i].token, &rules, rows[i].sentence);
                free(rows[i].token);
        }
        assert_true(token_read(once, strlen(once), &rules, &t, &f) < 0);
        assert_string_equal(f.text, "encrypted");
}

/* --- what an issuer may, whom it is for, when */

static void limits(void **state)
{
        static const struct {
                const char *users, *locators, *rights; /* words; NULL: no limit */
                const char *claims, *sentence;         /* NULL: accepted */
        } rows[] = {
                { "alice bob-*", NULL, NULL, "{'d':5,'r':'1','u':'alice'}", NULL },
                { "alice bob-*", NULL, NULL, "{'d':5,'r':'1','u':'bob-2'}", NULL },
                { "alice bob-*", NULL, NULL, "{'d':5,'r':'1','u':'bob'}", "u: not a user" },
                { "alice bob-*", NULL, NULL, "{'d':5,'r':'1'}", "u: not a user" },
                { NULL, "web-*", NULL, "{'d':5,'r':'web-1'}", NULL },
                { NULL, "web-*", NULL, "{'d':5,'r':['web-1','web-a*']}", NULL },
                { NULL, "web-*", NULL, "{'d':5,'r':['web-1','db']}", "r: reaches further" },
                { NULL, "web-*", NULL, "{'d':5,'r':'web*'}", "r: reaches further" },
                { NULL, "web-*", NULL, "{'d':5,'a':'gear.read'}", "r: reaches further" },
                { NULL, NULL, "gear.*", "{'d':5,'r':'1','a':['gear.read','gear.env']}", NULL },
                { NULL, NULL, "gear.*", "{'d':5,'r':'1','a':'gear.*'}", NULL },
                { NULL, NULL, "gear.*", "{'d':5,'r':'1','a':'gear.host'}", "a: grants more" },
                { NULL, NULL, "gear.*", "{'d':5,'r':'1','a':'log.read'}", "a: grants more" },
                { NULL, NULL, "gear.*", "{'d':5,'r':'1'}", "a: grants more" },
                { NULL, NULL, "gear.* log.* repo.*", "{'d':5,'r':'1'}", NULL },
        };
        struct world *w = *state;
        struct key_limits *l = &w->issuer->limits;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *link = first_link(w->issuer, rows[i].claims, NULL);
                _cleanup_free_ char *chain = first_link(w->issuer, rows[i].claims, w->holders[0]);

                append_link(&chain, further_link(chain, w->holders[0], "{}", NULL));
                token_accepted(link, &w->rules);
                assert_int_equal(shell_split(rows[i].users ? rows[i].users : "", &l->users), 0);
                assert_int_equal(shell_split(rows[i].locators ? rows[i].locators : "", &l->locators), 0);
                assert_int_equal(shell_split(rows[i].rights ? rows[i].rights : "", &l->rights), 0);
                if (rows[i].sentence) {
                        token_refused(rows[i].claims, link, &w->rules, rows[i].sentence);
                        token_refused(rows[i].claims, chain, &w->rules, rows[i].sentence);
                } else {
                        token_accepted(link, &w->rules);
                        token_accepted(chain, &w->rules);
                }
                key_limits_reset(l);
        }
}

/* A first link that says more than its key may is not saved by a second one that says less. */
static void limits_hold_for_the_first(void **state)
{
        struct world *w = *state;
        _cleanup_free_ char *chain = first_link(w->issuer, "{'d':5,'r':'*'}", w->holders[0]);

        append_link(&chain, further_link(chain, w->holders[0], "{'r':'web-1'}", NULL));
        token_accepted(chain, &w->rules);
        assert_int_equal(strv_add(&w->issuer->limits.locators, "web-*"), 0);
        token_refused("narrowed behind its back", chain, &w->rules, "link 1 of 2: r: reaches further");
        key_limits_reset(&w->issuer->limits);
}

static void audiences(void **state)
{
        static const struct {
                const char *claims, *name;
                bool accepted;
        } rows[] = {
                { "{'d':5,'r':'1'}", "node-1", true },
                { "{'d':5,'r':'1'}", NULL, true },
                { "{'d':5,'r':'1','aud':'node-1'}", "node-1", true },
                { "{'d':5,'r':'1','aud':['x','node-1']}", "node-1", true },
                { "{'d':5,'r':'1','aud':'node-2'}", "node-1", false },
                { "{'d':5,'r':'1','aud':'NODE-1'}", "node-1", false },
                { "{'d':5,'r':'1','aud':'node-1'}", NULL, false },
                { "{'d':5,'r':'1','aud':'node-1'}", "", false },
        };
        struct world *w = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *link = first_link(w->issuer, rows[i].claims, NULL);
                struct token_rules rules = w->rules;

                rules.audience = rows[i].name;
                if (rows[i].accepted)
                        token_accepted(link, &rules);
                else
                        token_refused(rows[i].claims, link, &rules, "aud: made for another node");
        }
}

static void times(void **state _unused_)
{
        static const struct {
                uint64_t now, expires, issued, not_before, life, own_life;
                const char *sentence; /* NULL: fine */
        } rows[] = {
                { NOW, NOW + 1, 0, 0, 100, 0, NULL },
                { NOW, NOW, 0, 0, 100, 0, NULL },
                { NOW, NOW - 1, 0, 0, 100, 0, NULL },
                { NOW, NOW - 29, 0, 0, 100, 0, NULL },
                { NOW, NOW - 30, 0, 0, 100, 0, "d: expired 30 s ago" },
                { NOW, 1, 0, 0, 100, 0, "d: expired" },
                { NOW, NOW + 100, 0, 0, 100, 0, NULL },
                { NOW, NOW + 130, 0, 0, 100, 0, NULL },
                { NOW, NOW + 131, 0, 0, 100, 0, "d: further ahead than the 100 s" },
                { NOW, CLAIM_TIME_MAX, 0, 0, 100, 0, "d: further ahead" },
                { NOW, NOW + 100, 0, 0, 100, 10, "d: further ahead than the 10 s" },
                { NOW, NOW + 40, 0, 0, 100, 10, NULL },
                { NOW, NOW + 131, 0, 0, 100, 1000, "d: further ahead than the 100 s" },
                { NOW, NOW + 10, NOW + 131, 0, 100, 0, "d: further ahead" },
                { NOW, NOW + 10, NOW + 130, 0, 100, 0, NULL },
                { NOW, NOW + 90, 0, NOW, 100, 0, NULL },
                { NOW, NOW + 90, 0, NOW + 30, 100, 0, NULL },
                { NOW, NOW + 90, 0, NOW + 31, 100, 0, "nbf: 31 s too early" },
                { NOW, NOW + 90, 0, CLAIM_TIME_MAX, 100, 0, "nbf:" },
                { NOW - 3600, NOW + 10, 0, 0, 100, 0, "d: further ahead" },
                { NOW + 3600, NOW + 10, 0, 0, 100, 0, "d: expired" },
                { 0, 1, 0, 0, 100, 0, "the clock of this host is wrong" },
                { TOKEN_CLOCK_MIN_SEC - 1, TOKEN_CLOCK_MIN_SEC + 9, 0, 0, 100, 0,
                  "the clock of this host is wrong" },
                { TOKEN_CLOCK_MIN_SEC, TOKEN_CLOCK_MIN_SEC + 9, 0, 0, 100, 0, NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct key issuer = { .limits.max_life_sec = rows[i].own_life };
                const struct token_rules rules = { .max_life_sec = rows[i].life };
                const struct token t = {
                        .claims.expires_sec = rows[i].expires,
                        .claims.not_before_sec = rows[i].not_before,
                        .issued_until_sec = rows[i].issued ? rows[i].issued : rows[i].expires,
                        .issuer = &issuer,
                };
                struct fault f = { 0 };

                if ((token_check_time(&t, &rules, rows[i].now, &f) == 0) != !rows[i].sentence)
                        fail_msg("row %zu: %s", i, f.text);
                if (rows[i].sentence && !strstr(f.text, rows[i].sentence))
                        fail_msg("row %zu: %s", i, f.text);
        }
}

/* --- the writing side */

static void minted_and_narrowed(void **state)
{
        struct world *w = *state;
        _cleanup_(claims_reset) struct claims claims = { 0 }, less = { 0 }, least = { 0 };
        _cleanup_text_ struct text one = { 0 }, two = { 0 }, three = { 0 };
        _cleanup_(token_reset) struct token t = { 0 }, seen = { 0 };
        struct fault f = { 0 };

        read_claims("{'d':900,'u':'alice','r':'web-*','a':'gear.*'}", &claims);
        claims.next = public_of(w->holders[0]);
        assert_int_equal(token_mint(&claims, w->issuer, &one, &f), 0);
        token_refused("made for narrowing", one.data, &w->rules, "cnf: the last link");

        read_claims("{'a':'gear.read'}", &less);
        less.next = public_of(w->holders[1]);
        assert_int_equal(token_narrow(one.data, one.len, w->holders[0], &less, &two, &f), 0);
        assert_int_equal(token_read(two.data, two.len, NULL, &seen, &f), 0);
        assert_null(seen.issuer);
        assert_string_equal(seen.claims.next->name, w->holders[1]->name);

        read_claims("{'r':'web-1'}", &least);
        assert_int_equal(token_narrow(two.data, two.len, w->holders[1], &least, &three, &f), 0);
        token_verified(three.data, &w->rules, &t);
        assert_int_equal(t.n_links, 3);
        assert_string_equal(t.claims.rights[0], "gear.read");
        assert_string_equal(t.claims.locators[0], "web-1");
        assert_string_equal(t.claims.user, "alice");
}

static void not_minted(void **state)
{
        static const struct {
                const char *claims, *sentence;
        } rows[] = {
                { "{'r':'1'}", "d: missing" },
                { "{'d':5}", "r: missing" },
                { "{'d':5,'r':'1','prev':'" DIGEST "'}", "prev:" },
                { "{'d':5,'r':'db'}", "r: reaches further" },
        };
        struct world *w = *state;
        _cleanup_(key_freep) struct key *public = public_of(w->issuer);
        _cleanup_text_ struct text t = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(claims_reset) struct claims c = { 0 };
                struct fault f = { 0 };

                if (i + 1 == ARRAY_SIZE(rows))
                        assert_int_equal(strv_add(&w->issuer->limits.locators, "web-*"), 0);
                read_claims(rows[i].claims, &c);
                if (token_mint(&c, w->issuer, &t, &f) >= 0 || !strstr(f.text, rows[i].sentence))
                        fail_msg("%s: %s", rows[i].claims, f.text);
                assert_int_equal(t.len, 0);
        }
        key_limits_reset(&w->issuer->limits);
        {
                _cleanup_(claims_reset) struct claims c = { 0 };
                struct fault f = { 0 };

                read_claims("{'d':5,'r':'1'}", &c);
                assert_true(token_mint(&c, public, &t, &f) < 0);
                assert_non_null(strstr(f.text, "private half"));
                c.user = strdup("a\nb"); /* which no reader would take */
                assert_true(token_mint(&c, w->issuer, &t, &f) < 0);
                assert_non_null(strstr(f.text, "u:"));
        }
}

static void not_narrowed(void **state)
{
        struct world *w = *state;
        _cleanup_free_ char *closed = first_link(w->issuer, "{'d':900,'r':'1'}", NULL);
        _cleanup_free_ char *open = first_link(w->issuer, "{'d':900,'r':'1'}", w->holders[0]);
        _cleanup_(key_freep) struct key *public = public_of(w->holders[0]);
        _cleanup_text_ struct text t = { 0 };
        const struct {
                const char *token;
                const struct key *holder;
                const char *claims, *sentence;
        } rows[] = {
                { closed, w->holders[0], "{}", "not made for narrowing" },
                { open, w->holders[1], "{}", "by another key" },
                { open, w->issuer, "{}", "by another key" },
                { open, public, "{}", "private half" },
                { open, w->holders[0], "{'d':901}", "link 2 of 2: d: later" },
                { open, w->holders[0], "{'r':'2'}", "link 2 of 2: r: reaches" },
                { "a.b.c", w->holders[0], "{}", "" },
                { "", w->holders[0], "{}", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(claims_reset) struct claims c = { 0 };
                struct fault f = { 0 };

                read_claims(rows[i].claims, &c);
                if (token_narrow(rows[i].token, strlen(rows[i].token), rows[i].holder, &c, &t, &f) >= 0 ||
                    !strstr(f.text, rows[i].sentence))
                        fail_msg("row %zu: %s", i, f.text);
                assert_int_equal(t.len, 0);
                leaks_nothing(rows[i].token, &f);
        }
}

static void not_longer_than_the_longest(void **state)
{
        struct world *w = *state;
        _cleanup_free_ char *chain = first_link(w->issuer, "{'d':900,'r':'1'}", w->holders[0]);

        for (size_t i = 1;; i++) {
                _cleanup_(claims_reset) struct claims c = { 0 };
                _cleanup_text_ struct text longer = { 0 };
                struct fault f = { 0 };

                c.next = public_of(w->holders[i % N_HOLDERS]);
                if (i == TOKEN_LINKS_MAX) {
                        assert_true(token_narrow(chain, strlen(chain), w->holders[i - 1], &c, &longer, &f) <
                                    0);
                        assert_non_null(strstr(f.text, "more than 5 links"));
                        return;
                }
                assert_int_equal(token_narrow(chain, strlen(chain), w->holders[i - 1], &c, &longer, &f), 0);
                free(chain);
                chain = text_take(&longer);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(single),
                cmocka_unit_test(malformed),
                cmocka_unit_test(claims_of_the_first),
                cmocka_unit_test(who_signed),
                cmocka_unit_test(shared_kid),
                cmocka_unit_test(encrypted_to_us),
                cmocka_unit_test(encrypted_wrongly),
                cmocka_unit_test(limits),
                cmocka_unit_test(limits_hold_for_the_first),
                cmocka_unit_test(audiences),
                cmocka_unit_test(times),
                cmocka_unit_test(minted_and_narrowed),
                cmocka_unit_test(not_minted),
                cmocka_unit_test(not_narrowed),
                cmocka_unit_test(not_longer_than_the_longest),
        };

        return cmocka_run_group_tests_name("token", tests, set_up_world, tear_down_world);
}
