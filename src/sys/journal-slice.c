/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A slice of one reader, in the thread of its lane.  It takes the handle to where
 * the reader stands, reads on for a while and leaves the reader with its new place.
 *
 * A place is never inside a line that journald had to split: the parts that are
 * not followed by their end yet are read again with the next slice.
 */

#include "sys/journal-private.h"
#include "sys/mapped.h"

#include <stdio.h>

#define SLICE_USEC (20 * USEC_PER_MSEC)
#define SLICE_STEPS 4096
/* Parts are put together up to this size; a longer line comes in pieces of it. */
#define JOINED_MAX ((size_t) 1024 * 1024)

/* An entry that journald is at work on is looked at again, so often and then later … */
#define TORN_LOOKS 25
#define TORN_PAUSE_USEC (2 * USEC_PER_MSEC)
/* … unless it has been so for long: then it is damaged. */
#define TORN_USEC (10 * USEC_PER_SEC)

enum { GO_ON, ENOUGH };

struct slice {
        struct journal_reader *reader;
        struct journal_handle *handle;
        struct journal_batch *batch;
        uint64_t until_usec;
        unsigned steps;
        bool moved;    /* it stands at an entry … */
        bool consumed; /* … that the reader is done with */
        /* The line that is being put together; its text is the lane's. */
        bool joining;
        struct log_entry part;
        struct journal_place before_part;
        char stream[64], run[LOG_ID_LEN + 1], cursor[LOG_CURSOR_MAX];
        char name[sizeof((struct journal_fields *) NULL)->instance];
};

bool journal_place_same(const struct journal_place *a, const struct journal_place *b)
{
        return a->before == b->before && streq(a->cursor, b->cursor);
}

static bool is_time_up(struct slice *s)
{
        return ++s->steps >= SLICE_STEPS || (s->steps % 64 == 0 && now_usec() >= s->until_usec);
}

/* --- handing over --------------------------------------------------------------------------------- */

static int hand_over(struct slice *s, const struct log_entry *e)
{
        struct journal_reader *r = s->reader;

        s->batch->entries++;
        return r->hooks.entry(r->work, e) ? GO_ON : ENOUGH;
}

/* The line so far, though its end did not follow. */
static int hand_over_part(struct slice *s)
{
        struct text *joined = &s->reader->lane->joined;

        s->joining = false;
        if (!text_ok(joined))
                return -ENOMEM;
        s->part.message = joined->data;
        s->part.message_len = joined->len;
        s->part.partial = true;
        s->part.run = s->run;
        s->part.name = s->name;
        s->part.cursor = s->reader->cursors ? s->cursor : "";
        return hand_over(s, &s->part);
}

static int begin_part(struct slice *s, const struct log_entry *e)
{
        struct text *joined = &s->reader->lane->joined;

        s->joining = true;
        s->part = *e;
        (void) snprintf(s->stream, sizeof s->stream, "%s", journal_handle_stream(s->handle));
        (void) snprintf(s->run, sizeof s->run, "%s", e->run);
        (void) snprintf(s->name, sizeof s->name, "%s", e->name);
        text_truncate(joined, 0);
        text_addn(joined, e->message, e->message_len);
        s->before_part.before = true;
        return journal_handle_cursor(s->handle, s->before_part.cursor);
}

static bool continues_part(const struct slice *s, const struct log_entry *e)
{
        return s->joining && e->kind == LOG_LINE && *s->stream &&
               streq(s->stream, journal_handle_stream(s->handle)) &&
               s->reader->lane->joined.len + e->message_len <= JOINED_MAX;
}

/*
 * One more entry, where a line may be under way.  ENOUGH with s->consumed unset:
 * the line was all that was wanted, and this entry is for the next batch.
 */
static int join_or_hand_over(struct slice *s, struct log_entry *e)
{
        struct text *joined = &s->reader->lane->joined;
        bool part = e->kind == LOG_LINE && journal_handle_is_part(s->handle);
        int r = GO_ON;

        if (continues_part(s, e)) {
                text_addn(joined, e->message, e->message_len);
                if (part)
                        return journal_handle_cursor(s->handle, s->cursor);
                if (!text_ok(joined))
                        return -ENOMEM;
                s->joining = false;
                e->message = joined->data;
                e->message_len = joined->len;
                return hand_over(s, e);
        }
        if (s->joining) {
                r = hand_over_part(s);
                s->consumed = r == GO_ON;
        }
        if (r != GO_ON)
                return r;
        if (!part)
                return hand_over(s, e);
        r = begin_part(s, e);
        (void) snprintf(s->cursor, sizeof s->cursor, "%s", s->before_part.cursor);
        return r;
}

/* --- the way to the place ------------------------------------------------------------------------- */

static bool is_counted(const struct slice *s, const struct log_entry *e)
{
        const struct journal_hooks *hooks = &s->reader->hooks;

        return e->kind == LOG_LINE && (!hooks->keep || hooks->keep(s->reader->work, e));
}

static int stand_before(struct slice *s)
{
        s->reader->place.before = true;
        return journal_handle_cursor(s->handle, s->reader->place.cursor);
}

/* Nothing of these units is older: from the beginning, of time or of what was asked for. */
static int stand_at_head(struct slice *s)
{
        s->reader->place = (struct journal_place){ 0 };
        s->reader->walking = false;
        return journal_handle_seek_head(s->handle, s->reader->since_usec);
}

static int stand_behind(struct slice *s)
{
        s->reader->place.before = false;
        s->reader->walking = false;
        return journal_handle_cursor(s->handle, s->reader->place.cursor);
}

/* Only what comes from now on. */
static int go_to_tail(struct slice *s)
{
        int r = journal_handle_previous(s->handle);

        if (r > 0)
                return stand_behind(s);
        return r < 0 ? r : stand_at_head(s);
}

/* Back over so many lines. */
static int walk_back(struct slice *s)
{
        struct journal_reader *r = s->reader;
        struct log_entry e;
        int n;

        while ((n = journal_handle_previous(s->handle)) > 0) {
                if (journal_handle_time(s->handle) < r->since_usec)
                        return stand_behind(s);
                n = journal_handle_read(s->handle, &e, false);
                if (n < 0)
                        return n;
                if (journal_handle_is_older(s->handle))
                        return stand_behind(s);
                if (n > 0 && is_counted(s, &e) && --r->back == 0) {
                        r->walking = false;
                        return stand_before(s);
                }
                if (is_time_up(s))
                        return stand_before(s);
        }
        return n < 0 ? n : stand_at_head(s);
}

static int find_place(struct slice *s)
{
        struct journal_reader *r = s->reader;
        enum journal_found found;
        int e = journal_handle_note_oldest(s->handle);

        if (e < 0)
                return e;
        if (*r->place.cursor)
                e = journal_handle_seek_cursor(s->handle, r->place.cursor, true, &found);
        else
                e = journal_handle_seek_tail(s->handle, r->from_usec);
        if (e < 0)
                return e;
        return r->back == 0 ? go_to_tail(s) : walk_back(s);
}

/*
 * To the first entry behind the gap, and to the one before that, whosesoever: who
 * comes back with this as his cursor is not told of the gap again.
 */
static int go_behind_gap(struct slice *s, char ret_cursor[static LOG_CURSOR_MAX])
{
        char later[LOG_CURSOR_MAX];
        enum journal_found found;
        int r = journal_handle_cursor(s->handle, later);

        if (r == 0)
                r = journal_handle_last(s->handle, later, ret_cursor);
        if (r >= 0)
                r = journal_handle_seek_cursor(s->handle, later, true, &found);
        s->moved = true;
        return r;
}

/* Nothing followed: there is no entry to stand at, and yet the next slice has to find the place again. */
static int go_to_what_is_left(struct slice *s, char ret_cursor[static LOG_CURSOR_MAX])
{
        int r = journal_handle_last(s->handle, NULL, ret_cursor);

        if (r >= 0)
                r = journal_handle_seek_tail(s->handle, 0);
        return r < 0 ? r : go_to_tail(s);
}

/* The entries behind the place are gone, and nobody can tell how many there were. */
static int tell_of_gap(struct slice *s, bool more)
{
        char cursor[LOG_CURSOR_MAX];
        const struct log_entry gap = { .kind = LOG_GONE,
                                       .name = "",
                                       .run = "",
                                       .message = "",
                                       .cursor = s->reader->cursors ? cursor : "",
                                       .priority = 4,
                                       .realtime_usec = wall_usec() };
        int r = more ? go_behind_gap(s, cursor) : go_to_what_is_left(s, cursor);

        return r < 0 ? r : hand_over(s, &gap);
}

/*
 * Not every entry that is not found is a gap: it may be another's, and where the reader
 * had come to the end of the journal, it has lost nothing that was there before.
 */
static int nothing_is_lost(struct slice *s)
{
        const struct journal_reader *r = s->reader;

        if (r->level_usec && r->level_usec <= wall_usec() && journal_handle_oldest(s->handle) <= r->level_usec)
                return 1;
        return journal_handle_keeps(s->handle, r->place.cursor);
}

/*
 * The place is at an entry that is none of these units', or is no more: from now on it is
 * behind the last of theirs before it, where others can be met.
 */
static int stand_behind_own(struct slice *s)
{
        struct journal_reader *r = s->reader;
        enum journal_found found;
        int n = journal_handle_seek_cursor(s->handle, r->place.cursor, r->place.before, &found);

        if (n < 0 || found == JOURNAL_FOUND)
                return n;
        n = found == JOURNAL_FOUND_NONE ? journal_handle_seek_tail(s->handle, 0) : 0;
        if (n == 0)
                n = journal_handle_previous(s->handle);
        if (n > 0)
                return stand_behind(s);
        return n < 0 ? n : stand_at_head(s);
}

static int go_to_place(struct slice *s)
{
        struct journal_reader *r = s->reader;
        enum journal_found found;
        int e;

        if (!*r->place.cursor)
                return journal_handle_seek_head(s->handle, r->since_usec);
        e = journal_handle_seek_cursor(s->handle, r->place.cursor, r->place.before, &found);
        if (e < 0 || found == JOURNAL_FOUND)
                return e;
        e = nothing_is_lost(s);
        if (e != 0)
                return e < 0 ? e : stand_behind_own(s);
        e = journal_handle_seek_cursor(s->handle, r->place.cursor, r->place.before, &found);
        return e < 0 ? e : tell_of_gap(s, found == JOURNAL_FOUND_LATER);
}

/* --- reading on ----------------------------------------------------------------------------------- */

/* Is the entry it stands at where the other reader is? */
static int meets(struct slice *s, bool before)
{
        char cursor[LOG_CURSOR_MAX];
        int r;

        if (!s->reader->has_until || s->reader->until.before != before)
                return 0;
        r = journal_handle_cursor(s->handle, cursor);
        if (r < 0)
                return r;
        s->batch->met = streq(cursor, s->reader->until.cursor);
        return s->batch->met;
}

/* May journald still be at work on the entry? */
static bool is_fresh(struct slice *s)
{
        uint64_t written = journal_handle_time(s->handle), now = wall_usec();

        return written <= now && written + TORN_USEC > now;
}

/* As journald wrote it, or as whole as it will ever be; -EAGAIN: it is not whole yet. */
static int read_whole(struct slice *s, struct log_entry *e)
{
        for (unsigned i = 0; i < TORN_LOOKS; i++) {
                int n = journal_handle_read(s->handle, e, s->reader->cursors);

                if (n < 0 || !journal_handle_is_torn(s->handle) || !is_fresh(s))
                        return n;
                (void) usleep(TORN_PAUSE_USEC);
        }
        return -EAGAIN;
}

static int read_entry(struct slice *s)
{
        struct journal_reader *r = s->reader;
        struct log_entry e;
        int n = read_whole(s, &e);

        if (n == -EAGAIN) { /* to this reader the journal ends before it */
                s->batch->level = true;
                return ENOUGH;
        }
        s->consumed = true;
        if (n <= 0)
                return n;
        /* The beginning is found by time, which may have jumped. */
        if (!*r->place.cursor && e.realtime_usec < r->since_usec)
                return GO_ON;
        if (r->export) {
                text_truncate(&r->lane->exported, 0);
                n = journal_handle_export(s->handle, &r->lane->exported);
                if (n < 0)
                        return n;
                e.exported = r->lane->exported.data;
                e.exported_len = r->lane->exported.len;
                return text_ok(&r->lane->exported) ? hand_over(s, &e) : -ENOMEM;
        }
        return join_or_hand_over(s, &e);
}

static int read_on(struct slice *s)
{
        int r;

        for (;;) {
                r = journal_handle_next(s->handle);
                if (r <= 0) {
                        s->batch->level = r == 0;
                        return r;
                }
                s->moved = true;
                s->consumed = false;
                r = meets(s, true);
                if (r != 0)
                        return r < 0 ? r : GO_ON;
                r = read_entry(s);
                if (r != GO_ON)
                        return r;
                r = meets(s, false);
                if (r != 0)
                        return r < 0 ? r : GO_ON;
                if (is_time_up(s) && !s->joining)
                        return GO_ON;
        }
}

/*
 * At the end of the journal the handle still stands at the last entry.  Where the
 * slice ended before an entry that it had gone to, so does the place.
 */
static int keep_place(struct slice *s)
{
        struct journal_reader *r = s->reader;

        if (s->joining) {
                r->place = s->before_part;
                return 0;
        }
        if (!s->moved)
                return 0;
        r->place.before = !s->consumed;
        return journal_handle_cursor(s->handle, r->place.cursor);
}

static int read_slice(struct slice *s)
{
        struct journal_reader *r = s->reader;
        uint64_t began_usec = wall_usec();
        int e = journal_handle_aim(s->handle, &r->scope);

        if (e == 0 && r->follow && !r->begun)
                e = journal_handle_last(s->handle, NULL, r->newest);
        r->begun = r->begun || e == 0;
        if (e == 0 && r->walking)
                e = find_place(s);
        if (e < 0 || r->walking)
                return e;
        e = go_to_place(s);
        if (e == GO_ON)
                e = read_on(s);
        r->level_usec = e >= 0 && s->batch->level ? began_usec : 0;
        if (e >= 0 && s->batch->level && s->joining && !r->follow)
                e = hand_over_part(s);
        return e < 0 ? e : keep_place(s);
}

void journal_slice(struct journal_reader *r)
{
        struct slice s = { .reader = r,
                           .handle = r->lane->handle,
                           .batch = &r->batch,
                           .until_usec = now_usec() + SLICE_USEC };
        int e, missing;

        mapped_begin();
        e = read_slice(&s);
        missing = mapped_end();
        if (missing < 0) {
                journal_handle_rest(s.handle);
                e = missing;
        }
        r->batch.error = e < 0 ? e : 0;
        if (r->batch.entries > 0 && r->hooks.finish)
                r->hooks.finish(r->work);
}
