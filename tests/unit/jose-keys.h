/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Keys for cases that only need one; behind cmocka.h, which makes what goes wrong fail the case. */

#include "new-key.h"

/* The one key of a file. */
static struct key *read_key(const char *text, const char *id, bool encryption)
{
        struct fault f = { 0 };
        struct key **keys, *k;
        size_t n;

        if (key_read(text, strlen(text), id, encryption, &keys, &n, &f) < 0)
                fail_msg("%s", f.text);
        assert_int_equal(n, 1);
        k = keys[0];
        free(keys);
        return k;
}
