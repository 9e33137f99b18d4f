/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How every error is put, whoever found it: as a problem of RFC 9457, or as one
 * line of text.  Pure.
 */

#include "util/text.h"

/* "Not Found"; "Unknown" for what has no name. */
const char *http_status_phrase(int status);

/* Appends the body. field names what is wrong, where one thing is; else NULL or "". */
void problem_write(struct text *t, bool json, int status, const char *field, const char *detail);

/* The Content-Type that goes with it. */
const char *problem_type(bool json);
