/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is a host port free?  Asked of the kernel by a real bind, because strangers
 * take ports without telling us.
 */

#include "util/base.h"

/* 0 free, -EADDRINUSE taken, other negative errno: cannot tell. */
int port_try(const char *address, uint16_t port, bool udp);
