/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A gear as a systemd unit: the text of the file, and the record of the gear
 * that the file's own [X-Gear] section keeps.  Pure text in, pure text out.
 * A job has no such file, but its container is run by the same command.
 */

#include "core/ident.h"
#include "core/spec.h"
#include "util/digest.h"
#include "util/fault.h"
#include "util/text.h"

#define UNIT_FORMAT 1
/* systemd refuses a line of 1 MiB, continuations included; we stay well below. */
#define UNIT_LINE_MAX (768 * 1024)

/*
 * systemd does not hand 0, its own word for no limit, on to journald, which then
 * has its default: some ten thousand lines in 30 s.  journald multiplies the burst,
 * in 32 bits, by what grows with the size of its disk; this, a second, leaves room.
 */
#define UNIT_NO_LOG_LIMIT_BURST 100000000
#define UNIT_NO_LOG_LIMIT_USEC UINT64_C(1000000)

/* What of the host and the configuration stands in a unit. */
struct unit_host {
        const char *state_directory;
        const char *docker;          /* /usr/bin/docker */
        const char *docker_unit;     /* docker.service, "" for none */
        const char *docker_socket;   /* /run/docker.sock */
        const char *helper;          /* /usr/libexec/geard/gear-unit */
        const char *cgroup_parent;   /* for the container's processes; NULL: the engine's default */
        const char *publish_address; /* where a port without an address is published */
        unsigned log_rate_burst;     /* 0: no limit */
        uint64_t log_rate_usec;
};

/* By their names, labels and files one is never taken for the other. */
enum unit_kind { UNIT_GEAR, UNIT_JOB };

/* Who asked for it: written into the unit, for the record. */
struct unit_origin {
        enum unit_kind kind;
        const char *id;
        const char *user;            /* the token's `u`; any text */
        const char *request_id;
        uint64_t created_usec;       /* wall clock; a replacement keeps it: what is older is a former gear's */
        const char *environment;     /* its file, less the suffix; NULL: the id; "": it has none */
        const char *const *options;  /* of `docker run', for which a spec has no field; NULL: none */
};

/* Too much text for one line is INVALID, naming the field. */
int unit_render(const struct spec *spec, const struct unit_origin *origin, const struct unit_host *host,
                struct text *ret, struct fault *f);

/* The argv of the container's client, as the unit runs it. 0 or -ENOMEM. */
int unit_docker_argv(const struct spec *spec, const struct unit_origin *origin, const struct unit_host *host,
                     char ***ret);

/* Would it fit into one line of a unit? INVALID, naming the field, or -ENOMEM. */
int unit_argv_check(char *const *argv, struct fault *f);
/* … and do all these? */
int unit_text_check(const char *text, struct fault *f);

/* SHA-256 of the canonical spec, hex. 0 or -ENOMEM. */
int unit_spec_hash(const struct spec *spec, char ret[static DIGEST_HEX_LEN + 1]);

struct unit_record {
        char id[GEAR_ID_MAX + 1];
        char *user;
        char request_id[REQUEST_ID_LEN + 1];
        uint64_t created_usec;
        char hash[DIGEST_HEX_LEN + 1];
        struct spec spec;
};

/*
 * Reads the [X-Gear] section back.  -EINVAL with the reason in the fault for
 * anything that unit_render() could not have written there.
 */
int unit_read(const char *text, struct unit_record *ret, struct fault *f);
void unit_record_reset(struct unit_record *r);

/* What has to be there before a container: Wants=, After=, RequiresMountsFor=. */
void unit_add_needs(struct text *t, const struct unit_host *host);
/* For LogExtraFields=: which it is of those that have this name, one after the other. */
#define UNIT_LOG_CREATED_MAX 48
void unit_log_created(uint64_t created_usec, char ret[static UNIT_LOG_CREATED_MAX]);
/* LogRateLimit…=, as the host's configuration says. */
void unit_add_log_limit(struct text *t, const struct unit_host *host);

/* The escaper: one argument or value, as systemd reads it back byte for byte. */
void unit_quote(struct text *t, const char *word);
