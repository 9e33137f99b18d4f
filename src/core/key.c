/* SPDX-License-Identifier: Apache-2.0 */

/* Keys: what one is, how it gets its name, and new ones. */

#include "core/key-private.h"

#include "util/digest.h"

#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>

#define SHA256_BYTES 32

/* What a secret's name is the HMAC of: a digest of a secret alone could be searched for. */
#define SECRET_NAME_LABEL "geard key name"

const char *key_algorithm_name(enum key_algorithm a)
{
        static const char *const names[] = {
                [KEY_EDDSA] = "EdDSA",
                [KEY_ES256] = "ES256",
                [KEY_RS256] = "RS256",
                [KEY_PS256] = "PS256",
                [KEY_HS256] = "HS256",
                [KEY_ECDH_P256] = "ECDH-ES",
                [KEY_ECDH_X25519] = "ECDH-ES",
                [KEY_RSA_OAEP_256] = "RSA-OAEP-256",
        };

        return names[a];
}

bool key_id_valid(const char *id)
{
        size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

        return n > 0 && n <= KEY_ID_MAX && id[n] == '\0';
}

void key_limits_reset(struct key_limits *l)
{
        (void) strv_free(l->users);
        (void) strv_free(l->locators);
        (void) strv_free(l->rights);
        *l = (struct key_limits){ 0 };
}

struct key *key_free(struct key *k)
{
        if (!k)
                return NULL;
        EVP_PKEY_free(k->pkey);
        if (k->secret)
                OPENSSL_cleanse(k->secret, k->secret_len);
        free(k->secret);
        key_limits_reset(&k->limits);
        free(k->file);
        free(k);
        return NULL;
}

struct key **keys_free(struct key **keys, size_t n)
{
        for (size_t i = 0; keys && i < n; i++)
                (void) key_free(keys[i]);
        free(keys);
        return NULL;
}

static int new_key(const char *id, struct key **ret, struct fault *f)
{
        struct key *k;

        if (*id && !key_id_valid(id))
                return fault_set(f, FAULT_INVALID, "kid",
                                 "the id of a key is 1 to %d of A-Z a-z 0-9 - _ and .", KEY_ID_MAX);
        k = calloc(1, sizeof *k);
        if (!k)
                return fault_oom(f);
        memcpy(k->id, id, strlen(id) + 1);
        *ret = k;
        return 0;
}

static void set_name(struct key *k, const char *digest)
{
        (void) snprintf(k->name, sizeof k->name, "key:%s", digest);
}

/* RFC 7638: the digest of the members that make the key. */
static int name_pkey(struct key *k)
{
        _cleanup_text_ struct text members = { 0 };
        char digest[DIGEST_BASE64URL_LEN + 1];

        text_addc(&members, '{');
        if (key_add_public_members(k, &members) < 0)
                return -ENOMEM;
        text_addc(&members, '}');
        if (!text_ok(&members) || digest_base64url(members.data, members.len, digest) < 0)
                return -ENOMEM;
        set_name(k, digest);
        return 0;
}

static int name_secret(struct key *k)
{
        _cleanup_text_ struct text shown = { 0 };
        unsigned char mac[SHA256_BYTES];

        if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, k->secret, k->secret_len,
                       (const unsigned char *) SECRET_NAME_LABEL, strlen(SECRET_NAME_LABEL), mac, sizeof mac,
                       NULL))
                return -ENOMEM;
        base64url_add(&shown, mac, sizeof mac);
        if (!text_ok(&shown))
                return -ENOMEM;
        set_name(k, shown.data);
        return 0;
}

int key_adopt(EVP_PKEY *pkey, bool is_private, bool encryption, const char *id, struct key **ret,
              struct fault *f)
{
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *owned = pkey;
        _cleanup_(key_freep) struct key *k = NULL;
        enum key_algorithm algorithm;
        int r = key_examine(owned, is_private, encryption, &algorithm, f);

        if (r == 0)
                r = new_key(id, &k, f);
        if (r < 0)
                return r;
        k->algorithm = algorithm;
        k->can_sign = is_private;
        k->pkey = TAKE(owned);
        if (name_pkey(k) < 0)
                return fault_oom(f);
        *ret = TAKE(k);
        return 0;
}

int key_adopt_secret(struct secret *secret, const char *id, struct key **ret, struct fault *f)
{
        _cleanup_secret_ struct secret owned = *secret;
        _cleanup_(key_freep) struct key *k = NULL;
        int r;

        *secret = (struct secret){ 0 };
        if (owned.len < KEY_SECRET_MIN || owned.len > KEY_SECRET_MAX)
                return fault_set(f, FAULT_INVALID, "k", "a secret for HS256 has %d to %d bytes, not %zu",
                                 KEY_SECRET_MIN, KEY_SECRET_MAX, owned.len);
        r = new_key(id, &k, f);
        if (r < 0)
                return r;
        k->algorithm = KEY_HS256;
        k->can_sign = true;
        k->secret_len = owned.len;
        k->secret = TAKE(owned.bytes);
        if (name_secret(k) < 0)
                return fault_oom(f);
        *ret = TAKE(k);
        return 0;
}

static int generate_secret(struct key **ret, struct fault *f)
{
        _cleanup_secret_ struct secret s = { .bytes = malloc(KEY_SECRET_MIN), .len = KEY_SECRET_MIN };

        if (!s.bytes)
                return fault_oom(f);
        if (RAND_priv_bytes(s.bytes, KEY_SECRET_MIN) != 1)
                return fault_set(f, FAULT_INTERNAL, NULL, "there is no randomness to make a secret of");
        return key_adopt_secret(&s, "", ret, f);
}

static EVP_PKEY *generate_pkey(enum key_algorithm algorithm, unsigned rsa_bits)
{
        switch (algorithm) {
        case KEY_EDDSA:
                return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        case KEY_ECDH_X25519:
                return EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
        case KEY_ES256:
        case KEY_ECDH_P256:
                return EVP_EC_gen("P-256");
        default:
                return EVP_RSA_gen(rsa_bits);
        }
}

int key_generate(enum key_algorithm algorithm, unsigned rsa_bits, struct key **ret, struct fault *f)
{
        bool is_rsa = algorithm == KEY_RS256 || algorithm == KEY_PS256 || algorithm == KEY_RSA_OAEP_256;
        EVP_PKEY *pkey;
        int r;

        if (algorithm == KEY_HS256)
                return generate_secret(ret, f);
        if (is_rsa && (rsa_bits < KEY_RSA_BITS_MIN || rsa_bits > KEY_RSA_BITS_MAX))
                return fault_set(f, FAULT_INVALID, NULL, "an RSA key has %d to %d bits", KEY_RSA_BITS_MIN,
                                 KEY_RSA_BITS_MAX);
        pkey = generate_pkey(algorithm, rsa_bits);
        if (!pkey) {
                ERR_clear_error();
                return fault_set(f, FAULT_INTERNAL, NULL, "OpenSSL made no key");
        }
        r = key_adopt(pkey, true, algorithm >= _KEY_SIGNING, "", ret, f);
        if (r == 0)
                (*ret)->algorithm = algorithm; /* an RSA key may sign in two ways */
        return r;
}
