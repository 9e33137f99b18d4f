/* SPDX-License-Identifier: Apache-2.0 */

/*
 * started, stopped, restarted: reach that state, and remember it for the next
 * boot.  The unit stays linked when it is stopped, so that systemctl still
 * knows it; only the link that starts it at boot goes.
 */

#include "api/state.h"

#include "api/answer.h"
#include "api/gear-json.h"
#include "api/index.h"
#include "api/lookup.h"
#include "api/plan.h"
#include "api/state-private.h"

#include <stdio.h>

static const char *const wish_done[] = {
        [WISH_STARTED] = "started",
        [WISH_STOPPED] = "stopped",
        [WISH_RESTARTED] = "restarted",
};

static void turn_free(struct work *w)
{
        struct turn *turn = turn_of(w);

        spec_reset(&turn->spec);
        free(turn);
}

void turn_oom(struct turn *turn)
{
        struct fault f;

        (void) fault_oom(&f);
        work_fail(&turn->work, &f);
}

/* --- the end: what is wanted is remembered ------------------------------------------------------- */

static int settle_phase(void *arg)
{
        struct turn *turn = arg;

        return store_write_phase(turn->work.daemon->store, turn->work.id,
                                 turn->wish == WISH_STOPPED ? GEAR_STOPPED : GEAR_STARTED, &turn->fault);
}

static void settled(void *arg, int r)
{
        struct turn *turn = arg;
        struct gear *gear = work_gear(&turn->work);
        struct outcome outcome;
        struct text json = { 0 };
        char text[160];

        if (r < 0 || !gear) {
                if (!gear)
                        (void) fault_set(&turn->fault, FAULT_MISSING, "id", "there is no gear %s any more",
                                         turn->work.id);
                work_fail(&turn->work, &turn->fault);
                return;
        }
        gear->phase = turn->wish == WISH_STOPPED ? GEAR_STOPPED : GEAR_STARTED;
        gear_touched(turn->work.daemon->gears, gear);
        gear_to_json(gear, &json);
        text_addc(&json, '\n');
        (void) snprintf(text, sizeof text, "Gear %s is %s%s\n", turn->work.id,
                        wish_done[turn->wish], turn->changed || turn->recalled ? "" : " already");
        outcome_of(&outcome, 200, text, &json);
        outcome.replayed = turn->recalled;
        work_end(&turn->work, &outcome);
}

void turn_settle(struct turn *turn)
{
        if (worker_run(turn->work.daemon->worker, settle_phase, settled, turn) < 0)
                turn_oom(turn);
}

/* --- stopping -------------------------------------------------------------------------------------- */

static void relinked(void *arg, const struct fault *fault)
{
        struct turn *turn = arg;

        turn->work.op = NULL;
        if (fault)
                work_fail(&turn->work, fault);
        else
                turn_settle(turn);
}

static void disabled(void *arg, const struct fault *fault)
{
        struct turn *turn = arg;
        char path[4096];

        turn->work.op = NULL;
        if (fault && fault->kind != FAULT_MISSING) {
                work_fail(&turn->work, fault);
                return;
        }
        /* Disabling takes all links; the one that makes the unit known comes back. */
        store_unit_path(turn->work.daemon->store, turn->work.id, path, sizeof path);
        turn->work.op = systemd_link(turn->work.daemon->systemd, path, relinked, turn);
        if (!turn->work.op)
                turn_oom(turn);
}

static void disable_unit(struct turn *turn)
{
        char unit[UNIT_NAME_MAX];

        gear_unit_name(turn->work.id, unit);
        turn->work.op = systemd_disable(turn->work.daemon->systemd, unit, disabled, turn);
        if (!turn->work.op)
                turn_oom(turn);
}

static void forgiven(void *arg, const struct fault *fault _unused_)
{
        struct turn *turn = arg;

        turn->work.op = NULL;
        disable_unit(turn);
}

static void stopped(void *arg, enum job_result result, const struct fault *fault)
{
        struct turn *turn = arg;
        char unit[UNIT_NAME_MAX];
        struct fault f;

        turn->work.op = NULL;
        if (fault && fault->kind == FAULT_MISSING) { /* nor does a unit run that systemd does not know */
                disable_unit(turn);
                return;
        }
        if (!fault && result != JOB_DONE) {
                (void) fault_set(&f, FAULT_CONFLICT, NULL, "gear %s was not stopped: %s", turn->work.id,
                                 job_result_text(result));
                fault = &f;
        }
        /* A unit without its links is not known to systemd, unless it runs. */
        if (fault && fault->kind == FAULT_MISSING) {
                disable_unit(turn);
                return;
        }
        if (fault) {
                work_fail(&turn->work, fault);
                return;
        }
        if (!turn->changed) {
                disable_unit(turn);
                return;
        }
        /* Many programs end with some status of their own when told to: a wished stop is no failure. */
        gear_unit_name(turn->work.id, unit);
        turn->work.op = systemd_reset_failed(turn->work.daemon->systemd, unit, forgiven, turn);
        if (!turn->work.op)
                turn_oom(turn);
}

static void stop_begin(struct turn *turn)
{
        struct gear *gear = work_gear(&turn->work);
        enum gear_state state = gear_state_of(gear);
        char unit[UNIT_NAME_MAX];

        gear_unit_name(turn->work.id, unit);
        turn->changed = state != STATE_STOPPED && state != STATE_FAILED;
        work_progress(&turn->work, "Ensuring gear %s is stopped", turn->work.id);
        turn->work.op = systemd_job(turn->work.daemon->systemd, SYSTEMD_STOP, unit, stopped, turn);
        if (!turn->work.op)
                turn_oom(turn);
}

/* --- the work ---------------------------------------------------------------------------------------- */

/* It was still being created when the stop came, and that was given up. */
static void end_without_gear(struct turn *turn)
{
        struct outcome outcome;
        char text[160];

        (void) snprintf(text, sizeof text, "Gear %s is stopped: its creation was given up, nothing is left of it\n",
                        turn->work.id);
        outcome_of(&outcome, 200, text, NULL);
        work_end(&turn->work, &outcome);
}

static void turn_begin(struct work *w)
{
        struct turn *turn = turn_of(w);
        struct gear *gear = work_gear(w);
        struct fault f;

        if (!gear || (!gear->image && !gear->damage)) {
                if (turn->wish == WISH_STOPPED) {
                        end_without_gear(turn);
                } else {
                        (void) fault_set(&f, FAULT_MISSING, "id", "there is no gear %s", w->id);
                        work_fail(w, &f);
                }
        } else if (index_need_systemd(w->daemon, &f) < 0) {
                work_fail(w, &f);
        } else if (turn->wish == WISH_STOPPED) {
                stop_begin(turn);
        } else if (turn->wish == WISH_RESTARTED && turn->recalled) {
                turn_recall_restart(turn);
        } else {
                turn_start(turn);
        }
}

static void turn_give_up(struct work *w, const char *why)
{
        struct turn *turn = turn_of(w);

        if (turn->wish == WISH_STOPPED || turn->given_up)
                return;
        turn->given_up = true;
        (void) fault_set(&turn->given_up_fault, FAULT_CONFLICT, NULL, "gear %s was %s while it was starting",
                         w->id, why);
        if (w->ready)
                work_fail(w, &turn->given_up_fault);
}

static const struct work_kind turn_kind = {
        .start = turn_begin,
        .give_up = turn_give_up,
        .free = turn_free,
};

/* A start that is under way already is not to be taken for none, but one may wait for the engine for ever. */
static bool turn_may_start(const struct work *w)
{
        const struct turn *turn = container_of(w, const struct turn, work);
        const struct daemon *d = w->daemon;
        const struct gear *gear = work_gear(w);

        if (turn->given_up || turn->wish == WISH_STOPPED)
                return d->systemd_synced;
        return work_gear_is_known(w) && !(gear && gear->job && d->engine == ENGINE_RUNNING);
}

static struct turn *turn_new(struct daemon *d, const char *id, enum wish wish, struct fault *f)
{
        struct turn *turn = calloc(1, sizeof *turn);

        if (!turn)
                return (fault_oom(f), NULL);
        turn->wish = wish;
        turn->work.kind = &turn_kind;
        turn->work.daemon = d;
        turn->work.hurry = wish == WISH_STOPPED ? "stopped" : NULL;
        (void) snprintf(turn->work.id, sizeof turn->work.id, "%s", id);
        return turn;
}

static enum wish wish_of(const char *verb)
{
        if (streq(verb, wish_done[WISH_STOPPED]))
                return WISH_STOPPED;
        return streq(verb, wish_done[WISH_RESTARTED]) ? WISH_RESTARTED : WISH_STARTED;
}

void state_recall(struct daemon *d, struct request *request, const char *id, const char *verb)
{
        struct fault f;
        struct turn *turn = turn_new(d, id, wish_of(verb), &f);

        if (!turn) {
                change_fail(d, request, &f);
                return;
        }
        turn->recalled = true;
        turn->asked_usec = request_began(request);
        turn->work.request = request;
        run_wish_of(&turn->work, &turn->asked);
        turn->work.may_start = turn_may_start;
        work_submit(&turn->work);
}

static void turn_submit(struct call *call, const char *id, enum wish wish)
{
        struct fault f;
        struct turn *turn = turn_new(call->daemon, id, wish, &f);

        if (turn)
                change_begin(call, SUBJECT_GEAR, turn->work.id, wish_done[wish], work_begun, &turn->work);
        else
                answer_fault(call, &f);
}

static void turn_plan(struct call *call, const struct gear *gear, enum wish wish)
{
        static const char *const verdicts[] = {
                [WISH_STARTED] = "start",
                [WISH_STOPPED] = "stop",
                [WISH_RESTARTED] = "restart",
        };
        enum gear_state state = gear_state_of(gear);
        bool already = (wish == WISH_STARTED && state == STATE_RUNNING) ||
                       (wish == WISH_STOPPED && state == STATE_STOPPED);

        plan_answer_kept(call, gear->id, already ? "nothing" : verdicts[wish],
                         wish == WISH_RESTARTED && state == STATE_RUNNING);
}

static void turn_call(struct call *call, enum wish wish)
{
        struct gear *gear;
        const char *id;
        bool plan;
        struct fault f;

        if (call_gear_id(call, &id, &f) < 0 || call_flag(call, "plan", &plan, &f) < 0)
                answer_fault(call, &f);
        else if (lookup_gear(call, &gear, &f) < 0)
                change_refuse(call, SUBJECT_GEAR, id, wish_done[wish], &f);
        else if (plan)
                turn_plan(call, gear, wish);
        else
                turn_submit(call, id, wish);
}

static void started_put(struct call *call)
{
        turn_call(call, WISH_STARTED);
}

static void stopped_put(struct call *call)
{
        turn_call(call, WISH_STOPPED);
}

static void restarted_put(struct call *call)
{
        turn_call(call, WISH_RESTARTED);
}

#define CHANGE (ROUTE_CHANGE | ROUTE_BODY)

static const struct route routes[] = {
        { HTTP_PUT, "/container/started", started_put, "gear.state", CHANGE | ROUTE_TOKEN, "Start the gear" },
        { HTTP_PUT, "/container/stopped", stopped_put, "gear.state", CHANGE | ROUTE_TOKEN, "Stop the gear" },
        { HTTP_PUT, "/container/restarted", restarted_put, "gear.state", CHANGE | ROUTE_TOKEN, "Restart the gear" },
        { HTTP_POST, "/container/restart", restarted_put, "gear.state", CHANGE | ROUTE_TOKEN, "Restart the gear" },
        { HTTP_PUT, "/container/{id}/started", started_put, "gear.state", CHANGE, "Start the gear" },
        { HTTP_PUT, "/container/{id}/stopped", stopped_put, "gear.state", CHANGE, "Stop the gear" },
        { HTTP_PUT, "/container/{id}/restarted", restarted_put, "gear.state", CHANGE, "Restart the gear" },
        { HTTP_POST, "/container/{id}/restart", restarted_put, "gear.state", CHANGE, "Restart the gear" },
};
const struct route_table state_routes = { routes, ARRAY_SIZE(routes) };
