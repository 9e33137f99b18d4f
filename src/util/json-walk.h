/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is this one strict JSON text (RFC 8259)?  Refuses beyond the grammar what a
 * reader behind it might take in more than one way: duplicate names, \u0000,
 * lone surrogates, invalid UTF-8, integers beyond 64 bits, and more nesting or
 * members than JSON_DEPTH_MAX and JSON_MEMBERS_MAX.
 */

#include "util/fault.h"

/* The fault says what is wrong and at which byte, counted from 0. */
int json_walk(const char *bytes, size_t n, const char *what, struct fault *f);
