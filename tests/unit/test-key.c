/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Keys: which files and JWKs are read as what, which are refused and with what
 * words, and that what is written reads as the same key.
 */

#include "core/key.h"

#include "jose-vectors.h"
#include "util/digest.h"
#include "util/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define NOT_READ -1 /* in place of an algorithm */

struct row {
        const char *bytes;
        bool encryption;
        int algorithm;
        const char *why; /* where it is not read: words of the reason */
};

/* The one key of it, or NULL after checking the words. */
static struct key *read_one(const char *bytes, size_t n, const struct row *row)
{
        struct fault f = { 0 };
        struct key **keys = NULL, *k = NULL;
        size_t n_keys = 0;
        int r = key_read(bytes, n, "stem", row->encryption, &keys, &n_keys, &f);

        if (r == 0 && n_keys == 1)
                k = keys[0];
        free(keys);
        if (row->algorithm == NOT_READ) {
                if (r == 0 || f.kind != FAULT_INVALID || !strstr(f.text, row->why))
                        fail_msg("%.70s: `%s' instead of `%s'", row->bytes, r ? f.text : "accepted",
                                 row->why);
                return NULL;
        }
        if (r < 0)
                fail_msg("%.70s: %s", row->bytes, f.text);
        assert_non_null(k);
        assert_int_equal(k->algorithm, row->algorithm);
        return k;
}

static struct key *key_of(const char *bytes, bool encryption, enum key_algorithm algorithm)
{
        struct row row = { bytes, encryption, (int) algorithm, NULL };

        return read_one(bytes, strlen(bytes), &row);
}

/* --- files --- */

static void test_pem_files(void **state _unused_)
{
        static const struct row rows[] = {
                { "ed25519-public", false, KEY_EDDSA, NULL },
                { "ed25519-private", false, KEY_EDDSA, NULL },
                { "ed25519-public", true, NOT_READ, "encrypted to" },
                { "x25519-private", true, KEY_ECDH_X25519, NULL },
                { "x25519-private", false, NOT_READ, "signed with" },
                { "p256-public", false, KEY_ES256, NULL },
                { "p256-public", true, KEY_ECDH_P256, NULL },
                { "p256-sec1", false, KEY_ES256, NULL },
                { "p256-pkcs8", true, KEY_ECDH_P256, NULL },
                { "rsa-public", false, KEY_RS256, NULL },
                { "rsa-public", true, KEY_RSA_OAEP_256, NULL },
                { "rsa-pkcs1", false, KEY_RS256, NULL },
                { "rsa-pkcs1-public", false, KEY_RS256, NULL },
                { "p256-explicit", false, NOT_READ, "curve is not P-256, by name" },
                { "p384", false, NOT_READ, "curve is not P-256" },
                { "rsa-1024", false, NOT_READ, "2048 to 8192 bits, not 1024" },
                { "rsa-pss", false, NOT_READ, "signed with" },
                { "encrypted", false, NOT_READ, "it is encrypted" },
                { "encrypted-pkcs1", false, NOT_READ, "it is encrypted" },
                { "certificate", false, NOT_READ, "openssl x509 -in FILE -noout -pubkey" },
                { "two", false, NOT_READ, "one key" },
                { "damaged", false, NOT_READ, "damaged" },
        };
        const char *srcdir = getenv("srcdir");

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(key_freep) struct key *k = NULL;
                _cleanup_free_ char *bytes = NULL;
                char path[512];
                size_t n;

                (void) snprintf(path, sizeof path, "%s/tests/unit/keys/%s.pem", srcdir ? srcdir : ".",
                                rows[i].bytes);
                assert_int_equal(file_read(path, KEY_FILE_MAX, &bytes, &n), 0);
                k = read_one(bytes, n, &rows[i]);
                if (!k)
                        continue;
                assert_string_equal(k->id, "stem");
                assert_int_equal(k->can_sign, strstr(rows[i].bytes, "public") == NULL);
        }
}

static void test_no_keys_at_all(void **state _unused_)
{
        static const struct row rows[] = {
                { "", false, NOT_READ, "neither PEM nor a JWK" },
                { " \n\t", false, NOT_READ, "neither PEM nor a JWK" },
                { "hello", false, NOT_READ, "neither PEM nor a JWK" },
                { "\xef\xbb\xbf{\"kty\":\"OKP\"}", false, NOT_READ, "neither PEM nor a JWK" },
                { "-----BEGIN PUBLIC KEY-----\n", false, NOT_READ, "damaged" },
                { "-----BEGIN PUBLIC KEY-----\nMAAA\n-----END PUBLIC KEY-----\n", false, NOT_READ,
                  "is not one" },
                /* a good one and one byte more */
                { "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAeWwHgDoS8K8lidt+7pt+MkPRT0ycTg2G3A5B+q7/zbUA\n-----END PUBLIC KEY-----\n",
                  false, NOT_READ, "is not one" },
                { "-----BEGIN DH PARAMETERS-----\nMAAA\n-----END DH PARAMETERS-----\n", false, NOT_READ,
                  "holds no key" },
                { "-----BEGIN EC PARAMETERS-----\nMAAA\n-----END EC PARAMETERS-----\n", false, NOT_READ,
                  "neither PEM nor a JWK" },
                { "{", false, NOT_READ, "JWK:" },
                { "{}", false, NOT_READ, "kty" },
                { "{\"kty\":\"OKP\",\"kty\":\"oct\"}", false, NOT_READ, "JWK:" },
        };
        static char large[KEY_FILE_MAX + 1];
        struct row too_large = { "(large)", false, NOT_READ, "at most 65536 bytes" };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_null(read_one(rows[i].bytes, strlen(rows[i].bytes), &rows[i]));
        memset(large, '{', sizeof large);
        assert_null(read_one(large, sizeof large, &too_large));
}

/* --- JWK --- */

#define OKP(members) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"" members "}"
#define EC(members) \
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\"" members "}"
#define RSA(members) "{\"kty\":\"RSA\",\"n\":\"" RFC7515_A2_N "\",\"e\":\"AQAB\"" members "}"
#define RSA_E(e) "{\"kty\":\"RSA\",\"n\":\"" RFC7515_A2_N "\",\"e\":\"" e "\"}"
#define SECRET_32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define X25519(members)                                                                                     \
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo\"" members \
        "}"

static void test_jwk(void **state _unused_)
{
        static const struct row rows[] = {
                { OKP(""), false, KEY_EDDSA, NULL },
                { " \r\n" OKP(",\"alg\":\"EdDSA\",\"use\":\"sig\",\"key_ops\":[\"verify\"]"), false,
                  KEY_EDDSA, NULL },
                { OKP(",\"x5u\":\"https://example.com\",\"X\":7,\"Kty\":8"), false, KEY_EDDSA, NULL },
                { RFC8037_KEY, false, KEY_EDDSA, NULL },
                { EC(""), false, KEY_ES256, NULL },
                { EC(",\"alg\":\"ES256\""), false, KEY_ES256, NULL },
                { EC(",\"alg\":\"ECDH-ES\",\"use\":\"enc\""), true, KEY_ECDH_P256, NULL },
                { EC(",\"key_ops\":[\"deriveBits\"]"), true, KEY_ECDH_P256, NULL },
                { RFC7515_A3_KEY, false, KEY_ES256, NULL },
                { RSA(""), false, KEY_RS256, NULL },
                { RSA(",\"alg\":\"PS256\""), false, KEY_PS256, NULL },
                { RSA(",\"alg\":\"RSA-OAEP-256\""), true, KEY_RSA_OAEP_256, NULL },
                { RFC7515_A2_KEY, false, KEY_RS256, NULL },
                { RFC7515_A1_KEY, false, KEY_HS256, NULL },
                { X25519(""), true, KEY_ECDH_X25519, NULL },

                /* for another purpose, or with another algorithm than ours */
                { OKP(",\"use\":\"enc\""), false, NOT_READ, "`use'" },
                { OKP(",\"use\":\"SIG\""), false, NOT_READ, "`use'" },
                { OKP(",\"key_ops\":[\"encrypt\"]"), false, NOT_READ, "`key_ops'" },
                { OKP(",\"key_ops\":[]"), false, NOT_READ, "`key_ops'" },
                { OKP(",\"key_ops\":\"verify\""), false, NOT_READ, "`key_ops'" },
                { OKP(",\"key_ops\":[1]"), false, NOT_READ, "`key_ops'" },
                { OKP(""), true, NOT_READ, "`kty', `crv' and `alg'" },
                { OKP(",\"alg\":\"ES256\""), false, NOT_READ, "`kty', `crv' and `alg'" },
                { OKP(",\"alg\":\"none\""), false, NOT_READ, "`kty', `crv' and `alg'" },
                { X25519(""), false, NOT_READ, "`kty', `crv' and `alg'" },
                { EC(",\"alg\":\"ES384\""), false, NOT_READ, "`kty', `crv' and `alg'" },
                { EC(",\"alg\":\"ECDH-ES\""), false, NOT_READ, "`kty', `crv' and `alg'" },
                { EC(",\"alg\":\"ES256\""), true, NOT_READ, "`kty', `crv' and `alg'" },
                { RSA(",\"alg\":\"RS512\""), false, NOT_READ, "`kty', `crv' and `alg'" },
                { RSA(",\"alg\":\"RSA1_5\""), true, NOT_READ, "`kty', `crv' and `alg'" },
                { RSA(",\"alg\":\"HS256\""), false, NOT_READ, "`kty', `crv' and `alg'" },
                { RFC7515_A4_KEY, false, NOT_READ, "`kty', `crv' and `alg'" },
                { RFC7515_A1_KEY, true, NOT_READ, "`kty', `crv' and `alg'" },
                { "{\"kty\":\"oct\",\"k\":\"" SECRET_32 "\",\"alg\":\"HS512\"}", false, NOT_READ, "`alg'" },
                { "{\"kty\":\"okp\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"}", false, NOT_READ,
                  "`kty'" },
                { "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" RFC8037_X "\"}", false, NOT_READ, "`crv'" },
                { "{\"kty\":\"OKP\",\"x\":\"" RFC8037_X "\"}", false, NOT_READ, "`crv'" },
                { "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}", false, NOT_READ,
                  "`crv'" },

                /* not what they say to be */
                { "{\"kty\":7}", false, NOT_READ, "kty: must be a string" },
                { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", false, NOT_READ, "`x' is missing" },
                { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "=\"}", false, NOT_READ,
                  "not base64url" },
                { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qY\"}", false, NOT_READ,
                  "3 bytes instead of 32" },
                { OKP(",\"d\":\"11qY\""), false, NOT_READ, "3 bytes instead of 32" },
                { OKP(",\"d\":\"" RFC7515_A3_D "\""), false, NOT_READ, "does not fit" },
                { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\"}", false, NOT_READ,
                  "`y' is missing" },
                { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_X "\"}",
                  false, NOT_READ, "no EC key" },
                { EC(",\"d\":\"" RFC8037_D "\""), false, NOT_READ, "does not fit" },
                { RSA_E("AQ"), false, NOT_READ, "exponent" },
                { RSA_E("Ag"), false, NOT_READ, "exponent" },
                { RSA_E("AQAA"), false, NOT_READ, "exponent" },
                { RSA_E("AQAAAAAAAAAB"), false, NOT_READ, "exponent" },
                { RSA_E("AAEAAQ"), false, NOT_READ, "shortest form" },
                { RSA_E(""), false, NOT_READ, "shortest form" },
                { "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"oQ\"}", false, NOT_READ, "not 8" },
                { RSA(",\"d\":\"" RFC7515_A2_D "\""), false, NOT_READ, "`p' is missing" },
                { RSA(",\"d\":\"" RFC7515_A2_N "\"," RFC7515_A2_FACTORS), false, NOT_READ, "does not fit" },
                { RSA(",\"oth\":[]"), false, NOT_READ, "two primes" },
                { "{\"kty\":\"oct\"}", false, NOT_READ, "`k' is missing" },
                { "{\"kty\":\"oct\",\"k\":\"\"}", false, NOT_READ, "not 0" },
                { "{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg\"}", false, NOT_READ,
                  "not 31" },
                { OKP(",\"kid\":\"../../etc/passwd\""), false, NOT_READ, "id of a key" },
                { OKP(",\"kid\":\"\""), false, NOT_READ, "id of a key" },
                { OKP(",\"kid\":5"), false, NOT_READ, "kid: must be a string" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(key_freep) struct key *k =
                        read_one(rows[i].bytes, strlen(rows[i].bytes), &rows[i]);

                if (k && k->pkey)
                        assert_int_equal(k->can_sign, strstr(rows[i].bytes, "\"d\":") != NULL);
        }
}

/* A product of one prime, or of a small one, is no modulus; nor is one of too many bits. */
static void test_rsa_moduli(void **state _unused_)
{
        static const struct {
                size_t bytes;
                unsigned char first, last;
                const char *why;
        } rows[] = {
                { 256, 0xff, 0xfe, "two large primes" }, /* even */
                { 256, 0xff, 0xff, "two large primes" }, /* 2^2048 - 1, which 3 divides */
                { 255, 0xff, 0xff, "not 2040" },
                { 256, 0x7f, 0xff, "not 2047" },
                { 1025, 0xff, 0xff, "8192 bits" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text t = { 0 };
                struct row row = { "a modulus", false, NOT_READ, rows[i].why };
                unsigned char n[1025];

                memset(n, 0xff, sizeof n);
                n[0] = rows[i].first;
                n[rows[i].bytes - 1] = rows[i].last;
                text_add(&t, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
                base64url_add(&t, n, rows[i].bytes);
                text_add(&t, "\"}");
                assert_null(read_one(t.data, t.len, &row));
        }
}

/* Anybody can sign for a point of small order, and OpenSSL takes it for a key. */
static void test_ed25519_points(void **state _unused_)
{
        static const struct {
                const char *hex, *why;
        } rows[] = {
                { "0100000000000000000000000000000000000000000000000000000000000000", "small order" },
                { "0100000000000000000000000000000000000000000000000000000000000080", "small order" },
                { "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "small order" },
                { "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "small order" },
                { "0000000000000000000000000000000000000000000000000000000000000000", "small order" },
                { "0000000000000000000000000000000000000000000000000000000000000080", "small order" },
                { "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "small order" },
                { "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "small order" },
                { "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "small order" },
                { "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "small order" },
                { "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "canonical" },
                { "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "canonical" },
                { "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "canonical" },
                { "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "canonical" },
                { "0200000000000000000000000000000000000000000000000000000000000000", "no point" },
                { "0700000000000000000000000000000000000000000000000000000000000080", "no point" },
                { "0300000000000000000000000000000000000000000000000000000000000000", NULL },
                { "0900000000000000000000000000000000000000000000000000000000000080", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct row row = { rows[i].hex, false, rows[i].why ? NOT_READ : KEY_EDDSA, rows[i].why };
                _cleanup_(key_freep) struct key *k = NULL;
                _cleanup_text_ struct text t = { 0 };
                unsigned char bytes[32];

                for (size_t b = 0; b < sizeof bytes; b++) {
                        unsigned value;

                        assert_int_equal(sscanf(rows[i].hex + 2 * b, "%2x", &value), 1);
                        bytes[b] = (unsigned char) value;
                }
                text_add(&t, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
                base64url_add(&t, bytes, sizeof bytes);
                text_add(&t, "\"}");
                k = read_one(t.data, t.len, &row);
        }
}

static void test_generated_points_are_sound(void **state _unused_)
{
        for (size_t i = 0; i < 64; i++) {
                _cleanup_(key_freep) struct key *k = NULL;
                struct fault f = { 0 };

                assert_int_equal(key_generate(KEY_EDDSA, 0, &k, &f), 0);
        }
}

/* --- sets --- */

static void test_sets(void **state _unused_)
{
        static const struct {
                const char *set;
                size_t n; /* 0: refused */
                const char *ids[3], *why;
        } rows[] = {
                { "{\"keys\":[" OKP("") "]}", 1, { "stem.1" }, NULL },
                { "{\"keys\":[" OKP(",\"kid\":\"a\"") "," EC("") "]}", 2, { "a", "stem.2" }, NULL },
                { "{\"keys\":[" OKP("") "," X25519("") "," RSA(
                          ",\"use\":\"enc\"") ",{\"kty\":\"new\"}," RFC7515_A4_KEY
                                              "," EC(",\"alg\":\"ECDH-ES\"") "," RFC7515_A1_KEY "]}",
                  2,
                  { "stem.1", "stem.7" },
                  NULL },
                { "{\"keys\":[]}", 0, { 0 }, "1 to 64" },
                { "{\"keys\":[" X25519("") "]}", 0, { 0 }, "none of its keys" },
                { "{\"keys\":[" OKP("") ",7]}", 0, { 0 }, "keys[1]: a JWK is an object" },
                { "{\"keys\":[" OKP("") ",{}]}", 0, { 0 }, "keys[1]: a JWK says its `kty'" },
                { "{\"keys\":[" OKP("") ",{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
                  0,
                  { 0 },
                  "keys[1]: a secret" },
                { "{\"keys\":[" OKP(",\"kid\":\"a\"") "," EC(",\"kid\":\"a\"") "]}",
                  0,
                  { 0 },
                  "two keys are called a" },
                { "{\"keys\":{}}", 0, { 0 }, "kty" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct fault f = { 0 };
                struct key **keys = NULL;
                size_t n = 0;
                int r = key_read(rows[i].set, strlen(rows[i].set), "stem", false, &keys, &n, &f);

                assert_int_equal(n, rows[i].n);
                if (rows[i].why && (r == 0 || !strstr(f.text, rows[i].why)))
                        fail_msg("set %zu: %s", i, f.text);
                for (size_t j = 0; j < n; j++)
                        assert_string_equal(keys[j]->id, rows[i].ids[j]);
                (void) keys_free(keys, n);
        }
}

static void test_a_set_has_an_end(void **state _unused_)
{
        _cleanup_text_ struct text t = { 0 };
        struct row row = { "many", false, NOT_READ, "1 to 64" };

        text_add(&t, "{\"keys\":[" OKP(""));
        for (size_t i = 0; i < KEYS_PER_FILE_MAX; i++)
                text_add(&t, "," OKP(""));
        text_add(&t, "]}");
        assert_null(read_one(t.data, t.len, &row));
}

/* --- out and in again --- */

static void assert_same_key(const struct key *a, const struct key *b, bool with_private)
{
        assert_int_equal(a->algorithm, b->algorithm);
        assert_string_equal(a->name, b->name);
        assert_int_equal(b->can_sign, with_private);
}

static void assert_written_reads_as(const struct key *k, bool with_private)
{
        _cleanup_(key_freep) struct key *from_jwk = NULL, *from_pem = NULL;
        _cleanup_text_ struct text jwk = { 0 }, pem = { 0 };
        enum key_algorithm a = k->algorithm;
        struct fault f = { 0 };

        if (a == KEY_HS256 && !with_private) {
                assert_int_equal(key_to_jwk(k, false, &jwk), -EINVAL);
                assert_int_equal(jwk.len, 0);
                return;
        }
        assert_int_equal(key_to_jwk(k, with_private, &jwk), 0);
        from_jwk = key_of(jwk.data, a >= _KEY_SIGNING, a);
        assert_same_key(k, from_jwk, with_private);
        if (a == KEY_HS256) {
                assert_true(key_to_pem(k, true, &pem, &f) < 0);
                assert_non_null(strstr(f.text, "JWK"));
                return;
        }
        assert_int_equal(key_to_pem(k, with_private, &pem, &f), 0);
        /* PEM does not say which of its two algorithms an RSA key is for */
        from_pem = key_of(pem.data, a >= _KEY_SIGNING, a == KEY_PS256 ? KEY_RS256 : a);
        assert_string_equal(k->name, from_pem->name);
        assert_int_equal(from_pem->can_sign, with_private);
}

static void test_written_keys_read_as_the_same(void **state _unused_)
{
        for (enum key_algorithm a = 0; a <= KEY_RSA_OAEP_256; a++) {
                _cleanup_(key_freep) struct key *k = NULL;
                struct fault f = { 0 };

                assert_int_equal(key_generate(a, 2048, &k, &f), 0);
                assert_string_equal(k->id, "");
                assert_true(k->can_sign);
                assert_int_equal(k->algorithm, a);
                assert_written_reads_as(k, true);
                assert_written_reads_as(k, false);
        }
}

static void test_what_is_not_there_is_not_written(void **state _unused_)
{
        _cleanup_(key_freep) struct key *k = key_of(OKP(""), false, KEY_EDDSA);
        _cleanup_text_ struct text t = { 0 };
        struct fault f = { 0 };

        assert_int_equal(key_to_jwk(k, true, &t), -EINVAL);
        assert_true(key_to_pem(k, true, &t, &f) < 0);
        assert_int_equal(t.len, 0);
        assert_int_equal(key_to_jwk(k, false, &t), 0);
        assert_string_equal(t.data, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" RFC8037_X "\"}");
}

/* RFC 8037, A.3 and RFC 7638, 3.1; of a secret, nothing that could be searched for. */
static void test_names(void **state _unused_)
{
        _cleanup_(key_freep) struct key *ed = key_of(RFC8037_KEY, false, KEY_EDDSA);
        _cleanup_(key_freep) struct key *rs = key_of(RSA(""), false, KEY_RS256);
        _cleanup_(key_freep) struct key *ps =
                key_of(RSA(",\"alg\":\"PS256\",\"kid\":\"other\""), false, KEY_PS256);
        _cleanup_(key_freep) struct key *secret = key_of(RFC7515_A1_KEY, false, KEY_HS256);
        _cleanup_text_ struct text members = { 0 };
        char digest[DIGEST_BASE64URL_LEN + 1];

        assert_string_equal(ed->name, "key:" RFC8037_THUMBPRINT);
        assert_string_equal(rs->name, ps->name);
        assert_int_equal(key_to_jwk(secret, true, &members), 0);
        assert_int_equal(digest_base64url(members.data, members.len, digest), 0);
        assert_string_not_equal(secret->name + 4, digest);
        assert_int_equal(strlen(secret->name), 4 + DIGEST_BASE64URL_LEN);
}

static void test_generate_refuses(void **state _unused_)
{
        static const unsigned bits[] = { 0, 1024, 2047, 8193, 16384 };
        struct key *k = NULL;
        struct fault f = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
                assert_true(key_generate(KEY_RS256, bits[i], &k, &f) < 0);
        assert_null(k);
}

/* --- limits --- */

static void assert_list(char *const *list, const char *const *wanted)
{
        assert_true(strv_equal(list, (char *const *) (uintptr_t) wanted));
}

static void test_limits_in_a_jwk(void **state _unused_)
{
        static const char *const users[] = { "alice", "bob", NULL }, *const locators[] = { "web-*", NULL };
        _cleanup_(key_freep) struct key *k = key_of(OKP(",\"geard\":{\"users\":[\"alice\",\"bob\"],"
                                                        "\"locators\":[\"web-*\"],\"max_life\":\"1h\"}"),
                                                    false, KEY_EDDSA);
        _cleanup_(key_freep) struct key *seconds =
                key_of(OKP(",\"geard\":{\"max_life\":90}"), false, KEY_EDDSA);

        assert_list(k->limits.users, users);
        assert_list(k->limits.locators, locators);
        assert_null(k->limits.rights);
        assert_int_equal(k->limits.max_life_sec, 3600);
        assert_int_equal(seconds->limits.max_life_sec, 90);
}

static void test_bad_limits_in_a_jwk(void **state _unused_)
{
        static const struct row rows[] = {
                { OKP(",\"geard\":[]"), false, NOT_READ, "geard: must be an object" },
                { OKP(",\"geard\":{\"user\":[\"a\"]}"), false, NOT_READ, "unknown field" },
                { OKP(",\"geard\":{\"users\":[]}"), false, NOT_READ, "geard.users: must name 1 to 64" },
                { OKP(",\"geard\":{\"users\":\"a\"}"), false, NOT_READ, "list of strings" },
                { OKP(",\"geard\":{\"users\":[7]}"), false, NOT_READ, "must be a string" },
                { OKP(",\"geard\":{\"users\":null}"), false, NOT_READ, "list of strings" },
                { OKP(",\"geard\":{\"locators\":[\"a*b\"]}"), false, NOT_READ, "`*'" },
                { OKP(",\"geard\":{\"rights\":[\"\"]}"), false, NOT_READ, "1 to 128 bytes" },
                { OKP(",\"geard\":{\"rights\":[\"a\\nb\"]}"), false, NOT_READ, "1 to 128 bytes" },
                { OKP(",\"geard\":{\"max_life\":0}"), false, NOT_READ, "max_life" },
                { OKP(",\"geard\":{\"max_life\":\"0\"}"), false, NOT_READ, "max_life" },
                { OKP(",\"geard\":{\"max_life\":\"500ms\"}"), false, NOT_READ, "max_life" },
                { OKP(",\"geard\":{\"max_life\":\"soon\"}"), false, NOT_READ, "max_life" },
                { OKP(",\"geard\":{\"max_life\":-1}"), false, NOT_READ, "max_life" },
                { OKP(",\"geard\":{\"max_life\":true}"), false, NOT_READ, "max_life" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_null(read_one(rows[i].bytes, strlen(rows[i].bytes), &rows[i]));
}

static void test_sidecar(void **state _unused_)
{
        static const char *const users[] = { "alice", "the ops", NULL }, *const rights[] = { "gear.*",
                                                                                             "log.read",
                                                                                             NULL };
        _cleanup_(key_freep) struct key *k = key_of(RSA(""), false, KEY_RS256);
        struct fault f = { 0 };

        assert_int_equal(key_read_sidecar("# who\n[Key]\nId=ci\nAlgorithm=PS256\nUsers=alice 'the ops'\n"
                                          "Rights=gear.* log.read\nMaxLife=1h30min\n",
                                          k, &f),
                         0);
        assert_string_equal(k->id, "ci");
        assert_int_equal(k->algorithm, KEY_PS256);
        assert_list(k->limits.users, users);
        assert_list(k->limits.rights, rights);
        assert_null(k->limits.locators);
        assert_int_equal(k->limits.max_life_sec, 5400);
}

static void test_bad_sidecars(void **state _unused_)
{
        static const struct {
                const char *text, *why;
        } rows[] = {
                { "Id=a\n", "before the first" },
                { "[Keys]\nId=a\n", "the only section" },
                { "[Key]\nName=a\n", "not a setting" },
                { "[Key]\nid=a\n", "not a setting" },
                { "[Key]\nwhat\n", "neither" },
                { "[Key]\nId=\n", "Id= must be" },
                { "[Key]\nId=a/b\n", "Id= must be" },
                { "[Key]\nId=a\nId=b\n", "given twice" },
                { "[Key]\nAlgorithm=HS256\n", "Algorithm= must be" },
                { "[Key]\nAlgorithm=PS256\n", "Algorithm= must be" },
                { "[Key]\nAlgorithm=none\n", "Algorithm= must be" },
                { "[Key]\nUsers=\n", "Users= must be" },
                { "[Key]\nUsers='\n", "Users= must be" },
                { "[Key]\nUsers=a\nUsers=b\n", "given twice" },
                { "[Key]\nLocators=a*b\n", "Locators= must be" },
                { "[Key]\nRights=x\n", "limits this already" },
                { "[Key]\nMaxLife=soon\n", "MaxLife= must be" },
                { "[Key]\nMaxLife=0\n", "MaxLife= must be" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(key_freep) struct key *k =
                        key_of(OKP(",\"geard\":{\"rights\":[\"gear.read\"]}"), false, KEY_EDDSA);
                struct fault f = { 0 };

                if (key_read_sidecar(rows[i].text, k, &f) == 0 || f.kind != FAULT_INVALID ||
                    !strstr(f.text, rows[i].why))
                        fail_msg("%s: `%s' instead of `%s'", rows[i].text, f.text, rows[i].why);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pem_files),
                cmocka_unit_test(test_no_keys_at_all),
                cmocka_unit_test(test_jwk),
                cmocka_unit_test(test_rsa_moduli),
                cmocka_unit_test(test_ed25519_points),
                cmocka_unit_test(test_generated_points_are_sound),
                cmocka_unit_test(test_sets),
                cmocka_unit_test(test_a_set_has_an_end),
                cmocka_unit_test(test_written_keys_read_as_the_same),
                cmocka_unit_test(test_what_is_not_there_is_not_written),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_generate_refuses),
                cmocka_unit_test(test_limits_in_a_jwk),
                cmocka_unit_test(test_bad_limits_in_a_jwk),
                cmocka_unit_test(test_sidecar),
                cmocka_unit_test(test_bad_sidecars),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
