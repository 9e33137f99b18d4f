/* SPDX-License-Identifier: Apache-2.0 */

#include "api/waiter.h"

#include "api/answer.h"

#include <strings.h>

#define WAIT_MAX_SEC 3600

enum waiter_mode { WAIT_PLAIN, WAIT_LINES, WAIT_EVENTS };

struct waiter {
        struct sink sink;
        struct daemon *daemon;
        struct request *request;
        struct reply *reply;
        struct timer *patience;
        struct permit *permit; /* of a stream whose caller's may end; else NULL */
        enum waiter_mode mode;
        bool json;
};

static void waiter_free(struct waiter *w)
{
        if (w->mode != WAIT_PLAIN)
                w->daemon->streams--;
        w->patience = timer_free(w->patience);
        w->permit = permit_free(w->permit);
        free(w);
}

static void write_text(struct reply *reply, const struct text *t)
{
        /* Progress is small and bounded by the work; a client that does not read is closed by the server. */
        if (text_ok(t))
                (void) reply_write(reply, t->data, t->len);
}

static void begin_stream(struct reply *reply, enum waiter_mode mode)
{
        reply_header(reply, "X-Accel-Buffering", "no");
        reply_begin(reply, 200, mode == WAIT_EVENTS ? "text/event-stream" : "text/plain; charset=utf-8");
}

static void waiter_begun(struct sink *sink)
{
        struct waiter *w = container_of(sink, struct waiter, sink);

        if (w->mode != WAIT_PLAIN)
                begin_stream(w->reply, w->mode);
}

static void waiter_progress(struct sink *sink, const char *text)
{
        struct waiter *w = container_of(sink, struct waiter, sink);
        _cleanup_text_ struct text t = { 0 };

        if (w->mode == WAIT_PLAIN)
                return;
        if (w->mode == WAIT_LINES) {
                text_addf(&t, "%s\n", text);
        } else {
                text_add(&t, "event: progress\ndata: {");
                json_put(&t, "text", text);
                text_add(&t, "}\n\n");
        }
        write_text(w->reply, &t);
}

static void stream_outcome(struct reply *reply, enum waiter_mode mode, const struct outcome *outcome)
{
        _cleanup_text_ struct text t = { 0 };
        size_t n = outcome->text ? strcspn(outcome->text, "\n") : 0;

        if (mode == WAIT_LINES) {
                text_addf(&t, "%s %d: %s", outcome->good ? "done" : "failed", outcome->code,
                          outcome->text ? outcome->text : "\n");
        } else {
                text_add(&t, "event: outcome\ndata: {");
                json_putu(&t, "status", (uint64_t) outcome->code);
                json_name(&t, "text");
                json_outn(&t, outcome->text ? outcome->text : "", n);
                if (outcome->json) {
                        json_name(&t, "body");
                        text_addn(&t, outcome->json, strcspn(outcome->json, "\n"));
                }
                text_add(&t, "}\n\n");
        }
        write_text(reply, &t);
        reply_end(reply);
}

/* To one who was told nothing so far: what failed before it began has a status of its own, as a stream has not. */
static void answer_whole(struct reply *reply, enum waiter_mode mode, bool json, const struct outcome *outcome)
{
        if (outcome->replayed)
                reply_header(reply, "Geard-Replayed", "yes");
        if (mode == WAIT_PLAIN || !outcome->good) {
                answer_outcome(reply, json, outcome);
        } else {
                begin_stream(reply, mode);
                stream_outcome(reply, mode, outcome);
        }
}

static void waiter_done(struct sink *sink, const struct outcome *outcome)
{
        struct waiter *w = container_of(sink, struct waiter, sink);

        if (reply_begun(w->reply))
                stream_outcome(TAKE(w->reply), w->mode, outcome);
        else
                answer_whole(TAKE(w->reply), w->mode, w->json, outcome);
        waiter_free(w);
}

static void patience_ended(void *arg)
{
        struct waiter *w = arg;
        _cleanup_text_ struct text t = { 0 };
        const char *id = request_id(w->request);

        request_leave(w->request, &w->sink);
        reply_headerf(w->reply, "Location", "/requests/%s", id);
        if (w->json) {
                text_add(&t, "{");
                json_put(&t, "request", id);
                json_put(&t, "state", "running");
                json_put(&t, "progress", request_last_progress(w->request));
                text_add(&t, "}\n");
        } else {
                text_addf(&t, "still at it, ask /requests/%s how it went\n", id);
        }
        reply_send(TAKE(w->reply), 202, w->json ? "application/json" : "text/plain; charset=utf-8",
                   t.data ? t.data : "", t.len);
        waiter_free(w);
}

/* The client left; the work does not care. */
static void waiter_gone(void *arg)
{
        struct waiter *w = arg;

        request_leave(w->request, &w->sink);
        reply_abort(TAKE(w->reply));
        waiter_free(w);
}

/* The work goes on, as it does without a client. */
static void waiter_refuse(void *arg)
{
        struct waiter *w = arg;

        request_leave(w->request, &w->sink);
        answer_no_longer(TAKE(w->reply), w->mode == WAIT_EVENTS ? STREAM_EVENTS : STREAM_WORDS);
        waiter_free(w);
}

int waiter_time(const struct call *call, uint64_t *ret_usec, struct fault *f)
{
        const char *wait = http_param(call->request, "wait");
        uint64_t seconds;

        if (!wait) {
                *ret_usec = call->daemon->config->wait_usec;
                return 0;
        }
        if (!parse_u64(wait, WAIT_MAX_SEC, &seconds))
                return fault_set(f, FAULT_INVALID, "wait", "wait: 0 to %d seconds are allowed", WAIT_MAX_SEC);
        *ret_usec = seconds * USEC_PER_SEC;
        return 0;
}

static enum waiter_mode wanted_mode(const struct http_request *request)
{
        const char *accept = http_header(request, "Accept");

        if (accept && strcasestr(accept, "text/event-stream"))
                return WAIT_EVENTS;
        if (accept && strcasestr(accept, "stream=true"))
                return WAIT_LINES;
        return WAIT_PLAIN;
}

int waiter_listen(struct call *call, struct request *request, uint64_t wait_usec, struct fault *f)
{
        struct daemon *d = call->daemon;
        enum waiter_mode mode = wanted_mode(call->request);
        struct waiter *w;

        if (mode != WAIT_PLAIN && d->streams >= d->config->streams_max) {
                (void) fault_set(f, FAULT_BUSY, NULL, "%u streams are open already (StreamsMax=)", d->streams);
                f->retry_after = 5;
                return -EBUSY;
        }
        w = calloc(1, sizeof *w);
        if (!w)
                return fault_oom(f);
        *w = (struct waiter){ .sink = { .begun = waiter_begun, .progress = waiter_progress, .done = waiter_done },
                              .daemon = d,
                              .request = request,
                              .mode = mode,
                              .json = call_wants_json(call->request) };
        if (mode == WAIT_PLAIN) {
                w->patience = timer_new(d->loop, patience_ended, w);
                if (!w->patience)
                        return (free(w), fault_oom(f));
                timer_set(w->patience, wait_usec);
        } else {
                if (access_permit(call, waiter_refuse, w, &w->permit) < 0)
                        return (free(w), fault_oom(f));
                d->streams++;
        }
        w->reply = TAKE(call->reply);
        reply_watch(w->reply, NULL, waiter_gone, w);
        request_listen(request, &w->sink);
        if (request_begun(request))
                waiter_begun(&w->sink);
        return 0;
}

void waiter_replay(struct call *call, const struct outcome *outcome)
{
        struct outcome known = *outcome;

        known.replayed = true;
        answer_whole(TAKE(call->reply), wanted_mode(call->request), call_wants_json(call->request), &known);
}
