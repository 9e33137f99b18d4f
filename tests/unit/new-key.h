/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Keys for cases that need one, and not its making. */

#include "core/key.h"

#define NEW_KEYS_RSA 4

/*
 * Without an id, and another one with each call.  Those of RSA were made before and
 * come again after NEW_KEYS_RSA calls, for valgrind takes up to a minute to make one.
 */
struct key *new_key(enum key_algorithm algorithm);
