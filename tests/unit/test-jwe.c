/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Encryption: what another program encrypted, every key against itself and every
 * other, and that nothing but the message itself is opened, with one answer for
 * all the rest.
 */

#include "core/jwe.h"

#include "jose-vectors.h"
#include "util/base64.h"
#include "util/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "jose-keys.h"

#define PAYLOAD "a.b.c"

static struct key *key_of(const char *jwk)
{
        return read_key(jwk, "own", true);
}

static int decrypt(const char *token, const struct key *k, char **ret)
{
        size_t n = 0;
        int r = jwe_decrypt(token, strlen(token), &k, 1, ret, &n);

        if (r == 0)
                assert_int_equal(strlen(*ret), n);
        return r;
}

static void assert_opens(const char *token, const struct key *k)
{
        _cleanup_free_ char *payload = NULL;

        assert_int_equal(decrypt(token, k, &payload), 0);
        assert_string_equal(payload, PAYLOAD);
}

static void assert_stays_closed(const char *token, const struct key *k)
{
        _cleanup_free_ char *payload = NULL;

        if (decrypt(token, k, &payload) != -EBADMSG)
                fail_msg("%.100s: opened", token);
        assert_null(payload);
}

static void test_messages_of_others(void **state _unused_)
{
        static const struct {
                const char *key, *token;
                bool taken;
        } rows[] = {
                { RFC7515_A2_KEY, JWE_RSA, true },
                { RFC7515_A3_KEY, JWE_P256, true },
                { JWE_X25519_KEY, JWE_X25519, true },
                { RFC7515_A2_KEY, JWE_RSA_OAEP_SHA1, false },
                { RFC7515_A2_KEY, JWE_RSA_A128GCM, false },
                { RFC7515_A3_KEY, JWE_P256_A128GCM, false },
                { RFC7515_A3_KEY, JWE_P256_A256KW, false },
                { RFC7515_A2_KEY, RFC7516_A1, false },
                { RFC7515_A3_KEY, JWE_X25519, false },
                { JWE_X25519_KEY, JWE_P256, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(key_freep) struct key *k = key_of(rows[i].key);

                assert_true(jwe_is_one(rows[i].token, strlen(rows[i].token)));
                if (rows[i].taken)
                        assert_opens(rows[i].token, k);
                else
                        assert_stays_closed(rows[i].token, k);
        }
}

static void test_every_key_against_every_other(void **state _unused_)
{
        static const enum key_algorithm algorithms[] = { KEY_ECDH_P256, KEY_ECDH_X25519, KEY_RSA_OAEP_256 };
        struct key *keys[2 * ARRAY_SIZE(algorithms)];

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                keys[i] = new_key(algorithms[i / 2]);
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                _cleanup_text_ struct text t = { 0 };
                _cleanup_free_ char *payload = NULL;
                size_t n;

                assert_int_equal(jwe_encrypt(keys[i], NULL, PAYLOAD, strlen(PAYLOAD), &t), 0);
                for (size_t j = 0; j < ARRAY_SIZE(keys); j++)
                        if (i == j)
                                assert_opens(t.data, keys[j]);
                        else
                                assert_stays_closed(t.data, keys[j]);
                /* The right one among many is found without a kid. */
                assert_int_equal(jwe_decrypt(t.data, t.len, (const struct key *const *) keys,
                                             ARRAY_SIZE(keys), &payload, &n),
                                 0);
                assert_string_equal(payload, PAYLOAD);
        }
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                (void) key_free(keys[i]);
}

static void test_any_change_is_noticed(void **state _unused_)
{
        static const struct {
                const char *key, *token;
        } rows[] = { { RFC7515_A2_KEY, JWE_RSA },
                     { RFC7515_A3_KEY, JWE_P256 },
                     { JWE_X25519_KEY, JWE_X25519 } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(key_freep) struct key *k = key_of(rows[i].key);
                _cleanup_free_ char *token = strdup(rows[i].token);
                size_t n = strlen(token);

                for (size_t at = 0; at < n; at++) {
                        char was = token[at];

                        token[at] = was == 'A' ? 'B' : 'A';
                        assert_stays_closed(token, k);
                        token[at] = was;
                }
                for (size_t len = n; len-- > 0;) {
                        token[len] = '\0';
                        assert_stays_closed(token, k);
                }
        }
}

/* GCM would not look at what a longer IV or tag ends with, nor an agreement at a wrapped key. */
static void test_longer_parts(void **state _unused_)
{
        _cleanup_(key_freep) struct key *p256 = key_of(RFC7515_A3_KEY), *rsa = key_of(RFC7515_A2_KEY);
        static const char *const tokens[] = { JWE_P256, JWE_RSA };
        const struct key *const keys[] = { p256, rsa };

        for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
                for (const char *end = tokens[i]; end; end = *end ? end + 1 : NULL) {
                        _cleanup_text_ struct text t = { 0 };

                        if (*end && *end != '.')
                                continue;
                        text_addn(&t, tokens[i], (size_t) (end - tokens[i]));
                        text_add(&t, "AAAA");
                        text_add(&t, end);
                        assert_stays_closed(t.data, keys[i]);
                }
}

/* The parts of a good message under another header, which is not what was encrypted with them. */
static void test_refused_headers(void **state _unused_)
{
        static const char *const headers[] = {
                "{}",
                "[]",
                "{\"alg\":\"dir\",\"enc\":\"A256GCM\"}",
                "{\"alg\":\"none\",\"enc\":\"A256GCM\"}",
                "{\"alg\":\"RSA1_5\",\"enc\":\"A256GCM\"}",
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"}",
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":7}",
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":{}}",
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":" RFC7515_A3_KEY "}",
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":" RFC7515_A2_KEY "}",
                /* not on the curve */
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                "\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_X "\"}}",
        };
        _cleanup_(key_freep) struct key *p256 = key_of(RFC7515_A3_KEY), *rsa = key_of(RFC7515_A2_KEY);

        for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
                _cleanup_text_ struct text t = { 0 };

                base64url_add(&t, headers[i], strlen(headers[i]));
                text_add(&t, strchr(JWE_P256, '.'));
                assert_stays_closed(t.data, p256);
                assert_stays_closed(t.data, rsa);
        }
}

/* With these the shared secret is zero, whoever they are sent to. */
static void test_x25519_points_of_small_order(void **state _unused_)
{
        static const char *const points[] = {
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA",
                "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc",
                "7P_______________________________________38",
                "7f_______________________________________38",
                "7v_______________________________________38",
        };
        _cleanup_(key_freep) struct key *own = key_of(JWE_X25519_KEY);

        for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
                _cleanup_text_ struct text header = { 0 }, jwk = { 0 }, t = { 0 };
                _cleanup_(key_freep) struct key *peer = NULL;

                text_add(&header, "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":");
                text_addf(&jwk, "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"%s\"}", points[i]);
                text_addn(&header, jwk.data, jwk.len);
                text_addc(&header, '}');
                base64url_add(&t, header.data, header.len);
                text_add(&t, strchr(JWE_X25519, '.'));
                assert_stays_closed(t.data, own);
                peer = key_of(jwk.data);
                text_truncate(&t, 0);
                assert_int_equal(jwe_encrypt(peer, NULL, PAYLOAD, strlen(PAYLOAD), &t), -ENOMEM);
        }
}

static void test_kid(void **state _unused_)
{
        _cleanup_(key_freep) struct key *k = key_of(JWE_X25519_KEY);
        _cleanup_text_ struct text ours = { 0 }, anothers = { 0 };

        assert_int_equal(jwe_encrypt(k, "own", PAYLOAD, strlen(PAYLOAD), &ours), 0);
        assert_int_equal(jwe_encrypt(k, "other", PAYLOAD, strlen(PAYLOAD), &anothers), 0);
        assert_opens(ours.data, k);
        assert_stays_closed(anothers.data, k);
}

static void test_public_half_opens_nothing(void **state _unused_)
{
        static const char public_half[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X
                                          "\",\"y\":\"" RFC7515_A3_Y "\"}";
        _cleanup_(key_freep) struct key *k = key_of(public_half), *signing = new_key(KEY_ES256);
        _cleanup_text_ struct text t = { 0 };

        assert_int_equal(jwe_encrypt(k, NULL, PAYLOAD, strlen(PAYLOAD), &t), 0);
        assert_stays_closed(t.data, k);
        assert_int_equal(jwe_encrypt(signing, NULL, PAYLOAD, strlen(PAYLOAD), &t), -EINVAL);
        assert_stays_closed(JWE_P256, signing);
}

static void test_sizes(void **state _unused_)
{
        static const size_t sizes[] = { 0, 1, 15, 16, 17, 4096, JWE_PART_MAX / 4 * 3 };
        _cleanup_(key_freep) struct key *k = new_key(KEY_ECDH_X25519);
        static char payload[JWE_PART_MAX];
        _cleanup_text_ struct text t = { 0 };
        const struct key *keys[] = { k };

        memset(payload, 'p', sizeof payload);
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                _cleanup_free_ char *opened = NULL;
                size_t n;

                text_truncate(&t, 0);
                assert_int_equal(jwe_encrypt(k, NULL, payload, sizes[i], &t), 0);
                assert_int_equal(jwe_decrypt(t.data, t.len, keys, 1, &opened, &n), 0);
                assert_int_equal(n, sizes[i]);
                assert_memory_equal(opened, payload, n);
                assert_int_equal(opened[n], '\0');
        }
        text_truncate(&t, 0);
        assert_int_equal(jwe_encrypt(k, NULL, payload, sizeof payload, &t), -EINVAL);
        assert_int_equal(t.len, 0);
}

static void test_long_parts(void **state _unused_)
{
        _cleanup_(key_freep) struct key *k = key_of(JWE_X25519_KEY);

        for (size_t part = 0; part < 5; part++) {
                _cleanup_text_ struct text t = { 0 };

                for (size_t i = 0; i < 5; i++) {
                        if (i > 0)
                                text_addc(&t, '.');
                        for (size_t n = 0; n < (i == part ? JWE_PART_MAX + 4 : 4); n++)
                                text_addc(&t, 'A');
                }
                assert_stays_closed(t.data, k);
        }
}

static void test_is_one(void **state _unused_)
{
        static const struct {
                const char *token;
                bool is_one;
        } rows[] = { { "", false },         { "a.b.c", false },       { "a.b.c.d", false },
                     { "a.b.c.d.e", true }, { "....", true },         { "a.b.c.d.e.f", false },
                     { ".....", false },    { RFC7515_A1, false },    { JWE_RSA, true } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(jwe_is_one(rows[i].token, strlen(rows[i].token)), rows[i].is_one);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_messages_of_others),
                cmocka_unit_test(test_every_key_against_every_other),
                cmocka_unit_test(test_any_change_is_noticed),
                cmocka_unit_test(test_longer_parts),
                cmocka_unit_test(test_refused_headers),
                cmocka_unit_test(test_x25519_points_of_small_order),
                cmocka_unit_test(test_kid),
                cmocka_unit_test(test_public_half_opens_nothing),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_long_parts),
                cmocka_unit_test(test_is_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
