/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Compact JWE around a token: RSA-OAEP-256 or ECDH-ES (P-256, X25519), A256GCM.
 * Every way it can fail looks alike from outside: one value, no early exit that
 * tells a bad tag from a bad key.
 */

#include "core/key.h"

#define JWE_PART_MAX 16384

bool jwe_is_one(const char *token, size_t n); /* five parts */
/* The payload, NUL-terminated; 0, -EBADMSG or -ENOMEM. */
int jwe_decrypt(const char *token, size_t n, const struct key *const *keys, size_t n_keys, char **ret, size_t *ret_n);
/* Adds the compact form; `kid' may be NULL. 0, -ENOMEM, or -EINVAL for a key that signs or a payload too long. */
int jwe_encrypt(const struct key *k, const char *kid, const char *payload, size_t n, struct text *t);
