/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a push brings: chunks, and git's lines in them.  However the bytes are cut on
 * the way, the body is the same, its end is at the same byte, and so is the story.
 */

#include "core/pkt-line.h"
#include "http/chunked.h"

#include <stdlib.h>

struct body {
        struct text text;
        bool bad;
        size_t used; /* of the input, up to its end */
};

/* In pieces of so many bytes; 0: in one. */
static void read_body(const char *bytes, size_t n, size_t piece, struct body *ret)
{
        struct chunked c = { 0 };

        *ret = (struct body){ 0 };
        while (ret->used < n && !chunked_ended(&c)) {
                size_t left = n - ret->used, n_data;
                const char *data;
                ssize_t r = chunked_read(&c, bytes + ret->used, piece && piece < left ? piece : left, &data, &n_data);

                if (r < 0) {
                        ret->bad = true;
                        return;
                }
                if (r == 0 || (size_t) r > left || n_data > (size_t) r)
                        abort();
                text_addn(&ret->text, data, n_data);
                ret->used += (size_t) r;
        }
}

static void compare_bodies(const struct body *a, const struct body *b)
{
        if (a->bad != b->bad || a->text.len != b->text.len || (!a->bad && a->used != b->used) ||
            (a->text.len > 0 && memcmp(a->text.data, b->text.data, a->text.len) != 0))
                abort();
}

static void read_story(const char *bytes, size_t n, size_t piece, struct push_story *ret)
{
        const size_t asked = n / 2;

        *ret = (struct push_story){ 0 };
        for (size_t i = 0; i < n;) {
                size_t end = i < asked ? asked : n, left = end - i, step = piece && piece < left ? piece : left;

                if (i < asked)
                        push_story_asked(ret, bytes + i, step);
                else
                        push_story_told(ret, bytes + i, step);
                i += step;
        }
}

static void compare_stories(const struct push_story *a, const struct push_story *b)
{
        _cleanup_text_ struct text x = { 0 }, y = { 0 };

        push_story_tell(a, &x);
        push_story_tell(b, &y);
        if (a->n_asked != b->n_asked || a->n_done != b->n_done || a->n_refused != b->n_refused || a->sealed != b->sealed ||
            x.len != y.len || (x.len > 0 && memcmp(x.data, y.data, x.len) != 0))
                abort();
}

static void check_story(const char *bytes, size_t n, size_t piece)
{
        struct push_story whole, parts;

        read_story(bytes, n, 0, &whole);
        read_story(bytes, n, piece, &parts);
        compare_stories(&whole, &parts);
        push_story_reset(&whole);
        push_story_reset(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *bytes = (const char *) data + 1;
        struct body whole, parts;
        size_t piece;

        if (size < 2)
                return 0;
        piece = 1 + data[0] % 64;
        read_body(bytes, size - 1, 0, &whole);
        read_body(bytes, size - 1, piece, &parts);
        compare_bodies(&whole, &parts);
        check_story(whole.text.len ? whole.text.data : "", whole.text.len, piece);
        check_story(bytes, size - 1, piece); /* most of what is tried is no chunk */
        text_reset(&whole.text);
        text_reset(&parts.text);
        return 0;
}
