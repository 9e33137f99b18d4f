/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The way of an install, one step after the other: image, files, link,
 * start, ready, settled.  Each either begins the next or calls install_undo().
 */

#include "api/answer.h"
#include "api/failure.h"
#include "api/gear-json.h"
#include "api/index.h"
#include "api/install-private.h"
#include "api/ready.h"

#include <stdio.h>

bool install_still_wanted(struct install *in)
{
        if (in->given_up)
                install_undo(in, &in->fault);
        return !in->given_up;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void settled(void *arg, int r)
{
        struct install *in = arg;
        struct outcome outcome = in->outcome;

        if (r < 0) {
                install_undo(in, &in->fault);
                return;
        }
        in->outcome = (struct outcome){ 0 };
        work_end(&in->work, &outcome);
}

int install_settle_files(void *arg)
{
        struct install *in = arg;
        int r = store_write_phase(in->work.daemon->store, in->work.id, in->spec.started ? GEAR_STARTED : GEAR_STOPPED,
                                  &in->fault);

        if (r == 0 && in->replacing)
                store_drop_previous(in->work.daemon->store, in->work.id);
        return r;
}

static void succeed(struct install *in, const char *how)
{
        struct daemon *d = in->work.daemon;
        struct gear *gear = work_gear(&in->work);
        struct text json = { 0 };
        char text[256];
        struct fault f;

        gear->phase = in->spec.started ? GEAR_STARTED : GEAR_STOPPED;
        gear_touched(d->gears, gear);
        gear_to_json(gear, &json);
        text_addc(&json, '\n');
        (void) snprintf(text, sizeof text, "Gear %s is %s\n", in->work.id, how);
        outcome_of(&in->outcome, in->keeping ? 200 : 201, text, &json);
        outcome_header(&in->outcome, "Location", "/container/%s/status", in->work.id);
        if (gear->n_ports)
                gear_port_header(gear, &in->outcome);
        if (worker_run(d->worker, install_settle_files, settled, in) < 0) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

/* --- starting -------------------------------------------------------------------------------------- */

static void explained(void *arg, const struct fault *fault)
{
        struct install *in = arg;

        in->work.failure = NULL;
        install_undo(in, fault);
}

static void explain(struct install *in, enum fault_kind kind, const char *what)
{
        struct gear *gear = work_gear(&in->work);
        struct fault f;

        in->work.failure = failure_explain(in->work.daemon, gear, &in->spec, kind, what, explained, in);
        if (!in->work.failure) {
                (void) fault_set(&f, kind, NULL, "%s", what);
                install_undo(in, &f);
        }
}

void install_ended(struct install *in)
{
        succeed(in, "done: it ran and ended with status 0");
}

static void ready_answered(void *arg, enum ready_result result)
{
        struct install *in = arg;
        char what[160];
        struct fault f;

        in->work.ready = NULL;
        if (!install_still_wanted(in))
                return;
        switch (result) {
        case READY_YES:
                succeed(in, "running");
                break;
        case READY_ENDED:
                install_ended(in);
                break;
        case READY_DIED:
                (void) snprintf(what, sizeof what, "gear %s did not start", in->work.id);
                explain(in, FAULT_FAILED, what);
                break;
        case READY_LATE:
                (void) snprintf(what, sizeof what, "gear %s was not ready in time (ready: %s)", in->work.id,
                                ready_kind_name(in->spec.ready.kind));
                explain(in, FAULT_TIMEOUT, what);
                break;
        case READY_STOPPED:
                (void) fault_set(&f, FAULT_CONFLICT, NULL, "gear %s was stopped while it was starting", in->work.id);
                install_undo(in, &f);
                break;
        }
}

void install_await(struct install *in)
{
        struct fault f;

        work_progress(&in->work, "Gear %s is starting", in->work.id);
        in->work.ready = ready_wait(in->work.daemon, work_gear(&in->work), &in->spec, &in->former, ready_answered, in);
        if (!in->work.ready) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

static void start_answered(void *arg, enum job_result result, const struct fault *fault)
{
        struct install *in = arg;
        struct fault f;

        in->work.op = NULL;
        if (!install_still_wanted(in))
                return;
        if (fault) {
                install_undo(in, fault);
        } else if (result == JOB_CANCELED) {
                (void) fault_set(&f, FAULT_CONFLICT, NULL, "gear %s was stopped while it was starting", in->work.id);
                install_undo(in, &f);
        } else if (result != JOB_DONE) {
                explain(in, FAULT_FAILED, job_result_text(result));
        } else {
                install_await(in);
        }
}

static void start_unit(struct install *in)
{
        enum systemd_job job = in->replacing ? SYSTEMD_RESTART : SYSTEMD_START;
        struct fault f;

        if (!in->spec.started) {
                succeed(in, "installed, and stopped");
                return;
        }
        /* By somebody's systemctl: what was missing is that it is to run after the next boot, too. */
        if (in->keeping && gear_state_of(work_gear(&in->work)) == STATE_RUNNING) {
                succeed(in, "running");
                return;
        }
        in->running = true;
        run_before(work_gear(&in->work), job, &in->former);
        in->work.op = run_ask(&in->work, &in->spec, job, start_answered, in);
        if (!in->work.op) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

static void reloaded(void *arg, const struct fault *fault)
{
        struct install *in = arg;

        in->work.op = NULL;
        if (!install_still_wanted(in))
                return;
        if (fault)
                install_undo(in, fault);
        else
                start_unit(in);
}

static void staleness_told(void *arg, bool stale, const struct fault *fault)
{
        struct install *in = arg;
        const struct gear *gear = work_gear(&in->work);
        struct fault f;

        in->work.op = NULL;
        if (!install_still_wanted(in))
                return;
        if (fault) {
                install_undo(in, fault);
        } else if (stale || (gear && gear->load_error)) { /* see api/state: its link was gone */
                in->work.op = systemd_reload(in->work.daemon->systemd, reloaded, in);
                if (!in->work.op) {
                        (void) fault_oom(&f);
                        install_undo(in, &f);
                }
        } else {
                start_unit(in);
        }
}

static void linked(void *arg, const struct fault *fault)
{
        struct install *in = arg;
        char unit[UNIT_NAME_MAX];
        struct fault f;

        in->work.op = NULL;
        in->linked = !fault;
        if (!install_still_wanted(in))
                return;
        if (fault) {
                install_undo(in, fault);
                return;
        }
        work_progress(&in->work, "Unit in place %s", in->work.id);
        gear_unit_name(in->work.id, unit);
        in->work.op = systemd_needs_reload(in->work.daemon->systemd, unit, staleness_told, in);
        if (!in->work.op) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

/* --- writing ------------------------------------------------------------------------------------------ */

/* What stands in wanted/ until it is settled tells a next life of geard where to go back to. */
static enum gear_phase phase_meanwhile(const struct install *in)
{
        if (!in->replacing)
                return GEAR_CREATING;
        return in->before_started ? GEAR_REPLACING : GEAR_REPLACING_STOPPED;
}

static int write_files(void *arg)
{
        struct install *in = arg;
        struct store *store = in->work.daemon->store;
        const char *id = in->work.id;
        int r = 0;

        if (in->replacing)
                r = store_keep_previous(store, id, &in->fault);
        if (r == 0)
                r = store_write_phase(store, id, phase_meanwhile(in), &in->fault);
        if (r == 0)
                r = store_write_env(store, id, &in->spec.env, NULL, &in->fault);
        if (r == 0)
                r = store_write_unit(store, id, in->unit.data, in->unit.len, &in->fault);
        return r;
}

void install_link(struct install *in)
{
        struct daemon *d = in->work.daemon;
        char path[4096];
        struct fault f;

        store_unit_path(d->store, in->work.id, path, sizeof path);
        in->work.op = in->spec.started ? systemd_enable(d->systemd, path, linked, in)
                                       : systemd_link(d->systemd, path, linked, in);
        if (!in->work.op) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

static void former_disabled(void *arg, const struct fault *fault)
{
        struct install *in = arg;

        in->work.op = NULL;
        if (!install_still_wanted(in))
                return;
        if (fault && fault->kind != FAULT_MISSING)
                install_undo(in, fault);
        else
                install_link(in);
}

static void former_stopped(void *arg, enum job_result result, const struct fault *fault)
{
        struct install *in = arg;
        char unit[UNIT_NAME_MAX];
        struct fault f;

        in->work.op = NULL;
        if (!install_still_wanted(in))
                return;
        if (!fault && result != JOB_DONE) {
                (void) fault_set(&f, FAULT_CONFLICT, NULL, "gear %s was not stopped: %s", in->work.id,
                                 job_result_text(result));
                fault = &f;
        }
        if (fault) {
                install_undo(in, fault);
                return;
        }
        gear_unit_name(in->work.id, unit);
        in->work.op = systemd_disable(in->work.daemon->systemd, unit, former_disabled, in);
        if (!in->work.op) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

/* The one whose place is taken by a stopped one may run, and may come with the next boot. */
static void stop_former(struct install *in)
{
        char unit[UNIT_NAME_MAX];
        struct fault f;

        gear_unit_name(in->work.id, unit);
        in->work.op = systemd_job(in->work.daemon->systemd, SYSTEMD_STOP, unit, former_stopped, in);
        if (!in->work.op) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

static void written(void *arg, int r)
{
        struct install *in = arg;

        if (!install_still_wanted(in))
                return;
        if (r < 0)
                install_undo(in, &in->fault);
        else if (in->replacing && !in->spec.started)
                stop_former(in);
        else
                install_link(in);
}

static int render(struct install *in, struct fault *f)
{
        const struct gear *gear = work_gear(&in->work);
        const struct unit_origin origin = {
                .id = in->work.id,
                .user = in->user,
                .request_id = in->request_id[0] ? in->request_id : gear->request_id,
                .created_usec = gear->created_usec,
        };
        struct unit_host host;

        daemon_unit_host(in->work.daemon, &host);
        return unit_render(&in->spec, &origin, &host, &in->unit, f);
}

int install_enter(struct install *in, struct fault *f)
{
        struct daemon *d = in->work.daemon;
        struct unit_record record = { .spec = in->spec, .user = in->user };
        struct gear *gear = work_gear(&in->work);
        const char *rid = in->request_id[0] ? in->request_id : gear->request_id;

        /* A gear that is replaced is as old as it was. */
        record.created_usec = in->replacing ? gear->created_usec : wall_usec();
        (void) snprintf(record.id, sizeof record.id, "%s", in->work.id);
        (void) snprintf(record.request_id, sizeof record.request_id, "%s", rid);
        if (unit_spec_hash(&in->spec, record.hash) < 0 || gear_set_record(d->gears, gear, &record) < 0)
                return fault_oom(f);
        in->entered = true;
        return 0;
}

static void install_write(struct install *in)
{
        struct daemon *d = in->work.daemon;
        struct fault f;
        int r = 0;

        if (!in->entered) {
                r = install_lease(d, in->work.id, &in->spec, &f);
                if (r == 0)
                        r = install_enter(in, &f);
        }
        if (r == 0)
                r = render(in, &f);
        if (r == 0) {
                in->wrote = true;
                r = worker_run(d->worker, write_files, written, in);
                if (r < 0)
                        r = fault_oom(&f);
        }
        if (r < 0) {
                in->wrote = false;
                install_undo(in, &f);
        }
}

/* --- image and network ------------------------------------------------------------------------------------ */

static void image_progress(void *arg, const char *line)
{
        struct install *in = arg;

        work_progress(&in->work, "%s", line);
}

static void image_got(void *arg, const struct docker_image *image, const struct fault *fault)
{
        struct install *in = arg;
        struct fault f;

        in->work.image = NULL;
        if (!install_still_wanted(in))
                return;
        if (fault) {
                install_undo(in, fault);
        } else if (in->spec.ready.kind == READY_HEALTHY && in->spec.health.kind == PROBE_NONE && image && !image->has_health) {
                (void) fault_set(&f, FAULT_INVALID, "ready",
                                 "ready: neither the spec nor the image %s has a health check to wait for",
                                 in->spec.image);
                install_undo(in, &f);
        } else {
                install_write(in);
        }
}

void install_image(struct install *in)
{
        struct fault f;

        in->work.image = image_get_start(
                in->work.daemon, &in->spec,
                &(struct image_get_hooks){ .progress = image_progress, .done = image_got, .arg = in });
        if (!in->work.image) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}
