/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Private to core/spec*: the reads that several fields of a spec share.  Each
 * fills the fault with the field it was given.
 */

#include "core/spec.h"

#define SPEC_PATH_MAX 4095
#define SPEC_NAME_MAX 63 /* host names, names of volumes and networks */

/* INVALID, "field: why". */
int spec_refuse(const char *field, const char *why, struct fault *f);

/* A member that is there and not null. */
const struct json *spec_member(const struct json *object, const char *name);

/* A copy of a string without control characters, 1 to max bytes. */
int spec_read_string(const struct json *v, const char *field, size_t max, char **ret, struct fault *f);
/* An array of words as they are; ret is NULL for an empty one. */
int spec_read_words(const struct json *v, const char *field, char ***ret, struct fault *f);
/* 1 to 65535. */
int spec_read_port(const struct json *v, const char *field, uint16_t *ret, struct fault *f);
/* Seconds as a number, or a string like "1m30s". */
int spec_read_duration(const struct json *v, const char *field, uint64_t min, uint64_t max, uint64_t *ret,
                       struct fault *f);

/* One of n words; ret is its place among them. */
int spec_read_choice(const struct json *v, const char *field, const char *(*name_of)(int), int n, int *ret,
                     struct fault *f);
/* An absolute path that reads the same everywhere: no ':', no empty, "." or ".." parts. */
int spec_read_path(const struct json *v, const char *field, char **ret, struct fault *f);
/* [A-Za-z0-9][A-Za-z0-9_.-]{0,62}: what the engine calls a name. */
bool spec_is_name(const char *s);

/* core/spec-list.c */
int spec_read_ports(struct spec *s, const struct json *v, const char *field, struct fault *f);
int spec_read_volumes(struct spec *s, const struct json *v, const char *field, struct fault *f);
int spec_read_labels(struct spec *s, const struct json *v, const char *field, struct fault *f);
int spec_read_cap_add(struct spec *s, const struct json *v, const char *field, struct fault *f);
int spec_read_cap_drop(struct spec *s, const struct json *v, const char *field, struct fault *f);
int spec_read_devices(struct spec *s, const struct json *v, const char *field, struct fault *f);

/* core/spec-probe.c: `ready` may lean on the ports, so they are read before it. */
int spec_read_health(struct spec *s, const struct json *v, const char *field, struct fault *f);
int spec_read_ready(struct spec *s, const struct json *v, const char *field, struct fault *f);
