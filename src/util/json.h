/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * JSON in: a strict reader in front of json-c (json-c alone lets duplicate
 * names, NULs, bare NaN and trailing bytes through), and typed getters that
 * name the field they refuse.  JSON out: one escaper onto a struct text.
 */

#include "util/base.h"
#include "util/fault.h"
#include "util/text.h"

struct json; /* a parsed value; borrowed pointers live as long as the root */

#define JSON_DEPTH_MAX 16
#define JSON_MEMBERS_MAX 4096 /* names and elements in one document, together */

/* A whole document. `what` names it in faults ("body"). NULL with the fault filled. */
struct json *json_parse(const char *bytes, size_t n, const char *what, struct fault *f);
/*
 * An object or array from a program of this host: not held to the bounds above
 * nor to our strictness, only to the grammar.  UPSTREAM when it is not JSON.
 */
struct json *json_parse_trusted(const char *bytes, size_t n, const char *what, struct fault *f);
struct json *json_free(struct json *root);
DEFINE_CLEANUP(struct json, json_free);

bool json_is_object(const struct json *v);
bool json_is_array(const struct json *v);
bool json_is_string(const struct json *v);
bool json_is_null(const struct json *v);
bool json_is_bool(const struct json *v);
bool json_is_number(const struct json *v);

size_t json_array_len(const struct json *array);
const struct json *json_array_at(const struct json *array, size_t i);

/*
 * Object members.  A name is matched exactly or else without regard to (ASCII)
 * case; two names that differ only in case are a fault at json_check_names().
 * json_object_at() is for walking all members in document order; it costs i steps.
 */
const struct json *json_member(const struct json *object, const char *name);
size_t json_object_len(const struct json *object);
const struct json *json_object_at(const struct json *object, size_t i, const char **ret_name);

/*
 * Refuses (INVALID, naming `path.name`) any member not in the NULL-terminated
 * list, and two members whose names differ only in case.
 */
int json_check_names(const struct json *object, const char *path,
                     const char *const *names, struct fault *f);

/* How faults call a member ("path.name", or the name alone) and an element ("path[i]"); returns ret. */
const char *json_path(char ret[static FAULT_FIELD_MAX], const char *path, const char *name);
const char *json_index(char ret[static FAULT_FIELD_MAX], const char *path, size_t i);

/*
 * Typed reads of one value; `path` names it in the fault ("ports[1].external").
 * Integers may come as strings of decimal digits; booleans as true/false only.
 * A string with a NUL inside never gets this far.
 */
int json_get_string(const struct json *v, const char *path, size_t max,
                    const char **ret, struct fault *f);
int json_get_uint(const struct json *v, const char *path, uint64_t min, uint64_t max,
                  uint64_t *ret, struct fault *f);
int json_get_bool(const struct json *v, const char *path, bool *ret, struct fault *f);
/* A number with fraction, or a string that holds one. */
int json_get_double(const struct json *v, const char *path, double min, double max,
                    double *ret, struct fault *f);

/*
 * Writing. json_out() adds the quoted, escaped string; everything outside
 * printable ASCII becomes \uXXXX when `ascii` is set (for unit files), else
 * valid UTF-8 passes through and an invalid byte becomes U+FFFD.
 */
void json_out(struct text *t, const char *s);
void json_outn(struct text *t, const void *bytes, size_t n);
void json_out_ascii(struct text *t, const char *s);
/* `"name":` with a comma before it unless the text ends in '{' or '['. */
void json_name(struct text *t, const char *name);
/* name + string value; NULL becomes null. */
void json_put(struct text *t, const char *name, const char *value);
void json_putu(struct text *t, const char *name, uint64_t value);
void json_putb(struct text *t, const char *name, bool value);
