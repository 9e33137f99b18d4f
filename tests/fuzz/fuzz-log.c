/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a caller asks of a log, name=value a line, and a line of a log behind it:
 * a query within its bounds, or a fault that names a field; and whatever the line
 * holds, a record of each format that can be told from the next.
 */

#include "core/log-form.h"
#include "core/log-query.h"
#include "core/moment.h"
#include "util/json.h"

#include <stdio.h>

#define NOW_USEC UINT64_C(1700000000000000)

struct asked {
        const char *names[16], *values[16];
        size_t n;
        const char *rest; /* behind an empty line */
};

static const char *value_of(const void *arg, const char *name)
{
        const struct asked *asked = arg;

        for (size_t i = 0; i < asked->n; i++)
                if (streq(asked->names[i], name))
                        return asked->values[i];
        return NULL;
}

static void split(char *s, struct asked *ret)
{
        char *line, *equals;

        while ((line = strsep(&s, "\n")) && *line) {
                equals = strchr(line, '=');
                if (!equals || ret->n == ARRAY_SIZE(ret->names))
                        continue;
                *equals = '\0';
                ret->names[ret->n] = line;
                ret->values[ret->n++] = equals + 1;
        }
        ret->rest = s ? s : "";
}

static void check_query(const struct log_query *q)
{
        if (q->tail < -1 || q->tail > LOG_TAIL_MAX || q->priority < 0 || q->priority > 7)
                abort();
        if (*q->cursor && !log_cursor_valid(q->cursor))
                abort();
}

static void check_json(const char *s, size_t n, const char *line, size_t line_n)
{
        struct fault f = { 0 };
        _cleanup_(json_freep) struct json *v = json_parse(s, n, "record", &f);
        const struct json *text = v ? json_member(v, "text") : NULL;
        const char *value = NULL;

        if (!text || memchr(s, '\n', n))
                abort();
        if (utf8_valid(line, line_n) && (json_get_string(text, "text", SIZE_MAX, &value, &f) < 0 ||
                                         strlen(value) != line_n || memcmp(value, line, line_n) != 0))
                abort();
}

/* One entry: fields, a line each, and behind them an empty one. */
static void check_export(const struct text *entry, const char *cursor)
{
        char first[LOG_CURSOR_MAX + sizeof "__CURSOR=\n"];
        const char *line = entry->data, *end;

        (void) snprintf(first, sizeof first, "__CURSOR=%s\n", cursor);
        if (*cursor && !starts_with(line, first))
                abort();
        while ((end = strchr(line, '\n')) && end > line) {
                if (!memchr(line, '=', (size_t) (end - line)))
                        abort();
                line = end + 1;
        }
        if (!end || end + 1 != entry->data + entry->len)
                abort();
}

/* What the journal has passes as it is; what it has not is told in fields of ours. */
static void check_exports(const struct log_query *q, const char *bytes, size_t n)
{
        const struct log_entry there = { .name = "gear-1", .run = "", .cursor = q->cursor, .exported = bytes, .exported_len = n };
        struct log_entry gap = { .name = "gear-1", .run = "", .cursor = q->cursor, .count = n, .priority = 4 };
        _cleanup_text_ struct text t = { 0 };

        log_render(LOG_EXPORT, false, &there, &t);
        if (t.len != n || (n > 0 && memcmp(t.data, bytes, n) != 0))
                abort();
        for (gap.kind = LOG_SUPPRESSED; gap.kind <= LOG_GONE; gap.kind++) {
                text_truncate(&t, 0);
                log_render(LOG_EXPORT, false, &gap, &t);
                check_export(&t, q->cursor);
        }
}

static void check_records(const struct log_query *q, const char *line, size_t n)
{
        const struct log_entry e = { .message = line,
                                     .message_len = n,
                                     .name = "gear-1",
                                     .run = "",
                                     .cursor = "s=1;i=1",
                                     .priority = 6 };
        _cleanup_(log_form_unrefp) struct log_form *form = NULL;
        _cleanup_text_ struct text json = { 0 }, events = { 0 }, text = { 0 };
        struct fault f = { 0 };

        if (log_form_new(&(struct log_form_options){ .grep = *q->grep ? q->grep : NULL,
                                                     .priority = q->priority,
                                                     .until_usec = q->until_usec },
                         &form, &f) < 0) {
                if (f.kind != FAULT_INVALID || !streq(f.field, "grep"))
                        abort();
                return;
        }
        (void) log_form_wants(form, &e);
        log_render(LOG_TEXT, false, &e, &text);
        if (text.len != n + 1)
                abort();
        log_render(LOG_JSON, false, &e, &json);
        check_json(json.data, json.len - 1, line, n);
        log_render(LOG_EVENTS, false, &e, &events);
        if (!starts_with(events.data, "id: s=1;i=1\ndata: ") || !ends_with(events.data, "}\n\n"))
                abort();
        check_json(events.data + strlen("id: s=1;i=1\ndata: "),
                   events.len - strlen("id: s=1;i=1\ndata: ") - 2, line, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *copy = strndup((const char *) data, size);
        struct asked asked = { 0 };
        struct log_query q;
        struct fault f = { 0 };

        if (!copy)
                return 0;
        split(copy, &asked);
        if (log_query_read(value_of, &asked, value_of(&asked, "Last-Event-ID"), NOW_USEC, &q, &f) < 0) {
                if (f.kind != FAULT_INVALID || !f.field[0])
                        abort();
                return 0;
        }
        check_query(&q);
        check_records(&q, asked.rest, strlen(asked.rest));
        check_exports(&q, asked.rest, strlen(asked.rest));
        return 0;
}
