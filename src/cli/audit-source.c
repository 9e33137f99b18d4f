/* SPDX-License-Identifier: Apache-2.0 */

/* GET /audit, a page or a stream at a time, and the records in it. */

#include "cli/audit-source.h"

#include "sys/fetch.h"
#include "sys/split.h"

#include <inttypes.h>
#include <stdio.h>

#define ANSWER_MAX (32 << 20)
#define LINE_MAX_BYTES (1 << 20)
#define REFUSAL_MAX 4096
#define SILENCE_USEC (60 * USEC_PER_SEC)

struct audit_source {
        const char *socket;
        struct loop *loop;
        struct fetch *fetch;
        struct text filters; /* "&name=value" each */
};

struct audit_source *audit_source_new(const char *socket)
{
        struct audit_source *s = calloc(1, sizeof *s);

        if (!s)
                return NULL;
        s->socket = socket;
        s->loop = loop_new();
        s->fetch = s->loop ? fetch_new(s->loop) : NULL;
        return s->fetch ? s : audit_source_free(s);
}

struct audit_source *audit_source_free(struct audit_source *s)
{
        if (!s)
                return NULL;
        (void) fetch_free(s->fetch);
        (void) loop_free(s->loop);
        text_reset(&s->filters);
        free(s);
        return NULL;
}

int audit_source_filter(struct audit_source *s, const char *name, const char *value)
{
        static const char unreserved[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

        text_addf(&s->filters, "&%s=", name);
        for (; *value; value++) {
                if (strchr(unreserved, *value))
                        text_addc(&s->filters, *value);
                else
                        text_addf(&s->filters, "%%%02X", (unsigned char) *value);
        }
        return text_ok(&s->filters) ? 0 : -ENOMEM;
}

/* --- what geard answers ------------------------------------------------------------------- */

static int unreachable(const struct audit_source *s, const struct fetch_answer *answer, struct fault *f)
{
        return fault_set(f, FAULT_AWAY, NULL, "geard does not answer at %s: %s", s->socket,
                         *answer->reason ? answer->reason : strerror(-answer->error));
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
        return fault_set(f, status == 401 || status == 403 ? FAULT_DENIED : FAULT_FAILED, NULL,
                         "geard refuses with %d: %s", status, said);
}

static int no_record(const struct fault *inner, struct fault *f)
{
        if (inner->kind == FAULT_INTERNAL)
                return fault_oom(f);
        return fault_set(f, FAULT_FAILED, NULL, "what geard answers is no audit trail: %s", inner->text);
}

void audit_batch_reset(struct audit_batch *batch)
{
        for (size_t i = 0; i < batch->n; i++)
                audit_record_reset(&batch->records[i]);
        free(batch->records);
        *batch = (struct audit_batch){ 0 };
}

static int read_batch(const struct json *answer, struct audit_batch *ret, struct fault *f)
{
        _cleanup_audit_batch_ struct audit_batch batch = { 0 };
        const struct json *records = json_is_object(answer) ? json_member(answer, "records") : NULL;
        const struct json *next = records ? json_member(answer, "next") : NULL;
        size_t n = json_is_array(records) ? json_array_len(records) : 0;

        if (!json_is_array(records))
                return fault_set(f, FAULT_INVALID, "records", "records: must be an array");
        batch.records = calloc(n ? n : 1, sizeof *batch.records);
        if (!batch.records)
                return fault_oom(f);
        for (; batch.n < n; batch.n++) {
                int r = audit_from_json(json_array_at(records, batch.n), &batch.records[batch.n], f);

                if (r < 0)
                        return r;
        }
        batch.end = !next || json_is_null(next);
        if (!batch.end) {
                int r = json_get_uint(next, "next", 1, AUDIT_NUMBER_MAX, &batch.next, f);

                if (r < 0)
                        return r;
        }
        *ret = batch;
        batch = (struct audit_batch){ 0 };
        return 0;
}

/* --- a page ----------------------------------------------------------------------------------- */

struct page {
        struct audit_source *source;
        struct audit_batch *ret;
        int r;
        struct fault *f;
};

static void on_page(void *arg, const struct fetch_answer *answer)
{
        struct page *page = arg;
        _cleanup_(json_freep) struct json *json = NULL;
        struct fault inner = { 0 };

        loop_stop(page->source->loop);
        if (answer->error < 0) {
                page->r = unreachable(page->source, answer, page->f);
                return;
        }
        if (answer->status != 200) {
                page->r = refused(answer->status, answer->body, answer->len, page->f);
                return;
        }
        json = json_parse_trusted(answer->body, answer->len, "answer", &inner);
        page->r = json ? read_batch(json, page->ret, &inner) : -EBADMSG;
        if (page->r < 0)
                page->r = no_record(&inner, page->f);
}

int audit_source_read(struct audit_source *s, bool oldest_first, uint64_t from, struct audit_batch *ret,
                      struct fault *f)
{
        static const char *const headers[] = { "Accept: application/json", NULL };
        _cleanup_text_ struct text url = { 0 };
        struct page page = { .source = s, .ret = ret, .f = f };
        struct fetch_request request = { .method = "GET",
                                         .unix_socket = s->socket,
                                         .headers = headers,
                                         .silence_usec = SILENCE_USEC,
                                         .answer_max = ANSWER_MAX };

        text_add(&url, "http://localhost/audit?limit=500");
        if (oldest_first || from)
                text_addf(&url, "&%s=%" PRIu64, oldest_first ? "after" : "before", from);
        if (s->filters.data)
                text_add(&url, s->filters.data);
        request.url = url.data;
        if (!text_ok(&url) || !fetch_start(s->fetch, &request, on_page, &page))
                return fault_oom(f);
        return loop_run(s->loop) < 0 ? fault_set(f, FAULT_INTERNAL, NULL, "the event loop failed") : page.r;
}

/* --- a stream ------------------------------------------------------------------------------------ */

struct stream {
        struct audit_source *source;
        struct line_splitter lines;
        struct text refusal;
        int (*take)(void *arg, const struct audit_record *record, struct fault *f);
        void *arg;
        int r; /* what ends it */
        struct fault *f;
};

static bool on_line(void *arg, const char *line, size_t len)
{
        struct stream *stream = arg;
        _cleanup_audit_record_ struct audit_record record = { 0 };
        _cleanup_(json_freep) struct json *json = NULL;
        struct fault inner = { 0 };

        if (len == 0)
                return true;
        json = json_parse(line, len, "record", &inner);
        if (!json || audit_from_json(json, &record, &inner) < 0)
                stream->r = no_record(&inner, stream->f);
        else
                stream->r = stream->take(stream->arg, &record, stream->f);
        return stream->r == 0;
}

static bool on_piece(void *arg, int status, const char *bytes, size_t len)
{
        struct stream *stream = arg;
        int r;

        if (status != 200) {
                text_addn(&stream->refusal, bytes, len);
                return stream->refusal.len < REFUSAL_MAX;
        }
        r = lines_feed(&stream->lines, bytes, len, on_line, stream);
        if (r < 0)
                stream->r = r == -ENOMEM ? fault_oom(stream->f)
                                         : fault_set(stream->f, FAULT_FAILED, NULL,
                                                     "geard answers with a line that is too long");
        return r == 0;
}

static void on_stream_end(void *arg, const struct fetch_answer *answer)
{
        struct stream *stream = arg;

        loop_stop(stream->source->loop);
        if (stream->r != 0)
                return;
        if (answer->status != 0 && answer->status != 200)
                stream->r = refused(answer->status, stream->refusal.data ? stream->refusal.data : "",
                                    stream->refusal.len, stream->f);
        else if (answer->status == 0)
                stream->r = unreachable(stream->source, answer, stream->f);
        else
                stream->r = SOURCE_E_ENDED;
}

static void add_place(struct text *url, const struct audit_place *place)
{
        if (place->placed)
                text_addf(url, "&after=%" PRIu64, place->after);
        else if (place->tail)
                text_addf(url, "&limit=%u", place->tail);
}

int audit_source_follow(struct audit_source *s, const struct audit_place *place,
                        int (*take)(void *arg, const struct audit_record *record, struct fault *f),
                        void *arg, struct fault *f)
{
        static const char *const headers[] = { "Accept: application/x-ndjson", NULL };
        _cleanup_text_ struct text url = { 0 };
        struct stream stream = {
                .source = s, .lines.max = LINE_MAX_BYTES, .take = take, .arg = arg, .f = f
        };
        struct fetch_request request = {
                .method = "GET", .unix_socket = s->socket, .headers = headers, .piece = on_piece
        };

        text_add(&url, "http://localhost/audit?follow=yes");
        add_place(&url, place);
        if (s->filters.data)
                text_add(&url, s->filters.data);
        request.url = url.data;
        if (!text_ok(&url) || !fetch_start(s->fetch, &request, on_stream_end, &stream))
                return fault_oom(f);
        if (loop_run(s->loop) < 0)
                stream.r = fault_set(f, FAULT_INTERNAL, NULL, "the event loop failed");
        text_reset(&stream.lines.held);
        text_reset(&stream.refusal);
        return stream.r;
}
