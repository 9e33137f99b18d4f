/* SPDX-License-Identifier: Apache-2.0 */

/* The splitters copy only what must be kept until the next piece. */

#include "sys/split.h"

static int hold(struct text *held, size_t max, const char *bytes, size_t len)
{
        if (len > max - held->len)
                return -EMSGSIZE;
        text_addn(held, bytes, len);
        return text_ok(held) ? 0 : -ENOMEM;
}

/* `bytes` complete what is held, or are whole by themselves. */
static int hand_over(struct text *held, size_t max, const char *bytes, size_t len,
                     bool (*taker)(void *arg, const char *bytes, size_t len), void *arg)
{
        int r;

        if (held->len == 0) {
                if (len > max)
                        return -EMSGSIZE;
                return taker(arg, bytes, len) ? 0 : SPLIT_STOPPED;
        }
        r = hold(held, max, bytes, len);
        if (r < 0)
                return r;
        if (!taker(arg, held->data, held->len))
                return SPLIT_STOPPED;
        text_truncate(held, 0);
        return 0;
}

int lines_feed(struct line_splitter *s, const char *bytes, size_t len,
               bool (*line)(void *arg, const char *line, size_t len), void *arg)
{
        const char *end;

        while ((end = memchr(bytes, '\n', len))) {
                size_t n = (size_t) (end - bytes);
                int r = hand_over(&s->held, s->max, bytes, n, line, arg);

                if (r)
                        return r;
                bytes = end + 1;
                len -= n + 1;
        }
        return len ? hold(&s->held, s->max, bytes, len) : 0;
}

/* Follows one character; true where it closed an element. */
static bool step(struct element_splitter *s, char c)
{
        if (s->in_string) {
                s->in_string = s->escaped || c != '"';
                s->escaped = !s->escaped && c == '\\';
                return false;
        }
        s->in_string = c == '"';
        if (c == '[' || c == '{')
                s->depth++;
        else if (c == ']' || c == '}')
                return --s->depth == 1;
        return false;
}

static bool breaks_array(const struct element_splitter *s, char c)
{
        if (s->ended || s->depth > 1)
                return s->ended && !strchr(" \t\r\n", c);
        return s->depth == 0 ? !strchr("[ \t\r\n", c) : c == '}';
}

int elements_feed(struct element_splitter *s, const char *bytes, size_t len,
                  bool (*element)(void *arg, const char *element, size_t len), void *arg)
{
        size_t from = 0;
        int r;

        for (size_t i = 0; i < len; i++) {
                size_t before = s->depth;

                if (!s->in_string && breaks_array(s, bytes[i]))
                        return -EBADMSG;
                if (step(s, bytes[i])) {
                        r = hand_over(&s->held, s->max, bytes + from, i + 1 - from, element, arg);
                        if (r)
                                return r;
                } else if (before == 1 && s->depth == 2) {
                        from = i;
                } else if (before == 1 && s->depth == 0) {
                        s->ended = true;
                }
        }
        return s->depth > 1 ? hold(&s->held, s->max, bytes + from, len - from) : 0;
}
