/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a token claims, read strictly: the names of the seed (d u t r i) and the
 * registered ones that mean the same (exp sub jti), of which a token that has
 * both must say the same.  Pure: no clock, and no key but the one in `cnf'.
 */

#include "core/ident.h"
#include "core/key.h"
#include "core/rights.h"
#include "util/digest.h"

#define CLAIM_NAMES_MAX 64 /* members, known or not */
#define CLAIM_USER_MAX 128
#define CLAIM_TYPE_MAX 512
#define CLAIM_ISSUER_MAX 256
#define CLAIM_LOCATORS_MAX 32
#define CLAIM_RIGHTS_MAX 32
#define CLAIM_AUDIENCE_MAX 32
#define CLAIM_TIME_MAX ((UINT64_C(1) << 53) - 1) /* what every JSON reader has exactly */

struct claims {
        uint64_t expires_sec;        /* d, exp; 0 where a link leaves it to the one before */
        uint64_t not_before_sec;     /* nbf; 0: none */
        char *user;                  /* u, sub */
        char *type;                  /* t */
        char **locators;             /* r: exact names, or prefixes with a trailing `*'; NULL: not said */
        char id[REQUEST_ID_LEN + 1]; /* i, jti: canonical; "" none */
        char **rights;               /* a: "gear.read", "gear.*"; NULL: not said */
        char body[DIGEST_BASE64URL_LEN + 1]; /* b: of the body that must be sent, as digest_base64url(); "" any */
        char **audience;             /* aud; NULL: anybody */
        char *issuer;                /* iss */
        char *peer;                  /* p: who may bring it, for peer_covers(); NULL: anybody */
        struct key *next;            /* cnf.jwk: who signs the next link */
        char previous[DIGEST_BASE64URL_LEN + 1]; /* prev: of the text of all links before; "" none */
};
void claims_reset(struct claims *c);

/*
 * INVALID names the claim; the sentence is for the journal and quotes no value.
 * Unknown names are left alone, duplicates refused.
 */
int claims_read(const char *payload, size_t n, struct claims *ret, struct fault *f);
/* In one fixed order, lists of one as a string. The text is sticky; INTERNAL where cnf cannot be written. */
int claims_write(const struct claims *c, struct text *t, struct fault *f);

/*
 * Makes `c', the claims of a link, those of the whole chain up to it: what it
 * leaves out is taken over from `parent'.  INVALID names a claim that is wider,
 * and `c' is then good for nothing but claims_reset().
 */
int claims_narrow(const struct claims *parent, struct claims *c, struct fault *f);
