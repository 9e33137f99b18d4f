/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The connection to the system bus: opened again whenever it is lost, calls
 * queued so that never more are outstanding than the bus allows us, signals
 * handed up.  Private to sys/systemd*.c, which gives the calls their meaning.
 */

#include "sys/loop.h"
#include "util/fault.h"

#include <systemd/sd-bus.h>

struct bus;
struct bus_call;

struct bus_hooks {
        /* Connected and subscribed. Calls made before this answer FAULT_AWAY. */
        void (*up)(void *arg);
        void (*down)(void *arg, const char *reason);
        /* Any signal of systemd's manager or its units. */
        void (*signal)(void *arg, sd_bus_message *m);
        void *arg;
};

struct bus *bus_new(struct loop *l, const struct bus_hooks *hooks);
struct bus *bus_free(struct bus *b);
DEFINE_CLEANUP(struct bus, bus_free);
bool bus_is_up(const struct bus *b);

/*
 * A method call on systemd. `error` is NULL or the bus error's name, `reply`
 * then holds its text; on a lost connection reply is NULL and error is
 * BUS_LOST, on no answer in time BUS_TIMEOUT.  Runs once, in a later turn.
 */
#define BUS_LOST "lost"
#define BUS_TIMEOUT "timeout"
typedef void bus_done(void *arg, sd_bus_message *reply, const char *error, const char *text);

/* Appends the arguments of the method; negative errno on failure. */
typedef int bus_fill(sd_bus_message *m, const void *arg);

struct bus_call_options {
        const char *path, *interface, *member;
        uint64_t timeout_usec;
        bus_fill *fill;            /* NULL: no arguments */
        const void *fill_arg;
};
/* NULL when out of memory or a bad argument. */
struct bus_call *bus_call(struct bus *b, const struct bus_call_options *options, bus_done *done, void *arg);
struct bus_call *bus_call_cancel(struct bus_call *c);
