/* SPDX-License-Identifier: Apache-2.0 */

/* gear token: mint one, narrow one, encrypt one.  None of it asks a server. */

#include "cli/claim-options.h"
#include "cli/material.h"
#include "cli/verb.h"
#include "core/token.h"

#include <stdio.h>
#include <time.h>

#define LIFE_SEC 3600

/* What makes a token, or a link: the claims, the key that signs them, and where the result goes. */
struct making {
        struct wanted wanted;
        struct delivery delivery;
        const char *key;
};

static void making_reset(struct making *m)
{
        wanted_reset(&m->wanted);
}

static const struct cli_option mint_options[] = {
        { 0, "key", "FILE", NULL, take_word, offsetof(struct making, key),
          "the private key that signs it; required" },
        { 0 },
};

static const struct cli_option narrow_options[] = {
        { 0, "holder", "FILE", NULL, take_word, offsetof(struct making, key),
          "the private half of the key that the token names;\nrequired" },
        { 0 },
};

static const struct cli_option seal_options[] = {
        { 0, "encrypt-to", "NODE.pub", NULL, take_word, offsetof(struct delivery, encrypt_to),
          "encrypt it to this node's key" },
        { 0 },
};

static const struct cli_option encrypt_options[] = {
        { 0, "to", "NODE.pub", NULL, take_word, offsetof(struct delivery, encrypt_to),
          "the node's public key; required" },
        { 0 },
};

/* A token and a path may both be given, or either: only a path begins with a slash. */
static int sort_operands(char **operands, const char **ret_token, const char **ret_path, struct fault *f)
{
        for (; *operands; operands++) {
                const char **place = **operands == '/' ? ret_path : ret_token;

                if (*place)
                        return fault_set(f, FAULT_INVALID, NULL, "%s given twice",
                                         place == ret_path ? "a path was" : "a token was");
                *place = *operands;
        }
        return 0;
}

static int load_signer(const char *option, const char *file, struct key **ret, struct fault *f)
{
        int r;

        if (!file)
                return fault_set(f, FAULT_INVALID, option, "--%s: is required", option);
        r = key_load(option, file, false, ret, f);
        if (r == 0 && !(*ret)->can_sign)
                return fault_set(f, FAULT_FAILED, option, "--%s: %s is the public half, which cannot sign",
                                 option, file);
        return r;
}

static int check_delivery(const struct making *m, const char *path, struct fault *f)
{
        if (m->wanted.for_narrowing && (m->delivery.encrypt_to || m->delivery.url))
                return fault_set(f, FAULT_INVALID, "for-narrowing",
                                 "--for-narrowing: such a token opens nothing itself, hence no --url and no "
                                 "--encrypt-to");
        return delivery_check(&m->delivery, path, f);
}

/* As options_parse(): what minting and narrowing both take, beside the key of their own. */
static int making_parse(const struct usage *usage, const struct cli_option *key_options, int argc,
                        char **argv, struct making *m, char ***ret_operands, struct fault *f)
{
        const struct option_group groups[] = { { "Options", key_options, m },
                                               { "Claims", claim_options, &m->wanted },
                                               { "Output", seal_options, &m->delivery },
                                               { NULL, url_options, &m->delivery },
                                               { 0 } };

        return options_parse(usage, groups, argc, argv, ret_operands, f);
}

/* --- mint ------------------------------------------------------------------------------------------- */

static int mint(struct making *m, const char *path, struct fault *f)
{
        _cleanup_secret_text_ struct text token = { 0 };
        _cleanup_(key_freep) struct key *key = NULL;
        struct claims *c = &m->wanted.claims;
        int r = check_delivery(m, path, f);

        if (r == 0)
                r = load_signer("key", m->key, &key, f);
        if (r == 0)
                r = wanted_complete(&m->wanted, f);
        if (r < 0)
                return r;
        if (!c->expires_sec)
                c->expires_sec = (uint64_t) time(NULL) + LIFE_SEC;
        r = token_mint(c, key, &token, f);
        if (r < 0) {
                options_blame(claim_options, f);
                return r;
        }
        r = wanted_keep_holder(&m->wanted, f);
        return r < 0 ? r : deliver(&m->delivery, path, &token, f);
}

static int mint_run(int argc, char **argv, struct fault *f)
{
        static const struct usage usage = {
                .verb = "token",
                .operands = "[PATH]",
                .operands_max = 1,
                .about = "Mints a token, which whoever has it can use, for an hour unless --expires says\n"
                         "otherwise:\n\n"
                         "    gear token --key=alice.key --user=alice --locator=1 --type=busybox \\\n"
                         "        --url /container\n\n"
                         "gear token show explains one, gear token narrow makes a weaker one of it, and\n"
                         "gear token encrypt hides it from all but one node.\n",
        };
        _cleanup_(making_reset) struct making m = { 0 };
        char **operands = NULL;
        int r = making_parse(&usage, mint_options, argc, argv, &m, &operands, f);

        if (r != 0)
                return r < 0 ? r : 0;
        return mint(&m, operands[0], f);
}

/* --- narrow ----------------------------------------------------------------------------------------- */

static int narrow(struct making *m, const char *operand, const char *path, struct fault *f)
{
        _cleanup_secret_text_ struct text given = { 0 }, token = { 0 };
        _cleanup_(key_freep) struct key *holder = NULL;
        int r = check_delivery(m, path, f);

        if (r == 0 && m->wanted.body_file && streq(m->wanted.body_file, "-") &&
            (!operand || streq(operand, "-")))
                r = fault_set(f, FAULT_INVALID, "body", "--body: standard input holds the token already");
        if (r == 0)
                r = load_signer("holder", m->key, &holder, f);
        if (r == 0)
                r = wanted_complete(&m->wanted, f);
        if (r == 0)
                r = token_get(operand, &given, f);
        if (r < 0)
                return r;
        if (token_is_encrypted(given.data, given.len))
                return fault_set(f, FAULT_FAILED, NULL, "an encrypted token cannot be narrowed");
        r = token_narrow(given.data, given.len, holder, &m->wanted.claims, &token, f);
        if (r < 0) {
                if (!streq(f->field, "cnf"))
                        options_blame(claim_options, f);
                return r;
        }
        r = wanted_keep_holder(&m->wanted, f);
        return r < 0 ? r : deliver(&m->delivery, path, &token, f);
}

static int narrow_run(int argc, char **argv, struct fault *f)
{
        static const struct usage usage = {
                .verb = "token narrow",
                .operands = "[TOKEN|-] [PATH]",
                .operands_max = 2,
                .about = "Makes a weaker token of one that was made for narrowing.  What is not given\n"
                         "stays as it was, and nothing can grow.  The token is read from standard input\n"
                         "unless it is given, when every user of this machine can see it for a moment.\n",
        };
        _cleanup_(making_reset) struct making m = { 0 };
        const char *token = NULL, *path = NULL;
        char **operands = NULL;
        int r = making_parse(&usage, narrow_options, argc, argv, &m, &operands, f);

        if (r != 0)
                return r < 0 ? r : 0;
        r = sort_operands(operands, &token, &path, f);
        return r < 0 ? r : narrow(&m, token, path, f);
}

/* --- encrypt ---------------------------------------------------------------------------------------- */

/* Nobody but the node could ever mend what is wrong with it afterwards. */
static int check_complete(const struct text *given, struct fault *f)
{
        _cleanup_(token_reset) struct token token = { 0 };
        struct fault why = { 0 };

        if (token_read(given->data, given->len, NULL, &token, &why) < 0)
                return fault_set(f, FAULT_FAILED, NULL, "this is no token to encrypt: %s", why.text);
        if (token.claims.next)
                return fault_set(f, FAULT_FAILED, NULL,
                                 "this token was made for narrowing, which encrypted it could not be");
        return 0;
}

static int encrypt(const struct delivery *d, const char *operand, const char *path, struct fault *f)
{
        _cleanup_secret_text_ struct text given = { 0 };
        int r = delivery_check(d, path, f);

        if (r == 0 && !d->encrypt_to)
                r = fault_set(f, FAULT_INVALID, "to", "--to: is required");
        if (r == 0)
                r = token_get(operand, &given, f);
        if (r == 0)
                r = check_complete(&given, f);
        return r < 0 ? r : deliver(d, path, &given, f);
}

static int encrypt_run(int argc, char **argv, struct fault *f)
{
        static const struct usage usage = {
                .verb = "token encrypt",
                .operands = "[TOKEN|-] [PATH]",
                .operands_max = 2,
                .about = "Hides what a token says from all but the node that has the private key.  The\n"
                         "token is read from standard input unless it is given, when every user of this\n"
                         "machine can see it for a moment.\n",
        };
        struct delivery d = { 0 };
        const struct option_group groups[] = { { "Options", encrypt_options, &d },
                                               { NULL, url_options, &d },
                                               { 0 } };
        const char *token = NULL, *path = NULL;
        char **operands = NULL;
        int r = options_parse(&usage, groups, argc, argv, &operands, f);

        if (r != 0)
                return r < 0 ? r : 0;
        r = sort_operands(operands, &token, &path, f);
        return r < 0 ? r : encrypt(&d, token, path, f);
}

int token_run(int argc, char **argv, struct fault *f)
{
        static const struct {
                const char *name;
                verb_run *run;
        } verbs[] = { { "show", token_show_run }, { "narrow", narrow_run }, { "encrypt", encrypt_run } };

        for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
                if (streq(argv[1], verbs[i].name))
                        return verbs[i].run(argc - 1, argv + 1, f);
        return mint_run(argc, argv, f);
}
