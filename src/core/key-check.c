/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is a key one that may be trusted to do its work?  OpenSSL loads what it can
 * parse; this is where weak, foreign and malformed keys end.
 */

#include "core/key-private.h"

/* OpenSSL itself refuses longer ones with big moduli; nobody uses them. */
#define RSA_EXPONENT_BITS_MAX 64

static bool passes(EVP_PKEY *pkey, int (*check)(EVP_PKEY_CTX *ctx))
{
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
        bool ok = ctx && check(ctx) == 1;

        if (!ok)
                ERR_clear_error();
        return ok;
}

static int check_halves(EVP_PKEY *pkey, bool is_private, struct fault *f)
{
        if (is_private && !passes(pkey, EVP_PKEY_pairwise_check))
                return fault_set(f, FAULT_INVALID, NULL, "its private half does not fit its public one");
        return 0;
}

static int check_rsa(EVP_PKEY *pkey, bool is_private, struct fault *f)
{
        _cleanup_(BIGNUM_freep) BIGNUM *e = NULL;
        int bits = EVP_PKEY_get_bits(pkey);

        if (bits < KEY_RSA_BITS_MIN || bits > KEY_RSA_BITS_MAX)
                return fault_set(f, FAULT_INVALID, "n", "an RSA key has %d to %d bits, not %d",
                                 KEY_RSA_BITS_MIN, KEY_RSA_BITS_MAX, bits);
        if (!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e))
                return fault_oom(f);
        if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > RSA_EXPONENT_BITS_MAX)
                return fault_set(f, FAULT_INVALID, "e", "its RSA exponent is not odd, from 3 and below 2^%d",
                                 RSA_EXPONENT_BITS_MAX);
        if (!passes(pkey, EVP_PKEY_public_check))
                return fault_set(f, FAULT_INVALID, "n", "its RSA modulus is no product of two large primes");
        return check_halves(pkey, is_private, f);
}

static int check_p256(EVP_PKEY *pkey, bool is_private, struct fault *f)
{
        char group[32] = "";
        int explicit = 0;

        (void) EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL);
        (void) EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit);
        ERR_clear_error();
        if (!streq(group, "prime256v1") || explicit)
                return fault_set(f, FAULT_INVALID, "crv", "its curve is not P-256, by name");
        if (!passes(pkey, EVP_PKEY_public_check))
                return fault_set(f, FAULT_INVALID, NULL, "its point is not on the curve P-256");
        return check_halves(pkey, is_private, f);
}

/* The numbers of one encoded point of Ed25519, as far as its soundness depends on them. */
struct point {
        BIGNUM *p, *y, *y2, *u, *v, *t;
};

/*
 * x² = u / v, with u = y² - 1 and v = d·y² + 1.  As d is -121665/121666, all is
 * multiplied by 121666, so that no division is left.
 */
static bool compute_point(struct point *q, const unsigned char bytes[static KEY_25519_BYTES], BN_CTX *ctx)
{
        unsigned char y[KEY_25519_BYTES];

        memcpy(y, bytes, sizeof y);
        y[KEY_25519_BYTES - 1] &= 0x7f; /* the last bit is the sign of x */
        BN_CTX_start(ctx);
        q->p = BN_CTX_get(ctx);
        q->y = BN_CTX_get(ctx);
        q->y2 = BN_CTX_get(ctx);
        q->u = BN_CTX_get(ctx);
        q->v = BN_CTX_get(ctx);
        q->t = BN_CTX_get(ctx);
        return q->t && BN_set_bit(q->p, 255) && BN_sub_word(q->p, 19) && BN_lebin2bn(y, sizeof y, q->y) &&
               BN_mod_sqr(q->y2, q->y, q->p, ctx) && BN_copy(q->u, q->y2) && BN_set_word(q->t, 1) &&
               BN_mod_sub(q->u, q->u, q->t, q->p, ctx) && BN_copy(q->t, q->y2) &&
               BN_mul_word(q->t, 121665) && BN_set_word(q->v, 121666) &&
               BN_mod_sub(q->v, q->v, q->t, q->p, ctx);
}

/*
 * Of small order are y = 0 (order 4), y = ±1 (1 and 2) and those whose double
 * has y = 0 (8): d·y⁴ + 2y² - 1 = 0, which is y²·(v + 121666) = 121666.
 */
static bool is_of_small_order(struct point *q, BN_CTX *ctx)
{
        if (BN_is_zero(q->y) || BN_is_zero(q->u))
                return true;
        return !BN_copy(q->t, q->v) || !BN_add_word(q->t, 121666) ||
               !BN_mod_mul(q->t, q->t, q->y2, q->p, ctx) || BN_is_word(q->t, 121666);
}

/* Is u / v the square of some x?  It is when u·v is. */
static bool is_on_curve(struct point *q, BN_CTX *ctx)
{
        return BN_mod_mul(q->t, q->u, q->v, q->p, ctx) && BN_mul_word(q->t, 121666) &&
               BN_kronecker(q->t, q->p, ctx) == 1;
}

/* OpenSSL takes any 32 bytes for a public key, and anybody can sign for one of small order. */
static int check_ed25519(EVP_PKEY *pkey, struct fault *f)
{
        _cleanup_(BN_CTX_freep) BN_CTX *ctx = BN_CTX_new();
        unsigned char bytes[KEY_25519_BYTES];
        size_t n = sizeof bytes;
        struct point q = { 0 };

        if (!ctx || EVP_PKEY_get_raw_public_key(pkey, bytes, &n) != 1 || n != sizeof bytes ||
            !compute_point(&q, bytes, ctx))
                return fault_oom(f);
        if (BN_cmp(q.y, q.p) >= 0)
                return fault_set(f, FAULT_INVALID, "x", "its point on Ed25519 is not in its canonical form");
        if (is_of_small_order(&q, ctx))
                return fault_set(f, FAULT_INVALID, "x", "its point on Ed25519 is of small order");
        if (!is_on_curve(&q, ctx))
                return fault_set(f, FAULT_INVALID, "x", "its bytes are no point on Ed25519");
        return 0;
}

static int wrong_purpose(bool encryption, struct fault *f)
{
        if (encryption)
                return fault_set(f, FAULT_INVALID, NULL,
                                 "tokens are encrypted to a key on P-256 or X25519, or of RSA");
        return fault_set(f, FAULT_INVALID, NULL,
                         "tokens are signed with a key on Ed25519 or P-256, of RSA, or a secret in a JWK");
}

int key_examine(EVP_PKEY *pkey, bool is_private, bool encryption, enum key_algorithm *ret, struct fault *f)
{
        switch (EVP_PKEY_get_base_id(pkey)) {
        case EVP_PKEY_ED25519:
                *ret = KEY_EDDSA;
                return encryption ? wrong_purpose(encryption, f) : check_ed25519(pkey, f);
        case EVP_PKEY_X25519:
                *ret = KEY_ECDH_X25519;
                return encryption ? 0 : wrong_purpose(encryption, f);
        case EVP_PKEY_EC:
                *ret = encryption ? KEY_ECDH_P256 : KEY_ES256;
                return check_p256(pkey, is_private, f);
        case EVP_PKEY_RSA:
                *ret = encryption ? KEY_RSA_OAEP_256 : KEY_RS256;
                return check_rsa(pkey, is_private, f);
        default:
                return wrong_purpose(encryption, f);
        }
}
