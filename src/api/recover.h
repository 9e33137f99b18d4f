/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an earlier life left undone: creates and replacements that a crash cut
 * short, units whose link is missing, containers nobody's unit runs, and a
 * state directory that came from another host.
 */

#include "daemon.h"

/* Before the loop runs: fills the index from the state directory, removes what belongs to no gear. */
int recover_scan(struct daemon *d, struct fault *f);

/* Before any change begins: what is half done comes first in the queues of its gears. Once. */
void recover_begin(struct daemon *d);

/* systemd or the engine came or went: says so to systemd (READY, STATUS), and goes on where it can. */
void recover_look(struct daemon *d);

/* Links a unit of ours, by its file, if it has no link. Whether it is enabled stays as it is. */
void recover_link(struct daemon *d, const char *unit, const char *path);

/* Containers with our mark whose unit does not run them any more. */
void recover_containers(struct daemon *d, const struct docker_container *containers, size_t n);
