/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One gzip body made of parts that were each compressed on their own: by any
 * thread, without anything kept between two parts, and one part for as many
 * bodies as it goes into.  A body is its head, its parts and its end.
 */

#include "util/text.h"

struct gzip_part {
        struct text packed;
        uint32_t sum; /* of the plain bytes, and how many there were */
        size_t len;
};

/* 0 or -ENOMEM. No bytes are no part. */
int gzip_part(const void *bytes, size_t n, struct gzip_part *ret);
void gzip_part_reset(struct gzip_part *p);

/* What the end has to say of the parts so far. */
struct gzip_body {
        uint32_t sum, len;
};

extern const char gzip_head[10];

void gzip_add(struct gzip_body *b, const struct gzip_part *p);
void gzip_end(const struct gzip_body *b, char ret[static 10]);
