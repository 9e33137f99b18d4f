/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Creating a gear, or replacing it by another of the same id: image, ports,
 * files, link, start, ready – and all of it undone when one of them fails.
 */

#include "api/work.h"

/* Takes the spec. request NULL: geard's own wish. The gear's entry is made here. */
void install_submit(struct daemon *d, struct request *request, const char *id, const char *user, struct spec *spec);

/* May this caller have this spec at all? DENIED or INVALID, naming the field. */
int install_check(const struct daemon *d, const struct spec *spec, bool may_reach_host, struct fault *f);

/*
 * Settles every external port of the spec: those asked for must be free, those
 * left open are leased; what the gear holds already it may keep.
 */
int install_lease(const struct daemon *d, const char *id, struct spec *spec, struct fault *f);
/*
 * For a job, which names its external ports and holds none: they are no gear's, and,
 * where it begins now, nobody else has them open.
 */
int install_claim(const struct daemon *d, const struct spec *spec, bool now, struct fault *f);

/* Is what stands in the state directory the same as this, environment included? */
int install_compare(const struct daemon *d, const char *id, struct spec *spec, bool *ret_same, struct fault *f);
