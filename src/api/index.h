/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keeps the index current: what systemd and the engine signal goes into it,
 * and after a lost connection it is brought up to date before anybody is told
 * that all is well again.
 */

#include "daemon.h"

extern const struct systemd_hooks index_systemd_hooks; /* .arg to be set to the Daemon */
extern const struct docker_watch index_docker_watch;

/* Reads one gear's record anew from the state directory. -ENOMEM; a damaged record is no error. */
int index_load_record(struct daemon *d, struct gear *gear);

/* Somebody changed a file in the units directory. */
void index_unit_file_changed(void *daemon, const char *name);

/* Asks systemd, bit by bit, what is wrong with gears that do not run. */
void index_sweep_definitions(struct daemon *d);

/* Out of the index, and whatever watched it with it. */
void index_remove(struct daemon *d, struct gear *gear);

/* Is it there? AWAY with the name of what is missing otherwise. */
int index_need_systemd(const struct daemon *d, struct fault *f);
int index_need_engine(const struct daemon *d, struct fault *f);
/* What every container's unit runs: INTERNAL, naming the option. */
int index_need_programs(const struct daemon *d, struct fault *f);
