/* SPDX-License-Identifier: Apache-2.0 */

/* Keys in, as JSON: a JWK (RFC 7517, 7518, 8037) and sets of them. */

#include "core/key-private.h"

#include "util/base64.h"

#include <stdio.h>

/* Of the longest number there is: a modulus of KEY_RSA_BITS_MAX. */
#define NUMBER_MAX (KEY_RSA_BITS_MAX / 6 + 2)

struct jwk {
        const char *kty, *use, *alg, *kid, *crv;
        const char *x, *y, *d, *n, *e, *p, *q, *dp, *dq, *qi, *k;
        const struct json *key_ops, *oth, *limits;
};

static const char **string_at(struct jwk *jwk, size_t offset)
{
        return (const char **) (void *) ((char *) jwk + offset);
}

/* Names are exact here, which json_member() is not; those that mean nothing to us are passed over. */
static int take_member(const struct json *v, const char *name, struct jwk *jwk, struct fault *f)
{
        static const struct {
                const char *name;
                size_t offset;
        } strings[] = {
                { "kty", offsetof(struct jwk, kty) }, { "use", offsetof(struct jwk, use) },
                { "alg", offsetof(struct jwk, alg) }, { "kid", offsetof(struct jwk, kid) },
                { "crv", offsetof(struct jwk, crv) }, { "x", offsetof(struct jwk, x) },
                { "y", offsetof(struct jwk, y) },     { "d", offsetof(struct jwk, d) },
                { "n", offsetof(struct jwk, n) },     { "e", offsetof(struct jwk, e) },
                { "p", offsetof(struct jwk, p) },     { "q", offsetof(struct jwk, q) },
                { "dp", offsetof(struct jwk, dp) },   { "dq", offsetof(struct jwk, dq) },
                { "qi", offsetof(struct jwk, qi) },   { "k", offsetof(struct jwk, k) },
        };

        if (streq(name, "key_ops"))
                jwk->key_ops = v;
        else if (streq(name, "oth"))
                jwk->oth = v;
        else if (streq(name, "geard"))
                jwk->limits = v;
        for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
                if (streq(name, strings[i].name))
                        return json_get_string(v, name, KEY_FILE_MAX, string_at(jwk, strings[i].offset), f);
        return 0;
}

static int read_members(const struct json *v, struct jwk *ret, struct fault *f)
{
        const struct json *member;
        const char *name;
        int r = 0;

        if (!json_is_object(v))
                return fault_set(f, FAULT_INVALID, NULL, "a JWK is an object");
        for (size_t i = 0; r == 0 && (member = json_object_at(v, i, &name)); i++)
                r = take_member(member, name, ret, f);
        if (r == 0 && !ret->kty)
                return fault_set(f, FAULT_INVALID, "kty", "a JWK says its `kty'");
        return r;
}

/* --- is it for what it is wanted for? --- */

static bool lists_operation(const struct json *ops, bool encryption)
{
        static const char *const verify[] = { "verify", "sign", NULL };
        static const char *const decrypt[] = { "deriveKey",  "deriveBits", "unwrapKey", "wrapKey",
                                               "decrypt", "encrypt",    NULL };

        for (size_t i = 0; i < json_array_len(ops); i++) {
                struct fault ignored;
                const char *op;

                if (json_get_string(json_array_at(ops, i), "key_ops", KEY_FILE_MAX, &op, &ignored) < 0)
                        continue;
                for (const char *const *wanted = encryption ? decrypt : verify; *wanted; wanted++)
                        if (streq(op, *wanted))
                                return true;
        }
        return false;
}

static bool find_algorithm(const struct jwk *jwk, bool encryption, enum key_algorithm *ret)
{
        static const struct {
                enum key_algorithm algorithm;
                const char *kty, *crv;
        } kinds[] = {
                { KEY_EDDSA, "OKP", "Ed25519" },       { KEY_ES256, "EC", "P-256" },
                { KEY_RS256, "RSA", NULL },            { KEY_PS256, "RSA", NULL },
                { KEY_HS256, "oct", NULL },            { KEY_ECDH_P256, "EC", "P-256" },
                { KEY_ECDH_X25519, "OKP", "X25519" },  { KEY_RSA_OAEP_256, "RSA", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                enum key_algorithm a = kinds[i].algorithm;

                if ((a >= _KEY_SIGNING) == encryption && streq(jwk->kty, kinds[i].kty) &&
                    (!kinds[i].crv || streq_null(jwk->crv, kinds[i].crv)) &&
                    (!jwk->alg || streq(jwk->alg, key_algorithm_name(a)))) {
                        *ret = a;
                        return true;
                }
        }
        return false;
}

/* Why the key is not one of those asked for, well-formed as it may be; NULL when it is. */
static const char *why_unfit(const struct jwk *jwk, bool encryption, enum key_algorithm *ret)
{
        if (jwk->use && !streq(jwk->use, encryption ? "enc" : "sig"))
                return "its `use' forbids it";
        if (jwk->key_ops && !lists_operation(jwk->key_ops, encryption))
                return "its `key_ops' forbid it";
        if (find_algorithm(jwk, encryption, ret))
                return NULL;
        return encryption
                       ? "its `kty', `crv' and `alg' are not ECDH-ES on P-256 or X25519, nor RSA-OAEP-256"
                       : "its `kty', `crv' and `alg' are not EdDSA on Ed25519, ES256 on P-256, RS256, PS256 "
                         "or HS256";
}

/* --- its numbers --- */

static int decode(const char *value, const char *member, struct secret *ret, struct fault *f)
{
        int r;

        if (!value)
                return fault_set(f, FAULT_INVALID, member, "`%s' is missing", member);
        r = base64url_decode(value, strlen(value), &ret->bytes, &ret->len);
        if (r == -ENOMEM)
                return fault_oom(f);
        if (r < 0)
                return fault_set(f, FAULT_INVALID, member, "`%s' is not base64url", member);
        return 0;
}

static int decode_exactly(const char *value, const char *member, size_t len, struct secret *ret,
                          struct fault *f)
{
        int r = decode(value, member, ret, f);

        if (r == 0 && ret->len != len)
                return fault_set(f, FAULT_INVALID, member, "`%s' has %zu bytes instead of %zu", member,
                                 ret->len, len);
        return r;
}

/* A private half that came with another public one would sign what nobody can verify. */
static int check_same_public(EVP_PKEY *pkey, const struct secret *x, struct fault *f)
{
        unsigned char derived[KEY_25519_BYTES];
        size_t n = sizeof derived;

        if (EVP_PKEY_get_raw_public_key(pkey, derived, &n) != 1)
                return fault_oom(f);
        if (n != x->len || CRYPTO_memcmp(derived, x->bytes, n) != 0)
                return fault_set(f, FAULT_INVALID, "d", "its private half does not fit its public one");
        return 0;
}

static int okp_pkey(const struct jwk *jwk, int type, EVP_PKEY **ret, struct fault *f)
{
        _cleanup_secret_ struct secret x = { 0 }, d = { 0 };
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;
        int r = decode_exactly(jwk->x, "x", KEY_25519_BYTES, &x, f);

        if (r == 0 && jwk->d)
                r = decode_exactly(jwk->d, "d", KEY_25519_BYTES, &d, f);
        if (r < 0)
                return r;
        pkey = jwk->d ? EVP_PKEY_new_raw_private_key(type, NULL, d.bytes, d.len)
                      : EVP_PKEY_new_raw_public_key(type, NULL, x.bytes, x.len);
        if (!pkey)
                return fault_oom(f);
        r = jwk->d ? check_same_public(pkey, &x, f) : 0;
        if (r == 0)
                *ret = TAKE(pkey);
        return r;
}

static int from_params(const char *type, OSSL_PARAM_BLD *build, bool is_private, EVP_PKEY **ret,
                       struct fault *f)
{
        _cleanup_(OSSL_PARAM_freep) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

        if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1)
                return fault_oom(f);
        if (EVP_PKEY_fromdata(ctx, ret, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
                return fault_set(f, FAULT_INVALID, NULL, "its numbers are no %s key", type);
        return 0;
}

static int ec_pkey(const struct jwk *jwk, EVP_PKEY **ret, struct fault *f)
{
        _cleanup_(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        _cleanup_secret_ struct secret x = { 0 }, y = { 0 }, d = { 0 };
        unsigned char point[1 + 2 * KEY_P256_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
        _cleanup_(BIGNUM_freep) BIGNUM *scalar = NULL;
        int r = decode_exactly(jwk->x, "x", KEY_P256_BYTES, &x, f);

        if (r == 0)
                r = decode_exactly(jwk->y, "y", KEY_P256_BYTES, &y, f);
        if (r == 0 && jwk->d)
                r = decode_exactly(jwk->d, "d", KEY_P256_BYTES, &d, f);
        if (r < 0)
                return r;
        memcpy(point + 1, x.bytes, KEY_P256_BYTES);
        memcpy(point + 1 + KEY_P256_BYTES, y.bytes, KEY_P256_BYTES);
        if (!build || !OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ||
            !OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point))
                return fault_oom(f);
        if (jwk->d) {
                scalar = BN_secure_new();
                if (!scalar || !BN_bin2bn(d.bytes, (int) d.len, scalar) ||
                    !OSSL_PARAM_BLD_push_BN_pad(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar, KEY_P256_BYTES))
                        return fault_oom(f);
        }
        return from_params("EC", build, jwk->d, ret, f);
}

/* RFC 7518, 2: no byte more than the number needs. */
static int push_number(OSSL_PARAM_BLD *build, const char *value, const char *member, const char *param,
                       BIGNUM **ret, struct fault *f)
{
        _cleanup_secret_ struct secret s = { 0 };
        int r;

        if (value && strlen(value) > NUMBER_MAX)
                return fault_set(f, FAULT_INVALID, member, "`%s' has more than %d bits", member,
                                 KEY_RSA_BITS_MAX);
        r = decode(value, member, &s, f);
        if (r < 0)
                return r;
        if (s.len == 0 || s.bytes[0] == 0)
                return fault_set(f, FAULT_INVALID, member, "`%s' is not in its shortest form", member);
        *ret = BN_secure_new();
        if (!*ret || !BN_bin2bn(s.bytes, (int) s.len, *ret) || !OSSL_PARAM_BLD_push_BN(build, param, *ret))
                return fault_oom(f);
        return 0;
}

static int rsa_pkey(const struct jwk *jwk, EVP_PKEY **ret, struct fault *f)
{
        const struct {
                const char *value, *member, *param;
        } rows[] = {
                { jwk->n, "n", OSSL_PKEY_PARAM_RSA_N },
                { jwk->e, "e", OSSL_PKEY_PARAM_RSA_E },
                { jwk->d, "d", OSSL_PKEY_PARAM_RSA_D },
                { jwk->p, "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
                { jwk->q, "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },
                { jwk->dp, "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
                { jwk->dq, "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
                { jwk->qi, "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
        };
        _cleanup_(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        BIGNUM *numbers[ARRAY_SIZE(rows)] = { 0 }; /* the builder only borrows them */
        int r = build ? 0 : fault_oom(f);

        if (r == 0 && jwk->oth)
                r = fault_set(f, FAULT_INVALID, "oth", "an RSA key has two primes");
        for (size_t i = 0; r == 0 && i < (jwk->d ? ARRAY_SIZE(rows) : 2); i++)
                r = push_number(build, rows[i].value, rows[i].member, rows[i].param, &numbers[i], f);
        if (r == 0)
                r = from_params("RSA", build, jwk->d, ret, f);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                BN_clear_free(numbers[i]);
        return r;
}

static int secret_key(const struct jwk *jwk, const char *id, struct key **ret, struct fault *f)
{
        _cleanup_secret_ struct secret s = { 0 };
        int r = decode(jwk->k, "k", &s, f);

        return r < 0 ? r : key_adopt_secret(&s, id, ret, f);
}

static int make_pkey(const struct jwk *jwk, enum key_algorithm algorithm, EVP_PKEY **ret, struct fault *f)
{
        switch (algorithm) {
        case KEY_EDDSA:
                return okp_pkey(jwk, EVP_PKEY_ED25519, ret, f);
        case KEY_ECDH_X25519:
                return okp_pkey(jwk, EVP_PKEY_X25519, ret, f);
        case KEY_ES256:
        case KEY_ECDH_P256:
                return ec_pkey(jwk, ret, f);
        default:
                return rsa_pkey(jwk, ret, f);
        }
}

static int make_key(const struct jwk *jwk, enum key_algorithm algorithm, const char *id, struct key **ret,
                    struct fault *f)
{
        EVP_PKEY *pkey = NULL;
        int r;

        if (algorithm == KEY_HS256)
                return secret_key(jwk, id, ret, f);
        r = make_pkey(jwk, algorithm, &pkey, f);
        if (r == 0)
                r = key_adopt(pkey, jwk->d, algorithm >= _KEY_SIGNING, id, ret, f);
        if (r == 0)
                (*ret)->algorithm = algorithm; /* RS256 or PS256, as `alg' has it */
        if (r < 0)
                ERR_clear_error();
        return r;
}

/* --- one, and many --- */

int key_jwk_read(const struct json *v, const char *default_id, bool encryption, struct key **ret,
                 const char **ret_unfit, struct fault *f)
{
        _cleanup_(key_freep) struct key *k = NULL;
        enum key_algorithm algorithm = KEY_EDDSA;
        struct jwk jwk = { 0 };
        int r = read_members(v, &jwk, f);

        if (r < 0)
                return r;
        *ret_unfit = why_unfit(&jwk, encryption, &algorithm);
        if (*ret_unfit)
                return KEY_UNFIT;
        r = make_key(&jwk, algorithm, jwk.kid ? jwk.kid : default_id, &k, f);
        if (r == 0 && !k->id[0])
                r = fault_set(f, FAULT_INVALID, "kid", "the id of a key is not empty");
        if (r == 0 && jwk.limits)
                r = key_limits_from_json(jwk.limits, &k->limits, f);
        if (r == 0)
                *ret = TAKE(k);
        return r;
}

int key_from_jwk(const struct json *jwk, const char *default_id, bool encryption, struct key **ret,
                 struct fault *f)
{
        const char *unfit = NULL;
        int r = key_jwk_read(jwk, default_id, encryption, ret, &unfit, f);

        return r == KEY_UNFIT ? fault_set(f, FAULT_INVALID, NULL, "%s", unfit) : r;
}
