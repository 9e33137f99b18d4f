/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/route.h"
#include "util/text.h"

extern const struct route_table openapi_routes;

/* An OpenAPI 3.1 document of every route in the tables, in both its spellings. */
void openapi_write(const struct route_table *tables, size_t n_tables, struct text *t);
