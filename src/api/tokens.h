/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The tokens that this daemon believes: the keys in force, reloaded when their
 * directory changes, and the tokens that were verified under them.
 */

#include "core/token.h"
#include "util/fault.h"

struct daemon;
struct tokens;

/* Loads the keys and watches their directory. NULL without memory only. */
struct tokens *tokens_new(struct daemon *d);
struct tokens *tokens_free(struct tokens *t);

/* The keys anew (SIGHUP, or somebody changed the directory); nothing verified before counts any more. */
void tokens_reload(struct tokens *t);

/*
 * Verified, and valid now: borrowed until the loop runs again.  -EBADMSG with
 * the reason in the fault, for the journal only; -ENOMEM.
 */
int tokens_check(struct tokens *t, const char *text, const struct token **ret, struct fault *f);
