/* SPDX-License-Identifier: Apache-2.0 */

/* Keys out: as a JWK, member by member, and as PEM. */

#include "core/key-private.h"

#include "util/digest.h"

#include <openssl/pem.h>

/* A number of a key, and the member of a JWK that holds it. */
struct number {
        const char *member;
        const char *param;
        int width; /* bytes it is padded to; 0: as many as it has */
};

static int add_number(const EVP_PKEY *pkey, const struct number *number, struct text *t)
{
        _cleanup_secret_ struct secret s = { 0 };
        _cleanup_(BIGNUM_freep) BIGNUM *value = NULL;
        int width;

        if (!EVP_PKEY_get_bn_param(pkey, number->param, &value)) {
                ERR_clear_error();
                return -EINVAL;
        }
        width = number->width ? number->width : BN_num_bytes(value);
        s.len = (size_t) width;
        s.bytes = malloc(s.len + 1);
        if (!s.bytes || BN_bn2binpad(value, s.bytes, width) < 0)
                return -ENOMEM;
        json_name(t, number->member);
        text_addc(t, '"');
        base64url_add(t, s.bytes, s.len);
        text_addc(t, '"');
        return 0;
}

static int add_numbers(const EVP_PKEY *pkey, const struct number *numbers, struct text *t)
{
        int r = 0;

        for (; numbers->member && r == 0; numbers++)
                r = add_number(pkey, numbers, t);
        return r;
}

static int add_raw(const EVP_PKEY *pkey, const char *member,
                   int (*get)(const EVP_PKEY *pkey, unsigned char *bytes, size_t *n), struct text *t)
{
        unsigned char bytes[KEY_25519_BYTES];
        size_t n = sizeof bytes;

        if (get(pkey, bytes, &n) != 1) {
                ERR_clear_error();
                return -EINVAL;
        }
        json_name(t, member);
        text_addc(t, '"');
        base64url_add(t, bytes, n);
        text_addc(t, '"');
        OPENSSL_cleanse(bytes, sizeof bytes);
        return 0;
}

int key_add_public_members(const struct key *k, struct text *t)
{
        static const struct number point[] = { { "x", OSSL_PKEY_PARAM_EC_PUB_X, KEY_P256_BYTES },
                                               { "y", OSSL_PKEY_PARAM_EC_PUB_Y, KEY_P256_BYTES },
                                               { 0 } };
        static const struct number exponent = { "e", OSSL_PKEY_PARAM_RSA_E, 0 };
        static const struct number modulus = { "n", OSSL_PKEY_PARAM_RSA_N, 0 };
        int r;

        switch (EVP_PKEY_get_base_id(k->pkey)) {
        case EVP_PKEY_EC:
                json_put(t, "crv", "P-256");
                json_put(t, "kty", "EC");
                return add_numbers(k->pkey, point, t);
        case EVP_PKEY_RSA:
                r = add_number(k->pkey, &exponent, t);
                json_put(t, "kty", "RSA");
                return r < 0 ? r : add_number(k->pkey, &modulus, t);
        default:
                json_put(t, "crv", k->algorithm == KEY_EDDSA ? "Ed25519" : "X25519");
                json_put(t, "kty", "OKP");
                return add_raw(k->pkey, "x", EVP_PKEY_get_raw_public_key, t);
        }
}

static int add_private_members(const struct key *k, struct text *t)
{
        static const struct number scalar[] = { { "d", OSSL_PKEY_PARAM_PRIV_KEY, KEY_P256_BYTES }, { 0 } };
        static const struct number rsa[] = {
                { "d", OSSL_PKEY_PARAM_RSA_D, 0 },          { "p", OSSL_PKEY_PARAM_RSA_FACTOR1, 0 },
                { "q", OSSL_PKEY_PARAM_RSA_FACTOR2, 0 },    { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1, 0 },
                { "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2, 0 }, { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1, 0 },
                { 0 },
        };

        switch (EVP_PKEY_get_base_id(k->pkey)) {
        case EVP_PKEY_EC:
                return add_numbers(k->pkey, scalar, t);
        case EVP_PKEY_RSA:
                return add_numbers(k->pkey, rsa, t);
        default:
                return add_raw(k->pkey, "d", EVP_PKEY_get_raw_private_key, t);
        }
}

static int add_secret(const struct key *k, bool with_private, struct text *t)
{
        if (!with_private)
                return -EINVAL;
        json_name(t, "k");
        text_addc(t, '"');
        base64url_add(t, k->secret, k->secret_len);
        text_addc(t, '"');
        json_put(t, "kty", "oct");
        return 0;
}

int key_to_jwk(const struct key *k, bool with_private, struct text *t)
{
        size_t begin = t->len;
        int r;

        if (with_private && !k->can_sign)
                return -EINVAL;
        text_addc(t, '{');
        r = k->pkey ? key_add_public_members(k, t) : add_secret(k, with_private, t);
        if (r == 0 && k->algorithm == KEY_PS256) /* an RSA key that does not say is for RS256 */
                json_put(t, "alg", key_algorithm_name(k->algorithm));
        if (r == 0 && with_private && k->pkey)
                r = add_private_members(k, t);
        text_addc(t, '}');
        if (r < 0)
                text_truncate(t, begin);
        return r < 0 ? r : text_ok(t) ? 0 : -ENOMEM;
}

int key_to_pem(const struct key *k, bool with_private, struct text *t, struct fault *f)
{
        BIO *bio;
        char *bytes = NULL;
        long n = 0;
        int ok;

        if (!k->pkey)
                return fault_set(f, FAULT_INVALID, NULL, "a secret is written as a JWK, not as PEM");
        if (with_private && !k->can_sign)
                return fault_set(f, FAULT_INVALID, NULL, "the private half of this key is not here");
        bio = BIO_new(BIO_s_mem());
        if (!bio)
                return fault_oom(f);
        ok = with_private ? PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL)
                          : PEM_write_bio_PUBKEY(bio, k->pkey);
        if (ok == 1)
                n = BIO_get_mem_data(bio, &bytes);
        text_addn(t, bytes, (size_t) n);
        BIO_free(bio); /* cleanses what it held */
        if (ok != 1) {
                ERR_clear_error();
                return fault_set(f, FAULT_INTERNAL, NULL, "OpenSSL did not write the key");
        }
        return text_ok(t) ? 0 : fault_oom(f);
}
