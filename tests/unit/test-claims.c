/* SPDX-License-Identifier: Apache-2.0 */

/* Claims: what is read, what is refused and by which name, and what a later link may say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/claims.h"
#include "core/peer.h"
#include "new-key.h"

#define ZEROS31 "0000000000000000000000000000000"
#define DIGEST "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define OTHER_DIGEST "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"
#define PUBLIC_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" /* RFC 8037, A.2 */
#define JWK "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" PUBLIC_X "\"}"

#define STRING32 "abcdefghijklmnopqrstuvwxyz012345"
#define STRING128 STRING32 STRING32 STRING32 STRING32
#define STRING512 STRING128 STRING128 STRING128 STRING128

/* A row is written with ' for ". */
static char *quoted(const char *s)
{
        char *copy = strdup(s);

        assert_non_null(copy);
        for (char *c = copy; *c; c++)
                if (*c == '\'')
                        *c = '"';
        return copy;
}

static void read_claims(const char *s, struct claims *ret)
{
        _cleanup_free_ char *json = quoted(s);
        struct fault f = { 0 };

        if (claims_read(json, strlen(json), ret, &f) < 0)
                fail_msg("%s: %s", s, f.text);
}

static void written_as(const struct claims *c, const char *expected)
{
        _cleanup_free_ char *json = quoted(expected);
        _cleanup_text_ struct text t = { 0 };
        struct fault f = { 0 };

        assert_int_equal(claims_write(c, &t, &f), 0);
        assert_string_equal(t.data, json);
}

static void accepted(void **state _unused_)
{
        static const struct {
                const char *in, *out; /* NULL: the same */
        } rows[] = {
                { "{}", NULL },
                { "{'d':1}", NULL },
                { "{'d':9007199254740991}", NULL },
                { "{'exp':5}", "{'d':5}" },
                { "{'d':5,'exp':5}", "{'d':5}" },
                { "{'exp':5,'nbf':4}", "{'d':5,'nbf':4}" },
                { "{'u':'alice'}", NULL },
                { "{'sub':'alice','u':'alice'}", "{'u':'alice'}" },
                { "{'u':'B\xC3\xA4rbel M\xC3\xBCller'}", NULL },
                { "{'u':'" STRING128 "','t':'" STRING512 "'}", NULL },
                { "{'t':'busybox:1.36'}", NULL },
                { "{'r':'1'}", NULL },
                { "{'r':['1']}", "{'r':'1'}" },
                { "{'r':['1','web-*','*']}", NULL },
                { "{'i':'1'}", "{'i':'" ZEROS31 "1'}" },
                { "{'i':'ABC'}", "{'i':'00000000000000000000000000000abc'}" },
                { "{'jti':'1','i':'01'}", "{'i':'" ZEROS31 "1'}" },
                { "{'jti':'123E4567-e89b-12d3-a456-426614174000'}",
                  "{'i':'123e4567e89b12d3a456426614174000'}" },
                { "{'a':'gear.read'}", NULL },
                { "{'a':['gear.*','gear.host','log.read','service.*']}", NULL },
                { "{'b':'" DIGEST "'}", NULL },
                { "{'aud':'node-1'}", NULL },
                { "{'aud':['node-1','https://two.example/']}", NULL },
                { "{'iss':'https://issuer.example'}", NULL },
                { "{'p':'10.0.0.0/8'}", NULL },
                { "{'p':'uid:1000'}", NULL },
                { "{'p':'dns:host.example'}", NULL },
                { "{'p':'uri:spiffe://example/host'}", NULL },
                { "{'p':'email:alice@example.org'}", NULL },
                { "{'prev':'" DIGEST "'}", NULL },
                /* names that are not ours, among them ours in another case */
                { "{'iat':1.5e3,'D':'x','R':0,'scope':{'r':'2'},'r':'1'}", "{'r':'1'}" },
                { " { 'r' : '\\u0031' } \n", "{'r':'1'}" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(claims_reset) struct claims c = { 0 };

                read_claims(rows[i].in, &c);
                written_as(&c, rows[i].out ? rows[i].out : rows[i].in);
        }
}

static void next_signer(void **state _unused_)
{
        _cleanup_(claims_reset) struct claims c = { 0 }, again = { 0 };
        _cleanup_text_ struct text t = { 0 };
        struct fault f = { 0 };

        read_claims("{'cnf':{'jwk':" JWK "}}", &c);
        assert_non_null(c.next);
        assert_int_equal(c.next->algorithm, KEY_EDDSA);
        assert_int_equal(claims_write(&c, &t, &f), 0);
        assert_non_null(strstr(t.data, PUBLIC_X));
        assert_int_equal(claims_read(t.data, t.len, &again, &f), 0);
        assert_string_equal(again.next->name, c.next->name);
}

static void next_signer_of_another_kind(void **state _unused_)
{
        _cleanup_(key_freep) struct key *rsa = new_key(KEY_RS256);
        struct claims c = { 0 }, next = { 0 };
        _cleanup_text_ struct text t = { 0 };
        struct fault f = { 0 };

        next.next = rsa;
        assert_int_equal(claims_write(&next, &t, &f), 0);
        assert_int_equal(claims_read(t.data, t.len, &c, &f), -EINVAL);
        assert_string_equal(f.text, "cnf: must be a key for EdDSA or ES256");
}

static const struct {
        const char *json, *claim; /* which of them the fault names */
} refused_rows[] = {
        { "", "claims" },
        { "null", "claims" },
        { "[]", "claims" },
        { "'d'", "claims" },
        { "{'d':1", "claims" },
        { "{'d':1}x", "claims" },
        { "{'d':1,'d':1}", "claims" },
        { "{'r':'1','\\u0072':'2'}", "claims" },
        { "{'r':'\\u0000'}", "claims" },
        { "{'u':'\xff'}", "claims" },
        { "{'u':'\\ud800'}", "claims" },
        { "{'d':NaN}", "claims" },
        { "{'d':18446744073709551616}", "claims" },
        { "{'d':9223372036854775808}", "d" },
        { "{'d':9007199254740992}", "d" },
        { "{'d':0}", "d" },
        { "{'d':-0}", "d" },
        { "{'d':-1}", "d" },
        { "{'d':1.0}", "d" },
        { "{'d':1.5}", "d" },
        { "{'d':1e3}", "d" },
        { "{'d':1e400}", "d" },
        { "{'d':'123'}", "d" },
        { "{'d':null}", "d" },
        { "{'d':true}", "d" },
        { "{'d':[1]}", "d" },
        { "{'exp':'123'}", "exp" },
        { "{'d':5,'exp':6}", "exp" },
        { "{'exp':5,'d':6}", "d" },
        { "{'nbf':'1'}", "nbf" },
        { "{'nbf':1.5}", "nbf" },
        { "{'nbf':0}", "nbf" },
        { "{'nbf':-1}", "nbf" },
        { "{'u':''}", "u" },
        { "{'u':5}", "u" },
        { "{'u':null}", "u" },
        { "{'u':['a']}", "u" },
        { "{'u':'a\\nb'}", "u" },
        { "{'u':'a\\u007f'}", "u" },
        { "{'u':'a\\u009bb'}", "u" },
        { "{'u':'" STRING128 "x'}", "u" },
        { "{'u':'a','sub':'b'}", "sub" },
        { "{'sub':'a','u':'b'}", "u" },
        { "{'t':''}", "t" },
        { "{'t':7}", "t" },
        { "{'t':'a\\u0001'}", "t" },
        { "{'t':'" STRING512 "x'}", "t" },
        { "{'r':''}", "r" },
        { "{'r':1}", "r" },
        { "{'r':{}}", "r" },
        { "{'r':[]}", "r" },
        { "{'r':['1',2]}", "r[1]" },
        { "{'r':[['1']]}", "r[0]" },
        { "{'r':'-1'}", "r" },
        { "{'r':'../1'}", "r" },
        { "{'r':'a b'}", "r" },
        { "{'r':'a*b'}", "r" },
        { "{'r':'**'}", "r" },
        { "{'r':'.*'}", "r" },
        { "{'r':'-*'}", "r" },
        { "{'r':'" STRING32 STRING32 "'}", "r" },
        { "{'r':'" STRING32 STRING32 "*'}", "r" },
        { "{'i':''}", "i" },
        { "{'i':1}", "i" },
        { "{'i':'g'}", "i" },
        { "{'i':'0x1'}", "i" },
        { "{'i':'+1'}", "i" },
        { "{'i':' 1'}", "i" },
        { "{'i':'" ZEROS31 "00'}", "i" },
        { "{'i':'123e4567-e89b-12d3-a456-426614174000'}", "i" },
        { "{'jti':'invoice-7'}", "jti" },
        { "{'jti':'123e4567-e89b-12d3-a456-42661417400'}", "jti" },
        { "{'jti':'123e4567e-89b-12d3-a456-426614174000'}", "jti" },
        { "{'jti':'123e45670e89b012d30a4560426614174000'}", "jti" },
        { "{'jti':'123e4567-e89b-12d3-a456-4266141740000'}", "jti" },
        { "{'i':'1','jti':'2'}", "jti" },
        { "{'jti':'1','i':'2'}", "i" },
        { "{'a':[]}", "a" },
        { "{'a':''}", "a" },
        { "{'a':'*'}", "a" },
        { "{'a':'gear'}", "a" },
        { "{'a':['gear.read','gear.fly']}", "a[1]" },
        { "{'a':'Gear.read'}", "a" },
        { "{'a':'gear.read gear.env'}", "a" },
        { "{'a':'service.scale'}", "a" },
        { "{'a':null}", "a" },
        { "{'b':''}", "b" },
        { "{'b':7}", "b" },
        { "{'b':'" DIGEST "='}", "b" },
        { "{'b':'47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuF'}", "b" },
        { "{'b':'47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV'}", "b" },
        { "{'b':'47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'}", "b" },
        { "{'aud':[]}", "aud" },
        { "{'aud':''}", "aud" },
        { "{'aud':['a',1]}", "aud[1]" },
        { "{'aud':'a\\n'}", "aud" },
        { "{'iss':''}", "iss" },
        { "{'iss':[]}", "iss" },
        { "{'p':'localhost'}", "p" },
        { "{'p':'10.0.0.1/8'}", "p" },
        { "{'p':['10.0.0.1']}", "p" },
        { "{'p':'uid:x'}", "p" },
        { "{'p':'sha256:00'}", "p" },
        { "{'p':'dns:*.example'}", "p" },
        { "{'p':'uri:x'}", "p" },
        { "{'p':'email:alice'}", "p" },
        { "{'prev':'x'}", "prev" },
        { "{'prev':null}", "prev" },
        { "{'cnf':'x'}", "cnf" },
        { "{'cnf':{}}", "cnf" },
        { "{'cnf':null}", "cnf" },
        { "{'cnf':{'jwk':null}}", "cnf" },
        { "{'cnf':{'jwk':{}}}", "cnf" },
        { "{'cnf':{'JWK':" JWK "}}", "cnf" },
        { "{'cnf':{'kid':'x'}}", "cnf" },
        { "{'cnf':{'jwk':" JWK ",'kid':'x'}}", "cnf" },
        { "{'cnf':{'jwk':{'kty':'oct','k':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}}}", "cnf" },
        /* RFC 8037, A.1: with the private half */
        { "{'cnf':{'jwk':{'kty':'OKP','crv':'Ed25519','d':'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',"
          "'x':'" PUBLIC_X "'}}}",
          "cnf" },
        /* limits as of an issuer, which nobody would enforce */
        { "{'cnf':{'jwk':{'kty':'OKP','crv':'Ed25519','x':'" PUBLIC_X
          "','geard':{'rights':['gear.read']}}}}",
          "cnf" },
        /* for agreement, not for signatures */
        { "{'cnf':{'jwk':{'kty':'OKP','crv':'X25519','x':'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo'}}}",
          "cnf" },
};

static void refused(void **state _unused_)
{
        for (size_t i = 0; i < ARRAY_SIZE(refused_rows); i++) {
                _cleanup_free_ char *json = quoted(refused_rows[i].json);
                struct claims c = { .expires_sec = 77 };
                struct fault f = { 0 };

                if (claims_read(json, strlen(json), &c, &f) != -EINVAL || f.kind != FAULT_INVALID ||
                    !streq(f.field, refused_rows[i].claim))
                        fail_msg("%s: %d \"%s\" %s", refused_rows[i].json, f.kind, f.field, f.text);
                if (!starts_with(f.text, refused_rows[i].claim))
                        fail_msg("%s: %s", refused_rows[i].json, f.text);
                assert_int_equal(c.expires_sec, 77);
        }
}

/* One more than the limit of every list, and of the names. */
static void counted(void **state _unused_)
{
        static const struct {
                const char *claim, *value;
                size_t max;
        } lists[] = {
                { "r", "1", CLAIM_LOCATORS_MAX },
                { "a", "gear.read", CLAIM_RIGHTS_MAX },
                { "aud", "x", CLAIM_AUDIENCE_MAX },
        };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                for (size_t over = 0; over <= 1; over++) {
                        _cleanup_(claims_reset) struct claims c = { 0 };
                        _cleanup_text_ struct text t = { 0 };
                        struct fault f = { 0 };

                        text_addf(&t, "{\"%s\":[", lists[i].claim);
                        for (size_t n = 0; n < lists[i].max + over; n++)
                                text_addf(&t, "%s\"%s\"", n ? "," : "", lists[i].value);
                        text_add(&t, "]}");
                        assert_int_equal(claims_read(t.data, t.len, &c, &f), over ? -EINVAL : 0);
                }
        for (size_t over = 0; over <= 1; over++) {
                _cleanup_(claims_reset) struct claims c = { 0 };
                _cleanup_text_ struct text t = { 0 };
                struct fault f = { 0 };

                text_addc(&t, '{');
                for (size_t n = 0; n < CLAIM_NAMES_MAX + over; n++)
                        text_addf(&t, "%s\"x%zu\":0", n ? "," : "", n);
                text_addc(&t, '}');
                assert_int_equal(claims_read(t.data, t.len, &c, &f), over ? -EINVAL : 0);
        }
}

#define PARENT                                                                                              \
        "{'d':1000,'nbf':100,'u':'alice','t':'busybox','r':['web-*','db'],'i':'7','a':['gear.*','log.read'" \
        "],"                                                                                                \
        "'b':'" DIGEST "','aud':['n1','n2'],'iss':'me','p':'10.0.0.0/8'}"
#define ID7 ZEROS31 "7"

static void narrowed(void **state _unused_)
{
        static const struct {
                const char *parent, *link, *out;
        } rows[] = {
                { PARENT, "{}",
                  "{'d':1000,'nbf':100,'u':'alice','t':'busybox','r':['web-*','db'],'i':'" ID7
                  "','a':['gear.*','log.read'],'b':'" DIGEST
                  "','aud':['n1','n2'],'iss':'me','p':'10.0.0.0/8'}" },
                { PARENT, PARENT,
                  "{'d':1000,'nbf':100,'u':'alice','t':'busybox','r':['web-*','db'],'i':'" ID7
                  "','a':['gear.*','log.read'],'b':'" DIGEST
                  "','aud':['n1','n2'],'iss':'me','p':'10.0.0.0/8'}" },
                { PARENT, "{'d':999,'nbf':101,'r':'web-1','a':'gear.read','aud':'n2','p':'10.1.0.0/16'}",
                  "{'d':999,'nbf':101,'u':'alice','t':'busybox','r':'web-1','i':'" ID7
                  "','a':'gear.read','b':'" DIGEST "','aud':'n2','iss':'me','p':'10.1.0.0/16'}" },
                /* what only restricts may be added */
                { "{'d':5}",
                  "{'nbf':1,'t':'x','r':'1','i':'7','b':'" DIGEST
                  "','aud':'n','p':'uid:0','a':'gear.state'}",
                  "{'d':5,'nbf':1,'t':'x','r':'1','i':'" ID7 "','a':'gear.state','b':'" DIGEST
                  "','aud':'n','p':'uid:0'}" },
                { "{'d':5,'r':'web-*'}", "{'r':['web-a*','web-b']}", "{'d':5,'r':['web-a*','web-b']}" },
                { "{'d':5,'a':'gear.host'}", "{'a':'gear.host'}", "{'d':5,'a':'gear.host'}" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(claims_reset) struct claims parent = { 0 }, link = { 0 };
                struct fault f = { 0 };

                read_claims(rows[i].parent, &parent);
                read_claims(rows[i].link, &link);
                if (claims_narrow(&parent, &link, &f) < 0)
                        fail_msg("%s: %s", rows[i].link, f.text);
                written_as(&link, rows[i].out);
        }
}

static void wider(void **state _unused_)
{
        static const struct {
                const char *parent, *link, *claim;
        } rows[] = {
                { PARENT, "{'d':1001}", "d" },
                { PARENT, "{'nbf':99}", "nbf" },
                { PARENT, "{'u':'bob'}", "u" },
                { "{'d':5}", "{'u':'bob'}", "u" },
                { PARENT, "{'iss':'you'}", "iss" },
                { "{'d':5}", "{'iss':'you'}", "iss" },
                { PARENT, "{'t':'alpine'}", "t" },
                { PARENT, "{'r':'*'}", "r" },
                { PARENT, "{'r':'web*'}", "r" },
                { PARENT, "{'r':'db*'}", "r" },
                { PARENT, "{'r':['web-1','mail']}", "r" },
                { PARENT, "{'i':'8'}", "i" },
                { PARENT, "{'a':'ops.read'}", "a" },
                { PARENT, "{'a':'log.*'}", "a" },
                { PARENT, "{'a':'gear.host'}", "a" },
                { PARENT, "{'a':['gear.read','repo.read']}", "a" },
                { "{'d':5}", "{'a':'gear.delete'}", "a" },
                { "{'d':5}", "{'a':'gear.*'}", "a" },
                { "{'d':5,'a':['gear.read','gear.create','gear.state','gear.delete','gear.env']}",
                  "{'a':'gear.*'}", "a" },
                { PARENT, "{'b':'" OTHER_DIGEST "'}", "b" },
                { PARENT, "{'aud':'n3'}", "aud" },
                { PARENT, "{'aud':['n1','n2','n3']}", "aud" },
                { PARENT, "{'p':'10.0.0.0/7'}", "p" },
                { PARENT, "{'p':'11.0.0.1'}", "p" },
                { PARENT, "{'p':'uid:0'}", "p" },
                { PARENT, "{'p':'::/0'}", "p" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(claims_reset) struct claims parent = { 0 }, link = { 0 };
                struct fault f = { 0 };

                read_claims(rows[i].parent, &parent);
                read_claims(rows[i].link, &link);
                if (claims_narrow(&parent, &link, &f) != -EINVAL || f.kind != FAULT_INVALID ||
                    !streq(f.field, rows[i].claim))
                        fail_msg("%s: \"%s\" %s", rows[i].link, f.field, f.text);
        }
}

/* --- no chain of links ever grants what one of them does not ------------------ */

static const char *const names[] = { "a", "aa", "ab", "b", "ba", "c" };
static const char *const locators[] = { "*", "a*", "aa*", "a", "aa", "ab", "b*", "ba", "c" };
static const char *const rights[] = { "gear.*",    "gear.read",  "gear.create", "gear.state",
                                      "gear.host", "log.read",   "log.*",       "repo.*",
                                      "repo.read", "repo.write", "service.*" };
static const char *const wanted[] = { "gear.read", "gear.create", "gear.state", "gear.delete",  "gear.host",
                                      "log.read",  "repo.read",   "repo.write", "service.scale" };
static const char *const networks[] = { "::/0",         "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9",
                                        "10.128.0.0/9", "10.0.0.1",  "uid:0" };
static const char *const peers[] = { "10.0.0.1", "10.200.0.1", "11.0.0.1", "::1", "uid:0", "uid:1" };
static const char *const users[] = { "alice", "bob" };

/* A reproducible stream, so that a failure can be looked at again. */
static unsigned roll(uint64_t *seed, size_t sides)
{
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return (unsigned) ((*seed >> 33) % sides);
}

static void random_list(uint64_t *seed, const char *const *from, size_t n, char ***ret)
{
        for (size_t left = 1 + roll(seed, 3); left > 0; left--)
                assert_int_equal(strv_add(ret, from[roll(seed, n)]), 0);
}

/* Later links say less, so that some chains grow long. */
static void random_claims(uint64_t *seed, bool first, struct claims *c)
{
        const unsigned rare = first ? 2 : 5;

        if (first || roll(seed, rare) == 0)
                c->expires_sec = 100 + roll(seed, 4);
        if (roll(seed, rare) == 0)
                c->not_before_sec = 1 + roll(seed, 4);
        if (roll(seed, rare) == 0)
                random_list(seed, locators, ARRAY_SIZE(locators), &c->locators);
        if (roll(seed, rare) == 0)
                random_list(seed, rights, ARRAY_SIZE(rights), &c->rights);
        if (roll(seed, rare) == 0)
                c->user = strdup(users[roll(seed, 2)]);
        if (roll(seed, rare) == 0)
                c->type = strdup(users[roll(seed, 2)]);
        if (roll(seed, rare) == 0)
                c->peer = strdup(networks[roll(seed, ARRAY_SIZE(networks))]);
        if (roll(seed, rare) == 0)
                random_list(seed, users, ARRAY_SIZE(users), &c->audience);
        if (roll(seed, rare) == 0)
                memcpy(c->body, roll(seed, 2) ? DIGEST : OTHER_DIGEST, sizeof c->body);
        if (roll(seed, rare) == 0)
                assert_int_equal(request_id_canonical(roll(seed, 2) ? "1" : "2", c->id), 0);
}

static bool listed(char *const *list, const char *s)
{
        for (; list && *list; list++)
                if (streq(*list, s))
                        return true;
        return false;
}

/* What `c', as it stands by itself, does not allow; absent claims allow all, but of rights in the first
 * link. */
static bool allows(const struct claims *c, bool first, const char *name, const char *right, const char *peer,
                   const char *who, uint64_t now)
{
        if ((c->expires_sec && now >= c->expires_sec) || now < c->not_before_sec)
                return false;
        if (c->locators && !pattern_covers(c->locators, name))
                return false;
        if (c->rights ? !rights_grant(c->rights, right) : first && !rights_grant(rights_of_seed(), right))
                return false;
        if (c->peer && !peer_covers(c->peer, peer))
                return false;
        if (c->type && !streq(c->type, who))
                return false;
        return !c->audience || listed(c->audience, who);
}

static void grants_no_more(const struct claims *whole, const struct claims *link, bool first)
{
        for (size_t i = 0; i < ARRAY_SIZE(names) * ARRAY_SIZE(wanted) * ARRAY_SIZE(peers) * 2; i++) {
                const char *name = names[i % ARRAY_SIZE(names)];
                const char *right = wanted[i / ARRAY_SIZE(names) % ARRAY_SIZE(wanted)];
                const char *peer = peers[i / ARRAY_SIZE(names) / ARRAY_SIZE(wanted) % ARRAY_SIZE(peers)];
                const char *who = users[i % 2];
                uint64_t now = i % 7 < 4 ? 1 + i % 7 : 99 + i % 5;

                if (allows(whole, true, name, right, peer, who, now) &&
                    !allows(link, first, name, right, peer, who, now))
                        fail_msg("%s on %s for %s from %s at %u", right, name, who, peer, (unsigned) now);
        }
        if (*link->id)
                assert_string_equal(whole->id, link->id);
        if (*link->body)
                assert_string_equal(whole->body, link->body);
        if (link->user)
                assert_string_equal(whole->user, link->user);
}

static void read_back(const struct claims *c, struct claims *ret)
{
        _cleanup_text_ struct text t = { 0 };
        struct fault f = { 0 };

        assert_int_equal(claims_write(c, &t, &f), 0);
        assert_int_equal(claims_read(t.data, t.len, ret, &f), 0);
}

/* How many links of a random chain were taken before one was wider. */
static size_t random_chain(uint64_t *seed)
{
        struct claims links[4] = { 0 }, whole = { 0 };
        size_t n = 0;

        for (; n < ARRAY_SIZE(links); n++) {
                _cleanup_(claims_reset) struct claims next = { 0 };
                struct fault f = { 0 };

                random_claims(seed, n == 0, &links[n]);
                read_back(&links[n], &next);
                if (n > 0 && claims_narrow(&whole, &next, &f) < 0)
                        break;
                claims_reset(&whole);
                whole = next;
                next = (struct claims){ 0 };
                for (size_t i = 0; i <= n; i++)
                        grants_no_more(&whole, &links[i], i == 0);
        }
        claims_reset(&whole);
        for (size_t i = 0; i < ARRAY_SIZE(links); i++)
                claims_reset(&links[i]);
        return n;
}

static void random_chains(void **state _unused_)
{
        size_t of_length[5] = { 0 };
        uint64_t seed = 1;

        for (size_t i = 0; i < 20000; i++)
                of_length[random_chain(&seed)]++;
        /* The property is worth nothing where everything is refused, or nothing. */
        for (size_t n = 1; n < ARRAY_SIZE(of_length); n++)
                assert_true(of_length[n] >= 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(accepted),
                cmocka_unit_test(next_signer),
                cmocka_unit_test(next_signer_of_another_kind),
                cmocka_unit_test(refused),
                cmocka_unit_test(counted),
                cmocka_unit_test(narrowed),
                cmocka_unit_test(wider),
                cmocka_unit_test(random_chains),
        };

        return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
