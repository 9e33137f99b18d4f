/* SPDX-License-Identifier: Apache-2.0 */

/* The line splitter copies only what it must keep until the next piece. */

#include "sys/lines.h"

static int hold(struct line_splitter *s, const char *bytes, size_t len)
{
        if (len > s->max - s->held.len)
                return -EMSGSIZE;
        text_addn(&s->held, bytes, len);
        return text_ok(&s->held) ? 0 : -ENOMEM;
}

int lines_feed(struct line_splitter *s, const char *bytes, size_t len,
               bool (*line)(void *arg, const char *line, size_t len), void *arg)
{
        const char *end;
        int r;

        while ((end = memchr(bytes, '\n', len))) {
                size_t n = (size_t) (end - bytes);

                if (s->held.len == 0) {
                        if (n > s->max)
                                return -EMSGSIZE;
                        if (!line(arg, bytes, n))
                                return LINES_STOPPED;
                } else {
                        r = hold(s, bytes, n);
                        if (r < 0)
                                return r;
                        if (!line(arg, s->held.data, s->held.len))
                                return LINES_STOPPED;
                        text_truncate(&s->held, 0);
                }
                bytes = end + 1;
                len -= n + 1;
        }
        return len ? hold(s, bytes, len) : 0;
}
