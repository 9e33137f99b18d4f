/* SPDX-License-Identifier: Apache-2.0 */

#include "util/gzip.h"

#include <assert.h>

#include <zlib.h>

/* A few lines need no large window, and setting one up would cost more than packing them. */
#define FEW_BYTES ((size_t) 4096)

const char gzip_head[10] = { '\x1f', '\x8b', 8 /* deflate */, 0, 0, 0, 0,
                             0,      0,      '\xff' /* of no known system */ };

/* Ends at a whole byte, so that the next part can follow. */
static int pack(z_stream *z, struct text *ret)
{
        char room[16 * 1024];
        int r;

        do {
                z->next_out = (unsigned char *) room;
                z->avail_out = sizeof room;
                r = deflate(z, Z_SYNC_FLUSH);
                text_addn(ret, room, sizeof room - z->avail_out);
        } while (r == Z_OK && z->avail_out == 0);
        return (r == Z_OK || r == Z_BUF_ERROR) && text_ok(ret) ? 0 : -ENOMEM;
}

int gzip_part(const void *bytes, size_t n, struct gzip_part *ret)
{
        bool few = n <= FEW_BYTES;
        z_stream z = { .next_in = (unsigned char *) (uintptr_t) bytes, .avail_in = (unsigned) n };
        int r;

        assert(n <= UINT32_MAX);
        *ret = (struct gzip_part){ .sum = (uint32_t) crc32_z(0, bytes, n), .len = n };
        if (n == 0)
                return 0;
        if (deflateInit2(&z, few ? 6 : 3, Z_DEFLATED, few ? -12 : -15, few ? 5 : 8, Z_DEFAULT_STRATEGY) !=
            Z_OK)
                return -ENOMEM;
        r = pack(&z, &ret->packed);
        (void) deflateEnd(&z);
        if (r < 0)
                gzip_part_reset(ret);
        return r;
}

void gzip_part_reset(struct gzip_part *p)
{
        text_reset(&p->packed);
        *p = (struct gzip_part){ 0 };
}

void gzip_add(struct gzip_body *b, const struct gzip_part *p)
{
        b->sum = (uint32_t) crc32_combine(b->sum, p->sum, (z_off_t) p->len);
        b->len += (uint32_t) p->len;
}

static void put_little_endian(char *to, uint32_t n)
{
        for (size_t i = 0; i < 4; i++, n >>= 8)
                to[i] = (char) (n & 0xff);
}

void gzip_end(const struct gzip_body *b, char ret[static 10])
{
        ret[0] = 3; /* a last block, with nothing in it */
        ret[1] = 0;
        put_little_endian(ret + 2, b->sum);
        put_little_endian(ret + 6, b->len);
}
