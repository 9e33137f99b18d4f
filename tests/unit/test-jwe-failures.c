/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Encrypted messages that are good but for one thing: each such thing is noticed,
 * and none by another way through than the one that opens a good message.
 */

#include "core/jwe.h"

#include "jose-vectors.h"
#include "util/base64.h"
#include "util/digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "jose-keys.h"

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

/* What another program would send that holds other views than ours; what is 0 is as it should be. */
struct sender {
        const char *header;
        size_t cek_bytes;
        const EVP_MD *(*oaep)(void);
        bool pkcs1; /* RSA1_5 */
};

static void wrap(const struct key *to, const struct sender *sender, const unsigned char *cek, size_t n,
                 struct text *t)
{
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(to->pkey, NULL);
        const EVP_MD *md = sender->oaep ? sender->oaep() : EVP_sha256();
        unsigned char wrapped[256];
        size_t wrapped_n = sizeof wrapped;

        assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
        assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, sender->pkcs1 ? RSA_PKCS1_PADDING
                                                                    : RSA_PKCS1_OAEP_PADDING) > 0);
        if (!sender->pkcs1)
                assert_true(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) > 0 &&
                            EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) > 0);
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
        assert_int_equal(EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), cek, (const unsigned char *) IV, NULL),
                         1);
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

/* The whole message under a header that is put together of these, with ' for ". */
static int receive(const struct key *own, const char *format, const char *value)
{
        _cleanup_text_ struct text header = { 0 }, t = { 0 };
        _cleanup_free_ char *payload = NULL;

        for (const char *c = format; *c; c++)
                if (*c == '$')
                        text_add(&header, value);
                else
                        text_addc(&header, *c);
        for (size_t i = 0; i < header.len; i++)
                if (header.data[i] == '\'')
                        header.data[i] = '"';
        send_message(own, &(struct sender){ .header = header.data }, &t);
        return decrypt(t.data, own, &payload);
}

static void test_headers_of_whole_messages(void **state _unused_)
{
        static const char *const good[] = { "", ",'cty':'JWT'", ",'typ':'JWT'", ",'kid':'own'", " " };
        static const struct {
                const char *format, *values[40];
        } bad[] = {
                { "{'alg':'RSA-OAEP-256','enc':$}",
                  { "'a256gcm'",
                    "'A256gcm'",
                    "'A256GCM '",
                    "' A256GCM'",
                    "'A256GCM\\u0000'",
                    "'A256GCMX'",
                    "'A256GC'",
                    "'A192GCM'",
                    "'A128GCM'",
                    "'A256KW'",
                    "'A256CBC-HS512'",
                    "'none'",
                    "''",
                    "null",
                    "256",
                    "true",
                    "['A256GCM']",
                    "{}",
                    "'A256GCM'}{}",
                    "'A256GCM'}x",
                    "'A256GCM','enc':'A256GCM'" } },
                { "{'enc':'A256GCM','alg':$}",
                  { "'RSA-OAEP'", "'RSA1_5'", "'RSA-OAEP-512'", "'rsa-oaep-256'", "'dir'", "'A256KW'",
                    "'A256GCMKW'", "'PBES2-HS256+A128KW'", "'none'", "'ECDH-ES'", "'ECDH-ES+A256KW'", "''",
                    "null", "['RSA-OAEP-256']", "'RSA-OAEP-256','alg':'dir'" } },
                { "{'alg':'RSA-OAEP-256','enc':'A256GCM',$}",
                  { "'enc':'A128GCM'",
                    "'\\u0065nc':'A256GCM'",
                    "'alg':'RSA-OAEP-256'",
                    "'crit':['exp'],'exp':9",
                    "'crit':[]",
                    "'crit':['enc']",
                    "'crit':null",
                    "'zip':'DEF'",
                    "'zip':null",
                    "'b64':true",
                    "'jwk':{}",
                    "'jku':'https://example.com'",
                    "'x5u':'https://example.com'",
                    "'x5c':[]",
                    "'x5t':'AA'",
                    "'x5t#S256':'AA'",
                    "'p2c':100000000,'p2s':'AA'",
                    "'iv':'AA'",
                    "'tag':'AA'",
                    "'exp':9",
                    "'':1",
                    "'apu':'AA'",
                    "'apv':'AA'",
                    "'epk':{}",
                    "'cty':'jwt'",
                    "'cty':'JWE'",
                    "'cty':''",
                    "'cty':['JWT']",
                    "'typ':1",
                    "'kid':'other'",
                    "'kid':'../own'",
                    "'kid':''",
                    "'kid':1",
                    "'kid':'\xff'",
                    "" } },
                { "$",
                  { "{'alg':'RSA-OAEP-256'}", "{'enc':'A256GCM'}", "{'alg':'RSA-OAEP-256','Enc':'A256GCM'}",
                    "[{'alg':'RSA-OAEP-256','enc':'A256GCM'}]",
                    "{'protected':{'alg':'RSA-OAEP-256','enc':'A256GCM'}}", "{}", "[]", "null" } },
        };
        _cleanup_(key_freep) struct key *own = key_of(RFC7515_A2_KEY);

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_int_equal(receive(own, "{'alg':'RSA-OAEP-256','enc':'A256GCM'$}", good[i]), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                for (const char *const *value = bad[i].values; *value; value++)
                        if (receive(own, bad[i].format, *value) != -EBADMSG)
                                fail_msg("%s with %s: opened", bad[i].format, *value);
}

/* --- one way through --- */

/* What is done with secrets, a letter each: the linker puts these in place of OpenSSL's. */
static struct text steps;

int __real_RAND_priv_bytes(unsigned char *bytes, int n);
int __real_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in,
                            size_t in_n);
int __real_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *n);
int __real_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n, const unsigned char *in,
                             int in_n);
int __real_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n);
int __wrap_RAND_priv_bytes(unsigned char *bytes, int n);
int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in,
                            size_t in_n);
int __wrap_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *n);
int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n, const unsigned char *in,
                             int in_n);
int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n);

int __wrap_RAND_priv_bytes(unsigned char *bytes, int n)
{
        text_addf(&steps, "random %d, ", n);
        return __real_RAND_priv_bytes(bytes, n);
}

int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in,
                            size_t in_n)
{
        text_addf(&steps, "unwrap %zu, ", in_n);
        return __real_EVP_PKEY_decrypt(ctx, out, n, in, in_n);
}

int __wrap_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *n)
{
        text_add(&steps, "agree, ");
        return __real_EVP_PKEY_derive(ctx, key, n);
}

int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n, const unsigned char *in,
                             int in_n)
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

static void takes_the_way_of(const char *wanted, const char *what, const struct text *t,
                             const struct key *own)
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
        static const char *const parts[] = { NULL, "the wrapped key", "the IV", "the ciphertext",
                                             "the tag" };
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_headers_of_whole_messages),
                cmocka_unit_test(test_failures_take_the_way_of_success),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
