/* SPDX-License-Identifier: Apache-2.0 */

#include "git-helper/relay.h"

#include <poll.h>
#include <time.h>

#define LINE_MAX_KEPT 2048
#define PAUSE_MSEC 400
#define WATCH_MSEC 1000
#define WATCH_SHARE 10 /* of the time, at most one part */

struct line {
        char bytes[LINE_MAX_KEPT];
        size_t n;
        uint64_t told_msec; /* when a line that is written over was passed on last */
};

static uint64_t now_msec(void)
{
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000;
}

/* Nobody may listen any more: the program goes on all the same. */
static void put(int to, const char *bytes, size_t n)
{
        while (n > 0) {
                ssize_t w = write(to, bytes, n);

                if (w < 0 && errno == EINTR)
                        continue;
                if (w <= 0)
                        return;
                bytes += w;
                n -= (size_t) w;
        }
}

static void end_line(struct line *l, char end, int to)
{
        uint64_t now = now_msec();
        bool passes = end != '\r' || now - l->told_msec >= PAUSE_MSEC;

        if (l->n > 0 && passes) {
                l->bytes[l->n++] = '\n';
                put(to, l->bytes, l->n);
                if (end == '\r')
                        l->told_msec = now;
        }
        l->n = 0;
}

/* Until there is more to read, or its end; false: the watch ends it. */
static bool wait_for_more(int from, const struct relay_watch *watch, uint64_t *due_msec)
{
        while (watch) {
                struct pollfd fd = { .fd = from, .events = POLLIN };
                uint64_t now = now_msec(), took;

                if (now < *due_msec) {
                        if (poll(&fd, 1, (int) (*due_msec - now)) > 0)
                                return true;
                        continue;
                }
                if (!watch->goes_on(watch->arg))
                        return false;
                took = now_msec() - now;
                *due_msec = now + took + (took * WATCH_SHARE > WATCH_MSEC ? took * WATCH_SHARE : WATCH_MSEC);
        }
        return true;
}

bool relay(int from, int to, const struct relay_watch *watch)
{
        uint64_t due_msec = now_msec() + WATCH_MSEC;
        struct line line = { 0 };
        char piece[4096];
        ssize_t n;

        for (;;) {
                if (!wait_for_more(from, watch, &due_msec))
                        return false;
                n = read(from, piece, sizeof piece);
                if (n == 0)
                        break;
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        break;
                for (ssize_t i = 0; i < n; i++)
                        if (piece[i] == '\n' || piece[i] == '\r')
                                end_line(&line, piece[i], to);
                        else if (line.n < sizeof line.bytes - 1)
                                line.bytes[line.n++] = piece[i];
        }
        end_line(&line, '\n', to);
        return true;
}
