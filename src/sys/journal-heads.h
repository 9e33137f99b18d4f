/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The heads of the audit trail that geard noted in the journal.  What counts is
 * the unit that journald saw the message come from, which no other process can
 * claim.  Blocks, since it reads the whole journal: for commands.
 */

#include "core/audit-verify.h"

/*
 * All that were noted since (0: ever), oldest first.  `files' are the journals
 * to read, NULL-terminated; NULL: this host's.  `head' answers 0 or -ENOMEM.
 */
int journal_heads(const char *const *files, uint64_t since_usec,
                  int (*head)(void *arg, const struct audit_witness *witness), void *arg, struct fault *f);
