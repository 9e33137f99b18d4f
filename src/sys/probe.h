/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One asynchronous question to a port of a gear's own container. */

#include "sys/fetch.h"

struct probe;

/* `path` NULL: a TCP connect is enough; else GET http://address:port<path> must answer 200–399. */
struct probe *probe_start(struct loop *l, struct fetch *f, const char *address, uint16_t port, const char *path,
                          uint64_t timeout_usec,
                          void (*done)(void *arg, bool good, const char *why), void *arg);
struct probe *probe_cancel(struct probe *p);
