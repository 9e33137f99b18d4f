/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Probes.  Every outcome, also one that connect(2) knows at once, is told from
 * the loop, as the last act of the probe's life.
 */

#include "sys/probe.h"
#include "util/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

union sockaddr_any {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
};

struct probe {
        int fd;
        struct watch *watch;
        struct timer *timer;
        struct fetch_op *fetch;
        int error; /* what connect(2) said at once, or -ETIMEDOUT for later */
        void (*done)(void *arg, bool good, const char *why);
        void *arg;
};

struct probe *probe_cancel(struct probe *p)
{
        if (!p)
                return NULL;
        (void) fetch_cancel(p->fetch);
        (void) watch_free(p->watch);
        (void) timer_free(p->timer);
        if (p->fd >= 0)
                (void) close(p->fd);
        free(p);
        return NULL;
}
DEFINE_CLEANUP(struct probe, probe_cancel);

static void probe_end(struct probe *p, bool good, const char *why)
{
        void (*done)(void *, bool, const char *) = p->done;
        void *arg = p->arg;

        (void) probe_cancel(p);
        done(arg, good, why);
}

/* --- a connect ------------------------------------------------------------ */

static void on_timer(void *arg)
{
        struct probe *p = arg;

        probe_end(p, p->error == 0, strerror(-p->error));
}

static void on_connected(void *arg, _unused_ unsigned what)
{
        struct probe *p = arg;
        int error = 0;
        socklen_t len = sizeof error;

        if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
                error = errno;
        probe_end(p, error == 0, strerror(error));
}

static socklen_t fill_address(const char *address, uint16_t port, union sockaddr_any *ret)
{
        *ret = (union sockaddr_any){ .v6.sin6_port = htons(port) };
        if (inet_pton(AF_INET6, address, &ret->v6.sin6_addr) == 1) {
                ret->v6.sin6_family = AF_INET6;
                return sizeof ret->v6;
        }
        *ret = (union sockaddr_any){ .v4.sin_port = htons(port) };
        if (inet_pton(AF_INET, address, &ret->v4.sin_addr) != 1)
                return 0;
        ret->v4.sin_family = AF_INET;
        return sizeof ret->v4;
}

/* 0 connected, -EINPROGRESS, or why not. */
static int start_connect(struct probe *p, const char *address, uint16_t port)
{
        union sockaddr_any to;
        socklen_t len = fill_address(address, port, &to);

        if (!len)
                return -EINVAL;
        p->fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (p->fd < 0)
                return -errno;
        return connect(p->fd, &to.any, len) < 0 ? -errno : 0;
}

static bool start_tcp(struct probe *p, struct loop *l, const char *address, uint16_t port,
                      uint64_t timeout_usec)
{
        p->timer = timer_new(l, on_timer, p);
        if (!p->timer)
                return false;
        p->error = start_connect(p, address, port);
        if (p->error != -EINPROGRESS) {
                timer_set(p->timer, 0);
                return true;
        }
        p->error = -ETIMEDOUT;
        timer_set(p->timer, timeout_usec);
        p->watch = watch_new(l, p->fd, WATCH_WRITE, on_connected, p);
        return p->watch;
}

/* --- a GET ---------------------------------------------------------------- */

/* The head is all we want. */
static bool refuse_body(_unused_ void *arg, _unused_ int status, _unused_ const char *bytes,
                        _unused_ size_t len)
{
        return false;
}

static void on_answer(void *arg, const struct fetch_answer *answer)
{
        struct probe *p = arg;
        char why[32];

        p->fetch = NULL;
        if (answer->error && answer->error != -ECANCELED) {
                probe_end(p, false, answer->reason);
                return;
        }
        (void) snprintf(why, sizeof why, "HTTP status %d", answer->status);
        probe_end(p, answer->status >= 200 && answer->status < 400, why);
}

static bool start_http(struct probe *p, struct fetch *f, const char *address, uint16_t port,
                       const char *path, uint64_t timeout_usec)
{
        bool v6 = strchr(address, ':');
        _cleanup_text_ struct text url = { 0 };

        /* The slash must be there: "@elsewhere" behind the port would name another host. */
        text_addf(&url, v6 ? "http://[%s]:%u%s" : "http://%s:%u%s", address, (unsigned) port,
                  *path == '/' ? "" : "/");
        text_add(&url, path);
        if (!text_ok(&url))
                return false;
        p->fetch = fetch_start(f,
                               &(struct fetch_request){ .method = "GET",
                                                        .url = url.data,
                                                        .connect_usec = timeout_usec,
                                                        .total_usec = timeout_usec,
                                                        .piece = refuse_body },
                               on_answer, p);
        return p->fetch;
}

struct probe *probe_start(struct loop *l, struct fetch *f, const char *address, uint16_t port,
                          const char *path, uint64_t timeout_usec,
                          void (*done)(void *arg, bool good, const char *why), void *arg)
{
        _cleanup_(probe_cancelp) struct probe *p = calloc(1, sizeof *p);
        bool started;

        if (!p)
                return NULL;
        *p = (struct probe){ .fd = -1, .done = done, .arg = arg };
        started = path ? start_http(p, f, address, port, path, timeout_usec)
                       : start_tcp(p, l, address, port, timeout_usec);
        return started ? TAKE(p) : NULL;
}
