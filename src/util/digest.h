/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* SHA-256 of bytes, in the two spellings we show: hex and base64url. */

#include "util/base.h"
#include "util/text.h"

#define DIGEST_HEX_LEN 64
#define DIGEST_BASE64URL_LEN 43

/* 0 or -ENOMEM. */
int digest_hex(const void *bytes, size_t n, char ret[static DIGEST_HEX_LEN + 1]);
int digest_base64url(const void *bytes, size_t n, char ret[static DIGEST_BASE64URL_LEN + 1]);

/* The bytes themselves in base64url, without padding. */
void base64url_add(struct text *t, const void *bytes, size_t n);
