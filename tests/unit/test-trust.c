/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keys in force as their folder changes under a loop that runs: what comes
 * counts soon, what goes counts no more at once, and nobody waits for either.
 * Streams end with their tokens, and no other does.
 */

#include "api/tokens.h"

#include "daemon.h"
#include "new-key.h"
#include "run-loop.h"
#include "sys/keyring.h"
#include "util/file.h"
#include "util/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

#define PATIENCE_USEC (20 * USEC_PER_SEC)
#define TURNS 20
#define SWAPS 1000
#define STREAMS 50

/* --- a folder of keys that hangs ------------------------------------------------------------------- */

static atomic_bool slow;      /* it is read no sooner than … */
static atomic_int turns_left; /* … the loop has turned so often meanwhile, … */
static atomic_bool held_up;   /* … which it did not */

int __real_keyring_load(const char *directory, void (*wrong)(void *arg, const char *name, const char *why),
                        void *arg, struct keyring *ret, struct fault *f);
int __wrap_keyring_load(const char *directory, void (*wrong)(void *arg, const char *name, const char *why),
                        void *arg, struct keyring *ret, struct fault *f);

int __wrap_keyring_load(const char *directory, void (*wrong)(void *arg, const char *name, const char *why),
                        void *arg, struct keyring *ret, struct fault *f)
{
        const uint64_t until = now_usec() + PATIENCE_USEC;

        if (atomic_load(&slow))
                atomic_store(&turns_left, TURNS);
        while (atomic_load(&turns_left) > 0 && !atomic_load(&held_up)) {
                (void) usleep(1000);
                atomic_store(&held_up, now_usec() > until);
        }
        return __real_keyring_load(directory, wrong, arg, ret, f);
}

/* --- the scene -------------------------------------------------------------------------------------- */

struct stream {
        struct permit *permit;
        bool ended;
        uint64_t ended_sec;
};

struct scene {
        struct config config;
        struct daemon daemon;
        struct key *a, *b;
        char *token_a, *token_b;
        char top[64], keys[80];
        /* what is waited for */
        struct timer *look;
        const struct stream *stream; /* that it ends; NULL: … */
        const char *token;           /* … that this is believed, or is not */
        bool wanted, busy;           /* busy: something else in the folder changes all the time */
};

static bool believed(struct scene *s, const char *token)
{
        struct bearer bearer;
        struct fault f;

        return tokens_check(s->daemon.tokens, token, &bearer, &f) == 0;
}

static char *minted_for(const struct key *k, uint64_t sec, const char *locator)
{
        struct claims c = { .expires_sec = wall_usec() / USEC_PER_SEC + sec };
        struct text t = { 0 };
        struct fault f;

        assert_int_equal(strv_add(&c.locators, locator), 0);
        assert_int_equal(token_mint(&c, k, &t, &f), 0);
        claims_reset(&c);
        return text_take(&t);
}

static char *minted(const struct key *k)
{
        return minted_for(k, 600, "*");
}

static void write_key(const struct scene *s, const char *path, const struct key *k)
{
        _cleanup_text_ struct text t = { 0 };
        _cleanup_close_ int top = open(s->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir = -1;

        dir = openat(top, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(key_to_jwk(k, false, &t), 0);
        assert_int_equal(file_replace_at(dir, path, t.data, t.len, 0644), 0);
}

static void look(void *arg)
{
        struct scene *s = arg;

        if (atomic_load(&turns_left) > 0)
                (void) atomic_fetch_sub(&turns_left, 1);
        if (s->busy)
                write_key(s, "other", s->b);
        if (s->stream ? s->stream->ended : believed(s, s->token) == s->wanted)
                loop_stop(s->daemon.loop);
        else
                timer_set(s->look, USEC_PER_MSEC);
}

static void becomes(struct scene *s, const char *token, bool wanted, const char *when)
{
        s->token = token;
        s->wanted = wanted;
        timer_set(s->look, 0);
        run_loop(s->daemon.loop, when);
}

static void ends(struct scene *s, const struct stream *stream, const char *when)
{
        s->stream = stream;
        timer_set(s->look, 0);
        run_loop(s->daemon.loop, when);
        s->stream = NULL;
}

static void shell(const struct scene *s, const char *lines)
{
        _cleanup_free_ char *command = NULL;

        assert_true(asprintf(&command, "set -e; umask 022; cd %s\n%s", s->top, lines) > 0);
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a shell is what is meant */
}

static int set_up(void **state)
{
        static struct scene s;

        s = (struct scene){ .top = "/tmp/test-trust.XXXXXX" };
        if (!mkdtemp(s.top))
                return -1;
        (void) snprintf(s.keys, sizeof s.keys, "%s/keys", s.top);
        s.config = (struct config){ .keys_directory = s.keys, .max_token_life_usec = 3600 * USEC_PER_SEC };
        s.a = new_key(KEY_EDDSA);
        s.b = new_key(KEY_EDDSA);
        s.token_a = minted(s.a);
        s.token_b = minted(s.b);
        s.daemon = (struct daemon){ .config = &s.config, .loop = loop_new() };
        s.look = timer_new(s.daemon.loop, look, &s);
        *state = &s;
        return s.look ? 0 : -1;
}

static void start(struct scene *s)
{
        s->daemon.tokens = tokens_new(&s->daemon);
        assert_non_null(s->daemon.tokens);
}

static int tear_down(void **state)
{
        struct scene *s = *state;

        s->daemon.tokens = tokens_free(s->daemon.tokens);
        s->look = timer_free(s->look);
        s->daemon.loop = loop_free(s->daemon.loop);
        (void) key_free(s->a);
        (void) key_free(s->b);
        free(s->token_a);
        free(s->token_b);
        shell(s, "rm -rf \"$PWD\"");
        return 0;
}

static void keys_count_from_the_start(void **state)
{
        struct scene *s = *state;

        shell(s, "mkdir keys");
        write_key(s, "a", s->a);
        start(s);
        assert_true(believed(s, s->token_a));
        assert_false(believed(s, s->token_b));
}

static void a_folder_may_come_later(void **state)
{
        struct scene *s = *state;

        start(s);
        assert_false(believed(s, s->token_a));
        shell(s, "mkdir keys");
        write_key(s, "a", s->a);
        becomes(s, s->token_a, true, "the folder was made");
        shell(s, "mv keys away");
        becomes(s, s->token_a, false, "the folder was moved away");
        shell(s, "mv away keys");
        becomes(s, s->token_a, true, "the folder is back");
        shell(s, "chmod 777 keys");
        becomes(s, s->token_a, false, "others may write the folder");
        shell(s, "chmod 755 keys");
        becomes(s, s->token_a, true, "they may no more");
        shell(s, "rm -r keys");
        becomes(s, s->token_a, false, "the folder is gone");
}

/* One turn of the loop, which is less than the keys are left to settle. */
static void what_goes_is_refused_at_once(void **state)
{
        static const char *const lines[] = { "rm keys/a", "mv keys/a keys/.a", "mv keys/a a",
                                             "mv keys away" };
        struct scene *s = *state;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                shell(s, "rm -rf keys; mkdir keys");
                write_key(s, "a", s->a);
                write_key(s, "b", s->b);
                start(s);
                assert_true(believed(s, s->token_a) && believed(s, s->token_b));
                shell(s, lines[i]);
                run_loop_for(s->daemon.loop, 1, lines[i]);
                assert_false(believed(s, s->token_a));
                assert_int_equal(believed(s, s->token_b), !ends_with(lines[i], "away"));
                s->daemon.tokens = tokens_free(s->daemon.tokens);
        }
}

static void a_key_is_replaced_many_times(void **state)
{
        struct scene *s = *state;

        shell(s, "mkdir keys");
        start(s);
        for (size_t i = 0; i < SWAPS; i++) {
                write_key(s, "x", i % 2 ? s->b : s->a);
                if (i % 50 == 0)
                        run_loop_for(s->daemon.loop, 100, "swaps");
        }
        becomes(s, s->token_b, true, "the last one counts");
        becomes(s, s->token_a, false, "and it alone");
}

/* Changes that never stop do not keep a key from coming into force. */
static void a_busy_folder(void **state)
{
        struct scene *s = *state;

        shell(s, "mkdir keys");
        start(s);
        s->busy = true;
        write_key(s, "a", s->a);
        becomes(s, s->token_a, true, "the key is read while others change");
}

static void a_slow_folder_holds_up_nobody(void **state)
{
        struct scene *s = *state;

        shell(s, "mkdir keys");
        start(s);
        atomic_store(&slow, true);
        write_key(s, "a", s->a);
        becomes(s, s->token_a, true, "the keys are read");
        atomic_store(&slow, false);
        assert_false(atomic_load(&held_up));
}

static void a_reload_reads_them_again(void **state)
{
        struct scene *s = *state;

        shell(s, "mkdir keys");
        write_key(s, "a", s->a);
        start(s);
        assert_true(believed(s, s->token_a));
        s->config.max_token_life_usec = USEC_PER_SEC;
        tokens_reload(s->daemon.tokens);
        tokens_reload(s->daemon.tokens);
        assert_false(believed(s, s->token_a));
        s->config.max_token_life_usec = 3600 * USEC_PER_SEC;
        becomes(s, s->token_a, true, "it is believed again");
        tokens_reload(s->daemon.tokens); /* … and is not finished when all ends */
}

/* --- streams ---------------------------------------------------------------------------------------- */

static void on_ended(void *arg)
{
        struct stream *stream = arg;

        assert_false(stream->ended);
        stream->ended = true;
        stream->ended_sec = wall_usec() / USEC_PER_SEC;
        stream->permit = permit_free(stream->permit);
}

static void open_stream(struct scene *s, const char *token, struct stream *stream)
{
        struct bearer bearer;
        struct fault f;

        assert_int_equal(tokens_check(s->daemon.tokens, token, &bearer, &f), 0);
        *stream = (struct stream){ .permit = permit_new(s->daemon.tokens, token, bearer.token, on_ended,
                                                        stream) };
        assert_non_null(stream->permit);
}

static void close_stream(struct stream *stream)
{
        stream->permit = permit_free(stream->permit);
}

static void streams_end_with_their_key(void **state)
{
        struct scene *s = *state;
        struct stream a[STREAMS], b;

        shell(s, "mkdir keys");
        write_key(s, "a", s->a);
        write_key(s, "b", s->b);
        start(s);
        for (size_t i = 0; i < STREAMS; i++)
                open_stream(s, s->token_a, &a[i]);
        open_stream(s, s->token_b, &b);
        close_stream(&a[1]);
        run_loop_for(s->daemon.loop, 100 * USEC_PER_MSEC, "nothing happens");
        assert_false(a[0].ended || b.ended);
        shell(s, "rm keys/a");
        for (size_t i = 0; i < STREAMS; i++)
                if (i != 1)
                        ends(s, &a[i], "the key goes");
        assert_false(a[1].ended);
        run_loop_for(s->daemon.loop, 200 * USEC_PER_MSEC, "the keys are read again");
        assert_false(b.ended);
        close_stream(&b);
}

static void streams_end_with_another_key(void **state)
{
        struct scene *s = *state;
        struct stream a, b;

        shell(s, "mkdir keys");
        write_key(s, "a", s->a);
        write_key(s, "b", s->b);
        start(s);
        open_stream(s, s->token_a, &a);
        open_stream(s, s->token_b, &b);
        write_key(s, "a", s->b);
        becomes(s, s->token_a, false, "another key has its name");
        ends(s, &a, "its token is no longer believed");
        run_loop_for(s->daemon.loop, 20 * USEC_PER_MSEC, "the others are looked at");
        assert_false(b.ended);
        close_stream(&b);
}

/* What the key may still grant goes on. */
static void streams_end_with_narrower_limits(void **state)
{
        struct scene *s = *state;
        _cleanup_free_ char *within = minted_for(s->a, 600, "web-1");
        struct stream wide, narrow;

        shell(s, "mkdir keys");
        write_key(s, "a", s->a);
        start(s);
        open_stream(s, s->token_a, &wide);
        open_stream(s, within, &narrow);
        shell(s, "printf '[Key]\\nLocators=web-*\\n' > keys/a.conf");
        becomes(s, s->token_a, false, "the limits count");
        ends(s, &wide, "its token is no longer believed");
        run_loop_for(s->daemon.loop, 20 * USEC_PER_MSEC, "the others are looked at");
        assert_false(narrow.ended);
        close_stream(&narrow);
}

static void streams_end_with_their_token(void **state)
{
        struct scene *s = *state;
        _cleanup_free_ char *short_lived = NULL, *late = minted_for(s->a, 0, "*");
        struct stream brief, leeway, a;
        uint64_t began;

        shell(s, "mkdir keys");
        write_key(s, "a", s->a);
        start(s);
        began = wall_usec() / USEC_PER_SEC;
        short_lived = minted_for(s->a, 3, "*");
        open_stream(s, short_lived, &brief);
        open_stream(s, late, &leeway);
        open_stream(s, s->token_a, &a);
        ends(s, &brief, "it has expired");
        assert_true(brief.ended_sec >= began + 3);
        assert_false(a.ended || leeway.ended);
        close_stream(&a);
        close_stream(&leeway);
}

static void streams_end_with_the_configuration(void **state)
{
        struct scene *s = *state;
        struct stream a;

        shell(s, "mkdir keys");
        write_key(s, "a", s->a);
        start(s);
        open_stream(s, s->token_a, &a);
        tokens_reload(s->daemon.tokens);
        run_loop_for(s->daemon.loop, 200 * USEC_PER_MSEC, "nothing has changed");
        assert_false(a.ended);
        s->config.max_token_life_usec = USEC_PER_SEC;
        tokens_reload(s->daemon.tokens);
        ends(s, &a, "tokens may not live so long");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(keys_count_from_the_start, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_folder_may_come_later, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_goes_is_refused_at_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_key_is_replaced_many_times, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_busy_folder, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_slow_folder_holds_up_nobody, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_reload_reads_them_again, set_up, tear_down),
                cmocka_unit_test_setup_teardown(streams_end_with_their_key, set_up, tear_down),
                cmocka_unit_test_setup_teardown(streams_end_with_another_key, set_up, tear_down),
                cmocka_unit_test_setup_teardown(streams_end_with_narrower_limits, set_up, tear_down),
                cmocka_unit_test_setup_teardown(streams_end_with_their_token, set_up, tear_down),
                cmocka_unit_test_setup_teardown(streams_end_with_the_configuration, set_up, tear_down),
        };

        log_open("test-trust", LOG_ERR);
        return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
