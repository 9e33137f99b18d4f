/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a server sends as a journal's export, taken apart by `gear log': however the
 * bytes are cut on the way, the same entries are written, whole, from the first on.
 */

#include "cli/log-export.h"

struct taken {
        char *text, cursor[64];
        size_t n;
        int result;
};

/* In pieces of so many bytes. */
static void take(const char *bytes, size_t n, size_t piece, struct taken *ret)
{
        struct log_export e = { 0 };
        FILE *to;

        *ret = (struct taken){ 0 };
        to = open_memstream(&ret->text, &ret->n);
        if (!to)
                abort();
        for (size_t at = 0; ret->result == 0 && at < n; at += piece)
                ret->result = log_export_feed(&e, bytes + at, piece < n - at ? piece : n - at, to, ret->cursor, sizeof ret->cursor);
        if (fclose(to) != 0)
                abort();
        text_reset(&e.held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *bytes = (const char *) data;
        struct taken whole, some;

        if (size == 0)
                return 0;
        take(bytes, size, size, &whole);
        if (whole.n > size || memcmp(whole.text, bytes, whole.n) != 0 || (whole.n > 0 && whole.text[whole.n - 1] != '\n'))
                abort();
        for (size_t piece = 1; piece <= 9; piece += 4) {
                take(bytes, size, piece, &some);
                if (some.result != whole.result || some.n != whole.n || !streq(some.cursor, whole.cursor))
                        abort();
                free(some.text);
        }
        free(whole.text);
        return 0;
}
