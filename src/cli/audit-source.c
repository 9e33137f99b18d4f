/* SPDX-License-Identifier: Apache-2.0 */

/* GET /audit, a page or a stream at a time, and the records in it. */

#include "cli/audit-source.h"

#include "sys/split.h"
#include "util/json.h"

#include <inttypes.h>

#define LINE_MAX_BYTES (1 << 20)

struct audit_source {
        struct source *geard;
        struct text filters; /* "&name=value" each */
};

struct audit_source *audit_source_new(const char *socket)
{
        struct audit_source *s = calloc(1, sizeof *s);

        if (!s)
                return NULL;
        s->geard = source_new(socket);
        return s->geard ? s : audit_source_free(s);
}

struct audit_source *audit_source_free(struct audit_source *s)
{
        if (!s)
                return NULL;
        (void) source_free(s->geard);
        text_reset(&s->filters);
        free(s);
        return NULL;
}

int audit_source_filter(struct audit_source *s, const char *name, const char *value)
{
        source_add(&s->filters, name, value);
        return text_ok(&s->filters) ? 0 : -ENOMEM;
}

/* --- what geard answers ------------------------------------------------------------------- */

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

int audit_source_read(struct audit_source *s, bool oldest_first, uint64_t from, struct audit_batch *ret,
                      struct fault *f)
{
        _cleanup_text_ struct text target = { 0 }, answer = { 0 };
        _cleanup_(json_freep) struct json *json = NULL;
        struct fault inner = { 0 };
        int r;

        text_add(&target, "/audit?limit=500");
        if (oldest_first || from)
                text_addf(&target, "&%s=%" PRIu64, oldest_first ? "after" : "before", from);
        if (s->filters.data)
                text_add(&target, s->filters.data);
        if (!text_ok(&target))
                return fault_oom(f);
        r = source_get(s->geard, target.data, &answer, f);
        if (r < 0)
                return r;
        json = json_parse_trusted(answer.data, answer.len, "answer", &inner);
        r = json ? read_batch(json, ret, &inner) : -EBADMSG;
        return r < 0 ? no_record(&inner, f) : 0;
}

/* --- a stream ------------------------------------------------------------------------------------ */

struct stream {
        struct line_splitter lines;
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

static int on_piece(void *arg, const char *bytes, size_t n, struct fault *f)
{
        struct stream *stream = arg;
        int r = lines_feed(&stream->lines, bytes, n, on_line, stream);

        if (r == -ENOMEM)
                return fault_oom(f);
        if (r < 0)
                return fault_set(f, FAULT_FAILED, NULL, "geard answers with a line that is too long");
        return stream->r;
}

static void add_place(struct text *target, const struct audit_place *place)
{
        if (place->placed)
                text_addf(target, "&after=%" PRIu64, place->after);
        else if (place->tail)
                text_addf(target, "&limit=%u", place->tail);
}

int audit_source_follow(struct audit_source *s, const struct audit_place *place,
                        int (*take)(void *arg, const struct audit_record *record, struct fault *f),
                        void *arg, struct fault *f)
{
        _cleanup_text_ struct text target = { 0 };
        struct stream stream = { .lines.max = LINE_MAX_BYTES, .take = take, .arg = arg, .f = f };
        int r;

        text_add(&target, "/audit?follow=yes");
        add_place(&target, place);
        if (s->filters.data)
                text_add(&target, s->filters.data);
        if (!text_ok(&target))
                return fault_oom(f);
        r = source_stream(s->geard, target.data, "application/x-ndjson", on_piece, &stream, f);
        text_reset(&stream.lines.held);
        return r;
}
