/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/base.h"

/* What a repository holds, on standard output. Each answers an exit status. */

/*
 * First a line, "COMMIT OBJECT", by which a reader knows whether it has this
 * already; then the archive of what is there.  where: a branch, tag or commit, and
 * perhaps a path in it behind a slash; where the one ends is found out.
 */
int show_archive(const char *dir, const char *format, const char *where);

/*
 * Becomes git-http-backend.  part: "refs", or "body" for what stands on standard
 * input, in this coding ("gzip", or "" for none); of a push at most so many bytes.
 */
int show_service(const char *dir, const char *part, const char *service, const char *coding, const char *protocol,
                 uint64_t size_max);

/* "head NAME", "size BYTES", then "ref COMMIT NAME" for each. */
int show_description(const char *dir);
