/* SPDX-License-Identifier: Apache-2.0 */

/* The forms a record of a log is given in. */

#include "core/log-form.h"
#include "core/moment.h"
#include "util/digest.h"
#include "util/json.h"

#include <inttypes.h>
#include <signal.h>

const char *log_format_type(enum log_format format)
{
        static const char *const types[] = {
                [LOG_TEXT] = "text/plain; charset=utf-8",
                [LOG_JSON] = "application/json",
                [LOG_EVENTS] = "text/event-stream",
                [LOG_EXPORT] = "application/vnd.fdo.journal",
        };

        return types[format];
}

/* --- marks ----------------------------------------------------------------------------------------- */

static const char *mark_name(enum log_kind kind)
{
        static const char *const names[] = {
                [LOG_STARTED] = "started",       [LOG_EXITED] = "exited",
                [LOG_ENDED] = "ended",           [LOG_FAILED] = "failed",
                [LOG_RESTARTING] = "restarting", [LOG_KILLED] = "out-of-memory",
                [LOG_SUPPRESSED] = "suppressed", [LOG_GONE] = "gone",
        };

        return names[kind];
}

/* The docker client ends with 128 + N when signal N ended the container. */
static void say_exit(struct text *t, const struct log_entry *e)
{
        int signal = streq(e->code, "exited") ? e->status - 128 : e->status;

        if (streq(e->code, "exited"))
                text_addf(t, "exited with status %d", e->status);
        else
                text_add(t, "was ended");
        if (signal > 0 && signal < NSIG && sigabbrev_np(signal))
                text_addf(t, " (SIG%s)", sigabbrev_np(signal));
}

static void say(struct text *t, const struct log_entry *e)
{
        switch (e->kind) {
        case LOG_LINE:
                break;
        case LOG_STARTED:
                text_add(t, "started");
                break;
        case LOG_EXITED:
                say_exit(t, e);
                break;
        case LOG_ENDED:
                text_add(t, "ended");
                break;
        case LOG_FAILED:
                text_addf(t, "failed: %s", e->result);
                break;
        case LOG_RESTARTING:
                text_addf(t, "restarts (%" PRIu64 ")", e->count);
                break;
        case LOG_KILLED:
                text_add(t, "ran out of memory");
                break;
        case LOG_SUPPRESSED:
                text_addf(t, "%" PRIu64 " lines were too many at once and were not kept", e->count);
                break;
        case LOG_GONE:
                text_add(t, "lines before this are not kept any more");
                break;
        }
}

/* --- text ------------------------------------------------------------------------------------------ */

static void put_text(struct text *t, const struct log_entry *e, bool named)
{
        if (e->kind == LOG_LINE) {
                if (named)
                        text_addf(t, "%s: ", e->name);
                text_addn(t, e->message, e->message_len);
        } else {
                text_addf(t, "-- %s%s", e->name, *e->name ? " " : "");
                say(t, e);
                text_add(t, " --");
        }
        text_addc(t, '\n');
}

/* --- JSON ------------------------------------------------------------------------------------------ */

static void put_time(struct text *t, uint64_t usec)
{
        json_name(t, "time");
        text_addc(t, '"');
        moment_add(t, usec, 6);
        text_addc(t, '"');
}

/* A line that is no UTF-8 comes as its bytes, too. */
static void put_line(struct text *t, const struct log_entry *e)
{
        json_putu(t, "priority", (uint64_t) e->priority);
        json_put(t, "stream", e->priority <= 3 ? "stderr" : "stdout");
        json_name(t, "text");
        json_outn(t, e->message, e->message_len);
        if (!utf8_valid(e->message, e->message_len)) {
                json_name(t, "base64url");
                text_addc(t, '"');
                base64url_add(t, e->message, e->message_len);
                text_addc(t, '"');
        }
        if (e->partial)
                json_putb(t, "partial", true);
}

static void put_mark(struct text *t, const struct log_entry *e)
{
        _cleanup_text_ struct text words = { 0 };
        bool gap = e->kind == LOG_SUPPRESSED || e->kind == LOG_GONE;

        json_put(t, gap ? "gap" : "mark", mark_name(e->kind));
        if (e->kind == LOG_EXITED) {
                json_put(t, "code", e->code);
                json_putu(t, "status", (uint64_t) e->status);
        } else if (e->kind == LOG_FAILED) {
                json_put(t, "result", e->result);
        } else if (e->kind == LOG_RESTARTING || e->kind == LOG_SUPPRESSED) {
                json_putu(t, "count", e->count);
        }
        say(&words, e);
        json_put(t, "text", text_ok(&words) ? words.data : NULL);
}

static void put_json(struct text *t, const struct log_entry *e)
{
        text_addc(t, '{');
        put_time(t, e->realtime_usec);
        if (*e->name)
                json_put(t, "name", e->name);
        if (*e->run)
                json_put(t, "run", e->run);
        if (e->kind == LOG_LINE)
                put_line(t, e);
        else
                put_mark(t, e);
        if (*e->cursor)
                json_put(t, "cursor", e->cursor);
        text_addc(t, '}');
}

/* --- the export format ----------------------------------------------------------------------------- */

/* What no entry of the journal stands for has fields of ours only. */
static void put_export(struct text *t, const struct log_entry *e)
{
        if (e->exported) {
                text_addn(t, e->exported, e->exported_len);
                return;
        }
        if (*e->cursor)
                text_addf(t, "__CURSOR=%s\n", e->cursor);
        text_addf(t,
                  "__REALTIME_TIMESTAMP=%" PRIu64 "\nPRIORITY=%d\nGEARD_GAP=%s\nMESSAGE=", e->realtime_usec,
                  e->priority, mark_name(e->kind));
        say(t, e);
        text_add(t, "\n\n");
}

void log_render(enum log_format format, bool named, const struct log_entry *e, struct text *t)
{
        switch (format) {
        case LOG_TEXT:
                put_text(t, e, named);
                break;
        case LOG_JSON:
                put_json(t, e);
                text_addc(t, '\n');
                break;
        case LOG_EVENTS:
                if (*e->cursor)
                        text_addf(t, "id: %s\n", e->cursor);
                text_add(t, "data: ");
                put_json(t, e);
                text_add(t, "\n\n");
                break;
        case LOG_EXPORT:
                put_export(t, e);
                break;
        }
}
