/* SPDX-License-Identifier: Apache-2.0 */

/* DELETE: mark, stop, remove the volumes if asked to, unlink, remove the files. */

#include "api/remove.h"

#include "api/answer.h"
#include "api/index.h"
#include "api/volumes.h"

#include <stdio.h>

struct removal {
        struct work work;
        bool volumes;              /* ?volumes=yes */
        struct volume_removal volume_removal;
        enum gear_phase before;    /* to go back to when it cannot be deleted */
        bool marked;
        struct fault fault;
};

static struct removal *removal_of(struct work *w)
{
        return container_of(w, struct removal, work);
}

static void removal_free(struct work *w)
{
        free(removal_of(w));
}

/* --- giving up: nothing of the gear itself is gone yet --------------------------------------- */

static int unmark(void *arg)
{
        struct removal *rm = arg;
        struct fault ignored;

        return store_write_phase(rm->work.daemon->store, rm->work.id, rm->before, &ignored);
}

static void unmarked(void *arg, int r _unused_)
{
        struct removal *rm = arg;
        struct fault fault = rm->fault;

        work_fail(&rm->work, &fault);
}

static void removal_fail(struct removal *rm, const struct fault *fault)
{
        rm->fault = *fault;
        if (!rm->marked || worker_run(rm->work.daemon->worker, unmark, unmarked, rm) < 0)
                unmarked(rm, 0);
}

static void removal_oom(struct removal *rm)
{
        struct fault f;

        (void) fault_oom(&f);
        removal_fail(rm, &f);
}

/* --- the end: systemd forgets it, too --------------------------------------------------------- */

static void finish(struct removal *rm)
{
        struct gear *gear = work_gear(&rm->work);
        struct outcome outcome;
        char text[128];

        if (gear)
                index_remove(rm->work.daemon, gear);
        (void) snprintf(text, sizeof text, "Gear %s is deleted\n", rm->work.id);
        outcome_of(&outcome, 204, text, NULL);
        work_end(&rm->work, &outcome);
}

static void forgotten(void *arg, const struct fault *fault _unused_)
{
        struct removal *rm = arg;

        rm->work.op = NULL;
        finish(rm);
}

/*
 * Still there: a boot or a reload has made multi-user.target hold it, and
 * `systemctl start' would run what was deleted until the next reload.
 */
static void loaded_told(void *arg, const struct unit_change *units _unused_, size_t n, const struct fault *fault)
{
        struct removal *rm = arg;

        rm->work.op = NULL;
        if (!fault && n > 0)
                rm->work.op = systemd_reload(rm->work.daemon->systemd, forgotten, rm);
        if (!rm->work.op)
                finish(rm);
}

static void reset_done(void *arg, const struct fault *fault _unused_)
{
        struct removal *rm = arg;
        char unit[UNIT_NAME_MAX];

        gear_unit_name(rm->work.id, unit);
        rm->work.op = systemd_list(rm->work.daemon->systemd, unit, loaded_told, rm);
        if (!rm->work.op)
                finish(rm);
}

static void unlinked(void *arg, const struct fault *fault _unused_)
{
        struct removal *rm = arg;
        char unit[UNIT_NAME_MAX];

        gear_unit_name(rm->work.id, unit);
        rm->work.op = systemd_reset_failed(rm->work.daemon->systemd, unit, reset_done, rm);
        if (!rm->work.op)
                finish(rm);
}

/* --- the files ---------------------------------------------------------------------------------- */

static int remove_files(void *arg)
{
        struct removal *rm = arg;

        return store_remove(rm->work.daemon->store, rm->work.id, &rm->fault);
}

/* A unit file that is empty counts as masked, and its links stay until it is gone. */
static void files_removed(void *arg, int r)
{
        struct removal *rm = arg;
        const struct gear *gear = work_gear(&rm->work);
        char unit[UNIT_NAME_MAX];

        if (r < 0) {
                work_fail(&rm->work, &rm->fault); /* the mark stays: the next start goes on here */
                return;
        }
        gear_unit_name(rm->work.id, unit);
        if (gear && gear->damage)
                rm->work.op = systemd_disable(rm->work.daemon->systemd, unit, unlinked, rm);
        if (!rm->work.op)
                unlinked(rm, NULL);
}

static void disabled(void *arg, const struct fault *fault)
{
        struct removal *rm = arg;

        rm->work.op = NULL;
        if (fault && fault->kind != FAULT_MISSING)
                removal_fail(rm, fault);
        else if (worker_run(rm->work.daemon->worker, remove_files, files_removed, rm) < 0)
                removal_oom(rm);
}

static void removal_disable(struct removal *rm)
{
        char unit[UNIT_NAME_MAX];

        gear_unit_name(rm->work.id, unit);
        rm->work.op = systemd_disable(rm->work.daemon->systemd, unit, disabled, rm);
        if (!rm->work.op)
                removal_oom(rm);
}

/* --- the volumes, when nothing uses them any more and the gear is still there to say whose they are */

static void volumes_gone(struct work *w, const struct fault *fault)
{
        struct removal *rm = removal_of(w);

        if (fault)
                removal_fail(rm, fault);
        else
                removal_disable(rm);
}

/* --- the beginning ------------------------------------------------------------------------------ */

static void stopped(void *arg, enum job_result result, const struct fault *fault)
{
        struct removal *rm = arg;
        struct fault f;

        rm->work.op = NULL;
        if (!fault && result != JOB_DONE) {
                (void) fault_set(&f, FAULT_CONFLICT, NULL, "gear %s was not stopped: %s", rm->work.id,
                                 job_result_text(result));
                fault = &f;
        }
        if (fault && fault->kind != FAULT_MISSING) {
                removal_fail(rm, fault);
                return;
        }
        if (!rm->volumes)
                removal_disable(rm);
        else if (volumes_remove(&rm->volume_removal, &rm->work, NULL, volumes_gone) < 0)
                removal_oom(rm);
}

/* A crash from here on leaves a gear that the next start goes on deleting. */
static int mark(void *arg)
{
        struct removal *rm = arg;
        struct fault ignored;

        return store_write_phase(rm->work.daemon->store, rm->work.id,
                                 rm->volumes ? GEAR_DELETING_VOLUMES : GEAR_DELETING, &ignored);
}

static void marked(void *arg, int r)
{
        struct removal *rm = arg;
        char unit[UNIT_NAME_MAX];

        /* On a full disk deleting is what helps: then it goes without its mark. */
        rm->marked = r == 0;
        work_progress(&rm->work, "Stopping gear %s", rm->work.id);
        gear_unit_name(rm->work.id, unit);
        rm->work.op = systemd_job(rm->work.daemon->systemd, SYSTEMD_STOP, unit, stopped, rm);
        if (!rm->work.op)
                removal_oom(rm);
}

static void removal_begin(struct work *w)
{
        struct removal *rm = removal_of(w);
        struct gear *gear = work_gear(w);
        struct fault f;

        if (!gear || (!gear->image && !gear->damage)) {
                finish(rm);
                return;
        }
        if (index_need_systemd(w->daemon, &f) < 0 || (rm->volumes && index_need_engine(w->daemon, &f) < 0)) {
                work_fail(w, &f);
                return;
        }
        rm->before = gear_phase_deletes(gear->phase) ? GEAR_STOPPED : gear->phase;
        if (worker_run(w->daemon->worker, mark, marked, rm) < 0)
                removal_oom(rm);
}

static const struct work_kind removal_kind = {
        .start = removal_begin,
        .free = removal_free,
};

/* An id that nobody has is as deleted as can be. */
static void end_unknown(struct daemon *d, struct request *request, const char *id)
{
        struct outcome outcome;
        char text[128];

        (void) snprintf(text, sizeof text, "There is no gear %s\n", id);
        outcome_of(&outcome, 204, text, NULL);
        change_end(d, request, &outcome);
}

static void submit(struct daemon *d, struct request *request, const char *id, bool volumes,
                   bool (*may_start)(const struct work *w))
{
        struct removal *rm = calloc(1, sizeof *rm);
        struct fault f;

        if (!rm) {
                (void) fault_oom(&f);
                if (request)
                        change_fail(d, request, &f);
                return;
        }
        rm->volumes = volumes;
        rm->work.kind = &removal_kind;
        rm->work.daemon = d;
        rm->work.request = request;
        rm->work.may_start = may_start;
        (void) snprintf(rm->work.id, sizeof rm->work.id, "%s", id);
        rm->work.hurry = "deleted";
        work_submit(&rm->work);
}

void remove_submit(struct daemon *d, struct request *request, const char *id, bool volumes)
{
        submit(d, request, id, volumes, NULL);
}

/* Volumes are the engine's; all else is systemd's. */
static bool is_heard(const struct work *w)
{
        const struct removal *rm = container_of(w, const struct removal, work);

        return w->daemon->systemd_synced && (!rm->volumes || w->daemon->engine_synced);
}

void remove_go_on(struct daemon *d, const struct gear *gear, struct request *request)
{
        submit(d, request, gear->id, gear->phase == GEAR_DELETING_VOLUMES, is_heard);
}

struct deletion {
        char id[GEAR_ID_MAX + 1];
        bool volumes;
};

static void deletion_begun(struct daemon *d, struct request *request, void *arg)
{
        _cleanup_free_ struct deletion *deletion = arg;

        if (!request)
                return;
        if (gears_find(d->gears, deletion->id))
                remove_submit(d, request, deletion->id, deletion->volumes);
        else
                end_unknown(d, request, deletion->id);
}

static void container_delete(struct call *call)
{
        struct deletion *deletion;
        bool volumes;
        const char *id;
        struct fault f;

        if (call_gear_id(call, &id, &f) < 0 || call_flag(call, "volumes", &volumes, &f) < 0) {
                answer_fault(call, &f);
                return;
        }
        deletion = calloc(1, sizeof *deletion);
        if (!deletion) {
                (void) fault_oom(&f);
                answer_fault(call, &f);
                return;
        }
        (void) snprintf(deletion->id, sizeof deletion->id, "%s", id);
        deletion->volumes = volumes;
        change_begin(call, SUBJECT_GEAR, deletion->id, "deleted", deletion_begun, deletion);
}

static const struct route routes[] = {
        { HTTP_DELETE, "/container", container_delete, "gear.delete", ROUTE_CHANGE | ROUTE_BODY | ROUTE_TOKEN,
          "Delete the gear; its volumes stay unless ?volumes=yes" },
        { HTTP_DELETE, "/container/{id}", container_delete, "gear.delete", ROUTE_CHANGE | ROUTE_BODY,
          "Delete the gear; its volumes stay unless ?volumes=yes" },
};
const struct route_table remove_routes = { routes, ARRAY_SIZE(routes) };
