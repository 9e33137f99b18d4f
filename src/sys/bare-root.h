/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A directory that is / for units which are to see next to nothing of the host
 * (RootDirectory=): places for what is mounted there, and the links by which programs
 * below /usr are found.  It has to outlive us: what is mounted in it goes for a unit
 * at work when it is removed.
 */

#include "util/base.h"

#define BARE_ROOT_LINKS_MAX 6

struct bare_root {
        char path[256];
        /* Where programs lie beside /usr, on a host on which these are no links into it; to be mounted, too. */
        const char *beside_usr[BARE_ROOT_LINKS_MAX + 1];
};

/* Makes it in that directory, or what of it is missing. 0 or -errno. */
int bare_root_make(const char *parent, struct bare_root *ret);
