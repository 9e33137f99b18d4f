/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Signatures: the examples of the RFCs, every key against itself, and every way
 * in which a token may try to be taken for signed.
 */

#include "core/jws.h"

#include "jose-vectors.h"
#include "util/base64.h"
#include "util/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "jose-keys.h"

static struct key *key_of(const char *jwk)
{
        return read_key(jwk, "test", false);
}

/* 0, or -EBADMSG with the reason, from either step. */
static int verify(const char *token, const struct key *k, const char **ret_why)
{
        _cleanup_(jws_reset) struct jws j = { 0 };
        int r = jws_parse(token, strlen(token), &j, ret_why);

        return r < 0 ? r : jws_verify(&j, k, ret_why);
}

static void assert_refused(const char *token, const struct key *k, const char *wanted)
{
        const char *why = "it was accepted";

        if (verify(token, k, &why) != -EBADMSG || !strstr(why, wanted))
                fail_msg("%.60s: `%s' instead of `%s'", token, why, wanted);
}

static void test_rfc_examples(void **state _unused_)
{
        static const struct {
                const char *key, *token, *payload; /* NULL: not looked at */
        } rows[] = {
                { RFC7515_A1_KEY, RFC7515_A1, RFC7515_PLAIN },
                { RFC7515_A2_KEY, RFC7515_A2, RFC7515_PLAIN },
                { RFC7515_A3_KEY, RFC7515_A3, RFC7515_PLAIN },
                { RFC7520_4_4_KEY, RFC7520_4_4, NULL },
                { RFC8037_KEY, RFC8037_A4, "Example of Ed25519 signing" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(key_freep) struct key *k = key_of(rows[i].key);
                _cleanup_(jws_reset) struct jws j = { 0 };
                const char *why = "";

                assert_int_equal(jws_parse(rows[i].token, strlen(rows[i].token), &j, &why), 0);
                if (rows[i].payload)
                        assert_string_equal(j.payload, rows[i].payload);
                assert_int_equal(strlen(j.payload), j.payload_len);
                if (jws_verify(&j, k, &why) != 0)
                        fail_msg("example %zu: %s", i, why);
        }
}

/* RFC 7520, 4.1: a header that we refuse, over a signature that is good. */
static void test_rfc_example_with_a_foreign_kid(void **state _unused_)
{
        _cleanup_(key_freep) struct key *k = key_of(RFC7520_4_1_KEY);
        _cleanup_free_ unsigned char *signature = NULL;
        static char alg[] = "RS256";
        struct jws j = { .alg = alg, .signed_part = RFC7520_4_1 };
        const char *why = "";

        assert_refused(RFC7520_4_1, k, "names a key as no key is called");
        assert_int_equal(base64url_decode(RFC7520_4_1_SIGNATURE, strlen(RFC7520_4_1_SIGNATURE), &signature,
                                          &j.signature_len),
                         0);
        j.signature = signature;
        j.signed_len = strlen(RFC7520_4_1) - strlen("." RFC7520_4_1_SIGNATURE);
        assert_int_equal(jws_verify(&j, k, &why), 0);
}

static void test_deterministic_signatures(void **state _unused_)
{
        static const struct {
                const char *key, *payload, *token;
        } rows[] = {
                { RFC8037_KEY, "Example of Ed25519 signing", RFC8037_A4 },
                { RFC7515_A2_KEY, RFC7515_PLAIN, RFC7515_A2 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(key_freep) struct key *k = key_of(rows[i].key);
                _cleanup_text_ struct text t = { 0 };

                assert_int_equal(jws_sign(k, NULL, NULL, rows[i].payload, strlen(rows[i].payload), &t), 0);
                assert_string_equal(t.data, rows[i].token);
        }
}

static void test_every_algorithm_against_every_other(void **state _unused_)
{
        struct key *keys[_KEY_SIGNING];
        static const char payload[] = "{\"d\":1}";

        for (enum key_algorithm a = 0; a < _KEY_SIGNING; a++)
                keys[a] = new_key(a);
        for (enum key_algorithm a = 0; a < _KEY_SIGNING; a++) {
                _cleanup_text_ struct text t = { 0 };
                _cleanup_(key_freep) struct key *twin = new_key(a);
                _cleanup_(jws_reset) struct jws j = { 0 };
                const char *why = "";

                assert_int_equal(jws_sign(keys[a], "JWT", "me", payload, strlen(payload), &t), 0);
                assert_int_equal(jws_parse(t.data, t.len, &j, &why), 0);
                assert_string_equal(j.alg, key_algorithm_name(a));
                assert_string_equal(j.kid, "me");
                assert_string_equal(j.typ, "JWT");
                assert_string_equal(j.payload, payload);
                for (enum key_algorithm b = 0; b < _KEY_SIGNING; b++)
                        if (a == b)
                                assert_int_equal(verify(t.data, keys[b], &why), 0);
                        else
                                assert_refused(t.data, keys[b], "algorithm is not the key's");
                assert_refused(t.data, twin, "signature is not the key's");
        }
        for (enum key_algorithm a = 0; a < _KEY_SIGNING; a++)
                (void) key_free(keys[a]);
}

/* HEADER.PAYLOAD.SIGNATURE from a header in the clear; the signature is of no account. */
static void build(struct text *t, const char *header, size_t n)
{
        base64url_add(t, header, n);
        text_add(t, ".e30.AAAA");
        assert_true(text_ok(t));
}

static void test_refused_headers(void **state _unused_)
{
        static const struct {
                const char *header, *why;
        } rows[] = {
                { "{\"alg\":\"none\"}", "algorithm is not" },
                { "{\"alg\":\"None\"}", "algorithm is not" },
                { "{\"alg\":\"nOnE\"}", "algorithm is not" },
                { "{\"alg\":\"eddsa\"}", "algorithm is not" },
                { "{\"alg\":\"EdDSA \"}", "algorithm is not" },
                { "{\"alg\":\"\"}", "algorithm is not" },
                { "{\"alg\":\"Ed25519\"}", "algorithm is not" },
                { "{\"alg\":\"ECDH-ES\"}", "algorithm is not" },
                { "{}", "names no algorithm" },
                { "{\"Alg\":\"EdDSA\"}", "not allowed" },
                { "{\"ALG\":\"none\",\"alg\":\"EdDSA\"}", "not allowed" },
                { "{\"alg\":null}", "wrong type" },
                { "{\"alg\":1}", "wrong type" },
                { "{\"alg\":[\"EdDSA\"]}", "wrong type" },
                { "{\"alg\":\"EdDSA\",\"alg\":\"none\"}", "not strict JSON" },
                { "{\"alg\":\"EdDSA\",\"jwk\":{\"kty\":\"oct\",\"k\":\"\"}}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"jku\":\"https://example.com/keys\"}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"x5u\":\"https://example.com/cert\"}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"x5c\":[\"MIIB\"]}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"x5t\":\"AA\"}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"crit\":[\"exp\"],\"exp\":1}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"crit\":[]}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"b64\":false}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"zip\":\"DEF\"}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"cty\":\"JWT\"}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"enc\":\"A256GCM\"}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"\":1}", "not allowed" },
                { "{\"alg\":\"EdDSA\",\"kid\":\"../../etc/passwd\"}", "no key is called" },
                { "{\"alg\":\"EdDSA\",\"kid\":\"/dev/null\"}", "no key is called" },
                { "{\"alg\":\"EdDSA\",\"kid\":\"x'; --\"}", "no key is called" },
                { "{\"alg\":\"EdDSA\",\"kid\":\"\"}", "no key is called" },
                { "{\"alg\":\"EdDSA\",\"kid\":\"a\\nb\"}", "no key is called" },
                { "{\"alg\":\"EdDSA\",\"kid\":\"a\\u0000b\"}", "not strict JSON" },
                { "{\"alg\":\"EdDSA\",\"kid\":7}", "wrong type" },
                { "{\"alg\":\"EdDSA\",\"kid\":"
                  "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
                  "too long" },
                { "{\"alg\":\"EdDSA\",\"typ\":{}}", "wrong type" },
                { "[\"EdDSA\"]", "not an object" },
                { "\"EdDSA\"", "not an object" },
                { "{\"alg\":\"EdDSA\"}{}", "not strict JSON" },
                { "{\"alg\":\"EdDSA\"", "not strict JSON" },
                { "{\"alg\":\"Ed\xff\"}", "not strict JSON" },
        };
        _cleanup_(key_freep) struct key *k = key_of(RFC8037_KEY);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text t = { 0 };

                build(&t, rows[i].header, strlen(rows[i].header));
                assert_refused(t.data, k, rows[i].why);
        }
}

static void test_refused_forms(void **state _unused_)
{
        static const struct {
                const char *token, *why;
        } rows[] = {
                { "", "three parts" },
                { "a", "three parts" },
                { "a.b", "three parts" },
                { "a.b.c.d", "three parts" },
                { "a.b.c.d.e", "three parts" },
                { "a.b.c.d.e.f", "three parts" },
                { "..", "empty" },
                { "a..c", "empty" },
                { ".b.c", "empty" },
                { RFC7515_A5, "empty" },
                { "eyJhbGciOiJFZERTQSJ9=.e30.AAAA", "header is not base64url" },
                { " eyJhbGciOiJFZERTQSJ9.e30.AAAA", "header is not base64url" },
                { "eyJhbGciOiJFZERTQSJ8.e30.AAAA", "not strict JSON" },
                { "eyJhbGciOiJFZERTQSJ9.e30=.AAAA", "not base64url" },
                { "eyJhbGciOiJFZERTQSJ9.e31.AAAA", "not base64url" },
                { "eyJhbGciOiJFZERTQSJ9.e30.AAA/", "not base64url" },
                { "eyJhbGciOiJFZERTQSJ9.e30.AAA+", "not base64url" },
                { "eyJhbGciOiJFZERTQSJ9.e30.AAAA\n", "not base64url" },
                { "eyJhbGciOiJFZERTQSJ9.e30.%41AA", "not base64url" },
                { "eyJhbGciOiJFZERTQSJ9.e30.AAAAA", "not base64url" },
                { "eyJhbGciOiJFZERTQSJ9.e30.AB", "not base64url" },
                { RFC8037_A4 "AAAA", "signature is not" },
                { RFC7515_A4, "algorithm is not" },
                { "{\"payload\":\"e30\",\"header\":{\"alg\":\"EdDSA\"},\"signature\":\"AAAA\"}",
                  "three parts" },
        };
        _cleanup_(key_freep) struct key *k = key_of(RFC8037_KEY);
        struct jws j;
        const char *why = "";

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_refused(rows[i].token, k, rows[i].why);
        assert_int_equal(jws_parse("eyJhbGciOiJFZERTQSJ9.e30.AA\0A", 28, &j, &why), -EBADMSG);
        assert_non_null(strstr(why, "not base64url"));
}

static void test_long_parts(void **state _unused_)
{
        _cleanup_(key_freep) struct key *k = key_of(RFC8037_KEY);

        for (size_t part = 0; part < 3; part++) {
                _cleanup_text_ struct text t = { 0 };

                for (size_t i = 0; i < 3; i++) {
                        if (i > 0)
                                text_addc(&t, '.');
                        for (size_t n = 0; n < (i == part ? JWS_PART_MAX + 4 : 4); n++)
                                text_addc(&t, 'A');
                }
                assert_refused(t.data, k, "too long");
        }
        {
                _cleanup_text_ struct text header = { 0 }, t = { 0 };

                text_add(&header, "{\"alg\":\"EdDSA\"");
                while (header.len < 4000)
                        text_addc(&header, ' ');
                text_addc(&header, '}');
                build(&t, header.data, header.len);
                assert_refused(t.data, k, "header is empty or too long");
        }
}

/* What a public key is made of is known to all, and no secret: CVE-2015-9235 and its kin. */
static void test_public_key_as_secret(void **state _unused_)
{
        static const enum key_algorithm algorithms[] = { KEY_EDDSA, KEY_ES256, KEY_RS256 };

        for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
                _cleanup_(key_freep) struct key *k = new_key(algorithms[i]);
                _cleanup_text_ struct text pem = { 0 }, jwk = { 0 };
                const struct text *spellings[] = { &pem, &jwk };
                struct fault f = { 0 };

                assert_int_equal(key_to_pem(k, false, &pem, &f), 0);
                assert_int_equal(key_to_jwk(k, false, &jwk), 0);
                for (size_t j = 0; j < ARRAY_SIZE(spellings); j++) {
                        struct key forger = { .algorithm = KEY_HS256,
                                              .can_sign = true,
                                              .secret = (unsigned char *) spellings[j]->data,
                                              .secret_len = spellings[j]->len };
                        _cleanup_text_ struct text t = { 0 };

                        assert_int_equal(jws_sign(&forger, NULL, NULL, "{}", 2, &t), 0);
                        assert_refused(t.data, k, "algorithm is not the key's");
                }
        }
}

/* A token of the key with the signature that the row makes of the right one. */
static void with_signature(const struct key *k, const unsigned char *bytes, size_t n, struct text *ret)
{
        _cleanup_text_ struct text t = { 0 };

        assert_int_equal(jws_sign(k, NULL, NULL, "{}", 2, &t), 0);
        text_addn(ret, t.data, (size_t) (strrchr(t.data, '.') + 1 - t.data));
        base64url_add(ret, bytes, n);
}

#define P256_ORDER                                                         \
        "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff" \
        "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"
#define ALL_ONES                                                           \
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" \
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
#define ZERO "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ONE "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"

static void test_ecdsa_bounds(void **state _unused_)
{
        static const struct {
                const char *bytes;
                size_t n;
        } rows[] = {
                { ZERO ZERO, 64 },        { ZERO ONE, 64 },       { ONE ZERO, 64 },  { P256_ORDER ONE, 64 },
                { ONE P256_ORDER, 64 },   { ALL_ONES ONE, 64 },   { ONE ALL_ONES, 64 }, { ONE ONE, 64 },
                { ONE ONE, 63 },          { ONE ONE "\1", 65 },   { ONE ONE ONE ONE, 128 },
                { "\x30\x06\x02\x01\x01\x02\x01\x01", 8 },
        };
        _cleanup_(key_freep) struct key *k = key_of(RFC7515_A3_KEY);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text t = { 0 };

                with_signature(k, (const unsigned char *) rows[i].bytes, rows[i].n, &t);
                assert_refused(t.data, k, "signature is not the key's");
        }
}

/* n - s, as big-endian bytes, in place. */
static void negate(unsigned char s[32])
{
        static const unsigned char order[] = P256_ORDER;
        int borrow = 0;

        for (size_t i = 32; i-- > 0;) {
                int digit = order[i] - s[i] - borrow;

                borrow = digit < 0;
                s[i] = (unsigned char) (digit + 256 * borrow);
        }
}

/* Both values of s are good ones, and either is what another program may write; no other r is, nor s in its place. */
static void test_ecdsa_has_two_texts(void **state _unused_)
{
        _cleanup_(key_freep) struct key *k = key_of(RFC7515_A3_KEY);
        _cleanup_(jws_reset) struct jws j = { 0 };
        unsigned char swapped[64];
        const char *why = "";

        assert_int_equal(jws_parse(RFC7515_A3, strlen(RFC7515_A3), &j, &why), 0);
        negate(j.signature + 32);
        assert_int_equal(jws_verify(&j, k, &why), 0);
        memcpy(swapped, j.signature + 32, 32);
        memcpy(swapped + 32, j.signature, 32);
        negate(j.signature);
        assert_int_equal(jws_verify(&j, k, &why), -EBADMSG);
        memcpy(j.signature, swapped, sizeof swapped);
        assert_int_equal(jws_verify(&j, k, &why), -EBADMSG);
}

/* S + L verifies where S is not held below the order L of the group. */
static void test_eddsa_bounds(void **state _unused_)
{
        static const unsigned char order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                                 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
        _cleanup_(key_freep) struct key *k = key_of(RFC8037_KEY);
        _cleanup_(jws_reset) struct jws j = { 0 };
        const char *why = "";
        unsigned carry = 0;

        assert_int_equal(jws_parse(RFC8037_A4, strlen(RFC8037_A4), &j, &why), 0);
        assert_int_equal(jws_verify(&j, k, &why), 0);
        j.signature_len--;
        assert_int_equal(jws_verify(&j, k, &why), -EBADMSG);
        j.signature_len++;
        for (size_t i = 0; i < 32; i++) {
                carry += j.signature[32 + i] + order[i];
                j.signature[32 + i] = (unsigned char) (carry & 0xff);
                carry >>= 8;
        }
        assert_int_equal(jws_verify(&j, k, &why), -EBADMSG);
}

/* What stands behind a good signature makes it another one. */
static void test_longer_signatures(void **state _unused_)
{
        for (enum key_algorithm a = 0; a < _KEY_SIGNING; a++) {
                _cleanup_(key_freep) struct key *k = new_key(a);
                _cleanup_(jws_reset) struct jws j = { 0 };
                _cleanup_free_ unsigned char *longer = NULL;
                _cleanup_text_ struct text t = { 0 };
                struct jws changed;
                const char *why = "";

                assert_int_equal(jws_sign(k, NULL, NULL, "{}", 2, &t), 0);
                assert_int_equal(jws_parse(t.data, t.len, &j, &why), 0);
                longer = calloc(1, j.signature_len + 1);
                assert_non_null(longer);
                memcpy(longer, j.signature, j.signature_len);
                changed = j;
                changed.signature = longer;
                assert_int_equal(jws_verify(&changed, k, &why), 0);
                changed.signature_len++;
                assert_int_equal(jws_verify(&changed, k, &why), -EBADMSG);
        }
}

/* Each bit of a signature and of what is signed matters, and so does the length. */
static void test_any_change_is_noticed(void **state _unused_)
{
        static const struct {
                const char *key, *token;
        } rows[] = { { RFC7515_A1_KEY, RFC7515_A1 },
                     { RFC7515_A2_KEY, RFC7515_A2 },
                     { RFC7515_A3_KEY, RFC7515_A3 },
                     { RFC8037_KEY, RFC8037_A4 } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(key_freep) struct key *k = key_of(rows[i].key);
                _cleanup_(jws_reset) struct jws j = { 0 };
                const char *why = "";

                assert_int_equal(jws_parse(rows[i].token, strlen(rows[i].token), &j, &why), 0);
                for (size_t bit = 0; bit < 8 * j.signature_len; bit++) {
                        j.signature[bit / 8] ^= (unsigned char) (1U << bit % 8);
                        assert_int_equal(jws_verify(&j, k, &why), -EBADMSG);
                        j.signature[bit / 8] ^= (unsigned char) (1U << bit % 8);
                }
                for (size_t n = 0; n < j.signature_len; n++) {
                        struct jws shorter = j;

                        shorter.signature_len = n;
                        assert_int_equal(jws_verify(&shorter, k, &why), -EBADMSG);
                }
                j.signed_len--;
                assert_int_equal(jws_verify(&j, k, &why), -EBADMSG);
                j.signed_len++;
                assert_int_equal(jws_verify(&j, k, &why), 0);
        }
}

static void test_who_cannot_sign(void **state _unused_)
{
        static const char public_half[] = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"}";
        _cleanup_(key_freep) struct key *k = key_of(public_half), *agreeing = new_key(KEY_ECDH_P256);
        _cleanup_text_ struct text t = { 0 };

        assert_int_equal(jws_sign(k, NULL, NULL, "{}", 2, &t), -EINVAL);
        assert_int_equal(jws_sign(agreeing, NULL, NULL, "{}", 2, &t), -EINVAL);
        assert_int_equal(t.len, 0);
        assert_refused(RFC7515_A3, agreeing, "algorithm is not the key's");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rfc_examples),
                cmocka_unit_test(test_rfc_example_with_a_foreign_kid),
                cmocka_unit_test(test_deterministic_signatures),
                cmocka_unit_test(test_every_algorithm_against_every_other),
                cmocka_unit_test(test_refused_headers),
                cmocka_unit_test(test_refused_forms),
                cmocka_unit_test(test_long_parts),
                cmocka_unit_test(test_public_key_as_secret),
                cmocka_unit_test(test_ecdsa_bounds),
                cmocka_unit_test(test_ecdsa_has_two_texts),
                cmocka_unit_test(test_eddsa_bounds),
                cmocka_unit_test(test_longer_signatures),
                cmocka_unit_test(test_any_change_is_noticed),
                cmocka_unit_test(test_who_cannot_sign),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
