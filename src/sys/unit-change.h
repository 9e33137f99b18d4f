/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From D-Bus messages to struct unit_change. Private to sys/systemd.c. */

#include "sys/systemd.h"

#include <systemd/sd-bus.h>

#define UNIT_PATH_PREFIX "/org/freedesktop/systemd1/unit/"
#define UNIT_PATH_MAX 1024

bool unit_path_of(const char *unit, char ret[static UNIT_PATH_MAX]);
bool unit_of_path(const char *path, char *ret, size_t size);

/* The a{sv} at the read position. Strings are borrowed from the message. */
int unit_change_read(sd_bus_message *m, struct unit_change *ret);
/* One (ssssssouso) of ListUnits. 0 at the end of the array, 1 when one was read. */
int unit_change_read_listed(sd_bus_message *m, struct unit_change *ret);
