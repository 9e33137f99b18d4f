/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A state directory that came from another host: its units are written anew for
 * this one, and its wanted gears start.  The directory is this host's from the
 * moment the last of them has ended, however each did; until then every start of
 * geard adopts again, and leaves alone what an earlier one had brought to its end.
 */

#include "daemon.h"

struct adoption;

/* NULL: out of memory. Then nothing is adopted, and the next start tries. */
struct adoption *adoption_new(struct daemon *d);
/* Behind what is under way for the gear already. */
void adoption_add(struct adoption *a, const struct gear *gear);
/* Something else of it is under way … */
void adoption_hold(struct adoption *a);
/* … and has ended; unfinished: the next start goes on. */
void adoption_release(struct adoption *a, bool unfinished);
/* No more will be added. */
void adoption_close(struct adoption *a);
