/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A token in words and as JSON: each link, and what the whole comes to. */

#include "core/token.h"
#include "util/text.h"

enum verdict {
        VERDICT_NONE, /* no key was given: nothing is believed */
        VERDICT_GOOD,
        VERDICT_REFUSED, /* and why */
};

struct explained_link {
        char *kid; /* NULL: none */
        char *algorithm;
        struct claims claims; /* its own, without those before */
};

struct explained {
        uint64_t now_sec;
        bool encrypted;
        enum verdict verdict;
        struct fault why;
        char signer[256];   /* the trusted key: its file or id; "" none is known */
        struct token token; /* the whole; its first signature is unchecked */
        struct explained_link links[TOKEN_LINKS_MAX];
};
void explained_reset(struct explained *e);

/* Takes a token that is not encrypted apart. FAILED when it is none. */
int explained_read(struct explained *e, const char *text, size_t n, struct fault *f);

void explain_text(const struct explained *e, struct text *t);
int explain_json(const struct explained *e, struct text *t, struct fault *f);
