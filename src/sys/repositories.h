/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where Git repositories are on the disk, and their coming and going as a whole:
 *
 *   git/ID         a repository
 *   git/.ID.new    one that is being made; nobody's until it is renamed
 *   git/.ID.gone   one that is being removed; nobody's since it was renamed
 *
 * What is inside belongs to git's user, and is neither read nor written here.
 * All of these may block, and answer 0 or a negative errno.
 */

#include "util/base.h"

enum repository_place { REPOSITORY_WHOLE, REPOSITORY_NEW, REPOSITORY_GONE };

/* root: the state directory. */
void repository_path(const char *root, const char *id, enum repository_place place, char *ret, size_t size);

int repository_exists(const char *root, const char *id); /* 1: yes */
/* … and was put there, or changed since, then or later by the wall clock. */
int repository_came_since(const char *root, const char *id, uint64_t usec);
/* 1, and when its directory was made, by the wall clock: 0 where the file system does not tell. */
int repository_birth(const char *root, const char *id, enum repository_place place, uint64_t *ret_usec);
/* Makes git/ where it is missing. */
int repositories_prepare(const char *root);
/* From one place to the other, to stay there after a crash. -ENOTEMPTY, -EEXIST: there is one. */
int repository_move(const char *root, const char *id, enum repository_place from, enum repository_place to);
/* Its empty directory. One that is missing is as removed as can be. */
int repository_remove_empty(const char *root, const char *id, enum repository_place place);
/* Every id in that place, in no order. Ends when entry() answers other than 0, and answers that. */
int repositories_each(const char *root, enum repository_place place, int (*entry)(void *arg, const char *id),
                      void *arg);
