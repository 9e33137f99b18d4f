/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Refusals on their way into the audit trail, so that nobody who is refused
 * decides how long it grows.  In each interval of a minute
 *
 *   of those whose signature is good, or whom the kernel vouches for, the first
 *   refusal is written at once, and those of the same caller for the same thing
 *   and reason are counted into one more record at its end;
 *
 *   of all others - anybody - there is one record per address at its end, with
 *   their number and the first reason.
 *
 * Both tables are bounded: what does not fit is counted together.
 */

#include "core/audit.h"

struct daemon;
struct refusals;

struct refusals *refusals_new(struct daemon *d);
/* What is counted is written. */
struct refusals *refusals_free(struct refusals *r);

/* Takes the words of the record. */
void refusals_add(struct refusals *r, struct audit_record *record, bool known);

/* May one more have a line of its own in the journal, which others need, too? */
bool refusals_have_line(struct refusals *r);
