/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An image reference: [registry[:port]/]path[:tag][@digest], by the distribution grammar. */

#include "util/base.h"
#include "util/fault.h"

#define IMAGE_MAX 255

struct image {
        char registry[IMAGE_MAX + 1]; /* "docker.io" where none was written */
        char path[IMAGE_MAX + 1];     /* "library/busybox", "pmorie/sti-html-app" */
        char tag[129];                /* "latest" where neither tag nor digest was written */
        char digest[160];             /* "" or "sha256:…" */
};

/* Whatever is not a reference is INVALID and says why, naming the field. */
int image_parse(const char *reference, const char *field, struct image *ret, struct fault *f);

/* Is the registry one of the allowed? Patterns are names, or *.suffix; NULL or empty allows all. */
bool image_allowed(const struct image *image, char *const *allowed);
