/* SPDX-License-Identifier: Apache-2.0 */

#include "new-key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/file.h"

static struct key *rsa_key(enum key_algorithm algorithm)
{
        static unsigned next;
        const char *srcdir = getenv("srcdir");
        _cleanup_free_ char *pem = NULL;
        _cleanup_free_ struct key **keys = NULL;
        struct fault f = { 0 };
        char path[4096];
        size_t len, n;

        (void) snprintf(path, sizeof path, "%s/tests/unit/keys/made-%u.pem", srcdir ? srcdir : ".",
                        next++ % NEW_KEYS_RSA);
        assert_int_equal(file_read(path, KEY_FILE_MAX, &pem, &len), 0);
        if (key_read(pem, len, "made", algorithm >= _KEY_SIGNING, &keys, &n, &f) < 0 || n != 1)
                fail_msg("%s: %s", path, f.text);
        keys[0]->algorithm = algorithm;
        keys[0]->id[0] = '\0';
        return keys[0];
}

struct key *new_key(enum key_algorithm algorithm)
{
        struct fault f = { 0 };
        struct key *k = NULL;

        if (algorithm == KEY_RS256 || algorithm == KEY_PS256 || algorithm == KEY_RSA_OAEP_256)
                return rsa_key(algorithm);
        if (key_generate(algorithm, KEY_RSA_BITS_MIN, &k, &f) < 0)
                fail_msg("%s", f.text);
        return k;
}
