/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What geard.conf may say, where it is looked for, and what must hold of it as
 * a whole.
 */

#include "config.h"

#include "config-value.h"
#include "core/clone-url.h"
#include "util/config-file.h"
#include "util/file.h"
#include "util/text.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <strings.h>
#include <syslog.h>

#define MSEC UINT64_C(1000)
#define SEC (1000 * MSEC)
#define HOUR (3600 * SEC)
#define DAY (24 * HOUR)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

#define FILE_MAX MIB
#define LISTENS_MAX 32
#define KEY_MAX 48 /* longest key for which a similar one is looked up */

#define KIND(owner, member) \
        _Generic(((owner *) NULL)->member, char *: VALUE_STRING, char **: VALUE_LIST, default: VALUE_PLAIN)
#define OPTION(section, key, owner, member, at_start, read, accepts, ...)                               \
        {                                                                                               \
                section, key, accepts, read, offsetof(owner, member), sizeof(((owner *) NULL)->member), \
                        KIND(owner, member), at_start, __VA_ARGS__                                      \
        }
/* What a reload takes over, what only a start reads, and what belongs to a socket that is open. */
#define DAEMON(key, member, ...) OPTION("Daemon", key, struct config, member, false, __VA_ARGS__)
#define AT_START(key, member, ...) OPTION("Daemon", key, struct config, member, true, __VA_ARGS__)
#define LISTEN(key, member, ...) OPTION("Listen", key, struct listen_config, member, true, __VA_ARGS__, 0, 0)

/* clang-format off */
static const struct option options[] = {
        AT_START("StateDirectory", state_directory, option_path, "an absolute path", 0, 0),
        AT_START("Database", database, option_path, "an absolute path", 0, 0),
        AT_START("DatabaseCache", database_cache, option_size, "a size from 64K to 1G", 64 * KIB, 1024 * MIB),
        AT_START("AuditDays", audit_days, option_count, "a number from 1 to 36500", 1, 36500),
        AT_START("AuditSize", audit_size, option_size, "a size from 1M to 1024G", MIB, 1024 * 1024 * MIB),
        DAEMON("TestToken", test_token, option_flag, "yes or no", 0, 0),
        DAEMON("MaxTokenLife", max_token_life_usec, option_duration, "a duration from 1s to 366d", SEC, 366 * DAY),
        AT_START("KeysDirectory", keys_directory, option_path, "an absolute path", 0, 0),
        DAEMON("NodeName", node_name, option_name, "a host name, or nothing", 0, 0),
        DAEMON("PortRange", port_first, option_port_range, "two ports, like 4000-4999", 0, 0),
        DAEMON("VolumePaths", volume_paths, option_path_list, "absolute paths, separated by blanks", 0, 0),
        DAEMON("AllowRegistries", allow_registries, option_list, "names of registries or *.suffix, separated by blanks", 0, 0),
        DAEMON("PublishAddress", publish_address, option_ip_address, "an IPv4 or IPv6 address", 0, 0),
        DAEMON("LogRate", log_rate_burst, option_log_rate, "LINES/DURATION, like 250000/30s, or 0 for no limit", MSEC, DAY),
        DAEMON("CloneSchemes", clone_schemes, option_schemes, "any of https, http, ssh and git, or nothing", 0, 0),
        DAEMON("ClonePaths", clone_paths, option_path_list, "absolute paths, separated by blanks", 0, 0),
        DAEMON("CloneKey", clone_key, option_path, "an absolute path", 0, 0),
        DAEMON("ClonePrivate", clone_private, option_flag, "yes or no", 0, 0),
        DAEMON("GitHelper", git_helper, option_path, "an absolute path", 0, 0),
        DAEMON("GitImage", git_image, option_image, "the name of an image, or nothing", 0, 0),
        DAEMON("GitImageHelper", git_image_helper, option_path, "an absolute path", 0, 0),
        DAEMON("GitBranch", git_branch, option_branch, "the name of a branch", 0, 0),
        DAEMON("GitReflog", git_reflog, option_flag, "yes or no", 0, 0),
        DAEMON("GitRewinds", git_rewinds, option_flag, "yes or no", 0, 0),
        DAEMON("RepositoryMax", repository_max, option_size, "a size from 1M to 1024G", MIB, 1024 * 1024 * MIB),
        DAEMON("JobTimeout", job_timeout_usec, option_duration, "a duration from 1s to 30d", SEC, 30 * DAY),
        DAEMON("JobKeep", job_keep_usec, option_duration, "a duration from 0 to 30d", 0, 30 * DAY),
        DAEMON("JobsMax", jobs_max, option_count, "a number from 1 to 1000", 1, 1000),
        DAEMON("JobsWaiting", jobs_waiting, option_count, "a number up to 10000", 0, 10000),
        DAEMON("JobsKept", jobs_kept, option_count, "a number up to 10000", 0, 10000),
        DAEMON("JobMemory", job_memory, option_size, "a size from 16M to 1024G", 16 * MIB, 1024 * 1024 * MIB),
        DAEMON("Docker", docker, option_path, "an absolute path", 0, 0),
        DAEMON("Helper", helper, option_path, "an absolute path", 0, 0),
        AT_START("DockerSocket", docker_socket, option_path, "an absolute path", 0, 0),
        AT_START("DockerUnit", docker_unit, option_unit, "the name of a .service, or nothing", 0, 0),
        DAEMON("Wait", wait_usec, option_duration, "a duration from 1s to 1h", SEC, HOUR),
        DAEMON("ReadyTimeout", ready_timeout_usec, option_duration, "a duration from 1s to 24h", SEC, DAY),
        DAEMON("PullSilence", pull_silence_usec, option_duration, "a duration from 1s to 1h", SEC, HOUR),
        DAEMON("StopTimeout", stop_timeout_usec, option_duration, "a duration from 0 to 1h", 0, HOUR),
        AT_START("ChangesMax", changes_max, option_count, "a number from 1 to 4096", 1, 4096),
        DAEMON("StreamsMax", streams_max, option_count, "a number from 1 to 65536", 1, 65536),
        AT_START("RequestsMax", requests_max, option_count, "a number from 16 to 1000000", 16, 1000000),
        DAEMON("GearsMax", gears_max, option_count, "a number from 1 to 1000000", 1, 1000000),
        DAEMON("LogLevel", log_level, option_log_level, "emerg, alert, crit, err, warning, notice, info or debug", 0, 0),
        AT_START("HeadMax", limits.head_max, option_size, "a size from 1K to 1M", KIB, MIB),
        AT_START("BodyMax", limits.body_max, option_size, "a size from 1K to 64M", KIB, 64 * MIB),
        AT_START("PendingMax", limits.pending_max, option_size, "a size from 4K to 64M", 4 * KIB, 64 * MIB),
        AT_START("ConnectionsMax", limits.connections_max, option_count, "a number from 1 to 65536", 1, 65536),
        AT_START("ConnectionsPerAddress", limits.per_address_max, option_count, "a number up to 65536, 0 for no cap", 0, 65536),
        AT_START("RequestsPerConnection", limits.requests_per_connection, option_count, "a number from 1 to 1000000", 1, 1000000),
        AT_START("HeadTimeout", limits.head_usec, option_duration, "a duration from 100ms to 1h", 100 * MSEC, HOUR),
        AT_START("BodyTimeout", limits.body_usec, option_duration, "a duration from 100ms to 1h", 100 * MSEC, HOUR),
        AT_START("IdleTimeout", limits.idle_usec, option_duration, "a duration from 100ms to 1h", 100 * MSEC, HOUR),
        AT_START("StuckWrite", limits.stuck_usec, option_duration, "a duration from 100ms to 1h", 100 * MSEC, HOUR),

        LISTEN("Address", address, option_address, "IPv4:port, [IPv6]:port, the absolute path of a socket, or the name of an inherited one"),
        LISTEN("Faces", faces, option_faces, "any of gears, services, apps, actions, web"),
        LISTEN("Auth", auth, option_auth, "token, peer or none"),
        LISTEN("InsecureNoAuth", insecure_no_auth, option_flag, "yes or no"),
        LISTEN("Certificate", certificate, option_path, "an absolute path"),
        LISTEN("Key", key, option_path, "an absolute path"),
        LISTEN("ClientCA", client_ca, option_path, "an absolute path"),
        LISTEN("Origins", origins, option_origins, "origins like https://host:port, separated by blanks"),
        LISTEN("Hosts", hosts, option_list, "host names, separated by blanks"),
        LISTEN("Mode", mode, option_mode, "an octal mode, like 0660"),
        LISTEN("Group", group, option_string, "the name of a group"),
};
/* clang-format on */

static const struct config built_in = {
        .max_token_life_usec = DAY,
        .database_cache = 2 * MIB,
        .audit_days = 90,
        .audit_size = 256 * MIB,
        .port_first = 4000,
        .port_last = 4999,
        .log_rate_burst = 250000,
        .log_rate_usec = 30 * SEC,
        .clone_schemes = CLONE_HTTPS | CLONE_HTTP | CLONE_SSH | CLONE_GIT,
        .git_reflog = true,
        .git_rewinds = true,
        .job_timeout_usec = 900 * SEC,
        .job_keep_usec = 600 * SEC,
        .repository_max = 4096 * MIB,
        .job_memory = 1024 * MIB,
        .jobs_max = 8,
        .jobs_waiting = 200,
        .jobs_kept = 1000,
        .wait_usec = 60 * SEC,
        .ready_timeout_usec = 60 * SEC,
        .pull_silence_usec = 120 * SEC,
        .stop_timeout_usec = 10 * SEC,
        .changes_max = 64,
        .streams_max = 1024,
        .requests_max = 10000,
        .gears_max = 20000,
        .log_level = LOG_INFO,
};

static const struct {
        const char *key, *value;
} built_in_strings[] = {
        { "StateDirectory", "/var/lib/gears" }, { "Database", "/var/lib/geard/geard.db" },
        { "PublishAddress", "0.0.0.0" },        { "Docker", "/usr/bin/docker" },
        { "Helper", HELPERDIR "/gear-unit" },   { "GitHelper", HELPERDIR "/gear-git" },
        { "GitImageHelper", HELPERDIR "/gear-git-static" },
        { "GitImage", "" },                     { "GitBranch", "main" },
        { "DockerSocket", "/run/docker.sock" }, { "DockerUnit", "docker.service" },
        { "KeysDirectory", "/etc/geard/keys.d" }, { "NodeName", "" },
};

static const char *const built_in_listens[] = { "127.0.0.1:2223", "[::1]:2223", "/run/geard/geard.sock" };

/* While a file is read; a new [Listen] gets its own entry at once. */
struct load {
        struct config *config;
        bool auth_given; /* of the current [Listen] */
};

const struct option *config_options(size_t *ret_n)
{
        *ret_n = ARRAY_SIZE(options);
        return options;
}

static const struct option *find_option(const char *section, const char *key)
{
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (streq(options[i].section, section) && streq(options[i].key, key))
                        return &options[i];
        return NULL;
}

static struct listen_config *last_listen(const struct config *c)
{
        return &c->listens[c->n_listens - 1];
}

static void listen_reset(struct listen_config *l)
{
        free(l->address);
        free(l->certificate);
        free(l->key);
        free(l->client_ca);
        strv_free(l->origins);
        strv_free(l->hosts);
        free(l->group);
        free(l->where);
        *l = (struct listen_config){ 0 };
}

static int add_listen(struct config *c, const char *file, unsigned line)
{
        struct listen_config *l = reallocarray(c->listens, c->n_listens + 1, sizeof *l);

        if (!l)
                return -ENOMEM;
        c->listens = l;
        l += c->n_listens++;
        *l = (struct listen_config){ .faces = FACE_ALL, .auth = AUTH_TOKEN, .mode = 0660 };
        l->group = strdup("gears");
        if (asprintf(&l->where, "%s:%u", file, line) < 0)
                l->where = NULL;
        return l->group && l->where ? 0 : -ENOMEM;
}

/* --- unknown keys ------------------------------------------------------------ */

/* How many letters must change, come or go, or swapped case, between two words. */
static unsigned distance(const char *a, const char *b)
{
        unsigned row[KEY_MAX + 1];
        size_t n = strlen(b);

        for (size_t j = 0; j <= n; j++)
                row[j] = (unsigned) j;
        for (size_t i = 0; a[i]; i++) {
                unsigned diagonal = row[0];

                row[0] = (unsigned) i + 1;
                for (size_t j = 0; j < n; j++) {
                        unsigned best = diagonal + (strncasecmp(a + i, b + j, 1) != 0);

                        diagonal = row[j + 1];
                        if (row[j] + 1 < best)
                                best = row[j] + 1;
                        if (diagonal + 1 < best)
                                best = diagonal + 1;
                        row[j + 1] = best;
                }
        }
        return row[n];
}

static const char *similar_key(const struct config_line *line)
{
        const char *best = NULL;
        unsigned least = 3;

        if (strlen(line->key) > KEY_MAX)
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                unsigned d = streq(options[i].section, line->section) ? distance(line->key, options[i].key)
                                                                      : least;

                if (d < least) {
                        least = d;
                        best = options[i].key;
                }
        }
        return best;
}

static int warn_unknown(struct config *c, const struct config_line *line, struct fault *f)
{
        const char *similar = similar_key(line);
        int r;

        if (similar)
                r = strv_addf(&c->warnings, "%s:%u: unknown key %s= in [%s], did you mean %s=?", line->file,
                              line->number, line->key, line->section, similar);
        else
                r = strv_addf(&c->warnings, "%s:%u: unknown key %s= in [%s]", line->file, line->number,
                              line->key, line->section);
        return r < 0 ? fault_oom(f) : 0;
}

/* --- lines and files --------------------------------------------------------- */

static int begin_section(struct load *load, const struct config_line *line, struct fault *f)
{
        int r = 0;

        load->auth_given = false;
        if (streq(line->section, "Listen")) {
                if (load->config->n_listens == LISTENS_MAX)
                        return fault_set(f, FAULT_INVALID, "Listen", "%s:%u: more than %d [Listen] blocks",
                                         line->file, line->number, LISTENS_MAX);
                r = add_listen(load->config, line->file, line->number);
        } else if (!streq(line->section, "Daemon")) {
                r = strv_addf(&load->config->warnings, "%s:%u: unknown section [%s]", line->file,
                              line->number, line->section);
        }
        return r < 0 ? fault_oom(f) : 0;
}

static int read_line(void *arg, const struct config_line *line, struct fault *f)
{
        struct load *load = arg;
        const struct option *o;
        void *owner = load->config;
        int r;

        if (!line->key)
                return begin_section(load, line, f);
        o = find_option(line->section, line->key);
        if (!o)
                return warn_unknown(load->config, line, f);
        if (streq(o->section, "Listen")) {
                owner = last_listen(load->config);
                load->auth_given |= o->read == option_auth;
        }
        r = o->read(o, line->value, owner);
        if (r == -ENOMEM)
                return fault_oom(f);
        if (r < 0)
                return fault_set(f, FAULT_INVALID, o->key, "%s:%u: %s=%.128s: must be %s", line->file,
                                 line->number, o->key, line->value, o->accepts);
        /* Whoever reaches a socket file has shown a uid; nobody who reaches a port has. */
        if (o->read == option_address && address_kind(line->value) == ADDRESS_UNIX && !load->auth_given)
                last_listen(load->config)->auth = AUTH_PEER;
        return 0;
}

static int read_file(struct config *c, const char *path, bool required, struct fault *f)
{
        _cleanup_free_ char *text = NULL;
        struct load load = { .config = c };
        size_t len;
        int r;

        r = file_read(path, FILE_MAX, &text, &len);
        if (r == -ENOENT && !required)
                return 0;
        if (r < 0)
                return fault_errno(f, r, "cannot read %s", path);
        if (strlen(text) != len)
                return fault_set(f, FAULT_INVALID, NULL, "%s: holds a NUL byte", path);
        return config_file_parse(text, path, read_line, &load, f);
}

static int note_drop_in(void *arg, const char *name)
{
        char ***names = arg;

        return name[0] != '.' && ends_with(name, ".conf") ? strv_add(names, name) : 0;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* All NAME.conf of a directory, in the order of their names. */
static int read_drop_ins(struct config *c, const char *dir, struct fault *f)
{
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_strv_ char **names = NULL;
        int r;

        if (fd < 0)
                return errno == ENOENT ? 0 : fault_errno(f, errno, "cannot read %s", dir);
        r = dir_each(fd, note_drop_in, &names);
        if (r < 0)
                return fault_errno(f, r, "cannot read %s", dir);
        if (names)
                qsort(names, strv_len(names), sizeof *names, compare_names);
        for (char **name = names; name && *name; name++) {
                _cleanup_free_ char *path = NULL;

                if (asprintf(&path, "%s/%s", dir, *name) < 0) {
                        path = NULL; /* undefined after a failure */
                        return fault_oom(f);
                }
                r = read_file(c, path, true, f);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- the whole --------------------------------------------------------------- */

/* A later block for the same address takes the place of the earlier one. */
static int replace_earlier(struct config *c, struct fault *f)
{
        for (size_t i = 0; i < c->n_listens; i++) {
                struct listen_config *l = &c->listens[i], *later = NULL;

                for (size_t j = i + 1; j < c->n_listens && !later; j++)
                        if (streq_null(l->address, c->listens[j].address))
                                later = &c->listens[j];
                if (!later || !l->address)
                        continue;
                if (strv_addf(&c->warnings, "%s: replaces the [Listen] of %s", later->where, l->where) < 0)
                        return fault_oom(f);
                listen_reset(l);
                memmove(l, l + 1, (--c->n_listens - i) * sizeof *l);
                i--;
        }
        return 0;
}

static int check_listen(const struct listen_config *l, struct fault *f)
{
        enum address_kind kind;

        if (!l->address)
                return fault_set(f, FAULT_INVALID, "Address", "%s: [Listen] without Address=", l->where);
        kind = address_kind(l->address);
        if (l->auth == AUTH_NONE && kind != ADDRESS_LOOPBACK && kind != ADDRESS_UNIX && !l->insecure_no_auth)
                return fault_set(f, FAULT_INVALID, "Auth",
                                 "%s: Auth=none on %s would let anybody in; if that is meant, say "
                                 "InsecureNoAuth=yes in the same block",
                                 l->where, l->address);
        if (l->auth == AUTH_PEER && kind != ADDRESS_UNIX && kind != ADDRESS_INHERITED)
                return fault_set(f, FAULT_INVALID, "Auth", "%s: Auth=peer needs a unix socket, not %s",
                                 l->where, l->address);
        if (!l->certificate != !l->key)
                return fault_set(f, FAULT_INVALID, l->key ? "Certificate" : "Key",
                                 "%s: Certificate= and Key= go together", l->where);
        if (l->client_ca && !l->certificate)
                return fault_set(f, FAULT_INVALID, "ClientCA",
                                 "%s: ClientCA= needs Certificate= and Key=", l->where);
        return 0;
}

/* The group may come later, with the package that makes it: until then it admits nobody. */
static void find_group(struct listen_config *l)
{
        const struct group *g = address_kind(l->address) == ADDRESS_UNIX ? getgrnam(l->group) : NULL;

        l->has_group_id = g != NULL;
        l->group_id = g ? g->gr_gid : 0;
}

static int add_built_in_listens(struct config *c)
{
        for (size_t i = 0; i < ARRAY_SIZE(built_in_listens); i++) {
                struct listen_config *l;
                int r = add_listen(c, "built-in", (unsigned) i + 1);

                if (r < 0)
                        return r;
                l = last_listen(c);
                l->address = strdup(built_in_listens[i]);
                if (!l->address)
                        return -ENOMEM;
                l->auth = address_kind(l->address) == ADDRESS_UNIX ? AUTH_PEER : AUTH_TOKEN;
        }
        return 0;
}

static int set_built_in(struct config *c)
{
        *c = built_in;
        c->limits = server_limits_default;
        for (size_t i = 0; i < ARRAY_SIZE(built_in_strings); i++) {
                const struct option *o = find_option("Daemon", built_in_strings[i].key);
                int r = o->read(o, built_in_strings[i].value, c);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_files(struct config *c, const char *file, struct fault *f)
{
        _cleanup_free_ char *drop_ins = NULL;
        int r;

        if (file) {
                r = read_file(c, file, true, f);
        } else {
                r = read_file(c, VENDORDIR "/geard.conf", false, f);
                file = SYSCONFDIR "/geard/geard.conf";
                if (r == 0)
                        r = read_file(c, file, false, f);
        }
        if (r < 0)
                return r;
        if (asprintf(&drop_ins, "%s.d", file) < 0) {
                drop_ins = NULL; /* undefined after a failure */
                return fault_oom(f);
        }
        return read_drop_ins(c, drop_ins, f);
}

int config_load(const char *file, struct config **ret, struct fault *f)
{
        _cleanup_(config_freep) struct config *c = calloc(1, sizeof *c);
        int r;

        if (!c || set_built_in(c) < 0)
                return fault_oom(f);
        r = read_files(c, file, f);
        if (r == 0)
                r = replace_earlier(c, f);
        if (r < 0)
                return r;
        if (c->n_listens == 0 && add_built_in_listens(c) < 0)
                return fault_oom(f);
        for (size_t i = 0; i < c->n_listens; i++) {
                r = check_listen(&c->listens[i], f);
                if (r < 0)
                        return r;
                find_group(&c->listens[i]);
        }
        *ret = TAKE(c);
        return 0;
}

struct config *config_free(struct config *c)
{
        if (!c)
                return NULL;
        for (size_t i = 0; i < c->n_listens; i++)
                listen_reset(&c->listens[i]);
        free(c->listens);
        free(c->state_directory);
        free(c->database);
        strv_free(c->volume_paths);
        strv_free(c->clone_paths);
        free(c->clone_key);
        free(c->git_helper);
        free(c->git_image);
        free(c->git_image_helper);
        free(c->git_branch);
        strv_free(c->allow_registries);
        free(c->publish_address);
        free(c->docker);
        free(c->helper);
        free(c->docker_socket);
        free(c->docker_unit);
        free(c->keys_directory);
        free(c->node_name);
        strv_free(c->warnings);
        free(c);
        return NULL;
}
