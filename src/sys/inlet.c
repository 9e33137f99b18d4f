/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/inlet.h"

#include "util/text.h"

#include <fcntl.h>

struct inlet {
        void (*drained)(void *arg);
        void *arg;
        struct watch *watch;
        int fd;
        struct text held;
        size_t given; /* of what is held */
        bool ends;
};

/* Also where nobody reads any more: the unit has ended, or is about to, and tells how by itself. */
static void shut(struct inlet *i)
{
        i->watch = watch_free(i->watch);
        closep(&i->fd);
        text_reset(&i->held);
        i->given = 0;
}

struct inlet *inlet_free(struct inlet *i)
{
        if (!i)
                return NULL;
        shut(i);
        free(i);
        return NULL;
}

/* How many went, or -1 where nobody reads any more. */
static ssize_t put(struct inlet *i, const char *bytes, size_t n)
{
        ssize_t put = write(i->fd, bytes, n);

        if (put >= 0)
                return put;
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

static void on_writable(void *arg, unsigned what _unused_)
{
        struct inlet *i = arg;
        ssize_t n = put(i, i->held.data + i->given, i->held.len - i->given);

        i->given += n > 0 ? (size_t) n : 0;
        if (n >= 0 && i->given < i->held.len)
                return;
        text_truncate(&i->held, 0);
        i->given = 0;
        if (n < 0 || i->ends)
                shut(i);
        else
                watch_set(i->watch, 0);
        i->drained(i->arg);
}

bool inlet_give(struct inlet *i, const char *bytes, size_t n)
{
        ssize_t put_now = 0;

        if (i->fd < 0)
                return true;
        if (i->held.len == 0)
                put_now = put(i, bytes, n);
        if (put_now < 0) {
                shut(i);
                return true;
        }
        if ((size_t) put_now == n)
                return true;
        text_addn(&i->held, bytes + put_now, n - (size_t) put_now);
        if (!text_ok(&i->held)) { /* with a hole in it all of it is worthless */
                shut(i);
                return true;
        }
        watch_set(i->watch, WATCH_WRITE);
        return false;
}

void inlet_end(struct inlet *i)
{
        i->ends = true;
        if (i->held.len == 0)
                shut(i);
}

int inlet_new(struct loop *l, void (*drained)(void *arg), void *arg, struct inlet **ret, int *ret_fd)
{
        _cleanup_(inlet_freep) struct inlet *i = calloc(1, sizeof *i);
        int fds[2];

        if (!i)
                return -ENOMEM;
        i->fd = -1;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        i->fd = fds[1];
        *ret_fd = fds[0];
        i->drained = drained;
        i->arg = arg;
        if (fcntl(i->fd, F_SETFL, O_NONBLOCK) == 0)
                i->watch = watch_new(l, i->fd, 0, on_writable, i);
        if (!i->watch) {
                (void) close(fds[0]);
                return -ENOMEM;
        }
        *ret = TAKE(i);
        return 0;
}
