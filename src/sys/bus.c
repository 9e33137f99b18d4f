/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/bus.h"

#include <sys/queue.h>

/* The system bus refuses the 129th outstanding call of a connection. */
#define IN_FLIGHT_MAX 64
/* A burst of signals holds up no request. */
#define MESSAGES_AT_ONCE 16
#define RECONNECT_USEC (500 * USEC_PER_MSEC)

#define DESTINATION "org.freedesktop.systemd1"

struct bus_call {
        struct bus *bus;
        TAILQ_ENTRY(bus_call) link;
        bool queued;                  /* on one of the two lists … */
        bool sent;                    /* … of what flies rather than waits */
        uint64_t timeout_usec;
        sd_bus_message *message;      /* built at once: its arguments need not outlive the caller */
        sd_bus_slot *slot;
        struct deferred *refused;     /* no connection: the answer that is on its way */
        bus_done *done;
        void *arg;
};
TAILQ_HEAD(bus_calls, bus_call);

struct bus {
        struct loop *loop;
        struct bus_hooks hooks;
        sd_bus *connection;
        struct pump *pump;
        struct timer *reconnect;
        struct deferred *dropping;
        struct bus_calls waiting, flying;
        unsigned in_flight;
        bool up;
        bool told_down;               /* `down` once per loss, not once per attempt */
};

static void bus_connect(struct bus *b);

/* --- calls --------------------------------------------------------------------- */

static void call_unlink(struct bus_call *c)
{
        struct bus *b = c->bus;

        if (c->refused || !c->queued)
                return;
        if (c->sent) {
                TAILQ_REMOVE(&b->flying, c, link);
                b->in_flight--;
        } else {
                TAILQ_REMOVE(&b->waiting, c, link);
        }
}

static void call_free(struct bus_call *c)
{
        sd_bus_slot_unref(c->slot);
        sd_bus_message_unref(c->message);
        c->refused = deferred_cancel(c->refused);
        free(c);
}

static void call_finish(struct bus_call *c, sd_bus_message *reply, const char *error, const char *text)
{
        bus_done *done = c->done;
        void *arg = c->arg;

        call_unlink(c);
        call_free(c);
        done(arg, reply, error, text);
}

static void call_refused(void *arg)
{
        struct bus_call *c = arg;
        bus_done *done = c->done;
        void *done_arg = c->arg;

        c->refused = NULL;
        call_free(c);
        done(done_arg, NULL, BUS_LOST, "not connected to systemd's bus");
}

/* Answers BUS_LOST in the next turn: nobody is called back from inside their own call. */
static int call_refuse(struct bus_call *c)
{
        struct deferred *refused = loop_defer(c->bus->loop, call_refused, c);

        if (!refused)
                return -ENOMEM;
        call_unlink(c);
        c->refused = refused;
        return 0;
}

static void send_waiting(struct bus *b);

static int call_answered(sd_bus_message *reply, void *arg, sd_bus_error *ret _unused_)
{
        struct bus_call *c = arg;
        struct bus *b = c->bus;
        const sd_bus_error *e = sd_bus_message_get_error(reply);
        const char *error = NULL;

        if (e && sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY))
                error = b->up ? BUS_TIMEOUT : BUS_LOST;
        else if (e && sd_bus_error_has_name(e, SD_BUS_ERROR_DISCONNECTED))
                error = BUS_LOST;
        else if (e)
                error = e->name;
        call_finish(c, reply, error, e ? e->message : NULL);
        send_waiting(b);
        return 1;
}

static void send_waiting(struct bus *b)
{
        struct bus_call *c;

        while (b->up && b->in_flight < IN_FLIGHT_MAX && (c = TAILQ_FIRST(&b->waiting))) {
                TAILQ_REMOVE(&b->waiting, c, link);
                TAILQ_INSERT_TAIL(&b->flying, c, link);
                c->sent = true;
                b->in_flight++;
                if (sd_bus_call_async(b->connection, &c->slot, c->message, call_answered, c, c->timeout_usec) < 0)
                        (void) call_refuse(c);
        }
        if (b->pump)
                pump_rearm(b->pump);
}

static int call_build(struct bus_call *c, const struct bus_call_options *o)
{
        int r;

        r = sd_bus_message_new_method_call(c->bus->connection, &c->message, DESTINATION, o->path, o->interface,
                                           o->member);
        if (r >= 0 && o->fill)
                r = o->fill(c->message, o->fill_arg);
        return r;
}

struct bus_call *bus_call(struct bus *b, const struct bus_call_options *options, bus_done *done, void *arg)
{
        struct bus_call *c = calloc(1, sizeof *c);

        if (!c)
                return NULL;
        *c = (struct bus_call){
                .bus = b, .done = done, .arg = arg, .timeout_usec = options->timeout_usec
        };
        if (!b->up)
                return call_refuse(c) == 0 ? c : (free(c), NULL);
        if (call_build(c, options) < 0)
                return (call_free(c), NULL);
        c->queued = true;
        TAILQ_INSERT_TAIL(&b->waiting, c, link);
        send_waiting(b);
        return c;
}

struct bus_call *bus_call_cancel(struct bus_call *c)
{
        if (c) {
                call_unlink(c);
                call_free(c);
        }
        return NULL;
}

/* --- the connection -------------------------------------------------------------- */

static void fail_calls(struct bus *b)
{
        struct bus_call *c;

        while ((c = TAILQ_FIRST(&b->flying)) || (c = TAILQ_FIRST(&b->waiting)))
                call_finish(c, NULL, BUS_LOST, "the connection to systemd's bus was lost");
}

static void bus_lost(struct bus *b, const char *reason)
{
        bool was_up = b->up;

        b->up = false;
        b->pump = pump_free(b->pump);
        b->connection = sd_bus_close_unref(b->connection);
        fail_calls(b);
        timer_set(b->reconnect, RECONNECT_USEC);
        if (was_up || !b->told_down) {
                b->told_down = true;
                b->hooks.down(b->hooks.arg, reason);
        }
}

static void drop_connection(void *arg)
{
        struct bus *b = arg;

        b->dropping = NULL;
        bus_lost(b, "the connection was closed");
}

static int pump_get_fd(void *arg)
{
        return sd_bus_get_fd(((struct bus *) arg)->connection);
}

static int pump_get_events(void *arg)
{
        return sd_bus_get_events(((struct bus *) arg)->connection);
}

static int pump_get_deadline(void *arg, uint64_t *ret_usec)
{
        return sd_bus_get_timeout(((struct bus *) arg)->connection, ret_usec);
}

static void pump_process(void *arg)
{
        struct bus *b = arg;
        int r = 1;

        /* What is left is due at once, says sd-bus then; but behind others. */
        for (unsigned n = 0; n < MESSAGES_AT_ONCE && r > 0; n++)
                r = sd_bus_process(b->connection, NULL);
        /* The pump is on the stack: the connection is taken down in the next turn. */
        if ((r < 0 || !sd_bus_is_open(b->connection)) && !b->dropping)
                b->dropping = loop_defer(b->loop, drop_connection, b);
}

static int on_signal(sd_bus_message *m, void *arg, sd_bus_error *ret _unused_)
{
        struct bus *b = arg;

        b->hooks.signal(b->hooks.arg, m);
        return 0;
}

static int on_subscribed(sd_bus_message *reply, void *arg, sd_bus_error *ret _unused_)
{
        struct bus *b = arg;

        if (sd_bus_message_is_method_error(reply, NULL)) {
                if (!b->dropping)
                        b->dropping = loop_defer(b->loop, drop_connection, b);
                return 1;
        }
        b->up = true;
        b->told_down = false;
        b->hooks.up(b->hooks.arg);
        return 1;
}

/* Only what is looked at: systemd has some thirty signals for each unit that comes and goes. */
#define MANAGER_SIGNAL(member)                                                          \
        "type='signal',sender='" DESTINATION "',path='/org/freedesktop/systemd1',"      \
        "interface='org.freedesktop.systemd1.Manager',member='" member "'"
#define UNIT_SIGNAL(interface)                                                                          \
        "type='signal',sender='" DESTINATION "',path_namespace='/org/freedesktop/systemd1/unit',"       \
        "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"                       \
        "arg0='org.freedesktop.systemd1." interface "'"

/*
 * Signals first, then everything else: the bus keeps the order, so no change
 * between our first question and its answer can be missed.
 */
static int subscribe(struct bus *b)
{
        static const char *const matches[] = {
                MANAGER_SIGNAL("JobRemoved"),
                MANAGER_SIGNAL("UnitRemoved"),
                MANAGER_SIGNAL("Reloading"),
                UNIT_SIGNAL("Unit"),
                UNIT_SIGNAL("Service"),
                UNIT_SIGNAL("Timer"),
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(matches); i++)
                r = sd_bus_add_match_async(b->connection, NULL, matches[i], on_signal, NULL, b);
        if (r >= 0)
                r = sd_bus_call_method_async(b->connection, NULL, DESTINATION, "/org/freedesktop/systemd1",
                                             "org.freedesktop.systemd1.Manager", "Subscribe", on_subscribed, b, NULL);
        return r;
}

static void bus_connect(struct bus *b)
{
        static const struct pump_ops ops = {
                .fd = pump_get_fd,
                .events = pump_get_events,
                .deadline = pump_get_deadline,
                .process = pump_process,
        };
        int r;

        r = sd_bus_open_system(&b->connection);
        if (r >= 0)
                r = subscribe(b);
        if (r >= 0) {
                b->pump = pump_new(b->loop, &ops, b);
                r = b->pump ? 0 : -ENOMEM;
        }
        if (r < 0)
                bus_lost(b, strerror(-r));
}

static void reconnect(void *arg)
{
        bus_connect(arg);
}

struct bus *bus_new(struct loop *l, const struct bus_hooks *hooks)
{
        struct bus *b = calloc(1, sizeof *b);

        if (!b)
                return NULL;
        b->loop = l;
        b->hooks = *hooks;
        TAILQ_INIT(&b->waiting);
        TAILQ_INIT(&b->flying);
        b->reconnect = timer_new(l, reconnect, b);
        if (!b->reconnect)
                return (free(b), NULL);
        timer_set(b->reconnect, 0); /* hooks are called from the loop only */
        return b;
}

struct bus *bus_free(struct bus *b)
{
        struct bus_call *c;

        if (!b)
                return NULL;
        while ((c = TAILQ_FIRST(&b->flying)) || (c = TAILQ_FIRST(&b->waiting)))
                (void) bus_call_cancel(c);
        b->dropping = deferred_cancel(b->dropping);
        b->reconnect = timer_free(b->reconnect);
        b->pump = pump_free(b->pump);
        sd_bus_flush_close_unref(b->connection);
        free(b);
        return NULL;
}

bool bus_is_up(const struct bus *b)
{
        return b->up;
}
