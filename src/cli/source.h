/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* geard as it answers at its socket: one question at a time, each waited for. */

#include "util/fault.h"
#include "util/text.h"

#define SOURCE_SOCKET "/run/geard/geard.sock"

struct source;

/* NULL: out of memory. socket: borrowed. */
struct source *source_new(const char *socket);
struct source *source_free(struct source *s);
DEFINE_CLEANUP(struct source, source_free);

/* "&name=value", with what may not stand in a query escaped. */
void source_add(struct text *query, const char *name, const char *value);

/* The whole answer to a GET of this path and query. */
int source_get(struct source *s, const char *target, struct text *ret, struct fault *f);

enum {
        _SOURCE_E_SUCCESS,
        SOURCE_E_ENDED,  /* there was a stream, and geard ended it */
        SOURCE_E_BROKEN, /* … or nobody did: something may be missing */
};
/*
 * The answer as it comes, in pieces, until it ends or the taker answers anything
 * but 0, which is handed back.  Refusals and a geard that does not answer are faults.
 */
int source_stream(struct source *s, const char *target, const char *accept,
                  int (*piece)(void *arg, const char *bytes, size_t n, struct fault *f), void *arg,
                  struct fault *f);
/* Behind which record the last stream began, where geard says so ("" where not). */
const char *source_cursor(const struct source *s);
