/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What JWS and JWE share: the compact form, and its one, protected header. */

#include "util/base.h"
#include "util/json.h"

#define JOSE_PARTS_MAX 5
#define JOSE_HEADER_MAX 2048 /* encoded */
#define JOSE_TYPE_MAX 64

struct jose_part {
        const char *text;
        size_t len;
};

/* How many parts the dots make; 0 where there are more than JOSE_PARTS_MAX. */
size_t jose_split(const char *token, size_t n, struct jose_part ret[static JOSE_PARTS_MAX]);

/* Whatever a header may say to us; strings borrow from root. */
struct jose_header {
        struct json *root;
        const char *alg, *enc, *kid, *typ, *cty, *apu, *apv; /* NULL: not said */
        const struct json *epk;
};
void jose_header_reset(struct jose_header *h);

/*
 * Reads it strictly: an object without duplicate names, each of them exactly one
 * of the NULL-terminated list and of its type, alg among them, kid one that a key
 * can have.  So crit, jwk, jku, x5u, x5c, zip and b64 end here.  0, -EBADMSG with
 * *ret_why, -ENOMEM.
 */
int jose_header_read(struct jose_part part, const char *const *names, struct jose_header *ret,
                     const char **ret_why);
