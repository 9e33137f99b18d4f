/* SPDX-License-Identifier: Apache-2.0 */

/* Parts that were compressed apart make one body, which zlib reads back. */

#include "util/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

/* The plain bytes of a whole body; fails for anything that is no single, whole gzip member. */
static void read_back(const struct text *body, struct text *ret)
{
        z_stream z = { .next_in = (unsigned char *) body->data, .avail_in = (unsigned) body->len };
        char room[1024];
        int r;

        assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
        do {
                z.next_out = (unsigned char *) room;
                z.avail_out = sizeof room;
                r = inflate(&z, Z_NO_FLUSH);
                text_addn(ret, room, sizeof room - z.avail_out);
        } while (r == Z_OK);
        assert_int_equal(r, Z_STREAM_END);
        assert_int_equal(z.avail_in, 0);
        (void) inflateEnd(&z);
}

static void add_plain(struct text *body, struct gzip_body *state, const struct text *plain)
{
        struct gzip_part p;

        assert_int_equal(gzip_part(plain->data, plain->len, &p), 0);
        gzip_add(state, &p);
        text_addn(body, p.packed.data, p.packed.len);
        gzip_part_reset(&p);
}

static void end(struct text *body, const struct gzip_body *state)
{
        char last[10];

        gzip_end(state, last);
        text_addn(body, last, sizeof last);
}

static void nothing_is_a_body(void **state _unused_)
{
        _cleanup_text_ struct text body = { 0 }, back = { 0 };
        struct gzip_body b = { 0 };

        text_addn(&body, gzip_head, sizeof gzip_head);
        end(&body, &b);
        read_back(&body, &back);
        assert_int_equal(back.len, 0);
}

/* Of every size around the windows, of bytes that pack well and of such that do not. */
static void parts_of_all_sizes(void **state _unused_)
{
        static const size_t sizes[] = { 1, 2, 100, 4095, 4096, 4097, 32768, 65536, 0, 300000, 3 };
        _cleanup_text_ struct text body = { 0 }, back = { 0 }, all = { 0 };
        struct gzip_body b = { 0 };

        text_addn(&body, gzip_head, sizeof gzip_head);
        for (size_t i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
                _cleanup_text_ struct text plain = { 0 };

                for (size_t n = 0; n < sizes[i % ARRAY_SIZE(sizes)]; n++)
                        text_addc(&plain, i % 2 ? (char) random() : "a line\n"[n % 7]);
                add_plain(&body, &b, &plain);
                text_addn(&all, plain.data, plain.len);
        }
        end(&body, &b);
        read_back(&body, &back);
        assert_int_equal(back.len, all.len);
        assert_memory_equal(back.data, all.data, all.len);
}

/* The same part goes into two bodies, behind different beginnings. */
static void a_part_is_for_many(void **state _unused_)
{
        struct gzip_part first, both;

        assert_int_equal(gzip_part("one\n", 4, &first), 0);
        assert_int_equal(gzip_part("two\n", 4, &both), 0);
        for (int with = 0; with < 2; with++) {
                _cleanup_text_ struct text body = { 0 }, back = { 0 };
                struct gzip_body b = { 0 };

                text_addn(&body, gzip_head, sizeof gzip_head);
                if (with) {
                        gzip_add(&b, &first);
                        text_addn(&body, first.packed.data, first.packed.len);
                }
                gzip_add(&b, &both);
                text_addn(&body, both.packed.data, both.packed.len);
                end(&body, &b);
                read_back(&body, &back);
                assert_string_equal(back.data, with ? "one\ntwo\n" : "two\n");
        }
        gzip_part_reset(&first);
        gzip_part_reset(&both);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_a_body),
                cmocka_unit_test(parts_of_all_sizes),
                cmocka_unit_test(a_part_is_for_many),
        };

        return cmocka_run_group_tests_name("gzip", tests, NULL, NULL);
}
