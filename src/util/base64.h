/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Base64 and base64url (RFC 4648), in. Strict: the alphabet only, padding in its place, no stray bits. */

#include "util/text.h"

/* Appends the bytes. 0, -EBADMSG for anything that no encoder would have written, -ENOMEM. */
int base64_decode(const char *encoded, struct text *t);

/*
 * The URL-safe alphabet without any padding, as JOSE has it.  The result is
 * followed by a NUL that is not counted, and never moved while it grows, so that
 * who decodes a secret has one place to cleanse.  0, -EBADMSG or -ENOMEM.
 */
int base64url_decode(const char *encoded, size_t n, unsigned char **ret, size_t *ret_n);
