/* SPDX-License-Identifier: Apache-2.0 */

#include "api/index.h"

#include "api/health.h"
#include "api/job-watch.h"
#include "api/ready.h"
#include "api/recover.h"
#include "core/log-entry.h"
#include "util/log.h"

#include <stdio.h>

#define RETRY_AFTER_SEC 2
/* A thousand gears in two minutes, of which systemd feels a few thousandths. */
#define SWEEP_PAUSE_USEC (100 * USEC_PER_MSEC)

void daemon_unit_host(const struct daemon *d, struct unit_host *ret)
{
        const char *driver = docker_cgroup_driver(d->docker);

        *ret = (struct unit_host){
                .state_directory = store_path(d->store),
                .docker = d->config->docker,
                .docker_unit = d->config->docker_unit,
                .docker_socket = d->config->docker_socket,
                .helper = d->config->helper,
                /* One driver wants the slice's name, the other its path; neither takes the other's. */
                .cgroup_parent = driver && streq(driver, "systemd") ? "gear.slice" : "/gear.slice",
                .publish_address = d->config->publish_address,
                .log_rate_burst = d->config->log_rate_burst,
                .log_rate_usec = d->config->log_rate_usec,
        };
}

int index_need_systemd(const struct daemon *d, struct fault *f)
{
        if (systemd_is_up(d->systemd) && d->systemd_synced)
                return 0;
        (void) fault_set(f, FAULT_AWAY, NULL, "systemd does not answer over the bus, try again in a moment");
        f->retry_after = RETRY_AFTER_SEC;
        return -EAGAIN;
}

int index_need_engine(const struct daemon *d, struct fault *f)
{
        if (docker_is_up(d->docker) && d->engine_synced)
                return 0;
        (void) fault_set(f, FAULT_AWAY, NULL, "the Docker engine is not reachable: %s",
                         d->engine_away[0] ? d->engine_away : "it has not answered yet");
        f->retry_after = RETRY_AFTER_SEC;
        return -EAGAIN;
}

/* A unit whose programs are missing fails with a status that explains nothing. */
int index_need_programs(const struct daemon *d, struct fault *f)
{
        const struct config *c = d->config;
        const struct {
                const char *path, *option;
        } programs[] = { { c->docker, "Docker=" }, { c->helper, "Helper=" } };

        for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
                if (access(programs[i].path, X_OK) < 0)
                        return fault_set(f, FAULT_INTERNAL, NULL, "containers cannot run on this host: there is no %s, see %s",
                                         programs[i].path, programs[i].option);
        return 0;
}

int index_load_record(struct daemon *d, struct gear *gear)
{
        _cleanup_free_ char *text = NULL;
        struct unit_record record = { 0 };
        struct fault f;
        int r;

        gear->phase = store_read_phase(d->store, gear->id);
        r = store_read_unit(d->store, gear->id, &text);
        if (r < 0) {
                char why[96];

                (void) snprintf(why, sizeof why, "the unit file cannot be read: %s",
                                r == -EBADMSG ? "it is no text" : strerror(-r));
                return gear_set_damage(d->gears, gear, why);
        }
        if (unit_read(text, &record, &f) < 0)
                return gear_set_damage(d->gears, gear, f.text);
        if (!streq(record.id, gear->id))
                r = gear_set_damage(d->gears, gear, "the unit file is another gear's");
        else
                r = gear_set_record(d->gears, gear, &record);
        unit_record_reset(&record);
        return r;
}

void index_remove(struct daemon *d, struct gear *gear)
{
        health_forget(gear);
        (void) ready_cancel(gear->ready);
        gears_remove(d->gears, gear);
}

static void gear_changed(struct daemon *d, struct gear *gear)
{
        gear_touched(d->gears, gear);
        health_look(d, gear);
        ready_look(gear);
}

/* --- systemd --------------------------------------------------------------------------------- */

static void engine_unit_changed(struct daemon *d, const char *active)
{
        bool running = streq(active, "active") || streq(active, "reloading");
        enum engine_state before = d->engine;

        d->engine = running ? ENGINE_RUNNING : ENGINE_STOPPED;
        if (d->engine == before)
                return;
        if (!running) {
                d->engine_synced = false;
                (void) snprintf(d->engine_away, sizeof d->engine_away, "%s is %s", d->config->docker_unit, active);
                log_notice(NO_FIELDS, "%s is %s: gears wait for it", d->config->docker_unit, active);
        }
        docker_allow(d->docker, running);
}

static void take_unit(struct gear *gear, const struct unit_change *c)
{
        if (c->active)
                gear->active = gear_word(c->active);
        if (c->sub)
                gear->sub = gear_word(c->sub);
        if (c->load) {
                gear->load = gear_word(c->load);
                if (streq(c->load, "loaded"))
                        gear->load_error = (free(gear->load_error), NULL);
        }
        if (c->result)
                gear->result = gear_word(c->result);
        if (c->load_error) {
                free(gear->load_error);
                gear->load_error = *c->load_error ? strdup(c->load_error) : NULL;
        }
        if (c->has_since)
                gear->since_usec = c->since_usec;
        if (c->has_invocation)
                memcpy(gear->invocation, c->invocation, sizeof gear->invocation);
        if (c->has_restarts)
                gear->restarts = c->restarts;
        if (c->has_exit) {
                gear->exit_code = c->exit_code;
                gear->exit_status = c->exit_status;
        }
        if (c->has_job)
                gear->job = c->job;
}

static bool cares_about_unit(void *arg, const char *unit)
{
        const struct daemon *d = arg;
        char id[GEAR_ID_MAX + 1];

        return streq(unit, d->config->docker_unit) || job_watch_cares(d, unit) ||
               (gear_id_of_unit(unit, id) && gears_find(d->gears, id));
}

static void on_unit_changed(void *arg, const struct unit_change *change)
{
        struct daemon *d = arg;
        char id[GEAR_ID_MAX + 1];
        struct gear *gear;

        if (streq(change->unit, d->config->docker_unit)) {
                if (change->active)
                        engine_unit_changed(d, change->active);
                return;
        }
        job_watch_changed(d, change);
        if (!gear_id_of_unit(change->unit, id) || !(gear = gears_find(d->gears, id)))
                return;
        take_unit(gear, change);
        gear_changed(d, gear);
}

/* systemd forgets units that are not running: then they are simply inactive. */
static void on_unit_removed(void *arg, const char *unit)
{
        struct daemon *d = arg;
        char id[GEAR_ID_MAX + 1];
        struct gear *gear;

        if (!gear_id_of_unit(unit, id) || !(gear = gears_find(d->gears, id)))
                return;
        gear->active = gear_word("inactive");
        gear->sub = gear_word("dead");
        gear->job = false;
        gear_changed(d, gear);
}

static void on_gear_told(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        if (!fault)
                on_unit_changed(arg, unit);
}

static void on_engine_told(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct daemon *d = arg;

        if (fault)
                return;
        /* No such unit: the engine is run by something we cannot ask, so it counts as there. */
        engine_unit_changed(d, streq(unit->load, "not-found") ? "active" : unit->active);
}

/* --- files changed by hand ---------------------------------------------------------------------- */

/* Only what it says of the file: a unit that was loaded for this question knows nothing of earlier runs. */
static void on_definition_told(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct unit_change definition = { 0 };

        /* One without a link is linked again at its next start. */
        if (fault || streq(unit->load, "not-found"))
                return;
        definition.unit = unit->unit;
        definition.load = unit->load;
        definition.load_error = unit->load_error;
        on_unit_changed(arg, &definition);
        if (unit->load_error && *unit->load_error)
                log_warning(NO_FIELDS, "%s", unit->load_error);
}

/* Of a unit that does not run, systemd says what is wrong with it when it is asked, or started; not by itself. */
static void ask_definition(struct daemon *d, const char *id)
{
        char unit[UNIT_NAME_MAX];

        gear_unit_name(id, unit);
        (void) systemd_ask(d->systemd, unit, on_definition_told, d);
}

void index_unit_file_changed(void *daemon, const char *name)
{
        struct daemon *d = daemon;
        char id[GEAR_ID_MAX + 1];
        struct gear *gear;

        /* What a change of ours writes is known already. */
        if (!gear_id_of_unit(name, id) || !(gear = gears_find(d->gears, id)) || gear->work)
                return;
        if (index_load_record(d, gear) == 0 && gear->damage)
                log_warning(LOG_FIELDS("GEAR_ID", id), "gear %s: %s", id, gear->damage);
        ask_definition(d, id);
}

/*
 * Nobody saw what was changed while we were away, and systemd says nothing of
 * what it has not loaded: so each gear that does not run is asked about once,
 * at a pace that neither of us feels.
 */
static void ask_next_definition(void *arg)
{
        struct daemon *d = arg;

        for (size_t i = gears_after(d->gears, d->swept); i < gears_count(d->gears); i++) {
                const struct gear *gear = gears_at(d->gears, i);

                (void) snprintf(d->swept, sizeof d->swept, "%s", gear->id);
                if (gear->work || gear->damage || !streq(gear->active, "inactive"))
                        continue;
                ask_definition(d, gear->id);
                timer_set(d->sweep, SWEEP_PAUSE_USEC);
                return;
        }
}

void index_sweep_definitions(struct daemon *d)
{
        if (!d->sweep)
                d->sweep = timer_new(d->loop, ask_next_definition, d);
        if (d->sweep)
                timer_set(d->sweep, SWEEP_PAUSE_USEC);
}

/* --- lists of systemd's ---------------------------------------------------------------------------- */

static void list_containers(struct daemon *d);

/* Restarts, exit status and times come with a question only; it is asked where something happened. */
static void take_listed(struct daemon *d, const struct unit_change *unit)
{
        char id[GEAR_ID_MAX + 1];
        struct gear *gear;
        bool news;

        if (!gear_id_of_unit(unit->unit, id) || !(gear = gears_find(d->gears, id)))
                return;
        gear->listing = d->listing;
        news = !d->systemd_synced || !streq(gear->active, unit->active) || !streq(gear->sub, unit->sub) ||
               !streq(gear->load, unit->load);
        if (!news)
                return;
        take_unit(gear, unit);
        gear_changed(d, gear);
        if (!streq(unit->active, "inactive") || !streq(unit->load, "loaded"))
                (void) systemd_ask(d->systemd, unit->unit, on_gear_told, d);
}

/* What is not loaded is not running. */
static void take_unlisted(struct daemon *d, struct gear *gear)
{
        if (gear->listing == d->listing)
                return;
        if (gear->load_error)
                ask_definition(d, gear->id); /* it may have been for a drop-in, which nobody watches */
        if (streq(gear->active, "inactive"))
                return;
        gear->active = gear_word("inactive");
        gear->sub = gear_word("dead");
        gear->job = false;
        gear_changed(d, gear);
}

static void on_units_listed(void *arg, const struct unit_change *units, size_t n, const struct fault *fault)
{
        struct daemon *d = arg;
        bool first = !d->systemd_synced;

        if (fault) {
                log_error(NO_FIELDS, "cannot list units: %s", fault->text);
                return;
        }
        d->listing++;
        for (size_t i = 0; i < n; i++)
                take_listed(d, &units[i]);
        for (size_t i = 0; i < gears_count(d->gears); i++)
                take_unlisted(d, gears_at(d->gears, i));
        if (!first)
                return;
        log_info(NO_FIELDS, "systemd answers: %zu of %zu gears are loaded", n, gears_count(d->gears));
        d->systemd_synced = true;
        list_containers(d); /* which of them nobody runs can only be told now */
        recover_look(d);
}

/* A reload may change what systemd thinks of any unit, and signals nothing of it. */
static void on_reloaded(void *arg)
{
        struct daemon *d = arg;

        (void) systemd_list(d->systemd, "gear-*.service", on_units_listed, d);
        job_watch_look(d);
}

static void on_systemd_up(void *arg)
{
        struct daemon *d = arg;

        (void) systemd_list(d->systemd, "gear-*.service", on_units_listed, d);
        job_watch_look(d);
        if (d->config->docker_unit[0])
                (void) systemd_ask(d->systemd, d->config->docker_unit, on_engine_told, d);
        else
                engine_unit_changed(d, "active");
}

static void on_systemd_down(void *arg, const char *reason)
{
        struct daemon *d = arg;

        d->systemd_synced = false;
        job_watch_lost(d);
        log_warning(NO_FIELDS, "systemd's bus is gone (%s): trying again until it is back", reason);
        recover_look(d);
}

const struct systemd_hooks index_systemd_hooks = {
        .up = on_systemd_up,
        .down = on_systemd_down,
        .cares = cares_about_unit,
        .changed = on_unit_changed,
        .removed = on_unit_removed,
        .reloaded = on_reloaded,
};

/* --- the engine ------------------------------------------------------------------------------- */

static void take_container(struct gear *gear, const struct docker_container *c)
{
        (void) snprintf(gear->container, sizeof gear->container, "%.12s", c->id);
        gear->container_state = gear_word(c->state);
        if (c->health[0] || !gear->health_is_ours)
                gear->health = gear_word(c->health);
        gear->pid = c->pid;
        gear->started_usec = c->started_usec;
        gear->oom_killed = c->oom_killed;
        (void) snprintf(gear->address, sizeof gear->address, "%s", c->address);
}

static void drop_container(struct gear *gear)
{
        gear->container[0] = '\0';
        gear->container_state = gear_word("");
        gear->health = gear_word("");
        gear->pid = 0;
        gear->address[0] = '\0';
}

static void on_inspected(void *arg, const struct docker_container *c, const struct fault *fault)
{
        struct daemon *d = arg;
        struct gear *gear;

        if (fault)
                return; /* gone again: its die event tells the rest */
        gear = c->gear[0] ? gears_find(d->gears, c->gear) : NULL;
        if (gear) {
                take_container(gear, c);
                gear_changed(d, gear);
        }
        recover_containers(d, c, 1); /* a client that was killed may have had a create under way */
}

/* Where its log is read, this is a mark in it. */
static void out_of_memory(struct gear *gear)
{
        char unit[UNIT_NAME_MAX], invocation[GEAR_INVOCATION_LEN + 1];

        gear->oom_killed = true;
        gear_unit_name(gear->id, unit);
        gear_invocation(gear, invocation);
        log_at(LOG_WARNING | LOG_ALWAYS,
               LOG_FIELDS("MESSAGE_ID", LOG_KILLED_MESSAGE_ID, "GEAR_ID", gear->id, "UNIT", unit, "INVOCATION_ID",
                          invocation),
               "gear %s ran out of memory: the kernel has taken a process of it", gear->id);
}

static void on_engine_event(void *arg, const struct docker_event *e)
{
        struct daemon *d = arg;
        struct gear *gear = e->gear[0] ? gears_find(d->gears, e->gear) : NULL;

        if (!e->gear[0])
                return;
        if (streq(e->action, "start") || streq(e->action, "unpause") || streq(e->action, "pause")) {
                (void) docker_inspect(d->docker, e->container, on_inspected, d);
                return;
        }
        if (!gear)
                return;
        if (streq(e->action, "oom")) {
                out_of_memory(gear);
        } else if (streq(e->action, "die") || streq(e->action, "destroy")) {
                if (strncmp(gear->container, e->container, strlen(gear->container)) == 0)
                        drop_container(gear);
        } else if (starts_with(e->action, "health_status")) {
                gear->health = gear_word(e->health);
        }
        gear_changed(d, gear);
}

static void on_containers_listed(void *arg, const struct docker_container *c, size_t n, const struct fault *fault)
{
        struct daemon *d = arg;

        if (fault) {
                log_error(NO_FIELDS, "cannot list containers: %s", fault->text);
                return;
        }
        for (size_t i = 0; i < gears_count(d->gears); i++)
                drop_container(gears_at(d->gears, i));
        for (size_t i = 0; i < n; i++) {
                struct gear *gear = gears_find(d->gears, c[i].gear);

                if (gear) {
                        take_container(gear, &c[i]);
                        if (streq(c[i].state, "running"))
                                (void) docker_inspect(d->docker, c[i].id, on_inspected, d);
                }
        }
        for (size_t i = 0; i < gears_count(d->gears); i++)
                gear_changed(d, gears_at(d->gears, i));
        if (!d->engine_synced)
                log_info(NO_FIELDS, "the engine answers: %zu containers of gears", n);
        d->engine_synced = true;
        d->engine_away[0] = '\0';
        recover_containers(d, c, n);
        recover_look(d);
}

static void list_containers(struct daemon *d)
{
        if (docker_is_up(d->docker))
                (void) docker_list(d->docker, on_containers_listed, d);
}

static void on_engine_up(void *arg)
{
        list_containers(arg);
}

static void on_engine_down(void *arg, const char *reason)
{
        struct daemon *d = arg;

        d->engine_synced = false;
        if (d->engine == ENGINE_RUNNING)
                (void) snprintf(d->engine_away, sizeof d->engine_away, "%s", reason);
        for (size_t i = 0; i < gears_count(d->gears); i++) {
                struct gear *gear = gears_at(d->gears, i);

                gear->container_state = gear_word("");
                gear_touched(d->gears, gear);
        }
        log_warning(NO_FIELDS, "the engine is gone (%s): trying again until it is back", reason);
        recover_look(d);
}

const struct docker_watch index_docker_watch = {
        .up = on_engine_up,
        .down = on_engine_down,
        .event = on_engine_event,
};
