/* SPDX-License-Identifier: Apache-2.0 */

#include "api/install.h"

#include "api/answer.h"
#include "api/failure.h"
#include "api/gear-json.h"
#include "api/index.h"
#include "api/install-private.h"
#include "api/ready.h"

#include <stdio.h>

static struct install *install_of(struct work *w)
{
        return container_of(w, struct install, work);
}

void install_free(struct work *w)
{
        struct install *in = install_of(w);

        spec_reset(&in->spec);
        text_reset(&in->unit);
        outcome_reset(&in->outcome);
        free(in->user);
        free(in);
}

static bool still_wanted(struct install *in)
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

        in->work.failure = failure_explain(in->work.daemon, gear, kind, what, explained, in);
        if (!in->work.failure) {
                (void) fault_set(&f, kind, NULL, "%s", what);
                install_undo(in, &f);
        }
}

static void ready_answered(void *arg, enum ready_result result)
{
        struct install *in = arg;
        char what[160];
        struct fault f;

        in->work.ready = NULL;
        if (!still_wanted(in))
                return;
        switch (result) {
        case READY_YES:
                succeed(in, "running");
                break;
        case READY_ENDED:
                succeed(in, "done: it ran and ended with status 0");
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

static void start_answered(void *arg, enum job_result result, const struct fault *fault)
{
        struct install *in = arg;
        struct gear *gear = work_gear(&in->work);
        struct fault f;

        in->work.op = NULL;
        if (!still_wanted(in))
                return;
        if (fault) {
                install_undo(in, fault);
        } else if (result == JOB_CANCELED) {
                (void) fault_set(&f, FAULT_CONFLICT, NULL, "gear %s was stopped while it was starting", in->work.id);
                install_undo(in, &f);
        } else if (result != JOB_DONE) {
                explain(in, FAULT_FAILED, job_result_text(result));
        } else {
                work_progress(&in->work, "Gear %s is starting", in->work.id);
                in->work.ready = ready_wait(in->work.daemon, gear, &in->spec, in->started_usec, ready_answered, in);
                if (!in->work.ready) {
                        (void) fault_oom(&f);
                        install_undo(in, &f);
                }
        }
}

static void start_unit(struct install *in)
{
        struct daemon *d = in->work.daemon;
        char unit[UNIT_NAME_MAX];
        struct fault f;

        if (!in->spec.started) {
                succeed(in, "installed, and stopped");
                return;
        }
        gear_unit_name(in->work.id, unit);
        in->running = true;
        in->started_usec = wall_usec();
        in->work.op = systemd_job(d->systemd, in->replacing ? SYSTEMD_RESTART : SYSTEMD_START, unit, start_answered, in);
        if (!in->work.op) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

static void reloaded(void *arg, const struct fault *fault)
{
        struct install *in = arg;

        in->work.op = NULL;
        if (!still_wanted(in))
                return;
        if (fault)
                install_undo(in, fault);
        else
                start_unit(in);
}

static void staleness_told(void *arg, bool stale, const struct fault *fault)
{
        struct install *in = arg;
        struct fault f;

        in->work.op = NULL;
        if (!still_wanted(in))
                return;
        if (fault) {
                install_undo(in, fault);
        } else if (stale) {
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
        if (!still_wanted(in))
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

static int write_files(void *arg)
{
        struct install *in = arg;
        struct store *store = in->work.daemon->store;
        const char *id = in->work.id;
        int r = 0;

        if (in->replacing)
                r = store_keep_previous(store, id, &in->fault);
        if (r == 0)
                r = store_write_phase(store, id, in->replacing ? GEAR_REPLACING : GEAR_CREATING, &in->fault);
        if (r == 0)
                r = store_write_env(store, id, &in->spec.env, &in->fault);
        if (r == 0)
                r = store_write_unit(store, id, in->unit.data, in->unit.len, &in->fault);
        return r;
}

static void written(void *arg, int r)
{
        struct install *in = arg;
        struct daemon *d = in->work.daemon;
        char path[4096];
        struct fault f;

        if (!still_wanted(in))
                return;
        if (r < 0) {
                install_undo(in, &in->fault);
                return;
        }
        store_unit_path(d->store, in->work.id, path, sizeof path);
        in->work.op = in->spec.started ? systemd_enable(d->systemd, path, linked, in)
                                       : systemd_link(d->systemd, path, linked, in);
        if (!in->work.op) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

static int render(struct install *in, struct fault *f)
{
        const struct gear *gear = work_gear(&in->work);
        const struct unit_origin origin = {
                .id = in->work.id,
                .user = in->user,
                .request_id = in->work.request ? request_id(in->work.request) : gear->request_id,
        };
        struct unit_host host;

        daemon_unit_host(in->work.daemon, &host);
        return unit_render(&in->spec, &origin, &host, &in->unit, f);
}

/* The record goes into the index now: its ports are spoken for. */
static int enter(struct install *in, struct fault *f)
{
        struct daemon *d = in->work.daemon;
        struct unit_record record = { .spec = in->spec, .user = in->user };
        struct gear *gear = work_gear(&in->work);
        const char *rid = in->work.request ? request_id(in->work.request) : gear->request_id;

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
                        r = enter(in, &f);
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

/* --- the image -------------------------------------------------------------------------------------------- */

static void pull_progress(void *arg, const struct docker_progress *p)
{
        struct install *in = arg;

        if (p->total)
                work_progress(&in->work, "Pulling %s: %s, %u%%", in->spec.image, p->text,
                              (unsigned) (p->current * 100 / p->total));
        else
                work_progress(&in->work, "Pulling %s: %s", in->spec.image, p->text);
}

static void pulled(void *arg, const struct fault *fault)
{
        struct install *in = arg;

        struct fault f;

        in->work.docker = NULL;
        if (!still_wanted(in))
                return;
        if (!fault) {
                install_write(in);
        } else if (fault->kind == FAULT_UPSTREAM && in->spec.pull == PULL_MISSING) {
                /* Whoever is to blame, what the client learns is that there is no such image to be had. */
                (void) fault_set(&f, FAULT_MISSING, "image", "image: %s is not on this host and cannot be pulled: %s",
                                 in->spec.image, fault->text);
                install_undo(in, &f);
        } else {
                install_undo(in, fault);
        }
}

static void install_pull(struct install *in)
{
        struct daemon *d = in->work.daemon;
        struct fault f;

        work_progress(&in->work, "Pulling %s", in->spec.image);
        in->work.docker = docker_pull(d->docker, in->spec.image, NULL, d->config->pull_silence_usec, pull_progress,
                                      pulled, in);
        if (!in->work.docker) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

static void image_answered(void *arg, const struct docker_image *image, const struct fault *fault)
{
        struct install *in = arg;
        struct fault f;

        in->work.docker = NULL;
        if (!still_wanted(in))
                return;
        if (fault && fault->kind == FAULT_MISSING && in->spec.pull != PULL_NEVER) {
                install_pull(in);
        } else if (fault && fault->kind == FAULT_MISSING) {
                (void) fault_set(&f, FAULT_MISSING, "image", "image: %s is not on this host, and pull is `never'",
                                 in->spec.image);
                install_undo(in, &f);
        } else if (fault) {
                install_undo(in, fault);
        } else if (in->spec.ready.kind == READY_HEALTHY && in->spec.health.kind == PROBE_NONE && !image->has_health) {
                (void) fault_set(&f, FAULT_INVALID, "ready",
                                 "ready: neither the spec nor the image %s has a health check to wait for",
                                 in->spec.image);
                install_undo(in, &f);
        } else {
                install_write(in);
        }
}

static void install_image(struct install *in)
{
        struct fault f;

        if (in->spec.pull == PULL_ALWAYS) {
                install_pull(in);
                return;
        }
        in->work.docker = docker_inspect_image(in->work.daemon->docker, in->spec.image, image_answered, in);
        if (!in->work.docker) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

/* --- the beginning -------------------------------------------------------------------------------------------- */

int install_compare(const struct daemon *d, const char *id, struct spec *spec, bool *ret_same, struct fault *f)
{
        const struct gear *gear = gears_find(d->gears, id);
        struct environ now = { 0 };
        char hash[DIGEST_HEX_LEN + 1];
        int r;

        /* Ports left open mean those it has. */
        if (!gear->damage && install_lease(d, id, spec, f) < 0)
                return -EINVAL;
        if (unit_spec_hash(spec, hash) < 0)
                return fault_oom(f);
        *ret_same = !gear->damage && streq(hash, gear->hash);
        if (!*ret_same || !spec->env_given)
                return 0;
        r = store_read_env(d->store, id, &now);
        *ret_same = r == 0 && environ_equal(&now, &spec->env);
        environ_reset(&now);
        return 0;
}

static void answer_already(struct install *in, struct gear *gear)
{
        struct outcome outcome;
        struct text json = { 0 };
        char text[160];

        gear_to_json(gear, &json);
        text_addc(&json, '\n');
        (void) snprintf(text, sizeof text, "Gear %s is %s already, and unchanged\n", in->work.id,
                        gear_state_name(gear_state_of(gear)));
        outcome_of(&outcome, 200, text, &json);
        if (gear->n_ports)
                gear_port_header(gear, &outcome);
        work_end(&in->work, &outcome);
}

/* The same gear again: nothing to write, but it may have to run. */
static void install_keep(struct install *in, struct gear *gear)
{
        enum gear_state state = gear_state_of(gear);

        in->keeping = true;
        if (!in->spec.started || state == STATE_RUNNING)
                answer_already(in, gear);
        else
                written(in, 0);
}

static int load_before(struct install *in, struct gear *gear, struct fault *f)
{
        struct store *store = in->work.daemon->store;
        int r;

        in->replacing = true;
        in->before_started = gear->phase == GEAR_STARTED;
        if (in->spec.env_given)
                return 0;
        /* A body without an environment says nothing about it: it stays. */
        r = store_read_env(store, in->work.id, &in->spec.env);
        return r < 0 && r != -ENOENT ? fault_errno(f, r, "cannot read the environment of gear %s", in->work.id) : 0;
}

static void install_over(struct install *in, struct gear *gear)
{
        bool same = false;
        struct fault f;
        int r;

        r = install_compare(in->work.daemon, in->work.id, &in->spec, &same, &f);
        /* geard's own wish is to write the same gear anew, for another host. */
        if (r == 0 && same && in->work.request) {
                install_keep(in, gear);
                return;
        }
        if (r == 0 && !in->spec.replace)
                r = fault_set(&f, FAULT_CONFLICT, "replace",
                              "gear %s exists with another definition; \"replace\": true puts this one in its place",
                              in->work.id);
        if (r == 0)
                r = load_before(in, gear, &f);
        if (r < 0) {
                in->keeping = true;
                install_undo(in, &f);
        } else {
                install_image(in);
        }
}

static void install_begin(struct work *w)
{
        struct install *in = install_of(w);
        struct gear *gear = work_gear(w);
        struct fault f;

        if (index_need_systemd(w->daemon, &f) < 0 || index_need_engine(w->daemon, &f) < 0) {
                in->keeping = gear->image || gear->damage;
                install_undo(in, &f);
                return;
        }
        if (gear->image || gear->damage) {
                install_over(in, gear);
                return;
        }
        if (install_lease(w->daemon, w->id, &in->spec, &f) < 0 || enter(in, &f) < 0) {
                install_undo(in, &f);
                return;
        }
        work_progress(w, "Creating gear %s", w->id);
        install_image(in);
}

static void install_give_up(struct work *w, const char *why)
{
        struct install *in = install_of(w);

        if (in->given_up || in->undoing)
                return;
        in->given_up = true;
        (void) fault_set(&in->fault, FAULT_CONFLICT, NULL, "gear %s was %s while it was being created", w->id, why);
        /* What waits for systemd or the disk ends soon by itself, and must. */
        if (w->docker || w->ready) {
                w->docker = docker_cancel(w->docker);
                w->ready = ready_cancel(w->ready);
                install_undo(in, &in->fault);
        }
}

static const struct work_kind install_kind = {
        .doing = "created",
        .start = install_begin,
        .give_up = install_give_up,
        .free = install_free,
};

void install_submit(struct daemon *d, struct request *request, const char *id, const char *user, struct spec *spec)
{
        struct gear *gear = gears_find(d->gears, id);
        struct install *in = calloc(1, sizeof *in);
        struct fault f;

        if (!in || !(in->user = strdup(user)) || (!gear && !(gear = gears_add(d->gears, id)))) {
                if (in)
                        free(in->user);
                free(in);
                spec_reset(spec);
                (void) fault_oom(&f);
                if (request)
                        change_fail(d, request, &f, id);
                return;
        }
        if (!gear->image && !gear->damage)
                gear->phase = GEAR_CREATING;
        in->work.kind = &install_kind;
        in->work.daemon = d;
        in->work.request = request;
        (void) snprintf(in->work.id, sizeof in->work.id, "%s", id);
        in->spec = *spec;
        *spec = (struct spec){ 0 };
        work_submit(&in->work, NULL);
}
