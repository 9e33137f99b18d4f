/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The log of a gear: the lines its container wrote, from the unit's journal,
 * first those that are there and then those that come.  The journal is read
 * only as fast as the client takes what was written.
 */

#include "api/log.h"

#include "api/answer.h"
#include "api/lookup.h"
#include "api/moment.h"
#include "sys/journal.h"
#include "util/log.h"

#include <stdio.h>

#define TAIL_DEFAULT 100
#define TAIL_MAX 1000000
#define TIMEOUT_DEFAULT_SEC 30
#define BEAT_USEC USEC_PER_SEC
#define BEATS_PER_COMMENT 15
#define RETRY_AFTER_SEC 5

enum log_format { LOG_LINES, LOG_OBJECTS, LOG_EVENTS };

struct log_query {
        enum log_format format;
        int64_t tail;        /* negative: all */
        uint64_t since_usec; /* 0: no bound */
        uint64_t until_usec; /* USEC_NEVER: no bound */
        bool follow;
        uint64_t timeout_usec; /* USEC_NEVER: goes on for ever */
};

struct log_stream {
        struct daemon *daemon;
        struct reply *reply;
        struct journal_reader *reader;
        struct timer *end, *beat;
        struct permit *permit; /* NULL: its caller's does not end */
        unsigned beats;        /* since the last comment */
        enum log_format format;
        uint64_t until_usec;
};

/* --- what is asked for --------------------------------------------------------------------------- */

static enum log_format wanted_format(const struct http_request *request)
{
        const char *accept = http_header(request, "Accept");

        if (accept && strcasestr(accept, "text/event-stream"))
                return LOG_EVENTS;
        return call_wants_json(request) ? LOG_OBJECTS : LOG_LINES;
}

static const char *content_type(enum log_format format)
{
        static const char *const types[] = {
                [LOG_LINES] = "text/plain; charset=utf-8",
                [LOG_OBJECTS] = "application/json",
                [LOG_EVENTS] = "text/event-stream",
        };

        return types[format];
}

/* Not a word on how many: all of a given time, else enough to see how the container started. */
static int read_tail(const struct call *call, struct log_query *q, struct fault *f)
{
        const char *value = http_param(call->request, "tail");
        bool since = http_param(call->request, "since"), until = http_param(call->request, "until");
        uint64_t n = TAIL_DEFAULT;

        if (value && until)
                return fault_set(f, FAULT_INVALID, "tail",
                                 "tail: counts from the end, and cannot go with until");
        if (value ? streq(value, "all") : since || until) {
                q->tail = -1;
                return 0;
        }
        if (value && !parse_u64(value, TAIL_MAX, &n))
                return fault_set(f, FAULT_INVALID, "tail", "tail: 0 to %d lines, or all", TAIL_MAX);
        q->tail = (int64_t) n;
        return 0;
}

static int read_timeout(const struct call *call, struct log_query *q, struct fault *f)
{
        const char *value = http_param(call->request, "timeout");
        uint64_t seconds = TIMEOUT_DEFAULT_SEC;

        if (value && !parse_u64(value, UINT32_MAX, &seconds))
                return fault_set(f, FAULT_INVALID, "timeout", "timeout: seconds, 0 for none");
        q->timeout_usec = seconds ? seconds * USEC_PER_SEC : USEC_NEVER;
        return 0;
}

static int read_query(struct call *call, struct log_query *ret, struct fault *f)
{
        struct log_query q = { .format = wanted_format(call->request),
                               .until_usec = USEC_NEVER,
                               .follow = true };
        int r = moment_param(call, "since", &q.since_usec, f);

        if (r == 0)
                r = moment_param(call, "until", &q.until_usec, f);
        if (r == 0)
                r = read_tail(call, &q, f);
        if (r == 0)
                r = read_timeout(call, &q, f);
        if (r == 0 && http_param(call->request, "follow"))
                r = call_flag(call, "follow", &q.follow, f);
        if (r < 0)
                return r;
        if (q.until_usec <= wall_usec())
                q.follow = false;
        *ret = q;
        return 0;
}

/* --- one entry ----------------------------------------------------------------------------------- */

static void put_object(struct text *t, const struct journal_entry *e)
{
        text_addc(t, '{');
        json_name(t, "time");
        text_addc(t, '"');
        moment_add(t, e->realtime_usec, 6);
        text_addc(t, '"');
        json_putu(t, "priority", (uint64_t) e->priority);
        json_put(t, "stream", e->priority <= LOG_ERR ? "stderr" : "stdout");
        json_name(t, "text");
        json_outn(t, e->message, e->message_len);
        json_put(t, "cursor", e->cursor);
        text_addc(t, '}');
}

static void put_entry(struct text *t, enum log_format format, const struct journal_entry *e)
{
        switch (format) {
        case LOG_LINES:
                text_addn(t, e->message, e->message_len);
                text_addc(t, '\n');
                break;
        case LOG_OBJECTS:
                put_object(t, e);
                text_addc(t, '\n');
                break;
        case LOG_EVENTS:
                text_addf(t, "id: %s\ndata: ", e->cursor);
                put_object(t, e);
                text_add(t, "\n\n");
                break;
        }
}

/* --- the stream ---------------------------------------------------------------------------------- */

static void stream_free(struct log_stream *s)
{
        s->daemon->streams--;
        s->reader = journal_reader_free(s->reader);
        s->end = timer_free(s->end);
        s->beat = timer_free(s->beat);
        s->permit = permit_free(s->permit);
        free(s);
}

static void stream_end(void *arg)
{
        struct log_stream *s = arg;

        reply_end(TAKE(s->reply));
        stream_free(s);
}

static void stream_refuse(void *arg)
{
        static const enum stream_form forms[] = {
                [LOG_LINES] = STREAM_OUTPUT, [LOG_OBJECTS] = STREAM_OBJECTS, [LOG_EVENTS] = STREAM_EVENTS
        };
        struct log_stream *s = arg;

        answer_no_longer(TAKE(s->reply), forms[s->format]);
        stream_free(s);
}

/* So that the client can tell: something is missing. Also when there is no client any more. */
static void stream_abort(void *arg)
{
        struct log_stream *s = arg;

        reply_abort(TAKE(s->reply));
        stream_free(s);
}

static bool on_entry(void *arg, const struct journal_entry *e)
{
        struct log_stream *s = arg;
        _cleanup_text_ struct text t = { 0 };

        if (e->realtime_usec > s->until_usec) {
                stream_end(s);
                return false;
        }
        put_entry(&t, s->format, e);
        if (!text_ok(&t)) {
                stream_abort(s);
                return false;
        }
        return reply_write(s->reply, t.data, t.len);
}

static void on_end(void *arg, int error)
{
        struct log_stream *s = arg;

        if (error == 0) {
                stream_end(s);
                return;
        }
        log_warning(NO_FIELDS, "the journal cannot be read any further: %s", strerror(-error));
        stream_abort(s);
}

static void on_drained(void *arg)
{
        struct log_stream *s = arg;

        journal_reader_resume(s->reader);
}

/*
 * Proxies close what is silent for long, and a dead client is noticed only by
 * writing to it.  A daemon that is to stop does not wait for its readers.
 */
static void on_beat(void *arg)
{
        static const char comment[] = ": still here\n\n";
        struct log_stream *s = arg;

        if (s->daemon->draining) {
                stream_end(s);
                return;
        }
        if (s->format == LOG_EVENTS && ++s->beats == BEATS_PER_COMMENT) {
                s->beats = 0;
                (void) reply_write(s->reply, comment, strlen(comment));
        }
        timer_set(s->beat, BEAT_USEC);
}

static int start_reading(struct log_stream *s, const struct gear *gear, const struct log_query *q,
                         struct fault *f)
{
        char unit[UNIT_NAME_MAX], identifier[UNIT_NAME_MAX];
        uint64_t since = q->since_usec;
        int r;

        gear_unit_name(gear->id, unit);
        /* systemd's own lines and those of the unit's helpers have other identifiers. */
        gear_container_name(gear->id, identifier);
        /* What is older than the gear was written by another one under the same id. */
        if (since < gear->created_usec)
                since = gear->created_usec;
        r = journal_read(s->daemon->loop,
                         &(struct journal_options){ .unit = unit,
                                                    .identifier = identifier,
                                                    .since_usec = since,
                                                    .tail = q->tail,
                                                    .follow = q->follow },
                         &(struct journal_hooks){ .entry = on_entry, .end = on_end, .arg = s }, &s->reader);
        if (r == -EAGAIN) {
                (void) fault_set(f, FAULT_AWAY, NULL, "this host has no journal yet, try again in a moment");
                f->retry_after = RETRY_AFTER_SEC;
                return r;
        }
        return r < 0 ? fault_errno(f, r, "the journal cannot be read") : 0;
}

static int start_clocks(struct log_stream *s, const struct log_query *q)
{
        uint64_t now = wall_usec(), left = q->timeout_usec;

        if (q->until_usec != USEC_NEVER && q->until_usec > now && q->until_usec - now < left)
                left = q->until_usec - now;
        s->end = timer_new(s->daemon->loop, stream_end, s);
        s->beat = timer_new(s->daemon->loop, on_beat, s);
        if (!s->end || !s->beat)
                return -ENOMEM;
        if (q->follow)
                timer_set(s->end, left);
        timer_set(s->beat, BEAT_USEC);
        return 0;
}

static int stream_start(struct call *call, const struct gear *gear, const struct log_query *q,
                        struct fault *f)
{
        struct daemon *d = call->daemon;
        struct log_stream *s;
        int r;

        if (d->streams >= d->config->streams_max) {
                (void) fault_set(f, FAULT_BUSY, NULL, "%u streams are open already (StreamsMax=)",
                                 d->streams);
                f->retry_after = RETRY_AFTER_SEC;
                return -EBUSY;
        }
        s = calloc(1, sizeof *s);
        if (!s)
                return fault_oom(f);
        *s = (struct log_stream){ .daemon = d, .format = q->format, .until_usec = q->until_usec };
        d->streams++;
        r = start_clocks(s, q);
        if (r == 0)
                r = access_permit(call, stream_refuse, s, &s->permit);
        r = r < 0 ? fault_oom(f) : start_reading(s, gear, q, f);
        if (r < 0) {
                stream_free(s);
                return r;
        }
        s->reply = TAKE(call->reply);
        reply_header(s->reply, "X-Accel-Buffering", "no");
        reply_begin(s->reply, 200, content_type(q->format));
        reply_watch(s->reply, on_drained, stream_abort, s);
        return 0;
}

/* --- calls --------------------------------------------------------------------------------------- */

static void log_get(struct call *call)
{
        struct log_query q;
        struct gear *gear;
        struct fault f;
        int r = lookup_gear(call, &gear, &f);

        if (r == 0)
                r = read_query(call, &q, &f);
        if (r == 0 && call->request->method == HTTP_HEAD) {
                reply_send(TAKE(call->reply), 200, content_type(q.format), "", 0);
                return;
        }
        if (r == 0)
                r = stream_start(call, gear, &q, &f);
        if (r < 0)
                answer_fault(call, &f);
}

static const struct route routes[] = {
        { HTTP_GET, "/container/log", log_get, "log.read", ROUTE_TOKEN | ROUTE_STREAM,
          "The gear's log, followed" },
        { HTTP_PUT, "/container/log", log_get, "log.read", ROUTE_TOKEN | ROUTE_STREAM,
          "The gear's log, followed" },
        { HTTP_GET, "/container/{id}/log", log_get, "log.read", ROUTE_STREAM, "The gear's log, followed" },
        { HTTP_PUT, "/container/{id}/log", log_get, "log.read", ROUTE_STREAM, "The gear's log, followed" },
};
const struct route_table log_routes = { routes, ARRAY_SIZE(routes) };
