/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/journal-bell.h"

#include "sys/journal-roots.h"
#include "sys/mapped.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include <systemd/sd-journal.h>

#define LOOK_MSEC 20
/* Behind so many entries it is cheaper to have everybody look. */
#define LOOKED_AT_MAX 2000

struct journal_bell {
        const char *const *files;
        sd_journal *journal;        /* NULL: to be opened */
        struct journal_roots roots; /* as they were then */
        int hush;                   /* eventfd */
};

struct journal_bell *journal_bell_new(const char *const *files)
{
        struct journal_bell *b = calloc(1, sizeof *b);

        if (!b)
                return NULL;
        b->files = files;
        b->hush = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return b->hush < 0 ? journal_bell_free(b) : b;
}

struct journal_bell *journal_bell_free(struct journal_bell *b)
{
        if (!b)
                return NULL;
        sd_journal_close(b->journal);
        closep(&b->hush);
        free(b);
        return NULL;
}

void journal_bell_hush(struct journal_bell *b)
{
        uint64_t one = 1;

        while (write(b->hush, &one, sizeof one) < 0 && errno == EINTR)
                ;
}

static int start_again(struct journal_bell *b, int error)
{
        sd_journal_close(b->journal);
        b->journal = NULL;
        return error;
}

/*
 * seek_tail in an empty journal leaves a place from which next would skip what
 * is written from then on.
 */
static int go_to_end(struct journal_bell *b)
{
        int r = sd_journal_seek_tail(b->journal);

        if (r >= 0)
                r = sd_journal_previous(b->journal);
        return r == 0 ? sd_journal_seek_head(b->journal) : r;
}

static bool has_moved(const struct journal_bell *b)
{
        struct journal_roots now;

        journal_roots_look(&now);
        return !b->files && !journal_roots_same(&now, &b->roots);
}

static int open_bell(struct journal_bell *b)
{
        int r;

        journal_roots_look(&b->roots);
        r = b->files ? sd_journal_open_files(&b->journal, (const char **) (uintptr_t) b->files, 0)
                     : sd_journal_open(&b->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

        if (r >= 0)
                r = sd_journal_get_fd(b->journal);
        if (r >= 0)
                r = go_to_end(b);
        return r < 0 ? start_again(b, r) : 0;
}

static void add_unit(struct journal_news *news, const char *unit, size_t n)
{
        if (n >= sizeof news->units[0])
                return;
        for (size_t i = 0; i < news->n; i++)
                if (strlen(news->units[i]) == n && memcmp(news->units[i], unit, n) == 0)
                        return;
        if (news->n == JOURNAL_NEWS_MAX) {
                news->all = true;
                return;
        }
        memcpy(news->units[news->n], unit, n);
        news->units[news->n++][n] = '\0';
}

static void add_entry(struct journal_bell *b, struct journal_news *news)
{
        static const char *const fields[] = { "_SYSTEMD_UNIT", "UNIT", "OBJECT_SYSTEMD_UNIT" };

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                size_t skip = strlen(fields[i]) + 1, n;
                const void *data;

                if (sd_journal_get_data(b->journal, fields[i], &data, &n) == 0 && n > skip)
                        add_unit(news, (const char *) data + skip, n - skip);
        }
}

/* What is new since the last look. */
static int look(struct journal_bell *b, struct journal_news *news)
{
        unsigned looked_at = 0;
        int r;

        while ((r = sd_journal_next(b->journal)) > 0 && !news->all) {
                add_entry(b, news);
                news->all = news->all || ++looked_at == LOOKED_AT_MAX;
        }
        if (r >= 0 && news->all)
                r = go_to_end(b);
        return r;
}

/* Files may have come or gone. */
static int wait_a_moment(struct journal_bell *b)
{
        struct pollfd fds[] = { { .fd = sd_journal_get_fd(b->journal), .events = POLLIN },
                                { .fd = b->hush, .events = POLLIN } };

        if (poll(fds, ARRAY_SIZE(fds), LOOK_MSEC) < 0 && errno != EINTR)
                return -errno;
        return fds[0].revents ? sd_journal_process(b->journal) : 0;
}

static bool is_hushed(struct journal_bell *b)
{
        uint64_t count;

        return read(b->hush, &count, sizeof count) > 0;
}

static int wait_for_news(struct journal_bell *b, uint64_t usec, struct journal_news *ret)
{
        int r = 0;

        if (b->journal && has_moved(b)) {
                (void) start_again(b, 0);
                ret->all = true;
        }
        if (!b->journal)
                r = open_bell(b);
        for (uint64_t waited = 0; r >= 0 && !ret->all && waited < usec && !is_hushed(b);
             waited += LOOK_MSEC * 1000) {
                r = look(b, ret);
                if (r < 0 || ret->all || ret->n > 0)
                        break;
                r = wait_a_moment(b);
        }
        return r;
}

/* What does not work now is not tried again at once. */
static void be_deaf(struct journal_bell *b, uint64_t usec)
{
        struct pollfd hush = { .fd = b->hush, .events = POLLIN };

        (void) poll(&hush, 1, (int) (usec / 1000));
}

int journal_bell_wait(struct journal_bell *b, uint64_t usec, struct journal_news *ret)
{
        int r, missing;

        *ret = (struct journal_news){ .all = !b->journal };
        mapped_begin();
        r = wait_for_news(b, usec, ret);
        missing = mapped_end();
        if (missing < 0)
                r = missing;
        if (r < 0)
                be_deaf(b, usec);
        return r < 0 ? start_again(b, r) : 0;
}
