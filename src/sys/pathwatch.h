/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tells when a directory changes, and when it comes, goes or becomes another:
 * all directories of its path are watched, too, so that it need not be there
 * yet.  What a symlink in the path leads to is watched only by its content.
 */

#include "sys/loop.h"

struct pathwatch;

/*
 * `changed' gets the name within the directory, NULL for the directory itself;
 * `gone' says that what had that name has it no more.  -errno when the kernel
 * gives us no watch.
 */
int pathwatch_new(struct loop *l, const char *path, void (*changed)(void *arg, const char *name, bool gone),
                  void *arg, struct pathwatch **ret);
struct pathwatch *pathwatch_free(struct pathwatch *w);
DEFINE_CLEANUP(struct pathwatch, pathwatch_free);
