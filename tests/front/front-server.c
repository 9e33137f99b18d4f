/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The front end with nothing behind it but test answers, for tests/front and
 * bench/http.sh.  Deadlines and limits come from the command line, what happens
 * goes to stderr, a line each: "begun /silent", "gone /silent", "ended /silent",
 * "access GET /echo 200 -".  SIGTERM drains and exits.
 *
 *   front-server [--LIMIT=NUMBER …] [--hello=BYTES] [--quiet] [--tls=CERT,KEY[,CA]]
 *                [--host=NAME] [--origin=URL] [--mode=OCTAL] [--group=NAME]
 *                (--fd=N | --listen=ADDRESS) …
 *
 * What concerns a listener holds for those behind it.
 */

#include "http/route.h"
#include "http/server.h"
#include "sys/loop.h"
#include "util/json.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#define STREAM_BLOCK 65536

struct front {
        struct loop *loop;
        struct server *server;
        struct timer *stopping;
        char *hello;
        size_t hello_len;
};

/* The route handlers' context, which the front end only carries. */
struct call {
        struct front *front;
        const struct http_request *request;
        struct reply *reply;
        struct route_match match;
};

/* An answer that is not given at once. */
struct job {
        struct reply *reply;
        struct timer *timer;
        char path[64];
        uint64_t left; /* blocks or lines */
        uint64_t step_usec;
        bool begun;
};

static uint64_t number(const struct http_request *r, const char *name, uint64_t fallback)
{
        const char *value = http_param(r, name);
        uint64_t n;

        return value && parse_u64(value, UINT64_MAX, &n) ? n : fallback;
}

static void put_fields(struct text *t, const char *name, const struct http_field *fields, size_t n)
{
        json_name(t, name);
        text_add(t, "[");
        for (size_t i = 0; i < n; i++) {
                text_add(t, i > 0 ? ",[" : "[");
                json_out(t, fields[i].name);
                text_add(t, ",");
                json_out(t, fields[i].value);
                text_add(t, "]");
        }
        text_add(t, "]");
}

static void put_peer(struct text *t, const struct peer *p)
{
        json_name(t, "peer");
        text_add(t, "{");
        json_put(t, "address", p->address);
        json_putb(t, "loopback", p->loopback);
        json_putb(t, "tls", p->tls);
        json_put(t, "certificate", p->certificate);
        if (p->kind == PEER_UNIX) {
                json_putu(t, "uid", p->uid);
                json_putu(t, "gid", p->gid);
                json_putu(t, "pid", (uint64_t) p->pid);
                json_putu(t, "groups", p->n_groups);
        }
        text_add(t, "}");
}

/* What was understood, as JSON. */
static void echo(struct call *call)
{
        const struct http_request *r = call->request;
        _cleanup_text_ struct text t = { 0 };

        text_add(&t, "{");
        json_put(&t, "method", r->method_name);
        json_putu(&t, "minor", (uint64_t) r->minor_version);
        json_put(&t, "target", r->target);
        json_put(&t, "query", r->query_raw);
        json_put(&t, "token", call->match.token);
        json_name(&t, "segments");
        text_add(&t, "[");
        for (size_t i = 0; i < r->n_segments; i++) {
                text_add(&t, i > 0 ? "," : "");
                json_out(&t, r->segments[i]);
        }
        text_add(&t, "]");
        put_fields(&t, "params", r->params, r->n_params);
        put_fields(&t, "headers", r->headers, r->n_headers);
        json_name(&t, "body");
        json_outn(&t, r->body, r->body_len);
        json_putu(&t, "body_len", r->body_len);
        put_peer(&t, r->peer);
        text_add(&t, "}\n");
        reply_note_request_id(call->reply, "echo");
        reply_send(call->reply, 200, "application/json", t.data, t.len);
}

static void hello(struct call *call)
{
        reply_send(call->reply, 200, "text/plain", call->front->hello, call->front->hello_len);
}

static void big(struct call *call)
{
        size_t len = number(call->request, "kib", 100) * 1024;
        _cleanup_free_ char *bytes = malloc(len + 1);

        if (!bytes) {
                reply_send(call->reply, 500, "text/plain", "no memory\n", 10);
                return;
        }
        memset(bytes, 'x', len);
        reply_send(call->reply, 200, "text/plain", bytes, len);
}

static void header_back(struct call *call)
{
        const char *value = http_param(call->request, "value");

        reply_header(call->reply, "X-Back", value ? value : "");
        reply_send(call->reply, 204, NULL, NULL, 0);
}

static void job_end(struct job *j)
{
        (void) fprintf(stderr, "ended %s\n", j->path);
        (void) timer_free(j->timer);
        free(j);
}

static void on_gone(void *arg)
{
        struct job *j = arg;

        (void) fprintf(stderr, "gone %s\n", j->path);
        if (j->begun)
                reply_end(j->reply);
        else
                reply_send(j->reply, 200, "text/plain", "", 0);
        job_end(j);
}

static struct job *job_new(struct call *call, void (*fire)(void *arg), void (*drained)(void *arg))
{
        struct job *j = calloc(1, sizeof *j);

        if (!j)
                abort();
        j->reply = call->reply;
        j->timer = timer_new(call->front->loop, fire, j);
        (void) snprintf(j->path, sizeof j->path, "%s", call->request->target);
        reply_watch(j->reply, drained, on_gone, j);
        (void) fprintf(stderr, "begun %s\n", j->path);
        return j;
}

static void on_never(void *arg _unused_)
{
}

static void silent(struct call *call)
{
        (void) job_new(call, on_never, NULL);
}

/* A stream that has begun and says nothing more. */
static void quiet(struct call *call)
{
        struct job *j = job_new(call, on_never, NULL);

        j->begun = true;
        reply_begin(j->reply, 200, "text/plain");
        if (http_param(call->request, "word"))
                (void) reply_write(j->reply, "word\n", 5);
}

static void answer_late(void *arg)
{
        struct job *j = arg;

        reply_send(j->reply, 200, "text/plain", "late\n", 5);
        job_end(j);
}

static void later(struct call *call)
{
        struct job *j = job_new(call, answer_late, NULL);

        timer_set(j->timer, number(call->request, "ms", 300) * USEC_PER_MSEC);
}

static void next_line(void *arg)
{
        struct job *j = arg;

        (void) reply_write(j->reply, "a line\n", 7);
        if (--j->left > 0) {
                timer_set(j->timer, j->step_usec);
                return;
        }
        reply_end(j->reply);
        job_end(j);
}

static void slow(struct call *call)
{
        struct job *j = job_new(call, next_line, NULL);

        j->left = number(call->request, "lines", 5);
        j->step_usec = number(call->request, "ms", 50) * USEC_PER_MSEC;
        j->begun = true;
        reply_begin(j->reply, 200, "text/plain");
        timer_set(j->timer, j->step_usec);
}

/* As much as the client takes, and no more. */
static void pour(void *arg)
{
        static const char block[STREAM_BLOCK] = { 0 };
        struct job *j = arg;
        bool more = true;

        while (more && j->left > 0) {
                more = reply_write(j->reply, block, sizeof block);
                j->left--;
        }
        if (j->left > 0)
                return;
        reply_end(j->reply);
        job_end(j);
}

static void huge(struct call *call)
{
        struct job *j = job_new(call, pour, pour);

        j->left = number(call->request, "mib", 64) * (1024 * 1024 / STREAM_BLOCK);
        j->begun = true;
        reply_begin(j->reply, 200, "application/octet-stream");
        pour(j);
}

static void broken(struct call *call)
{
        reply_begin(call->reply, 200, "text/plain");
        (void) reply_write(call->reply, "half of it\n", 11);
        reply_abort(call->reply);
}

/* --- bodies that are taken as they come -------------------------------------------------------------- */

struct upload_job {
        struct reply *reply;
        struct timer *timer;  /* until it takes more */
        uint64_t pause_usec, n;
        uint32_t sum;
        bool echoes;
};

static void upload_free(struct upload_job *u)
{
        (void) timer_free(u->timer);
        free(u);
}

static void on_rested(void *arg)
{
        struct upload_job *u = arg;

        reply_receive_more(u->reply);
}

/* Adler's sum, as Python's zlib has it. */
static uint32_t add_sum(uint32_t sum, const char *bytes, size_t n)
{
        uint32_t a = sum & 0xffff, b = sum >> 16;

        for (size_t i = 0; i < n; i++) {
                a = (a + (unsigned char) bytes[i]) % 65521;
                b = (b + a) % 65521;
        }
        return b << 16 | a;
}

static bool on_piece(void *arg, const char *bytes, size_t n)
{
        struct upload_job *u = arg;

        u->n += n;
        u->sum = add_sum(u->sum, bytes, n);
        if (u->echoes)
                (void) reply_write(u->reply, bytes, n);
        if (u->pause_usec == 0)
                return true;
        timer_set(u->timer, u->pause_usec);
        return false;
}

static void on_uploaded(void *arg, bool whole)
{
        struct upload_job *u = arg;
        char text[64];
        int n = snprintf(text, sizeof text, "%" PRIu64 " %08" PRIx32 "\n", u->n, u->sum);

        (void) fprintf(stderr, "uploaded %s %" PRIu64 "\n", whole ? "whole" : "broken", u->n);
        if (u->echoes && whole)
                reply_end(u->reply);
        else if (u->echoes)
                reply_abort(u->reply);
        else
                reply_send(u->reply, whole ? 200 : 400, "text/plain", text, (size_t) n);
        upload_free(u);
}

static void on_uploader_gone(void *arg)
{
        struct upload_job *u = arg;

        (void) fprintf(stderr, "gone /upload %" PRIu64 "\n", u->n);
        reply_abort(u->reply);
        upload_free(u);
}

/* ?refuse: from the head alone; ?echo: back as it comes; ?pause=ms: between pieces. */
static void upload(struct call *call)
{
        struct upload_job *u;

        if (http_param(call->request, "refuse")) {
                reply_send(call->reply, 403, "text/plain", "no\n", 3);
                return;
        }
        u = calloc(1, sizeof *u);
        if (!u)
                abort();
        u->reply = call->reply;
        u->sum = 1;
        u->pause_usec = number(call->request, "pause", 0) * USEC_PER_MSEC;
        u->timer = timer_new(call->front->loop, on_rested, u);
        u->echoes = http_param(call->request, "echo");
        reply_watch(u->reply, NULL, on_uploader_gone, u);
        if (u->echoes)
                reply_begin(u->reply, 200, "text/plain");
        reply_receive(u->reply, &(struct upload_hooks){ .bytes = on_piece, .end = on_uploaded, .arg = u });
}

static const struct route routes[] = {
        { HTTP_GET, "/hello", hello, NULL, ROUTE_OPEN, "a fixed answer" },
        { HTTP_GET, "/big", big, NULL, ROUTE_OPEN, "a large answer" },
        { HTTP_GET, "/header", header_back, NULL, ROUTE_OPEN, "a header of the client's making" },
        { HTTP_GET, "/silent", silent, NULL, ROUTE_OPEN, "never answers" },
        { HTTP_GET, "/quiet", quiet, NULL, ROUTE_OPEN, "begins and says no more" },
        { HTTP_GET, "/later", later, NULL, ROUTE_OPEN, "answers after a while" },
        { HTTP_GET, "/slow", slow, NULL, ROUTE_OPEN | ROUTE_STREAM, "a few lines, one by one" },
        { HTTP_GET, "/huge", huge, NULL, ROUTE_OPEN | ROUTE_STREAM, "a long stream" },
        { HTTP_POST, "/upload", upload, NULL, ROUTE_OPEN | ROUTE_UPLOAD, "a body as it comes" },
        { HTTP_GET, "/broken", broken, NULL, ROUTE_OPEN | ROUTE_STREAM, "a stream that breaks" },
};

static void on_request(void *arg, const struct http_request *request, struct reply *reply)
{
        static const struct route_table table = { routes, ARRAY_SIZE(routes) };
        struct call call = { .front = arg, .request = request, .reply = reply };

        route_find(&table, 1, request, &call.match);
        if (call.match.route)
                call.match.route->handler(&call);
        else
                echo(&call);
}

/* A method that the path does not know, told from the head. */
static bool on_head(void *arg _unused_, const struct http_request *request, struct reply *reply)
{
        static const struct route_table table = { routes, ARRAY_SIZE(routes) };
        struct route_match match;

        route_find(&table, 1, request, &match);
        if (!match.path_known || match.route)
                return true;
        (void) fprintf(stderr, "head %s %zu%s\n", request->target, request->body_len,
                       request->body ? " body" : "");
        reply_send(reply, 405, "text/plain", "another method\n", 15);
        return false;
}

static bool on_streams(void *arg _unused_, const struct http_request *request)
{
        static const struct route_table table = { routes, ARRAY_SIZE(routes) };
        struct route_match match;

        route_find(&table, 1, request, &match);
        return match.route && match.route->flags & ROUTE_UPLOAD;
}

static void on_access(void *arg _unused_, const struct server_access *a)
{
        (void) fprintf(stderr, "access %s %s %d %s\n", a->method, a->target, a->status,
                       a->refusal ? a->refusal : "-");
}

static void stop_when_idle(void *arg)
{
        struct front *f = arg;

        if (server_idle(f->server))
                loop_stop(f->loop);
        else
                timer_set(f->stopping, 20 * USEC_PER_MSEC);
}

static void on_sigterm(void *arg, int signo _unused_)
{
        struct front *f = arg;

        server_drain(f->server);
        timer_set(f->stopping, 0);
}

/* --NAME=VALUE → the VALUE, if the option has this name. */
static const char *value_of(const char *option, const char *name)
{
        size_t n = strlen(name);

        if (!starts_with(option, "--") || strncmp(option + 2, name, n) != 0 || option[2 + n] != '=')
                return NULL;
        return option + 3 + n;
}

static void take_limit(struct server_limits *l, const char *option)
{
        const struct {
                const char *name;
                size_t *size;
                unsigned *count;
                uint64_t *msec;
        } limits[] = {
                { "head-max", &l->head_max, NULL, NULL },
                { "body-max", &l->body_max, NULL, NULL },
                { "pending-max", &l->pending_max, NULL, NULL },
                { "connections-max", NULL, &l->connections_max, NULL },
                { "per-address-max", NULL, &l->per_address_max, NULL },
                { "requests-max", NULL, &l->requests_per_connection, NULL },
                { "head-ms", NULL, NULL, &l->head_usec },
                { "body-ms", NULL, NULL, &l->body_usec },
                { "idle-ms", NULL, NULL, &l->idle_usec },
                { "stuck-ms", NULL, NULL, &l->stuck_usec },
        };
        uint64_t n;

        for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
                const char *value = value_of(option, limits[i].name);

                if (!value || !parse_u64(value, UINT32_MAX, &n))
                        continue;
                if (limits[i].size)
                        *limits[i].size = (size_t) n;
                else if (limits[i].count)
                        *limits[i].count = (unsigned) n;
                else
                        *limits[i].msec = n * USEC_PER_MSEC;
        }
}

/* The listener that an option begins or prepares; the vectors outlive server_listen() only here. */
struct listening {
        struct listen_options options;
        const char *hosts[2], *origins[2];
        char tls[512];
};

static void take_tls(struct listening *l, const char *value)
{
        char *save = NULL;

        (void) snprintf(l->tls, sizeof l->tls, "%s", value);
        l->options.certificate = strtok_r(l->tls, ",", &save);
        l->options.key = strtok_r(NULL, ",", &save);
        l->options.client_ca = strtok_r(NULL, ",", &save);
}

static int listen_now(struct front *f, struct listening *l)
{
        struct fault fault;

        l->options.hosts = l->hosts;
        l->options.origins = l->origins;
        if (server_listen(f->server, &l->options, &fault) == 0)
                return 0;
        (void) fprintf(stderr, "fault %s\n", fault.text);
        return -EINVAL;
}

/* What concerns one listener; the limits were taken before. */
static int take_listener(struct front *f, struct listening *l, const char *option)
{
        const char *value;
        uint64_t n;

        if ((value = value_of(option, "tls"))) {
                take_tls(l, value);
        } else if ((value = value_of(option, "host"))) {
                l->hosts[0] = value;
        } else if ((value = value_of(option, "origin"))) {
                l->origins[0] = value;
        } else if ((value = value_of(option, "mode"))) {
                l->options.mode = (mode_t) strtoul(value, NULL, 8);
        } else if ((value = value_of(option, "group"))) {
                l->options.group = value;
        } else if ((value = value_of(option, "hello")) && parse_u64(value, UINT32_MAX, &n)) {
                f->hello_len = (size_t) n;
        } else if ((value = value_of(option, "fd")) && parse_u64(value, INT32_MAX, &n)) {
                l->options.fd = (int) n;
                return listen_now(f, l);
        } else if ((value = value_of(option, "listen"))) {
                l->options.fd = -1;
                l->options.address = value;
                return listen_now(f, l);
        }
        return 0;
}

static int set_up(struct front *f, int argc, char **argv)
{
        struct server_limits limits = server_limits_default;
        struct server_hooks hooks = {
                .request = on_request, .head = on_head, .access = on_access, .streams = on_streams, .arg = f
        };
        struct listening l = { .options.fd = -1 };

        for (int i = 1; i < argc; i++) {
                take_limit(&limits, argv[i]);
                if (streq(argv[i], "--quiet"))
                        hooks.access = NULL;
        }
        f->server = server_new(loop_base(f->loop), &limits, &hooks);
        if (!f->server)
                return -ENOMEM;
        for (int i = 1; i < argc; i++)
                if (take_listener(f, &l, argv[i]) < 0)
                        return -EINVAL;
        f->hello = malloc(f->hello_len + 1);
        f->stopping = timer_new(f->loop, stop_when_idle, f);
        if (!f->hello || !f->stopping)
                return -ENOMEM;
        memset(f->hello, 'h', f->hello_len);
        return 0;
}

int main(int argc, char **argv)
{
        struct front f = { .hello_len = 512 };
        int r;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) setvbuf(stderr, NULL, _IOLBF, 0);
        f.loop = loop_new();
        if (!f.loop)
                return 1;
        r = set_up(&f, argc, argv);
        if (r == 0) {
                (void) loop_on_signal(f.loop, SIGTERM, on_sigterm, &f);
                (void) fprintf(stderr, "ready\n");
                r = loop_run(f.loop);
        }
        (void) server_free(f.server);
        (void) timer_free(f.stopping);
        free(f.hello);
        (void) loop_free(f.loop);
        return r < 0 ? 1 : 0;
}
