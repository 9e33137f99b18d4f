/* SPDX-License-Identifier: Apache-2.0 */

#include "api/tokens.h"

#include "api/trust.h"
#include "daemon.h"
#include "util/digest.h"

#include <stdio.h>
#include <time.h>

/* Each a slot of its own, chosen by the digest: bounded, and nothing to keep in order. */
#define VERIFIED_SLOTS 1024

struct verified {
        char digest[DIGEST_HEX_LEN + 1]; /* of the token's text; "" for none */
        struct token token;
};

struct tokens {
        struct daemon *daemon;
        struct trust *trust;
        struct verified *verified;
};

static void forget_verified(void *arg)
{
        struct tokens *t = arg;

        for (size_t i = 0; i < VERIFIED_SLOTS; i++) {
                if (t->verified[i].digest[0])
                        token_reset(&t->verified[i].token);
                t->verified[i].digest[0] = '\0';
        }
}

struct tokens *tokens_new(struct daemon *d)
{
        struct tokens *t = calloc(1, sizeof *t);

        if (!t)
                return NULL;
        t->daemon = d;
        t->verified = calloc(VERIFIED_SLOTS, sizeof *t->verified);
        if (t->verified)
                t->trust = trust_new(d, forget_verified, t);
        return t->trust ? t : tokens_free(t);
}

struct tokens *tokens_free(struct tokens *t)
{
        if (!t)
                return NULL;
        if (t->verified)
                forget_verified(t);
        free(t->verified);
        t->trust = trust_free(t->trust);
        free(t);
        return NULL;
}

void tokens_reload(struct tokens *t)
{
        forget_verified(t);
        trust_reload(t->trust);
}

static struct verified *slot_of(struct tokens *t, const char *digest)
{
        unsigned slot = 0;

        (void) sscanf(digest, "%4x", &slot);
        return &t->verified[slot % VERIFIED_SLOTS];
}

int tokens_check(struct tokens *t, const char *text, struct bearer *ret, struct fault *f)
{
        const struct keyring *issuers = trust_issuers(t->trust), *own = trust_own(t->trust);
        const struct token_rules rules = { .keys = (const struct key *const *) issuers->keys,
                                           .n_keys = issuers->n_keys,
                                           .own = (const struct key *const *) own->keys,
                                           .n_own = own->n_keys,
                                           .audience = t->daemon->config->node_name,
                                           .max_life_sec = t->daemon->config->max_token_life_usec / USEC_PER_SEC };
        char digest[DIGEST_HEX_LEN + 1];
        struct verified *slot;
        size_t n = strlen(text);
        int r;

        *ret = (struct bearer){ 0 };
        if (n > TOKEN_MAX)
                return (fault_set(f, FAULT_DENIED, NULL, "the token is longer than %d bytes", TOKEN_MAX), -EBADMSG);
        if (digest_hex(text, n, digest) < 0)
                return fault_oom(f);
        slot = slot_of(t, digest);
        if (!streq(slot->digest, digest)) {
                struct token token = { 0 };

                r = token_examine(text, n, &rules, &token, &ret->proof, f);
                if (r < 0)
                        return r;
                if (slot->digest[0])
                        token_reset(&slot->token);
                slot->token = token;
                memcpy(slot->digest, digest, sizeof digest);
        }
        ret->proof.signer = slot->token.issuer;
        memcpy(ret->proof.id, slot->token.id, sizeof ret->proof.id);
        ret->token = &slot->token;
        return token_check_time(&slot->token, &rules, (uint64_t) time(NULL), f);
}
