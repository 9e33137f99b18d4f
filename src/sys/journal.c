/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which reader is read by which thread, and when.  Each lane is one thread with
 * one handle; a reader keeps to the lane it was given and takes its turn there,
 * a slice at a time.  The bell wakes those that wait for news.
 */

#include "sys/journal-private.h"

#include "sys/journal-bell.h"

#include <stdio.h>

#define LANES 2
#define BELL_USEC USEC_PER_SEC
/*
 * So often everybody looks, whoever the news are about: the bell may have missed
 * of whom an entry is, and the reader, that it was whole meanwhile.
 */
#define LOOK_USEC USEC_PER_SEC
/* Without readers for so long, the lanes close their files. */
#define IDLE_USEC (10 * USEC_PER_SEC)

struct journal {
        struct loop *loop;
        const char *const *files;
        struct journal_lane lanes[LANES];
        struct journal_bell *bell;
        struct worker *ringer; /* the thread of the bell */
        struct journal_news news;
        bool ringing;
        uint64_t looked_usec; /* when everybody was woken last */
        struct timer *idle;
        LIST_HEAD(, journal_reader) readers, freed; /* freed: but still in a thread */
};

static void dispatch(struct journal_reader *r);

/* --- the threads ---------------------------------------------------------------------------------- */

static int slice_job(void *arg)
{
        journal_slice(arg);
        return 0;
}

static int rest_job(void *arg)
{
        struct journal_lane *lane = arg;

        journal_handle_rest(lane->handle);
        text_reset(&lane->joined);
        text_reset(&lane->exported);
        return 0;
}

static void rested(void *arg _unused_, int r _unused_)
{
}

static void rest(void *arg)
{
        struct journal *j = arg;

        for (size_t i = 0; i < LANES; i++)
                if (j->lanes[i].worker && j->lanes[i].n_readers == 0)
                        (void) worker_run(j->lanes[i].worker, rest_job, rested, &j->lanes[i]);
}

static int start_lane(struct journal *j, struct journal_lane *lane)
{
        if (!lane->handle)
                lane->handle = journal_handle_new(j->files);
        if (lane->handle && !lane->worker)
                lane->worker = worker_new(j->loop);
        return lane->worker ? 0 : -ENOMEM;
}

static struct journal_lane *choose_lane(struct journal *j)
{
        struct journal_lane *best = &j->lanes[0];

        for (size_t i = 1; i < LANES; i++)
                if (j->lanes[i].n_readers < best->n_readers)
                        best = &j->lanes[i];
        return start_lane(j, best) < 0 ? NULL : best;
}

/* --- the bell ------------------------------------------------------------------------------------- */

static bool concerns(const struct journal_reader *r, const struct journal_news *news)
{
        if (news->all)
                return true;
        for (size_t i = 0; i < news->n; i++)
                for (size_t s = 0; s < r->scope.n_sources; s++)
                        if (journal_source_has(&r->scope.sources[s], news->units[i]))
                                return true;
        return false;
}

static int bell_job(void *arg)
{
        struct journal *j = arg;

        return journal_bell_wait(j->bell, BELL_USEC, &j->news);
}

static void ring(struct journal *j);

static void rang(void *arg, int result)
{
        struct journal *j = arg;
        struct journal_reader *r, *next;
        uint64_t now = now_usec();

        j->ringing = false;
        if (result < 0 || now - j->looked_usec >= LOOK_USEC)
                j->news.all = true;
        if (j->news.all)
                j->looked_usec = now;
        for (r = LIST_FIRST(&j->readers); r; r = next) {
                next = LIST_NEXT(r, link);
                if (!concerns(r, &j->news))
                        continue;
                r->rung = true;
                if (r->parked)
                        dispatch(r);
        }
        ring(j);
}

/* While anybody waits for news, or may do so with the end of a slice. */
static void ring(struct journal *j)
{
        struct journal_reader *r;

        if (j->ringing)
                return;
        LIST_FOREACH(r, &j->readers, link)
        if (r->wait == JOURNAL_NEWS && r->busy) {
                j->ringing = worker_run(j->ringer, bell_job, rang, j) == 0;
                return;
        }
}

static int start_bell(struct journal *j)
{
        if (!j->bell)
                j->bell = journal_bell_new(j->files);
        if (j->bell && !j->ringer)
                j->ringer = worker_new(j->loop);
        return j->ringer ? 0 : -ENOMEM;
}

/* --- a reader's turn ------------------------------------------------------------------------------ */

static void reader_destroy(struct journal_reader *r)
{
        if (r->work)
                r->hooks.drop(r->work);
        free(r->sources);
        free(r);
}

static void give_back(struct journal_reader *r)
{
        struct journal_batch batch = r->batch;
        void *work = TAKE(r->work);

        r->busy = r->parked = false;
        r->hooks.done(r->hooks.arg, work, &batch);
}

static void slice_done(void *arg, int result _unused_)
{
        struct journal_reader *r = arg;
        const struct journal_batch *b = &r->batch;

        r->in_thread = false;
        if (r->freed) {
                LIST_REMOVE(r, link);
                reader_destroy(r);
        } else if (b->error < 0 || b->entries > 0 || b->met) {
                give_back(r);
        } else if (!b->level || (r->wait == JOURNAL_NEWS && r->rung)) {
                dispatch(r);
        } else if (r->wait == JOURNAL_NEWS) {
                r->parked = true;
        } else {
                give_back(r);
        }
}

/* What cannot be asked of a thread is told from here, which is never inside journal_reader_read(). */
static void dispatch(struct journal_reader *r)
{
        r->parked = r->rung = false;
        r->batch = (struct journal_batch){ 0 };
        r->in_thread = worker_run(r->lane->worker, slice_job, slice_done, r) == 0;
        if (!r->in_thread) {
                r->batch.error = -ENOMEM;
                give_back(r);
        }
}

int journal_reader_read(struct journal_reader *r, void *work, enum journal_wait wait,
                        const struct journal_reader *until)
{
        struct journal *j = r->journal;

        if (wait == JOURNAL_NEWS && start_bell(j) < 0)
                return -ENOMEM;
        r->batch = (struct journal_batch){ 0 };
        r->rung = false;
        r->until = until ? until->place : (struct journal_place){ 0 };
        r->has_until = until;
        r->wait = wait;
        r->work = work;
        if (worker_run(r->lane->worker, slice_job, slice_done, r) < 0) {
                r->work = NULL;
                return -ENOMEM;
        }
        r->in_thread = r->busy = true;
        ring(j);
        return 0;
}

void journal_reader_hurry(struct journal_reader *r)
{
        r->wait = JOURNAL_NOW;
        if (r->parked)
                dispatch(r);
}

bool journal_reader_looks_at_same(const struct journal_reader *r, const struct journal_reader *other)
{
        const struct journal_scope *a = &r->scope, *b = &other->scope;

        if (a->n_sources != b->n_sources || a->marks != b->marks ||
            !streq_null(a->invocation, b->invocation))
                return false;
        for (size_t i = 0; i < a->n_sources; i++)
                if (a->sources[i].created_usec != b->sources[i].created_usec ||
                    a->sources[i].runs_once != b->sources[i].runs_once ||
                    !streq(a->sources[i].unit, b->sources[i].unit) ||
                    !streq_null(a->sources[i].service, b->sources[i].service) ||
                    !streq_null(a->sources[i].identifier, b->sources[i].identifier))
                        return false;
        return true;
}

bool journal_reader_is_at(const struct journal_reader *r, const struct journal_reader *other)
{
        return journal_place_same(&r->place, &other->place);
}

const char *journal_reader_newest(const struct journal_reader *r)
{
        return r->newest;
}

const char *journal_reader_cursor(const struct journal_reader *r)
{
        return r->place.cursor;
}

/* --- readers -------------------------------------------------------------------------------------- */

static size_t size_of_names(const struct journal_source *source)
{
        return strlen(source->unit) + strlen(source->service ?: "") + strlen(source->identifier ?: "") + 3;
}

static const char *copy_name(char **to, const char *name)
{
        const char *copy = *to;

        if (!name)
                return NULL;
        *to = stpcpy(*to, name) + 1;
        return copy;
}

/* The sources of the scope, and behind them their names, in one piece of memory. */
static int copy_scope(struct journal_reader *r, const struct journal_scope *scope)
{
        size_t size = LOG_ID_LEN + 1;
        char *to;

        for (size_t i = 0; i < scope->n_sources; i++)
                size += size_of_names(&scope->sources[i]);
        r->sources = malloc(scope->n_sources * sizeof *r->sources + size);
        if (!r->sources)
                return -ENOMEM;
        to = (char *) (r->sources + scope->n_sources);
        r->scope = *scope;
        for (size_t i = 0; i < scope->n_sources; i++) {
                const struct journal_source *source = &scope->sources[i];

                r->sources[i] = *source;
                r->sources[i].unit = copy_name(&to, source->unit);
                r->sources[i].service = copy_name(&to, source->service);
                r->sources[i].identifier = copy_name(&to, source->identifier);
        }
        r->scope.sources = r->sources;
        if (scope->invocation) {
                r->scope.invocation = to;
                (void) stpncpy(to, scope->invocation, LOG_ID_LEN + 1);
                to[LOG_ID_LEN] = '\0';
        }
        return 0;
}

static struct journal_reader *make_reader(struct journal *j, const struct journal_scope *scope,
                                          const struct journal_hooks *hooks)
{
        struct journal_lane *lane = choose_lane(j);
        struct journal_reader *r = lane ? calloc(1, sizeof *r) : NULL;

        if (!r)
                return NULL;
        if (copy_scope(r, scope) < 0) {
                reader_destroy(r);
                return NULL;
        }
        r->journal = j;
        r->lane = lane;
        r->hooks = *hooks;
        lane->n_readers++;
        LIST_INSERT_HEAD(&j->readers, r, link);
        timer_stop(j->idle);
        return r;
}

struct journal_reader *journal_reader_new(struct journal *j, const struct journal_options *o,
                                          const struct journal_hooks *hooks)
{
        struct journal_reader *r = make_reader(j, &o->scope, hooks);

        if (!r)
                return NULL;
        r->follow = o->follow;
        r->cursors = o->cursors;
        r->export = o->export;
        r->since_usec = o->since_usec;
        r->back = o->tail;
        r->from_usec = o->until_usec;
        r->walking = !o->cursor && o->tail >= 0;
        r->begun = o->cursor;
        if (o->cursor)
                (void) snprintf(r->place.cursor, sizeof r->place.cursor, "%s", o->cursor);
        return r;
}

struct journal_reader *journal_reader_copy(const struct journal_reader *r, const struct journal_hooks *hooks)
{
        struct journal_reader *copy = make_reader(r->journal, &r->scope, hooks);

        if (!copy)
                return NULL;
        copy->follow = r->follow;
        copy->cursors = r->cursors;
        copy->export = r->export;
        copy->since_usec = r->since_usec;
        copy->back = r->back;
        copy->from_usec = r->from_usec;
        copy->walking = r->walking;
        copy->place = r->place;
        copy->begun = r->begun;
        copy->level_usec = r->level_usec;
        return copy;
}

struct journal_reader *journal_reader_free(struct journal_reader *r)
{
        if (!r)
                return NULL;
        LIST_REMOVE(r, link);
        r->lane->n_readers--;
        if (LIST_EMPTY(&r->journal->readers)) {
                timer_set(r->journal->idle, IDLE_USEC);
                if (r->journal->ringing)
                        journal_bell_hush(r->journal->bell);
        }
        r->freed = true;
        if (r->in_thread)
                LIST_INSERT_HEAD(&r->journal->freed, r, link);
        else
                reader_destroy(r);
        return NULL;
}

/* --- the journal ---------------------------------------------------------------------------------- */

struct journal *journal_new(struct loop *l, const char *const *files)
{
        struct journal *j = calloc(1, sizeof *j);

        if (!j)
                return NULL;
        j->loop = l;
        j->files = files;
        LIST_INIT(&j->readers);
        LIST_INIT(&j->freed);
        j->idle = timer_new(l, rest, j);
        return j->idle ? j : journal_free(j);
}

struct journal *journal_free(struct journal *j)
{
        struct journal_reader *r, *next;

        if (!j)
                return NULL;
        if (j->bell)
                journal_bell_hush(j->bell);
        (void) worker_free(j->ringer);
        (void) journal_bell_free(j->bell);
        for (size_t i = 0; i < LANES; i++) {
                (void) worker_free(j->lanes[i].worker);
                (void) journal_handle_free(j->lanes[i].handle);
                text_reset(&j->lanes[i].joined);
                text_reset(&j->lanes[i].exported);
        }
        for (r = LIST_FIRST(&j->freed); r; r = next) {
                next = LIST_NEXT(r, link);
                reader_destroy(r);
        }
        (void) timer_free(j->idle);
        free(j);
        return NULL;
}
