/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A token, from its text to what it grants.
 *
 *   token = link *( "~" link )      link = a compact JWS
 *   or a compact JWE around exactly one such token
 *
 * The first link is signed by a trusted key; each further one by the key that
 * the link before named in `cnf', and says in `prev' the digest of everything
 * before it.  The last link names none.  Each may only narrow.
 */

#include "core/claims.h"

#define TOKEN_MAX 12288
#define TOKEN_LINKS_MAX 5
#define TOKEN_LINK_TYPE "gear-link"  /* `typ' of every link but the first, and of no first one */
#define TOKEN_LEEWAY_SEC 30

struct token_rules {
        const struct key *const *keys;    /* trusted issuers */
        size_t n_keys;
        const struct key *const *own;     /* keys that tokens may be encrypted to */
        size_t n_own;
        const char *audience;             /* our name; NULL or "": aud is not looked at unless present */
        uint64_t max_life_sec;
};

struct token {
        struct claims claims;             /* of the whole chain, `a' filled in, no cnf */
        const struct key *issuer;         /* borrowed from the rules */
        size_t n_links;
        bool encrypted;
};
void token_reset(struct token *t);

/*
 * Everything but time: form, signatures, chain, narrowing, the issuer's limits,
 * audience.  0, -EBADMSG with *ret_why (constant or in `f': a sentence for the
 * journal), -ENOMEM.
 */
int token_verify(const char *text, size_t n, const struct token_rules *rules, struct token *ret, struct fault *f);
/* Time: expired, not yet valid, further ahead than allowed. */
int token_check_time(const struct token *t, const struct token_rules *rules, uint64_t now_sec, struct fault *f);
