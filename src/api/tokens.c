/* SPDX-License-Identifier: Apache-2.0 */

#include "api/tokens.h"

#include "daemon.h"
#include "sys/keyring.h"
#include "util/digest.h"
#include "util/log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Each a slot of its own, chosen by the digest: bounded, and nothing to keep in order. */
#define VERIFIED_SLOTS 1024
/* Editors and key rotations touch several files at once. */
#define SETTLE_USEC (50 * USEC_PER_MSEC)
#define OWN_KEY_CREDENTIAL "token-key"

struct verified {
        char digest[DIGEST_HEX_LEN + 1]; /* of the token's text; "" for none */
        struct token token;
};

struct tokens {
        struct daemon *daemon;
        struct dirwatch *watch;
        struct timer *settle;
        struct keyring trusted, own;
        struct verified *verified;
};

static void forget_verified(struct tokens *t)
{
        for (size_t i = 0; i < VERIFIED_SLOTS; i++) {
                if (t->verified[i].digest[0])
                        token_reset(&t->verified[i].token);
                t->verified[i].digest[0] = '\0';
        }
}

static void tell_wrong(void *arg, const char *name, const char *why)
{
        const struct tokens *t = arg;

        log_error(LOG_FIELDS("GEARD_KEY_FILE", name), "%s/%s is passed over: %s", t->daemon->config->keys_directory,
                  name, why);
}

static void load_own(struct tokens *t)
{
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *path = NULL;
        struct fault f;

        keyring_reset(&t->own);
        if (!directory || asprintf(&path, "%s/" OWN_KEY_CREDENTIAL, directory) < 0 || access(path, F_OK) < 0)
                return;
        if (keyring_load_own(path, &t->own, &f) < 0)
                log_error(NO_FIELDS, "the credential `" OWN_KEY_CREDENTIAL "' is no key: %s; encrypted tokens are refused", f.text);
}

static void watch_directory(struct tokens *t);

void tokens_reload(struct tokens *t)
{
        struct keyring fresh;
        int r;

        r = keyring_load(t->daemon->config->keys_directory, tell_wrong, t, &fresh);
        /* Keys that can no longer be read are keys that nobody can take away: they do not count. */
        if (r < 0)
                log_error(NO_FIELDS, "cannot read %s: %s; no signed token is accepted", t->daemon->config->keys_directory,
                        strerror(-r));
        forget_verified(t);
        keyring_reset(&t->trusted);
        t->trusted = fresh;
        load_own(t);
        log_info(NO_FIELDS, "%zu keys may sign tokens%s", t->trusted.n_keys,
                 t->own.n_keys ? ", and tokens may be encrypted" : "");
        if (!t->watch)
                watch_directory(t);
}

static void settled(void *arg)
{
        tokens_reload(arg);
}

static void directory_changed(void *arg, const char *name _unused_)
{
        struct tokens *t = arg;

        timer_set(t->settle, SETTLE_USEC);
}

static void watch_directory(struct tokens *t)
{
        int r = dirwatch_new(t->daemon->loop, t->daemon->config->keys_directory, directory_changed, t, &t->watch);

        if (r < 0 && r != -ENOENT)
                log_warning(NO_FIELDS, "cannot watch %s (%s): changes count after a reload of geard",
                            t->daemon->config->keys_directory, strerror(-r));
}

struct tokens *tokens_new(struct daemon *d)
{
        struct tokens *t = calloc(1, sizeof *t);

        if (!t)
                return NULL;
        t->daemon = d;
        t->verified = calloc(VERIFIED_SLOTS, sizeof *t->verified);
        t->settle = timer_new(d->loop, settled, t);
        if (!t->verified || !t->settle)
                return tokens_free(t);
        tokens_reload(t);
        return t;
}

struct tokens *tokens_free(struct tokens *t)
{
        if (!t)
                return NULL;
        t->watch = dirwatch_free(t->watch);
        t->settle = timer_free(t->settle);
        if (t->verified)
                forget_verified(t);
        free(t->verified);
        keyring_reset(&t->trusted);
        keyring_reset(&t->own);
        free(t);
        return NULL;
}

static struct verified *slot_of(struct tokens *t, const char *digest)
{
        unsigned slot = 0;

        (void) sscanf(digest, "%4x", &slot);
        return &t->verified[slot % VERIFIED_SLOTS];
}

int tokens_check(struct tokens *t, const char *text, struct bearer *ret, struct fault *f)
{
        const struct token_rules rules = { .keys = (const struct key *const *) t->trusted.keys,
                                           .n_keys = t->trusted.n_keys,
                                           .own = (const struct key *const *) t->own.keys,
                                           .n_own = t->own.n_keys,
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
        memcpy(ret->id, digest, TOKEN_ID_LEN);
        slot = slot_of(t, digest);
        if (!streq(slot->digest, digest)) {
                struct token token = { 0 };

                r = token_examine(text, n, &rules, &token, &ret->signer, f);
                if (r < 0)
                        return r;
                if (slot->digest[0])
                        token_reset(&slot->token);
                slot->token = token;
                memcpy(slot->digest, digest, sizeof digest);
        }
        ret->signer = slot->token.issuer;
        ret->token = &slot->token;
        return token_check_time(&slot->token, &rules, (uint64_t) time(NULL), f);
}
