/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The index: what is known of every gear, kept current by signals, so that
 * reads cost a lookup.  It is rebuilt from the state directory, systemd and
 * the engine at start, and holds nothing that is not there.
 */

#include "core/ident.h"
#include "core/spec.h"
#include "core/unit.h"

#define GEAR_INVOCATION_LEN 32

struct gears;

/* Of the record in the state directory. */
enum gear_phase {
        GEAR_STARTED,   /* its user wants it running */
        GEAR_STOPPED,   /* … or not */
        GEAR_CREATING,  /* a create has not come to its end */
        GEAR_REPLACING, /* the same, and the former unit is still kept; it was to run … */
        GEAR_REPLACING_STOPPED, /* … or not */
        GEAR_DELETING,  /* a delete has not come to its end */
        GEAR_DELETING_VOLUMES, /* … that is to take the volumes along */
};

static inline bool gear_phase_replaces(enum gear_phase p)
{
        return p == GEAR_REPLACING || p == GEAR_REPLACING_STOPPED;
}

static inline bool gear_phase_deletes(enum gear_phase p)
{
        return p == GEAR_DELETING || p == GEAR_DELETING_VOLUMES;
}

/* The one word that users see. */
enum gear_state {
        STATE_CREATING, /* its image is on the way, nothing is started yet */
        STATE_RUNNING,
        STATE_STARTING,
        STATE_WAITING,  /* for the engine */
        STATE_STOPPING,
        STATE_STOPPED,
        STATE_RESTARTING,
        STATE_FAILED,
        STATE_DAMAGED,  /* its unit file cannot be understood */
        N_STATES,
};
const char *gear_state_name(enum gear_state s);

struct gear_port {
        uint16_t internal, external;
        bool udp;
        char *address;            /* NULL: the configured one */
};

struct gear_label {
        char *name, *value;
};

struct gear {
        struct gear *next_in_bucket;
        char *id;

        /* from its unit file */
        char *image;
        char *user;
        char *damage;             /* why the record cannot be read; NULL when it can */
        struct gear_port *ports;
        struct gear_label *labels;
        uint8_t n_ports, n_labels;
        enum gear_phase phase;
        char hash[DIGEST_HEX_LEN + 1];
        char request_id[REQUEST_ID_LEN + 1];
        uint64_t created_usec;    /* wall clock */

        /* from systemd */
        const char *active, *sub, *load, *result; /* interned: gear_word() */
        char *load_error;
        uint64_t since_usec;      /* wall clock, 0 unknown */
        unsigned restarts;
        int exit_code, exit_status;
        uint8_t invocation[16];
        bool job;
        unsigned listing;         /* the last list of systemd's that named it */

        /* from the engine */
        char container[13];       /* short id, "" when there is none */
        const char *container_state, *health; /* interned */
        pid_t pid;
        uint64_t started_usec;
        char address[46];
        bool oom_killed;
        uint64_t looked_usec;     /* when memory and cpu were last looked at; monotonic, 0 never */
        uint64_t memory, cpu_usec; /* UINT64_MAX: unknown */
        bool health_is_ours;      /* by its record: geard probes it (http, tcp), not the engine */

        void *work;               /* the api layer's: the change under way, and those that wait */
        void *ready;              /* the api layer's: who waits for it to be ready */
        void *prober;             /* the api layer's: its health probe */
        char *row;                /* the api layer's: its line in the list, dropped at every change */
};

struct gears *gears_new(void);
struct gears *gears_free(struct gears *g);
DEFINE_CLEANUP(struct gears, gears_free);

struct gear *gears_find(const struct gears *g, const char *id);
struct gear *gears_add(struct gears *g, const char *id); /* or the one that is there; NULL: out of memory */
void gears_remove(struct gears *g, struct gear *gear);
size_t gears_count(const struct gears *g);
struct gear *gears_at(const struct gears *g, size_t i);  /* in the order of ids */
/* The first whose id sorts behind `id` ("" or NULL: the first of all); an index for gears_at(). */
size_t gears_after(const struct gears *g, const char *id);

/* Moves with every change of any gear; for ETags. */
uint64_t gears_revision(const struct gears *g);

/* Takes over what a unit's record says. 0 or -ENOMEM (and then unchanged). */
int gear_set_record(struct gears *g, struct gear *gear, const struct unit_record *record);
int gear_set_damage(struct gears *g, struct gear *gear, const char *why);
/* To be called after changing any field by hand: drops the row, moves the revision. */
void gear_touched(struct gears *g, struct gear *gear);

enum gear_state gear_state_of(const struct gear *gear);
/* The run of its unit as systemd and the journal write it; "" when none is known. */
void gear_invocation(const struct gear *gear, char ret[static GEAR_INVOCATION_LEN + 1]);

/* Who holds this host port? Reservations of running creates count. NULL: nobody. */
const struct gear *gears_port_holder(const struct gears *g, uint16_t port, bool udp, const char *address);

/* One of the few words systemd and docker use for states, as a constant; unknown ones become "unknown". */
const char *gear_word(const char *word);
