/* SPDX-License-Identifier: Apache-2.0 */

#include "util/base64.h"

static int value_of(char c, const char symbols[static 2])
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == symbols[0] ? 62 : c == symbols[1] ? 63 : -1;
}

/* Room for digits * 3 / 4 bytes is the caller's; false for a foreign digit or bits beyond the last byte. */
static bool decode_digits(const char *encoded, size_t digits, const char symbols[static 2],
                          unsigned char *ret)
{
        unsigned bits = 0, held = 0;

        for (size_t i = 0; i < digits; i++) {
                int value = value_of(encoded[i], symbols);

                if (value < 0)
                        return false;
                bits = bits << 6 | (unsigned) value;
                held += 6;
                if (held >= 8) {
                        held -= 8;
                        *ret++ = (unsigned char) (bits >> held & 0xff);
                }
        }
        return !(bits & ((1U << held) - 1));
}

static int decode(const char *encoded, size_t digits, const char symbols[static 2], unsigned char **ret,
                  size_t *ret_n)
{
        size_t n = digits / 4 * 3 + digits % 4 * 3 / 4;
        unsigned char *bytes = malloc(n + 1);

        if (!bytes)
                return -ENOMEM;
        if (!decode_digits(encoded, digits, symbols, bytes)) {
                free(bytes);
                return -EBADMSG;
        }
        bytes[n] = '\0';
        *ret = bytes;
        *ret_n = n;
        return 0;
}

int base64_decode(const char *encoded, struct text *t)
{
        size_t n = strlen(encoded), digits = strcspn(encoded, "="), len;
        _cleanup_free_ unsigned char *bytes = NULL;
        int r;

        if (n % 4 != 0 || n - digits > 2 || strspn(encoded + digits, "=") != n - digits)
                return -EBADMSG;
        r = decode(encoded, digits, "+/", &bytes, &len);
        if (r == 0)
                text_addn(t, bytes, len);
        return r;
}

int base64url_decode(const char *encoded, size_t n, unsigned char **ret, size_t *ret_n)
{
        return n % 4 == 1 ? -EBADMSG : decode(encoded, n, "-_", ret, ret_n);
}
