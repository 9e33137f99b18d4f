/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The newest record that geard finds when it opens the audit trail: had it been
 * noted in the journal when it was written, as each of our own is at once?  One
 * that had not is what a crash left, or what somebody appended to the file while
 * geard was stopped.  Nobody can tell which, so it is told.
 */

#include "core/audit.h"

struct daemon;
struct noted;

/* Reads the journal a little later, in a thread, and logs what is missing. NULL without memory. */
struct noted *noted_look(struct daemon *d, const struct audit_record *newest);
struct noted *noted_free(struct noted *n);
