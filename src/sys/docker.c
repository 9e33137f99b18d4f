/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The link to the Docker Engine: it stands while the event stream stands and
 * pings are answered.  A stopped process keeps its connections, so the stream
 * alone cannot tell a quiet engine from a hung one.
 */

#include "sys/docker.h"
#include "sys/docker-internal.h"
#include "sys/docker-json.h"
#include "sys/split.h"

#include <inttypes.h>
#include <stdio.h>

#define API_URL "http://docker/v1.41" /* the name is for the Host header; the socket decides */
#define EVENT_LINE_MAX ((size_t) 1 << 20)
#define REFUSAL_MAX ((size_t) 64 << 10)
#define NOT_ALLOWED "its service is not running"
#define RETRY_USEC (500 * USEC_PER_MSEC)
#define PING_EVERY_USEC (10 * USEC_PER_SEC)
#define ANSWER_USEC (10 * USEC_PER_SEC)

#define AGAIN_USEC (100 * USEC_PER_MSEC)
#define RETRY_AFTER_SECONDS 5 /* told to clients while the engine is away */

struct docker {
        struct loop *loop;
        struct fetch *fetch;
        char *socket_path;
        struct docker_watch watch;
        bool allowed, up;
        bool down_told; /* since the last up, or since we were allowed */
        char cgroup_driver[16];
        char reason[256];         /* of the loss that down_timer tells */
        struct timer *down_timer; /* so that `down` is never called inside a verb */
        struct timer *retry_timer;
        struct timer *ping_timer;
        struct fetch_op *info, *stream, *ping;
        struct line_splitter lines;
        LIST_HEAD(, docker_op) ops;
};

struct loop *docker_loop(const struct docker *d)
{
        return d->loop;
}

/* --- operations ----------------------------------------------------------- */

void docker_escape(struct text *path, const char *s, const char *keep)
{
        static const char unreserved[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

        for (; *s; s++) {
                if (strchr(unreserved, *s) || strchr(keep, *s))
                        text_addc(path, *s);
                else
                        text_addf(path, "%%%02X", (unsigned) (unsigned char) *s);
        }
}

static void fault_away(struct fault *f, const char *reason)
{
        (void) fault_set(f, FAULT_AWAY, NULL, "the Docker engine is not available: %s", reason);
        f->retry_after = RETRY_AFTER_SECONDS;
}

static void fault_unanswered(const struct fetch_answer *answer, struct fault *ret)
{
        switch (answer->error) {
        case -ETIMEDOUT:
                (void) fault_set(ret, FAULT_TIMEOUT, NULL, "the Docker engine did not answer in time");
                break;
        case -EFBIG:
                (void) fault_set(ret, FAULT_UPSTREAM, NULL,
                                 "the Docker engine's answer is longer than %zu bytes", DOCKER_ANSWER_MAX);
                break;
        case -ECANCELED:
                (void) fault_set(ret, FAULT_UPSTREAM, NULL, "the Docker engine's answer cannot be read");
                break;
        case -ENOMEM:
                (void) fault_oom(ret);
                break;
        default:
                fault_away(ret, answer->reason);
        }
}

static enum fault_kind kind_of_status(int status)
{
        switch (status) {
        case 400:
                return FAULT_INVALID;
        case 404:
                return FAULT_MISSING;
        case 409:
                return FAULT_CONFLICT;
        default:
                return FAULT_UPSTREAM;
        }
}

static void fault_refused(int status, const char *body, size_t len, struct fault *ret)
{
        enum fault_kind kind = kind_of_status(status);
        char message[512];

        docker_read_message(body, len, message, sizeof message);
        if (*message)
                (void) fault_set(ret, kind, NULL, "Docker engine: %s", message);
        else
                (void) fault_set(ret, kind, NULL, "the Docker engine answered %d", status);
}

static bool is_success(int status)
{
        return status >= 200 && status < 300;
}

struct docker_op *docker_op_free(struct docker_op *op)
{
        if (!op)
                return NULL;
        if (op->docker)
                LIST_REMOVE(op, link);
        (void) fetch_cancel(op->fetch);
        (void) timer_free(op->timer);
        if (op->destroy)
                op->destroy(op);
        text_reset(&op->refusal);
        free(op->url);
        free(op);
        return NULL;
}

/* Out of reach first: the user that is called may do anything, docker_free() included. */
static void op_answer(struct docker_op *op, const struct fetch_answer *answer, const struct fault *fault)
{
        LIST_REMOVE(op, link);
        op->docker = NULL;
        op->answered(op, answer, fault);
        (void) docker_op_free(op);
}

static void op_fetched(void *arg, const struct fetch_answer *answer)
{
        struct docker_op *op = arg;
        struct fault fault = { 0 };

        op->fetch = NULL;
        if (answer->error)
                fault_unanswered(answer, &fault);
        else if (!is_success(answer->status) && op->refusal.len)
                fault_refused(answer->status, op->refusal.data, op->refusal.len, &fault);
        else if (!is_success(answer->status))
                fault_refused(answer->status, answer->body, answer->len, &fault);
        text_reset(&op->refusal);
        if (fault.kind && op->again && op->again(op, &fault))
                timer_set(op->timer, AGAIN_USEC);
        else
                op_answer(op, answer, fault.kind ? &fault : NULL);
}

static bool op_bytes(void *arg, int status, const char *bytes, size_t len)
{
        struct docker_op *op = arg;

        if (is_success(status))
                return op->piece(op, bytes, len);
        if (op->refusal.len + len <= REFUSAL_MAX)
                text_addn(&op->refusal, bytes, len);
        return true;
}

static void op_fail(struct docker_op *op, const struct fault *fault)
{
        op->fetch = fetch_cancel(op->fetch);
        op->fault = *fault;
        timer_set(op->timer, 0);
}

static void op_send(struct docker_op *op)
{
        const char *const headers[] = { op->header, NULL };
        const struct fetch_request request = {
                .method = op->method,
                .url = op->url,
                .unix_socket = op->docker->socket_path,
                .headers = headers,
                .total_usec = op->total_usec,
                .silence_usec = op->silence_usec,
                .answer_max = DOCKER_ANSWER_MAX,
                .piece = op->piece ? op_bytes : NULL,
        };
        struct fault fault;

        op->fetch = fetch_start(op->docker->fetch, &request, op_fetched, op);
        if (!op->fetch) {
                (void) fault_oom(&fault);
                op_fail(op, &fault);
        }
}

static void op_timer(void *arg)
{
        struct docker_op *op = arg;

        if (op->fault.kind)
                op_answer(op, NULL, &op->fault);
        else
                op_send(op);
}

struct docker_op *docker_op_start(struct docker *d, struct docker_op *op, struct text *path)
{
        _cleanup_(docker_op_freep) struct docker_op *owned = op;
        _cleanup_text_ struct text url = { 0 };
        struct fault fault;

        text_add(&url, API_URL);
        text_add(&url, path->data);
        op->url = text_ok(path) ? text_take(&url) : NULL;
        op->timer = timer_new(d->loop, op_timer, op);
        if (!op->url || !op->timer)
                return NULL;
        op->docker = d;
        LIST_INSERT_HEAD(&d->ops, op, link);
        if (d->up) {
                op_send(op);
        } else {
                fault_away(&fault, d->allowed ? d->reason : NOT_ALLOWED);
                op_fail(op, &fault);
        }
        return TAKE(owned);
}

struct docker_op *docker_cancel(struct docker_op *op)
{
        return docker_op_free(op);
}

/* --- the link ------------------------------------------------------------- */

static void tell_down(void *arg)
{
        struct docker *d = arg;

        d->watch.down(d->watch.arg, d->reason);
}

static void link_drop(struct docker *d, const char *reason)
{
        struct docker_op *op;
        struct fault fault;

        d->up = false;
        d->info = fetch_cancel(d->info);
        d->stream = fetch_cancel(d->stream);
        d->ping = fetch_cancel(d->ping);
        timer_stop(d->ping_timer);
        timer_stop(d->retry_timer);
        text_reset(&d->lines.held);
        docker_clean(d->reason, sizeof d->reason, reason);
        fault_away(&fault, d->reason);
        LIST_FOREACH(op, &d->ops, link)
        {
                op_fail(op, &fault);
        }
}

static void link_lost(struct docker *d, const char *reason)
{
        link_drop(d, reason);
        if (!d->down_told)
                timer_set(d->down_timer, 0);
        d->down_told = true;
        timer_set(d->retry_timer, RETRY_USEC);
}

static struct fetch_op *ask(struct docker *d, const char *url,
                            void (*done)(void *, const struct fetch_answer *))
{
        return fetch_start(d->fetch,
                           &(struct fetch_request){ .method = "GET",
                                                    .url = url,
                                                    .unix_socket = d->socket_path,
                                                    .total_usec = ANSWER_USEC,
                                                    .answer_max = DOCKER_ANSWER_MAX },
                           done, d);
}

static void on_ping(void *arg, const struct fetch_answer *answer)
{
        struct docker *d = arg;

        d->ping = NULL;
        if (answer->error)
                link_lost(d, answer->error == -ETIMEDOUT ? "it does not answer a ping" : answer->reason);
        else
                timer_set(d->ping_timer, PING_EVERY_USEC);
}

static void send_ping(void *arg)
{
        struct docker *d = arg;

        d->ping = ask(d, API_URL "/_ping", on_ping);
        if (!d->ping)
                timer_set(d->ping_timer, PING_EVERY_USEC);
}

static bool take_event(void *arg, const char *line, size_t len)
{
        struct docker *d = arg;
        struct fault ignored;
        _cleanup_(json_freep) struct json *v = json_parse_trusted(line, len, "event", &ignored);
        struct docker_event event;

        if (v && docker_read_event(v, &event))
                d->watch.event(d->watch.arg, &event);
        return d->stream; /* the callee may have withdrawn its permission */
}

static bool on_stream_bytes(void *arg, int status, const char *bytes, size_t len)
{
        struct docker *d = arg;

        return status != 200 || lines_feed(&d->lines, bytes, len, take_event, d) >= 0;
}

static void on_stream_head(void *arg, int status)
{
        struct docker *d = arg;

        if (status != 200)
                return;
        d->up = true;
        d->down_told = false;
        timer_set(d->ping_timer, PING_EVERY_USEC);
        d->watch.up(d->watch.arg);
}

static void on_stream_end(void *arg, const struct fetch_answer *answer)
{
        struct docker *d = arg;
        char reason[64] = "the event stream ended";

        d->stream = NULL;
        if (answer->error == -ECANCELED)
                (void) snprintf(reason, sizeof reason, "an event is longer than %zu bytes", EVENT_LINE_MAX);
        else if (answer->status != 200)
                (void) snprintf(reason, sizeof reason, "it refuses its events with status %d",
                                answer->status);
        link_lost(d, answer->error && answer->error != -ECANCELED ? answer->reason : reason);
}

/*
 * The engine sends the head before it subscribes us.  With `since` it replays
 * what happened in between, so that nothing falls into that gap.
 */
static void open_stream(struct docker *d)
{
        uint64_t now = wall_usec();
        _cleanup_text_ struct text url = { 0 };

        text_addf(&url, API_URL "/events?since=%" PRIu64 ".%06" PRIu64 "&filters=", now / USEC_PER_SEC,
                  now % USEC_PER_SEC);
        docker_escape(
                &url,
                "{\"type\":[\"container\"],\"label\":[\"" DOCKER_LABEL_ID "\"],\"event\":[\"create\","
                "\"start\",\"restart\",\"die\",\"oom\",\"kill\",\"stop\",\"destroy\",\"health_status\","
                "\"pause\",\"unpause\",\"rename\",\"update\"]}",
                "");
        d->stream = !text_ok(&url) ? NULL
                                   : fetch_start(d->fetch,
                                                 &(struct fetch_request){ .method = "GET",
                                                                          .url = url.data,
                                                                          .unix_socket = d->socket_path,
                                                                          .head = on_stream_head,
                                                                          .piece = on_stream_bytes },
                                                 on_stream_end, d);
        if (!d->stream)
                link_lost(d, "out of memory");
}

static void on_info(void *arg, const struct fetch_answer *answer)
{
        struct docker *d = arg;
        struct fault fault = { 0 };
        _cleanup_(json_freep) struct json *v = NULL;
        const char *driver;

        d->info = NULL;
        if (answer->error)
                fault_unanswered(answer, &fault);
        else if (answer->status != 200)
                fault_refused(answer->status, answer->body, answer->len, &fault);
        else
                v = json_parse_trusted(answer->body, answer->len, "the engine's answer", &fault);
        if (!v) {
                link_lost(d, answer->error ? answer->reason : fault.text);
                return;
        }
        driver = docker_string(v, "CgroupDriver");
        docker_clean(d->cgroup_driver, sizeof d->cgroup_driver, driver ? driver : "");
        open_stream(d);
}

static void connect_engine(void *arg)
{
        struct docker *d = arg;

        d->info = ask(d, API_URL "/info", on_info);
        if (!d->info)
                link_lost(d, "out of memory");
}

void docker_allow(struct docker *d, bool allowed)
{
        bool was_up = d->up;

        if (d->allowed == allowed)
                return;
        d->allowed = allowed;
        d->down_told = false;
        if (allowed) {
                connect_engine(d);
                return;
        }
        link_drop(d, NOT_ALLOWED);
        if (was_up)
                timer_set(d->down_timer, 0);
}

bool docker_is_up(const struct docker *d)
{
        return d->up;
}

const char *docker_cgroup_driver(const struct docker *d)
{
        return *d->cgroup_driver ? d->cgroup_driver : NULL;
}

struct docker *docker_new(struct loop *l, struct fetch *f, const char *socket_path,
                          const struct docker_watch *watch)
{
        _cleanup_(docker_freep) struct docker *d = calloc(1, sizeof *d);

        if (!d)
                return NULL;
        *d = (struct docker){ .loop = l,
                              .fetch = f,
                              .socket_path = strdup(socket_path),
                              .watch = *watch,
                              .reason = "it has not been reached yet",
                              .down_timer = timer_new(l, tell_down, d),
                              .retry_timer = timer_new(l, connect_engine, d),
                              .ping_timer = timer_new(l, send_ping, d),
                              .lines = { .max = EVENT_LINE_MAX } };
        LIST_INIT(&d->ops);
        if (!d->socket_path || !d->down_timer || !d->retry_timer || !d->ping_timer)
                return NULL;
        return TAKE(d);
}

struct docker *docker_free(struct docker *d)
{
        struct docker_op *op;

        if (!d)
                return NULL;
        while ((op = LIST_FIRST(&d->ops)))
                (void) docker_op_free(op);
        (void) fetch_cancel(d->info);
        (void) fetch_cancel(d->stream);
        (void) fetch_cancel(d->ping);
        (void) timer_free(d->down_timer);
        (void) timer_free(d->retry_timer);
        (void) timer_free(d->ping_timer);
        text_reset(&d->lines.held);
        free(d->socket_path);
        free(d);
        return NULL;
}
