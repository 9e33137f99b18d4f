/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/job-files.h"

#include "core/ident.h"
#include "util/file.h"

#include <fcntl.h>
#include <stdio.h>

#define FOLDER "jobs"
#define SUFFIX ".env"
#define NAME_LEN (GEAR_ID_MAX + sizeof SUFFIX)

/* Made where it is missing. */
static int open_folder(const char *root)
{
        _cleanup_close_ int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return top < 0 ? -errno : dir_open_at(top, FOLDER, 0700);
}

static void name_of(const char *id, char ret[static NAME_LEN])
{
        (void) snprintf(ret, NAME_LEN, "%.*s" SUFFIX, GEAR_ID_MAX, id);
}

int job_files_write(const char *root, const char *id, const struct environ *env)
{
        _cleanup_close_ int folder = open_folder(root);
        _cleanup_text_ struct text t = { 0 };
        char name[NAME_LEN];

        if (folder < 0)
                return folder;
        environ_to_file(env, &t);
        if (!text_ok(&t))
                return -ENOMEM;
        name_of(id, name);
        return file_replace_at(folder, name, t.data ? t.data : "", t.len, 0600);
}

int job_files_remove(const char *root, const char *id)
{
        _cleanup_close_ int folder = open_folder(root);
        char name[NAME_LEN];

        if (folder < 0)
                return folder;
        name_of(id, name);
        return file_remove_at(folder, name);
}

struct walk {
        int (*entry)(void *arg, const char *id);
        void *arg;
};

static int walk_name(void *arg, const char *name)
{
        const struct walk *w = arg;
        char id[GEAR_ID_MAX + 1];
        size_t n = strlen(name);

        if (!ends_with(name, SUFFIX) || n - strlen(SUFFIX) > GEAR_ID_MAX)
                return 0;
        (void) snprintf(id, sizeof id, "%.*s", (int) (n - strlen(SUFFIX)), name);
        return gear_id_valid(id) ? w->entry(w->arg, id) : 0;
}

int job_files_each(const char *root, int (*entry)(void *arg, const char *id), void *arg)
{
        _cleanup_close_ int folder = open_folder(root);
        struct walk w = { .entry = entry, .arg = arg };
        int r;

        if (folder < 0)
                return folder;
        r = dir_remove_leftovers(folder);
        return r < 0 ? r : dir_each(folder, walk_name, &w);
}
