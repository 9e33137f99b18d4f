/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/base.h"

#include <sys/socket.h>

/* An address that anybody may have: not of this host, of a network behind it, of a group, or of nobody. */
bool ip_is_public(const struct sockaddr *address);
