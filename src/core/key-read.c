/* SPDX-License-Identifier: Apache-2.0 */

/* The files that keys come in: PEM, a JWK, a set of them. */

#include "core/key-private.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#define JSON_BLANKS " \t\r\n"

struct key_list {
        struct key **keys;
        size_t n;
};

static void key_list_reset(struct key_list *l)
{
        l->keys = keys_free(l->keys, l->n);
        l->n = 0;
}

/* Takes the key in any case. */
static int add_key(struct key_list *l, struct key *k, struct fault *f)
{
        _cleanup_(key_freep) struct key *owned = k;
        struct key **keys;

        for (size_t i = 0; i < l->n; i++)
                if (streq(l->keys[i]->id, k->id))
                        return fault_set(f, FAULT_INVALID, "kid", "two keys are called %s", k->id);
        keys = reallocarray(l->keys, l->n + 1, sizeof *keys);
        if (!keys)
                return fault_oom(f);
        l->keys = keys;
        l->keys[l->n++] = TAKE(owned);
        return 0;
}

/* --- PEM --- */

struct block {
        char *label, *header;
        unsigned char *der;
        long n;
};

static void block_reset(struct block *b)
{
        OPENSSL_secure_free(b->label);
        OPENSSL_secure_free(b->header);
        OPENSSL_secure_clear_free(b->der, (size_t) b->n);
        *b = (struct block){ 0 };
}

static EVP_PKEY *parse_public(const unsigned char **der, long n)
{
        return d2i_PUBKEY(NULL, der, n);
}

static EVP_PKEY *parse_pkcs8(const unsigned char **der, long n)
{
        PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, der, n);
        EVP_PKEY *pkey = info ? EVP_PKCS82PKEY(info) : NULL;

        PKCS8_PRIV_KEY_INFO_free(info);
        return pkey;
}

static EVP_PKEY *parse_rsa_private(const unsigned char **der, long n)
{
        return d2i_PrivateKey(EVP_PKEY_RSA, NULL, der, n);
}

static EVP_PKEY *parse_rsa_public(const unsigned char **der, long n)
{
        return d2i_PublicKey(EVP_PKEY_RSA, NULL, der, n);
}

static EVP_PKEY *parse_ec_private(const unsigned char **der, long n)
{
        return d2i_PrivateKey(EVP_PKEY_EC, NULL, der, n);
}

static const struct form {
        const char *label;
        bool is_private;
        EVP_PKEY *(*parse)(const unsigned char **der, long n); /* NULL: refused, and why */
        const char *why;
} forms[] = {
        { "PUBLIC KEY", false, parse_public, NULL },
        { "PRIVATE KEY", true, parse_pkcs8, NULL },
        { "RSA PUBLIC KEY", false, parse_rsa_public, NULL },
        { "RSA PRIVATE KEY", true, parse_rsa_private, NULL },
        { "EC PRIVATE KEY", true, parse_ec_private, NULL },
        { "ENCRYPTED PRIVATE KEY", true, NULL, "it is encrypted, and nobody is there to type its password" },
        { "OPENSSH PRIVATE KEY", true, NULL, "it is a key of OpenSSH's own form, not PKCS #8" },
        { "CERTIFICATE", false, NULL,
          "it is a certificate; its key alone is what `openssl x509 -in FILE -noout -pubkey' prints" },
        { "TRUSTED CERTIFICATE", false, NULL,
          "it is a certificate; its key alone is what `openssl x509 -in FILE -noout -pubkey' prints" },
};

static const struct form *find_form(const char *label)
{
        for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
                if (streq(label, forms[i].label))
                        return &forms[i];
        return NULL;
}

static int key_of_block(const struct block *b, const char *id, bool encryption, struct key **ret,
                        struct fault *f)
{
        const struct form *form = find_form(b->label);
        const unsigned char *der = b->der;
        EVP_PKEY *pkey;

        if (!form)
                return fault_set(f, FAULT_INVALID, NULL,
                                 "a PEM block of a kind that holds no key for tokens");
        if (!form->parse)
                return fault_set(f, FAULT_INVALID, NULL, "%s", form->why);
        if (b->header[0])
                return fault_set(f, FAULT_INVALID, NULL, "it is encrypted, or not PEM by RFC 7468");
        pkey = form->parse(&der, b->n);
        if (!pkey || der != b->der + b->n) {
                EVP_PKEY_free(pkey);
                ERR_clear_error();
                return fault_set(f, FAULT_INVALID, NULL, "what the %s block holds is not one", form->label);
        }
        return key_adopt(pkey, form->is_private, encryption, id, ret, f);
}

static int next_block(BIO *bio, struct block *ret, bool *ret_end, struct fault *f)
{
        if (PEM_read_bio_ex(bio, &ret->label, &ret->header, &ret->der, &ret->n, PEM_FLAG_SECURE) == 1) {
                *ret_end = false;
                return 0;
        }
        *ret_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        return *ret_end ? 0 : fault_set(f, FAULT_INVALID, NULL, "a PEM block in it is damaged");
}

/* `openssl ecparam -genkey' writes the curve's name in a block of its own before the key. */
static bool says_nothing(const struct block *b)
{
        return streq(b->label, "EC PARAMETERS");
}

static int read_blocks(BIO *bio, const char *id, bool encryption, struct key_list *l, struct fault *f)
{
        for (;;) {
                _cleanup_(block_reset) struct block b = { 0 };
                struct key *k = NULL;
                bool end;
                int r = next_block(bio, &b, &end, f);

                if (r < 0 || end)
                        return r;
                if (says_nothing(&b))
                        continue;
                if (l->n > 0)
                        return fault_set(f, FAULT_INVALID, NULL,
                                         "a PEM file holds one key; a JWKS holds many");
                r = key_of_block(&b, id, encryption, &k, f);
                if (r == 0)
                        r = add_key(l, k, f);
                if (r < 0)
                        return r;
        }
}

static int read_pem(const char *bytes, size_t n, const char *id, bool encryption, struct key_list *l,
                    struct fault *f)
{
        BIO *bio = BIO_new_mem_buf(bytes, (int) n);
        int r = bio ? read_blocks(bio, id, encryption, l, f) : fault_oom(f);

        BIO_free(bio);
        if (r == 0 && l->n == 0)
                return fault_set(f, FAULT_INVALID, NULL, "it holds neither PEM nor a JWK");
        return r;
}

/* --- JSON --- */

static int read_set(const struct json *set, const char *default_id, bool encryption, struct key_list *l,
                    struct fault *f)
{
        size_t n = json_array_len(set);

        if (n == 0 || n > KEYS_PER_FILE_MAX)
                return fault_set(f, FAULT_INVALID, "keys", "`keys' holds 1 to %d keys", KEYS_PER_FILE_MAX);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *id = NULL;
                const char *unfit;
                struct key *k = NULL;
                struct fault inner = { 0 };
                int r;

                if (asprintf(&id, "%s.%zu", default_id, i + 1) < 0)
                        return fault_oom(f);
                r = key_jwk_read(json_array_at(set, i), id, encryption, &k, &unfit, &inner);
                if (r == 0)
                        r = add_key(l, k, &inner);
                if (r < 0)
                        return fault_set(f, inner.kind, inner.field, "keys[%zu]: %s", i, inner.text);
        }
        if (l->n == 0)
                return fault_set(f, FAULT_INVALID, "keys", "none of its keys is one that tokens are %s",
                                 encryption ? "encrypted to" : "signed with");
        return 0;
}

static int read_json(const char *bytes, size_t n, const char *default_id, bool encryption,
                     struct key_list *l, struct fault *f)
{
        _cleanup_(json_freep) struct json *root = json_parse(bytes, n, "JWK", f);
        struct key *k = NULL;
        int r;

        if (!root)
                return f->kind == FAULT_INTERNAL ? -ENOMEM : -EINVAL;
        if (json_is_array(json_member(root, "keys")))
                return read_set(json_member(root, "keys"), default_id, encryption, l, f);
        r = key_from_jwk(root, default_id, encryption, &k, f);
        return r < 0 ? r : add_key(l, k, f);
}

static bool looks_like_json(const char *bytes, size_t n)
{
        size_t i = 0;

        while (i < n && bytes[i] && strchr(JSON_BLANKS, bytes[i]))
                i++;
        return i < n && bytes[i] == '{';
}

int key_read(const char *bytes, size_t n, const char *default_id, bool encryption, struct key ***ret,
             size_t *ret_n, struct fault *f)
{
        _cleanup_(key_list_reset) struct key_list l = { 0 };
        int r;

        if (n > KEY_FILE_MAX)
                return fault_set(f, FAULT_INVALID, NULL, "a key file has at most %d bytes", KEY_FILE_MAX);
        r = looks_like_json(bytes, n) ? read_json(bytes, n, default_id, encryption, &l, f)
                                      : read_pem(bytes, n, default_id, encryption, &l, f);
        ERR_clear_error();
        if (r < 0)
                return r;
        *ret_n = l.n;
        *ret = TAKE(l.keys);
        return 0;
}
