/* SPDX-License-Identifier: Apache-2.0 */

#include "api/resolve.h"

#include "api/index.h"
#include "api/install-private.h"
#include "api/lookup.h"
#include "util/log.h"

#include <stdio.h>

/*
 * It is an install without its first half: everything that it might have done
 * counts as done, so that either only its last steps are left or all is undone.
 * Who asks again is told what came of the first time, and the container that
 * was made for him then is not made again.
 */

static const char *what_is_unfinished(const struct install *in)
{
        return in->replacing ? "replacement" : "creation";
}

static void undo(struct install *in)
{
        struct fault f;

        log_notice(LOG_FIELDS("GEAR_ID", in->work.id), "gear %s: its unfinished %s is undone", in->work.id,
                   what_is_unfinished(in));
        (void) fault_set(&f, FAULT_AWAY, NULL,
                         "geard ended before the %s of gear %s had begun, and nothing of it is left: ask again",
                         what_is_unfinished(in), in->work.id);
        f.retry_after = 1;
        install_undo(in, &f);
}

static void undo_oom(struct install *in)
{
        struct fault f;

        (void) fault_oom(&f);
        install_undo(in, &f);
}

/* One that has failed was started; one that is inactive may have been, and have come to its end. */
static bool was_started(const struct gear *gear)
{
        return !streq(gear->active, "inactive");
}

/* --- its container runs, or did ------------------------------------------------------------------ */

static void go_on(struct install *in)
{
        log_notice(LOG_FIELDS("GEAR_ID", in->work.id), "gear %s: its unfinished %s goes on", in->work.id,
                   what_is_unfinished(in));
        install_await(in);
}

/* In the worker's thread: the spec says when it is ready. */
static int load_spec(void *arg)
{
        struct install *in = arg;
        int r = lookup_spec(in->work.daemon, in->work.id, &in->spec, &in->fault);

        in->spec.started = true;
        return r;
}

static void spec_loaded(void *arg, int r)
{
        struct install *in = arg;

        if (!install_still_wanted(in))
                return;
        if (r < 0)
                install_undo(in, &in->fault);
        else
                go_on(in);
}

static void load(struct install *in)
{
        if (worker_run(in->work.daemon->worker, load_spec, spec_loaded, in) < 0)
                undo_oom(in);
}

/* --- it does not run, and nothing is known of it ------------------------------------------------- */

/* In the worker's thread. */
static int look_back(void *arg)
{
        struct install *in = arg;
        struct spec spec = { 0 };
        int r = lookup_spec(in->work.daemon, in->work.id, &spec, &in->fault);

        in->ended_well = r == 0 && in->request_id[0] && run_may_end(&spec) && run_ended_well(&in->wish);
        spec_reset(&spec);
        return r;
}

static void looked_back(void *arg, int r)
{
        struct install *in = arg;

        if (!install_still_wanted(in))
                return;
        if (r < 0 || !in->ended_well || was_started(work_gear(&in->work))) {
                undo(in);
                return;
        }
        in->spec.started = true;
        install_ended(in);
}

static void find_end(struct install *in)
{
        if (worker_run(in->work.daemon->worker, look_back, looked_back, in) < 0)
                undo_oom(in);
}

/* --- whose container is it? ------------------------------------------------------------------------ */

static void container_told(void *arg, const struct docker_container *c, const struct fault *fault)
{
        struct install *in = arg;
        const struct gear *gear = work_gear(&in->work);

        in->work.docker = NULL;
        if (!install_still_wanted(in))
                return;
        if (fault && (fault->kind != FAULT_MISSING || streq(gear->active, "active"))) {
                /* A unit counts as started before the engine has heard of its container. */
                work_start_again(&in->work);
        } else if (fault) {
                undo(in);
        } else if (streq(c->request, in->request_id)) {
                load(in);
        } else {
                in->running = false; /* the former one goes on as if nothing had been asked for */
                undo(in);
        }
}

static void ask_container(struct install *in)
{
        char name[UNIT_NAME_MAX];

        gear_container_name(in->work.id, name);
        in->work.docker = docker_inspect(in->work.daemon->docker, name, container_told, in);
        if (!in->work.docker)
                undo_oom(in);
}

/* --- did it come to a start? ----------------------------------------------------------------------- */

static void staleness_told(void *arg, bool stale, const struct fault *fault)
{
        struct install *in = arg;
        const struct gear *gear = work_gear(&in->work);

        in->work.op = NULL;
        if (!install_still_wanted(in))
                return;
        if (!was_started(gear))
                find_end(in);
        else if (in->replacing && in->request_id[0])
                ask_container(in);
        else if (fault || stale || in->replacing)
                undo(in);
        else
                load(in);
}

static void resolve_begin(struct work *w)
{
        struct install *in = install_of(w);
        char unit[UNIT_NAME_MAX];

        if (!install_still_wanted(in))
                return;
        gear_unit_name(w->id, unit);
        w->op = systemd_needs_reload(w->daemon->systemd, unit, staleness_told, in);
        if (!w->op)
                undo_oom(in);
}

/* --- the work ---------------------------------------------------------------------------------------- */

/* One that crashes again and again is on its way for ever. */
static bool is_on_its_way(const struct gear *gear)
{
        return gear->job || streq(gear->active, "deactivating") ||
               (streq(gear->active, "activating") && !streq(gear->sub, "auto-restart"));
}

static bool resolve_may_start(const struct work *w)
{
        const struct daemon *d = w->daemon;
        const struct gear *gear = work_gear(w);

        if (container_of(w, const struct install, work)->given_up)
                return d->systemd_synced;
        return d->systemd_synced && d->engine_synced && !(gear && is_on_its_way(gear));
}

static const struct work_kind resolve_kind = {
        .start = resolve_begin,
        .give_up = install_give_up,
        .free = install_free,
};

void resolve_submit(struct daemon *d, struct gear *gear, struct request *request)
{
        struct install *in = calloc(1, sizeof *in);

        if (!in) {
                struct fault f;

                (void) fault_oom(&f);
                if (request)
                        change_fail(d, request, &f);
                return;
        }
        in->replacing = gear_phase_replaces(gear->phase);
        in->before_started = gear->phase != GEAR_REPLACING_STOPPED;
        in->entered = in->wrote = in->linked = in->running = true;
        in->work.kind = &resolve_kind;
        in->work.daemon = d;
        in->work.request = request;
        in->work.may_start = resolve_may_start;
        (void) snprintf(in->work.id, sizeof in->work.id, "%s", gear->id);
        if (request) {
                (void) snprintf(in->request_id, sizeof in->request_id, "%s", request_id(request));
                run_wish_of(&in->work, &in->wish);
        }
        work_submit(&in->work);
}
