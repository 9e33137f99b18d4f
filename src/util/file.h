/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files below a directory we hold open.  Names are single components; no call
 * follows a symlink in the last one, blocks on a FIFO, or reads without a cap.
 * All return 0 or a negative errno.
 */

#include "util/base.h"

#include <sys/stat.h>

/*
 * The whole of a regular file, NUL-terminated. -EFBIG over max, -ELOOP for a
 * symlink, -EISDIR and -EINVAL for what is no file; ret_len may be NULL.
 */
int file_read_at(int dir, const char *name, size_t max, char **ret, size_t *ret_len);
/* … of one that is to be text: -EBADMSG where a NUL is in it. */
int file_read_text_at(int dir, const char *name, size_t max, char **ret);
/* A path, symlinks allowed (configuration, /proc). */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len);

/*
 * Replaces a file so that after a crash either the old or the new content is
 * there: temporary name, write, fsync, rename, fsync of the directory.
 */
int file_replace_at(int dir, const char *name, const void *data, size_t len, mode_t mode);
/* rename within or across held directories, made durable. */
int file_rename_at(int from, const char *name, int to, const char *new_name);
/* unlink, durable; a missing file is fine. */
int file_remove_at(int dir, const char *name);
bool file_exists_at(int dir, const char *name);

/* Creates it if needed and opens it. From AT_FDCWD, and only from there, a path will do. */
int dir_open_at(int parent, const char *name, mode_t mode);

/*
 * Calls back for every entry but . and .., in no order. Stops at the first
 * non-zero return and hands it back.
 */
int dir_each(int dir, int (*entry)(void *arg, const char *name), void *arg);

/* Temporary names of file_replace_at() left by a crash: removed at start. */
int dir_remove_leftovers(int dir);
