/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether a run of a gear has come to a good end, for when nobody else knows any
 * more: systemd forgets a unit that ended well, the engine its container.  The
 * journal has both what geard said before it asked for the run and what systemd
 * said of its end, in the order in which they happened, whatever the clock did.
 */

#include "core/ident.h"

/* Of the line that says that a run is asked for; with the two fields, and GEAR_ID. */
#define JOURNAL_RUN_MESSAGE_ID "b1d4f7c27a4b4e0f9c3a8a6f5de0c914"
#define JOURNAL_RUN_FIELD_REQUEST "GEARD_REQUEST_ID"
#define JOURNAL_RUN_FIELD_PRINCIPAL "GEARD_PRINCIPAL"

struct journal_run {
        const char *gear, *request, *principal;
};

/*
 * True when the last that systemd said of the gear's unit since the run was
 * asked for is that it ended well, and nobody had it stopped.  `files' are the
 * journals to read, NULL-terminated; NULL: this host's.  Blocks, since it reads
 * from the disk: not for the loop.  0 or -errno.
 */
int journal_run_ended_well(const char *const *files, const struct journal_run *run, bool *ret);
