/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * geard.conf: built-in < /usr/lib/geard/geard.conf < /etc/geard/geard.conf <
 * /etc/geard/geard.conf.d/NAME.conf in order < command line.
 */

#include "http/server.h"
#include "util/base.h"
#include "util/fault.h"

enum { FACE_GEARS = 1, FACE_SERVICES = 2, FACE_APPS = 4, FACE_ACTIONS = 8, FACE_WEB = 16, FACE_ALL = 31 };
enum listen_auth { AUTH_TOKEN, AUTH_PEER, AUTH_NONE };

struct listen_config {
        char *address;
        unsigned faces;
        enum listen_auth auth;
        bool insecure_no_auth;
        char *certificate, *key, *client_ca;
        char **origins;
        char **hosts;
        mode_t mode;           /* unix sockets: 0660 */
        char *group;           /* unix sockets: "gears" */
        bool has_group_id;     /* looked up once, at start: a group that does not exist admits nobody */
        gid_t group_id;
        char *where;           /* "geard.conf:12", for messages */
};

struct config {
        /* [Daemon] */
        char *state_directory;        /* /var/lib/gears */
        bool test_token;
        uint64_t max_token_life_usec; /* 24 h */
        char *keys_directory;         /* KeysDirectory=/etc/geard/keys.d */
        char *node_name;              /* NodeName=; "" when tokens for other nodes cannot be told */
        uint16_t port_first, port_last; /* PortRange= */
        char **volume_paths;          /* VolumePaths= */
        char **allow_registries;      /* AllowRegistries=; NULL: all */
        char *database;               /* Database=/var/lib/geard/geard.db */
        size_t database_cache;        /* DatabaseCache=2M of its pages in memory */
        unsigned audit_days;          /* AuditDays=90 */
        size_t audit_size;            /* AuditSize=256M of them all */
        char *publish_address;        /* PublishAddress=0.0.0.0 */
        unsigned log_rate_burst;      /* LogRate=250000/30s; burst 0: unlimited */
        uint64_t log_rate_usec;
        unsigned clone_schemes;       /* CloneSchemes=https http ssh git, of enum clone_scheme */
        char **clone_paths;           /* ClonePaths= */
        char *clone_key;              /* CloneKey=: with which ssh clones; NULL: none */
        bool clone_private;           /* ClonePrivate=no: only from hosts on the Internet */
        char *git_helper;             /* GitHelper=/usr/libexec/geard/gear-git */
        char *git_image;              /* GitImage=: repositories are made in its containers; "": in a sandbox */
        char *git_image_helper;       /* GitImageHelper=/usr/libexec/geard/gear-git-static */
        char *git_branch;             /* GitBranch=main, the first of a new repository */
        bool git_reflog;              /* GitReflog=yes */
        bool git_rewinds;             /* GitRewinds=yes: pushes may throw commits away */
        uint64_t job_timeout_usec;    /* JobTimeout=15min */
        uint64_t job_keep_usec;       /* JobKeep=10min: so long its unit stays in sight */
        size_t repository_max;        /* RepositoryMax=4G: how large a file of a clone may be */
        size_t job_memory;            /* JobMemory=1G */
        unsigned jobs_max;            /* JobsMax=8 at once … */
        unsigned jobs_waiting;        /* … and JobsWaiting=200 for their turn */
        unsigned jobs_kept;           /* JobsKept=1000 that ended are remembered */
        char *docker;                 /* Docker=/usr/bin/docker, the client that units run */
        char *helper;                 /* Helper=/usr/libexec/geard/gear-unit */
        char *docker_socket;          /* DockerSocket=/run/docker.sock */
        char *docker_unit;            /* DockerUnit=docker.service; "" if no unit runs the engine */
        uint64_t wait_usec;           /* Wait=60s, the default of ?wait= */
        uint64_t ready_timeout_usec;  /* ReadyTimeout=60s */
        uint64_t pull_silence_usec;   /* PullSilence=120s */
        uint64_t stop_timeout_usec;   /* StopTimeout=10s, the default of stop_timeout */
        unsigned changes_max;         /* ChangesMax=64 changes at once */
        unsigned streams_max;         /* StreamsMax=1024 */
        unsigned requests_max;        /* RequestsMax=10000 remembered ids in memory */
        unsigned gears_max;           /* GearsMax=20000 */
        int log_level;                /* LogLevel=info */
        struct server_limits limits;  /* HeadMax= BodyMax= ConnectionsMax= ConnectionsPerAddress= StuckWrite= … */

        struct listen_config *listens;
        size_t n_listens;

        char **warnings;              /* "geard.conf:3: unknown key Foo=", to be logged */
};

/*
 * Reads everything. A missing file is fine unless `file` names it; an unknown
 * key is a warning; a bad value or an address that must not be open is a fault
 * naming file and line.
 */
int config_load(const char *file, struct config **ret, struct fault *f);
/*
 * At SIGHUP: `current` takes what `fresh` says, except for what only a start
 * reads.  The names of what is different there, "AuditDays=", are added to
 * *ret_left; all is taken over even if there is no memory for them (-ENOMEM).
 */
int config_take_over(struct config *current, struct config *fresh, char ***ret_left);
struct config *config_free(struct config *c);
DEFINE_CLEANUP(struct config, config_free);
