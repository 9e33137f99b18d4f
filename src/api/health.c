/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One prober per run of a container.  What it needs of the spec is read from
 * the unit file when the run is first seen; a gear without such a probe has
 * none, and costs the look at one flag.
 */

#include "api/health.h"

#include "api/ready.h"
#include "sys/probe.h"
#include "util/log.h"

#include <stdio.h>

struct prober {
        struct daemon *daemon;
        struct gear *gear;
        char container[sizeof((struct gear *) NULL)->container]; /* whose run it is */
        uint64_t started_usec;
        struct spec_health want;
        const char *health; /* interned; here, since the engine's word may overwrite the gear's */
        unsigned failures;  /* in a row */
        struct timer *pause;
        struct probe *probe;
};

static struct prober *prober_free(struct prober *p)
{
        if (!p)
                return NULL;
        p->pause = timer_free(p->pause);
        p->probe = probe_cancel(p->probe);
        free(p->want.path);
        free(p);
        return NULL;
}
DEFINE_CLEANUP(struct prober, prober_free);

/* --- probing ------------------------------------------------------------------------------------- */

static void set_health(struct prober *p, const char *health, const char *why)
{
        struct gear *gear = p->gear;
        bool good = streq(health, "healthy");

        p->health = gear->health = gear_word(health);
        log_at(good ? LOG_INFO : LOG_WARNING, LOG_FIELDS("GEAR_ID", gear->id), "gear %s is %s%s%s", gear->id,
               health, good ? "" : ": ", good ? "" : why);
        gear_touched(p->daemon->gears, gear);
        ready_look(gear);
}

/* A container that was never healthy yet is given its start_period before failures count. */
static bool failure_counts(const struct prober *p)
{
        return !streq(p->health, "starting") || wall_usec() >= p->started_usec + p->want.start_period_usec;
}

static void probe_answered(void *arg, bool good, const char *why)
{
        struct prober *p = arg;

        p->probe = NULL;
        timer_set(p->pause, p->want.interval_usec);
        if (good) {
                p->failures = 0;
                if (!streq(p->health, "healthy"))
                        set_health(p, "healthy", why);
        } else if (failure_counts(p) && ++p->failures >= p->want.retries && !streq(p->health, "unhealthy")) {
                set_health(p, "unhealthy", why);
        }
}

static void ask(void *arg)
{
        struct prober *p = arg;
        struct gear *gear = p->gear;

        /* A paused process cannot answer, and is not to blame for it. */
        if (!streq(gear->container_state, "paused") && gear->address[0])
                p->probe = probe_start(p->daemon->loop, p->daemon->fetch, gear->address, p->want.port,
                                       p->want.path, p->want.timeout_usec, probe_answered, p);
        if (!p->probe)
                timer_set(p->pause, p->want.interval_usec);
}

/* --- a run begins, a run ends -------------------------------------------------------------------- */

static int load_wish(struct prober *p, struct fault *f)
{
        _cleanup_free_ char *text = NULL;
        struct unit_record record = { 0 };
        int r = store_read_unit(p->daemon->store, p->gear->id, &text);

        if (r < 0)
                return fault_errno(f, r, "the unit file cannot be read");
        r = unit_read(text, &record, f);
        if (r < 0)
                return r;
        p->want = record.spec.health;
        record.spec.health = (struct spec_health){ 0 };
        if (p->want.kind == PROBE_TCP)
                p->want.path = (free(p->want.path), NULL);
        p->want.command = strv_free(p->want.command);
        unit_record_reset(&record);
        return 0;
}

/* Due one interval after the container's start, which is long ago when it is geard that has started. */
static uint64_t until_first(const struct prober *p)
{
        uint64_t now = wall_usec(), age = now > p->started_usec ? now - p->started_usec : 0;

        return age < p->want.interval_usec ? p->want.interval_usec - age : 0;
}

static struct prober *prober_new(struct daemon *d, struct gear *gear, struct fault *f)
{
        _cleanup_(prober_freep) struct prober *p = calloc(1, sizeof *p);

        if (!p)
                return (fault_oom(f), NULL);
        *p = (struct prober){ .daemon = d,
                              .gear = gear,
                              .started_usec = gear->started_usec,
                              .health = gear_word("starting"),
                              .pause = timer_new(d->loop, ask, p) };
        memcpy(p->container, gear->container, sizeof p->container);
        if (!p->pause)
                return (fault_oom(f), NULL);
        return load_wish(p, f) < 0 ? NULL : TAKE(p);
}

static void prober_start(struct daemon *d, struct gear *gear)
{
        struct fault f;
        struct prober *p = prober_new(d, gear, &f);

        if (!p) {
                log_warning(LOG_FIELDS("GEAR_ID", gear->id), "gear %s will not be probed: %s", gear->id,
                            f.text);
                gear->health_is_ours = false; /* until its record changes: not a line at every event */
                return;
        }
        timer_set(p->pause, until_first(p));
        gear->prober = p;
}

void health_forget(struct gear *gear)
{
        gear->prober = prober_free(gear->prober);
}

void health_look(struct daemon *d, struct gear *gear)
{
        struct prober *p = gear->prober;

        if (p && !streq(p->container, gear->container)) {
                health_forget(gear);
                p = NULL;
        }
        /* The address comes with the inspection, a moment after the container was seen. */
        if (!p && gear->health_is_ours && gear->container[0] && gear->address[0]) {
                prober_start(d, gear);
                p = gear->prober;
        }
        if (p && gear->health != p->health) {
                gear->health = p->health;
                gear_touched(d->gears, gear);
        }
}
