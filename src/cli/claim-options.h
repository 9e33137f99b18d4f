/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The options that say what a token, or one more link of it, claims. */

#include "cli/options.h"
#include "core/claims.h"

struct wanted {
        struct claims claims;
        const char *body_file;
        bool once;
        bool for_narrowing;
        const char *holder_file; /* NULL: a new key is made */
};
void wanted_reset(struct wanted *w);

extern const struct cli_option claim_options[]; /* of a struct wanted */

/* What the options leave to be read or made: body, request id, holder's key. */
int wanted_complete(struct wanted *w, struct fault *f);
/* A holder's key that was made is written down, once all else went well. */
int wanted_keep_holder(const struct wanted *w, struct fault *f);
