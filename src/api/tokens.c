/* SPDX-License-Identifier: Apache-2.0 */

#include "api/tokens.h"

#include "api/trust.h"
#include "daemon.h"
#include "util/digest.h"
#include "util/log.h"

#include <stdio.h>
#include <sys/queue.h>

/* Each a slot of its own, chosen by the digest: bounded, and nothing to keep in order. */
#define VERIFIED_SLOTS 1024

#define CLOCK_USEC USEC_PER_SEC /* somebody may set it */
#define CHECKS_PER_TURN 4       /* signatures, for which all others wait */

struct verified {
        char digest[DIGEST_HEX_LEN + 1]; /* of the token's text; "" for none */
        struct token token;
};

struct permit {
        TAILQ_ENTRY(permit) link;
        struct tokens *tokens;
        const char *text;
        unsigned round; /* in which it was checked last */
        uint64_t until_usec;
        struct timer *clock;
        void (*ended)(void *arg);
        void *arg;
};

struct tokens {
        struct daemon *daemon;
        struct trust *trust;
        struct verified *verified;
        TAILQ_HEAD(, permit) permits; /* those of an earlier round come first */
        unsigned round;               /* a new one begins when the keys change */
        struct timer *check;
};

static void forget_verified(struct tokens *t)
{
        for (size_t i = 0; i < VERIFIED_SLOTS; i++) {
                if (t->verified[i].digest[0])
                        token_reset(&t->verified[i].token);
                t->verified[i].digest[0] = '\0';
        }
}

/* The keys are those in force only when the loop runs again. */
static void doubt_all(void *arg)
{
        struct tokens *t = arg;

        forget_verified(t);
        t->round++;
        timer_set(t->check, 0);
}

static void check_permits(void *arg);

struct tokens *tokens_new(struct daemon *d)
{
        struct tokens *t = calloc(1, sizeof *t);

        if (!t)
                return NULL;
        t->daemon = d;
        TAILQ_INIT(&t->permits);
        t->verified = calloc(VERIFIED_SLOTS, sizeof *t->verified);
        t->check = timer_new(d->loop, check_permits, t);
        if (t->verified && t->check)
                t->trust = trust_new(d, doubt_all, t);
        return t->trust ? t : tokens_free(t);
}

struct tokens *tokens_free(struct tokens *t)
{
        if (!t)
                return NULL;
        if (t->verified)
                forget_verified(t);
        free(t->verified);
        t->check = timer_free(t->check);
        t->trust = trust_free(t->trust);
        free(t);
        return NULL;
}

void tokens_reload(struct tokens *t)
{
        doubt_all(t);
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
        return token_check_time(&slot->token, &rules, wall_usec() / USEC_PER_SEC, f);
}

/* --- permits -------------------------------------------------------------------------------------- */

static void end_permit(struct permit *p, const char *why)
{
        log_info(NO_FIELDS, "a stream ends, since its token is good no more: %s", why);
        p->ended(p->arg);
}

static bool has_doubts(const struct tokens *t)
{
        const struct permit *first = TAILQ_FIRST(&t->permits);

        return first && first->round != t->round;
}

static void check_permits(void *arg)
{
        struct tokens *t = arg;

        for (int i = 0; i < CHECKS_PER_TURN && has_doubts(t); i++) {
                struct permit *p = TAILQ_FIRST(&t->permits);
                struct bearer bearer;
                struct fault why;

                TAILQ_REMOVE(&t->permits, p, link);
                TAILQ_INSERT_TAIL(&t->permits, p, link);
                p->round = t->round;
                if (tokens_check(t, p->text, &bearer, &why) < 0)
                        end_permit(p, why.text);
        }
        if (has_doubts(t))
                timer_set(t->check, 0);
}

static void check_clock(void *arg)
{
        struct permit *p = arg;
        uint64_t now = wall_usec();

        if (now < p->until_usec)
                timer_set(p->clock, p->until_usec - now < CLOCK_USEC ? p->until_usec - now : CLOCK_USEC);
        else
                end_permit(p, "it has expired");
}

/* One that has expired, and was accepted all the same, has what is left of the leeway. */
static uint64_t end_of(const struct token *token)
{
        uint64_t expires = token->claims.expires_sec * USEC_PER_SEC;

        return wall_usec() < expires ? expires : expires + TOKEN_LEEWAY_SEC * USEC_PER_SEC;
}

struct permit *permit_new(struct tokens *t, const char *text, const struct token *token,
                          void (*ended)(void *arg), void *arg)
{
        struct permit *p = calloc(1, sizeof *p);

        if (!p)
                return NULL;
        *p = (struct permit){ .tokens = t, .text = text, .round = t->round, .ended = ended, .arg = arg };
        p->until_usec = end_of(token);
        TAILQ_INSERT_TAIL(&t->permits, p, link);
        p->clock = timer_new(t->daemon->loop, check_clock, p);
        if (!p->clock)
                return permit_free(p);
        timer_set(p->clock, 0);
        return p;
}

struct permit *permit_free(struct permit *p)
{
        if (!p)
                return NULL;
        TAILQ_REMOVE(&p->tokens->permits, p, link);
        p->clock = timer_free(p->clock);
        free(p);
        return NULL;
}
