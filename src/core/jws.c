/* SPDX-License-Identifier: Apache-2.0 */

/* Compact JWS (RFC 7515) with the algorithms of RFC 7518 and 8037 that we take. */

#include "core/jws.h"

#include "core/evp.h"
#include "core/jose.h"
#include "util/base64.h"
#include "util/digest.h"

#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#define SIGNATURE_MAX (KEY_RSA_BITS_MAX / 8)
#define HMAC_BYTES 32
#define EDDSA_BYTES 64
#define P256_BYTES 32 /* of each half of an ES256 signature */

void jws_reset(struct jws *j)
{
        free(j->kid);
        free(j->typ);
        free(j->alg);
        free(j->payload);
        free(j->signature);
        *j = (struct jws){ 0 };
}

static int refuse(const char **ret_why, const char *why)
{
        *ret_why = why;
        return -EBADMSG;
}

/* --- apart --- */

static int copy_header(const struct jose_header *h, struct jws *j)
{
        j->alg = strdup(h->alg);
        j->kid = h->kid ? strdup(h->kid) : NULL;
        j->typ = h->typ ? strdup(h->typ) : NULL;
        return j->alg && !j->kid == !h->kid && !j->typ == !h->typ ? 0 : -ENOMEM;
}

static int decode_part(struct jose_part part, unsigned char **ret, size_t *ret_n, const char **ret_why)
{
        int r = base64url_decode(part.text, part.len, ret, ret_n);

        return r == -EBADMSG ? refuse(ret_why, "a part of it is not base64url") : r;
}

static int read_parts(const struct jose_part parts[static 3], struct jws *j, const char **ret_why)
{
        static const char *const names[] = { "alg", "kid", "typ", NULL };
        _cleanup_(jose_header_reset) struct jose_header h = { 0 };
        unsigned char *payload;
        int r = jose_header_read(parts[0], names, &h, ret_why);

        if (r == 0)
                r = copy_header(&h, j);
        if (r == 0)
                r = decode_part(parts[2], &j->signature, &j->signature_len, ret_why);
        if (r == 0)
                r = decode_part(parts[1], &payload, &j->payload_len, ret_why);
        if (r == 0)
                j->payload = (char *) payload;
        return r;
}

int jws_parse(const char *token, size_t n, struct jws *ret, const char **ret_why)
{
        _cleanup_(jws_reset) struct jws j = { 0 };
        struct jose_part parts[JOSE_PARTS_MAX];
        int r;

        if (jose_split(token, n, parts) != 3)
                return refuse(ret_why, "it has not three parts");
        for (size_t i = 0; i < 3; i++) {
                if (parts[i].len == 0)
                        return refuse(ret_why, "a part of it is empty");
                if (parts[i].len > JWS_PART_MAX)
                        return refuse(ret_why, "a part of it is too long");
        }
        r = read_parts(parts, &j, ret_why);
        if (r < 0)
                return r;
        j.signed_part = token;
        j.signed_len = (size_t) (parts[2].text - 1 - token);
        *ret = j;
        j = (struct jws){ 0 };
        return 0;
}

/* --- by this key? --- */

static bool hmac(const struct key *k, const void *bytes, size_t n, unsigned char ret[static HMAC_BYTES])
{
        return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, k->secret, k->secret_len, bytes, n, ret,
                         HMAC_BYTES, NULL) != NULL;
}

static bool hmac_fits(const struct jws *j, const struct key *k)
{
        unsigned char wanted[HMAC_BYTES];
        bool fits = j->signature_len == sizeof wanted && hmac(k, j->signed_part, j->signed_len, wanted) &&
                    CRYPTO_memcmp(wanted, j->signature, sizeof wanted) == 0;

        OPENSSL_cleanse(wanted, sizeof wanted);
        return fits;
}

static bool is_rsa(const struct key *k)
{
        return k->algorithm == KEY_RS256 || k->algorithm == KEY_PS256;
}

/* EdDSA hashes by itself; PS256 takes its salt as long as the digest. */
static bool set_up(const struct key *k, EVP_MD_CTX *md,
                   int (*init)(EVP_MD_CTX *md, EVP_PKEY_CTX **ret, const EVP_MD *type, ENGINE *e,
                               EVP_PKEY *pkey))
{
        const EVP_MD *digest = k->algorithm == KEY_EDDSA ? NULL : EVP_sha256();
        EVP_PKEY_CTX *ctx = NULL;

        if (init(md, &ctx, digest, NULL, k->pkey) != 1)
                return false;
        if (is_rsa(k) &&
            EVP_PKEY_CTX_set_rsa_padding(ctx, k->algorithm == KEY_PS256 ? RSA_PKCS1_PSS_PADDING
                                                                        : RSA_PKCS1_PADDING) <= 0)
                return false;
        return k->algorithm != KEY_PS256 ||
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static bool pkey_fits(const struct jws *j, const struct key *k, const unsigned char *signature, size_t n)
{
        _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();

        return md && set_up(k, md, EVP_DigestVerifyInit) &&
               EVP_DigestVerify(md, signature, n, (const void *) j->signed_part, j->signed_len) == 1;
}

/* Is it above zero and below the order of P-256? */
static bool is_scalar(const unsigned char bytes[static P256_BYTES])
{
        static const unsigned char order[P256_BYTES] = {
                0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
        };
        static const unsigned char zero[P256_BYTES];

        return memcmp(bytes, zero, P256_BYTES) != 0 && memcmp(bytes, order, P256_BYTES) < 0;
}

/*
 * Of the two values of s that fit, both are taken: other programs write either,
 * half of the time the higher one.  So one signed statement has two texts, and
 * nothing may be told from the text of a token: what is remembered of one goes
 * by the key's name and the claims.
 */
static bool ecdsa_fits(const struct jws *j, const struct key *k)
{
        _cleanup_(ECDSA_SIG_freep) ECDSA_SIG *pair = NULL;
        const unsigned char *rs = j->signature;
        BIGNUM *r, *s;
        unsigned char *der = NULL;
        bool fits;
        int n;

        if (j->signature_len != 2 * P256_BYTES || !is_scalar(rs) || !is_scalar(rs + P256_BYTES))
                return false;
        pair = ECDSA_SIG_new();
        r = BN_bin2bn(rs, P256_BYTES, NULL);
        s = BN_bin2bn(rs + P256_BYTES, P256_BYTES, NULL);
        if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
                BN_free(r);
                BN_free(s);
                return false;
        }
        n = i2d_ECDSA_SIG(pair, &der);
        fits = n > 0 && pkey_fits(j, k, der, (size_t) n);
        OPENSSL_free(der);
        return fits;
}

static bool signature_fits(const struct jws *j, const struct key *k)
{
        switch (k->algorithm) {
        case KEY_HS256:
                return hmac_fits(j, k);
        case KEY_ES256:
                return ecdsa_fits(j, k);
        case KEY_EDDSA:
                return j->signature_len == EDDSA_BYTES && pkey_fits(j, k, j->signature, j->signature_len);
        default:
                return j->signature_len == (size_t) EVP_PKEY_get_size(k->pkey) &&
                       pkey_fits(j, k, j->signature, j->signature_len);
        }
}

int jws_verify(const struct jws *j, const struct key *k, const char **ret_why)
{
        if (k->algorithm >= _KEY_SIGNING || !streq(j->alg, key_algorithm_name(k->algorithm)))
                return refuse(ret_why, "its algorithm is not the key's");
        if (signature_fits(j, k))
                return 0;
        ERR_clear_error();
        return refuse(ret_why, "its signature is not the key's");
}

/* --- and together --- */

static int pkey_sign(const struct key *k, const void *bytes, size_t n, unsigned char *ret, size_t *ret_n)
{
        _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();

        *ret_n = SIGNATURE_MAX;
        if (!md || !set_up(k, md, EVP_DigestSignInit) || EVP_DigestSign(md, ret, ret_n, bytes, n) != 1) {
                ERR_clear_error();
                return -ENOMEM;
        }
        return 0;
}

/* From what OpenSSL writes, in place, to the two halves side by side. */
static int ecdsa_unpack(unsigned char *signature, size_t *n)
{
        const unsigned char *der = signature;
        _cleanup_(ECDSA_SIG_freep) ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long) *n);

        if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, P256_BYTES) < 0 ||
            BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + P256_BYTES, P256_BYTES) < 0)
                return -ENOMEM;
        *n = 2 * P256_BYTES;
        return 0;
}

static int make_signature(const struct key *k, const struct text *signed_part, unsigned char *ret,
                          size_t *ret_n)
{
        int r;

        if (k->algorithm == KEY_HS256) {
                *ret_n = HMAC_BYTES;
                return hmac(k, signed_part->data, signed_part->len, ret) ? 0 : -ENOMEM;
        }
        r = pkey_sign(k, signed_part->data, signed_part->len, ret, ret_n);
        return r == 0 && k->algorithm == KEY_ES256 ? ecdsa_unpack(ret, ret_n) : r;
}

int jws_sign(const struct key *k, const char *typ, const char *kid, const char *payload, size_t n,
             struct text *t)
{
        _cleanup_text_ struct text header = { 0 }, token = { 0 };
        unsigned char signature[SIGNATURE_MAX];
        size_t signature_len;
        int r;

        if (!k->can_sign || k->algorithm >= _KEY_SIGNING)
                return -EINVAL;
        text_addc(&header, '{');
        json_put(&header, "alg", key_algorithm_name(k->algorithm));
        if (typ)
                json_put(&header, "typ", typ);
        if (kid)
                json_put(&header, "kid", kid);
        text_addc(&header, '}');
        if (!text_ok(&header))
                return -ENOMEM;
        base64url_add(&token, header.data, header.len);
        text_addc(&token, '.');
        base64url_add(&token, payload, n);
        if (!text_ok(&token))
                return -ENOMEM;
        r = make_signature(k, &token, signature, &signature_len);
        if (r < 0)
                return r;
        text_addn(t, token.data, token.len);
        text_addc(t, '.');
        base64url_add(t, signature, signature_len);
        return text_ok(t) ? 0 : -ENOMEM;
}
