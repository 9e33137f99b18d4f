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

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#define PAYLOAD "a.b.c"
#define IV "twelve bytes"
#define TAG_BYTES 16

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

/* --- messages that are good but for one thing --- */

/* What another program would send that holds other views than ours; what is 0 is as it should be. */
struct sender {
        const char *header;
        size_t cek_bytes;
        const EVP_MD *(*oaep)(void);
        bool pkcs1; /* RSA1_5 */
};

static void wrap(const struct key *to, const struct sender *sender, const unsigned char *cek, size_t n, struct text *t)
{
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(to->pkey, NULL);
        const EVP_MD *md = sender->oaep ? sender->oaep() : EVP_sha256();
        unsigned char wrapped[256];
        size_t wrapped_n = sizeof wrapped;

        assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
        assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, sender->pkcs1 ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING) > 0);
        if (!sender->pkcs1)
                assert_true(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) > 0 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) > 0);
        assert_int_equal(EVP_PKEY_encrypt(ctx, wrapped, &wrapped_n, cek, n), 1);
        EVP_PKEY_CTX_free(ctx);
        base64url_add(t, wrapped, wrapped_n);
}

static void send_message(const struct key *to, const struct sender *sender, struct text *t)
{
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        unsigned char cek[64], out[sizeof PAYLOAD - 1], tag[TAG_BYTES];
        int n = 0;

        assert_int_equal(RAND_bytes(cek, sizeof cek), 1);
        text_truncate(t, 0);
        base64url_add(t, sender->header, strlen(sender->header));
        assert_int_equal(EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), cek, (const unsigned char *) IV, NULL), 1);
        assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *) t->data, (int) t->len), 1);
        assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, (const unsigned char *) PAYLOAD, sizeof out), 1);
        assert_int_equal(EVP_EncryptFinal_ex(ctx, out + n, &n), 1);
        assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag), 1);
        EVP_CIPHER_CTX_free(ctx);
        text_addc(t, '.');
        wrap(to, sender, cek, sender->cek_bytes ? sender->cek_bytes : 32, t);
        text_addc(t, '.');
        base64url_add(t, IV, strlen(IV));
        text_addc(t, '.');
        base64url_add(t, out, sizeof out);
        text_addc(t, '.');
        base64url_add(t, tag, sizeof tag);
}

#define HEADER(more) "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\"" more "}"
#define HEADER_ENC(enc) "{\"alg\":\"RSA-OAEP-256\",\"enc\":" enc "}"
#define HEADER_ALG(alg) "{\"alg\":" alg ",\"enc\":\"A256GCM\"}"

static void test_headers_of_whole_messages(void **state _unused_)
{
        static const char *const good[] = {
                HEADER(""),
                HEADER(",\"cty\":\"JWT\""),
                HEADER(",\"typ\":\"JWT\""),
                HEADER(",\"kid\":\"own\""),
                " {\"enc\" : \"A256GCM\", \"alg\" : \"RSA-OAEP-256\"} ",
        };
        static const char *const bad[] = {
                HEADER_ENC("\"a256gcm\""), HEADER_ENC("\"A256gcm\""), HEADER_ENC("\"A256GCM \""),
                HEADER_ENC("\" A256GCM\""), HEADER_ENC("\"A256GCM\\u0000\""), HEADER_ENC("\"A256GCMX\""),
                HEADER_ENC("\"A256GC\""), HEADER_ENC("\"A192GCM\""), HEADER_ENC("\"A128GCM\""),
                HEADER_ENC("\"A256CBC-HS512\""), HEADER_ENC("\"A256KW\""), HEADER_ENC("\"none\""), HEADER_ENC("\"\""),
                HEADER_ENC("null"), HEADER_ENC("256"), HEADER_ENC("[\"A256GCM\"]"), HEADER_ENC("{}"), HEADER_ENC("true"),
                "{\"alg\":\"RSA-OAEP-256\"}", "{\"alg\":\"RSA-OAEP-256\",\"Enc\":\"A256GCM\"}",
                HEADER(",\"enc\":\"A256GCM\""), HEADER(",\"enc\":\"A128GCM\""), HEADER(",\"\\u0065nc\":\"A256GCM\""),
                HEADER(",\"alg\":\"RSA-OAEP-256\""),
                HEADER_ALG("\"RSA-OAEP\""), HEADER_ALG("\"RSA1_5\""), HEADER_ALG("\"RSA-OAEP-512\""),
                HEADER_ALG("\"rsa-oaep-256\""), HEADER_ALG("\"dir\""), HEADER_ALG("\"A256KW\""),
                HEADER_ALG("\"A256GCMKW\""), HEADER_ALG("\"PBES2-HS256+A128KW\""), HEADER_ALG("\"none\""),
                HEADER_ALG("\"ECDH-ES\""), HEADER_ALG("\"ECDH-ES+A256KW\""), HEADER_ALG("\"\""), HEADER_ALG("null"),
                HEADER_ALG("[\"RSA-OAEP-256\"]"), "{\"enc\":\"A256GCM\"}",
                HEADER(",\"crit\":[\"exp\"],\"exp\":9"), HEADER(",\"crit\":[]"), HEADER(",\"crit\":[\"enc\"]"),
                HEADER(",\"crit\":null"), HEADER(",\"zip\":\"DEF\""), HEADER(",\"zip\":null"), HEADER(",\"b64\":true"),
                HEADER(",\"jwk\":{}"), HEADER(",\"jku\":\"https://example.com\""), HEADER(",\"x5u\":\"https://example.com\""),
                HEADER(",\"x5c\":[]"), HEADER(",\"x5t\":\"AA\""), HEADER(",\"x5t#S256\":\"AA\""),
                HEADER(",\"p2c\":100000000,\"p2s\":\"AA\""), HEADER(",\"iv\":\"AA\""), HEADER(",\"tag\":\"AA\""),
                HEADER(",\"exp\":9"), HEADER(",\"\":1"), HEADER(",\"apu\":\"AA\""), HEADER(",\"apv\":\"AA\""),
                HEADER(",\"epk\":{}"), HEADER(",\"epk\":" RFC7515_A3_KEY), HEADER(",\"cty\":\"jwt\""),
                HEADER(",\"cty\":\"JWE\""), HEADER(",\"cty\":\"\""), HEADER(",\"cty\":[\"JWT\"]"), HEADER(",\"typ\":1"),
                HEADER(",\"kid\":\"other\""), HEADER(",\"kid\":\"../own\""), HEADER(",\"kid\":\"\""), HEADER(",\"kid\":1"),
                HEADER("") "{}", HEADER("") "x", "[" HEADER("") "]", "{\"protected\":" HEADER("") "}",
                HEADER(",\"kid\":\"\xff\""),
        };
        _cleanup_(key_freep) struct key *own = key_of(RFC7515_A2_KEY);
        _cleanup_text_ struct text t = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                send_message(own, &(struct sender){ .header = good[i] }, &t);
                assert_opens(t.data, own);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_free_ char *payload = NULL;

                send_message(own, &(struct sender){ .header = bad[i] }, &t);
                if (decrypt(t.data, own, &payload) != -EBADMSG)
                        fail_msg("%s: opened", bad[i]);
        }
}

/* --- one way through --- */

/* What is done with secrets, a letter each: the linker puts these in place of OpenSSL's. */
static struct text steps;

int __real_RAND_priv_bytes(unsigned char *bytes, int n);
int __real_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in, size_t in_n);
int __real_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *n);
int __real_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n, const unsigned char *in, int in_n);
int __real_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n);
int __wrap_RAND_priv_bytes(unsigned char *bytes, int n);
int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in, size_t in_n);
int __wrap_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *n);
int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n, const unsigned char *in, int in_n);
int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n);

int __wrap_RAND_priv_bytes(unsigned char *bytes, int n)
{
        text_addf(&steps, "random %d, ", n);
        return __real_RAND_priv_bytes(bytes, n);
}

int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in, size_t in_n)
{
        text_addf(&steps, "unwrap %zu, ", in_n);
        return __real_EVP_PKEY_decrypt(ctx, out, n, in, in_n);
}

int __wrap_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *n)
{
        text_add(&steps, "agree, ");
        return __real_EVP_PKEY_derive(ctx, key, n);
}

int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n, const unsigned char *in, int in_n)
{
        text_addf(&steps, "%s %d, ", out ? "decrypt" : "header", in_n);
        return __real_EVP_DecryptUpdate(ctx, out, n, in, in_n);
}

int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n)
{
        text_add(&steps, "tag.");
        return __real_EVP_DecryptFinal_ex(ctx, out, n);
}

/* The first letter of a part, which stands for bits that all count, becomes another. */
static void change(struct text *t, size_t part)
{
        char *at = t->data;

        for (size_t i = 0; i < part; i++)
                at = strchr(at, '.') + 1;
        *at = *at == 'A' ? 'B' : 'A';
}

static void takes_the_way_of(const char *wanted, const char *what, const struct text *t, const struct key *own)
{
        _cleanup_free_ char *payload = NULL;

        text_truncate(&steps, 0);
        if (decrypt(t->data, own, &payload) != -EBADMSG)
                fail_msg("%s: opened", what);
        if (!streq(steps.data, wanted))
                fail_msg("%s: \"%s\" instead of \"%s\"", what, steps.data, wanted);
}

/*
 * RFC 7516, 11.5: whether the key of the content unwraps, and to what, is told
 * neither by the answer nor by what is done for it.  A modulus is not padded, and
 * so a number is too large for it or not: of that the sender needs no telling.
 */
static void test_failures_take_the_way_of_success(void **state _unused_)
{
        static const char header[] = HEADER("");
        static const struct {
                const char *what;
                struct sender sender;
        } rows[] = {
                { "a key too short", { .header = header, .cek_bytes = 16 } },
                { "a key too short by one", { .header = header, .cek_bytes = 31 } },
                { "a key too long by one", { .header = header, .cek_bytes = 33 } },
                { "a key twice as long", { .header = header, .cek_bytes = 64 } },
                { "another digest in OAEP", { .header = header, .oaep = EVP_sha1 } },
                { "padding of RSA1_5", { .header = header, .pkcs1 = true } },
        };
        static const char *const parts[] = { NULL, "the wrapped key", "the IV", "the ciphertext", "the tag" };
        static const char *const keys[] = { RFC7515_A2_KEY, RFC7515_A3_KEY, JWE_X25519_KEY };
        static const char *const messages[] = { JWE_RSA, JWE_P256, JWE_X25519 };
        _cleanup_(key_freep) struct key *rsa = key_of(RFC7515_A2_KEY), *stranger = new_key(KEY_RSA_OAEP_256);
        _cleanup_text_ struct text t = { 0 };
        _cleanup_free_ char *good = NULL;

        send_message(rsa, &(struct sender){ .header = header }, &t);
        text_truncate(&steps, 0);
        assert_opens(t.data, rsa);
        good = strdup(steps.data);
        assert_string_equal(good, "random 32, unwrap 256, header 51, decrypt 5, tag.");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                send_message(rsa, &rows[i].sender, &t);
                takes_the_way_of(good, rows[i].what, &t, rsa);
        }
        send_message(stranger, &(struct sender){ .header = header }, &t);
        takes_the_way_of(good, "to another key", &t, rsa);
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                _cleanup_(key_freep) struct key *own = key_of(keys[i]);

                text_truncate(&steps, 0);
                assert_opens(messages[i], own);
                free(good);
                good = strdup(steps.data);
                for (size_t part = 1; part < ARRAY_SIZE(parts); part++) {
                        if (part == 1 && i > 0) /* with ECDH-ES there is none */
                                continue;
                        text_truncate(&t, 0);
                        text_add(&t, messages[i]);
                        change(&t, part);
                        takes_the_way_of(good, parts[part], &t, own);
                }
        }
        text_reset(&steps);
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
                cmocka_unit_test(test_headers_of_whole_messages),
                cmocka_unit_test(test_failures_take_the_way_of_success),
                cmocka_unit_test(test_x25519_points_of_small_order),
                cmocka_unit_test(test_kid),
                cmocka_unit_test(test_public_half_opens_nothing),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_long_parts),
                cmocka_unit_test(test_is_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
