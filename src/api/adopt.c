/* SPDX-License-Identifier: Apache-2.0 */

#include "api/adopt.h"

#include "api/index.h"
#include "api/install-private.h"
#include "api/ready.h"
#include "util/log.h"

#include <stdio.h>

struct adoption {
        struct daemon *daemon;
        size_t pending;      /* gears, and one more while gears are added */
        bool unfinished;     /* a client, systemd or the engine came in between: the next start goes on */
        struct fault fault;  /* the worker's */
};

/* A replacement of a gear by itself. */
struct adopt {
        struct install in; /* the first: install_free() frees it all */
        struct adoption *adoption;
        char *text;        /* its unit, as it came */
        struct unit_record record;
        struct fault fault; /* the worker's */
};

static struct adopt *adopt_of(struct work *w)
{
        return container_of(install_of(w), struct adopt, in);
}

/* --- all of them --------------------------------------------------------------------------------------- */

static int write_host(void *arg)
{
        struct adoption *a = arg;

        return store_settle(a->daemon->store, &a->fault);
}

static void host_written(void *arg, int r)
{
        _cleanup_free_ struct adoption *a = arg;

        if (r < 0)
                log_error(NO_FIELDS, "%s", a->fault.text);
}

static void one_ended(struct adoption *a)
{
        if (--a->pending > 0)
                return;
        if (a->unfinished)
                log_warning(NO_FIELDS, "not all gears and jobs are at home on this host: the next start of geard tries again");
        else if (worker_run(a->daemon->worker, write_host, host_written, a) == 0)
                return;
        free(a);
}

struct adoption *adoption_new(struct daemon *d)
{
        struct adoption *a = calloc(1, sizeof *a);

        if (a)
                *a = (struct adoption){ .daemon = d, .pending = 1 };
        return a;
}

void adoption_hold(struct adoption *a)
{
        a->pending++;
}

void adoption_release(struct adoption *a, bool unfinished)
{
        a->unfinished = a->unfinished || unfinished;
        one_ended(a);
}

void adoption_close(struct adoption *a)
{
        one_ended(a);
}

/* --- one gear -------------------------------------------------------------------------------------------- */

static int read_gear(void *arg)
{
        struct adopt *ad = arg;
        struct store *store = ad->in.work.daemon->store;
        const char *id = ad->in.work.id;
        int r;

        r = store_read_unit(store, id, &ad->text);
        if (r < 0)
                return fault_errno(&ad->fault, r, "cannot read the unit of gear %s", id);
        r = unit_read(ad->text, &ad->record, &ad->fault);
        if (r < 0)
                return r;
        r = store_read_env(store, id, &ad->record.spec.env);
        if (r < 0 && r != -ENOENT)
                return fault_errno(&ad->fault, r, "cannot read the environment of gear %s", id);
        return 0;
}

/* Would this host write it just as it stands there? */
static bool is_this_hosts(const struct adopt *ad)
{
        const struct unit_record *record = &ad->record;
        const struct unit_origin origin = {
                .id = record->id,
                .user = record->user,
                .request_id = record->request_id,
                .created_usec = record->created_usec,
        };
        _cleanup_text_ struct text text = { 0 };
        struct unit_host host;
        struct fault f;

        daemon_unit_host(ad->in.work.daemon, &host);
        return unit_render(&record->spec, &origin, &host, &text, &f) == 0 && streq(text.data, ad->text);
}

static void gear_read(void *arg, int r)
{
        struct adopt *ad = arg;
        struct install *in = &ad->in;
        const struct gear *gear = work_gear(&in->work);

        if (!install_still_wanted(in))
                return;
        if (r < 0) {
                install_undo(in, &ad->fault);
                return;
        }
        /* An adoption that was cut short had come this far with it: it is not started twice. */
        if (gear_state_of(gear) == STATE_RUNNING && is_this_hosts(ad)) {
                struct outcome outcome = { 0 };

                work_end(&in->work, &outcome);
                return;
        }
        in->user = TAKE(ad->record.user);
        in->spec = ad->record.spec;
        ad->record.spec = (struct spec){ 0 };
        in->spec.started = in->before_started;
        install_image(in);
}

static void adopt_begin(struct work *w)
{
        struct install *in = install_of(w);
        struct daemon *d = w->daemon;
        const struct gear *gear = work_gear(w);
        struct fault f;

        in->before_started = gear->phase == GEAR_STARTED;
        if (!gear->image && !gear->damage)
                (void) fault_set(&f, FAULT_MISSING, "id", "there is no gear %s any more", w->id);
        else if (gear->damage)
                (void) fault_set(&f, FAULT_CONFLICT, NULL, "gear %s is damaged: %s", w->id, gear->damage);
        else if (index_need_systemd(d, &f) == 0 && index_need_engine(d, &f) == 0) {
                log_notice(LOG_FIELDS("GEAR_ID", w->id), "gear %s came from another host: making it at home here", w->id);
                if (worker_run(d->worker, read_gear, gear_read, adopt_of(w)) == 0)
                        return;
                (void) fault_oom(&f);
        }
        install_undo(in, &f);
}

static void adopt_give_up(struct work *w, const char *why)
{
        struct install *in = install_of(w);

        if (in->given_up || in->undoing)
                return;
        in->given_up = true;
        (void) fault_set(&in->fault, FAULT_CONFLICT, NULL, "gear %s was %s meanwhile", w->id, why);
        /* As for any install: what waits for systemd or the disk ends soon by itself, and must. */
        if (w->docker || w->image || w->ready) {
                w->docker = docker_cancel(w->docker);
                w->image = image_get_cancel(w->image);
                w->ready = ready_cancel(w->ready);
                install_undo(in, &in->fault);
        }
}

static void adopt_free(struct work *w)
{
        struct adopt *ad = adopt_of(w);
        struct install *in = &ad->in;
        struct adoption *adoption = ad->adoption;

        if (in->undoing) {
                log_error(LOG_FIELDS("GEAR_ID", w->id), "gear %s is not at home here: %s", w->id, in->fault.text);
                adoption->unfinished = adoption->unfinished || in->given_up || in->fault.kind == FAULT_AWAY;
        }
        free(ad->text);
        unit_record_reset(&ad->record);
        install_free(w);
        one_ended(adoption);
}

static const struct work_kind adopt_kind = {
        .start = adopt_begin,
        .give_up = adopt_give_up,
        .free = adopt_free,
};

void adoption_add(struct adoption *a, const struct gear *gear)
{
        struct adopt *ad = calloc(1, sizeof *ad);
        struct work *w;

        if (!ad) {
                a->unfinished = true;
                return;
        }
        a->pending++;
        ad->adoption = a;
        ad->in.replacing = true;
        w = &ad->in.work;
        w->kind = &adopt_kind;
        w->daemon = a->daemon;
        (void) snprintf(w->id, sizeof w->id, "%s", gear->id);
        work_submit(w);
}
