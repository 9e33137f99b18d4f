/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any file, for both purposes: keys that have a name and an id and read again
 * from what is written of them, or INVALID in words.  The same bytes as the
 * sidecar of a key leave it a key that is in order, or say why not.
 */

#include "core/key.h"

/* OpenSSL tries a modulus with random numbers: one that has a factor of three digits passes, or does not. */
static bool by_chance(const struct key *k, const struct fault *f)
{
        return (k->algorithm == KEY_RS256 || k->algorithm == KEY_PS256 || k->algorithm == KEY_RSA_OAEP_256) &&
               streq(f->field, "n");
}

static void check_written(const struct key *k, bool encryption)
{
        _cleanup_text_ struct text jwk = { 0 };
        struct fault f = { 0 };
        struct key **again = NULL;
        size_t n = 0;

        if (key_to_jwk(k, k->can_sign, &jwk) < 0)
                abort();
        if (key_read(jwk.data, jwk.len, "id", encryption, &again, &n, &f) < 0 && by_chance(k, &f))
                return;
        if (n != 1 || !streq(again[0]->name, k->name) || again[0]->algorithm != k->algorithm ||
            again[0]->can_sign != k->can_sign)
                abort();
        (void) keys_free(again, n);
}

static void check_keys(const char *bytes, size_t size, bool encryption)
{
        struct fault f = { 0 };
        struct key **keys = NULL;
        size_t n = 0;

        if (key_read(bytes, size, "id", encryption, &keys, &n, &f) < 0) {
                if (f.kind != FAULT_INVALID || !f.text[0] || keys)
                        abort();
                return;
        }
        if (n == 0 || n > KEYS_PER_FILE_MAX || f.kind != FAULT_NONE)
                abort();
        for (size_t i = 0; i < n; i++) {
                if (!key_id_valid(keys[i]->id) || !starts_with(keys[i]->name, "key:") ||
                    (keys[i]->algorithm >= _KEY_SIGNING) != encryption)
                        abort();
                check_written(keys[i], encryption);
        }
        (void) keys_free(keys, n);
}

static void check_sidecar(const char *bytes, size_t size)
{
        static const char jwk[] = "{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}";
        _cleanup_free_ char *text = strndup(bytes, size);
        struct fault f = { 0 };
        struct key **keys = NULL;
        size_t n = 0;

        if (!text || key_read(jwk, strlen(jwk), "id", false, &keys, &n, &f) < 0)
                abort();
        if (key_read_sidecar(text, keys[0], &f) < 0 && (f.kind != FAULT_INVALID || !f.text[0]))
                abort();
        if (f.kind == FAULT_NONE && (!key_id_valid(keys[0]->id) || keys[0]->algorithm != KEY_HS256))
                abort();
        (void) keys_free(keys, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_keys((const char *) data, size, false);
        check_keys((const char *) data, size, true);
        check_sidecar((const char *) data, size);
        return 0;
}
