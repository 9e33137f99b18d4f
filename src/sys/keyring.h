/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * /etc/geard/keys.d: one file per issuer that we trust, each a PEM, a JWK or a
 * JWKS, with what it may grant in NAME.conf beside it.  A file that is wrong is
 * told about and passed over; the others count.
 */

#include "core/key.h"

#define KEYRING_FILES_MAX 1024
#define KEYRING_KEYS_MAX 1024

struct keyring {
        struct key **keys;
        size_t n_keys;
};
void keyring_reset(struct keyring *k);

/*
 * All keys of the directory; a missing one has none.  `wrong` gets the name of
 * a bad file and a sentence.  INVALID when the directory itself cannot be used.
 * As long as the disk takes, and a large RSA key some milliseconds more: for a
 * thread.
 */
int keyring_load(const char *directory, void (*wrong)(void *arg, const char *name, const char *why),
                 void *arg, struct keyring *ret, struct fault *f);

/* Forgets the keys that came in this file. */
void keyring_drop(struct keyring *k, const char *file);

/* One file with keys that tokens may be encrypted to. */
int keyring_load_own(const char *path, struct keyring *ret, struct fault *f);
