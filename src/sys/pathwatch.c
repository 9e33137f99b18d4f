/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/pathwatch.h"

#include "util/text.h"

#include <limits.h>
#include <sys/inotify.h>

#define EVENTS_AT_ONCE 16
/* Of the directory … */
#define CONTENT (IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
/* … and of those above it, where only the name of the next one counts. */
#define COMINGS (IN_ATTRIB | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
#define GOINGS (IN_DELETE | IN_MOVED_FROM)

struct level {
        int wd;     /* -1 where there is nothing to watch */
        char *path; /* from the root to here … */
        char *next; /* … and what comes behind it; NULL for the directory itself */
};

struct pathwatch {
        int fd;
        struct watch *watch;
        struct level *levels;
        size_t n_levels;
        void (*changed)(void *arg, const char *name, bool gone);
        void *arg;
};

static int add_level(struct pathwatch *w, const char *path, size_t n, const char *next, size_t next_n)
{
        struct level *grown = reallocarray(w->levels, w->n_levels + 1, sizeof *grown);
        struct level *level;

        if (!grown)
                return -ENOMEM;
        w->levels = grown;
        level = &w->levels[w->n_levels++];
        *level = (struct level){ .wd = -1,
                                 .path = strndup(path, n),
                                 .next = next_n ? strndup(next, next_n) : NULL };
        return level->path && !next_n == !level->next ? 0 : -ENOMEM;
}

/* "/etc/keys" has the levels "/", "/etc" and "/etc/keys". */
static int split(struct pathwatch *w, const char *path)
{
        size_t n = 0;
        int r = 0;

        do {
                size_t name = n + strspn(path + n, "/"), len = strcspn(path + name, "/");

                r = add_level(w, path, n ? n : 1, path + name, len);
                n = len ? name + len : 0;
        } while (r == 0 && n);
        return r;
}

/*
 * Once more, too, when something has changed: a directory that is still the same
 * keeps its watch.  From the top down, so that what is made between two of these
 * calls is told by the first.
 */
static int watch_levels(struct pathwatch *w)
{
        for (size_t i = 0; i < w->n_levels; i++) {
                struct level *level = &w->levels[i];
                uint32_t what = level->next ? COMINGS : CONTENT;
                int before = level->wd;

                level->wd = inotify_add_watch(w->fd, level->path, what | IN_ONLYDIR | IN_MASK_ADD);
                if (level->wd < 0 && (errno == ENOSPC || errno == ENOMEM))
                        return -errno;
                if (before >= 0 && before != level->wd)
                        (void) inotify_rm_watch(w->fd, before);
        }
        return 0;
}

/* Is it about the path itself? */
static bool concerns_path(const struct pathwatch *w, const struct inotify_event *e)
{
        if (e->mask & (IN_Q_OVERFLOW | IN_UNMOUNT))
                return true;
        for (size_t i = 0; i < w->n_levels; i++)
                if (w->levels[i].wd == e->wd && w->levels[i].next && e->len > 0 &&
                    streq(w->levels[i].next, e->name))
                        return true;
        return false;
}

static void take_event(struct pathwatch *w, const struct inotify_event *e)
{
        if (concerns_path(w, e)) {
                (void) watch_levels(w);
                w->changed(w->arg, NULL, !(e->mask & IN_ATTRIB));
        } else if (e->wd == w->levels[w->n_levels - 1].wd && e->len > 0) {
                w->changed(w->arg, e->name, e->mask & GOINGS);
        }
}

static void read_events(void *arg, unsigned what _unused_)
{
        struct pathwatch *w = arg;
        union {
                struct inotify_event event;
                char bytes[EVENTS_AT_ONCE * (sizeof(struct inotify_event) + NAME_MAX + 1)];
        } buffer;
        ssize_t n;

        while ((n = read(w->fd, &buffer, sizeof buffer)) > 0) {
                for (char *at = buffer.bytes; at < buffer.bytes + n;) {
                        const struct inotify_event *e = (const void *) at;

                        take_event(w, e);
                        at += sizeof *e + e->len;
                }
        }
}

int pathwatch_new(struct loop *l, const char *path, void (*changed)(void *arg, const char *name, bool gone),
                  void *arg, struct pathwatch **ret)
{
        _cleanup_(pathwatch_freep) struct pathwatch *w = calloc(1, sizeof *w);
        int r;

        if (!w)
                return -ENOMEM;
        *w = (struct pathwatch){ .changed = changed, .arg = arg };
        w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (w->fd < 0)
                return -errno;
        r = split(w, path);
        if (r == 0)
                r = watch_levels(w);
        if (r < 0)
                return r;
        w->watch = watch_new(l, w->fd, WATCH_READ, read_events, w);
        if (!w->watch)
                return -ENOMEM;
        *ret = TAKE(w);
        return 0;
}

struct pathwatch *pathwatch_free(struct pathwatch *w)
{
        if (!w)
                return NULL;
        w->watch = watch_free(w->watch);
        closep(&w->fd);
        for (size_t i = 0; i < w->n_levels; i++) {
                free(w->levels[i].path);
                free(w->levels[i].next);
        }
        free(w->levels);
        free(w);
        return NULL;
}
