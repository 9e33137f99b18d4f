/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tells when somebody changes a file in a directory: made, written, made unreadable, moved in or out, removed. */

#include "sys/loop.h"

struct dirwatch;

/* -errno when the kernel gives us no watch. `changed` gets the name within the directory. */
int dirwatch_new(struct loop *l, const char *path, void (*changed)(void *arg, const char *name), void *arg,
                 struct dirwatch **ret);
struct dirwatch *dirwatch_free(struct dirwatch *w);
DEFINE_CLEANUP(struct dirwatch, dirwatch_free);
