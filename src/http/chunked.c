/* SPDX-License-Identifier: Apache-2.0 */

#include "http/chunked.h"

#define DIGITS_MAX 15 /* so that no size overflows */

enum state {
        IN_SIZE,
        BEHIND_SIZE,  /* its CR was read */
        IN_DATA,
        BEHIND_DATA,  /* the chunk is whole: CR … */
        BEFORE_SIZE,  /* … and LF are next */
        IN_TRAILER,   /* behind the last chunk: CR … */
        AT_END,       /* … and LF are next */
        ENDED,
};

static int digit_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_size(struct chunked *c, char byte)
{
        int digit = digit_value(byte);

        if (byte == '\r' && c->n_digits > 0) {
                c->state = BEHIND_SIZE;
                return 0;
        }
        if (digit < 0 || c->n_digits++ == DIGITS_MAX)
                return -EBADMSG;
        c->left = c->left << 4 | (uint64_t) digit;
        return 0;
}

static int expect(struct chunked *c, char byte, char expected, enum state next)
{
        if (byte != expected)
                return -EBADMSG;
        c->state = next;
        c->n_digits = 0;
        return 0;
}

/* A byte that is no data. */
static int read_frame(struct chunked *c, char byte)
{
        switch ((enum state) c->state) {
        case IN_SIZE:
                return read_size(c, byte);
        case BEHIND_SIZE:
                return expect(c, byte, '\n', c->left > 0 ? IN_DATA : IN_TRAILER);
        case BEHIND_DATA:
                return expect(c, byte, '\r', BEFORE_SIZE);
        case BEFORE_SIZE:
                return expect(c, byte, '\n', IN_SIZE);
        case IN_TRAILER:
                return expect(c, byte, '\r', AT_END);
        case AT_END:
                return expect(c, byte, '\n', ENDED);
        case IN_DATA:
        case ENDED:
                break;
        }
        return -EBADMSG;
}

ssize_t chunked_read(struct chunked *c, const char *bytes, size_t n, const char **ret_data, size_t *ret_n_data)
{
        *ret_n_data = 0;
        if (n == 0 || c->state == ENDED)
                return 0;
        if (c->state != IN_DATA)
                return read_frame(c, *bytes) < 0 ? -EBADMSG : 1;
        if (n > c->left)
                n = (size_t) c->left;
        c->left -= n;
        if (c->left == 0)
                c->state = BEHIND_DATA;
        *ret_data = bytes;
        *ret_n_data = n;
        return (ssize_t) n;
}

bool chunked_ended(const struct chunked *c)
{
        return c->state == ENDED;
}
