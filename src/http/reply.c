/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Putting answers into bytes.  Head and body of a whole answer leave in one
 * write; a stream's chunks leave one by one, each framed so that its end, or
 * the lack of one, can be told.
 */

#include "http/reply.h"
#include "http/connection.h"
#include "http/problem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/uio.h>

#define HEAD_MAX 1024 /* our own lines of an answer's head; the handler's are beside it */
#define KEEP_MAX 4096 /* a recycled reply keeps buffers up to this size */

struct reply *reply_new(struct connection *c)
{
        struct server *s = c->server;
        struct reply *r = s->n_spares > 0 ? s->spares[--s->n_spares] : calloc(1, sizeof *r);

        if (!r)
                return NULL;
        r->connection = c;
        r->started_usec = clock_usec();
        r->request.method = HTTP_OTHER;
        r->request.method_name = r->request.target = "-";
        r->request.minor_version = 1;
        return r;
}

bool reply_reserve_head(struct reply *r, size_t size)
{
        char *head;

        if (r->head_size >= size)
                return true;
        head = realloc(r->head, size);
        if (!head)
                return false;
        r->head = head;
        r->head_size = size;
        return true;
}

/* The memory is promised at once but touched only as the body arrives. */
enum http_refusal reply_reserve_body(struct reply *r, size_t len)
{
        struct server *s = r->connection->server;

        if (s->body_bytes + len > BODIES_MAX * s->limits.body_max)
                return HTTP_MANY_BODIES;
        r->body = malloc(len + 1);
        if (!r->body)
                return HTTP_NO_MEMORY;
        s->body_bytes += len;
        r->request.body = r->body;
        r->request.body_len = len;
        return HTTP_FINE;
}

struct reply *reply_destroy(struct reply *r)
{
        if (!r)
                return NULL;
        free(r->head);
        free(r->body);
        text_reset(&r->extra);
        free(r);
        return NULL;
}

/* Only the buffers stay, and only the small ones. */
struct reply *reply_recycle(struct server *s, struct reply *r)
{
        struct reply empty = { 0 };

        if (s && r->body)
                s->body_bytes -= r->request.body_len;
        if (!s || s->n_spares == SPARE_REPLIES)
                return reply_destroy(r);
        free(r->body);
        if (r->head_size <= KEEP_MAX) {
                empty.head = r->head;
                empty.head_size = r->head_size;
        } else {
                free(r->head);
        }
        if (text_ok(&r->extra) && r->extra.cap <= KEEP_MAX) {
                text_truncate(&r->extra, 0);
                empty.extra = r->extra;
        } else {
                text_reset(&r->extra);
        }
        *r = empty;
        s->spares[s->n_spares++] = r;
        return NULL;
}

void reply_header(struct reply *r, const char *name, const char *value)
{
        assert(!r->begun);
        if (strpbrk(value, "\r\n"))
                return;
        if (strcasecmp(name, "Cache-Control") == 0)
                r->sets_cache_control = true;
        text_add(&r->extra, name);
        text_add(&r->extra, ": ");
        text_add(&r->extra, value);
        text_add(&r->extra, "\r\n");
}

void reply_headerf(struct reply *r, const char *name, const char *format, ...)
{
        _cleanup_free_ char *value = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&value, format, ap);
        va_end(ap);
        if (n >= 0)
                reply_header(r, name, value);
}

/* Our own lines, in a buffer on the stack that is large enough for all of them. */
struct head {
        char bytes[HEAD_MAX];
        size_t len;
};

static void add(struct head *h, const char *s)
{
        size_t n = strlen(s);

        if (n > sizeof h->bytes - h->len)
                n = sizeof h->bytes - h->len;
        memcpy(h->bytes + h->len, s, n);
        h->len += n;
}

static void add_number(struct head *h, uint64_t n)
{
        char digits[24], *p = digits + sizeof digits - 1;

        *p = '\0';
        do
                *--p = (char) ('0' + n % 10);
        while (n /= 10);
        add(h, p);
}

static void add_line(struct head *h, const char *name, const char *value)
{
        add(h, name);
        add(h, value);
        add(h, "\r\n");
}

/*
 * Whether the connection may carry another request, settled when the head goes
 * out because that is what the client is told.
 */
static bool settle_keep_alive(struct reply *r)
{
        struct connection *c = r->connection;
        struct server *s = c->server;

        if (s->draining || c->n_requests >= s->limits.requests_per_connection)
                c->keep_alive = false;
        if (r->begun && !r->chunked && !r->bodiless)
                c->keep_alive = false;
        if (upload_is_due(r))
                c->keep_alive = false;
        return c->keep_alive;
}

static void build_head(struct reply *r, struct head *h, const char *type)
{
        bool http10 = r->request.minor_version == 0;

        h->len = 0;
        add(h, "HTTP/1.1 ");
        add_number(h, (uint64_t) r->status);
        add(h, " ");
        add_line(h, http_status_phrase(r->status), "");
        add_line(h, "Date: ", server_date(r->connection->server));
        add(h, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
        if (!r->sets_cache_control)
                add(h, "Cache-Control: no-store\r\n");
        if (type && strlen(type) < HEAD_MAX / 4)
                add_line(h, "Content-Type: ", type);
        if (!settle_keep_alive(r))
                add(h, "Connection: close\r\n");
        else if (http10)
                add(h, "Connection: keep-alive\r\n");
}

static bool status_has_no_body(int status)
{
        return status == 204 || status == 304 || status < 200;
}

static void send_parts(struct reply *r, struct iovec *parts, size_t n)
{
        for (size_t i = 0; i < n; i++)
                r->bytes += parts[i].iov_len;
        connection_write(r->connection, parts, n);
}

static struct iovec part(const void *bytes, size_t len)
{
        return (struct iovec){ (void *) bytes, len };
}

static struct iovec extra_part(const struct reply *r)
{
        return text_ok(&r->extra) ? part(r->extra.data, r->extra.len) : part("", 0);
}

/* The one way out of every reply. */
static void finish(struct reply *r)
{
        struct connection *c = r->connection;
        struct server *s = c->server;

        if (s)
                server_account(s, r);
        if (upload_is_due(r))
                c->keep_alive = c->client_closes = false; /* it may be sending still */
        c->reply = NULL;
        (void) reply_recycle(s, r);
        connection_reply_ended(c);
}

static bool client_is_there(const struct reply *r)
{
        return r->connection->socket;
}

void reply_send(struct reply *r, int status, const char *type, const void *body, size_t len)
{
        struct head h;
        struct iovec parts[4];

        assert(!r->begun);
        r->status = status;
        r->bodiless = r->request.method == HTTP_HEAD || status_has_no_body(status);
        if (client_is_there(r)) {
                build_head(r, &h, type);
                if (!status_has_no_body(status)) {
                        add(&h, "Content-Length: ");
                        add_number(&h, len);
                        add(&h, "\r\n");
                }
                parts[0] = part(h.bytes, h.len);
                parts[1] = extra_part(r);
                parts[2] = part("\r\n", 2);
                parts[3] = part(body, r->bodiless ? 0 : len);
                send_parts(r, parts, ARRAY_SIZE(parts));
        }
        finish(r);
}

void reply_begin(struct reply *r, int status, const char *type)
{
        struct head h;
        struct iovec parts[3];

        assert(!r->begun);
        r->begun = true;
        r->status = status;
        r->bodiless = r->request.method == HTTP_HEAD || status_has_no_body(status);
        r->chunked = !r->bodiless && r->request.minor_version == 1;
        if (!client_is_there(r))
                return;
        build_head(r, &h, type);
        if (r->chunked)
                add(&h, "Transfer-Encoding: chunked\r\n");
        parts[0] = part(h.bytes, h.len);
        parts[1] = extra_part(r);
        parts[2] = part("\r\n", 2);
        send_parts(r, parts, ARRAY_SIZE(parts));
        connection_begin_stream(r->connection);
}

static bool write_bytes(struct reply *r, const void *bytes, size_t len)
{
        char size[24];
        struct iovec parts[3];
        int n;

        if (!client_is_there(r))
                return false;
        if (len == 0 || r->bodiless)
                return !r->full;
        if (r->chunked) {
                n = snprintf(size, sizeof size, "%zx\r\n", len);
                parts[0] = part(size, (size_t) n);
                parts[1] = part(bytes, len);
                parts[2] = part("\r\n", 2);
                send_parts(r, parts, 3);
        } else {
                parts[0] = part(bytes, len);
                send_parts(r, parts, 1);
        }
        if (connection_pending(r->connection) > r->connection->server->limits.pending_max)
                r->full = true;
        return !r->full;
}

void reply_gzip(struct reply *r)
{
        reply_header(r, "Vary", "Accept-Encoding");
        r->gzipped = http_accepts_gzip(&r->request);
        if (r->gzipped)
                reply_header(r, "Content-Encoding", "gzip");
}

static void begin_gzip(struct reply *r)
{
        if (!r->gzip_begun)
                (void) write_bytes(r, gzip_head, sizeof gzip_head);
        r->gzip_begun = true;
}

bool reply_write_part(struct reply *r, const struct gzip_part *p)
{
        assert(r->begun && r->gzipped);
        begin_gzip(r);
        gzip_add(&r->gzip, p);
        return write_bytes(r, p->packed.data, p->packed.len);
}

bool reply_write(struct reply *r, const void *bytes, size_t len)
{
        struct gzip_part p;
        bool fine;

        assert(r->begun);
        if (!r->gzipped)
                return write_bytes(r, bytes, len);
        if (gzip_part(bytes, len, &p) < 0) {
                r->gzip_broken = true; /* its end will be no good one */
                return !r->full;
        }
        fine = reply_write_part(r, &p);
        gzip_part_reset(&p);
        return fine;
}

static void end_gzip(struct reply *r)
{
        char end[10];

        begin_gzip(r);
        gzip_end(&r->gzip, end);
        (void) write_bytes(r, end, sizeof end);
}

void reply_end(struct reply *r)
{
        struct iovec last = part("0\r\n\r\n", 5);

        assert(r->begun);
        if (r->gzip_broken) {
                reply_abort(r);
                return;
        }
        if (r->gzipped)
                end_gzip(r);
        if (client_is_there(r) && r->chunked)
                send_parts(r, &last, 1);
        finish(r);
}

/* Without chunks the client can tell a broken stream from a whole one only by a reset. */
void reply_abort(struct reply *r)
{
        if (client_is_there(r))
                connection_break(r->connection, r->begun && !r->chunked);
        finish(r);
}

void reply_watch(struct reply *r, void (*drained)(void *arg), void (*gone)(void *arg), void *arg)
{
        r->drained = drained;
        r->gone = gone;
        r->watch_arg = arg;
        if (r->client_left && gone)
                connection_tell_gone_soon(r->connection);
}

bool reply_is_gone(const struct reply *r)
{
        return !client_is_there(r);
}

bool reply_begun(const struct reply *r)
{
        return r->begun;
}

void reply_note_request_id(struct reply *r, const char *id)
{
        (void) snprintf(r->request_id, sizeof r->request_id, "%s", id);
}

static uint64_t limit_of(enum http_refusal why, const struct server_limits *l, const char **ret_unit)
{
        *ret_unit = "bytes";
        switch (why) {
        case HTTP_LONG_HEAD:
                return l->head_max;
        case HTTP_LONG_TARGET:
                return HTTP_TARGET_MAX;
        case HTTP_LONG_BODY:
                return l->body_max;
        case HTTP_MANY_HEADERS:
                *ret_unit = "headers";
                return HTTP_HEADERS_MAX;
        case HTTP_MANY_SEGMENTS:
                *ret_unit = "segments";
                return HTTP_SEGMENTS_MAX;
        case HTTP_MANY_PARAMS:
                *ret_unit = "parameters";
                return HTTP_PARAMS_MAX;
        case HTTP_SLOW_HEAD:
                *ret_unit = "ms";
                return l->head_usec / 1000;
        case HTTP_SLOW_BODY:
                *ret_unit = "ms";
                return l->body_usec / 1000;
        default:
                return 0;
        }
}

void reply_refuse(struct reply *r, const struct server_limits *limits)
{
        int status = http_refusal_status(r->refusal);
        bool json = http_prefers_json(&r->request);
        uint64_t limit;
        const char *unit;
        _cleanup_text_ struct text t = { 0 };
        char detail[256];

        limit = limit_of(r->refusal, limits, &unit);
        if (limit > 0)
                (void) snprintf(detail, sizeof detail, "%s: at most %llu %s",
                                http_refusal_sentence(r->refusal), (unsigned long long) limit, unit);
        else
                (void) snprintf(detail, sizeof detail, "%s", http_refusal_sentence(r->refusal));
        if (status == 503)
                reply_header(r, "Retry-After", "1");
        problem_write(&t, json, status, NULL, detail);
        if (text_ok(&t))
                reply_send(r, status, problem_type(json), t.data, t.len);
        else
                reply_send(r, status, problem_type(false), "", 0);
}

void reply_allow_origin(struct reply *r, const char *origin)
{
        reply_header(r, "Access-Control-Allow-Origin", origin);
        reply_header(r, "Access-Control-Expose-Headers", "ETag, Geard-Cursor, Geard-Replayed, Location, Retry-After");
        reply_header(r, "Vary", "Origin");
}

void reply_preflight(struct reply *r)
{
        reply_header(r, "Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, PATCH, DELETE");
        reply_header(r, "Access-Control-Allow-Headers",
                     "Accept, Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, "
                     "X-Request-Id");
        reply_header(r, "Access-Control-Max-Age", "600");
        reply_send(r, 204, NULL, NULL, 0);
}
