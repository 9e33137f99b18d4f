/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The three questions gear-unit has for the Docker Engine; each blocks until answered. */

#include "util/base.h"

/* Is there a container of this name that geard made, which the label tells? 1 yes, 0 no, -errno. */
int engine_owns(const char *socket_path, const char *container, const char *label);
/* Removes it, running or not, with its anonymous volumes. 0 also if it is gone. */
int engine_remove(const char *socket_path, const char *container);
/*
 * Asks it to end, by its own stop signal and stop timeout, and waits for that.
 * 0 when it ended or was not running, -ENOENT when there is none.
 */
int engine_stop(const char *socket_path, const char *container);
