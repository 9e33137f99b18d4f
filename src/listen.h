/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Opens every listener of the configuration, on an inherited socket where one has its address. */

#include "daemon.h"

int listen_all(struct daemon *d, struct fault *f);
