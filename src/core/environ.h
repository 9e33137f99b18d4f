/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A gear's environment: ordered NAME → value, and the form of the file that
 * docker --env-file reads (NAME=value lines, no quoting, so newline, CR and
 * NUL cannot be carried and are refused).
 */

#include "util/fault.h"
#include "util/json.h"
#include "util/text.h"

#define ENVIRON_MAX 1024
#define ENVIRON_NAME_MAX 128
#define ENVIRON_VALUE_MAX 32768
#define ENVIRON_BYTES_MAX 1048576 /* of names and values together: more would not fit an exec */

struct environ {
        struct environ_entry {
                char *name;
                char *value;
        } *entries;
        size_t n;
};

/* From {"NAME": "value"}, [{"name","value"}] or ["NAME=value"]; `path` names it in faults. */
int environ_from_json(const struct json *v, const char *path, struct environ *ret, struct fault *f);
/* Adds, replaces, and with null removes: {"A": "1", "B": null}. All of it, or on a fault nothing. */
int environ_patch(struct environ *e, const struct json *v, const char *path, struct fault *f);
void environ_to_json(const struct environ *e, struct text *t); /* {"A":"1"} in order */
void environ_to_file(const struct environ *e, struct text *t);
int environ_from_file(const char *text, struct environ *ret);  /* 0, -ENOMEM, -EBADMSG */
bool environ_equal(const struct environ *a, const struct environ *b); /* order does not matter */
void environ_reset(struct environ *e);
