/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The way of a gear that is to run, again or anew, one step after the other:
 * spec, link, reload where systemd holds an earlier definition, start, ready.
 */

#include "api/failure.h"
#include "api/index.h"
#include "api/lookup.h"
#include "api/ready.h"
#include "api/state-private.h"

#include <stdio.h>

static void explained(void *arg, const struct fault *fault)
{
        struct turn *turn = arg;

        turn->work.failure = NULL;
        work_fail(&turn->work, fault);
}

static void explain(struct turn *turn, enum fault_kind kind, const char *what)
{
        turn->work.failure = failure_explain(turn->work.daemon, work_gear(&turn->work), NULL, kind, what, explained,
                                             turn);
        if (!turn->work.failure)
                turn_oom(turn);
}

static void fail_stopped(struct turn *turn)
{
        struct fault f;

        (void) fault_set(&f, FAULT_CONFLICT, NULL, "gear %s was stopped while it was starting", turn->work.id);
        work_fail(&turn->work, &f);
}

static void ready_answered(void *arg, enum ready_result result)
{
        struct turn *turn = arg;
        char what[160];

        turn->work.ready = NULL;
        if (result == READY_STOPPED) {
                fail_stopped(turn);
        } else if (result == READY_YES || result == READY_ENDED) {
                turn_settle(turn);
        } else if (result == READY_DIED) {
                (void) snprintf(what, sizeof what, "gear %s did not start", turn->work.id);
                explain(turn, FAULT_FAILED, what);
        } else {
                (void) snprintf(what, sizeof what, "gear %s was not ready in time (ready: %s)", turn->work.id,
                                ready_kind_name(turn->spec.ready.kind));
                explain(turn, FAULT_TIMEOUT, what);
        }
}

static void await_ready(struct turn *turn)
{
        turn->work.ready = ready_wait(turn->work.daemon, work_gear(&turn->work), &turn->spec, &turn->former,
                                      ready_answered, turn);
        if (!turn->work.ready)
                turn_oom(turn);
}

static void started(void *arg, enum job_result result, const struct fault *fault)
{
        struct turn *turn = arg;

        turn->work.op = NULL;
        if (turn->given_up) {
                work_fail(&turn->work, &turn->given_up_fault);
        } else if (fault) {
                work_fail(&turn->work, fault);
        } else if (result == JOB_CANCELED) {
                fail_stopped(turn);
        } else if (result != JOB_DONE) {
                explain(turn, FAULT_FAILED, job_result_text(result));
        } else {
                await_ready(turn);
        }
}

static void start_unit(void *arg, const struct fault *fault _unused_)
{
        struct turn *turn = arg;
        enum systemd_job job = turn->wish == WISH_RESTARTED ? SYSTEMD_RESTART : SYSTEMD_START;

        turn->work.op = NULL;
        if (turn->given_up) {
                work_fail(&turn->work, &turn->given_up_fault);
                return;
        }
        run_before(work_gear(&turn->work), job, &turn->former);
        turn->changed = true;
        turn->work.op = run_ask(&turn->work, &turn->spec, job, started, turn);
        if (!turn->work.op)
                turn_oom(turn);
}

/* The limit of starts is there to end crash loops: what somebody asks for does not count, nor does what was. */
static void forgive_starts(struct turn *turn)
{
        char unit[UNIT_NAME_MAX];

        gear_unit_name(turn->work.id, unit);
        turn->work.op = systemd_reset_failed(turn->work.daemon->systemd, unit, start_unit, turn);
        if (!turn->work.op)
                turn_oom(turn);
}

static bool runs_as_wished(const struct turn *turn)
{
        return turn->wish == WISH_STARTED && gear_state_of(work_gear(&turn->work)) == STATE_RUNNING;
}

/* In an earlier life, and nobody has had it run since. */
static bool has_ended_as_wished(const struct turn *turn)
{
        return turn->ended_well && streq(work_gear(&turn->work)->active, "inactive");
}

static void reloaded(void *arg, const struct fault *fault)
{
        struct turn *turn = arg;

        turn->work.op = NULL;
        if (turn->given_up)
                work_fail(&turn->work, &turn->given_up_fault);
        else if (fault)
                work_fail(&turn->work, fault);
        else if (runs_as_wished(turn))
                turn_settle(turn);
        else
                forgive_starts(turn);
}

static void staleness_told(void *arg, bool stale, const struct fault *fault)
{
        struct turn *turn = arg;
        const struct gear *gear = work_gear(&turn->work);

        /* A unit whose link was gone and is back still counts as not found, but not as stale. */
        if (fault || turn->given_up || (!stale && !(gear && gear->load_error))) {
                reloaded(turn, fault);
                return;
        }
        turn->work.op = systemd_reload(turn->work.daemon->systemd, reloaded, turn);
        if (!turn->work.op)
                turn_oom(turn);
}

static void enabled(void *arg, const struct fault *fault)
{
        struct turn *turn = arg;
        struct gear *gear = work_gear(&turn->work);
        char unit[UNIT_NAME_MAX];

        turn->work.op = NULL;
        if (fault || turn->given_up) {
                work_fail(&turn->work, fault ? fault : &turn->given_up_fault);
                return;
        }
        if ((runs_as_wished(turn) && !gear->load_error) || has_ended_as_wished(turn)) {
                turn_settle(turn);
                return;
        }
        if (turn->restarted) {
                await_ready(turn);
                return;
        }
        gear_unit_name(turn->work.id, unit);
        turn->work.op = systemd_needs_reload(turn->work.daemon->systemd, unit, staleness_told, turn);
        if (!turn->work.op)
                turn_oom(turn);
}

/* In the worker's thread: the spec is in the unit file, and nowhere else. */
static int load_spec(void *arg)
{
        struct turn *turn = arg;
        int r = lookup_spec(turn->work.daemon, turn->work.id, &turn->spec, &turn->fault);

        if (r == 0 && turn->recalled && run_may_end(&turn->spec))
                turn->ended_well = run_ended_well(&turn->asked);
        return r;
}

static void spec_loaded(void *arg, int r)
{
        struct turn *turn = arg;
        struct daemon *d = turn->work.daemon;
        char path[4096];

        if (r < 0 || turn->given_up) {
                work_fail(&turn->work, r < 0 ? &turn->fault : &turn->given_up_fault);
                return;
        }
        work_progress(&turn->work, "Ensuring gear %s is started", turn->work.id);
        store_unit_path(d->store, turn->work.id, path, sizeof path);
        turn->work.op = systemd_enable(d->systemd, path, enabled, turn);
        if (!turn->work.op)
                turn_oom(turn);
}

void turn_start(struct turn *turn)
{
        struct daemon *d = turn->work.daemon;
        struct fault f;

        if (index_need_engine(d, &f) < 0)
                work_fail(&turn->work, &f);
        else if (worker_run(d->worker, load_spec, spec_loaded, turn) < 0)
                turn_oom(turn);
}

static void last_start_told(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct turn *turn = arg;

        turn->work.op = NULL;
        if (fault) {
                work_fail(&turn->work, fault);
                return;
        }
        turn->restarted = streq(unit->active, "active") && unit->has_since && unit->since_usec > turn->asked_usec;
        turn_start(turn);
}

void turn_recall_restart(struct turn *turn)
{
        char unit[UNIT_NAME_MAX];

        gear_unit_name(turn->work.id, unit);
        turn->work.op = systemd_ask(turn->work.daemon->systemd, unit, last_start_told, turn);
        if (!turn->work.op)
                turn_oom(turn);
}
