/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the tests of tokens share: people with keys, links made by hand so that they can be wrong, and
 * verdicts. */

#include "core/jws.h"
#include "core/token.h"

#define N_HOLDERS 5
#define DIGEST "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define OTHER_DIGEST "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"

struct world {
        struct key *issuer, *second, *stranger;
        struct key *holders[N_HOLDERS];
        const struct key *trusted[2]; /* issuer, second */
        struct token_rules rules;
};

struct key *named_key(enum key_algorithm algorithm, const char *id);
int set_up_world(void **state);
int tear_down_world(void **state);

/* Claims are written with ' for ". */
void put_claims(struct text *t, const char *claims);
void read_claims(const char *s, struct claims *ret);
struct key *public_of(const struct key *k);

char *signed_link(const struct key *signer, const char *typ, const char *kid, const char *claims,
                  const char *previous, const struct key *next);
char *first_link(const struct key *issuer, const char *claims, const struct key *next);
/* The link that belongs behind `before'. */
char *further_link(const char *before, const struct key *signer, const char *claims, const struct key *next);
char *joined(const char *a, const char *b);
/* Appends a link, wrong or not, and frees it. */
void append_link(char **chain, char *link);

/* `sentence' is part of what the journal is told. */
void token_refused(const char *what, const char *token, const struct token_rules *rules,
                   const char *sentence);
void token_accepted(const char *token, const struct token_rules *rules);
void token_verified(const char *token, const struct token_rules *rules, struct token *ret);
/* No sixteen bytes of the token stand in the fault. */
void leaks_nothing(const char *token, const struct fault *f);
