/* SPDX-License-Identifier: Apache-2.0 */

#include "api/failure.h"

#include "api/last-words.h"
#include "core/engine-refusal.h"

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
        char unit[UNIT_NAME_MAX], identifier[UNIT_NAME_MAX], invocation[GEAR_INVOCATION_LEN + 1];
        struct timer *timer;
        struct journal_reader *reader;
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

/* The fault is a fixed size: a line too many is left out whole. */
static void add_line(struct fault *fault, const char *line)
{
        size_t used = strlen(fault->text);

        if (used + strlen("\n  ") + strlen(line) < sizeof fault->text)
                (void) snprintf(fault->text + used, sizeof fault->text - used, "\n  %s", line);
}

/* A container can write what docker would: it then lies to who made it, and to nobody else. */
static void add_lines(struct failure *f, char *lines)
{
        char *line, *rest = lines;

        while ((line = strsep(&rest, "\n")) && rest) {
                if (f->spec && engine_refusal_read(line, f->spec, &f->fault))
                        return;
                add_line(&f->fault, line);
        }
}

static bool read_on(struct failure *f, struct text *lines)
{
        return f->reader && journal_reader_read(f->reader, lines, JOURNAL_NOW, NULL) == 0;
}

static void lines_read(void *arg, void *work, const struct journal_batch *batch)
{
        struct failure *f = arg;
        struct text *lines = work;
        bool silent;

        if (batch->error == 0 && !batch->level && read_on(f, lines))
                return;
        silent = lines->len == 0 && batch->error == 0;
        if (lines->data && text_ok(lines))
                add_lines(f, lines->data);
        last_words_free(lines);
        if (!silent || !f->spec || ++f->reads == JOURNAL_READS_MAX) {
                failure_done(f);
                return;
        }
        f->reader = journal_reader_free(f->reader);
        timer_set(f->timer, JOURNAL_LAG_USEC);
}

static struct journal_reader *make_reader(struct failure *f)
{
        const struct journal_source source = { .unit = f->unit, .identifier = f->identifier };
        const struct journal_scope scope = { .sources = &source,
                                             .n_sources = 1,
                                             .invocation = f->invocation[0] ? f->invocation : NULL };

        return journal_reader_new(f->daemon->journal,
                                  &(struct journal_options){ .scope = scope, .tail = FAILURE_LOG_LINES },
                                  &(struct journal_hooks){
                                          .entry = last_words_take, .done = lines_read, .drop = last_words_free, .arg = f });
}

static void read_lines(void *arg)
{
        struct failure *f = arg;
        struct text *lines;

        if (f->reader) { /* the journal does not come to its end: go without */
                failure_done(f);
                return;
        }
        timer_set(f->timer, JOURNAL_WAIT_USEC);
        f->reader = make_reader(f);
        lines = calloc(1, sizeof *lines);
        if (lines && read_on(f, lines))
                return;
        free(lines);
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
