/* SPDX-License-Identifier: Apache-2.0 */

#include "api/run.h"

#include "sys/journal-runs.h"
#include "util/log.h"

#include <stdio.h>

void run_before(const struct gear *gear, enum systemd_job job, struct run *ret)
{
        bool is_there = streq(gear->active, "active") || streq(gear->active, "reloading") ||
                        (streq(gear->active, "activating") && !streq(gear->sub, "auto-restart"));

        *ret = (struct run){ 0 };
        if (job == SYSTEMD_START && is_there)
                return;
        memcpy(ret->container, gear->container, sizeof ret->container);
        gear_invocation(gear, ret->invocation);
}

bool run_may_end(const struct spec *spec)
{
        return spec->restart == RESTART_NO && spec->ready.kind == READY_RUNNING;
}

/* Written whatever LogLevel= is: it is no news, but what a retry after a crash is judged by. */
static void note(const struct work *w)
{
        log_at(LOG_INFO | LOG_ALWAYS,
               LOG_FIELDS("MESSAGE_ID", JOURNAL_RUN_MESSAGE_ID, "GEAR_ID", w->id, JOURNAL_RUN_FIELD_REQUEST,
                          request_id(w->request), JOURNAL_RUN_FIELD_PRINCIPAL,
                          request_principal(w->request)),
               "gear %s is to run once", w->id);
}

struct systemd_op *run_ask(struct work *w, const struct spec *spec, enum systemd_job job,
                           systemd_job_done *done, void *arg)
{
        char unit[UNIT_NAME_MAX];

        if (w->request && run_may_end(spec))
                note(w);
        gear_unit_name(w->id, unit);
        return systemd_job(w->daemon->systemd, job, unit, done, arg);
}

void run_wish_of(const struct work *w, struct run_wish *ret)
{
        (void) snprintf(ret->gear, sizeof ret->gear, "%s", w->id);
        (void) snprintf(ret->request, sizeof ret->request, "%s", request_id(w->request));
        (void) snprintf(ret->principal, sizeof ret->principal, "%s", request_principal(w->request));
}

bool run_ended_well(const struct run_wish *wish)
{
        const struct journal_run run = { .gear = wish->gear,
                                         .request = wish->request,
                                         .principal = wish->principal };
        bool ended_well = false;
        int r = journal_run_ended_well(NULL, &run, &ended_well);

        if (r < 0)
                log_warning(LOG_FIELDS("GEAR_ID", wish->gear, "GEARD_REQUEST_ID", wish->request),
                            "gear %s: whether it ran already cannot be found out, the journal cannot be "
                            "read: %s",
                            wish->gear, strerror(-r));
        return ended_well;
}
