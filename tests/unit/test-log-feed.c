/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Followers of one log, with readers whose every step is the test's: also those
 * that never meet, as it happens when entries vanish between two looks.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The feed's code with the test's readers in place of the journal's. */
#define journal_reader_new           test_reader_new
#define journal_reader_copy          test_reader_copy
#define journal_reader_free          test_reader_free
#define journal_reader_read          test_reader_read
#define journal_reader_hurry         test_reader_hurry
#define journal_reader_looks_at_same test_reader_looks_at_same
#define journal_reader_is_at         test_reader_is_at
#define journal_reader_newest        test_reader_newest
#include "api/log-feed.c" /* NOLINT(bugprone-suspicious-include) */

#include "run-loop.h"

#include <stdio.h>

#define READERS_MAX 16

struct journal_reader {
        struct journal_hooks hooks;
        int place;
        bool in_use;
        void *work; /* it is to read */
        bool waits; /* for news */
};

static struct journal_reader readers[READERS_MAX];

struct journal_reader *test_reader_new(struct journal *j _unused_, const struct journal_options *o _unused_,
                                       const struct journal_hooks *hooks)
{
        size_t i = 0;

        while (readers[i].in_use)
                assert_true(++i < READERS_MAX);
        readers[i] = (struct journal_reader){ .hooks = *hooks, .in_use = true };
        return &readers[i];
}

struct journal_reader *test_reader_copy(const struct journal_reader *r, const struct journal_hooks *hooks)
{
        struct journal_reader *copy = test_reader_new(NULL, NULL, hooks);

        copy->place = r->place;
        return copy;
}

struct journal_reader *test_reader_free(struct journal_reader *r)
{
        if (!r)
                return NULL;
        if (r->work)
                r->hooks.drop(r->work);
        *r = (struct journal_reader){ 0 };
        return NULL;
}

int test_reader_read(struct journal_reader *r, void *work, enum journal_wait wait,
                     const struct journal_reader *until _unused_)
{
        assert_null(r->work);
        r->work = work;
        r->waits = wait == JOURNAL_NEWS;
        return 0;
}

void test_reader_hurry(struct journal_reader *r)
{
        r->waits = false;
}

bool test_reader_looks_at_same(const struct journal_reader *r _unused_, const struct journal_reader *other _unused_)
{
        return true;
}

bool test_reader_is_at(const struct journal_reader *r, const struct journal_reader *other)
{
        return r->place == other->place;
}

const char *test_reader_newest(const struct journal_reader *r _unused_)
{
        return "newest";
}

/* --- the scene ------------------------------------------------------------------------------------ */

/* Who reads what a tap brings. */
struct client {
        bool full; /* takes what comes and no more, until it says so */
        struct text took;
        char cursor[LOG_CURSOR_MAX]; /* that it began with */
};

static void on_begun(void *arg, const char *cursor)
{
        struct client *client = arg;

        if (client)
                (void) snprintf(client->cursor, sizeof client->cursor, "%s", cursor);
}

static bool on_write(void *arg, const struct log_output *output)
{
        struct client *client = arg;

        if (client)
                text_addn(&client->took, output->text.data, output->text.len);
        return !client || !client->full;
}

static void on_end(void *arg _unused_, int error _unused_)
{
        fail_msg("nothing came to its end");
}

static int set_up(void **state)
{
        struct daemon *d = calloc(1, sizeof *d);

        d->loop = loop_new();
        LIST_INIT(&d->feeds);
        *state = d;
        return 0;
}

static int tear_down(void **state)
{
        struct daemon *d = *state;

        assert_true(LIST_EMPTY(&d->feeds));
        for (size_t i = 0; i < READERS_MAX; i++)
                assert_false(readers[i].in_use);
        (void) loop_free(d->loop);
        free(d);
        return 0;
}

static struct log_tap *follow_for(struct daemon *d, struct client *client)
{
        _cleanup_(log_form_unrefp) struct log_form *form = NULL;
        struct log_tap *t;
        struct fault f;

        assert_int_equal(log_form_new(&(struct log_form_options){ .priority = 7, .until_usec = UINT64_MAX }, &form, &f), 0);
        t = log_tap_new(d, &(struct log_tap_options){ .tail = -1, .follow = true, .form = form },
                        &(struct log_tap_hooks){ .begun = on_begun, .write = on_write, .end = on_end, .arg = client });
        assert_non_null(t);
        return t;
}

static struct log_tap *follow(struct daemon *d)
{
        return follow_for(d, NULL);
}

/* It comes to the end of what there is, at this place. */
static void reach(struct journal_reader *r, int place)
{
        void *work = TAKE(r->work);

        assert_non_null(work);
        r->place = place;
        r->hooks.done(r->hooks.arg, work, &(struct journal_batch){ .level = true });
}

/* … and finds a line on the way. */
static void find(struct journal_reader *r, int place, const char *line)
{
        const struct log_entry e = { .message = line, .message_len = strlen(line), .name = "", .run = "", .cursor = "", .priority = 6 };
        void *work = TAKE(r->work);

        assert_non_null(work);
        r->place = place;
        (void) r->hooks.entry(work, &e);
        r->hooks.finish(work);
        r->hooks.done(r->hooks.arg, work, &(struct journal_batch){ .level = true, .entries = 1 });
}

/* As often as anybody is to read and does not wait for news, but for this one nothing changes. */
static void go_on(struct daemon *d)
{
        for (unsigned turns = 0, n = 1; n > 0; turns++) {
                n = 0;
                assert_true(turns < 100);
                for (size_t i = 0; i < READERS_MAX; i++)
                        if (readers[i].work && !readers[i].waits && ++n)
                                reach(&readers[i], readers[i].place);
                run_loop_for(d->loop, USEC_PER_MSEC, "pauses");
        }
}

static unsigned waiting(void)
{
        unsigned n = 0;

        for (size_t i = 0; i < READERS_MAX; i++)
                n += readers[i].work && readers[i].waits;
        return n;
}

/* --- cases ------------------------------------------------------------------------------------------ */

static void all_that_are_level_share_one(void **state)
{
        struct daemon *d = *state;
        struct log_tap *taps[] = { follow(d), follow(d), follow(d) };

        go_on(d);
        assert_int_equal(waiting(), 1);
        for (size_t i = 0; i < ARRAY_SIZE(taps); i++) {
                assert_null(taps[i]->reader);
                assert_ptr_equal(taps[i]->feed, taps[0]->feed);
        }
        for (size_t i = 0; i < ARRAY_SIZE(taps); i++)
                (void) log_tap_free(taps[i]);
}

static void who_never_meets_the_others_holds_up_nobody(void **state)
{
        struct daemon *d = *state;
        struct log_tap *a = follow(d), *b, *c;

        go_on(d);
        b = follow(d);
        go_on(d);
        c = follow(d);
        reach(c->reader, 5);
        go_on(d);
        assert_ptr_equal(a->feed, b->feed);
        assert_ptr_not_equal(c->feed, a->feed);
        assert_int_equal(waiting(), 2);
        assert_true(a->feed->reading && c->feed->reading);
        (void) log_tap_free(a);
        (void) log_tap_free(c);
        assert_true(b->feed->reading);
        (void) log_tap_free(b);
}

static void who_was_alone_with_it_leaves_none_behind(void **state)
{
        struct daemon *d = *state;
        struct log_tap *a = follow(d), *b = follow(d);
        struct log_feed *first;

        reach(a->reader, 0);
        first = LIST_FIRST(&d->feeds);
        assert_non_null(first);
        reach(b->reader, 5);
        (void) log_tap_free(a);
        go_on(d);
        assert_int_equal(waiting(), 1);
        assert_null(LIST_NEXT(LIST_FIRST(&d->feeds), link));
        (void) log_tap_free(b);
}

static void check_took(struct client *client, const char *lines)
{
        assert_string_equal(client->took.data ? client->took.data : "", lines);
        text_reset(&client->took);
}

/* It goes on from its own place, in its own time, and is one of all again when it is level. */
static void who_is_full_leaves_and_comes_back(void **state)
{
        struct daemon *d = *state;
        struct client quick = { 0 }, slow = { 0 };
        struct log_tap *a = follow_for(d, &quick), *b = follow_for(d, &slow);
        struct log_feed *feed;

        go_on(d);
        feed = a->feed;
        assert_true(feed && b->feed == feed);

        slow.full = true;
        find(feed->reader, 1, "one");
        run_loop_for(d->loop, USEC_PER_MSEC, "the feed's pause");
        check_took(&quick, "one\n");
        check_took(&slow, "one\n");
        assert_null(b->feed);
        assert_non_null(b->reader);
        assert_int_equal(b->reader->place, 1);
        assert_null(b->reader->work); /* nothing is read that nobody takes */

        find(feed->reader, 2, "two");
        run_loop_for(d->loop, USEC_PER_MSEC, "the feed's pause");
        check_took(&quick, "two\n");
        check_took(&slow, "");

        slow.full = false;
        log_tap_resume(b);
        find(b->reader, 2, "two");
        go_on(d);
        check_took(&slow, "two\n");
        assert_ptr_equal(b->feed, feed);
        assert_null(b->reader);

        find(feed->reader, 3, "three");
        check_took(&quick, "three\n");
        check_took(&slow, "three\n");
        (void) log_tap_free(a);
        (void) log_tap_free(b);
}

/* Full at the very line with which it would have met the feed. */
static void who_is_full_while_it_is_let_in_waits_outside(void **state)
{
        struct daemon *d = *state;
        struct client slow = { 0 };
        struct log_tap *a = follow(d), *b;

        go_on(d);
        find(a->feed->reader, 1, "one");
        run_loop_for(d->loop, USEC_PER_MSEC, "the feed's pause");
        b = follow_for(d, &slow);
        reach(b->reader, 0);
        reach(a->feed->reader, 1);
        assert_ptr_equal(b->feed, a->feed);

        slow.full = true;
        find(b->reader, 1, "one");
        run_loop_for(d->loop, USEC_PER_MSEC, "the feed's pause");
        check_took(&slow, "one\n");
        assert_null(b->feed);
        assert_null(b->reader->work);
        assert_int_equal(waiting(), 1); /* the others are not held up */

        slow.full = false;
        log_tap_resume(b);
        go_on(d);
        check_took(&slow, "");
        assert_ptr_equal(b->feed, a->feed);
        (void) log_tap_free(b);
        (void) log_tap_free(a);
}

static void who_begins_with_nothing_has_a_cursor(void **state)
{
        struct daemon *d = *state;
        struct client first = { 0 }, second = { 0 };
        struct log_tap *a = follow_for(d, &first), *b = follow_for(d, &second);

        reach(a->reader, 0);
        find(b->reader, 0, "one");
        assert_string_equal(first.cursor, "newest");
        assert_string_equal(second.cursor, "");
        go_on(d);
        text_reset(&second.took);
        (void) log_tap_free(a);
        (void) log_tap_free(b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        static const struct CMUnitTest tests[] = {
                TEST(all_that_are_level_share_one),
                TEST(who_never_meets_the_others_holds_up_nobody),
                TEST(who_was_alone_with_it_leaves_none_behind),
                TEST(who_is_full_leaves_and_comes_back),
                TEST(who_is_full_while_it_is_let_in_waits_outside),
                TEST(who_begins_with_nothing_has_a_cursor),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
