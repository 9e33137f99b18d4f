/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The tokens that this daemon believes: those that were verified under the keys in force. */

#include "core/token.h"
#include "util/fault.h"

struct daemon;
struct tokens;

/* The keys were read when it returns. NULL without memory only. */
struct tokens *tokens_new(struct daemon *d);
struct tokens *tokens_free(struct tokens *t);

/* Another configuration counts: nothing verified before does, and the keys are read again. */
void tokens_reload(struct tokens *t);

/* Who brings a token; all of it is borrowed until the loop runs again. */
struct bearer {
        struct token_proof proof;
        const struct token *token;  /* NULL where it is refused for more than the time */
};

/*
 * Verified, and valid now.  Refused: negative with the reason in the fault, for
 * the journal only, and ret tells what is proven of it nevertheless.  -ENOMEM.
 */
int tokens_check(struct tokens *t, const char *text, struct bearer *ret, struct fault *f);

/*
 * What a stream holds, which goes on behind that check.  Whenever the keys or the
 * configuration change the same check is made again: `ended' is called when it
 * fails, and when the token expires; it must free the permit.  From the loop only.
 * The text is borrowed.  NULL without memory.
 */
struct permit;
struct permit *permit_new(struct tokens *t, const char *text, const struct token *token,
                          void (*ended)(void *arg), void *arg);
struct permit *permit_free(struct permit *p);
