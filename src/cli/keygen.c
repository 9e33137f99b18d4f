/* SPDX-License-Identifier: Apache-2.0 */

/* gear keygen: a new key in two files, and where each of them belongs. */

#include "cli/material.h"
#include "cli/verb.h"

#include <stdio.h>
#include <strings.h>

#define RSA_BITS 3072
#define KEYS_DIRECTORY SYSCONFDIR "/geard/keys.d/"
#define PRIVATE_MODE (S_IRUSR | S_IWUSR)
#define PUBLIC_MODE (S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)
#define FILE_NAME_MAX (KEY_ID_MAX + sizeof ".key")

struct keygen {
        const char *algorithm, *curve, *bits, *id, *directory;
        bool jwk, pem, force;
        const char *name;

        enum key_algorithm kind;
        enum key_form form;
        unsigned rsa_bits;
};

static const struct cli_option options[] = {
        { 0, "algorithm", "ALGORITHM", NULL, take_word, offsetof(struct keygen, algorithm),
          "EdDSA (the default), ES256, RS256, PS256 or HS256 to\nsign; ECDH-ES or RSA-OAEP-256 to encrypt "
          "to" },
        { 0, "curve", "CURVE", NULL, take_word, offsetof(struct keygen, curve),
          "of ECDH-ES: X25519 (the default) or P-256" },
        { 0, "bits", "N", NULL, take_word, offsetof(struct keygen, bits),
          "of RSA: 2048 to 8192, by default 3072" },
        { 0, "id", "ID", NULL, take_word, offsetof(struct keygen, id),
          "the `kid' of a JWK, instead of NAME; implies --jwk" },
        { 0, "jwk", NULL, NULL, take_flag, offsetof(struct keygen, jwk),
          "write JWKs; HS256 and PS256 always do" },
        { 0, "pem", NULL, NULL, take_flag, offsetof(struct keygen, pem), "write PEM, the default" },
        { 0, "out", "DIRECTORY", NULL, take_word, offsetof(struct keygen, directory),
          "where to, instead of the working directory" },
        { 0, "force", NULL, NULL, take_flag, offsetof(struct keygen, force),
          "replace files that are there" },
        { 0 },
};

static bool is_rsa(enum key_algorithm a)
{
        return a == KEY_RS256 || a == KEY_PS256 || a == KEY_RSA_OAEP_256;
}

static int choose_algorithm(struct keygen *k, struct fault *f)
{
        static const enum key_algorithm all[] = { KEY_EDDSA, KEY_ES256,       KEY_RS256,       KEY_PS256,
                                                  KEY_HS256, KEY_ECDH_X25519, KEY_RSA_OAEP_256 };

        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                if (strcasecmp(k->algorithm, key_algorithm_name(all[i])) == 0) {
                        k->kind = all[i];
                        return 0;
                }
        return fault_set(f, FAULT_INVALID, "algorithm",
                         "--algorithm: must be EdDSA, ES256, RS256, PS256, HS256, ECDH-ES or RSA-OAEP-256");
}

static int choose_curve(struct keygen *k, struct fault *f)
{
        if (!k->curve)
                return 0;
        if (k->kind != KEY_ECDH_X25519)
                return fault_set(f, FAULT_INVALID, "curve", "--curve: is for ECDH-ES; %s has its own",
                                 key_algorithm_name(k->kind));
        if (strcasecmp(k->curve, "P-256") == 0)
                k->kind = KEY_ECDH_P256;
        else if (strcasecmp(k->curve, "X25519") != 0)
                return fault_set(f, FAULT_INVALID, "curve", "--curve: must be X25519 or P-256");
        return 0;
}

static int choose_bits(struct keygen *k, struct fault *f)
{
        uint64_t bits = RSA_BITS;

        if (k->bits && !is_rsa(k->kind))
                return fault_set(f, FAULT_INVALID, "bits", "--bits: is for RSA; keys of %s have one size",
                                 key_algorithm_name(k->kind));
        if (k->bits && (!parse_u64(k->bits, KEY_RSA_BITS_MAX, &bits) || bits < KEY_RSA_BITS_MIN))
                return fault_set(f, FAULT_INVALID, "bits", "--bits: must be from %d to %d", KEY_RSA_BITS_MIN,
                                 KEY_RSA_BITS_MAX);
        k->rsa_bits = (unsigned) bits;
        return 0;
}

/* Of these PEM cannot say what they are: a secret at all, an RSA key for one of two signatures. */
static bool needs_jwk(enum key_algorithm a)
{
        return a == KEY_HS256 || a == KEY_PS256;
}

static int choose_form(struct keygen *k, struct fault *f)
{
        if (k->pem && (k->jwk || k->id))
                return fault_set(f, FAULT_INVALID, "pem", "--pem: cannot go with --jwk and --id");
        if (k->pem && needs_jwk(k->kind))
                return fault_set(f, FAULT_INVALID, "pem", "--pem: a key for %s is written as a JWK",
                                 key_algorithm_name(k->kind));
        if (k->id && !key_id_valid(k->id))
                return fault_set(f, FAULT_INVALID, "id", "--id: must be 1 to %d of A-Z a-z 0-9 - _ and .",
                                 KEY_ID_MAX);
        k->form = k->jwk || k->id || needs_jwk(k->kind) ? KEY_FORM_JWK : KEY_FORM_PEM;
        return 0;
}

/* The stem of a file in keys.d is the id of its key. */
static int choose_name(struct keygen *k, const char *name, struct fault *f)
{
        if (!name)
                return fault_set(f, FAULT_INVALID, NULL,
                                 "keygen: how shall the key be called? gear keygen NAME");
        if (!key_id_valid(name) || name[0] == '.' || name[0] == '-')
                return fault_set(f, FAULT_INVALID, NULL,
                                 "the name of a key is 1 to %d of A-Z a-z 0-9 - _ and ., not beginning with "
                                 "- or .; --out says where it goes",
                                 KEY_ID_MAX);
        k->name = name;
        return 0;
}

static int choose(struct keygen *k, const char *name, struct fault *f)
{
        int r = choose_name(k, name, f);

        if (r == 0)
                r = choose_algorithm(k, f);
        if (r == 0)
                r = choose_curve(k, f);
        if (r == 0)
                r = choose_bits(k, f);
        return r < 0 ? r : choose_form(k, f);
}

static int write_half(const struct keygen *k, const struct key *key, bool is_private, struct fault *f)
{
        _cleanup_secret_text_ struct text content = { 0 };
        char file[FILE_NAME_MAX];
        int r = key_print(key, k->form, is_private, &content, f);

        if (r < 0)
                return r;
        (void) snprintf(file, sizeof file, "%s%s", k->name, is_private ? ".key" : ".pub");
        return file_put(k->directory, file, &content, is_private ? PRIVATE_MODE : PUBLIC_MODE, k->force, f);
}

static bool has_public_half(const struct keygen *k)
{
        return k->kind != KEY_HS256;
}

/*
 * The public half first: it can be taken back without a loss, and a name that is
 * taken shows before a secret is written.
 */
static int write_both(const struct keygen *k, const struct key *key, struct fault *f)
{
        int r = has_public_half(k) ? write_half(k, key, false, f) : 0;

        if (r < 0)
                return r;
        r = write_half(k, key, true, f);
        if (r < 0 && has_public_half(k) && !k->force) {
                char file[FILE_NAME_MAX];

                (void) snprintf(file, sizeof file, "%s.pub", k->name);
                file_take_back(k->directory, file);
        }
        return r;
}

static void tell(const struct keygen *k, const char *stem)
{
        if (!has_public_half(k))
                printf("%s.key signs and verifies: keep it secret, here and in " KEYS_DIRECTORY "\n", stem);
        else if (k->kind < _KEY_SIGNING)
                printf("%s.key signs: keep it secret; %s.pub goes to " KEYS_DIRECTORY
                       " of the hosts that trust it\n",
                       stem, stem);
        else
                printf("%s.key decrypts: it is geard's credential token-key; %s.pub is for gear token "
                       "encrypt\n",
                       stem, stem);
}

static int tell_where(const struct keygen *k, struct fault *f)
{
        _cleanup_text_ struct text stem = { 0 };

        if (!streq(k->directory, "."))
                text_addf(&stem, "%s/", k->directory);
        text_add(&stem, k->name);
        if (!text_ok(&stem))
                return fault_oom(f);
        tell(k, stem.data);
        return 0;
}

static int generate(const struct keygen *k, struct fault *f)
{
        _cleanup_(key_freep) struct key *key = NULL;
        int r = key_generate(k->kind, k->rsa_bits, &key, f);

        if (r < 0)
                return r;
        if (k->form == KEY_FORM_JWK)
                (void) snprintf(key->id, sizeof key->id, "%s", k->id ? k->id : k->name);
        r = write_both(k, key, f);
        return r < 0 ? r : tell_where(k, f);
}

int keygen_run(int argc, char **argv, struct fault *f)
{
        static const struct usage usage = {
                .verb = "keygen",
                .operands = "NAME",
                .operands_max = 1,
                .about = "Makes a key: NAME.key, which is secret, and NAME.pub, its public half.\n"
                         "Neither replaces a file that is there.\n",
        };
        struct keygen k = { .algorithm = "EdDSA", .directory = "." };
        const struct option_group groups[] = { { "Options", options, &k }, { 0 } };
        char **operands = NULL;
        int r = options_parse(&usage, groups, argc, argv, &operands, f);

        if (r != 0)
                return r < 0 ? r : 0;
        r = choose(&k, operands[0], f);
        return r < 0 ? r : generate(&k, f);
}
