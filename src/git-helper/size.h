/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/base.h"

/* What a directory takes on the disk, with all that is below it. */
uint64_t size_on_disk(const char *dir);
