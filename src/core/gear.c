/* SPDX-License-Identifier: Apache-2.0 */

#include "core/gear.h"

#include <stdio.h>

struct gears {
        struct gear **buckets;
        size_t n_buckets;         /* a power of two */
        struct gear **sorted;
        size_t n, size;
        uint64_t revision;
        uint16_t holders[2][65536]; /* [udp][port]: how many gears hold it, on whatever address */
};

#define BUCKETS_FIRST 64

static const char *const state_names[N_STATES] = {
        [STATE_CREATING] = "creating", [STATE_RUNNING] = "running",       [STATE_STARTING] = "starting",
        [STATE_WAITING] = "waiting",   [STATE_STOPPING] = "stopping",     [STATE_STOPPED] = "stopped",
        [STATE_RESTARTING] = "restarting", [STATE_FAILED] = "failed",     [STATE_DAMAGED] = "damaged",
};

const char *gear_state_name(enum gear_state s)
{
        return state_names[s];
}

const char *gear_word(const char *word)
{
        static const char *const words[] = {
                "",             "active",       "inactive",       "failed",        "activating",    "deactivating",
                "reloading",    "maintenance",  "running",        "dead",          "auto-restart",  "start-pre",
                "start",        "start-post",   "stop",           "stop-sigterm",  "stop-sigkill",  "stop-post",
                "stop-watchdog", "final-sigterm", "final-sigkill", "final-watchdog", "condition",   "exited",
                "cleaning",     "loaded",       "not-found",      "bad-setting",   "error",         "masked",
                "stub",         "merged",       "success",        "exit-code",     "signal",        "core-dump",
                "timeout",      "watchdog",     "start-limit-hit", "resources",    "protocol",      "oom-kill",
                "exec-condition", "created",    "paused",         "restarting",    "removing",      "starting",
                "healthy",      "unhealthy",
        };

        for (size_t i = 0; word && i < ARRAY_SIZE(words); i++)
                if (streq(words[i], word))
                        return words[i];
        return word ? "unknown" : "";
}

/* --- the table ------------------------------------------------------------------------ */

static size_t bucket_of(const struct gears *g, const char *id)
{
        uint64_t h = 14695981039346656037u; /* FNV-1a */

        for (const char *p = id; *p; p++)
                h = (h ^ (unsigned char) *p) * 1099511628211u;
        return (size_t) (h & (g->n_buckets - 1));
}

struct gears *gears_new(void)
{
        _cleanup_(gears_freep) struct gears *g = calloc(1, sizeof *g);

        if (!g)
                return NULL;
        g->n_buckets = BUCKETS_FIRST;
        g->buckets = calloc(g->n_buckets, sizeof *g->buckets);
        return g->buckets ? TAKE(g) : NULL;
}

static void free_ports(struct gear_port *ports, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(ports[i].address);
        free(ports);
}

static void free_labels(struct gear_label *labels, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free(labels[i].name);
                free(labels[i].value);
        }
        free(labels);
}

static void gear_free(struct gear *gear)
{
        free_ports(gear->ports, gear->n_ports);
        free_labels(gear->labels, gear->n_labels);
        free(gear->id);
        free(gear->image);
        free(gear->user);
        free(gear->damage);
        free(gear->load_error);
        free(gear->row);
        free(gear);
}

static void count_ports(struct gears *g, const struct gear *gear, int step)
{
        for (size_t i = 0; i < gear->n_ports; i++) {
                uint16_t *count = &g->holders[gear->ports[i].udp][gear->ports[i].external];

                *count = (uint16_t) (*count + step);
        }
}

struct gears *gears_free(struct gears *g)
{
        if (!g)
                return NULL;
        for (size_t i = 0; i < g->n; i++)
                gear_free(g->sorted[i]);
        free(g->sorted);
        free(g->buckets);
        free(g);
        return NULL;
}

struct gear *gears_find(const struct gears *g, const char *id)
{
        struct gear *gear = g->buckets[bucket_of(g, id)];

        while (gear && !streq(gear->id, id))
                gear = gear->next_in_bucket;
        return gear;
}

static int table_grow(struct gears *g)
{
        struct gears bigger = { .n_buckets = g->n_buckets ? 2 * g->n_buckets : BUCKETS_FIRST };

        bigger.buckets = calloc(bigger.n_buckets, sizeof *bigger.buckets);
        if (!bigger.buckets)
                return -ENOMEM;
        for (size_t i = 0; i < g->n; i++) {
                size_t b = bucket_of(&bigger, g->sorted[i]->id);

                g->sorted[i]->next_in_bucket = bigger.buckets[b];
                bigger.buckets[b] = g->sorted[i];
        }
        free(g->buckets);
        g->buckets = bigger.buckets;
        g->n_buckets = bigger.n_buckets;
        return 0;
}

static int list_grow(struct gears *g)
{
        size_t size = g->size ? 2 * g->size : 64;
        struct gear **more = realloc(g->sorted, size * sizeof *more);

        if (!more)
                return -ENOMEM;
        g->sorted = more;
        g->size = size;
        return 0;
}

size_t gears_after(const struct gears *g, const char *id)
{
        size_t low = 0, high = g->n;

        while (id && low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(g->sorted[middle]->id, id) <= 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct gear *gears_add(struct gears *g, const char *id)
{
        struct gear *gear = gears_find(g, id);
        size_t place, bucket;

        if (gear)
                return gear;
        if ((g->n == g->size && list_grow(g) < 0) || (g->n >= g->n_buckets && table_grow(g) < 0))
                return NULL;
        gear = calloc(1, sizeof *gear);
        if (!gear || !(gear->id = strdup(id)))
                return (free(gear), NULL);
        gear->active = gear->sub = gear->load = gear->result = gear_word(NULL);
        gear->container_state = gear->health = gear_word(NULL);

        place = gears_after(g, id);
        memmove(g->sorted + place + 1, g->sorted + place, (g->n - place) * sizeof *g->sorted);
        g->sorted[place] = gear;
        g->n++;
        bucket = bucket_of(g, id);
        gear->next_in_bucket = g->buckets[bucket];
        g->buckets[bucket] = gear;
        g->revision++;
        return gear;
}

void gears_remove(struct gears *g, struct gear *gear)
{
        struct gear **in = &g->buckets[bucket_of(g, gear->id)];
        size_t place = gears_after(g, gear->id) - 1;

        while (*in != gear)
                in = &(*in)->next_in_bucket;
        *in = gear->next_in_bucket;
        memmove(g->sorted + place, g->sorted + place + 1, (g->n - place - 1) * sizeof *g->sorted);
        g->n--;
        g->revision++;
        count_ports(g, gear, -1);
        gear_free(gear);
}

size_t gears_count(const struct gears *g)
{
        return g->n;
}

struct gear *gears_at(const struct gears *g, size_t i)
{
        return i < g->n ? g->sorted[i] : NULL;
}

uint64_t gears_revision(const struct gears *g)
{
        return g->revision;
}

/* --- one gear -------------------------------------------------------------------------- */

void gear_touched(struct gears *g, struct gear *gear)
{
        gear->row = (free(gear->row), NULL);
        g->revision++;
}

static struct gear_port *copy_ports(const struct spec *spec)
{
        struct gear_port *ports = calloc(spec->n_ports + 1, sizeof *ports);

        for (size_t i = 0; ports && i < spec->n_ports; i++) {
                const struct spec_port *from = &spec->ports[i];

                ports[i] = (struct gear_port){ .internal = from->internal,
                                               .external = from->external,
                                               .udp = from->udp };
                if (from->address[0] && !(ports[i].address = strdup(from->address)))
                        return (free_ports(ports, i), NULL);
        }
        return ports;
}

static struct gear_label *copy_labels(const struct spec *spec)
{
        struct gear_label *labels = calloc(spec->n_labels + 1, sizeof *labels);

        for (size_t i = 0; labels && i < spec->n_labels; i++) {
                labels[i].name = strdup(spec->labels[i].name);
                labels[i].value = strdup(spec->labels[i].value);
                if (!labels[i].name || !labels[i].value)
                        return (free_labels(labels, i + 1), NULL);
        }
        return labels;
}

int gear_set_record(struct gears *g, struct gear *gear, const struct unit_record *record)
{
        _cleanup_free_ char *image = strdup(record->spec.image), *user = strdup(record->user);
        struct gear_port *ports = copy_ports(&record->spec);
        struct gear_label *labels = copy_labels(&record->spec);

        if (!image || !user || !ports || !labels) {
                if (ports)
                        free_ports(ports, record->spec.n_ports);
                if (labels)
                        free_labels(labels, record->spec.n_labels);
                return -ENOMEM;
        }
        count_ports(g, gear, -1);
        free_ports(gear->ports, gear->n_ports);
        free_labels(gear->labels, gear->n_labels);
        free(gear->image);
        free(gear->user);
        gear->damage = (free(gear->damage), NULL);
        gear->image = TAKE(image);
        gear->user = TAKE(user);
        gear->ports = ports;
        gear->n_ports = (uint8_t) record->spec.n_ports;
        gear->labels = labels;
        gear->n_labels = (uint8_t) record->spec.n_labels;
        count_ports(g, gear, +1);
        gear->health_is_ours = record->spec.health.kind == PROBE_HTTP || record->spec.health.kind == PROBE_TCP;
        memcpy(gear->hash, record->hash, sizeof gear->hash);
        gear->created_usec = record->created_usec;
        memcpy(gear->request_id, record->request_id, sizeof gear->request_id);
        gear_touched(g, gear);
        return 0;
}

int gear_set_damage(struct gears *g, struct gear *gear, const char *why)
{
        char *copy = strdup(why);

        if (!copy)
                return -ENOMEM;
        free(gear->damage);
        gear->damage = copy;
        gear_touched(g, gear);
        return 0;
}

static enum gear_state activating_state(const struct gear *gear)
{
        if (streq(gear->sub, "auto-restart"))
                return STATE_RESTARTING;
        return streq(gear->sub, "start") ? STATE_WAITING : STATE_STARTING;
}

enum gear_state gear_state_of(const struct gear *gear)
{
        if (streq(gear->active, "active") || streq(gear->active, "reloading"))
                return streq(gear->container_state, "running") || streq(gear->container_state, "paused")
                               ? STATE_RUNNING
                               : STATE_STARTING;
        if (streq(gear->active, "activating"))
                return activating_state(gear);
        if (streq(gear->active, "deactivating"))
                return STATE_STOPPING;
        if (gear->damage || streq(gear->load, "bad-setting") || streq(gear->load, "error"))
                return STATE_DAMAGED;
        if (streq(gear->active, "failed"))
                return STATE_FAILED;
        return gear->phase == GEAR_CREATING ? STATE_CREATING : STATE_STOPPED;
}

void gear_invocation(const struct gear *gear, char ret[static GEAR_INVOCATION_LEN + 1])
{
        static const uint8_t none[sizeof gear->invocation];

        ret[0] = '\0';
        if (memcmp(gear->invocation, none, sizeof none) != 0)
                for (size_t i = 0; i < sizeof gear->invocation; i++)
                        (void) snprintf(ret + 2 * i, 3, "%02x", gear->invocation[i]);
}

/* Does an address that is asked for collide with one that is taken? The wildcard collides with all. */
static bool addresses_collide(const char *a, const char *b)
{
        bool any_a = streq(a, "0.0.0.0") || streq(a, "::"), any_b = streq(b, "0.0.0.0") || streq(b, "::");

        return any_a || any_b || streq(a, b);
}

const struct gear *gears_port_holder(const struct gears *g, uint16_t port, bool udp, const char *address)
{
        /* The count answers the common case; who it is matters for conflicts only. */
        for (size_t i = 0; g->holders[udp][port] && i < g->n; i++) {
                const struct gear *gear = g->sorted[i];

                for (size_t k = 0; k < gear->n_ports; k++) {
                        const struct gear_port *held = &gear->ports[k];

                        if (held->external == port && held->udp == udp &&
                            (!held->address || addresses_collide(held->address, address)))
                                return gear;
                }
        }
        return NULL;
}
