/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any token: as a JWS it is taken apart and held against keys, or refused with a
 * reason; as a JWE it is opened, or refused with the one value.  What is opened
 * is encrypted and opened again to the same.
 */

#include "core/jwe.h"
#include "core/jws.h"

#include "../unit/jose-vectors.h"

#define KEYS_MAX 4

struct keys {
        struct key **keys[KEYS_MAX];
        size_t n;
};

/* Read anew each time, cheaply: the program keeps nothing between two inputs. */
static void read_key(struct keys *keys, const char *jwk, bool encryption)
{
        struct fault f = { 0 };
        size_t n;

        if (key_read(jwk, strlen(jwk), "own", encryption, &keys->keys[keys->n++], &n, &f) < 0 || n != 1)
                abort();
}

static void keys_reset(struct keys *keys)
{
        for (size_t i = 0; i < keys->n; i++)
                (void) keys_free(keys->keys[i], 1);
}

static void check_jws(const char *token, size_t n)
{
        static const char public_key[] = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"}";
        _cleanup_(keys_reset) struct keys keys = { 0 };
        _cleanup_(jws_reset) struct jws j = { 0 };
        const char *why = NULL;
        int r = jws_parse(token, n, &j, &why);

        if (r < 0) {
                if (r != -EBADMSG || !why)
                        abort();
                return;
        }
        if (j.signed_part != token || j.signed_len >= n || j.payload[j.payload_len] != '\0' ||
            (j.kid && !key_id_valid(j.kid)))
                abort();
        read_key(&keys, public_key, false);
        read_key(&keys, RFC7515_A1_KEY, false);
        for (size_t i = 0; i < keys.n; i++)
                if (jws_verify(&j, keys.keys[i][0], &why) < 0 && !why)
                        abort();
}

static void check_again(const struct key *k, const char *payload, size_t n)
{
        _cleanup_text_ struct text t = { 0 };
        _cleanup_free_ char *again = NULL;
        size_t again_n;

        if (jwe_encrypt(k, NULL, payload, n, &t) < 0 ||
            jwe_decrypt(t.data, t.len, &k, 1, &again, &again_n) < 0 || again_n != n ||
            memcmp(again, payload, n) != 0)
                abort();
}

static void check_jwe(const char *token, size_t n)
{
        _cleanup_(keys_reset) struct keys keys = { 0 };
        _cleanup_free_ char *payload = NULL;
        const struct key *own[KEYS_MAX];
        size_t len;
        int r;

        read_key(&keys, RFC7515_A3_KEY, true);
        read_key(&keys, JWE_X25519_KEY, true);
        for (size_t i = 0; i < keys.n; i++)
                own[i] = keys.keys[i][0];
        r = jwe_decrypt(token, n, own, keys.n, &payload, &len);
        if (r < 0 && r != -EBADMSG)
                abort();
        if (r == 0)
                check_again(own[1], payload, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_jws((const char *) data, size);
        if (jwe_is_one((const char *) data, size))
                check_jwe((const char *) data, size);
        return 0;
}
