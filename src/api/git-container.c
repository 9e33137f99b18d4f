/* SPDX-License-Identifier: Apache-2.0 */

#include "api/git-container.h"

#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#define HELPER_INSIDE "/gear-git"
#define KEYS_INSIDE "/run/geard"
#define KNOWN_HOSTS "/etc/ssh/ssh_known_hosts"
#define PASSWD "/etc/passwd"
#define INSTALL "/usr/bin/install"
#define STOP_USEC (10 * USEC_PER_SEC)
#define LOOKUP_MAX 16384

static int keep(char **member, const char *value)
{
        *member = strdup(value);
        return *member ? 0 : -ENOMEM;
}

/* --- what they are made from ------------------------------------------------------------------------ */

struct git_base *git_base_new(const struct config *config)
{
        struct git_base *base = calloc(1, sizeof *base);

        if (!base)
                return NULL;
        base->needs.pull = PULL_MISSING;
        if (keep(&base->needs.image, config->git_image) < 0 || keep(&base->helper, config->git_image_helper) < 0)
                return git_base_free(base);
        return base;
}

struct git_base *git_base_free(struct git_base *base)
{
        if (!base)
                return NULL;
        spec_reset(&base->needs);
        free(base->helper);
        free(base);
        return NULL;
}

int git_base_look(struct git_base *base, struct fault *f)
{
        char buffer[LOOKUP_MAX];
        struct passwd user, *found = NULL;
        int r = getpwnam_r(GIT_USER, &user, buffer, sizeof buffer, &found);

        if (!found)
                return fault_set(f, FAULT_INTERNAL, NULL, "there is no user " GIT_USER ": %s",
                                 r ? strerror(r) : "see sysusers.d(5)");
        if (access(base->helper, X_OK) < 0)
                return fault_set(f, FAULT_INTERNAL, NULL, "%s (GitImageHelper=): %s", base->helper, strerror(errno));
        base->uid = user.pw_uid;
        base->gid = user.pw_gid;
        base->known_hosts = access(KNOWN_HOSTS, R_OK) == 0;
        return 0;
}

/* --- the container ---------------------------------------------------------------------------------- */

static int mount_at(struct spec *spec, const char *source, const char *target, bool read_only)
{
        struct spec_volume *volume = &spec->volumes[spec->n_volumes++];

        assert(spec->n_volumes <= SPEC_VOLUMES_MAX);
        volume->read_only = read_only;
        return keep(&volume->source, source) < 0 ? -ENOMEM : keep(&volume->target, target);
}

static int add_mounts(struct git_container *c, const struct git_base *base, const struct git_unit_options *o)
{
        int r = 0;

        r |= mount_at(&c->spec, o->dir, GIT_UNIT_DIR, false);
        r |= mount_at(&c->spec, base->helper, HELPER_INSIDE, true);
        if (o->source)
                r |= mount_at(&c->spec, o->source, o->source, true);
        if (o->network) /* ssh works for nobody who has no name */
                r |= mount_at(&c->spec, PASSWD, PASSWD, true);
        if (o->network && base->known_hosts)
                r |= mount_at(&c->spec, KNOWN_HOSTS, KNOWN_HOSTS, true);
        if (o->key)
                r |= mount_at(&c->spec, c->key, KEYS_INSIDE "/" GIT_UNIT_KEY, true);
        return r;
}

/* The network of a clone is the host's, as it is that of the sandbox: the same names lead to the same servers. */
static int write_spec(struct git_container *c, const struct config *config, const struct git_base *base,
                      const struct git_unit_options *o)
{
        int r = 0;

        c->spec.memory = config->job_memory;
        c->spec.pids = GIT_TASKS_MAX;
        c->spec.read_only = true;
        c->spec.stop_timeout_usec = STOP_USEC;
        (void) snprintf(c->user, sizeof c->user, "%u:%u", base->uid, base->gid);
        r |= keep(&c->spec.image, base->needs.image);
        r |= keep(&c->spec.user, c->user);
        r |= keep(&c->spec.workdir, "/"); /* the image's may be closed to it */
        r |= keep(&c->spec.network, o->network ? "host" : "none");
        r |= keep(&c->spec.stop_signal, "SIGKILL"); /* what it leaves is removed; and PID 1 hears no other */
        r |= strv_add(&c->spec.cap_drop, "ALL");
        for (const char *const *word = o->words; *word; word++)
                r |= strv_add(&c->spec.command, *word);
        return r | add_mounts(c, base, o);
}

static int write_unit(struct git_container *c, const struct daemon *d, const struct git_unit_options *o, struct fault *f)
{
        const char *const options[] = { "--entrypoint=" HELPER_INSIDE,
                                        "--security-opt=no-new-privileges",
                                        "--userns=host", /* the uid is the host's */
                                        "--tmpfs=/tmp",
                                        "--ulimit=core=0",
                                        "--no-healthcheck",
                                        c->file_max,
                                        "--env=CREDENTIALS_DIRECTORY=" KEYS_INSIDE,
                                        NULL };

        (void) snprintf(c->file_max, sizeof c->file_max, "--ulimit=fsize=%zu", d->config->repository_max);
        (void) snprintf(c->description, sizeof c->description, GIT_UNIT_DESCRIPTION, o->id);
        return job_unit_init(&c->unit, d,
                             &(struct job_unit_options){ .job = &c->job,
                                                         .spec = &c->spec,
                                                         .description = c->description,
                                                         .options = options,
                                                         .no_environment = true },
                             f);
}

/* --- what its unit does before ---------------------------------------------------------------------- */

/* Its directory and its key are there before it, and both are git's user's; gear-unit and the client are root's. */
static void set_preparation(struct git_container *c, const struct git_unit_options *o)
{
        const char *const make_dir[] = { INSTALL, "-d", "-m", "0750", "-o", GIT_USER, "-g", GIT_USER, "--", o->dir, NULL };
        const char *const copy_key[] = { INSTALL,  "-m",          "0400", "-o", GIT_USER, "-g", GIT_USER, "--",
                                         o->key,   c->key,        NULL };
        const char *const drop_key[] = { "/bin/rm", "-f", "--", c->key, NULL }; /* the unit stays for JobKeep= */

        memcpy(c->make_dir, make_dir, sizeof make_dir);
        job_unit_set(&c->unit, SET_LIST("ExecStartPre", SETTING_COMMAND, c->make_dir));
        if (!o->key)
                return;
        memcpy(c->copy_key, copy_key, sizeof copy_key);
        memcpy(c->drop_key, drop_key, sizeof drop_key);
        c->runtime_dirs[0] = c->runtime;
        job_unit_set(&c->unit, SET_LIST("RuntimeDirectory", SETTING_STRINGS, c->runtime_dirs));
        job_unit_set(&c->unit, SET_U32("RuntimeDirectoryMode", 0700));
        job_unit_set(&c->unit, SET_LIST("ExecStartPre", SETTING_COMMAND, c->copy_key));
        job_unit_set(&c->unit, SET_LIST("ExecStartPost", SETTING_COMMAND, c->drop_key));
}

static void name_key(struct git_container *c, const char *id)
{
        (void) snprintf(c->runtime, sizeof c->runtime, "gear-git/%s", id);
        (void) snprintf(c->key, sizeof c->key, "/run/%s/" GIT_UNIT_KEY, c->runtime);
}

int git_container_init(struct git_container *c, const struct daemon *d, const struct git_base *base, const char *request_id,
                       const struct git_unit_options *o, struct fault *f)
{
        *c = (struct git_container){ .job = { .timeout_usec = d->config->job_timeout_usec } };
        (void) snprintf(c->id, sizeof c->id, "%s", o->id);
        (void) snprintf(c->job.request_id, sizeof c->job.request_id, "%s", request_id);
        c->job.id = c->id;
        name_key(c, o->id);
        if (write_spec(c, d->config, base, o) != 0)
                return fault_oom(f);
        if (write_unit(c, d, o, f) < 0)
                return -EINVAL;
        set_preparation(c, o);
        return 0;
}

void git_container_reset(struct git_container *c)
{
        job_unit_reset(&c->unit);
        spec_reset(&c->spec);
}
