/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A pipe into a unit: what is given goes there no faster than the unit reads, and
 * what it has not read yet is held, which is why who gives waits after a false.
 */

#include "sys/loop.h"

struct inlet;

/* `drained': nothing is held any more. *ret_fd is the unit's side, to be closed here as soon as the unit has it. 0 or -errno. */
int inlet_new(struct loop *l, void (*drained)(void *arg), void *arg, struct inlet **ret, int *ret_fd);
/* False: no more until `drained'. To a unit that reads no more everything is given and nothing arrives. */
bool inlet_give(struct inlet *i, const char *bytes, size_t n);
/* Behind all that is held, the unit's input ends. */
void inlet_end(struct inlet *i);
struct inlet *inlet_free(struct inlet *i);
DEFINE_CLEANUP(struct inlet, inlet_free);
