/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The keys in force: those of the issuers in KeysDirectory=, and our own.  They
 * are read anew whenever something changes there, by a thread of its own: no
 * disk and no large key holds up a request, nor the changes of gears.  A key whose
 * file goes is dropped before that, with the next turn of the loop.
 */

#include "sys/keyring.h"

struct daemon;
struct trust;

/*
 * The keys were read, and their directory is watched, when this returns; NULL
 * without memory only.  `changing' is called before any of them goes or comes:
 * what borrows them has to be forgotten then.
 */
struct trust *trust_new(struct daemon *d, void (*changing)(void *arg), void *arg);
struct trust *trust_free(struct trust *t);

/* Reads them again, whatever has changed. */
void trust_reload(struct trust *t);

const struct keyring *trust_issuers(const struct trust *t);
const struct keyring *trust_own(const struct trust *t);
