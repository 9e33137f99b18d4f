/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A pipe out of a unit: what the unit writes comes to us in pieces, no faster than
 * we take it, and there is no more of it in memory than one piece.
 */

#include "sys/loop.h"

struct outlet;

struct outlet_hooks {
        bool (*bytes)(void *arg, const char *bytes, size_t n); /* false: no more until outlet_resume() */
        void (*end)(void *arg);                                /* everybody closed the other side */
        void *arg;
};

/* *ret_fd is the unit's side, to be closed here as soon as the unit has it. 0 or -errno. */
int outlet_new(struct loop *l, const struct outlet_hooks *hooks, struct outlet **ret, int *ret_fd);
void outlet_resume(struct outlet *o);
/* Whoever still writes is told by a SIGPIPE. */
struct outlet *outlet_free(struct outlet *o);
DEFINE_CLEANUP(struct outlet, outlet_free);
