/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/dirwatch.h"

#include <limits.h>
#include <sys/inotify.h>

#define EVENTS_AT_ONCE 16
#define EVENTS (IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)

struct dirwatch {
        int fd;
        struct watch *watch;
        void (*changed)(void *arg, const char *name);
        void *arg;
};

static void read_events(void *arg, unsigned what _unused_)
{
        struct dirwatch *w = arg;
        union {
                struct inotify_event event;
                char bytes[EVENTS_AT_ONCE * (sizeof(struct inotify_event) + NAME_MAX + 1)];
        } buffer;
        ssize_t n;

        while ((n = read(w->fd, &buffer, sizeof buffer)) > 0) {
                for (char *at = buffer.bytes; at < buffer.bytes + n;) {
                        const struct inotify_event *e = (const void *) at;

                        if (e->len > 0)
                                w->changed(w->arg, e->name);
                        at += sizeof *e + e->len;
                }
        }
}

int dirwatch_new(struct loop *l, const char *path, void (*changed)(void *arg, const char *name), void *arg,
                 struct dirwatch **ret)
{
        _cleanup_(dirwatch_freep) struct dirwatch *w = calloc(1, sizeof *w);

        if (!w)
                return -ENOMEM;
        *w = (struct dirwatch){ .changed = changed, .arg = arg };
        w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (w->fd < 0 || inotify_add_watch(w->fd, path, EVENTS | IN_ONLYDIR) < 0)
                return -errno;
        w->watch = watch_new(l, w->fd, WATCH_READ, read_events, w);
        if (!w->watch)
                return -ENOMEM;
        *ret = TAKE(w);
        return 0;
}

struct dirwatch *dirwatch_free(struct dirwatch *w)
{
        if (!w)
                return NULL;
        w->watch = watch_free(w->watch);
        closep(&w->fd);
        free(w);
        return NULL;
}
