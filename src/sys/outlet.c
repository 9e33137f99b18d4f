/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/outlet.h"

#include <fcntl.h>

#define PIECE_SIZE (256 * 1024)
#define PIPE_SIZE (1024 * 1024) /* so that who writes is not woken for every few pages */

struct outlet {
        struct outlet_hooks hooks;
        struct watch *watch;
        int fd;
        bool *freed; /* by a hook, which is told so */
        char piece[PIECE_SIZE];
};

struct outlet *outlet_free(struct outlet *o)
{
        if (!o)
                return NULL;
        if (o->freed)
                *o->freed = true;
        o->watch = watch_free(o->watch);
        closep(&o->fd);
        free(o);
        return NULL;
}

static void on_readable(void *arg, unsigned what _unused_)
{
        struct outlet *o = arg;
        ssize_t n = read(o->fd, o->piece, sizeof o->piece);
        bool freed = false;

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) {
                watch_set(o->watch, 0);
                o->hooks.end(o->hooks.arg);
                return;
        }
        o->freed = &freed;
        if (!o->hooks.bytes(o->hooks.arg, o->piece, (size_t) n) && !freed)
                watch_set(o->watch, 0);
        if (!freed)
                o->freed = NULL;
}

void outlet_resume(struct outlet *o)
{
        watch_set(o->watch, WATCH_READ);
}

int outlet_new(struct loop *l, const struct outlet_hooks *hooks, struct outlet **ret, int *ret_fd)
{
        _cleanup_(outlet_freep) struct outlet *o = calloc(1, sizeof *o);
        int fds[2];

        if (!o)
                return -ENOMEM;
        o->fd = -1;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        o->fd = fds[0];
        *ret_fd = fds[1];
        o->hooks = *hooks;
        (void) fcntl(fds[0], F_SETPIPE_SZ, PIPE_SIZE); /* it works with less, too */
        if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
                o->watch = watch_new(l, fds[0], WATCH_READ, on_readable, o);
        if (!o->watch) {
                (void) close(fds[1]);
                return -ENOMEM;
        }
        *ret = TAKE(o);
        return 0;
}
