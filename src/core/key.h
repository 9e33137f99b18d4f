/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keys that sign tokens, and the one key of ours that tokens may be encrypted
 * to.  A key decides its algorithm; a token only gets to agree with it.
 */

#include "util/base.h"
#include "util/fault.h"
#include "util/json.h"

typedef struct evp_pkey_st EVP_PKEY;

#define KEY_ID_MAX 64           /* [A-Za-z0-9_-] and `.' */
#define KEY_NAME_MAX 80         /* what ids and records are scoped to: "key:" and a thumbprint */
#define KEY_FILE_MAX 65536
#define KEYS_PER_FILE_MAX 64
#define KEY_RSA_BITS_MIN 2048
#define KEY_RSA_BITS_MAX 8192
#define KEY_SECRET_MIN 32       /* bytes, HS256 */
#define KEY_SECRET_MAX 1024

enum key_algorithm {
        KEY_EDDSA,              /* Ed25519 */
        KEY_ES256,
        KEY_RS256,
        KEY_PS256,
        KEY_HS256,
        _KEY_SIGNING,
        KEY_ECDH_P256 = _KEY_SIGNING, /* ECDH-ES, for the keys that tokens are encrypted to */
        KEY_ECDH_X25519,
        KEY_RSA_OAEP_256,
};
/* As `alg' in a header has it: "EdDSA" … "ECDH-ES" "RSA-OAEP-256". */
const char *key_algorithm_name(enum key_algorithm a);

/* What one issuer may grant; empty lists allow everything. Patterns may end in `*'. */
struct key_limits {
        char **users, **locators, **rights;
        uint64_t max_life_sec;  /* 0: MaxTokenLife= alone */
};
void key_limits_reset(struct key_limits *l);

struct key {
        enum key_algorithm algorithm;
        char id[KEY_ID_MAX + 1];     /* `kid': the JWK's own, else given by the caller (the file's stem) */
        char name[KEY_NAME_MAX + 1]; /* "key:<RFC 7638 thumbprint>"; of a secret, an HMAC under it */
        bool can_sign;               /* the private half is there */
        EVP_PKEY *pkey;              /* NULL for KEY_HS256 … */
        unsigned char *secret;       /* … which has this; cleansed when freed */
        size_t secret_len;
        struct key_limits limits;
        char *file;                  /* who keeps it may note which one it came in */
};
struct key *key_free(struct key *k);
DEFINE_CLEANUP(struct key, key_free);
struct key **keys_free(struct key **keys, size_t n);

/* Is it what a `kid' may be? */
bool key_id_valid(const char *id);

/*
 * All keys of a file: PEM (one key, public or private), a JWK or a JWKS.  What
 * is wrong is INVALID and says so in words for the journal: weak, wrong curve,
 * a kind we do not know, a low-order point, `use' or `key_ops' that forbid it …
 * `encryption' asks for keys that decrypt or are encrypted to rather than verify.
 *
 * A set is taken whole or refused, except that its keys for another purpose or
 * algorithm are passed over; those without a `kid' are called DEFAULT_ID.1,
 * DEFAULT_ID.2 … by their place.
 */
int key_read(const char *bytes, size_t n, const char *default_id, bool encryption, struct key ***ret,
             size_t *ret_n, struct fault *f);
/* One JWK, as in `cnf'. */
int key_from_jwk(const struct json *jwk, const char *default_id, bool encryption, struct key **ret,
                 struct fault *f);

/*
 * The sidecar of a key file: "[Key]" with Id= Algorithm= Users= Locators= Rights=
 * MaxLife=.  It may not say again what the key itself said.  On failure the key
 * is half restricted and must not be used.
 */
int key_read_sidecar(const char *text, struct key *k, struct fault *f);

/* New ones, for the command line and the tests; their id is left empty. */
int key_generate(enum key_algorithm algorithm, unsigned rsa_bits, struct key **ret, struct fault *f);
/* Canonical members only; with the private half when asked for. */
int key_to_jwk(const struct key *k, bool with_private, struct text *t);
int key_to_pem(const struct key *k, bool with_private, struct text *t, struct fault *f);
