/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Would a timer with this OnCalendar= be loaded?  systemd has no call for that, but
 * it reads what a transient timer is to be before it makes one: so it is asked for
 * one that cannot be, since its second property does not exist.  The error says
 * which of the two it fell over, and nothing is ever made.
 */

#include "sys/systemd-op.h"

#include <stdio.h>
#include <unistd.h>

#define NO_PROPERTY "Geard only asks?"

struct question {
        const char *unit, *calendar;
};

/* No calendar event has a question mark: it is this name alone that is found in the error. */
static int fill_question(sd_bus_message *m, const void *arg)
{
        const struct question *q = arg;

        return sd_bus_message_append(m, "ssa(sv)a(sa(sv))", q->unit, "fail", 2, "TimersCalendar", "a(ss)", 1, "OnCalendar",
                                     q->calendar, NO_PROPERTY, "s", "", 0);
}

static void question_answered(void *arg, sd_bus_message *reply _unused_, const char *error, const char *text)
{
        struct systemd_op *op = arg;
        struct fault f;

        if (error && text && strstr(text, NO_PROPERTY)) {
                op_finish(op, NULL);
                return;
        }
        if (!error || strstr(error, "InvalidArgs"))
                (void) fault_set(&f, FAULT_INVALID, NULL, "it is no calendar event that systemd knows, see systemd.time(7)");
        else
                (void) bus_fault(error, text, &f);
        op_finish(op, &f);
}

struct systemd_op *systemd_check_calendar(struct systemd *s, const char *calendar, systemd_done *done, void *arg)
{
        struct systemd_op *op = op_new(s, &s->questions, calendar, arg);
        char unit[64];

        if (!op)
                return NULL;
        op->done = done;
        /* systemd lets go of a name only when it has nothing else to do. */
        (void) snprintf(unit, sizeof unit, "geard-%jd-asks-%u.timer", (intmax_t) getpid(), s->calendars_checked++);
        op->call = bus_call(s->bus,
                            &(struct bus_call_options){ .path = MANAGER_PATH,
                                                        .interface = MANAGER_INTERFACE,
                                                        .member = "StartTransientUnit",
                                                        .timeout_usec = CALL_USEC,
                                                        .fill = fill_question,
                                                        .fill_arg = &(struct question){ unit, calendar } },
                            question_answered, op);
        return op->call ? op : systemd_cancel(op);
}
