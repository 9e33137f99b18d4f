/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/source.h"

#include "core/log-entry.h"
#include "sys/fetch.h"
#include "util/json.h"

#include <stdio.h>

#define ANSWER_MAX (32 << 20)
#define REFUSAL_MAX 4096
#define SILENCE_USEC (60 * USEC_PER_SEC)

struct source {
        const char *socket;
        struct loop *loop;
        struct fetch *fetch;
        struct fetch_op *op;         /* the question that is asked */
        char cursor[LOG_CURSOR_MAX]; /* of the last stream, where it began */
};

struct source *source_new(const char *socket)
{
        struct source *s = calloc(1, sizeof *s);

        if (!s)
                return NULL;
        s->socket = socket;
        s->loop = loop_new();
        s->fetch = s->loop ? fetch_new(s->loop) : NULL;
        return s->fetch ? s : source_free(s);
}

struct source *source_free(struct source *s)
{
        if (!s)
                return NULL;
        (void) fetch_free(s->fetch);
        (void) loop_free(s->loop);
        free(s);
        return NULL;
}

void source_add(struct text *query, const char *name, const char *value)
{
        static const char unreserved[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

        text_addf(query, "&%s=", name);
        for (; *value; value++) {
                if (strchr(unreserved, *value))
                        text_addc(query, *value);
                else
                        text_addf(query, "%%%02X", (unsigned char) *value);
        }
}

/* --- what is no answer ---------------------------------------------------------------------------- */

static int unreachable(const struct source *s, const struct fetch_answer *answer, struct fault *f)
{
        return fault_set(f, FAULT_AWAY, NULL, "geard does not answer at %s: %s", s->socket,
                         *answer->reason ? answer->reason : strerror(-answer->error));
}

static enum fault_kind refusal_kind(int status)
{
        switch (status) {
        case 400:
                return FAULT_INVALID;
        case 401:
        case 403:
                return FAULT_DENIED;
        case 404:
                return FAULT_MISSING;
        case 429:
        case 503:
                return FAULT_AWAY;
        default:
                return FAULT_FAILED;
        }
}

/* What a problem says of itself; anything else that answers there is not geard. */
static int refused(int status, const char *body, size_t n, struct fault *f)
{
        struct fault ignored = { 0 };
        _cleanup_(json_freep) struct json *problem = json_parse(body, n, "answer", &ignored);
        const struct json *detail = json_is_object(problem) ? json_member(problem, "detail") : NULL;
        const char *said = NULL;

        if (!detail || json_get_string(detail, "detail", FAULT_TEXT_MAX, &said, &ignored) < 0)
                said = "it does not say why";
        return fault_set(f, refusal_kind(status), NULL, "geard refuses with %d: %s", status, said);
}

/* --- a question ------------------------------------------------------------------------------------ */

struct question {
        struct source *source;
        struct text *whole; /* where a whole answer goes … */
        int (*piece)(void *arg, const char *bytes, size_t n, struct fault *f); /* … or its pieces */
        void *arg;
        struct text refusal;
        int r; /* what it ended with */
        struct fault *f;
};

static void on_answer(void *arg, const struct fetch_answer *answer)
{
        struct question *q = arg;

        loop_stop(q->source->loop);
        if (answer->error < 0) {
                q->r = unreachable(q->source, answer, q->f);
        } else if (answer->status != 200) {
                q->r = refused(answer->status, answer->body, answer->len, q->f);
        } else {
                text_addn(q->whole, answer->body, answer->len);
                q->r = text_ok(q->whole) ? 0 : fault_oom(q->f);
        }
}

static void on_head(void *arg, int status)
{
        struct question *q = arg;
        const char *cursor = fetch_header(q->source->op, "Geard-Cursor");

        if (status == 200 && cursor && strlen(cursor) < LOG_CURSOR_MAX)
                (void) snprintf(q->source->cursor, LOG_CURSOR_MAX, "%s", cursor);
}

static bool on_piece(void *arg, int status, const char *bytes, size_t n)
{
        struct question *q = arg;

        if (status != 200) {
                text_addn(&q->refusal, bytes, n);
                return q->refusal.len < REFUSAL_MAX;
        }
        q->r = q->piece(q->arg, bytes, n, q->f);
        return q->r == 0;
}

static void on_end(void *arg, const struct fetch_answer *answer)
{
        struct question *q = arg;

        loop_stop(q->source->loop);
        if (q->r != 0)
                return;
        if (answer->status == 0)
                q->r = unreachable(q->source, answer, q->f);
        else if (answer->status == 200)
                q->r = answer->error < 0 ? SOURCE_E_BROKEN : SOURCE_E_ENDED;
        else
                q->r = refused(answer->status, q->refusal.data ? q->refusal.data : "", q->refusal.len, q->f);
}

static int ask(struct question *q, const char *target, const char *accept)
{
        struct source *s = q->source;
        _cleanup_text_ struct text url = { 0 }, header = { 0 };
        const char *headers[2] = { NULL };
        struct fetch_request request = { .method = "GET", .unix_socket = s->socket, .headers = headers };

        text_addf(&url, "http://localhost%s", target);
        text_addf(&header, "Accept: %s", accept);
        if (!text_ok(&url) || !text_ok(&header))
                return fault_oom(q->f);
        headers[0] = header.data;
        request.url = url.data;
        s->cursor[0] = '\0';
        if (q->piece) {
                request.head = on_head;
                request.piece = on_piece;
        } else {
                request.silence_usec = SILENCE_USEC;
                request.answer_max = ANSWER_MAX;
        }
        s->op = fetch_start(s->fetch, &request, q->piece ? on_end : on_answer, q);
        if (!s->op)
                return fault_oom(q->f);
        if (loop_run(s->loop) < 0)
                q->r = fault_set(q->f, FAULT_INTERNAL, NULL, "the event loop failed");
        text_reset(&q->refusal);
        return q->r;
}

int source_get(struct source *s, const char *target, struct text *ret, struct fault *f)
{
        struct question q = { .source = s, .whole = ret, .f = f };

        return ask(&q, target, "application/json");
}

int source_stream(struct source *s, const char *target, const char *accept,
                  int (*piece)(void *arg, const char *bytes, size_t n, struct fault *f), void *arg,
                  struct fault *f)
{
        struct question q = { .source = s, .piece = piece, .arg = arg, .f = f };

        return ask(&q, target, accept);
}

const char *source_cursor(const struct source *s)
{
        return s->cursor;
}
