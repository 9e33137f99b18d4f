/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Names: what an id may look like, and every name and path derived from one.
 */

#include "util/base.h"
#include "util/fault.h"

#define GEAR_ID_MAX 63
#define UNIT_NAME_MAX (GEAR_ID_MAX + sizeof "gear-.service")
#define REQUEST_ID_LEN 32
#define USER_MAX 256 /* of the claim u */

/* [A-Za-z0-9][A-Za-z0-9_.-]{0,62} */
bool gear_id_valid(const char *id);
/* The same with the fault filled; field names where it stood. 0 or -EINVAL. */
int gear_id_check(const char *id, const char *field, struct fault *f);

void gear_unit_name(const char *id, char ret[static UNIT_NAME_MAX]);      /* gear-1.service */
void gear_container_name(const char *id, char ret[static UNIT_NAME_MAX]); /* gear-1 */

/* A service is a template unit, and of each of its instances there is a unit, 1 and up. */
#define SERVICE_UNIT_NAME_MAX (UNIT_NAME_MAX + sizeof "@4294967295")
#define SERVICE_INSTANCE_MAX UINT32_MAX
void service_template_name(const char *id, char ret[static SERVICE_UNIT_NAME_MAX]); /* gear-web@.service */
void service_instance_name(const char *id, uint32_t instance, char ret[static SERVICE_UNIT_NAME_MAX]); /* gear-web@3 */

/* gear-1.service → "1"; NULL (nothing) for any other name. ret needs GEAR_ID_MAX + 1. */
bool gear_id_of_unit(const char *unit, char ret[static GEAR_ID_MAX + 1]);

/* 1–32 hex digits → 32, lower case, zero-padded on the left. 0 or -EINVAL. */
int request_id_canonical(const char *s, char ret[static REQUEST_ID_LEN + 1]);

/* The last label of a unit's object path: every byte but [A-Za-z0-9] as _xx. */
void bus_label_escape(const char *name, char *ret, size_t size);
bool bus_label_unescape(const char *label, char *ret, size_t size);
