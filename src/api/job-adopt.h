/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Scheduled jobs whose units systemd does not know, at a start of geard. */

#include "api/adopt.h"

/*
 * Once, when systemd and the engine are there.  From another host (adoption) they are
 * written anew, and are due here from now on; here only lost links are made again,
 * and what an administrator has disabled stays so.
 */
void job_adopt_all(struct daemon *d, struct adoption *adoption);
