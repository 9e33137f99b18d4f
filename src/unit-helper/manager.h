/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What gear-unit asks of systemd, over systemd's own socket rather than the
 * system bus: gears start and stop also while dbus-daemon is away.
 */

#include "util/base.h"

struct sd_bus;

int manager_open(struct sd_bus **ret);

/* Active? Units that systemd does not know count as active: nothing can be said of them. */
int manager_unit_is_active(struct sd_bus *bus, const char *unit, bool *ret);

/* Are there still jobs of the boot's under way? No, when systemd does not say. */
bool manager_is_booting(struct sd_bus *bus);

/* Waits until the unit is active. -ETIMEDOUT after `usec`. */
int manager_wait_active(struct sd_bus *bus, const char *unit, uint64_t usec);

/* Stops it without waiting for that. 0 also for one that is not active, or unknown. */
int manager_stop_if_active(struct sd_bus *bus, const char *unit);

/* Takes the failed attempts off the unit's start limit. */
int manager_forgive(struct sd_bus *bus, const char *unit);

struct manager_run {
        unsigned restarts;        /* automatic ones since the last start by hand */
        uint64_t last_usec;       /* how long the last run took */
        bool restarts_itself;     /* Restart= is not `no' */
        bool stop_wanted;         /* a stop or restart job is what ends it */
};
int manager_get_run(struct sd_bus *bus, const char *unit, struct manager_run *ret);
