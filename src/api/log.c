/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Logs: the lines that the programs of some units wrote and what systemd says of
 * their runs, first what is there and then what comes.
 */

#include "api/log.h"

#include "api/answer.h"
#include "api/log-feed.h"
#include "api/lookup.h"
#include "core/log-query.h"
#include "util/log.h"

#include <stdio.h>

#define BEAT_USEC USEC_PER_SEC
#define BEATS_PER_COMMENT 15
#define RETRY_AFTER_SEC 5
#define GEARS_MAX 32 /* in one log */

struct log_stream {
        struct daemon *daemon;
        struct reply *reply;
        struct log_tap *tap;
        struct timer *end, *beat;
        struct permit *permit; /* NULL: its caller's does not end */
        unsigned beats;        /* since the last comment */
        enum log_format format;
        struct log_query query;
        struct log_form *form; /* until it is read */
        bool gzip, named;
        bool json; /* a refusal is to be */
        bool head_only;
        bool waits, refused; /* for log_stream_begin(); its token was good no more before that */
};

/* --- what is asked for --------------------------------------------------------------------------- */

struct chosen {
        struct log_source sources[GEARS_MAX];
        const struct gear *gears[GEARS_MAX];
        size_t n;
};

/* What is not of this very one was written by another under the same id. */
static void add(struct chosen *c, const struct gear *gear)
{
        struct log_source *source = &c->sources[c->n];

        gear_unit_name(gear->id, source->unit);
        gear_container_name(gear->id, source->identifier);
        source->created_usec = gear->created_usec;
        c->gears[c->n++] = gear;
}

static int choose(struct call *call, const char *id, struct chosen *c, struct fault *f)
{
        struct gear *gear;

        if (gear_id_check(id, "ids", f) < 0)
                return -EINVAL;
        if (!access_covers(&call->who, id))
                return access_denied(call, "the token is for another gear", f);
        gear = gears_find(call->daemon->gears, id);
        if (!gear)
                return fault_set(f, FAULT_MISSING, "ids", "there is no gear %s", id);
        for (size_t i = 0; i < c->n; i++)
                if (c->gears[i] == gear)
                        return 0;
        if (c->n == GEARS_MAX)
                return fault_set(f, FAULT_INVALID, "ids", "ids: at most %d gears", GEARS_MAX);
        add(c, gear);
        return 0;
}

static int choose_named(struct call *call, struct chosen *c, struct fault *f)
{
        const char *ids = http_param(call->request, "ids");
        _cleanup_free_ char *copy = NULL;
        char *rest, *id;
        int r = 0;

        if (!ids)
                return fault_set(f, FAULT_INVALID, "ids", "ids: which gears is missing, comma-separated");
        rest = copy = strdup(ids);
        if (!copy)
                return fault_oom(f);
        while (r == 0 && (id = strsep(&rest, ",")))
                r = choose(call, id, c, f);
        return r;
}

static enum log_format wanted_format(const struct http_request *request)
{
        const char *accept = http_header(request, "Accept");

        if (accept && strcasestr(accept, "text/event-stream"))
                return LOG_EVENTS;
        if (accept && strcasestr(accept, "application/vnd.fdo.journal"))
                return LOG_EXPORT;
        return http_prefers_json(request) ? LOG_JSON : LOG_TEXT;
}

static const char *param(const void *arg, const char *name)
{
        return http_param(arg, name);
}

/* --- the stream ---------------------------------------------------------------------------------- */

static void stream_free(struct log_stream *s)
{
        s->daemon->streams--;
        s->tap = log_tap_free(s->tap);
        s->form = log_form_unref(s->form);
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
        static const enum stream_form forms[] = { [LOG_TEXT] = STREAM_OUTPUT,
                                                  [LOG_EXPORT] = STREAM_OUTPUT,
                                                  [LOG_JSON] = STREAM_OBJECTS,
                                                  [LOG_EVENTS] = STREAM_EVENTS };
        struct log_stream *s = arg;

        s->refused = true;
        if (s->waits)
                return;
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

static bool on_lines(void *arg, const struct log_output *output)
{
        struct log_stream *s = arg;

        return s->gzip ? reply_write_part(s->reply, &output->part)
                       : reply_write(s->reply, output->text.data, output->text.len);
}

/* Who loses his connection before the first record comes has a cursor, too. */
static void on_begun(void *arg, const char *cursor)
{
        struct log_stream *s = arg;
        char event[LOG_CURSOR_MAX + 8];

        reply_header(s->reply, "X-Accel-Buffering", "no");
        if (*cursor)
                reply_header(s->reply, "Geard-Cursor", cursor);
        reply_gzip(s->reply);
        reply_begin(s->reply, 200, log_format_type(s->format));
        if (*cursor && s->format == LOG_EVENTS) {
                (void) snprintf(event, sizeof event, "id: %s\n\n", cursor);
                (void) reply_write(s->reply, event, strlen(event));
        }
}

static void on_drained(void *arg)
{
        struct log_stream *s = arg;

        log_tap_resume(s->tap);
}

void log_stream_refuse(struct log_stream *s, const struct fault *f)
{
        _cleanup_(outcome_reset) struct outcome outcome = { 0 };

        outcome_of_fault(&outcome, f);
        answer_outcome(TAKE(s->reply), s->json, &outcome);
        stream_free(s);
}

static void refuse(struct log_stream *s, int error)
{
        struct fault f = { 0 };

        if (error == -EAGAIN)
                (void) fault_set(&f, FAULT_AWAY, NULL,
                                 "this host has no journal yet, try again in a moment");
        else
                (void) fault_errno(&f, error, "the journal cannot be read");
        f.retry_after = RETRY_AFTER_SEC;
        log_stream_refuse(s, &f);
}

static void on_end(void *arg, int error)
{
        struct log_stream *s = arg;

        if (error < 0 && error != -EAGAIN)
                log_warning(NO_FIELDS, "the journal cannot be read any further: %s", strerror(-error));
        if (!reply_begun(s->reply))
                refuse(s, error);
        else if (error < 0)
                stream_abort(s);
        else
                stream_end(s);
}

/*
 * Proxies close what is silent for long, and a dead client is noticed only by
 * writing to it.  A daemon that is to stop does not wait for its readers: who
 * follows comes back with his cursor, who waits for the end must not see one.
 */
static void on_beat(void *arg)
{
        static const char comment[] = ": still here\n\n";
        struct log_stream *s = arg;

        if (s->daemon->draining && reply_begun(s->reply)) {
                if (s->query.follow)
                        stream_end(s);
                else
                        stream_abort(s);
                return;
        }
        if (s->format == LOG_EVENTS && reply_begun(s->reply) && ++s->beats == BEATS_PER_COMMENT) {
                s->beats = 0;
                (void) reply_write(s->reply, comment, strlen(comment));
        }
        timer_set(s->beat, BEAT_USEC);
}

/* Its time is over. Where the journal did not answer all that time, the client has no answer either. */
static void on_time_over(void *arg)
{
        struct log_stream *s = arg;

        on_end(s, reply_begun(s->reply) ? 0 : -ETIMEDOUT);
}

static int start_clocks(struct log_stream *s)
{
        const struct log_query *q = &s->query;
        uint64_t now = wall_usec(), left = q->timeout_usec;

        if (q->until_usec != USEC_NEVER && q->until_usec > now && q->until_usec - now < left)
                left = q->until_usec - now;
        s->end = timer_new(s->daemon->loop, on_time_over, s);
        s->beat = timer_new(s->daemon->loop, on_beat, s);
        if (!s->end || !s->beat)
                return -ENOMEM;
        if (q->follow)
                timer_set(s->end, left);
        timer_set(s->beat, BEAT_USEC);
        return 0;
}

static struct log_form *make_form(const struct log_stream *s, struct fault *f)
{
        const struct log_query *q = &s->query;
        struct log_form *form = NULL;

        (void) log_form_new(&(struct log_form_options){ .format = s->format,
                                                        .grep = *q->grep ? q->grep : NULL,
                                                        .priority = q->priority,
                                                        .until_usec = q->until_usec,
                                                        .named = s->named,
                                                        .gzip = s->gzip },
                            &form, f);
        return form;
}

static int start_reading(struct log_stream *s, const struct log_source *from, size_t n)
{
        const struct log_query *q = &s->query;
        struct journal_source sources[GEARS_MAX];
        const struct journal_scope scope = { .sources = sources, .n_sources = n, .marks = true };

        for (size_t i = 0; i < n; i++) {
                sources[i] = (struct journal_source){ .unit = from[i].unit,
                                                      .service = *from[i].service ? from[i].service : NULL,
                                                      .identifier = *from[i].identifier ? from[i].identifier : NULL,
                                                      .created_usec = from[i].created_usec,
                                                      .runs_once = from[i].runs_once };
        }
        s->tap = log_tap_new(
                s->daemon,
                &(struct log_tap_options){ .scope = scope,
                                           .cursor = *q->cursor ? q->cursor : NULL,
                                           .since_usec = q->since_usec,
                                           .tail = q->tail,
                                           .until_usec = q->until_usec == USEC_NEVER ? 0 : q->until_usec,
                                           .follow = q->follow,
                                           .form = s->form },
                &(struct log_tap_hooks){ .begun = on_begun, .write = on_lines, .end = on_end, .arg = s });
        s->form = log_form_unref(s->form);
        return s->tap ? 0 : -ENOMEM;
}

static int stream_new(struct call *call, struct log_stream **ret, struct fault *f)
{
        struct daemon *d = call->daemon;
        struct log_stream *s;

        if (d->streams >= d->config->streams_max) {
                (void) fault_set(f, FAULT_BUSY, NULL, "%u streams are open already (StreamsMax=)",
                                 d->streams);
                f->retry_after = RETRY_AFTER_SEC;
                return -EBUSY;
        }
        s = calloc(1, sizeof *s);
        if (!s)
                return fault_oom(f);
        s->daemon = d;
        s->format = wanted_format(call->request);
        s->gzip = http_accepts_gzip(call->request);
        s->json = call_wants_json(call->request);
        s->head_only = call->request->method == HTTP_HEAD;
        s->waits = true;
        d->streams++;
        *ret = s;
        return 0;
}

int log_stream_open(struct call *call, bool named, struct log_stream **ret, struct fault *f)
{
        struct log_stream *s;
        int r = stream_new(call, &s, f);

        if (r < 0)
                return r;
        s->named = named;
        r = log_query_read(param, call->request, http_header(call->request, "Last-Event-ID"), wall_usec(), &s->query, f);
        if (r == 0 && !(s->form = make_form(s, f)))
                r = -EINVAL;
        if (r == 0 && access_permit(call, stream_refuse, s, &s->permit) < 0)
                r = fault_oom(f);
        if (r < 0) {
                stream_free(s);
                return r;
        }
        s->reply = TAKE(call->reply);
        *ret = s;
        return 0;
}

void log_stream_begin(struct log_stream *s, const struct log_source *sources, size_t n)
{
        struct fault f;

        s->waits = false;
        if (s->refused) {
                stream_refuse(s);
        } else if (s->head_only) {
                on_begun(s, "");
                stream_end(s);
        } else if (start_clocks(s) < 0 || start_reading(s, sources, n) < 0) {
                (void) fault_oom(&f);
                log_stream_refuse(s, &f);
        } else {
                reply_watch(s->reply, on_drained, stream_abort, s);
        }
}

/* --- calls --------------------------------------------------------------------------------------- */

static void answer_log(struct call *call, const struct chosen *chosen, bool named)
{
        struct log_stream *s;
        struct fault f;

        if (log_stream_open(call, named, &s, &f) < 0)
                answer_fault(call, &f);
        else
                log_stream_begin(s, chosen->sources, chosen->n);
}

static void log_get(struct call *call)
{
        struct chosen chosen = { .n = 0 };
        struct gear *gear;
        struct fault f;

        if (lookup_gear(call, &gear, &f) < 0) {
                answer_fault(call, &f);
                return;
        }
        add(&chosen, gear);
        answer_log(call, &chosen, false);
}

static void logs_get(struct call *call)
{
        struct chosen chosen = { .n = 0 };
        struct fault f;

        if (choose_named(call, &chosen, &f) < 0)
                answer_fault(call, &f);
        else
                answer_log(call, &chosen, true);
}

static const struct route routes[] = {
        { HTTP_GET, "/container/log", log_get, "log.read", ROUTE_TOKEN | ROUTE_STREAM,
          "The gear's log, followed" },
        { HTTP_PUT, "/container/log", log_get, "log.read", ROUTE_TOKEN | ROUTE_STREAM,
          "The gear's log, followed" },
        { HTTP_GET, "/container/{id}/log", log_get, "log.read", ROUTE_STREAM, "The gear's log, followed" },
        { HTTP_PUT, "/container/{id}/log", log_get, "log.read", ROUTE_STREAM, "The gear's log, followed" },
        { HTTP_GET, "/containers/log", logs_get, "log.read", ROUTE_STREAM,
          "The logs of several gears in one, in the order of time" },
};
const struct route_table log_routes = { routes, ARRAY_SIZE(routes) };
