/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Compact JWE around a token: RSA-OAEP-256 or ECDH-ES (P-256, X25519), A256GCM.
 * Every way it can fail looks alike from outside: one value, no early exit that
 * tells a bad tag from a bad key.
 */

#include "core/key.h"

#define JWE_PART_MAX 16384

/* Five parts between dots, as a chain of two JWS has them too: who takes chains looks for these first. */
bool jwe_is_one(const char *token, size_t n);
/* The payload, NUL-terminated; 0, -EBADMSG or -ENOMEM. */
int jwe_decrypt(const char *token, size_t n, const struct key *const *keys, size_t n_keys, char **ret,
                size_t *ret_n);
/* Adds the compact form; `kid' may be NULL. 0, -ENOMEM, or -EINVAL: a key that signs, too long a payload. */
int jwe_encrypt(const struct key *k, const char *kid, const char *payload, size_t n, struct text *t);
