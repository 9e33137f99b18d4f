/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Base64 (RFC 4648), in. Strict: the alphabet only, padding in its place, no stray bits. */

#include "util/text.h"

/* Appends the bytes. 0, -EBADMSG for anything that no encoder would have written. */
int base64_decode(const char *encoded, struct text *t);
