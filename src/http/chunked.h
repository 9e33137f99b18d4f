/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A chunked body taken apart, strictly: sizes of 1 to 15 hex digits, no
 * extensions, no trailers, CRLF everywhere.  Whatever two parsers could read
 * differently is a way to smuggle a request past one of them.  Pure: it holds no
 * bytes, and asks for none.
 */

#include "util/base.h"

struct chunked {
        unsigned state, n_digits;
        uint64_t left; /* of the chunk that it is in */
};

/* One step. Returns how many of the bytes are done with, or -EBADMSG; 0 only for none, or behind the end. */
ssize_t chunked_read(struct chunked *c, const char *bytes, size_t n, const char **ret_data, size_t *ret_n_data);
bool chunked_ended(const struct chunked *c);
