/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reading files that somebody else maps for us, as libsystemd does with the
 * journal.  What the disk does not give, or what was cut off meanwhile, comes as
 * SIGBUS, and would end geard.  Between begin and end the thread reads zeroes
 * there instead, and is told of it.
 */

#include "util/base.h"

/* Once, before any thread. 0 or -errno. */
int mapped_guard(void);

void mapped_begin(void);
/* 0, or -EIO: not all of it could be read. What is mapped has zeroes there until it is unmapped. */
int mapped_end(void);
