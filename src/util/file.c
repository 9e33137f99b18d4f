/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading with a cap and replacing without a moment in between, below
 * directories that are held open, in trees where somebody else may be swapping
 * names for symlinks, FIFOs and devices.
 */

#include "util/file.h"

#include "util/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

#define READ_CHUNK 4096

/* Temporary names are ".#" NAME "." and so many hex digits. */
#define LEFTOVER_PREFIX ".#"
#define LEFTOVER_DIGITS 8
#define LEFTOVER_TRIES 16

static bool is_component(const char *name)
{
        return *name && !strchr(name, '/') && !streq(name, ".") && !streq(name, "..");
}

/*
 * To the end of the file, whatever its size claims to be: files of /proc say
 * 0, and a file may grow while it is read.  Where the size is no such lie, a
 * read that comes back short has met the end.
 */
static int read_all(int fd, size_t size_hint, size_t max, char **ret, size_t *ret_len)
{
        _cleanup_free_ char *data = NULL;
        size_t len = 0, cap = 0;

        for (;;) {
                ssize_t n;

                if (len + 1 >= cap) {
                        size_t grown =
                                cap == 0 ? size_hint + 2 : cap + (cap < READ_CHUNK ? READ_CHUNK : cap);
                        char *bigger = realloc(data, grown);

                        if (!bigger)
                                return -ENOMEM;
                        data = bigger;
                        cap = grown;
                }
                n = read(fd, data + len, cap - len - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                len += (size_t) n;
                if (len > max)
                        return -EFBIG;
                if (size_hint > 0 && len + 1 < cap)
                        break;
        }
        data[len] = '\0';
        *ret = TAKE(data);
        if (ret_len)
                *ret_len = len;
        return 0;
}

/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
static int read_path_at(int dir, const char *path, int flags, size_t max, char **ret, size_t *ret_len)
{
        _cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
        struct stat st;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (st.st_size > 0 && (uint64_t) st.st_size > max)
                return -EFBIG;
        return read_all(fd, (size_t) st.st_size, max, ret, ret_len);
}

int file_read_at(int dir, const char *name, size_t max, char **ret, size_t *ret_len)
{
        if (!is_component(name))
                return -EINVAL;
        return read_path_at(dir, name, O_NOFOLLOW, max, ret, ret_len);
}

int file_read_text_at(int dir, const char *name, size_t max, char **ret)
{
        _cleanup_free_ char *text = NULL;
        size_t n = 0;
        int r = file_read_at(dir, name, max, &text, &n);

        if (r == 0 && strlen(text) != n)
                r = -EBADMSG;
        if (r == 0)
                *ret = TAKE(text);
        return r;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
        return read_path_at(AT_FDCWD, path, 0, max, ret, ret_len);
}

static int write_all(int fd, const void *data, size_t len)
{
        const char *p = data;

        while (len > 0) {
                ssize_t n = write(fd, p, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                p += n;
                len -= (size_t) n;
        }
        return 0;
}

/* A new file under a name nobody else has, which the caller owns and must get rid of. */
static int open_temporary(int dir, const char *name, char **ret_name)
{
        for (unsigned try = 0; try < LEFTOVER_TRIES; try++) {
                _cleanup_text_ struct text temporary = { 0 };
                _cleanup_free_ char *path = NULL;
                uint32_t random;
                int fd;

                if (getrandom(&random, sizeof random, 0) != sizeof random)
                        return -EIO;
                text_addf(&temporary, LEFTOVER_PREFIX "%s.%0*x", name, LEFTOVER_DIGITS, random);
                path = text_take(&temporary);
                if (!path)
                        return -ENOMEM;
                fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (fd >= 0) {
                        *ret_name = TAKE(path);
                        return fd;
                }
                if (errno != EEXIST)
                        return -errno;
        }
        return -EEXIST;
}

static int sync_dir(int dir)
{
        return fsync(dir) < 0 ? -errno : 0;
}

int file_replace_at(int dir, const char *name, const void *data, size_t len, mode_t mode)
{
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        if (!is_component(name))
                return -EINVAL;
        fd = open_temporary(dir, name, &temporary);
        if (fd < 0)
                return fd;
        r = write_all(fd, data, len);
        if (r == 0 && fchmod(fd, mode) < 0) /* the umask has no say */
                r = -errno;
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (r == 0 && renameat(dir, temporary, dir, name) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(dir, temporary, 0);
                return r;
        }
        return sync_dir(dir);
}

int file_rename_at(int from, const char *name, int to, const char *new_name)
{
        int r;

        if (!is_component(name) || !is_component(new_name))
                return -EINVAL;
        if (renameat(from, name, to, new_name) < 0)
                return -errno;
        /* The new name first: a crash in between may leave two names, never none. */
        r = sync_dir(to);
        return r < 0 || from == to ? r : sync_dir(from);
}

int file_remove_at(int dir, const char *name)
{
        if (!is_component(name))
                return -EINVAL;
        if (unlinkat(dir, name, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return sync_dir(dir);
}

bool file_exists_at(int dir, const char *name)
{
        struct stat st;

        return is_component(name) && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int dir_open_at(int parent, const char *name, mode_t mode)
{
        _cleanup_close_ int fd = -1;
        bool made;
        int r;

        if (parent != AT_FDCWD && !is_component(name))
                return -EINVAL;
        made = mkdirat(parent, name, mode) == 0;
        if (!made && errno != EEXIST)
                return -errno;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (made && fchmod(fd, mode) < 0)
                return -errno;
        if (made && parent != AT_FDCWD) {
                r = sync_dir(parent);
                if (r < 0)
                        return r;
        }
        r = fd;
        fd = -1;
        return r;
}

static void closedirp(DIR **d)
{
        if (*d)
                (void) closedir(*d);
}

int dir_each(int dir, int (*entry)(void *arg, const char *name), void *arg)
{
        _cleanup_(closedirp) DIR *entries = NULL;
        /* Opened anew: readdir() moves the offset of the descriptor it is given. */
        int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

        if (fd < 0)
                return -errno;
        entries = fdopendir(fd);
        if (!entries) {
                r = -errno;
                (void) close(fd);
                return r;
        }
        for (;;) {
                const struct dirent *e;

                errno = 0;
                e = readdir(entries);
                if (!e)
                        return -errno;
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                r = entry(arg, e->d_name);
                if (r != 0)
                        return r;
        }
}

static bool is_leftover(const char *name)
{
        const char *suffix = strrchr(name, '.');

        return starts_with(name, LEFTOVER_PREFIX) && suffix > name + strlen(LEFTOVER_PREFIX) &&
               strlen(suffix + 1) == LEFTOVER_DIGITS &&
               strspn(suffix + 1, "0123456789abcdef") == LEFTOVER_DIGITS;
}

static int remove_leftover(void *arg, const char *name)
{
        const int *dir = arg;

        if (is_leftover(name) && unlinkat(*dir, name, 0) < 0 && errno != ENOENT && errno != EISDIR)
                return -errno;
        return 0;
}

int dir_remove_leftovers(int dir)
{
        return dir_each(dir, remove_leftover, &dir);
}
