/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whole entries of the journal's export format, out of a stream whose pieces end anywhere. */

#include "util/text.h"

#include <stdio.h>

struct log_export {
        struct text held; /* an entry so far … */
        size_t at;        /* … of which so much was looked at */
};

/* Writes what is complete and keeps the last cursor. 0, -EIO for the output, -EBADMSG or -ENOMEM. */
int log_export_feed(struct log_export *e, const char *bytes, size_t n, FILE *to, char *cursor,
                    size_t cursor_size);
