/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * So many at once, and no more: who comes later waits.  A slot that becomes free goes
 * to who has the fewest of them, and among those to who had none for longest, so that
 * nobody's hundred keep another one's first waiting.
 */

#include "sys/loop.h"

struct slots;
struct slot;

struct slots *slots_new(struct loop *l);
struct slots *slots_free(struct slots *t); /* when nobody has or wants one any more */
/* Who has a slot keeps it. Before this there are none. */
void slots_limit(struct slots *t, size_t at_once, size_t waiting);

/*
 * come() is called when it is its turn, later, from the loop.  -EBUSY: too many
 * wait, some of them under this name, or far too many.  Until it is freed nobody else has the slot.
 */
int slot_new(struct slots *t, const char *who, void (*come)(void *arg), void *arg, struct slot **ret);
/* For who was let in before: there is a place for him, however many wait. */
int slot_queue(struct slots *t, const char *who, void (*come)(void *arg), void *arg, struct slot **ret);
/* For what is at work already: taken at once, be it one too many. 0 or -ENOMEM. */
int slot_take(struct slots *t, const char *who, struct slot **ret);
struct slot *slot_free(struct slot *slot);
/* Has come() been called, or is it about to be? */
bool slot_has_come(const struct slot *slot);

size_t slots_running(const struct slots *t);
size_t slots_waiting(const struct slots *t);
