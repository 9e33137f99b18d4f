/* SPDX-License-Identifier: Apache-2.0 */

/* A database and its log, copied and read with what geard itself reads them with. */

#include "cli/audit-file.h"

#include "sys/database-audit.h"
#include "util/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sendfile.h>

#define COPIES "/var/tmp/gear-audit.XXXXXX"
#define COPY_CHUNK (64 << 20)
#define CACHE_BYTES (2 << 20)
/* The bytes of a file by whose locks its users keep SQLite databases from each other. */
#define LOCKS_AT 0x40000000
#define LOCKS_LEN 512

struct audit_file {
        struct loop *loop;
        struct database *database;
        const char *path;
        char directory[sizeof COPIES]; /* of the copy; "" until it is there */
        char copy[sizeof COPIES + 16];
        char lost[160]; /* why it is no database */
};

/* --- the copy --------------------------------------------------------------------------------- */

static int check_unlocked(int fd, const char *path, struct fault *f)
{
        struct flock lock = {
                .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKS_AT, .l_len = LOCKS_LEN
        };

        if (fcntl(fd, F_GETLK, &lock) < 0)
                return fault_errno(f, errno, "cannot look for locks of %s", path);
        if (lock.l_type == F_UNLCK)
                return 0;
        return fault_set(f, FAULT_BUSY, "database",
                         "%s is open in process %ld: let geard tell its trail itself", path,
                         (long) lock.l_pid);
}

static int copy_bytes(int from, int to)
{
        ssize_t n;

        do
                n = sendfile(to, from, NULL, COPY_CHUNK);
        while (n > 0);
        return n < 0 ? -errno : 0;
}

static int copy_to(int from, const char *path, struct fault *f)
{
        _cleanup_close_ int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        int r = to < 0 ? -errno : copy_bytes(from, to);

        return r < 0 ? fault_errno(f, r, "cannot make the copy %s", path) : 0;
}

static int copy_database(const struct audit_file *file, struct fault *f)
{
        _cleanup_close_ int from = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        int r;

        if (from < 0)
                return fault_errno(f, errno, "cannot open %s", file->path);
        r = check_unlocked(from, file->path, f);
        return r < 0 ? r : copy_to(from, file->copy, f);
}

/* What a crash left in the log belongs to it. */
static int copy_log(const struct audit_file *file, struct fault *f)
{
        char log[PATH_MAX], copy[sizeof file->copy + 8];
        _cleanup_close_ int from = -1;

        if ((size_t) snprintf(log, sizeof log, "%s-wal", file->path) >= sizeof log)
                return fault_errno(f, ENAMETOOLONG, "cannot open the log of %s", file->path);
        (void) snprintf(copy, sizeof copy, "%s-wal", file->copy);
        from = open(log, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (from < 0)
                return errno == ENOENT ? 0 : fault_errno(f, errno, "cannot open %s", log);
        return copy_to(from, copy, f);
}

static int make_copy(struct audit_file *file, struct fault *f)
{
        int r;

        memcpy(file->directory, COPIES, sizeof COPIES);
        if (!mkdtemp(file->directory)) {
                r = fault_errno(f, errno, "cannot make a directory like %s", COPIES);
                file->directory[0] = '\0';
                return r;
        }
        (void) snprintf(file->copy, sizeof file->copy, "%s/geard.db", file->directory);
        r = copy_database(file, f);
        return r < 0 ? r : copy_log(file, f);
}

static int remove_entry(void *arg, const char *name)
{
        return unlinkat(*(int *) arg, name, 0) < 0 ? -errno : 0;
}

static void remove_copy(const struct audit_file *file)
{
        _cleanup_close_ int fd = open(file->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return;
        (void) dir_each(fd, remove_entry, &fd);
        (void) rmdir(file->directory);
}

/* --- its life ----------------------------------------------------------------------------------- */

static void on_lost(void *arg, const char *why, const char *moved_to _unused_)
{
        struct audit_file *file = arg;

        (void) snprintf(file->lost, sizeof file->lost, "%s", why);
}

int audit_file_open(const char *path, struct audit_file **ret, struct fault *f)
{
        _cleanup_(audit_file_freep) struct audit_file *file = calloc(1, sizeof *file);
        const struct database_options options = { .cache_bytes = CACHE_BYTES,
                                                  .audit_usec = USEC_NEVER,
                                                  .audit_bytes = UINT64_MAX,
                                                  .lost = on_lost,
                                                  .arg = file };
        int r;

        if (!file)
                return fault_oom(f);
        file->path = path;
        r = make_copy(file, f);
        if (r < 0)
                return r;
        file->loop = loop_new();
        file->database = file->loop ? database_new(file->loop, file->copy, &options) : NULL;
        if (!file->database)
                return fault_oom(f);
        *ret = TAKE(file);
        return 0;
}

struct audit_file *audit_file_free(struct audit_file *file)
{
        if (!file)
                return NULL;
        (void) database_free(file->database);
        (void) loop_free(file->loop);
        if (*file->directory)
                remove_copy(file);
        free(file);
        return NULL;
}

/* --- reading -------------------------------------------------------------------------------------- */

struct reading {
        struct audit_file *file;
        struct audit_batch *ret;
        int r;
        struct fault *f;
};

static int take_page(const struct audit_page *page, struct audit_batch *ret, struct fault *f)
{
        _cleanup_audit_batch_ struct audit_batch batch = { .next = page->next, .end = page->end };

        batch.records = calloc(page->n ? page->n : 1, sizeof *batch.records);
        if (!batch.records)
                return fault_oom(f);
        for (; batch.n < page->n; batch.n++)
                if (audit_record_copy(&page->records[batch.n], &batch.records[batch.n]) < 0)
                        return fault_oom(f);
        *ret = batch;
        batch = (struct audit_batch){ 0 };
        return 0;
}

static void on_page(void *arg, const struct audit_page *page, const struct fault *fault)
{
        struct reading *reading = arg;

        loop_stop(reading->file->loop);
        if (*reading->file->lost) {
                reading->r = fault_set(reading->f, FAULT_FAILED, "database",
                                       "%s has no trail that could be read: %s", reading->file->path,
                                       reading->file->lost);
        } else if (fault) {
                *reading->f = *fault;
                reading->r = -EIO;
        } else {
                reading->r = take_page(page, reading->ret, reading->f);
        }
}

int audit_file_read(struct audit_file *file, uint64_t from, struct audit_batch *ret, struct fault *f)
{
        const struct audit_query query = { .oldest_first = true, .from = from };
        struct reading reading = { .file = file, .ret = ret, .f = f };

        if (!database_audit_read(file->database, &query, on_page, &reading))
                return fault_oom(f);
        return loop_run(file->loop) < 0 ? fault_set(f, FAULT_INTERNAL, NULL, "the event loop failed")
                                        : reading.r;
}
