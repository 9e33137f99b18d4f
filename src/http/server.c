/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Listeners, who may connect, and what is counted.  The connections themselves
 * live in connection.c.
 */

#include "http/connection.h"
#include "http/socket.h"
#include "http/tls.h"

#include <stdio.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/listener.h>

static const struct timeval accept_pause = { 0, 200000 };

const struct server_limits server_limits_default = {
        .head_max = 16 * 1024,
        .body_max = 1024 * 1024,
        .pending_max = 256 * 1024,
        .connections_max = 4096,
        .per_address_max = 1024,
        .requests_per_connection = 1000,
        .head_usec = 10 * 1000000,
        .body_usec = 20 * 1000000,
        .idle_usec = 30 * 1000000,
        .stuck_usec = 30 * 1000000,
};

static void resume_accepting(int fd _unused_, short what _unused_, void *arg)
{
        struct server *s = arg;
        struct listener *l;

        LIST_FOREACH(l, &s->listeners, all)
        (void) evconnlistener_enable(l->event);
}

/*
 * Out of descriptors or memory.  The connection that could not be accepted
 * keeps the listener readable, so it is left alone for a moment or it would
 * spin.
 */
static void on_accept_error(struct evconnlistener *event, void *arg)
{
        struct listener *l = arg;

        (void) evconnlistener_disable(event);
        (void) event_add(l->server->resume, &accept_pause);
}

/* One write, no buffers, no waiting: a crowd must not cost anything. */
static void turn_away(struct listener *l, int fd)
{
        static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                     "Content-Type: text/plain; charset=utf-8\r\n"
                                     "Content-Length: 46\r\n"
                                     "Retry-After: 5\r\n"
                                     "Connection: close\r\n\r\n"
                                     "too many connections; try again in 5 seconds.\n";
        char unread[4096];

        if (!l->tls && send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
                (void) shutdown(fd, SHUT_WR);
                /* Unread input would turn the close into a reset, which may erase the answer. */
                (void) recv(fd, unread, sizeof unread, MSG_DONTWAIT);
        }
        (void) close(fd);
        l->server->stats.refused++;
}

static bool is_over_its_share(struct server *s, const struct address_key *key)
{
        const struct connection *c;
        unsigned n = 0;

        LIST_FOREACH(c, &s->by_address[address_bucket(key)], same_address)
        if (memcmp(&c->address, key, sizeof *key) == 0 && ++n >= s->limits.per_address_max)
                return true;
        return false;
}

static void on_accept(struct evconnlistener *event _unused_, int fd, struct sockaddr *address,
                      int len _unused_, void *arg)
{
        struct listener *l = arg;
        struct server *s = l->server;
        struct address_key key;
        struct peer peer;

        s->stats.accepted++;
        if (s->stats.connections >= s->limits.connections_max) {
                turn_away(l, fd);
                return;
        }
        socket_peer(fd, address, &peer, &key);
        if (peer.kind == PEER_TCP && s->limits.per_address_max > 0 && is_over_its_share(s, &key)) {
                turn_away(l, fd);
                return;
        }
        (void) connection_open(l, fd, &peer, &key);
}

static struct listener *listener_free(struct listener *l)
{
        if (!l)
                return NULL;
        if (l->event)
                evconnlistener_free(l->event);
        if (l->socket_path)
                (void) unlink(l->socket_path);
        (void) tls_free(l->tls);
        (void) strv_free(l->policy.hosts);
        (void) strv_free(l->policy.origins);
        free(l->socket_path);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(struct listener, listener_free);

/* Options come as const vectors; strv_copy() answers NULL for an empty one and for no memory. */
static int copy_names(const char *const *names, char ***ret, struct fault *f)
{
        if (!names || !*names)
                return 0;
        *ret = strv_copy((char *const *) names);
        return *ret ? 0 : fault_oom(f);
}

int server_listen(struct server *s, const struct listen_options *options, struct fault *f)
{
        _cleanup_(listener_freep) struct listener *l = calloc(1, sizeof *l);
        int r, fd = -1;

        if (!l)
                return fault_oom(f);
        l->server = s;
        l->tag = options->tag;
        r = copy_names(options->hosts, &l->policy.hosts, f);
        if (r == 0)
                r = copy_names(options->origins, &l->policy.origins, f);
        if (r == 0 && options->certificate)
                r = tls_new(options, &l->tls, f);
        if (r == 0)
                r = socket_listen(options, &fd, &l->socket_path, f);
        if (r < 0)
                return r;
        l->policy.tls = l->tls;
        l->policy.guard_origin = options->client_ca;
        l->event = evconnlistener_new(s->base, on_accept, l, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
                                      0, fd);
        if (!l->event) {
                if (options->fd < 0)
                        (void) close(fd);
                return fault_oom(f);
        }
        evconnlistener_set_error_cb(l->event, on_accept_error);
        LIST_INSERT_HEAD(&s->listeners, l, all);
        (void) TAKE(l);
        return 0;
}

struct server *server_new(struct event_base *base, const struct server_limits *limits,
                          const struct server_hooks *hooks)
{
        _cleanup_free_ struct server *s = calloc(1, sizeof *s);

        if (!s)
                return NULL;
        s->base = base;
        s->limits = *limits;
        s->hooks = *hooks;
        s->resume = event_new(base, -1, 0, resume_accepting, s);
        if (!s->resume)
                return NULL;
        return TAKE(s);
}

/* A closed listener's connections still need its TLS context and policy, so it stays until the end. */
void server_drain(struct server *s)
{
        struct connection *c, *next;
        struct listener *l;

        s->draining = true;
        (void) event_del(s->resume);
        LIST_FOREACH(l, &s->listeners, all)
        {
                if (l->event)
                        evconnlistener_free(l->event);
                l->event = NULL;
                if (l->socket_path)
                        (void) unlink(l->socket_path);
                free(TAKE(l->socket_path));
        }
        for (c = LIST_FIRST(&s->connections); c; c = next) {
                next = LIST_NEXT(c, all);
                connection_drain(c);
        }
}

bool server_idle(const struct server *s)
{
        const struct connection *c;

        if (s->stats.replies > 0)
                return false;
        LIST_FOREACH(c, &s->connections, all)
        if (connection_pending(c) > 0)
                return false;
        return true;
}

void server_get_stats(const struct server *s, struct server_stats *ret)
{
        *ret = s->stats;
}

struct server *server_free(struct server *s)
{
        struct connection *c;
        struct listener *l;

        if (!s)
                return NULL;
        while ((c = LIST_FIRST(&s->connections)))
                connection_abandon(c);
        while ((l = LIST_FIRST(&s->listeners))) {
                LIST_REMOVE(l, all);
                (void) listener_free(l);
        }
        while (s->n_spares > 0)
                (void) reply_destroy(s->spares[--s->n_spares]);
        event_free(s->resume);
        free(s);
        return NULL;
}

const char *server_date(struct server *s)
{
        time_t now = time(NULL);
        struct tm tm;

        if (now != s->date_second && gmtime_r(&now, &tm)) {
                (void) strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
                s->date_second = now;
        }
        return s->date;
}

/*
 * "/token/abc/container" → "/token/-/container".  The test token is no secret
 * and says something about the line.
 */
static const char *redact(const struct http_request *r, char *buffer, size_t size)
{
        const char *token, *rest;

        if (r->n_segments < 2 || !streq(r->segments[0], "token") || streq(r->segments[1], "__test__"))
                return r->target;
        token = strchr(r->target + 1, '/') + 1;
        rest = token + strcspn(token, "/");
        (void) snprintf(buffer, size, "%.*s-%s", (int) (token - r->target), r->target, rest);
        return buffer;
}

void server_account(struct server *s, const struct reply *r)
{
        unsigned class = (unsigned) r->status / 100;
        char path[HTTP_TARGET_MAX + 1];
        struct server_access access;

        if (r->dispatched)
                s->stats.replies--;
        if (class < ARRAY_SIZE(s->stats.responses_by_class))
                s->stats.responses_by_class[class]++;
        if (!s->hooks.access)
                return;
        access = (struct server_access){
                .peer = &r->connection->peer,
                .method = r->request.method_name,
                .target = redact(&r->request, path, sizeof path),
                .request_id = r->request_id,
                .refusal = r->refusal == HTTP_FINE ? NULL : http_refusal_name(r->refusal),
                .status = r->status,
                .bytes = r->bytes,
                .usec = clock_usec() - r->started_usec,
        };
        s->hooks.access(s->hooks.arg, &access);
}
