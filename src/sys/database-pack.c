/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The strings of an outcome as one deflated value.  Nearly all of an answer is
 * the same in every answer: a dictionary that both sides know holds it, so that
 * what is stored is little more than names, numbers and times.
 */

#include "sys/database-private.h"

#include <zlib.h>

#define STRINGS 3
#define WINDOW_BITS 13 /* the longest body that is kept, and the dictionary */
#define MEMORY_LEVEL 5 /* 48 KiB while it packs: the default is meant for megabytes */

/*
 * The words of rarer answers, then a create's as it is packed, without what differs.
 * Values packed with another one do not unpack: a change of it moves SCHEMA_VERSION.
 */
static const char dictionary[] =
        "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,\"detail\":\""
        " is stopped already\n has variables\n was removed\n\"variables\":,\"restart_needed\":false}\n"
        "\"health\":\"healthy\",\"state\":\"stopped\",\"active\":\"inactive\",\"sub\":\"dead\",\"container\":null,"
        "\"ports\":[],\"protocol\":\"udp\",\"address\":\"127.0.0.1\"},{\"internal\":443,\"external\":40,\"user\":null,"
        "\"image\":\"docker.io/library/\",\"exit\":{\"status\":,\"meaning\":\""
        "Gear web is running\n\0"
        "{\"id\":\"web\",\"image\":\"\",\"state\":\"running\",\"unit\":{\"name\":\"gear-web.service\",\"active\":\"active\","
        "\"sub\":\"running\",\"result\":\"success\"},\"container\":\"\",\"health\":null,\"ports\":[{\"internal\":80,"
        "\"external\":40,\"protocol\":\"tcp\"}],\"labels\":{},\"user\":\"\",\"created\":\"202\",\"since\":\"202\","
        "\"restarts\":0}\n\0"
        "Location: /container/web/status\nx-PortMapping: 80:40\n";

/* --- packing ---------------------------------------------------------------------------------- */

static int code_of(int zlib)
{
        return zlib == Z_MEM_ERROR ? SQLITE_NOMEM : SQLITE_CORRUPT;
}

static int deflate_all(z_stream *z, const struct text *plain, struct text *ret)
{
        unsigned char bytes[1024];
        int r;

        z->next_in = (unsigned char *) plain->data;
        z->avail_in = (unsigned) plain->len;
        do {
                z->next_out = bytes;
                z->avail_out = sizeof bytes;
                r = deflate(z, Z_FINISH);
                text_addn(ret, bytes, sizeof bytes - z->avail_out);
        } while (r == Z_OK);
        return r == Z_STREAM_END && text_ok(ret) ? SQLITE_OK : SQLITE_NOMEM;
}

int pack_answer(const struct outcome *o, struct text *ret)
{
        const char *const strings[STRINGS] = { o->text, o->json, o->headers };
        _cleanup_text_ struct text plain = { 0 };
        z_stream z = { 0 };
        int r;

        for (size_t i = 0; i < STRINGS; i++)
                text_addn(&plain, strings[i] ? strings[i] : "", strings[i] ? strlen(strings[i]) + 1 : 1);
        if (!text_ok(&plain))
                return SQLITE_NOMEM;
        if (plain.len > DATABASE_ANSWER_MAX)
                return SQLITE_TOOBIG;
        r = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
        if (r != Z_OK)
                return SQLITE_NOMEM;
        (void) deflateSetDictionary(&z, (const unsigned char *) dictionary, sizeof dictionary - 1);
        r = deflate_all(&z, &plain, ret);
        (void) deflateEnd(&z);
        return r;
}

/* --- unpacking -------------------------------------------------------------------------------- */

static int inflate_all(z_stream *z, struct text *ret)
{
        unsigned char bytes[1024];
        int r;

        do {
                z->next_out = bytes;
                z->avail_out = sizeof bytes;
                r = inflate(z, Z_NO_FLUSH);
                if (r == Z_NEED_DICT)
                        r = inflateSetDictionary(z, (const unsigned char *) dictionary, sizeof dictionary - 1);
                text_addn(ret, bytes, sizeof bytes - z->avail_out);
        } while (r == Z_OK && ret->len <= DATABASE_ANSWER_MAX);
        if (r != Z_STREAM_END)
                return code_of(r);
        return text_ok(ret) ? SQLITE_OK : SQLITE_NOMEM;
}

static int inflate_value(const void *bytes, size_t n, struct text *ret)
{
        z_stream z = { .next_in = (unsigned char *) bytes, .avail_in = (unsigned) n };
        int r = inflateInit2(&z, WINDOW_BITS);

        if (r != Z_OK)
                return code_of(r);
        r = inflate_all(&z, ret);
        (void) inflateEnd(&z);
        return r;
}

int unpack_answer(const void *bytes, size_t n, struct outcome *ret)
{
        _cleanup_text_ struct text plain = { 0 };
        char **const strings[STRINGS] = { &ret->text, &ret->json, &ret->headers };
        size_t at = 0;
        int r = inflate_value(bytes, n, &plain);

        if (r != SQLITE_OK)
                return r;
        for (size_t i = 0; i < STRINGS; i++) {
                const char *string = plain.data + at;

                if (at >= plain.len)
                        return SQLITE_CORRUPT;
                if (*string && !(*strings[i] = strdup(string)))
                        return SQLITE_NOMEM;
                at += strlen(string) + 1;
        }
        return SQLITE_OK;
}
