/* SPDX-License-Identifier: Apache-2.0 */

#include "api/failure.h"

#include "core/engine-refusal.h"
#include "sys/journal.h"

#include <signal.h>
#include <stdio.h>

/* journald may write a container's last words a moment after its end was signalled. */
#define JOURNAL_LAG_USEC (150 * USEC_PER_MSEC)
/* … and must not hold up the answer when it does not come at all. */
#define JOURNAL_WAIT_USEC (3 * USEC_PER_SEC)
/* Docker always says why it ends with a status of its own: before that the journal is read so often. */
#define JOURNAL_READS_MAX 10

struct failure {
        struct daemon *daemon;
        const struct spec *spec;  /* whose fields may be to blame; or NULL */
        struct fault fault;
        bool blames_field;
        char unit[UNIT_NAME_MAX], identifier[UNIT_NAME_MAX], invocation[GEAR_INVOCATION_LEN + 1];
        struct timer *timer;
        struct journal_reader *reader;
        bool reading, heard; /* a line at least */
        unsigned reads;
        void (*done)(void *arg, const struct fault *fault);
        void *arg;
};

static void explain_status(struct text *t, int status, bool oom_killed)
{
        static const struct {
                int status;
                const char *meaning;
        } meanings[] = {
                { 125, "the engine could not create or start the container" },
                { 126, "the command in the image cannot be executed" },
                { 127, "the command was not found in the image" },
        };

        text_addf(t, "exited with status %d", status);
        for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
                if (meanings[i].status == status)
                        text_addf(t, ": %s", meanings[i].meaning);
        if (status == 137)
                text_add(t, oom_killed ? ": killed, it ran out of memory" : ": killed (SIGKILL; out of memory?)");
        else if (status > 128 && status < 128 + NSIG && strsignal(status - 128))
                text_addf(t, ": ended by a signal (%s)", strsignal(status - 128));
}

void failure_of_exit(struct text *t, int exit_code, int exit_status, bool oom_killed)
{
        if (exit_code == CLD_EXITED)
                explain_status(t, exit_status, oom_killed);
        else if (exit_code == CLD_KILLED || exit_code == CLD_DUMPED)
                text_addf(t, "its client was killed by signal %d", exit_status);
}

struct failure *failure_cancel(struct failure *f)
{
        if (f) {
                f->timer = timer_free(f->timer);
                f->reader = journal_reader_free(f->reader);
                free(f);
        }
        return NULL;
}

static void failure_done(struct failure *f)
{
        void (*done)(void *arg, const struct fault *fault) = f->done;
        struct fault fault = f->fault;
        void *arg = f->arg;

        (void) failure_cancel(f);
        done(arg, &fault);
}

/* A container can write what docker would: it then lies to who made it, and to nobody else. */
static bool is_refusal(struct failure *f, const struct journal_entry *e)
{
        _cleanup_free_ char *line = f->spec ? strndup(e->message, e->message_len) : NULL;

        return line && engine_refusal_read(line, f->spec, &f->fault);
}

/* The fault is a fixed size: a line too many is left out whole. */
static bool add_line(void *arg, const struct journal_entry *e)
{
        struct failure *f = arg;
        char *text = f->fault.text;
        size_t used = strlen(text), n = e->message_len;
        char *out = text + used;

        f->heard = true;
        f->blames_field = f->blames_field || is_refusal(f, e);
        if (f->blames_field || used + n + 4 >= sizeof f->fault.text)
                return true;
        memcpy(out, "\n  ", 3);
        out += 3;
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char) e->message[i];

                *out++ = c < 0x20 || c == 0x7f ? ' ' : (char) c;
        }
        *out = '\0';
        return true;
}

static void lines_end(void *arg, int error)
{
        struct failure *f = arg;

        if (error < 0 || !f->spec || f->heard || ++f->reads == JOURNAL_READS_MAX) {
                failure_done(f);
                return;
        }
        f->reader = journal_reader_free(f->reader);
        f->reading = false;
        timer_set(f->timer, JOURNAL_LAG_USEC);
}

static void read_lines(void *arg)
{
        struct failure *f = arg;
        int r;

        if (f->reading) { /* the journal does not come to its end: go without */
                failure_done(f);
                return;
        }
        f->reading = true;
        timer_set(f->timer, JOURNAL_WAIT_USEC);
        r = journal_read(f->daemon->loop,
                         &(struct journal_options){ .unit = f->unit,
                                                    .identifier = f->identifier,
                                                    .invocation = f->invocation[0] ? f->invocation : NULL,
                                                    .tail = FAILURE_LOG_LINES },
                         &(struct journal_hooks){ .entry = add_line, .end = lines_end, .arg = f }, &f->reader);
        if (r < 0)
                failure_done(f);
}

/* Of docker's own: what the engine did not start never ran, and has no status. */
static bool may_be_refusal(const struct gear *gear)
{
        return gear->exit_code == CLD_EXITED && gear->exit_status >= 125 && gear->exit_status <= 127;
}

struct failure *failure_explain(struct daemon *d, const struct gear *gear, const struct spec *spec,
                                enum fault_kind kind, const char *what,
                                void (*done)(void *arg, const struct fault *fault), void *arg)
{
        _cleanup_text_ struct text exit = { 0 };
        struct failure *f = calloc(1, sizeof *f);

        if (!f)
                return NULL;
        *f = (struct failure){ .daemon = d, .spec = may_be_refusal(gear) ? spec : NULL, .done = done, .arg = arg };
        gear_unit_name(gear->id, f->unit);
        gear_container_name(gear->id, f->identifier);
        gear_invocation(gear, f->invocation);
        failure_of_exit(&exit, gear->exit_code, gear->exit_status, gear->oom_killed);
        (void) fault_set(&f->fault, kind, NULL, "%s%s%s", what, exit.len ? ": it " : "", exit.len ? exit.data : "");
        f->timer = timer_new(d->loop, read_lines, f);
        if (!f->timer)
                return failure_cancel(f);
        timer_set(f->timer, JOURNAL_LAG_USEC);
        return f;
}
