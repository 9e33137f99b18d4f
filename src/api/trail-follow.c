/* SPDX-License-Identifier: Apache-2.0 */

/*
 * GET /audit?follow=yes: the records that are there behind some place, and then
 * those that come.  A follower keeps its place and nothing else: it reads on,
 * from the database, when the trail grew or when its client has taken what was
 * written.
 */

#include "api/trail-private.h"

#include "api/answer.h"
#include "util/log.h"

#include <stdio.h>

#define PAGE 100
#define BEAT_USEC USEC_PER_SEC
#define BEATS_PER_COMMENT 15
#define RETRY_AFTER_SEC 5

struct follower {
        struct follower *next;
        struct daemon *daemon;
        struct reply *reply;
        struct trail_query q;            /* what.from: its place */
        char trail[AUDIT_TRAIL_LEN + 1]; /* in which; "" before its first record */
        struct database_op *op;
        struct timer *beat;
        struct permit *permit; /* NULL: its caller's does not end */
        unsigned beats;        /* since the last comment */
        unsigned tail;         /* so many of those that are there come first */
        bool grew;             /* the trail, while it was read */
        bool full;             /* its client is to take something first */
};

static void follower_free(struct follower *f)
{
        struct follower **in = &f->daemon->followers;

        while (*in != f)
                in = &(*in)->next;
        *in = f->next;
        f->daemon->streams--;
        f->op = database_cancel(f->op);
        f->beat = timer_free(f->beat);
        f->permit = permit_free(f->permit);
        trail_query_reset(&f->q);
        free(f);
}

static void follower_end(struct follower *f)
{
        reply_end(TAKE(f->reply));
        follower_free(f);
}

static void follower_refuse(void *arg)
{
        static const enum stream_form forms[] = {
                [TRAIL_TABLE] = STREAM_WORDS,
                [TRAIL_OBJECT] = STREAM_OBJECTS,
                [TRAIL_LINES] = STREAM_OBJECTS,
                [TRAIL_EVENTS] = STREAM_EVENTS,
        };
        struct follower *f = arg;

        answer_no_longer(TAKE(f->reply), forms[f->q.format]);
        follower_free(f);
}

/* So that its client can tell: something is missing. Also when there is none any more. */
static void follower_abort(void *arg)
{
        struct follower *f = arg;

        reply_abort(TAKE(f->reply));
        follower_free(f);
}

/* --- reading ------------------------------------------------------------------------------------------- */

static void read_on(struct follower *f);

static bool unreadable(struct follower *f, const struct fault *fault)
{
        f->op = NULL;
        if (!fault)
                return false;
        log_warning(NO_FIELDS, "the audit trail cannot be followed any further: %s", fault->text);
        follower_abort(f);
        return true;
}

/* False: the client does not keep up, or the follower is gone. */
static bool write_record(struct follower *f, const struct audit_record *record)
{
        _cleanup_text_ struct text t = { 0 };

        f->q.what.from = record->number;
        memcpy(f->trail, record->trail, sizeof f->trail);
        if (!trail_shows(&f->q, record))
                return true;
        trail_put(&t, f->q.format, record);
        if (!text_ok(&t)) {
                follower_abort(f);
                return false;
        }
        f->full = !reply_write(f->reply, t.data, t.len);
        return !f->full;
}

static void records_found(void *arg, const struct audit_page *page, const struct fault *fault)
{
        struct follower *f = arg;

        if (unreadable(f, fault))
                return;
        for (size_t i = 0; i < page->n; i++)
                if (!write_record(f, &page->records[i]))
                        return;
        f->q.what.from = page->next;
        if (!page->end || f->grew)
                read_on(f);
}

static void read_on(struct follower *f)
{
        f->grew = false;
        f->op = database_audit_read(f->daemon->database, &f->q.what, records_found, f);
        if (!f->op)
                follower_abort(f);
}

/* Its place is before the oldest of those that come first, or else behind the newest that there is. */
static void place_found(void *arg, const struct audit_page *page, const struct fault *fault)
{
        struct follower *f = arg;

        if (unreadable(f, fault))
                return;
        if (page->n == 0)
                f->q.what.from = f->tail ? page->next : 0;
        else
                f->q.what.from = f->tail ? page->records[page->n - 1].number - 1 : page->records[0].number;
        read_on(f);
}

static int find_place(struct follower *f)
{
        struct audit_query newest = { .limit = 1 };

        if (f->tail) {
                newest = f->q.what;
                newest.oldest_first = false;
                newest.limit = f->tail;
        }
        f->op = database_audit_read(f->daemon->database, &newest, place_found, f);
        return f->op ? 0 : -ENOMEM;
}

/* --- what happens meanwhile ------------------------------------------------------------------------ */

void trail_grew(struct daemon *d, const struct audit_record *record)
{
        for (struct follower *f = d->followers, *next; f; f = next) {
                next = f->next;
                /* The database was lost, and a new trail begins with number 1. */
                if (f->trail[0] && !streq(f->trail, record->trail))
                        f->q.what.from = 0;
                f->grew = true;
                if (!f->op && !f->full)
                        read_on(f);
        }
}

void trail_leave_all(struct daemon *d)
{
        while (d->followers)
                follower_abort(d->followers);
}

static void on_drained(void *arg)
{
        struct follower *f = arg;

        if (!f->full)
                return;
        f->full = false;
        if (!f->op)
                read_on(f);
}

/* Proxies close what is silent for long, and a dead client is noticed only by writing to it. */
static void on_beat(void *arg)
{
        static const char comment[] = ": still here\n\n";
        struct follower *f = arg;

        if (f->daemon->draining) {
                follower_end(f);
                return;
        }
        if (f->q.format == TRAIL_EVENTS && ++f->beats == BEATS_PER_COMMENT) {
                f->beats = 0;
                (void) reply_write(f->reply, comment, strlen(comment));
        }
        timer_set(f->beat, BEAT_USEC);
}

/* --- its beginning --------------------------------------------------------------------------------- */

static int start(struct follower *f, const struct call *call)
{
        int r = access_permit(call, follower_refuse, f, &f->permit);

        f->beat = timer_new(f->daemon->loop, on_beat, f);
        if (r < 0 || !f->beat)
                return -ENOMEM;
        timer_set(f->beat, BEAT_USEC);
        if (!f->q.placed && !f->q.what.since_usec)
                return find_place(f);
        f->op = database_audit_read(f->daemon->database, &f->q.what, records_found, f);
        return f->op ? 0 : -ENOMEM;
}

int trail_follow(struct call *call, struct trail_query *q, struct fault *f)
{
        struct daemon *d = call->daemon;
        struct follower *follower = NULL;

        if (d->streams >= d->config->streams_max) {
                trail_query_reset(q);
                (void) fault_set(f, FAULT_BUSY, NULL, "%u streams are open already (StreamsMax=)",
                                 d->streams);
                f->retry_after = RETRY_AFTER_SEC;
                return -EBUSY;
        }
        follower = calloc(1, sizeof *follower);
        if (!follower) {
                trail_query_reset(q);
                return fault_oom(f);
        }
        *follower = (struct follower){ .next = d->followers, .daemon = d, .q = *q, .tail = q->what.limit };
        d->followers = follower;
        d->streams++;
        follower->q.what.limit = PAGE;
        /* An object per page has no end here. */
        if (follower->q.format == TRAIL_OBJECT)
                follower->q.format = TRAIL_LINES;
        if (start(follower, call) < 0) {
                follower_free(follower);
                return fault_oom(f);
        }
        follower->reply = TAKE(call->reply);
        reply_header(follower->reply, "X-Accel-Buffering", "no");
        reply_begin(follower->reply, 200, trail_content_type(follower->q.format));
        reply_watch(follower->reply, on_drained, follower_abort, follower);
        return 0;
}
