/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A gear as clients see it: one JSON object, and one line or a few for people. */

#include "core/gear.h"
#include "core/request.h"

/* {"id":…,"state":…} without a newline; kept in gear->row until the gear changes. */
void gear_to_json(struct gear *gear, struct text *t);
/* Only these members, comma-separated names; false names the one that does not exist. */
bool gear_fields_to_json(struct gear *gear, char *const *fields, struct text *t);
bool gear_field_exists(const char *name);

/* Several lines, in the manner of systemctl status. */
void gear_to_text(const struct gear *gear, struct text *t);
/* The columns of the list. */
void gear_to_row(const struct gear *gear, struct text *t);

/* x-PortMapping: <internal>:<external>,… as the successor program sent it. */
void gear_port_header(const struct gear *gear, struct outcome *outcome);
void gear_ports_to_json(const struct gear *gear, struct text *t);
