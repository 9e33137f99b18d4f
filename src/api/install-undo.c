/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The way back of an install: stop, unlink, remove – or, when it was to take
 * another's place, bring that one back.  Each step goes on whatever the one
 * before came to: as much as can be undone is.
 */

#include "api/index.h"
#include "api/install-private.h"
#include "util/log.h"

static void undone(struct install *in)
{
        struct daemon *d = in->work.daemon;
        struct gear *gear = work_gear(&in->work);
        struct fault fault = in->fault;

        if (in->replacing && gear)
                (void) index_load_record(d, gear);
        else if (!in->keeping && gear)
                index_remove(d, gear);
        work_fail(&in->work, &fault);
}

static void former_started(void *arg, enum job_result result _unused_, const struct fault *fault _unused_)
{
        struct install *in = arg;

        in->work.op = NULL;
        undone(in);
}

/* The former gear runs again if its user wanted it to. */
static void former_back(struct install *in)
{
        struct daemon *d = in->work.daemon;
        char unit[UNIT_NAME_MAX];

        gear_unit_name(in->work.id, unit);
        if (in->before_started)
                in->work.op = systemd_job(d->systemd, SYSTEMD_START, unit, former_started, in);
        if (!in->work.op)
                undone(in);
}

static void former_reloaded(void *arg, const struct fault *fault _unused_)
{
        struct install *in = arg;

        in->work.op = NULL;
        former_back(in);
}

static void former_linked(void *arg, const struct fault *fault _unused_)
{
        struct install *in = arg;

        in->work.op = systemd_reload(in->work.daemon->systemd, former_reloaded, in);
        if (!in->work.op)
                undone(in);
}

/* As its user wanted it at the next boot, whatever the new one had made of that. */
static void link_former(struct install *in)
{
        struct daemon *d = in->work.daemon;
        char path[4096];

        store_unit_path(d->store, in->work.id, path, sizeof path);
        in->work.op = in->before_started ? systemd_enable(d->systemd, path, former_linked, in)
                                         : systemd_link(d->systemd, path, former_linked, in);
        if (!in->work.op)
                undone(in);
}

static void volumes_gone(struct work *w, const struct fault *fault)
{
        if (fault)
                log_error(LOG_FIELDS("GEAR_ID", w->id), "gear %s: a volume stays behind: %s", w->id, fault->text);
        undone(install_of(w));
}

/*
 * The engine made the volumes when the container was.  Those of an earlier gear of
 * this id stay; who goes on after a crash does not know them, and has all stay:
 * a volume too many does no harm, and one too few is somebody's data.
 */
static void undo_volumes(struct install *in)
{
        if (!in->running || !in->knows_volumes ||
            volumes_remove(&in->volume_removal, &in->work, in->volumes_before, volumes_gone) < 0)
                undone(in);
}

static int undo_files(void *arg)
{
        struct install *in = arg;
        struct store *store = in->work.daemon->store;
        struct fault ignored;

        if (!in->replacing)
                return store_remove(store, in->work.id, &ignored);
        if (store_restore_previous(store, in->work.id, &ignored) < 0)
                return -EIO;
        (void) store_write_phase(store, in->work.id, in->before_started ? GEAR_STARTED : GEAR_STOPPED, &ignored);
        store_drop_previous(store, in->work.id);
        return 0;
}

static void files_undone(void *arg, int r)
{
        struct install *in = arg;

        if (r < 0)
                log_error(LOG_FIELDS("GEAR_ID", in->work.id), "gear %s: cannot take back what was written: %s",
                          in->work.id, strerror(-r));
        if (in->replacing)
                link_former(in);
        else
                undo_volumes(in);
}

static void unlinked(void *arg, const struct fault *fault _unused_)
{
        struct install *in = arg;

        in->work.op = NULL;
        if (worker_run(in->work.daemon->worker, undo_files, files_undone, in) < 0)
                undone(in);
}

static void undo_links(struct install *in)
{
        struct daemon *d = in->work.daemon;
        char unit[UNIT_NAME_MAX];

        gear_unit_name(in->work.id, unit);
        if (in->linked && !(in->replacing && in->before_started))
                in->work.op = systemd_disable(d->systemd, unit, unlinked, in);
        if (!in->work.op)
                unlinked(in, NULL);
}

static void forgotten(void *arg, const struct fault *fault _unused_)
{
        struct install *in = arg;

        in->work.op = NULL;
        undo_links(in);
}

static void stopped_again(void *arg, enum job_result result _unused_, const struct fault *fault _unused_)
{
        struct install *in = arg;
        char unit[UNIT_NAME_MAX];

        /* A unit that failed would be remembered as such when nothing of it is left. */
        gear_unit_name(in->work.id, unit);
        in->work.op = systemd_reset_failed(in->work.daemon->systemd, unit, forgotten, in);
        if (!in->work.op)
                undo_links(in);
}

void install_undo(struct install *in, const struct fault *fault)
{
        struct daemon *d = in->work.daemon;
        char unit[UNIT_NAME_MAX];

        in->undoing = true;
        if (fault != &in->fault)
                in->fault = *fault;
        if (!in->wrote || in->keeping) {
                undone(in);
                return;
        }
        gear_unit_name(in->work.id, unit);
        if (in->running)
                in->work.op = systemd_job(d->systemd, SYSTEMD_STOP, unit, stopped_again, in);
        if (!in->work.op)
                undo_links(in);
}
