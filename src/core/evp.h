/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Cleanup attributes for what key, jws and jwe own of OpenSSL's, and for bytes
 * that nobody may find in freed memory.
 *
 * Whoever lets a call of OpenSSL fail empties its error queue: SSL_get_error()
 * of another connection would read it as its own.
 */

#include "util/base.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>

#define DEFINE_EVP_CLEANUP(type, fn)                                           \
        static inline void type##_freep(type **p)                              \
        {                                                                      \
                fn(*p);                                                        \
        }                                                                      \
        struct _swallow_semicolon_

DEFINE_EVP_CLEANUP(BIGNUM, BN_clear_free);
DEFINE_EVP_CLEANUP(BN_CTX, BN_CTX_free);
DEFINE_EVP_CLEANUP(ECDSA_SIG, ECDSA_SIG_free);
DEFINE_EVP_CLEANUP(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free);
DEFINE_EVP_CLEANUP(EVP_KDF, EVP_KDF_free);
DEFINE_EVP_CLEANUP(EVP_KDF_CTX, EVP_KDF_CTX_free);
DEFINE_EVP_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free);
DEFINE_EVP_CLEANUP(EVP_PKEY, EVP_PKEY_free);
DEFINE_EVP_CLEANUP(EVP_PKEY_CTX, EVP_PKEY_CTX_free);
DEFINE_EVP_CLEANUP(OSSL_PARAM, OSSL_PARAM_free);
DEFINE_EVP_CLEANUP(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free);

/* Bytes from malloc(), cleansed before they are freed. */
struct secret {
        unsigned char *bytes;
        size_t len;
};

static inline void secret_reset(struct secret *s)
{
        if (s->bytes)
                OPENSSL_cleanse(s->bytes, s->len);
        free(s->bytes);
        *s = (struct secret){ 0 };
}

#define _cleanup_secret_ _cleanup_(secret_reset)
