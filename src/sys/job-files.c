/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/job-files.h"

#include "core/job.h"
#include "core/unit.h"
#include "util/file.h"

#include <fcntl.h>
#include <stdio.h>

#define ENV_FOLDER "jobs"
#define ENV_SUFFIX ".env"
#define ENV_MAX ((size_t) 4 << 20)
#define UNIT_FOLDER "units"
#define SERVICE_SUFFIX ".service"
/* Of a service: the command and the record, each of which may be as long as a line of a unit. */
#define SERVICE_MAX (4 * UNIT_LINE_MAX)

/* Made where it is missing. */
static int open_folder(const char *root, const char *folder, mode_t mode)
{
        _cleanup_close_ int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return top < 0 ? -errno : dir_open_at(top, folder, mode);
}

/* --- environments -------------------------------------------------------------------------------- */

static int open_environments(const char *root)
{
        return open_folder(root, ENV_FOLDER, 0700);
}

static void file_of(const char *name, char ret[static JOB_ENV_MAX + sizeof ENV_SUFFIX])
{
        (void) snprintf(ret, JOB_ENV_MAX + sizeof ENV_SUFFIX, "%.*s" ENV_SUFFIX, (int) JOB_ENV_MAX, name);
}

int job_env_write(const char *root, const char *name, const struct environ *env)
{
        _cleanup_close_ int folder = open_environments(root);
        _cleanup_text_ struct text t = { 0 };
        char file[JOB_ENV_MAX + sizeof ENV_SUFFIX];

        if (folder < 0)
                return folder;
        environ_to_file(env, &t);
        if (!text_ok(&t))
                return -ENOMEM;
        file_of(name, file);
        return file_replace_at(folder, file, t.data ? t.data : "", t.len, 0600);
}

int job_env_read(const char *root, const char *name, struct environ *ret)
{
        _cleanup_close_ int folder = open_environments(root);
        _cleanup_free_ char *text = NULL;
        char file[JOB_ENV_MAX + sizeof ENV_SUFFIX];
        int r;

        if (folder < 0)
                return folder;
        file_of(name, file);
        r = file_read_text_at(folder, file, ENV_MAX, &text);
        return r < 0 ? r : environ_from_file(text, ret);
}

int job_env_remove(const char *root, const char *name)
{
        _cleanup_close_ int folder = open_environments(root);
        char file[JOB_ENV_MAX + sizeof ENV_SUFFIX];

        if (folder < 0)
                return folder;
        file_of(name, file);
        return file_remove_at(folder, file);
}

struct env_tidy {
        int folder;
        const char *id, *keep;
};

static int tidy_env(void *arg, const char *file)
{
        const struct env_tidy *t = arg;
        size_t n = strlen(t->id), kept = t->keep ? strlen(t->keep) : 0;

        if (strncmp(file, t->id, n) != 0 || file[n] != JOB_ENV_MARK)
                return 0;
        if (t->keep && strncmp(file, t->keep, kept) == 0 && streq(file + kept, ENV_SUFFIX))
                return 0;
        return file_remove_at(t->folder, file);
}

int job_env_remove_others(const char *root, const char *id, const char *keep)
{
        _cleanup_close_ int folder = open_environments(root);
        struct env_tidy t = { .folder = folder, .id = id, .keep = keep };

        return folder < 0 ? folder : dir_each(folder, tidy_env, &t);
}

struct env_walk {
        int (*entry)(void *arg, const char *name);
        void *arg;
};

static int walk_env(void *arg, const char *file)
{
        const struct env_walk *w = arg;
        size_t n = strlen(file);
        char name[JOB_ENV_MAX];

        if (!ends_with(file, ENV_SUFFIX) || n - strlen(ENV_SUFFIX) >= sizeof name)
                return 0;
        (void) snprintf(name, sizeof name, "%.*s", (int) (n - strlen(ENV_SUFFIX)), file);
        return w->entry(w->arg, name);
}

int job_env_each(const char *root, int (*entry)(void *arg, const char *name), void *arg)
{
        _cleanup_close_ int folder = open_environments(root);
        struct env_walk w = { .entry = entry, .arg = arg };
        int r;

        if (folder < 0)
                return folder;
        r = dir_remove_leftovers(folder);
        return r < 0 ? r : dir_each(folder, walk_env, &w);
}

/* --- units ------------------------------------------------------------------------------------------ */

static int open_units(const char *root)
{
        return open_folder(root, UNIT_FOLDER, 0755);
}

void job_units_path(const char *root, const char *unit, char *ret, size_t size)
{
        (void) snprintf(ret, size, "%s/" UNIT_FOLDER "/%s", root, unit);
}

static int write_timer(int folder, const char *id, const char *timer)
{
        char unit[UNIT_NAME_MAX];

        job_timer_name(id, unit);
        return file_replace_at(folder, unit, timer, strlen(timer), 0644);
}

int job_units_write(const char *root, const char *id, const char *service, const char *timer)
{
        _cleanup_close_ int folder = open_units(root);
        char unit[UNIT_NAME_MAX];
        int r = folder < 0 ? folder : write_timer(folder, id, timer);

        if (r < 0)
                return r;
        job_unit_name(id, unit);
        return file_replace_at(folder, unit, service, strlen(service), 0644);
}

int job_units_write_timer(const char *root, const char *id, const char *timer)
{
        _cleanup_close_ int folder = open_units(root);
        _cleanup_free_ char *now = NULL;
        char unit[UNIT_NAME_MAX];

        if (folder < 0)
                return folder;
        job_timer_name(id, unit);
        if (file_read_at(folder, unit, SERVICE_MAX, &now, NULL) == 0 && streq(now, timer))
                return 0;
        return write_timer(folder, id, timer);
}

int job_units_read(const char *root, const char *id, char **ret)
{
        _cleanup_close_ int folder = open_units(root);
        char unit[UNIT_NAME_MAX];

        job_unit_name(id, unit);
        return folder < 0 ? folder : file_read_text_at(folder, unit, SERVICE_MAX, ret);
}

int job_units_remove(const char *root, const char *id)
{
        _cleanup_close_ int folder = open_units(root);
        char unit[UNIT_NAME_MAX];
        int r;

        if (folder < 0)
                return folder;
        job_unit_name(id, unit);
        r = file_remove_at(folder, unit);
        job_timer_name(id, unit);
        return r < 0 ? r : file_remove_at(folder, unit);
}

struct unit_walk {
        int folder;
        int (*entry)(void *arg, const char *id);
        void *arg;
};

static int walk_unit(void *arg, const char *name)
{
        const struct unit_walk *w = arg;
        char id[GEAR_ID_MAX + 1], service[UNIT_NAME_MAX];

        if (!job_id_of_unit(name, id))
                return 0;
        if (ends_with(name, SERVICE_SUFFIX))
                return w->entry(w->arg, id);
        job_unit_name(id, service);
        return file_exists_at(w->folder, service) ? 0 : file_remove_at(w->folder, name);
}

int job_units_each(const char *root, int (*entry)(void *arg, const char *id), void *arg)
{
        _cleanup_close_ int folder = open_units(root);
        struct unit_walk w = { .folder = folder, .entry = entry, .arg = arg };

        return folder < 0 ? folder : dir_each(folder, walk_unit, &w);
}
