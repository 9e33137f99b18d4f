/* SPDX-License-Identifier: Apache-2.0 */

#include "api/install.h"

#include "api/answer.h"
#include "api/gear-json.h"
#include "api/index.h"
#include "api/install-private.h"
#include "api/ready.h"

#include <stdio.h>

void install_free(struct work *w)
{
        struct install *in = install_of(w);

        spec_reset(&in->spec);
        text_reset(&in->unit);
        outcome_reset(&in->outcome);
        (void) strv_free(in->volumes_before);
        free(in->user);
        free(in);
}

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
        if (!in->spec.started || (state == STATE_RUNNING && gear->phase == GEAR_STARTED))
                answer_already(in, gear);
        else
                install_link(in);
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
        if (r == 0 && same && in->request_id[0]) {
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

static void volumes_listed(void *arg, char *const *names, const struct fault *fault)
{
        struct install *in = arg;
        struct fault f;

        in->work.docker = NULL;
        if (!install_still_wanted(in))
                return;
        in->volumes_before = strv_copy(names);
        if (fault) {
                install_undo(in, fault);
        } else if (names && *names && !in->volumes_before) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        } else {
                in->knows_volumes = true;
                install_image(in);
        }
}

/* An id that was used before may have left volumes, which come back to it. */
static void install_note_volumes(struct install *in)
{
        struct fault f;

        if (in->spec.n_volumes == 0) {
                install_image(in);
                return;
        }
        in->work.docker = docker_list_volumes(in->work.daemon->docker, in->work.id, volumes_listed, in);
        if (!in->work.docker) {
                (void) fault_oom(&f);
                install_undo(in, &f);
        }
}

static void install_begin(struct work *w)
{
        struct install *in = install_of(w);
        struct gear *gear = work_gear(w);
        struct fault f;

        if (index_need_systemd(w->daemon, &f) < 0 || index_need_engine(w->daemon, &f) < 0 ||
            index_need_programs(w->daemon, &f) < 0) {
                in->keeping = gear->image || gear->damage;
                install_undo(in, &f);
                return;
        }
        if (gear->image || gear->damage) {
                install_over(in, gear);
                return;
        }
        if (install_lease(w->daemon, w->id, &in->spec, &f) < 0 || install_enter(in, &f) < 0) {
                install_undo(in, &f);
                return;
        }
        work_progress(w, "Creating gear %s", w->id);
        install_note_volumes(in);
}

void install_give_up(struct work *w, const char *why)
{
        struct install *in = install_of(w);

        if (in->given_up || in->undoing)
                return;
        in->given_up = true;
        (void) fault_set(&in->fault, FAULT_CONFLICT, NULL, "gear %s was %s while it was being created", w->id, why);
        /* What waits for systemd or the disk ends soon by itself, and must. */
        if (w->docker || w->image || w->ready) {
                w->docker = docker_cancel(w->docker);
                w->image = image_get_cancel(w->image);
                w->ready = ready_cancel(w->ready);
                install_undo(in, &in->fault);
        }
}

static const struct work_kind install_kind = {
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
                        change_fail(d, request, &f);
                return;
        }
        if (!gear->image && !gear->damage)
                gear->phase = GEAR_CREATING;
        in->work.kind = &install_kind;
        in->work.daemon = d;
        in->work.request = request;
        if (request)
                (void) snprintf(in->request_id, sizeof in->request_id, "%s", request_id(request));
        (void) snprintf(in->work.id, sizeof in->work.id, "%s", id);
        in->spec = *spec;
        *spec = (struct spec){ 0 };
        work_submit(&in->work);
}
