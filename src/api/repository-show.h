/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/call.h"

/* The handler of GET for one repository. */
void repository_show(struct call *call);
