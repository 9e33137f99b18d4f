/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/log-export.h"

#include <endian.h>

#define ENTRY_MAX ((size_t) 64 << 20)

/* Where the field at `at' ends, behind its line feed; 0 while it is not all there. */
static size_t field_end(const struct text *t, size_t at)
{
        const char *end = memchr(t->data + at, '\n', t->len - at);
        size_t next;
        uint64_t size;

        if (!end)
                return 0;
        next = (size_t) (end - t->data) + 1;
        if (memchr(t->data + at, '=', next - at))
                return next;
        /* A name alone: its value comes with its length, and may hold anything. */
        if (t->len - next < sizeof size)
                return 0;
        memcpy(&size, t->data + next, sizeof size);
        size = le64toh(size);
        next += sizeof size;
        if (size > ENTRY_MAX)
                return SIZE_MAX;
        return t->len - next > size ? next + size + 1 : 0;
}

static void keep_cursor(const char *field, size_t n, char *cursor, size_t size)
{
        static const char name[] = "__CURSOR=";

        if (n > sizeof name - 1 && memcmp(field, name, sizeof name - 1) == 0)
                (void) snprintf(cursor, size, "%.*s", (int) (n - sizeof name), field + sizeof name - 1);
}

/* 1: an entry was written, 0: more is needed. */
static int take_entry(struct log_export *e, FILE *to, char *cursor, size_t cursor_size)
{
        struct text *t = &e->held;

        while (e->at < t->len && t->data[e->at] != '\n') {
                size_t end = field_end(t, e->at);

                if (end == SIZE_MAX)
                        return -EBADMSG;
                if (end == 0)
                        return t->len > ENTRY_MAX ? -EBADMSG : 0;
                e->at = end;
        }
        if (e->at >= t->len)
                return 0;
        e->at++; /* the empty line */
        if (fwrite(t->data, 1, e->at, to) != e->at)
                return -EIO;
        for (size_t at = 0, end; at < e->at - 1; at = end) {
                end = field_end(t, at);
                keep_cursor(t->data + at, end - at, cursor, cursor_size);
        }
        memmove(t->data, t->data + e->at, t->len - e->at);
        text_truncate(t, t->len - e->at);
        e->at = 0;
        return 1;
}

int log_export_feed(struct log_export *e, const char *bytes, size_t n, FILE *to, char *cursor,
                    size_t cursor_size)
{
        int r;

        text_addn(&e->held, bytes, n);
        if (!text_ok(&e->held))
                return -ENOMEM;
        do
                r = take_entry(e, to, cursor, cursor_size);
        while (r > 0);
        return r;
}
