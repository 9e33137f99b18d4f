/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Compact JWE (RFC 7516).  What can be told of a message without our key is
 * refused at once: its sender knows it.  From the key's first use on there is
 * one way through, and what does not unwrap is decrypted all the same, with a
 * key made up for it, so that a bad key and a bad tag take alike and say alike.
 */

#include "core/jwe.h"

#include "core/evp.h"
#include "core/jose.h"
#include "util/base64.h"
#include "util/digest.h"

#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#define ENCRYPTION "A256GCM"
#define CEK_BYTES 32
#define IV_BYTES 12
#define TAG_BYTES 16
#define SHARED_BYTES 32 /* of P-256 and of X25519 */
#define RSA_BYTES_MAX (KEY_RSA_BITS_MAX / 8)

enum { HEADER, WRAPPED_KEY, IV, CIPHERTEXT, TAG, PARTS };

struct bytes {
        unsigned char *data;
        size_t len;
};

/* A message taken apart. */
struct envelope {
        struct jose_part protected;
        struct jose_header header;
        struct bytes part[PARTS]; /* that of the header stays empty */
        struct bytes apu, apv;
        struct key *epk; /* with ECDH-ES */
};

static void envelope_reset(struct envelope *e)
{
        jose_header_reset(&e->header);
        for (size_t i = 0; i < PARTS; i++)
                free(e->part[i].data);
        free(e->apu.data);
        free(e->apv.data);
        (void) key_free(e->epk);
}

bool jwe_is_one(const char *token, size_t n)
{
        struct jose_part parts[JOSE_PARTS_MAX];

        return jose_split(token, n, parts) == PARTS;
}

/* --- apart --- */

static int decode(const char *encoded, size_t n, struct bytes *ret)
{
        return base64url_decode(encoded, n, &ret->data, &ret->len);
}

static int read_epk(struct envelope *e)
{
        struct fault f = { 0 };

        if (!e->header.epk)
                return -EBADMSG;
        if (key_from_jwk(e->header.epk, "epk", true, &e->epk, &f) < 0)
                return f.kind == FAULT_INTERNAL ? -ENOMEM : -EBADMSG;
        return e->epk->can_sign || e->epk->algorithm == KEY_RSA_OAEP_256 ? -EBADMSG : 0;
}

static int read_agreement(struct envelope *e)
{
        const struct jose_header *h = &e->header;
        int r = e->part[WRAPPED_KEY].len == 0 ? read_epk(e) : -EBADMSG;

        if (r == 0 && h->apu)
                r = decode(h->apu, strlen(h->apu), &e->apu);
        if (r == 0 && h->apv)
                r = decode(h->apv, strlen(h->apv), &e->apv);
        return r;
}

static int read_algorithms(struct envelope *e)
{
        const struct jose_header *h = &e->header;

        if (!h->enc || !streq(h->enc, ENCRYPTION) || (h->cty && !streq(h->cty, "JWT")))
                return -EBADMSG;
        if (e->part[IV].len != IV_BYTES || e->part[TAG].len != TAG_BYTES)
                return -EBADMSG;
        if (streq(h->alg, key_algorithm_name(KEY_ECDH_P256)))
                return read_agreement(e);
        if (!streq(h->alg, key_algorithm_name(KEY_RSA_OAEP_256)) || h->epk || h->apu || h->apv)
                return -EBADMSG;
        return 0;
}

static int read_envelope(const char *token, size_t n, struct envelope *e)
{
        static const char *const names[] = { "alg", "enc", "kid", "typ", "cty", "epk", "apu", "apv", NULL };
        struct jose_part parts[JOSE_PARTS_MAX];
        const char *why;
        int r;

        if (jose_split(token, n, parts) != PARTS)
                return -EBADMSG;
        for (size_t i = 0; i < PARTS; i++)
                if (parts[i].len > JWE_PART_MAX)
                        return -EBADMSG;
        e->protected = parts[HEADER];
        r = jose_header_read(parts[HEADER], names, &e->header, &why);
        for (size_t i = WRAPPED_KEY; r == 0 && i < PARTS; i++)
                r = decode(parts[i].text, parts[i].len, &e->part[i]);
        return r < 0 ? r : read_algorithms(e);
}

/* --- the key of its content --- */

/*
 * RFC 7518, 4.6.2.  For 256 bits the derivation of NIST SP 800-56A is one hash,
 * of which OpenSSL calls the part after the shared secret "info".
 */
static void add_counted(struct text *t, const void *bytes, size_t n)
{
        const unsigned char length[] = { (unsigned char) (n >> 24), (unsigned char) (n >> 16),
                                         (unsigned char) (n >> 8), (unsigned char) n };

        text_addn(t, length, sizeof length);
        text_addn(t, bytes, n);
}

static bool derive(const struct secret *shared, const struct bytes *apu, const struct bytes *apv,
                   struct secret *cek)
{
        static const unsigned char key_bits[] = { 0, 0, CEK_BYTES * 8 >> 8, CEK_BYTES * 8 & 0xff };
        _cleanup_(EVP_KDF_freep) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
        _cleanup_(EVP_KDF_CTX_freep) EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
        _cleanup_text_ struct text info = { 0 };
        OSSL_PARAM params[4];

        add_counted(&info, ENCRYPTION, strlen(ENCRYPTION));
        add_counted(&info, apu->data, apu->len);
        add_counted(&info, apv->data, apv->len);
        text_addn(&info, key_bits, sizeof key_bits);
        if (!ctx || !text_ok(&info))
                return false;
        params[0] =
                OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *) (uintptr_t) "SHA256", 0);
        params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared->bytes, shared->len);
        params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data, info.len);
        params[3] = OSSL_PARAM_construct_end();
        return EVP_KDF_derive(ctx, cek->bytes, cek->len, params) > 0;
}

/* A point of small order on X25519 gives zero whatever our key is. */
static bool is_zero(const struct secret *s)
{
        static const unsigned char zero[SHARED_BYTES];

        return CRYPTO_memcmp(s->bytes, zero, sizeof zero) == 0;
}

static bool make_secret(size_t n, struct secret *ret)
{
        ret->bytes = malloc(n);
        ret->len = ret->bytes ? n : 0;
        return ret->bytes;
}

static bool agree(const struct key *own, const struct key *peer, const struct bytes *apu,
                  const struct bytes *apv, struct secret *cek)
{
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own->pkey, NULL);
        _cleanup_secret_ struct secret shared = { 0 };

        return make_secret(SHARED_BYTES, &shared) && ctx && EVP_PKEY_derive_init(ctx) == 1 &&
               EVP_PKEY_derive_set_peer(ctx, peer->pkey) == 1 &&
               EVP_PKEY_derive(ctx, shared.bytes, &shared.len) == 1 && shared.len == SHARED_BYTES &&
               !is_zero(&shared) && derive(&shared, apu, apv, cek);
}

static EVP_PKEY_CTX *oaep(EVP_PKEY *pkey, int (*init)(EVP_PKEY_CTX *ctx))
{
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

        if (!ctx || init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) <= 0 ||
            EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) <= 0 ||
            EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) <= 0)
                return NULL;
        return TAKE(ctx);
}

static bool unwrap(const struct key *k, const struct bytes *wrapped, struct secret *cek)
{
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = oaep(k->pkey, EVP_PKEY_decrypt_init);
        _cleanup_secret_ struct secret plain = { 0 };
        size_t n = RSA_BYTES_MAX;
        bool ok = make_secret(RSA_BYTES_MAX, &plain) && ctx &&
                  wrapped->len == (size_t) EVP_PKEY_get_size(k->pkey) &&
                  EVP_PKEY_decrypt(ctx, plain.bytes, &n, wrapped->data, wrapped->len) == 1 && n == CEK_BYTES;

        if (ok)
                memcpy(cek->bytes, plain.bytes, CEK_BYTES);
        return ok;
}

/* --- open --- */

static bool decrypt_content(const struct envelope *e, const struct secret *cek, struct secret *ret)
{
        _cleanup_(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        const struct bytes *text = &e->part[CIPHERTEXT];
        int n = 0, last = 0;

        return ctx && EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), cek->bytes, e->part[IV].data, NULL) == 1 &&
               EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *) e->protected.text,
                                 (int) e->protected.len) == 1 &&
               EVP_DecryptUpdate(ctx, ret->bytes, &n, text->data, (int) text->len) == 1 &&
               EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, e->part[TAG].data) == 1 &&
               EVP_DecryptFinal_ex(ctx, ret->bytes + n, &last) == 1;
}

static int open_with(const struct key *k, const struct envelope *e, char **ret, size_t *ret_n)
{
        _cleanup_secret_ struct secret cek = { 0 }, plain = { 0 };
        size_t n = e->part[CIPHERTEXT].len;
        bool ok;

        if (!make_secret(CEK_BYTES, &cek) || !make_secret(n + 1, &plain) ||
            RAND_priv_bytes(cek.bytes, CEK_BYTES) != 1)
                return -ENOMEM;
        ok = e->epk ? agree(k, e->epk, &e->apu, &e->apv, &cek) : unwrap(k, &e->part[WRAPPED_KEY], &cek);
        ok = decrypt_content(e, &cek, &plain) && ok;
        if (!ok)
                return -EBADMSG;
        plain.bytes[n] = '\0';
        *ret_n = n;
        *ret = (char *) TAKE(plain.bytes);
        return 0;
}

/* Which keys we have is no secret: they are what is handed out to be encrypted to. */
static bool is_meant(const struct key *k, const struct envelope *e)
{
        enum key_algorithm wanted = e->epk ? e->epk->algorithm : KEY_RSA_OAEP_256;

        return k->can_sign && k->algorithm == wanted && (!e->header.kid || streq(e->header.kid, k->id));
}

int jwe_decrypt(const char *token, size_t n, const struct key *const *keys, size_t n_keys, char **ret,
                size_t *ret_n)
{
        _cleanup_(envelope_reset) struct envelope e = { 0 };
        int r = read_envelope(token, n, &e);

        if (r < 0)
                return r;
        r = -EBADMSG;
        for (size_t i = 0; r == -EBADMSG && i < n_keys; i++)
                if (is_meant(keys[i], &e))
                        r = open_with(keys[i], &e, ret, ret_n);
        ERR_clear_error();
        return r;
}

/* --- and closed --- */

struct message {
        struct text header, wrapped; /* the header in the clear, the key in base64url */
        struct secret cek;
};

static void message_reset(struct message *m)
{
        text_reset(&m->header);
        text_reset(&m->wrapped);
        secret_reset(&m->cek);
}

static bool wrap_by_agreement(const struct key *k, struct message *m)
{
        static const struct bytes nobody = { 0 };
        _cleanup_(key_freep) struct key *ephemeral = NULL;
        struct fault ignored;

        if (key_generate(k->algorithm, 0, &ephemeral, &ignored) < 0)
                return false;
        json_name(&m->header, "epk");
        return key_to_jwk(ephemeral, false, &m->header) == 0 &&
               agree(ephemeral, k, &nobody, &nobody, &m->cek);
}

static bool wrap_by_rsa(const struct key *k, struct message *m)
{
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = oaep(k->pkey, EVP_PKEY_encrypt_init);
        unsigned char wrapped[RSA_BYTES_MAX];
        size_t n = sizeof wrapped;

        if (!ctx || RAND_priv_bytes(m->cek.bytes, CEK_BYTES) != 1 ||
            EVP_PKEY_encrypt(ctx, wrapped, &n, m->cek.bytes, CEK_BYTES) != 1)
                return false;
        base64url_add(&m->wrapped, wrapped, n);
        return true;
}

static bool make_message(const struct key *k, const char *kid, struct message *m)
{
        bool ok = make_secret(CEK_BYTES, &m->cek);

        text_add(&m->wrapped, "");
        text_addc(&m->header, '{');
        json_put(&m->header, "alg", key_algorithm_name(k->algorithm));
        json_put(&m->header, "enc", ENCRYPTION);
        json_put(&m->header, "cty", "JWT");
        if (kid)
                json_put(&m->header, "kid", kid);
        if (ok)
                ok = k->algorithm == KEY_RSA_OAEP_256 ? wrap_by_rsa(k, m) : wrap_by_agreement(k, m);
        text_addc(&m->header, '}');
        return ok && text_ok(&m->header) && text_ok(&m->wrapped);
}

/* Into ret, which has as many bytes as the payload. */
static bool encrypt_content(const struct secret *cek, const unsigned char iv[static IV_BYTES],
                            const struct text *protected, const char *payload, size_t n, unsigned char *ret,
                            unsigned char ret_tag[static TAG_BYTES])
{
        _cleanup_(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        int len = 0, last = 0;

        return ctx && EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), cek->bytes, iv, NULL) == 1 &&
               EVP_EncryptUpdate(ctx, NULL, &len, (const unsigned char *) protected->data,
                                 (int) protected->len) == 1 &&
               EVP_EncryptUpdate(ctx, ret, &len, (const unsigned char *) payload, (int) n) == 1 &&
               EVP_EncryptFinal_ex(ctx, ret + len, &last) == 1 &&
               EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, ret_tag) == 1;
}

static void add_part(struct text *t, const void *bytes, size_t n)
{
        text_addc(t, '.');
        base64url_add(t, bytes, n);
}

int jwe_encrypt(const struct key *k, const char *kid, const char *payload, size_t n, struct text *t)
{
        _cleanup_(message_reset) struct message m = { 0 };
        _cleanup_text_ struct text protected = { 0 };
        _cleanup_free_ unsigned char *ciphertext = NULL;
        unsigned char iv[IV_BYTES], tag[TAG_BYTES];

        if (k->algorithm < _KEY_SIGNING || n > JWE_PART_MAX / 4 * 3)
                return -EINVAL;
        ciphertext = malloc(n + 1);
        if (ciphertext && make_message(k, kid, &m))
                base64url_add(&protected, m.header.data, m.header.len);
        if (!protected.data || !text_ok(&protected) || RAND_bytes(iv, sizeof iv) != 1 ||
            !encrypt_content(&m.cek, iv, &protected, payload, n, ciphertext, tag)) {
                ERR_clear_error();
                return -ENOMEM;
        }
        text_addn(t, protected.data, protected.len);
        text_addc(t, '.');
        text_addn(t, m.wrapped.data, m.wrapped.len);
        add_part(t, iv, sizeof iv);
        add_part(t, ciphertext, n);
        add_part(t, tag, sizeof tag);
        return text_ok(t) ? 0 : -ENOMEM;
}
