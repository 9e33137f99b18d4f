/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How a tap that is level gets into the feed: the feed is held where it is, and
 * the tap reads up to there.  Should it come to the end of the journal without
 * meeting the feed, it is ahead, and the feed reads up to the tap.  Then both go
 * on with the same entry: nothing is skipped, and nothing comes twice.
 */

#include "api/log-feed.h"

#include <assert.h>
#include <sys/queue.h>

/* Entries that vanish between two looks may keep two readers from meeting; then each goes its own way. */
#define TRIES_MAX 6
/*
 * A batch for many is many writes, whatever it holds.  So the more they are, the
 * rarer and larger are the batches: 50 ms for a thousand.
 */
#define PAUSE_USEC_PER_TAP 50

struct log_feed {
        LIST_ENTRY(log_feed) link;
        struct daemon *daemon;
        struct journal_reader *reader;
        bool exports;
        struct timer *pause;
        uint64_t pause_until_usec;
        bool reading; /* a batch is under way */
        bool giving;  /* it hands out a batch, and must not be freed by those who take it */
        LIST_HEAD(, log_tap) taps;
        TAILQ_HEAD(, log_tap) joining; /* level, and waiting; the first is being let in */
};

struct log_tap {
        LIST_ENTRY(log_tap) link;       /* of the feed's taps … */
        TAILQ_ENTRY(log_tap) join_link; /* … or of those who wait */
        struct daemon *daemon;
        struct log_tap_hooks hooks;
        struct log_form *form;
        struct log_feed *feed;         /* NULL: neither in one nor waiting for it */
        struct journal_reader *reader; /* NULL: the feed's */
        bool reading;
        bool follow;
        bool begun;
        bool full;      /* its client is to take something first */
        unsigned tries; /* to meet the feed */
};

static void feed_go_on(struct log_feed *feed);
static void tap_done(void *arg, void *work, const struct journal_batch *batch);
static void feed_done(void *arg, void *work, const struct journal_batch *batch);

static bool keep(const void *work, const struct log_entry *e)
{
        return log_work_wants(work, e);
}

static bool take(void *work, const struct log_entry *e)
{
        return log_work_take(work, e);
}

static void finish(void *work)
{
        log_work_finish(work);
}

static void drop(void *work)
{
        (void) log_work_free(work);
}

static struct journal_hooks reader_hooks(void (*done)(void *arg, void *work,
                                                      const struct journal_batch *batch),
                                         void *arg)
{
        return (struct journal_hooks){
                .keep = keep, .entry = take, .finish = finish, .drop = drop, .done = done, .arg = arg
        };
}

/* --- a tap takes what was read --------------------------------------------------------------------- */

static void tap_end(struct log_tap *t, int error)
{
        t->hooks.end(t->hooks.arg, error);
}

/* False: it came to its end, and may be gone. */
static bool tap_take(struct log_tap *t, const struct log_work *work)
{
        const struct log_output *output = log_work_output(work, t->form);

        if (!output)
                return true;
        if (output->error < 0) {
                tap_end(t, output->error);
                return false;
        }
        if (output->text.len > 0 || output->part.len > 0)
                t->full = !t->hooks.write(t->hooks.arg, output);
        if (output->over)
                tap_end(t, 0);
        return !output->over;
}

static bool is_empty(const struct log_tap *t, const struct log_work *work)
{
        const struct log_output *output = log_work_output(work, t->form);

        return !output || (output->text.len == 0 && output->part.len == 0);
}

static int tap_read(struct log_tap *t, const struct journal_reader *until)
{
        _cleanup_(log_work_freep) struct log_work *work = log_work_new();

        if (!work || log_work_add(work, t->form) < 0 ||
            journal_reader_read(t->reader, work, JOURNAL_NOW, until) < 0)
                return -ENOMEM;
        (void) TAKE(work);
        t->reading = true;
        return 0;
}

/* --- the feed -------------------------------------------------------------------------------------- */

static struct log_feed *feed_find(const struct log_tap *t)
{
        bool exports = log_form_format(t->form) == LOG_EXPORT;
        struct log_feed *feed;

        LIST_FOREACH(feed, &t->daemon->feeds, link)
        if (feed->exports == exports && journal_reader_looks_at_same(feed->reader, t->reader))
                return feed;
        return NULL;
}

static struct log_feed *feed_free(struct log_feed *feed)
{
        if (!feed)
                return NULL;
        (void) journal_reader_free(feed->reader);
        (void) timer_free(feed->pause);
        free(feed);
        return NULL;
}
DEFINE_CLEANUP(struct log_feed, feed_free);

static void pause_over(void *arg)
{
        feed_go_on(arg);
}

/* Begins where the tap is. */
static struct log_feed *feed_new(struct log_tap *t)
{
        _cleanup_(feed_freep) struct log_feed *feed = calloc(1, sizeof *feed);
        struct journal_hooks hooks = reader_hooks(feed_done, feed);

        if (!feed)
                return NULL;
        feed->reader = journal_reader_copy(t->reader, &hooks);
        feed->pause = timer_new(t->daemon->loop, pause_over, feed);
        if (!feed->reader || !feed->pause)
                return NULL;
        feed->daemon = t->daemon;
        feed->exports = log_form_format(t->form) == LOG_EXPORT;
        LIST_INIT(&feed->taps);
        TAILQ_INIT(&feed->joining);
        LIST_INSERT_HEAD(&t->daemon->feeds, feed, link);
        return TAKE(feed);
}

static void feed_end(struct log_feed *feed, int error)
{
        struct log_tap *t;

        feed->giving = true;
        while ((t = TAILQ_FIRST(&feed->joining)))
                tap_end(t, error);
        while ((t = LIST_FIRST(&feed->taps)))
                tap_end(t, error);
        feed->giving = false;
        feed_go_on(feed);
}

static int feed_read(struct log_feed *feed, enum journal_wait wait, const struct journal_reader *until)
{
        _cleanup_(log_work_freep) struct log_work *work = log_work_new();
        struct log_tap *t;

        if (!work)
                return -ENOMEM;
        LIST_FOREACH(t, &feed->taps, link)
        if (log_work_add(work, t->form) < 0)
                return -ENOMEM;
        if (journal_reader_read(feed->reader, work, wait, until) < 0)
                return -ENOMEM;
        (void) TAKE(work);
        feed->reading = true;
        return 0;
}

/* The tap leaves, and takes the feed's place with it. */
static int tap_leave(struct log_tap *t)
{
        struct journal_hooks hooks = reader_hooks(tap_done, t);

        t->reader = journal_reader_copy(t->feed->reader, &hooks);
        if (!t->reader)
                return -ENOMEM;
        LIST_REMOVE(t, link);
        t->feed = NULL;
        return 0;
}

static void feed_done(void *arg, void *work, const struct journal_batch *batch)
{
        struct log_feed *feed = arg;
        struct log_tap *t, *next;
        unsigned n = 0;

        feed->reading = false;
        feed->giving = true;
        for (t = LIST_FIRST(&feed->taps); t; t = next, n++) {
                next = LIST_NEXT(t, link);
                if (tap_take(t, work) && t->full && tap_leave(t) < 0)
                        tap_end(t, -ENOMEM);
        }
        feed->giving = false;
        feed->pause_until_usec = now_usec() + n * PAUSE_USEC_PER_TAP;
        (void) log_work_free(work);
        if (batch->error < 0)
                feed_end(feed, batch->error);
        else
                feed_go_on(feed);
}

/* --- the way into the feed ------------------------------------------------------------------------- */

static void admit(struct log_feed *feed, struct log_tap *t)
{
        TAILQ_REMOVE(&feed->joining, t, join_link);
        LIST_INSERT_HEAD(&feed->taps, t, link);
        t->reader = journal_reader_free(t->reader);
}

/* The two do not meet: the tap becomes the first of another feed, and this one goes on without it. */
static int split(struct log_feed *feed, struct log_tap *t)
{
        struct log_feed *other = feed_new(t);

        if (!other)
                return -ENOMEM;
        TAILQ_REMOVE(&feed->joining, t, join_link);
        t->feed = other;
        TAILQ_INSERT_TAIL(&other->joining, t, join_link);
        feed_go_on(other);
        feed_go_on(feed);
        return 0;
}

/* The feed may be gone behind it. */
static int bring_together(struct log_feed *feed, struct log_tap *t)
{
        if (++t->tries > TRIES_MAX)
                return split(feed, t);
        if (t->tries % 2)
                return tap_read(t, feed->reader);
        return feed_read(feed, JOURNAL_NOW, t->reader);
}

/* What is to happen next, with nothing under way in the feed. */
static void feed_go_on(struct log_feed *feed)
{
        uint64_t now = now_usec();
        struct log_tap *t;

        if (feed->giving)
                return;
        if (LIST_EMPTY(&feed->taps) && TAILQ_EMPTY(&feed->joining)) {
                LIST_REMOVE(feed, link);
                (void) feed_free(feed);
                return;
        }
        if (feed->reading)
                return;
        while ((t = TAILQ_FIRST(&feed->joining)) && !t->reading &&
               journal_reader_is_at(t->reader, feed->reader))
                admit(feed, t);
        if (t && t->reading)
                return;
        if (!t && feed->pause_until_usec > now)
                timer_set(feed->pause, feed->pause_until_usec - now);
        else if (t ? bring_together(feed, t) < 0 : feed_read(feed, JOURNAL_NEWS, NULL) < 0)
                feed_end(feed, -ENOMEM);
}

static void tap_join(struct log_tap *t)
{
        struct log_feed *feed = feed_find(t);

        if (!feed)
                feed = feed_new(t);
        if (!feed) {
                tap_end(t, -ENOMEM);
                return;
        }
        t->feed = feed;
        t->tries = 0;
        TAILQ_INSERT_TAIL(&feed->joining, t, join_link);
        if (feed->reading)
                journal_reader_hurry(feed->reader);
        feed_go_on(feed);
}

/* --- a tap on its own ------------------------------------------------------------------------------ */

/* It was waiting for the feed, or being let in, and does something else first. */
static void stop_joining(struct log_tap *t)
{
        struct log_feed *feed = TAKE(t->feed);

        TAILQ_REMOVE(&feed->joining, t, join_link);
        feed_go_on(feed);
}

static void tap_go_on(struct log_tap *t, const struct journal_batch *batch)
{
        const struct journal_reader *until = t->feed ? t->feed->reader : NULL;

        if (t->full) {
                if (t->feed)
                        stop_joining(t);
        } else if (!batch->level && !batch->met) {
                if (tap_read(t, until) < 0)
                        tap_end(t, -ENOMEM);
        } else if (!t->follow) {
                tap_end(t, 0);
        } else if (t->feed) {
                feed_go_on(t->feed);
        } else {
                tap_join(t);
        }
}

static void tap_done(void *arg, void *work, const struct journal_batch *batch)
{
        struct log_tap *t = arg;
        bool goes_on;

        t->reading = false;
        if (!t->begun && batch->error == 0)
                t->hooks.begun(t->hooks.arg, is_empty(t, work) && batch->level ? journal_reader_newest(t->reader) : "");
        t->begun = true;
        goes_on = tap_take(t, work);
        (void) log_work_free(work);
        if (!goes_on)
                return;
        if (batch->error < 0)
                tap_end(t, batch->error);
        else
                tap_go_on(t, batch);
}

void log_tap_resume(struct log_tap *t)
{
        bool was_full = t->full;

        t->full = false;
        if (was_full && t->reader && !t->reading && !t->feed && tap_read(t, NULL) < 0)
                tap_end(t, -ENOMEM);
}

struct log_tap *log_tap_new(struct daemon *d, const struct log_tap_options *o,
                            const struct log_tap_hooks *hooks)
{
        enum log_format format = log_form_format(o->form);
        struct log_tap *t = calloc(1, sizeof *t);
        struct journal_hooks with = reader_hooks(tap_done, t);

        if (!t)
                return NULL;
        *t = (struct log_tap){
                .daemon = d, .hooks = *hooks, .follow = o->follow, .form = log_form_ref(o->form)
        };
        t->reader = journal_reader_new(d->journal,
                                       &(struct journal_options){ .scope = o->scope,
                                                                  .cursor = o->cursor,
                                                                  .since_usec = o->since_usec,
                                                                  .tail = o->tail,
                                                                  .until_usec = o->until_usec,
                                                                  .follow = o->follow,
                                                                  .cursors = o->follow || format != LOG_TEXT,
                                                                  .export = format == LOG_EXPORT },
                                       &with);
        return t->reader && tap_read(t, NULL) == 0 ? t : log_tap_free(t);
}

struct log_tap *log_tap_free(struct log_tap *t)
{
        struct log_feed *feed;

        if (!t)
                return NULL;
        feed = t->feed;
        if (feed && t->reader)
                TAILQ_REMOVE(&feed->joining, t, join_link);
        else if (feed)
                LIST_REMOVE(t, link);
        (void) journal_reader_free(t->reader);
        (void) log_form_unref(t->form);
        free(t);
        if (feed)
                feed_go_on(feed);
        return NULL;
}
