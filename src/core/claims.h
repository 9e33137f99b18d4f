/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a token claims, read strictly: the names of the seed (d u t r i) and the
 * registered ones that mean the same (exp sub jti), of which a token that has
 * both must say the same.  Pure: no key, no clock.
 */

#include "core/ident.h"
#include "core/key.h"

#define CLAIM_USER_MAX 128
#define CLAIM_TYPE_MAX 512
#define CLAIM_LOCATORS_MAX 32
#define CLAIM_RIGHTS_MAX 32

struct claims {
        uint64_t expires_sec;        /* d, exp; 0 where a link leaves it to the one before */
        uint64_t not_before_sec;     /* nbf; 0: none */
        char *user;                  /* u, sub */
        char *type;                  /* t */
        char **locators;             /* r: exact names, or prefixes with a trailing `*'; NULL: not said */
        char id[REQUEST_ID_LEN + 1]; /* i, jti when it is one: canonical; "" none */
        char **rights;               /* a: "gear.read", "gear.*"; NULL: not said */
        unsigned char body[32];      /* b: SHA-256 of the body … */
        bool has_body;
        char **audience;             /* aud; NULL: anybody */
        char *issuer;                /* iss */
        char *peer;                  /* p: the one address (or CIDR) it may come from */
        struct key *next;            /* cnf.jwk: who signs the next link */
        char previous[44];           /* prev: base64url SHA-256 of all links before; "" none */
};
void claims_reset(struct claims *c);

/* INVALID names the claim; the sentence is for the journal. Unknown names are left alone, duplicates refused. */
int claims_read(const char *payload, size_t n, struct claims *ret, struct fault *f);
int claims_write(const struct claims *c, struct text *t);

/* Does a list of patterns (exact, or a prefix and `*') cover a name; does it cover another pattern whole? */
bool pattern_covers(char *const *patterns, const char *name);
bool pattern_covers_pattern(char *const *patterns, const char *pattern);

/* "gear.*" covers every right of gears but gear.host, which is always named. */
bool rights_grant(char *const *rights, const char *right);
bool rights_cover(char *const *rights, const char *pattern);
bool right_known(const char *pattern);
/* What a token without `a' grants: what the first program's tokens did. */
char *const *rights_of_seed(void);

/* Makes `c' the claims of `parent' narrowed by it: INVALID names the claim that is wider. */
int claims_narrow(const struct claims *parent, struct claims *c, struct fault *f);
