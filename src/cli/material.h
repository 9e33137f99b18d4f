/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What verbs read and write: keys, tokens, and where a finished token goes. */

#include "cli/options.h"
#include "core/key.h"
#include "util/text.h"

#include <sys/stat.h>

/* The text of keys and tokens, overwritten when done with. */
void secret_text_reset(struct text *t);
#define _cleanup_secret_text_ _cleanup_(secret_text_reset)

/* The one key of a file; the fault names the option and the file. The key's id is empty unless it says one
 * itself. */
int key_load(const char *option, const char *path, bool encryption, struct key **ret, struct fault *f);

/* PEM, or a JWK with its id and use. */
enum key_form { KEY_FORM_PEM, KEY_FORM_JWK };
int key_print(const struct key *k, enum key_form form, bool with_private, struct text *t, struct fault *f);

/*
 * Writes a file below a directory, of this mode whatever the umask. CONFLICT if
 * the name is taken, unless `replace'.
 */
int file_put(const char *directory, const char *name, const struct text *content, mode_t mode, bool replace,
             struct fault *f);

/* For who wrote it and could not go on. */
void file_take_back(const char *directory, const char *name);

/* A token given as a word or, without one or for "-", on stdin; or the URL that one stands in. */
int token_get(const char *operand, struct text *ret, struct fault *f);
/* Rather than a chain, whose links together may have just as many parts. */
bool token_is_encrypted(const char *token, size_t n);
/* The whole of a file, or of stdin for "-". */
int input_read(const char *path, size_t max, struct text *ret, struct fault *f);

/* How a token is handed on: as it is or in a URL, for all or for one node. */
struct delivery {
        const char *url;        /* NULL: the token alone */
        const char *encrypt_to; /* a file; NULL: not encrypted */
};
extern const struct cli_option url_options[]; /* of a struct delivery */

/* Before anything is made: do they fit each other? */
int delivery_check(const struct delivery *d, const char *path, struct fault *f);
int deliver(const struct delivery *d, const char *path, const struct text *token, struct fault *f);
