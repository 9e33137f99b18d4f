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
#define TOKEN_ID_LEN 16
#define TOKEN_CLOCK_MIN_SEC UINT64_C(1767225600) /* 2026-01-01: a clock before geard was written is wrong */

struct token_rules {
        const struct key *const *keys;    /* trusted issuers */
        size_t n_keys;
        const struct key *const *own;     /* keys that tokens may be encrypted to */
        size_t n_own;
        const char *audience;             /* our name; NULL or "": a token with `aud' is for somebody else */
        uint64_t max_life_sec;
};

struct token {
        struct claims claims;             /* of the whole chain, `a' filled in */
        char id[TOKEN_ID_LEN + 1];        /* of what is signed: see struct token_proof */
        const struct key *issuer;         /* borrowed from the rules; NULL where those were */
        char **holders;                   /* names of the keys that signed the second link and on */
        uint64_t issued_until_sec;        /* `d' of the first link: how long its issuer has vouched */
        size_t n_links;
        bool encrypted;
};
void token_reset(struct token *t);

/*
 * Everything but time: form, signatures, chain, narrowing, the issuer's limits,
 * audience.  Negative with the fault filled: DENIED with a sentence for the
 * journal, which holds no part of the token, or INTERNAL.
 */
int token_verify(const char *text, size_t n, const struct token_rules *rules, struct token *ret, struct fault *f);

/*
 * What is proven of a token, also of a refused one, if all signatures up to what
 * was refused are good.  The id says which token it is and opens nothing: it is
 * the beginning of a digest of all links, up to that one, without their
 * signatures.  One statement may have several: ES256 has two for each.
 */
struct token_proof {
        const struct key *signer;         /* the trusted key of the first link; NULL: nothing is proven */
        char id[TOKEN_ID_LEN + 1];
};
/* As token_verify(), and tells that. */
int token_examine(const char *text, size_t n, const struct token_rules *rules, struct token *ret,
                  struct token_proof *ret_proof, struct fault *f);
/* Time: expired, not yet valid, further ahead than allowed. */
int token_check_time(const struct token *t, const struct token_rules *rules, uint64_t now_sec, struct fault *f);

/*
 * For who holds a token and not the key of its issuer: the same, but without
 * encryption and audience, with a `cnf' in the last link allowed and left in the
 * claims, and, where `rules' is NULL, with the first signature unchecked.
 */
int token_read(const char *text, size_t n, const struct token_rules *rules, struct token *ret, struct fault *f);

/* Both refuse what token_verify() would, but for a `cnf' at the end, and then add nothing to the text. */
int token_mint(const struct claims *c, const struct key *issuer, struct text *t, struct fault *f);
/* One link more; `holder' is the private half of what the last link names, c->previous is not looked at. */
int token_narrow(const char *text, size_t n, const struct key *holder, const struct claims *c, struct text *t,
                 struct fault *f);
