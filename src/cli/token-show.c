/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gear token show: what a token says, in words.  Without a key nothing of it is
 * believed, and that is said; signatures themselves are never shown, so that
 * what is printed cannot be used in place of the token.
 */

#include "cli/explain.h"
#include "cli/material.h"
#include "cli/verb.h"
#include "core/jwe.h"
#include "sys/keyring.h"

#include <stdio.h>
#include <time.h>

struct show {
        const char *key, *keys, *decrypt, *output;
};

static const struct cli_option options[] = {
        { 0, "key", "FILE", NULL, take_word, offsetof(struct show, key),
          "verify it with this key, of either half" },
        { 0, "keys", "DIRECTORY", NULL, take_word, offsetof(struct show, keys),
          "verify it as geard would with these keys, like\n" SYSCONFDIR "/geard/keys.d" },
        { 0, "decrypt", "NODE.key", NULL, take_word, offsetof(struct show, decrypt),
          "the private key of the node it is encrypted to" },
        { 'o', "output", "FORM", NULL, take_word, offsetof(struct show, output),
          "text (the default) or json" },
        { 0 },
};

static void tell_wrong_file(void *arg _unused_, const char *name, const char *why)
{
        fprintf(stderr, "gear: %s is passed over: %s\n", name, why);
}

/* Who names a key means it, whatever the token calls it. */
static int load_one(const char *file, const char *kid, struct keyring *ret, struct fault *f)
{
        struct key *k = NULL;
        int r = key_load("key", file, false, &k, f);

        if (r < 0)
                return r;
        if (kid)
                (void) snprintf(k->id, sizeof k->id, "%s", kid);
        ret->keys = malloc(sizeof(struct key *));
        if (!ret->keys) {
                (void) key_free(k);
                return fault_oom(f);
        }
        ret->keys[ret->n_keys++] = k;
        return 0;
}

static int load_keys(const struct show *s, const char *kid, struct keyring *ret, struct fault *f)
{
        if (s->key && s->keys)
                return fault_set(f, FAULT_INVALID, "keys", "--keys: cannot go with --key");
        if (s->key)
                return load_one(s->key, kid, ret, f);
        if (!s->keys)
                return 0;
        if (access(s->keys, R_OK | X_OK) < 0) /* to the daemon a missing directory is an empty one */
                return fault_errno(f, errno, "--keys: cannot read %s", s->keys);
        return keyring_load(s->keys, tell_wrong_file, NULL, ret, f);
}

/* --- verdict ---------------------------------------------------------------------------------------- */

static void judge(const struct show *s, const struct text *token, const struct keyring *ring,
                  struct explained *e)
{
        const struct token_rules rules = { .keys = (const struct key *const *) ring->keys,
                                           .n_keys = ring->n_keys,
                                           .max_life_sec = UINT64_MAX };
        _cleanup_(token_reset) struct token t = { 0 };

        e->verdict = VERDICT_REFUSED;
        if (token_read(token->data, token->len, &rules, &t, &e->why) < 0)
                return;
        (void) snprintf(e->signer, sizeof e->signer, "%s", s->key ? s->key : t.issuer->id);
        if (token_check_time(&t, &rules, e->now_sec, &e->why) == 0)
                e->verdict = VERDICT_GOOD;
}

static int verdict_fault(const struct explained *e, struct fault *f)
{
        if (e->verdict != VERDICT_REFUSED)
                return 0;
        return fault_set(f, FAULT_DENIED, e->why.field, "this token is refused: %s", e->why.text);
}

static int print(const struct show *s, const struct explained *e, struct fault *f)
{
        _cleanup_text_ struct text t = { 0 };
        int r = 0;

        if (s->output && streq(s->output, "json"))
                r = explain_json(e, &t, f);
        else
                explain_text(e, &t);
        if (r < 0)
                return r;
        if (!text_ok(&t))
                return fault_oom(f);
        (void) fputs(t.data, stdout);
        return 0;
}

/* --- what was given ----------------------------------------------------------------------------------- */

static int decrypt(const char *file, struct text *token, struct fault *f)
{
        _cleanup_(key_freep) struct key *k = NULL;
        const struct key *own;
        char *inner = NULL;
        size_t n = 0;
        int r = key_load("decrypt", file, true, &k, f);

        if (r < 0)
                return r;
        own = k;
        if (jwe_decrypt(token->data, token->len, &own, 1, &inner, &n) < 0)
                return fault_set(f, FAULT_DENIED, "decrypt",
                                 "--decrypt: this key does not decrypt the token");
        secret_text_reset(token);
        text_addn(token, inner, n);
        explicit_bzero(inner, n);
        free(inner);
        return text_ok(token) ? 0 : fault_oom(f);
}

/* In the clear, whatever it was given as. */
static int open_token(const struct show *s, struct text *token, struct explained *e, struct fault *f)
{
        e->encrypted = token_is_encrypted(token->data, token->len);
        if (e->encrypted && !s->decrypt)
                return fault_set(f, FAULT_FAILED, NULL,
                                 "this token is encrypted: what it says takes --decrypt");
        return e->encrypted ? decrypt(s->decrypt, token, f) : 0;
}

static int show(const struct show *s, struct text *token, struct fault *f)
{
        _cleanup_(explained_reset) struct explained e = { .now_sec = (uint64_t) time(NULL) };
        _cleanup_(keyring_reset) struct keyring ring = { 0 };
        int r = open_token(s, token, &e, f);

        if (r == 0)
                r = explained_read(&e, token->data, token->len, f);
        if (r == 0)
                r = load_keys(s, e.links[0].kid, &ring, f);
        if (r < 0)
                return r;
        if (s->key || s->keys)
                judge(s, token, &ring, &e);
        r = print(s, &e, f);
        return r < 0 ? r : verdict_fault(&e, f);
}

int token_show_run(int argc, char **argv, struct fault *f)
{
        static const struct usage usage = {
                .verb = "token show",
                .operands = "[TOKEN|-]",
                .operands_max = 1,
                .about = "Explains a token, or the one in a URL: what it allows, whom, until when.  With\n"
                         "--key or --keys it is verified too.  The token is read from standard input\n"
                         "unless it is given, when every user of this machine can see it for a moment.\n",
        };
        _cleanup_secret_text_ struct text token = { 0 };
        struct show s = { 0 };
        const struct option_group groups[] = { { "Options", options, &s }, { 0 } };
        char **operands = NULL;
        int r = options_parse(&usage, groups, argc, argv, &operands, f);

        if (r != 0)
                return r < 0 ? r : 0;
        if (s.output && !streq(s.output, "text") && !streq(s.output, "json"))
                return fault_set(f, FAULT_INVALID, "output", "--output: must be text or json");
        r = token_get(operands[0], &token, f);
        return r < 0 ? r : show(&s, &token, f);
}
