/* SPDX-License-Identifier: Apache-2.0 */

#include "api/git-unit.h"

#include "api/task.h"

#include <assert.h>
#include <stdio.h>
#include <syslog.h>

#define STATE_ROOT "/var/lib/"
#define NICE 10
#define STOP_USEC (10 * USEC_PER_SEC)

int git_unit_admit(const struct daemon *d, struct fault *f)
{
        if (d->git_root_error == 0)
                return 0;
        return fault_set(f, FAULT_INTERNAL, NULL,
                         "this host cannot work on repositories: when geard started, %s could not be made (%s)",
                         d->git_root.path, strerror(-d->git_root_error));
}

static void set(struct git_unit *u, struct setting s)
{
        assert(u->n < GIT_UNIT_SETTINGS_MAX);
        u->settings[u->n++] = s;
}

static void set_life(struct git_unit *u, const struct daemon *d, const struct git_unit_options *o)
{
        set(u, SET_STRING("Description", u->description));
        set(u, SET_STRING("Type", "oneshot"));
        if (o->kept)
                set(u, SET_BOOL("RemainAfterExit", true));
        if (o->input >= 0)
                set(u, SET_FD("StandardInputFileDescriptor", o->input));
        if (o->output >= 0) {
                set(u, SET_FD("StandardOutputFileDescriptor", o->output));
                /* Were both the journal, systemd would take the one for the other, and put git's warnings there, too. */
                set(u, SET_STRING("StandardOutput", "null"));
                set(u, SET_STRING("StandardError", "journal"));
        }
        set(u, SET_STRING("SyslogIdentifier", u->identifier));
        set(u, SET_BOOL("SyslogLevelPrefix", false));
        set(u, SET_I32("SyslogLevel", LOG_ERR)); /* git has a word for its standard output only where that is no journal */
        set(u, SET_STRING("Slice", TASK_SLICE));
        set(u, SET_I32("Nice", NICE)); /* gears, logs and calls come first */
        set(u, SET_U64("TimeoutStartUSec", d->config->job_timeout_usec));
        set(u, SET_U64("TimeoutStopUSec", STOP_USEC));
        set(u, SET_U64("MemoryMax", d->config->job_memory));
        set(u, SET_U64("TasksMax", GIT_TASKS_MAX));
        set(u, SET_U64("LimitCORE", 0));
        set(u, SET_U64("LimitFSIZE", d->config->repository_max)); /* most clones are one file, the pack */
        set(u, SET_U32("UMask", 027));
}

/* What a clone over the network sees of the host: programs, certificates, names. Not the sockets, nor anybody's state. */
static void set_view_of_host(struct git_unit *u)
{
        static const char *const hidden[] = { "/var", "ro", "/run", "ro", "/srv", "ro", NULL };
        /* Without /sys, capabilities and most of /proc, ProtectKernel*= would protect nothing, and take 15 ms. */
        static const char *const closed[] = { "/sys", "-/etc/geard", "-/etc/shadow", "-/etc/gshadow", NULL };

        u->shown[0] = u->shown[1] = "-/run/systemd/resolve";
        set(u, SET_STRING("ProtectHome", "yes"));
        set(u, SET_LIST("TemporaryFileSystem", SETTING_PAIRS, hidden));
        set(u, SET_LIST("BindReadOnlyPaths", SETTING_BINDS, u->shown));
        set(u, SET_LIST("InaccessiblePaths", SETTING_STRINGS, closed));
        set(u, SET_BOOL("PrivateDevices", true));
        set(u, SET_BOOL("ProtectHostname", true));
        set(u, SET_STRING("ProtectProc", "invisible"));
        set(u, SET_STRING("ProcSubset", "pid"));
}

static void show(struct git_unit *u, size_t *n, const char *path)
{
        assert(*n + 2 < ARRAY_SIZE(u->shown));
        u->shown[(*n)++] = path;
        u->shown[(*n)++] = path;
}

/*
 * All other work needs programs and nothing else. A root of its own is not only
 * smaller: systemd reads the table of mounts for each one that it hides or opens.
 */
static void set_view_of_programs(struct git_unit *u, const struct daemon *d, const struct git_unit_options *o)
{
        static const char *const scratch[] = { "/var", "ro", NULL };
        static const char *const devices[] = { "/dev/null", "/dev/null", "/dev/urandom", "/dev/urandom", NULL };
        size_t n = 0;

        show(u, &n, "/usr");
        for (const char *const *path = d->git_root.beside_usr; *path; path++)
                show(u, &n, *path);
        if (!starts_with(d->config->git_helper, "/usr/"))
                show(u, &n, d->config->git_helper);
        if (o->source) { /* which git says better that it is missing */
                (void) snprintf(u->source, sizeof u->source, "-%s", o->source);
                show(u, &n, u->source);
        }
        set(u, SET_STRING("RootDirectory", d->git_root.path));
        set(u, SET_BOOL("MountAPIVFS", false));
        set(u, SET_LIST("TemporaryFileSystem", SETTING_PAIRS, scratch));
        set(u, SET_LIST("BindReadOnlyPaths", SETTING_BINDS, u->shown));
        set(u, SET_LIST("BindPaths", SETTING_BINDS, devices));
}

static void set_view(struct git_unit *u, const struct daemon *d, const struct git_unit_options *o)
{
        if (o->network)
                set_view_of_host(u);
        else
                set_view_of_programs(u, d, o);
        u->binds[0] = u->dir;
        u->binds[1] = GIT_UNIT_DIR;
        set(u, SET_LIST(o->reads_only ? "BindReadOnlyPaths" : "BindPaths", SETTING_BINDS, u->binds));
        set(u, SET_STRING("ProtectSystem", "strict"));
        set(u, SET_BOOL("PrivateTmp", true));
}

static void set_powers(struct git_unit *u, const struct git_unit_options *o)
{
        static const char *const native[] = { "native", NULL };
        static const char *const calls[] = { "@system-service", NULL };

        set(u, SET_STRING("User", GIT_USER));
        set(u, SET_STRING("Group", GIT_USER));
        set(u, SET_BOOL("NoNewPrivileges", true));
        set(u, SET_U64("CapabilityBoundingSet", 0));
        set(u, SET_U64("AmbientCapabilities", 0));
        set(u, SET_BOOL("ProtectClock", true));
        set(u, SET_BOOL("RestrictRealtime", true));
        set(u, SET_BOOL("RestrictSUIDSGID", true));
        set(u, SET_U64("RestrictNamespaces", 0)); /* none of them */
        set(u, SET_BOOL("LockPersonality", true));
        set(u, SET_BOOL("MemoryDenyWriteExecute", true));
        set(u, SET_BOOL("RemoveIPC", true));
        set(u, SET_STRING("KeyringMode", "private"));
        set(u, SET_LIST("SystemCallArchitectures", SETTING_STRINGS, native));
        if (!o->reads_nothing) /* a list so long takes 4 ms */
                set(u, SET_LIST("SystemCallFilter", SETTING_ALLOW, calls));
}

static void set_network(struct git_unit *u, bool network)
{
        static const char *const families[] = { "AF_UNIX", "AF_INET", "AF_INET6", NULL };
        static const char *const here[] = { "AF_UNIX", NULL };

        set(u, SET_BOOL("PrivateNetwork", !network));
        set(u, SET_LIST("RestrictAddressFamilies", SETTING_ALLOW, network ? families : here));
}

/* PID 1 makes the directory, since we may give none away; that it does only below /var/lib. */
static void set_make_dir(struct git_unit *u)
{
        u->make_dir[0] = u->dir + strlen(STATE_ROOT);
        set(u, SET_LIST("StateDirectory", SETTING_STRINGS, u->make_dir));
        set(u, SET_U32("StateDirectoryMode", 0750));
}

static void set_commands(struct git_unit *u, const struct daemon *d, const struct git_unit_options *o)
{
        size_t n = 0;

        u->words[n++] = d->config->git_helper;
        for (const char *const *word = o->words; *word; word++) {
                assert(n < GIT_UNIT_WORDS_MAX - 1);
                u->words[n++] = *word;
        }
        if (o->fresh)
                set_make_dir(u);
        if (o->key) {
                u->key[0] = GIT_UNIT_KEY;
                u->key[1] = o->key;
                set(u, SET_LIST("LoadCredential", SETTING_PAIRS, u->key));
        }
        set(u, SET_LIST("ExecStart", SETTING_COMMAND, u->words));
}

bool git_unit_can_make(const char *dir)
{
        return starts_with(dir, STATE_ROOT);
}

void git_unit_init(struct git_unit *u, const struct daemon *d, const struct git_unit_options *o)
{
        *u = (struct git_unit){ 0 };
        (void) snprintf(u->dir, sizeof u->dir, "%s", o->dir);
        (void) snprintf(u->description, sizeof u->description, GIT_UNIT_DESCRIPTION, o->id);
        (void) snprintf(u->identifier, sizeof u->identifier, "job-%s", o->id);
        set_life(u, d, o);
        set_view(u, d, o);
        set_powers(u, o);
        set_network(u, o->network);
        set_commands(u, d, o);
}
