/* SPDX-License-Identifier: Apache-2.0 */

#include "core/log-query.h"

#include "core/moment.h"

#include <stdio.h>

#define SECOND UINT64_C(1000000)

struct source {
        const char *(*value)(const void *arg, const char *name);
        const void *arg;
        uint64_t now_usec;
};

static const char *get(const struct source *s, const char *name)
{
        return s->value(s->arg, name);
}

/* --- cursors --------------------------------------------------------------------------------------- */

/*
 * s=…;i=…;b=…;m=…;t=…;x=…: which journal, which entry of it, which boot, the two
 * clocks and a digest, in hex.
 */
bool log_cursor_valid(const char *cursor)
{
        static const char keys[] = "sibmtx";
        unsigned seen = 0;

        if (strlen(cursor) >= LOG_CURSOR_MAX)
                return false;
        for (const char *p = cursor;; p++) {
                const char *key = *p ? strchr(keys, *p) : NULL;
                unsigned bit = key ? 1U << (key - keys) : 0;
                size_t n;

                if (!key || seen & bit || p[1] != '=')
                        return false;
                seen |= bit;
                p += 2;
                n = strspn(p, "0123456789abcdef");
                if (*key == 's' || *key == 'b' ? n != LOG_ID_LEN : n == 0 || n > 16)
                        return false;
                p += n;
                if (!*p)
                        return seen == (1U << strlen(keys)) - 1;
                if (*p != ';')
                        return false;
        }
}

static int read_cursor(const struct source *s, const char *resume, struct log_query *q, struct fault *f)
{
        const char *field = resume ? "Last-Event-ID" : "cursor";
        const char *cursor = resume ? resume : get(s, "cursor");

        if (!cursor)
                return 0;
        if (!log_cursor_valid(cursor))
                return fault_set(f, FAULT_INVALID, field, "%s: this is no cursor of a journal", field);
        (void) snprintf(q->cursor, sizeof q->cursor, "%s", cursor);
        return 0;
}

/* --- the rest -------------------------------------------------------------------------------------- */

static int read_moment(const struct source *s, const char *name, uint64_t *ret, struct fault *f)
{
        const char *value = get(s, name);

        if (!value || moment_parse(value, s->now_usec, ret))
                return 0;
        return fault_set(f, FAULT_INVALID, name,
                         "%s: seconds since 1970, a time like 2031-12-31T23:59:59Z, or how long ago (-5min) "
                         "is expected",
                         name);
}

/* Not a word on how many: all of a given time, else enough to see how the container started. */
static int read_tail(const struct source *s, const char *resume, struct log_query *q, struct fault *f)
{
        const char *value = get(s, "tail");
        bool bounded = *q->cursor || get(s, "since") || get(s, "until");
        uint64_t n = LOG_TAIL_DEFAULT;

        /* An event source comes back with the query it began with. */
        if (value && resume)
                value = NULL;
        if (value && *q->cursor)
                return fault_set(f, FAULT_INVALID, "tail",
                                 "tail: cannot go with cursor, which says where to begin");
        q->tail = -1;
        if (value ? streq(value, "all") : bounded)
                return 0;
        if (value && !parse_u64(value, LOG_TAIL_MAX, &n))
                return fault_set(f, FAULT_INVALID, "tail", "tail: 0 to %d lines, or all", LOG_TAIL_MAX);
        q->tail = (int64_t) n;
        return 0;
}

static int read_timeout(const struct source *s, struct log_query *q, struct fault *f)
{
        const char *value = get(s, "timeout");
        uint64_t seconds = LOG_TIMEOUT_DEFAULT_SEC;

        if (value && !parse_u64(value, UINT32_MAX, &seconds))
                return fault_set(f, FAULT_INVALID, "timeout", "timeout: seconds, 0 for none");
        q->timeout_usec = seconds ? seconds * SECOND : UINT64_MAX;
        return 0;
}

static int read_follow(const struct source *s, struct log_query *q, struct fault *f)
{
        static const struct {
                const char *word;
                bool follow;
        } words[] = { { "yes", true }, { "true", true },   { "1", true },
                      { "no", false }, { "false", false }, { "0", false } };
        const char *value = get(s, "follow");
        bool known = !value;

        q->follow = true;
        for (size_t i = 0; value && i < ARRAY_SIZE(words); i++)
                if (streq(value, words[i].word)) {
                        q->follow = words[i].follow;
                        known = true;
                }
        if (!known)
                return fault_set(f, FAULT_INVALID, "follow", "follow: yes or no is expected");
        if (q->until_usec <= s->now_usec)
                q->follow = false;
        return 0;
}

static int read_priority(const struct source *s, struct log_query *q, struct fault *f)
{
        static const char *const names[] = { "emerg",   "alert",  "crit", "err",
                                             "warning", "notice", "info", "debug" };
        const char *value = get(s, "priority");
        uint64_t n = 7;

        q->priority = 7;
        for (size_t i = 0; value && i < ARRAY_SIZE(names); i++)
                if (streq(value, names[i])) {
                        q->priority = (int) i;
                        return 0;
                }
        if (value && !parse_u64(value, 7, &n))
                return fault_set(f, FAULT_INVALID, "priority", "priority: 0 to 7, or emerg to debug");
        q->priority = (int) n;
        return 0;
}

static int read_grep(const struct source *s, struct log_query *q, struct fault *f)
{
        const char *value = get(s, "grep");

        if (!value)
                return 0;
        if (strlen(value) > LOG_GREP_MAX)
                return fault_set(f, FAULT_INVALID, "grep", "grep: at most %d bytes", LOG_GREP_MAX);
        (void) snprintf(q->grep, sizeof q->grep, "%s", value);
        return 0;
}

int log_query_read(const char *(*value)(const void *arg, const char *name), const void *arg,
                   const char *resume, uint64_t now_usec, struct log_query *ret, struct fault *f)
{
        const struct source s = { .value = value, .arg = arg, .now_usec = now_usec };
        struct log_query q = { .until_usec = UINT64_MAX };
        int r = read_moment(&s, "since", &q.since_usec, f);

        if (r == 0)
                r = read_moment(&s, "until", &q.until_usec, f);
        if (r == 0)
                r = read_cursor(&s, resume, &q, f);
        if (r == 0)
                r = read_tail(&s, resume, &q, f);
        if (r == 0)
                r = read_timeout(&s, &q, f);
        if (r == 0)
                r = read_follow(&s, &q, f);
        if (r == 0)
                r = read_priority(&s, &q, f);
        if (r == 0)
                r = read_grep(&s, &q, f);
        if (r == 0)
                *ret = q;
        return r;
}
