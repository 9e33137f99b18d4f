/* SPDX-License-Identifier: Apache-2.0 */

#include "util/base64.h"

static int value_of(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *encoded, struct text *t)
{
        size_t n = strlen(encoded), digits = strcspn(encoded, "=");
        unsigned bits = 0, held = 0;

        if (n % 4 != 0 || n - digits > 2 || strspn(encoded + digits, "=") != n - digits)
                return -EBADMSG;
        for (size_t i = 0; i < digits; i++) {
                int value = value_of(encoded[i]);

                if (value < 0)
                        return -EBADMSG;
                bits = bits << 6 | (unsigned) value;
                held += 6;
                if (held >= 8) {
                        held -= 8;
                        text_addc(t, (char) (bits >> held & 0xff));
                }
        }
        return bits & ((1U << held) - 1) ? -EBADMSG : 0;
}
