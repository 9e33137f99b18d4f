/* SPDX-License-Identifier: Apache-2.0 */

/* Any text: what is decoded is encoded to the same text again, so no two texts mean the same bytes. */

#include "util/base64.h"
#include "util/digest.h"

static void check_url(const char *text, size_t n)
{
        _cleanup_free_ unsigned char *bytes = NULL;
        _cleanup_text_ struct text again = { 0 };
        size_t len;

        if (base64url_decode(text, n, &bytes, &len) < 0)
                return;
        base64url_add(&again, bytes, len);
        if (bytes[len] != '\0' || again.len != n || (n > 0 && memcmp(again.data, text, n) != 0))
                abort();
}

static void check_padded(const char *text, size_t n)
{
        _cleanup_free_ char *s = strndup(text, n);
        _cleanup_text_ struct text bytes = { 0 };

        if (!s)
                abort();
        if (base64_decode(s, &bytes) == 0 && bytes.len != strlen(s) / 4 * 3 - (strlen(s) - strcspn(s, "=")))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_url((const char *) data, size);
        check_padded((const char *) data, size);
        return 0;
}
