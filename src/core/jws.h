/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Compact JWS: three parts, an allow-list of header names (alg kid typ), the
 * key's own algorithm, a signature of exactly the right length.  Why one is
 * refused is told to the caller in a constant sentence, for the journal.
 */

#include "core/key.h"

#define JWS_PART_MAX 6144

struct jws {
        char *kid;              /* NULL: none */
        char *typ;              /* NULL: none */
        char *alg;
        char *payload;          /* decoded, NUL-terminated */
        size_t payload_len;
        const char *signed_part; /* into the token: header.payload … */
        size_t signed_len;
        unsigned char *signature;
        size_t signature_len;
};
void jws_reset(struct jws *j);

/* Takes it apart and checks its form; trusts nothing yet. 0 or -EBADMSG with *ret_why, -ENOMEM. */
int jws_parse(const char *token, size_t n, struct jws *ret, const char **ret_why);
/* 0, or -EBADMSG: not by this key. */
int jws_verify(const struct jws *j, const struct key *k, const char **ret_why);
/* Adds the compact form; `typ' and `kid' may be NULL. 0, -ENOMEM, or -EINVAL for a key that cannot sign. */
int jws_sign(const struct key *k, const char *typ, const char *kid, const char *payload, size_t n,
             struct text *t);
