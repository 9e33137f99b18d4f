/* SPDX-License-Identifier: Apache-2.0 */

#include "fake-http.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

struct connection {
        LIST_ENTRY(connection) link;
        struct fake_http *server;
        int fd;
        struct watch *watch;
        struct timer *timer;
        struct text in;
        const struct fake_reply *reply; /* being sent, or left open */
        size_t sent;
};

struct fake_http {
        struct loop *loop;
        const struct fake_reply *table;
        char dir[64], path[80];
        int fd;
        struct watch *watch;
        LIST_HEAD(, connection) connections;
        unsigned accepted, open;
        char **requests;
        char *last;
};

static void connection_free(struct connection *c)
{
        LIST_REMOVE(c, link);
        c->server->open--;
        (void) timer_free(c->timer);
        (void) watch_free(c->watch);
        (void) close(c->fd);
        text_reset(&c->in);
        free(c);
}

static void next_request(struct connection *c);

static bool says_close(const struct fake_reply *reply)
{
        return strstr(reply->bytes, "\r\nConnection: close\r\n");
}

static void send_more(void *arg)
{
        struct connection *c = arg;
        size_t left = strlen(c->reply->bytes) - c->sent;
        size_t n = c->reply->piece && c->reply->piece < left ? c->reply->piece : left;

        if (n && send(c->fd, c->reply->bytes + c->sent, n, MSG_NOSIGNAL) != (ssize_t) n) {
                connection_free(c);
                return;
        }
        c->sent += n;
        if (n < left)
                timer_set(c->timer, 0);
        else if (c->reply->after == FAKE_CLOSE || (c->reply->after == FAKE_KEEP && says_close(c->reply)))
                connection_free(c);
        else if (c->reply->after == FAKE_KEEP)
                next_request(c);
}

/* Takes one whole request off the input, if there is one, and begins to answer it. */
static void next_request(struct connection *c)
{
        char *end = c->in.data ? strstr(c->in.data, "\r\n\r\n") : NULL;
        char *length = c->in.data ? strstr(c->in.data, "Content-Length: ") : NULL;
        size_t whole = end ? (size_t) (end + 4 - c->in.data) : 0;

        c->reply = NULL;
        if (length && length < end)
                whole += (size_t) atoi(length + strlen("Content-Length: "));
        if (!end || c->in.len < whole)
                return;
        free(c->server->last);
        c->server->last = strndup(c->in.data, whole);
        assert_int_equal(strv_add(&c->server->requests, c->server->last), 0);
        memmove(c->in.data, c->in.data + whole, c->in.len - whole);
        text_truncate(&c->in, c->in.len - whole);
        for (c->reply = c->server->table; c->reply->match; c->reply++)
                if (starts_with(c->server->last, c->reply->match))
                        break;
        if (!c->reply->match)
                fail_msg("no answer for %s", c->server->last);
        c->sent = 0;
        timer_set(c->timer, c->reply->delay_usec);
}

static void on_bytes(void *arg, _unused_ unsigned what)
{
        struct connection *c = arg;
        char buffer[4096];
        ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);

        if (n <= 0) {
                connection_free(c);
                return;
        }
        text_addn(&c->in, buffer, (size_t) n);
        if (!c->reply)
                next_request(c);
}

static void on_connection(void *arg, _unused_ unsigned what)
{
        struct fake_http *s = arg;
        struct connection *c = calloc(1, sizeof *c);

        *c = (struct connection){ .server = s, .fd = accept(s->fd, NULL, NULL) };
        assert_true(c->fd >= 0);
        c->timer = timer_new(s->loop, send_more, c);
        c->watch = watch_new(s->loop, c->fd, WATCH_READ, on_bytes, c);
        LIST_INSERT_HEAD(&s->connections, c, link);
        s->accepted++;
        s->open++;
}

struct fake_http *fake_http_new(struct loop *l, const struct fake_reply *table)
{
        struct fake_http *s = calloc(1, sizeof *s);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        *s = (struct fake_http){ .loop = l, .table = table, .dir = "/tmp/fake-http-XXXXXX" };
        assert_non_null(mkdtemp(s->dir));
        (void) snprintf(s->path, sizeof s->path, "%s/socket", s->dir);
        (void) snprintf(address.sun_path, sizeof address.sun_path, "%s", s->path);
        s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(s->fd, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(listen(s->fd, 256), 0);
        s->watch = watch_new(l, s->fd, WATCH_READ, on_connection, s);
        return s;
}

struct fake_http *fake_http_free(struct fake_http *s)
{
        fake_http_hang_up(s);
        (void) watch_free(s->watch);
        (void) close(s->fd);
        (void) unlink(s->path);
        (void) rmdir(s->dir);
        (void) strv_free(s->requests);
        free(s->last);
        free(s);
        return NULL;
}

const char *fake_http_path(const struct fake_http *s)
{
        return s->path;
}

void fake_http_script(struct fake_http *s, const struct fake_reply *table)
{
        s->table = table;
}

void fake_http_push(struct fake_http *s, const char *match, const char *bytes)
{
        struct connection *c;
        bool found = false;

        LIST_FOREACH(c, &s->connections, link)
        {
                if (!c->reply || c->reply->after != FAKE_OPEN || !starts_with(c->reply->match, match))
                        continue;
                found = send(c->fd, bytes, strlen(bytes), MSG_NOSIGNAL) == (ssize_t) strlen(bytes);
        }
        assert_true(found);
}

void fake_http_hang_up(struct fake_http *s)
{
        struct connection *c;

        while ((c = LIST_FIRST(&s->connections)))
                connection_free(c);
}

unsigned fake_http_accepted(const struct fake_http *s)
{
        return s->accepted;
}

unsigned fake_http_open(const struct fake_http *s)
{
        return s->open;
}

unsigned fake_http_count(const struct fake_http *s, const char *match)
{
        unsigned n = 0;

        for (char **r = s->requests; r && *r; r++)
                n += starts_with(*r, match);
        return n;
}

const char *fake_http_last(const struct fake_http *s)
{
        return s->last ? s->last : "";
}
