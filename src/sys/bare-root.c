/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/bare-root.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "root"

/* Open; and for others to look into, whatever our umask is. */
static int make_dir(int at, const char *name)
{
        int fd, r;

        if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchmod(fd, 0755) == 0)
                return fd < 0 ? -errno : fd;
        r = -errno;
        (void) close(fd);
        return r;
}

static int make_place(int at, const char *name)
{
        _cleanup_close_ int fd = make_dir(at, name);

        return fd < 0 ? fd : 0;
}

static int make_file(int at, const char *name)
{
        _cleanup_close_ int fd = openat(at, name, O_CREAT | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0600);

        return fd < 0 ? -errno : 0;
}

static int make_link(int at, const char *name, const char *to)
{
        return symlinkat(to, at, name) < 0 && errno != EEXIST ? -errno : 0;
}

/* As it is on the host: a link to the place of the same name in /usr, or a directory of its own. */
static int make_like_host(int at, const char *path, bool *ret_beside)
{
        const char *name = path + 1;
        char to[64];
        struct stat st;
        ssize_t n;

        *ret_beside = false;
        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISLNK(st.st_mode)) {
                *ret_beside = true;
                return make_place(at, name);
        }
        n = readlink(path, to, sizeof to - 1);
        if (n < 0)
                return -errno;
        to[n] = '\0';
        return make_link(at, name, to);
}

static int make_places(int at)
{
        static const char *const places[] = { "usr", "etc", "dev", "run", "tmp", "var" };
        static const char *const devices[] = { "dev/null", "dev/urandom" };
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(places) && r == 0; i++)
                r = make_place(at, places[i]);
        for (size_t i = 0; i < ARRAY_SIZE(devices) && r == 0; i++)
                r = make_file(at, devices[i]);
        return r;
}

int bare_root_make(const char *parent, struct bare_root *ret)
{
        static const char *const links[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };
        _cleanup_close_ int dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC), at = -1;
        size_t n = 0;
        int r;

        *ret = (struct bare_root){ 0 };
        if (snprintf(ret->path, sizeof ret->path, "%s/" NAME, parent) >= (int) sizeof ret->path)
                return -ENAMETOOLONG;
        if (dir < 0)
                return -errno;
        at = make_dir(dir, NAME);
        r = at < 0 ? at : make_places(at);
        for (size_t i = 0; i < ARRAY_SIZE(links) && r == 0; i++) {
                bool beside;

                r = make_like_host(at, links[i], &beside);
                if (beside)
                        ret->beside_usr[n++] = links[i];
        }
        return r;
}
