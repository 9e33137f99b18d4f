/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the engine says when it does not start a container, and which field of
 * the spec that is about.  Only a start brings it to light: who may be `user'
 * stands in the image, which devices there are on the host.
 */

#include "core/spec.h"

/*
 * Does this line, one of docker's own, plainly name something of the spec?  Then
 * true, and the fault (INVALID, MISSING or CONFLICT) names the field and its
 * value.  Else the fault is left alone.
 */
bool engine_refusal_read(const char *line, const struct spec *spec, struct fault *ret);
