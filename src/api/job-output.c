/* SPDX-License-Identifier: Apache-2.0 */

#include "api/job-output.h"

#include "api/last-words.h"
#include "core/job.h"

/* A journal that does not come to its end must not hold up the answer. */
#define WAIT_USEC (3 * USEC_PER_SEC)
#define LINES_MAX 1000
/* What is gathered before its beginning is dropped. */
#define GATHERED_MAX (4 * JOB_OUTPUT_MAX)

struct job_output {
        struct journal_reader *reader;
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

static void out_of_time(void *arg)
{
        finish(arg, "");
}

static bool begin(struct job_output *o, struct daemon *d, const char *id, uint64_t since_usec)
{
        char unit[UNIT_NAME_MAX], identifier[UNIT_NAME_MAX];
        const struct journal_source source = { .unit = unit, .identifier = identifier };
        const struct journal_scope scope = { .sources = &source, .n_sources = 1 };
        struct text *lines;

        job_unit_name(id, unit);
        job_container_name(id, identifier);
        o->timer = timer_new(d->loop, out_of_time, o);
        o->reader = journal_reader_new(
                d->journal,
                &(struct journal_options){ .scope = scope, .since_usec = since_usec, .tail = LINES_MAX },
                &(struct journal_hooks){
                        .entry = take_line, .finish = end_batch, .done = lines_read, .drop = last_words_free, .arg = o });
        lines = calloc(1, sizeof *lines);
        if (o->timer && o->reader && lines && journal_reader_read(o->reader, lines, JOURNAL_NOW, NULL) == 0) {
                timer_set(o->timer, WAIT_USEC);
                return true;
        }
        free(lines);
        return false;
}

struct job_output *job_output_read(struct daemon *d, const char *id, uint64_t since_usec,
                                   void (*done)(void *arg, const char *lines), void *arg)
{
        struct job_output *o = calloc(1, sizeof *o);

        if (!o)
                return NULL;
        *o = (struct job_output){ .done = done, .arg = arg };
        return begin(o, d, id, since_usec) ? o : job_output_cancel(o);
}
