/* SPDX-License-Identifier: Apache-2.0 */

#include "api/job-output.h"

#include "api/last-words.h"
#include "core/job.h"

#include <stdio.h>

/* A journal that does not come to its end must not hold up the answer. */
#define WAIT_USEC (3 * USEC_PER_SEC)
#define LINES_MAX 1000
/* What is gathered before its beginning is dropped. */
#define GATHERED_MAX (4 * JOB_OUTPUT_MAX)

struct job_output {
        struct daemon *daemon;
        char id[GEAR_ID_MAX + 1];
        uint64_t created_usec, since_usec;
        struct journal_reader *reader; /* NULL: it has not begun */
        struct timer *timer;
        void (*done)(void *arg, const char *lines);
        void *arg;
};

struct job_output *job_output_cancel(struct job_output *o)
{
        if (o) {
                o->reader = journal_reader_free(o->reader);
                o->timer = timer_free(o->timer);
                free(o);
        }
        return NULL;
}

static void finish(struct job_output *o, const char *lines)
{
        void (*done)(void *arg, const char *lines) = o->done;
        void *arg = o->arg;

        /* The lines are the caller's, who frees them when we are gone. */
        (void) job_output_cancel(o);
        done(arg, lines);
}

/* --- in the journal's thread ------------------------------------------------------------------------ */

/* Whole lines only, the last ones. */
static void keep_end(struct text *t, size_t max)
{
        const char *from, *line;

        if (t->failed || t->len <= max)
                return;
        from = t->data + t->len - max;
        line = from[-1] == '\n' ? from : strchr(from, '\n');
        if (line && line != from && line[1])
                from = line + 1; /* a line that is longer than all we keep loses its beginning */
        t->len -= (size_t) (from - t->data);
        memmove(t->data, from, t->len + 1);
}

static bool take_line(void *work, const struct log_entry *e)
{
        struct text *lines = work;

        (void) last_words_take(lines, e);
        if (lines->len > GATHERED_MAX)
                keep_end(lines, JOB_OUTPUT_MAX);
        return true;
}

static void end_batch(void *work)
{
        keep_end(work, JOB_OUTPUT_MAX);
}

/* --- on the loop ---------------------------------------------------------------------------------------- */

static void lines_read(void *arg, void *work, const struct journal_batch *batch)
{
        struct job_output *o = arg;
        struct text *lines = work;

        if (batch->error == 0 && !batch->level && journal_reader_read(o->reader, lines, JOURNAL_NOW, NULL) == 0)
                return;
        finish(o, text_ok(lines) && lines->data ? lines->data : "");
        last_words_free(lines);
}

static void begin(struct job_output *o)
{
        struct daemon *d = o->daemon;
        char unit[UNIT_NAME_MAX], identifier[UNIT_NAME_MAX];
        const struct journal_source source = { .unit = unit, .identifier = identifier, .created_usec = o->created_usec };
        const struct journal_scope scope = { .sources = &source, .n_sources = 1 };
        struct text *lines = calloc(1, sizeof *lines);

        job_unit_name(o->id, unit);
        job_container_name(o->id, identifier);
        timer_set(o->timer, WAIT_USEC);
        o->reader = journal_reader_new(
                d->journal,
                &(struct journal_options){ .scope = scope, .since_usec = o->since_usec, .tail = LINES_MAX },
                &(struct journal_hooks){
                        .entry = take_line, .finish = end_batch, .done = lines_read, .drop = last_words_free, .arg = o });
        if (o->reader && lines && journal_reader_read(o->reader, lines, JOURNAL_NOW, NULL) == 0)
                return;
        free(lines);
        finish(o, "");
}

/* To begin, or to end without them. */
static void time_is_over(void *arg)
{
        struct job_output *o = arg;

        if (o->reader)
                finish(o, "");
        else
                begin(o);
}

struct job_output *job_output_read(struct daemon *d, const struct job *job, uint64_t since_usec, uint64_t after_usec,
                                   void (*done)(void *arg, const char *lines), void *arg)
{
        struct job_output *o = calloc(1, sizeof *o);

        if (!o)
                return NULL;
        *o = (struct job_output){
                .daemon = d, .created_usec = job->created_usec, .since_usec = since_usec, .done = done, .arg = arg
        };
        (void) snprintf(o->id, sizeof o->id, "%s", job->id);
        o->timer = timer_new(d->loop, time_is_over, o);
        if (!o->timer)
                return job_output_cancel(o);
        timer_set(o->timer, after_usec);
        return o;
}
