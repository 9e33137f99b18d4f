/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of core/key share: from a raw key to one that may be used. */

#include "core/evp.h"
#include "core/key.h"

#define KEY_P256_BYTES 32
#define KEY_25519_BYTES 32

/*
 * Which algorithm a key is for, and whether it may be used at all: size, curve,
 * exponent, a point that generates something, halves that fit each other.
 */
int key_examine(EVP_PKEY *pkey, bool is_private, bool encryption, enum key_algorithm *ret, struct fault *f);

/* Examined and named; takes the pkey in any case. */
int key_adopt(EVP_PKEY *pkey, bool is_private, bool encryption, const char *id, struct key **ret,
              struct fault *f);
/* Takes the bytes in any case. */
int key_adopt_secret(struct secret *secret, const char *id, struct key **ret, struct fault *f);

/* The members of RFC 7638 in its order, so that a digest of them names the key; of a pkey only. */
int key_add_public_members(const struct key *k, struct text *t);

#define KEY_UNFIT 1

/* As key_from_jwk(), but KEY_UNFIT, and why, for a key for another purpose or algorithm. */
int key_jwk_read(const struct json *v, const char *default_id, bool encryption, struct key **ret,
                 const char **ret_unfit, struct fault *f);

/* `geard' in a JWK: users, locators, rights, max_life. */
int key_limits_from_json(const struct json *v, struct key_limits *ret, struct fault *f);
