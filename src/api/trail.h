/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "daemon.h"

extern const struct route_table trail_routes;

/* This record is on the disk: those who follow the trail read on. */
void trail_grew(struct daemon *d, const struct audit_record *record);
/* Ends what they read, before the database is closed. */
void trail_leave_all(struct daemon *d);
