/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/log-show.h"

#include "core/moment.h"
#include "util/base64.h"

#include <time.h>

#define RESET "\033[0m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define YELLOW "\033[33m"

struct shown {
        const char *time, *name, *text, *base64url, *mark, *gap;
};

static void read_word(const struct json *record, const char *name, const char **ret)
{
        const struct json *value = json_member(record, name);
        struct fault ignored;

        if (value)
                (void) json_get_string(value, name, SIZE_MAX, ret, &ignored);
}

/* The same name always has the same colour, and neither black nor white. */
static unsigned colour_of(const char *name)
{
        unsigned sum = 0;

        for (; *name; name++)
                sum = sum * 31 + (unsigned char) *name;
        return 31 + sum % 6;
}

static void add_when(struct text *t, const char *when)
{
        char local[64] = "";
        uint64_t usec;
        time_t sec;
        struct tm tm;

        if (!moment_parse(when, 0, &usec)) {
                text_add(t, when);
                return;
        }
        sec = (time_t) (usec / 1000000);
        if (localtime_r(&sec, &tm))
                (void) strftime(local, sizeof local, "%Y-%m-%d %H:%M:%S", &tm);
        text_addf(t, "%s.%03u", local, (unsigned) (usec % 1000000 / 1000));
}

/* ESC [ 1 ; 31 m: how many bytes a change of colour takes; 0 for anything else that a terminal obeys. */
static size_t colour_len(const char *s, const char *end)
{
        const char *p = s + 2;

        if (end - s < 3 || s[0] != '\033' || s[1] != '[')
                return 0;
        while (p < end && ((*p >= '0' && *p <= '9') || *p == ';'))
                p++;
        return p < end && *p == 'm' ? (size_t) (p - s) + 1 : 0;
}

/* A container may colour its own lines. It may not move the cursor, rename the window or worse. */
static void add_safely(struct text *t, const char *s, size_t n)
{
        const char *end = s + n;
        bool coloured = false;

        while (s < end) {
                uint32_t c = 0;
                size_t len = colour_len(s, end);

                if (len > 0) {
                        coloured = true;
                        text_addn(t, s, len);
                        s += len;
                        continue;
                }
                len = utf8_decode(s, (size_t) (end - s), &c);
                if (len == 0 || (c < 0x20 && c != '\t') || (c >= 0x7f && c <= 0x9f))
                        text_addc(t, '?');
                else
                        text_addn(t, s, len);
                s += len ? len : 1;
        }
        if (coloured)
                text_add(t, RESET);
}

/* The bytes that the container wrote, whatever they are. */
static int add_line(const struct log_show *show, const struct shown *s, struct text *t, struct fault *f)
{
        _cleanup_free_ unsigned char *decoded = NULL;
        const char *bytes = s->text;
        size_t n = strlen(bytes);

        if (s->base64url) {
                if (base64url_decode(s->base64url, strlen(s->base64url), &decoded, &n) < 0)
                        return fault_set(f, FAULT_FAILED, NULL,
                                         "geard answers with a line that is no base64url");
                bytes = (const char *) decoded;
        }
        if (show->coloured)
                add_safely(t, bytes, n);
        else
                text_addn(t, bytes, n);
        return 0;
}

static void add_mark(const struct log_show *show, const struct shown *s, struct text *t)
{
        text_addf(t, "%s-- %s --%s", show->coloured ? (s->gap ? YELLOW : BOLD) : "", s->text,
                  show->coloured ? RESET : "");
}

static void add_front(const struct log_show *show, const struct shown *s, struct text *t)
{
        text_add(t, show->coloured ? DIM : "");
        add_when(t, s->time);
        text_add(t, show->coloured ? RESET " " : " ");
        if (!show->named)
                return;
        if (show->coloured)
                text_addf(t, "\033[%um%s" RESET " ", colour_of(s->name), s->name);
        else
                text_addf(t, "%s ", s->name);
}

int log_show_record(const struct log_show *show, const struct json *record, struct text *t, struct fault *f)
{
        struct shown s = { .time = "", .name = "", .text = "" };
        int r = 0;

        read_word(record, "time", &s.time);
        read_word(record, "name", &s.name);
        read_word(record, "text", &s.text);
        read_word(record, "base64url", &s.base64url);
        read_word(record, "mark", &s.mark);
        read_word(record, "gap", &s.gap);
        if (show->form == LOG_SHOW_CAT && (s.mark || s.gap))
                return 0;
        if (show->form == LOG_SHOW_TEXT)
                add_front(show, &s, t);
        if (s.mark || s.gap)
                add_mark(show, &s, t);
        else
                r = add_line(show, &s, t, f);
        text_addc(t, '\n');
        return r;
}
