/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lines, or the elements of a JSON array, out of a stream whose pieces end
 * anywhere, so that a long answer never stands in memory as a whole.
 *
 * The callback gets each as soon as it is complete, not NUL-terminated, and
 * goes on with true.  Both functions return 0, SPLIT_STOPPED, -EMSGSIZE for one
 * that is longer than `max`, or -ENOMEM.  After SPLIT_STOPPED the splitter was
 * not touched again, so the callback may reset it.
 */

#include "util/text.h"

enum { SPLIT_STOPPED = 1 }; /* the callback answered false */

struct line_splitter {
        size_t max;
        struct text held; /* the beginning of a line whose end has not come yet */
};

int lines_feed(struct line_splitter *s, const char *bytes, size_t len,
               bool (*line)(void *arg, const char *line, size_t len), void *arg);

struct element_splitter {
        size_t max;
        struct text held;
        size_t depth; /* of brackets; 1 between the elements */
        bool in_string, escaped, ended;
};

/* Only elements that are objects or arrays are handed over.  -EBADMSG where the brackets are no array's. */
int elements_feed(struct element_splitter *s, const char *bytes, size_t len,
                  bool (*element)(void *arg, const char *element, size_t len), void *arg);
