/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What systemd writes down for journald of a unit with LogExtraFields=.  Version 252
 * leaves the file when the unit has stopped, and the next one of the name has the fields.
 */
void log_fields_forget(const char *unit);
