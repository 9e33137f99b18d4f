/* SPDX-License-Identifier: Apache-2.0 */

#include "api/resolve.h"

#include "api/index.h"
#include "api/install-private.h"
#include "util/log.h"

#include <stdio.h>

/*
 * It is an install without its first half: everything that it might have done
 * counts as done, so that either only the last step is left or all is undone.
 */

static void settled(void *arg, int r)
{
        struct install *in = arg;
        struct gear *gear = work_gear(&in->work);
        struct outcome outcome = { 0 };

        if (r < 0) {
                log_error(LOG_FIELDS("GEAR_ID", in->work.id), "%s", in->fault.text);
        } else {
                log_notice(LOG_FIELDS("GEAR_ID", in->work.id), "gear %s runs: its unfinished %s is done", in->work.id,
                           in->replacing ? "replacement" : "creation");
                gear->phase = GEAR_STARTED;
                gear_touched(in->work.daemon->gears, gear);
        }
        work_end(&in->work, &outcome);
}

static void staleness_told(void *arg, bool stale, const struct fault *fault)
{
        struct install *in = arg;
        struct gear *gear = work_gear(&in->work);
        struct fault f;

        in->work.op = NULL;
        /* What runs under a replaced unit may still be the former container: systemd knows no difference. */
        if (!fault && !stale && !in->replacing && gear_state_of(gear) == STATE_RUNNING) {
                if (worker_run(in->work.daemon->worker, install_settle_files, settled, in) == 0)
                        return;
        }
        log_notice(LOG_FIELDS("GEAR_ID", in->work.id), "gear %s does not run: its unfinished %s is undone", in->work.id,
                   in->replacing ? "replacement" : "creation");
        (void) fault_set(&f, FAULT_FAILED, NULL, "unfinished");
        install_undo(in, &f);
}

static void resolve_begin(struct work *w)
{
        char unit[UNIT_NAME_MAX];

        gear_unit_name(w->id, unit);
        w->op = systemd_needs_reload(w->daemon->systemd, unit, staleness_told, install_of(w));
        if (!w->op) {
                struct fault f;

                (void) fault_oom(&f);
                install_undo(install_of(w), &f);
        }
}

static const struct work_kind resolve_kind = {
        .start = resolve_begin,
        .free = install_free,
};

void resolve_submit(struct daemon *d, struct gear *gear)
{
        struct install *in = calloc(1, sizeof *in);

        if (!in)
                return;
        in->replacing = gear_phase_replaces(gear->phase);
        in->before_started = gear->phase != GEAR_REPLACING_STOPPED;
        in->entered = in->wrote = in->linked = in->running = true;
        in->spec.started = true;
        in->work.kind = &resolve_kind;
        in->work.daemon = d;
        (void) snprintf(in->work.id, sizeof in->work.id, "%s", gear->id);
        work_submit(&in->work);
}
