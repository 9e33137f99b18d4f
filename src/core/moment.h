/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A moment as people write it, against the clock given:
 *
 *   1700000000  @1700000000.5                  seconds since 1970
 *   2031-12-31T23:59:59.25Z  …+01:00           RFC 3339
 *   2031-12-31 23:59:59  2031-12-31  23:59     the host's time; UTC behind it for that, or a name of its own zone
 *   Wed 2031-12-31 23:59:59                    the day has to be that day
 *   now today yesterday tomorrow               the latter three: midnight
 *   -1h30min  1h ago  +5min  5min              from now; without a sign, ago
 *
 * false for all else, and for what lies before 1970.
 */

#include "util/text.h"

bool moment_parse(const char *s, uint64_t now_usec, uint64_t *ret_usec);

/* 2031-12-31T23:59:59, in UTC, with so many digits behind the second, and Z. */
void moment_add(struct text *t, uint64_t usec, int digits);
