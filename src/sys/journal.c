/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading the journal in slices.  A reader first finds its place - from an end,
 * or back over so many entries - and then hands over entries until there is
 * none; a follower goes on when the pump reports a change.
 */

#include "sys/journal.h"

#include <stdio.h>

#include <systemd/sd-journal.h>

#define SLICE_ENTRIES 200
#define SLICE_USEC (2 * USEC_PER_MSEC)
#define IDENTIFIER_MAX 256

enum { SKIPPED, HANDED_OVER, NOTHING_LEFT, STOP };

struct journal_reader {
        sd_journal *journal;
        struct pump *pump;   /* with follow */
        struct timer *slice; /* set while there is something to do */
        struct journal_hooks hooks;
        uint64_t since_usec;
        int64_t back;  /* so many steps back are left */
        bool at_entry; /* the place found is an entry that is wanted itself */
        bool follow, paused;
        int error;   /* what ends it, to be told from the slice */
        bool *freed; /* tells a slice on the stack that a hook freed us */
};

/* --- one entry ------------------------------------------------------------ */

static int field(sd_journal *j, const char *name, const char **ret, size_t *ret_len)
{
        const void *data;
        size_t len, prefix = strlen(name) + 1;
        int r = sd_journal_get_data(j, name, &data, &len);

        if (r < 0)
                return r;
        if (len < prefix)
                return -EBADMSG;
        *ret = (const char *) data + prefix;
        *ret_len = len - prefix;
        return 0;
}

static int get_priority(sd_journal *j)
{
        const char *value;
        size_t len;

        if (field(j, "PRIORITY", &value, &len) < 0 || len != 1 || *value < '0' || *value > '7')
                return 6;
        return *value - '0';
}

static void get_identifier(sd_journal *j, char ret[static IDENTIFIER_MAX])
{
        const char *value;
        size_t len;

        if (field(j, "SYSLOG_IDENTIFIER", &value, &len) < 0)
                len = 0;
        (void) snprintf(ret, IDENTIFIER_MAX, "%.*s", len < IDENTIFIER_MAX ? (int) len : IDENTIFIER_MAX - 1,
                        len ? value : "");
}

/* Hands over the current entry. What cannot be read of a damaged journal is skipped. */
static int hand_over(struct journal_reader *r)
{
        _cleanup_free_ char *cursor = NULL;
        char identifier[IDENTIFIER_MAX];
        struct journal_entry e = { .identifier = identifier };
        bool freed = false, more;

        if (sd_journal_get_realtime_usec(r->journal, &e.realtime_usec) < 0 ||
            e.realtime_usec < r->since_usec || sd_journal_get_cursor(r->journal, &cursor) < 0)
                return SKIPPED;
        e.cursor = cursor;
        e.priority = get_priority(r->journal);
        get_identifier(r->journal, identifier);
        /* Last, because the next look into the journal may unmap it. */
        if (field(r->journal, "MESSAGE", &e.message, &e.message_len) < 0)
                return SKIPPED;
        r->freed = &freed;
        more = r->hooks.entry(r->hooks.arg, &e);
        if (freed)
                return STOP;
        r->freed = NULL;
        r->paused = !more;
        return more ? HANDED_OVER : STOP;
}

/* --- the way through the journal ------------------------------------------ */

/*
 * One entry towards the beginning.  Where there is none, the reader continues
 * from the head: seek_tail followed by a previous that found nothing leaves a
 * place from which next skips what is written from then on.
 */
static int step_back(struct journal_reader *r)
{
        uint64_t usec;
        int n = sd_journal_previous(r->journal);

        if (n < 0)
                return n;
        if (n == 0) {
                r->back = 0;
                r->at_entry = false;
                return sd_journal_seek_head(r->journal);
        }
        r->back--;
        if (r->since_usec && sd_journal_get_realtime_usec(r->journal, &usec) == 0 && usec < r->since_usec) {
                r->back = 0;
                r->at_entry = false;
        }
        return SKIPPED;
}

static int step_forward(struct journal_reader *r)
{
        int n = r->at_entry ? 1 : sd_journal_next(r->journal);

        if (n < 0)
                return n;
        r->at_entry = false;
        return n == 0 ? NOTHING_LEFT : hand_over(r);
}

static void end(struct journal_reader *r, int error)
{
        if (r->pump)
                r->pump = pump_free(r->pump);
        r->hooks.end(r->hooks.arg, error);
}

static void run_slice(void *arg)
{
        struct journal_reader *r = arg;
        uint64_t until = now_usec() + SLICE_USEC;
        int step = r->error;

        for (int i = 0; i < SLICE_ENTRIES && step >= 0; i++) {
                step = r->back > 0 ? step_back(r) : step_forward(r);
                if (step == STOP)
                        return;
                if (step == NOTHING_LEFT || now_usec() >= until)
                        break;
        }
        if (step < 0) {
                end(r, step);
        } else if (step != NOTHING_LEFT) {
                timer_set(r->slice, 0);
        } else if (!r->follow) {
                end(r, 0);
        }
}

/* --- following ------------------------------------------------------------ */

static int pump_fd(void *arg)
{
        struct journal_reader *r = arg;

        return sd_journal_get_fd(r->journal);
}

static int pump_events(void *arg)
{
        struct journal_reader *r = arg;

        return sd_journal_get_events(r->journal);
}

static int pump_deadline(void *arg, uint64_t *ret_usec)
{
        struct journal_reader *r = arg;

        return sd_journal_get_timeout(r->journal, ret_usec);
}

static void pump_process(void *arg)
{
        struct journal_reader *r = arg;
        int change = sd_journal_process(r->journal);

        if (change == SD_JOURNAL_NOP)
                return;
        if (change < 0)
                r->error = change;
        if (!r->paused)
                timer_set(r->slice, 0);
}

/* --- opening -------------------------------------------------------------- */

static int open_journal(const struct journal_options *o, sd_journal **ret)
{
        if (o->files)
                return sd_journal_open_files(ret, (const char **) (uintptr_t) o->files, 0);
        /* libsystemd would open nothing and wait for ever. */
        if (access("/var/log/journal", F_OK) < 0 && access("/run/log/journal", F_OK) < 0)
                return -EAGAIN;
        return sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
}

static int add_match(sd_journal *j, const char *name, const char *value)
{
        char match[512];
        int n;

        if (!value)
                return 0;
        n = snprintf(match, sizeof match, "%s=%s", name, value);
        if (n < 0 || (size_t) n >= sizeof match)
                return -ENAMETOOLONG;
        return sd_journal_add_match(j, match, (size_t) n);
}

static int seek(struct journal_reader *r, int64_t tail)
{
        if (tail < 0)
                return r->since_usec ? sd_journal_seek_realtime_usec(r->journal, r->since_usec)
                                     : sd_journal_seek_head(r->journal);
        r->back = tail ? tail : 1;
        r->at_entry = tail > 0;
        return sd_journal_seek_tail(r->journal);
}

static int start_following(struct journal_reader *r, struct loop *l)
{
        static const struct pump_ops ops = {
                .fd = pump_fd, .events = pump_events, .deadline = pump_deadline, .process = pump_process
        };
        int fd = sd_journal_get_fd(r->journal);

        if (fd < 0)
                return fd;
        r->pump = pump_new(l, &ops, r);
        return r->pump ? 0 : -ENOMEM;
}

static int set_up(struct journal_reader *r, struct loop *l, const struct journal_options *o)
{
        int e = open_journal(o, &r->journal);

        if (e == 0)
                e = sd_journal_set_data_threshold(r->journal, 0);
        if (e == 0)
                e = add_match(r->journal, "_SYSTEMD_UNIT", o->unit);
        if (e == 0)
                e = add_match(r->journal, "SYSLOG_IDENTIFIER", o->identifier);
        if (e == 0)
                e = add_match(r->journal, "_SYSTEMD_INVOCATION_ID", o->invocation);
        /* Before the place is looked for, so that no change falls in between. */
        if (e == 0 && o->follow)
                e = start_following(r, l);
        return e < 0 ? e : seek(r, o->tail);
}

int journal_read(struct loop *l, const struct journal_options *o, const struct journal_hooks *hooks,
                 struct journal_reader **ret)
{
        _cleanup_(journal_reader_freep) struct journal_reader *r = calloc(1, sizeof *r);
        int e;

        if (!r)
                return -ENOMEM;
        *r = (struct journal_reader){ .hooks = *hooks,
                                      .since_usec = o->since_usec,
                                      .follow = o->follow,
                                      .slice = timer_new(l, run_slice, r) };
        if (!r->slice)
                return -ENOMEM;
        e = set_up(r, l, o);
        if (e < 0)
                return e;
        timer_set(r->slice, 0);
        *ret = TAKE(r);
        return 0;
}

void journal_reader_resume(struct journal_reader *r)
{
        if (!r->paused)
                return;
        r->paused = false;
        timer_set(r->slice, 0);
}

struct journal_reader *journal_reader_free(struct journal_reader *r)
{
        if (!r)
                return NULL;
        if (r->freed)
                *r->freed = true;
        (void) pump_free(r->pump);
        (void) timer_free(r->slice);
        sd_journal_close(r->journal);
        free(r);
        return NULL;
}
