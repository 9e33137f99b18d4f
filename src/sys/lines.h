/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Lines out of a stream whose pieces end anywhere; a longer line than `max` is refused. */

#include "util/text.h"

struct line_splitter {
        size_t max;
        struct text held; /* the beginning of a line whose end has not come yet */
};

enum { LINES_STOPPED = 1 }; /* the callback answered false */

/*
 * Hands over each complete line, without its end, NUL-terminated only by
 * accident.  0, LINES_STOPPED, -EMSGSIZE or -ENOMEM; after LINES_STOPPED the
 * splitter was not touched again, so the callback may free it.
 */
int lines_feed(struct line_splitter *s, const char *bytes, size_t len,
               bool (*line)(void *arg, const char *line, size_t len), void *arg);
