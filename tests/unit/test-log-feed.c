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
#include "api/log-feed.c" /* NOLINT(bugprone-suspicious-include) */

#include "run-loop.h"

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

/* --- the scene ------------------------------------------------------------------------------------ */

static void on_begun(void *arg _unused_)
{
}

static bool on_write(void *arg _unused_, const struct log_output *output _unused_)
{
        return true;
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

static struct log_tap *follow(struct daemon *d)
{
        _cleanup_(log_form_unrefp) struct log_form *form = NULL;
        struct log_tap *t;
        struct fault f;

        assert_int_equal(log_form_new(&(struct log_form_options){ .priority = 7, .until_usec = UINT64_MAX }, &form, &f), 0);
        t = log_tap_new(d, &(struct log_tap_options){ .tail = -1, .follow = true, .form = form },
                        &(struct log_tap_hooks){ .begun = on_begun, .write = on_write, .end = on_end });
        assert_non_null(t);
        return t;
}

/* It comes to the end of what there is, at this place. */
static void reach(struct journal_reader *r, int place)
{
        void *work = TAKE(r->work);

        assert_non_null(work);
        r->place = place;
        r->hooks.done(r->hooks.arg, work, &(struct journal_batch){ .level = true });
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        static const struct CMUnitTest tests[] = {
                TEST(all_that_are_level_share_one),
                TEST(who_never_meets_the_others_holds_up_nobody),
                TEST(who_was_alone_with_it_leaves_none_behind),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
