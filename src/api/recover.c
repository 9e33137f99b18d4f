/* SPDX-License-Identifier: Apache-2.0 */

#include "api/recover.h"

#include "api/adopt.h"
#include "api/job-adopt.h"
#include "api/index.h"
#include "api/recall.h"
#include "api/remove.h"
#include "api/resolve.h"
#include "api/work.h"
#include "util/log.h"

#include <stdio.h>
#include <sys/stat.h>

/* --- the state directory ----------------------------------------------------------------------------- */

static int scan_gear(void *arg, const char *id)
{
        struct daemon *d = arg;
        struct gear *gear = gears_add(d->gears, id);

        if (!gear || index_load_record(d, gear) < 0)
                return -ENOMEM;
        gear->active = gear_word("inactive");
        gear->sub = gear_word("dead");
        if (gear->damage)
                log_warning(LOG_FIELDS("GEAR_ID", id), "gear %s: %s", id, gear->damage);
        return 0;
}

static int drop_leftover(void *arg, const char *id)
{
        struct daemon *d = arg;
        struct fault f;

        if (gears_find(d->gears, id))
                return 0;
        log_notice(LOG_FIELDS("GEAR_ID", id), "removing what a create of gear %s left behind", id);
        if (store_remove(d->store, id, &f) < 0)
                log_error(LOG_FIELDS("GEAR_ID", id), "%s", f.text);
        return 0;
}

int recover_scan(struct daemon *d, struct fault *f)
{
        int r;

        r = store_each(d->store, scan_gear, d);
        if (r < 0)
                return fault_errno(f, r, "cannot read %s/units", store_path(d->store));
        (void) store_each_trace(d->store, drop_leftover, d);
        log_info(NO_FIELDS, "%zu gears in %s", gears_count(d->gears), store_path(d->store));
        return 0;
}

/* --- what systemd does not know ------------------------------------------------------------------------ */

static void linked(void *arg _unused_, const struct fault *fault)
{
        if (fault)
                log_error(NO_FIELDS, "cannot link a unit: %s", fault->text);
}

/* `systemctl disable' of a linked unit takes its link away. */
void recover_link(struct daemon *d, const char *unit, const char *path)
{
        char link[UNIT_NAME_MAX + 32];
        struct stat st;

        (void) snprintf(link, sizeof link, "/etc/systemd/system/%s", unit);
        if (lstat(link, &st) < 0)
                (void) systemd_link(d->systemd, path, linked, NULL);
}

static void link_gear(struct daemon *d, const struct gear *gear)
{
        char unit[UNIT_NAME_MAX], path[4096];

        gear_unit_name(gear->id, unit);
        store_unit_path(d->store, gear->id, path, sizeof path);
        recover_link(d, unit, path);
}

/* Before it is written anew for this host: whatever becomes of its image, a boot tries. */
static void link_as_wanted(struct daemon *d, const struct gear *gear)
{
        char path[4096];

        store_unit_path(d->store, gear->id, path, sizeof path);
        if (gear->phase == GEAR_STARTED)
                (void) systemd_enable(d->systemd, path, linked, NULL);
        else
                (void) systemd_link(d->systemd, path, linked, NULL);
}

static bool is_half_made(const struct gear *gear)
{
        return gear->phase == GEAR_CREATING || gear_phase_replaces(gear->phase);
}

void recover_begin(struct daemon *d)
{
        if (d->recovering)
                return;
        d->recovering = true;
        for (size_t i = 0; i < gears_count(d->gears); i++) {
                struct gear *gear = gears_at(d->gears, i);

                if (is_half_made(gear)) {
                        resolve_submit(d, gear, recall_take(d, gear->id, "created"));
                } else if (gear_phase_deletes(gear->phase)) {
                        log_notice(LOG_FIELDS("GEAR_ID", gear->id), "gear %s: its unfinished deletion goes on", gear->id);
                        remove_go_on(d, gear, recall_take(d, gear->id, "deleted"));
                }
        }
        recover_look(d);
}

static void settle_gear(struct daemon *d, struct gear *gear, struct adoption *adoption)
{
        if (!gear->image && !gear->damage)
                return; /* no earlier life's: it is being created right now */
        if (gear_phase_deletes(gear->phase))
                return;
        if (adoption && !is_half_made(gear))
                link_as_wanted(d, gear);
        else if (!is_half_made(gear))
                link_gear(d, gear);
        if (adoption)
                adoption_add(adoption, gear);
}

static void settle_all(struct daemon *d)
{
        struct adoption *adoption = store_is_at_home(d->store) ? NULL : adoption_new(d);

        for (size_t i = 0; i < gears_count(d->gears); i++)
                settle_gear(d, gears_at(d->gears, i), adoption);
        job_adopt_all(d, adoption);
        if (adoption)
                adoption_close(adoption);
}

void recover_look(struct daemon *d)
{
        /* Adopting pulls images and resolving looks at containers: both need both. */
        if (d->recovering)
                (void) work_look(d);
        if (d->recovering && !d->settled && d->systemd_synced && d->engine_synced) {
                d->settled = true;
                settle_all(d);
                index_sweep_definitions(d);
        }
        d->status_changed(d);
}

/* --- what nobody runs ----------------------------------------------------------------------------------- */

struct orphan {
        struct daemon *daemon;
        char container[65];
        char gear[GEAR_ID_MAX + 1];
};

static void orphan_removed(void *arg, const struct fault *fault)
{
        struct orphan *o = arg;

        if (fault)
                log_error(LOG_FIELDS("GEAR_ID", o->gear), "cannot remove a left-over container of gear %s: %s", o->gear,
                          fault->text);
        free(o);
}

static void orphan_judged(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        _cleanup_free_ struct orphan *o = arg;
        bool runs = !unit || !unit->active || unit->job ||
                    !(streq(unit->active, "inactive") || streq(unit->active, "failed"));

        if (fault || runs)
                return;
        log_notice(LOG_FIELDS("GEAR_ID", o->gear), "removing a container of gear %s that its unit does not run", o->gear);
        if (docker_remove(o->daemon->docker, o->container, orphan_removed, o))
                TAKE(o);
}

static void suspect(struct daemon *d, const struct docker_container *c)
{
        struct orphan *o = calloc(1, sizeof *o);
        char unit[UNIT_NAME_MAX];

        if (!o)
                return;
        o->daemon = d;
        (void) snprintf(o->container, sizeof o->container, "%s", c->id);
        (void) snprintf(o->gear, sizeof o->gear, "%s", c->gear);
        gear_unit_name(c->gear, unit);
        /* Our index may lag behind systemd; nothing is removed on its word alone. */
        if (!systemd_ask(d->systemd, unit, orphan_judged, o))
                free(o);
}

/*
 * A container of ours is run by its unit's main process.  One whose unit is not
 * running was left by a stop that the engine was too hung to take, by a client
 * that was killed in the middle of its create, or by a gear that is no more.
 */
void recover_containers(struct daemon *d, const struct docker_container *containers, size_t n)
{
        char name[UNIT_NAME_MAX];

        for (size_t i = 0; d->systemd_synced && i < n; i++) {
                const struct docker_container *c = &containers[i];
                const struct gear *gear;

                if (!gear_id_valid(c->gear))
                        continue;
                gear_container_name(c->gear, name);
                gear = gears_find(d->gears, c->gear);
                if (!streq(c->name, name)) /* somebody else wears our label */
                        continue;
                if (!gear || streq(gear->active, "inactive") || streq(gear->active, "failed"))
                        suspect(d, c);
        }
}
