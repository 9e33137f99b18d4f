/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a gear is, as its user said it: decoded from JSON, checked, and written
 * back in one canonical form, whose digest tells whether two specs are the
 * same.  The environment travels with it but is kept elsewhere (core/environ):
 * it is never part of the canonical form, the unit or a log.
 */

#include "core/environ.h"
#include "util/base.h"
#include "util/fault.h"
#include "util/json.h"
#include "util/text.h"

#define SPEC_PORTS_MAX 32
#define SPEC_VOLUMES_MAX 32
#define SPEC_LABELS_MAX 64
#define SPEC_LABEL_VALUE_MAX 32768
#define SPEC_COMMAND_MAX 256          /* words */
#define SPEC_WORD_MAX 32768           /* bytes in one of them */
#define SPEC_COMMAND_BYTES_MAX 131072 /* in all */

enum restart_policy { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NO };
enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };
enum probe_kind { PROBE_NONE, PROBE_COMMAND, PROBE_HTTP, PROBE_TCP };
enum ready_kind { READY_RUNNING, READY_HEALTHY, READY_TCP, READY_HTTP, READY_LOG };

struct spec_port {
        uint16_t internal;
        uint16_t external; /* 0: to be leased */
        bool udp;
        char address[46];  /* "" for the configured default */
};

struct spec_volume {
        char *name;        /* a volume of this gear … */
        char *source;      /* … or a host path: exactly one of the two is set */
        char *target;
        bool read_only;
};

struct spec_label {
        char *name;
        char *value;
};

struct spec_health {
        enum probe_kind kind;
        char **command;    /* PROBE_COMMAND */
        char *path;        /* PROBE_HTTP, "/" by default */
        uint16_t port;     /* PROBE_HTTP, PROBE_TCP: inside the container */
        uint64_t interval_usec, timeout_usec, start_period_usec;
        unsigned retries;
};

struct spec_ready {
        enum ready_kind kind;
        uint16_t port;
        char *path;        /* READY_HTTP */
        char *pattern;     /* READY_LOG: a POSIX extended regular expression */
        uint64_t timeout_usec; /* 0: the daemon's default */
};

struct spec {
        char *image;
        char **command;    /* NULL: the image's own */
        struct environ env;
        bool env_given;
        struct spec_port ports[SPEC_PORTS_MAX];
        size_t n_ports;
        struct spec_volume volumes[SPEC_VOLUMES_MAX];
        size_t n_volumes;
        struct spec_label *labels;
        size_t n_labels;
        uint64_t memory;   /* bytes, 0: no limit */
        uint64_t cpu_milli; /* thousandths of a CPU, 0: no limit */
        uint64_t pids;     /* 0: no limit */
        char *user, *workdir, *hostname, *network, *stop_signal;
        bool read_only;
        char **cap_add, **cap_drop, **devices;
        bool privileged;
        char *pid_mode;    /* NULL or "host" */
        enum restart_policy restart;
        uint64_t stop_timeout_usec; /* whole seconds; the canonical form always has it */
        bool stop_timeout_given;    /* false: 10 s, for the caller to replace by its own default */
        enum pull_policy pull;
        struct spec_health health;
        struct spec_ready ready;
        bool started;      /* default true; not part of the canonical form */
        bool replace;      /* a wish of this request; not part of it either */
};

/*
 * Decodes a body (NULL: no body at all, everything default).  `image` comes
 * from the claims when not NULL; a body that names another is DENIED.  Every
 * fault names its field: "ports[1].external".
 */
int spec_from_json(const struct json *body, const char *image, struct spec *ret, struct fault *f);
/* The same, in a body that has members beside it: those of these names are the caller's. */
int spec_from_json_among(const struct json *body, const char *image, const char *const *others, struct spec *ret,
                         struct fault *f);
void spec_reset(struct spec *s);

/* The canonical JSON: ASCII, one line, fixed order, defaults left out, without env, started, replace. */
void spec_to_json(const struct spec *s, struct text *t);

/* The first field that reaches into the host (right gear.host), or NULL. */
const char *spec_host_field(const struct spec *s);

const char *restart_policy_name(enum restart_policy p);
const char *ready_kind_name(enum ready_kind k);
const char *pull_policy_name(enum pull_policy p);
