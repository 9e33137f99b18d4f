/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/repositories.h"

#include "core/ident.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define FOLDER "git"

static const char *const suffixes[] = {
        [REPOSITORY_WHOLE] = "", [REPOSITORY_NEW] = ".new", [REPOSITORY_GONE] = ".gone"
};

static void name_of(const char *id, enum repository_place place, char *ret, size_t size)
{
        (void) snprintf(ret, size, "%s%s%s", place == REPOSITORY_WHOLE ? "" : ".", id, suffixes[place]);
}

void repository_path(const char *root, const char *id, enum repository_place place, char *ret, size_t size)
{
        char name[GEAR_ID_MAX + 16];

        name_of(id, place, name, sizeof name);
        (void) snprintf(ret, size, "%s/" FOLDER "/%s", root, name);
}

static int open_folder(const char *root)
{
        _cleanup_close_ int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int fd;

        if (dir < 0)
                return -errno;
        fd = openat(dir, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return fd < 0 ? -errno : fd;
}

int repositories_prepare(const char *root)
{
        _cleanup_close_ int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir < 0)
                return -errno;
        if (mkdirat(dir, FOLDER, 0755) == 0)
                return fchmodat(dir, FOLDER, 0755, 0) < 0 || fsync(dir) < 0 ? -errno : 0;
        return errno == EEXIST ? 0 : -errno;
}

static int look_at(const char *root, const char *id, struct stat *ret)
{
        _cleanup_close_ int folder = open_folder(root);

        if (folder < 0)
                return folder == -ENOENT ? 0 : folder;
        if (fstatat(folder, id, ret, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 1;
}

int repository_exists(const char *root, const char *id)
{
        struct stat st;

        return look_at(root, id, &st);
}

int repository_birth(const char *root, const char *id, enum repository_place place, uint64_t *ret_usec)
{
        _cleanup_close_ int folder = open_folder(root);
        char name[GEAR_ID_MAX + 16];
        struct statx st;

        if (folder < 0)
                return folder == -ENOENT ? 0 : folder;
        name_of(id, place, name, sizeof name);
        if (statx(folder, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        *ret_usec = 0;
        if (st.stx_mask & STATX_BTIME)
                *ret_usec = (uint64_t) st.stx_btime.tv_sec * 1000000 + st.stx_btime.tv_nsec / 1000;
        return 1;
}

int repository_came_since(const char *root, const char *id, uint64_t usec)
{
        uint64_t born;
        struct stat st;
        int r = repository_birth(root, id, REPOSITORY_WHOLE, &born);

        if (r > 0 && !born && (r = look_at(root, id, &st)) > 0) /* no filesystem of today's */
                born = (uint64_t) st.st_ctim.tv_sec * 1000000 + (uint64_t) st.st_ctim.tv_nsec / 1000;
        return r > 0 ? born >= usec : r;
}

int repository_move(const char *root, const char *id, enum repository_place from, enum repository_place to)
{
        _cleanup_close_ int folder = open_folder(root);
        char old[GEAR_ID_MAX + 16], new[GEAR_ID_MAX + 16];

        if (folder < 0)
                return folder;
        name_of(id, from, old, sizeof old);
        name_of(id, to, new, sizeof new);
        return renameat2(folder, old, folder, new, RENAME_NOREPLACE) < 0 || fsync(folder) < 0 ? -errno : 0;
}

int repository_remove_empty(const char *root, const char *id, enum repository_place place)
{
        _cleanup_close_ int folder = open_folder(root);
        char name[GEAR_ID_MAX + 16];

        if (folder < 0)
                return folder == -ENOENT ? 0 : folder;
        name_of(id, place, name, sizeof name);
        if (unlinkat(folder, name, AT_REMOVEDIR) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(folder) < 0 ? -errno : 0;
}

/* Is it an entry of this place, and whose? */
static bool id_of(const char *name, enum repository_place place, char ret[static GEAR_ID_MAX + 1])
{
        size_t front = place == REPOSITORY_WHOLE ? 0 : 1, n = strlen(name), back = strlen(suffixes[place]);

        if (n <= front + back || n - front - back > GEAR_ID_MAX || (front > 0) != (name[0] == '.') ||
            !streq(name + n - back, suffixes[place]))
                return false;
        memcpy(ret, name + front, n - front - back);
        ret[n - front - back] = '\0';
        return gear_id_valid(ret);
}

int repositories_each(const char *root, enum repository_place place, int (*entry)(void *arg, const char *id), void *arg)
{
        char id[GEAR_ID_MAX + 1];
        struct dirent *e;
        int fd = open_folder(root), r = 0;
        DIR *dir;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        dir = fdopendir(fd);
        if (!dir) {
                r = -errno;
                (void) close(fd);
                return r;
        }
        while (r == 0 && (errno = 0, e = readdir(dir)))
                if (id_of(e->d_name, place, id))
                        r = entry(arg, id);
        if (r == 0)
                r = -errno;
        (void) closedir(dir);
        return r;
}
