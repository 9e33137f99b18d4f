/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The client of the benchmarks: keeps connections busy with one GET and tells
 * how fast the answers come.  One client for TCP and unix sockets, so that all
 * servers are measured with the same one.
 *
 *   load [-c CONNECTIONS] [-d SECONDS] [-r RATE] [-H 'NAME: VALUE']... WHERE TARGET
 *
 * WHERE is 127.0.0.1:PORT or the path of a unix socket.  Without -r a connection
 * asks again as soon as it has its answer; with it, RATE requests a second are
 * due at fixed times, and a request that had to wait for the one before it has
 * waited.  SIGTERM ends it early.  One line is printed, times in microseconds;
 * any answer but a 200 is the end, with status 1.
 */

#include "util/base.h"
#include "util/text.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define NSEC_PER_SEC ((uint64_t) 1000000000)
#define CONNECTIONS_MAX 1024
#define HEAD_MAX 4096
#define READ_SIZE ((size_t) 256 << 10)

/* How a chunked answer ends.  JSON has no raw line ends: it cannot be in the middle of one. */
static const char last_chunk[] = "\r\n0\r\n\r\n";
#define LAST_CHUNK_LEN (sizeof last_chunk - 1)

struct connection {
        int fd;
        bool asking;
        uint64_t due;             /* when its request was, or is, to be sent */
        size_t got;               /* bytes of the answer so far */
        size_t whole;             /* how many it will have; 0: not known yet */
        bool chunked;
        char head[HEAD_MAX + 1];
        char tail[LAST_CHUNK_LEN]; /* the last bytes that came */
};

struct load {
        struct sockaddr_storage where;
        socklen_t where_len;
        struct text request;
        unsigned n_connections;
        uint64_t duration;        /* ns */
        uint64_t pause;           /* ns between two requests of one connection, 0: none */
        struct connection *connections;
        int epoll, signals;
        char *buffer;
        uint32_t *usec;           /* of every answer */
        size_t n, size;
        size_t answer_len;        /* of the last one, head and all */
        unsigned reconnects;
        bool stopped;
};

static void load_reset(struct load *l)
{
        for (unsigned i = 0; l->connections && i < l->n_connections; i++)
                closep(&l->connections[i].fd);
        closep(&l->epoll);
        closep(&l->signals);
        text_reset(&l->request);
        free(l->connections);
        free(l->buffer);
        free(l->usec);
}

static uint64_t now_nsec(void)
{
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * NSEC_PER_SEC + (uint64_t) t.tv_nsec;
}

static int fail(const char *what)
{
        (void) fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
        return -1;
}

/* --- one connection ------------------------------------------------------------------------ */

static int join(struct load *l, struct connection *c)
{
        struct epoll_event want = { .events = EPOLLIN, .data.ptr = c };

        c->fd = socket(l->where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0)
                return fail("socket");
        if (connect(c->fd, (struct sockaddr *) &l->where, l->where_len) < 0)
                return fail("connect");
        return epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &want) < 0 ? fail("epoll_ctl") : 0;
}

static int ask(struct load *l, struct connection *c)
{
        c->got = c->whole = 0;
        c->chunked = false;
        c->asking = true;
        if (send(c->fd, l->request.data, l->request.len, MSG_NOSIGNAL) != (ssize_t) l->request.len)
                return fail("send");
        return 0;
}

static int record(struct load *l, const struct connection *c, uint64_t now)
{
        uint64_t usec = (now - c->due) / 1000;

        if (l->n == l->size) {
                size_t size = l->size ? 2 * l->size : 65536;
                uint32_t *more = realloc(l->usec, size * sizeof *more);

                if (!more)
                        return fail("realloc");
                l->usec = more;
                l->size = size;
        }
        l->usec[l->n++] = usec > UINT32_MAX ? UINT32_MAX : (uint32_t) usec;
        l->answer_len = c->got;
        return 0;
}

static int look_at_head(struct connection *c)
{
        const char *end = strstr(c->head, "\r\n\r\n"), *length = strcasestr(c->head, "\r\nContent-Length:");

        if (!end)
                return 0;
        if (strncmp(c->head, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 ")) != 0) {
                (void) fprintf(stderr, "load: answered %s\n", c->head);
                return -1;
        }
        if (length && length < end)
                c->whole = (size_t) (end - c->head) + 4 + strtoul(strchr(length + 2, ':') + 1, NULL, 10);
        else
                c->chunked = true;
        return 0;
}

static int take(struct connection *c, const char *data, size_t n)
{
        size_t kept = n < LAST_CHUNK_LEN ? LAST_CHUNK_LEN - n : 0;

        memmove(c->tail, c->tail + LAST_CHUNK_LEN - kept, kept);
        memcpy(c->tail + kept, data + n - (LAST_CHUNK_LEN - kept), LAST_CHUNK_LEN - kept);
        if (!c->whole && !c->chunked) {
                size_t room = c->got < HEAD_MAX ? HEAD_MAX - c->got : 0, part = n < room ? n : room;

                memcpy(c->head + c->got, data, part);
                c->head[c->got + part] = '\0';
                if (look_at_head(c) < 0)
                        return -1;
        }
        c->got += n;
        return 0;
}

static bool complete(const struct connection *c)
{
        return c->chunked ? memcmp(c->tail, last_chunk, LAST_CHUNK_LEN) == 0 : c->whole && c->got >= c->whole;
}

/* A server may end a connection between two answers. */
static int join_again(struct load *l, struct connection *c)
{
        if (c->asking && c->got > 0) {
                (void) fprintf(stderr, "load: an answer was cut off after %zu bytes\n", c->got);
                return -1;
        }
        (void) close(c->fd);
        l->reconnects++;
        if (join(l, c) < 0)
                return -1;
        return c->asking ? ask(l, c) : 0;
}

static int receive(struct load *l, struct connection *c)
{
        ssize_t n = recv(c->fd, l->buffer, READ_SIZE, MSG_DONTWAIT);
        uint64_t now;

        if (n < 0 && errno == EAGAIN)
                return 0;
        if (n <= 0)
                return join_again(l, c);
        if (take(c, l->buffer, (size_t) n) < 0)
                return -1;
        if (!complete(c))
                return 0;
        now = now_nsec();
        if (record(l, c, now) < 0)
                return -1;
        c->asking = false;
        c->due = l->pause ? c->due + l->pause : now;
        return l->pause ? 0 : ask(l, c);
}

/* --- all of them ------------------------------------------------------------------------------ */

/* Sends what is due; ret_wait: how long until the next is. */
static int ask_due(struct load *l, uint64_t now, uint64_t end, uint64_t *ret_wait)
{
        uint64_t next = end;

        for (unsigned i = 0; l->pause && i < l->n_connections; i++) {
                struct connection *c = &l->connections[i];

                if (!c->asking && c->due <= now && ask(l, c) < 0)
                        return -1;
                if (!c->asking && c->due < next)
                        next = c->due;
        }
        *ret_wait = next > now ? next - now : 0;
        return 0;
}

static int run(struct load *l, uint64_t begin)
{
        uint64_t end = begin + l->duration, now, wait;

        while (!l->stopped && (now = now_nsec()) < end) {
                struct epoll_event events[64];
                struct timespec timeout;
                int n;

                if (ask_due(l, now, end, &wait) < 0)
                        return -1;
                timeout = (struct timespec){ .tv_sec = (time_t) (wait / NSEC_PER_SEC),
                                             .tv_nsec = (long) (wait % NSEC_PER_SEC) };
                n = epoll_pwait2(l->epoll, events, ARRAY_SIZE(events), &timeout, NULL);
                if (n < 0 && errno != EINTR)
                        return fail("epoll_pwait2");
                for (int i = 0; i < n; i++) {
                        if (!events[i].data.ptr)
                                l->stopped = true;
                        else if (receive(l, events[i].data.ptr) < 0)
                                return -1;
                }
        }
        return 0;
}

static int start(struct load *l)
{
        struct epoll_event want = { .events = EPOLLIN };
        uint64_t now;
        sigset_t set;

        l->epoll = epoll_create1(EPOLL_CLOEXEC);
        l->buffer = malloc(READ_SIZE);
        l->connections = calloc(l->n_connections, sizeof *l->connections);
        if (l->epoll < 0 || !l->buffer || !l->connections)
                return fail("cannot start");
        for (unsigned i = 0; i < l->n_connections; i++)
                l->connections[i].fd = -1;
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        l->signals = signalfd(-1, &set, SFD_CLOEXEC);
        if (l->signals < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->signals, &want) < 0)
                return fail("signalfd");
        for (unsigned i = 0; i < l->n_connections; i++)
                if (join(l, &l->connections[i]) < 0)
                        return -1;
        now = now_nsec();
        for (unsigned i = 0; i < l->n_connections; i++) {
                struct connection *c = &l->connections[i];

                c->due = now + l->pause * i / l->n_connections;
                if (!l->pause && ask(l, c) < 0)
                        return -1;
        }
        return 0;
}

static int by_size(const void *a, const void *b)
{
        const uint32_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static void tell(struct load *l, double seconds)
{
        qsort(l->usec, l->n, sizeof *l->usec, by_size);
        (void) printf("requests=%zu seconds=%.3f rate=%.1f p50=%" PRIu32 " p99=%" PRIu32 " max=%" PRIu32
                      " bytes=%zu reconnects=%u\n",
                      l->n, seconds, (double) l->n / seconds, l->usec[l->n / 2], l->usec[l->n * 99 / 100],
                      l->usec[l->n - 1], l->answer_len, l->reconnects);
}

/* --- argv ---------------------------------------------------------------------------------------- */

static int read_where(struct load *l, const char *where)
{
        struct sockaddr_un *un = (struct sockaddr_un *) &l->where;
        struct sockaddr_in *in = (struct sockaddr_in *) &l->where;
        const char *colon = strchr(where, ':');
        char host[INET_ADDRSTRLEN];

        if (where[0] == '/' && strlen(where) < sizeof un->sun_path) {
                un->sun_family = AF_UNIX;
                memcpy(un->sun_path, where, strlen(where) + 1);
                l->where_len = sizeof *un;
                return 0;
        }
        if (!colon || (size_t) (colon - where) >= sizeof host)
                return -1;
        (void) snprintf(host, sizeof host, "%.*s", (int) (colon - where), where);
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t) strtoul(colon + 1, NULL, 10));
        l->where_len = sizeof *in;
        return inet_pton(AF_INET, host, &in->sin_addr) == 1 ? 0 : -1;
}

static bool read_options(struct load *l, int argc, char **argv)
{
        _cleanup_text_ struct text headers = { 0 };
        double rate = 0, seconds = 3;
        int o;

        l->n_connections = 16;
        while ((o = getopt(argc, argv, "c:d:r:H:")) >= 0) {
                if (o == 'c')
                        l->n_connections = (unsigned) strtoul(optarg, NULL, 10);
                else if (o == 'd')
                        seconds = strtod(optarg, NULL);
                else if (o == 'r')
                        rate = strtod(optarg, NULL);
                else if (o == 'H')
                        text_addf(&headers, "%s\r\n", optarg);
                else
                        return false;
        }
        if (argc - optind != 2 || l->n_connections == 0 || l->n_connections > CONNECTIONS_MAX || seconds <= 0 ||
            rate < 0 || read_where(l, argv[optind]) < 0)
                return false;
        l->duration = (uint64_t) (seconds * (double) NSEC_PER_SEC);
        l->pause = rate > 0 ? (uint64_t) (l->n_connections * (double) NSEC_PER_SEC / rate) : 0;
        text_addf(&l->request, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", argv[optind + 1],
                  headers.data ? headers.data : "");
        return text_ok(&headers) && text_ok(&l->request);
}

int main(int argc, char **argv)
{
        _cleanup_(load_reset) struct load l = { .epoll = -1, .signals = -1 };
        uint64_t begin;

        if (!read_options(&l, argc, argv)) {
                (void) fputs("load [-c CONNECTIONS] [-d SECONDS] [-r RATE] [-H 'NAME: VALUE']... WHERE TARGET\n", stderr);
                return 2;
        }
        begin = now_nsec();
        if (start(&l) < 0 || run(&l, begin) < 0)
                return 1;
        if (l.n == 0) {
                (void) fputs("load: not one answer\n", stderr);
                return 1;
        }
        tell(&l, (double) (now_nsec() - begin) / (double) NSEC_PER_SEC);
        return 0;
}
