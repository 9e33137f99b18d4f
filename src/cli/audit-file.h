/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The database of a geard that does not run, opened as a copy: whoever opens
 * one for real writes to it, and this one may be evidence.
 */

#include "cli/audit-source.h"

struct audit_file;

int audit_file_open(const char *path, struct audit_file **ret, struct fault *f);
struct audit_file *audit_file_free(struct audit_file *file);
DEFINE_CLEANUP(struct audit_file, audit_file_free);

/* Oldest first, as audit_source_read(). */
int audit_file_read(struct audit_file *file, uint64_t from, struct audit_batch *ret, struct fault *f);
