/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "database-scene.h"

#include "run-loop.h"

#include <ftw.h>
#include <sys/resource.h>

#define HOUR_SEC 3600

static void on_lost(void *arg, const char *why, const char *moved_to)
{
        struct scene *s = arg;

        s->losses++;
        (void) snprintf(s->why, sizeof s->why, "%s", why);
        (void) snprintf(s->moved_to, sizeof s->moved_to, "%s", moved_to ? moved_to : "");
}

void answered(struct scene *s, const struct fault *fault)
{
        if (fault) {
                s->failed++;
                s->fault = *fault;
        }
        if (++s->answers == s->awaited)
                loop_stop(s->loop);
}

void on_written(void *arg, const struct fault *fault)
{
        answered(arg, fault);
}

void on_found(void *arg, struct database_request *rows, size_t n, const struct fault *fault)
{
        struct scene *s = arg;

        database_request_reset(&s->row);
        s->found = n;
        if (n > 0) {
                s->row = rows[0];
                rows[0].outcome = (struct outcome){ 0 };
                rows[0].audit = NULL;
        }
        answered(s, fault);
}

/* Runs the loop until so many answers have come; how many of them were faults. */
unsigned await(struct scene *s, unsigned answers)
{
        unsigned failed;

        s->awaited = answers;
        if (s->answers < answers)
                run_loop(s->loop, "not all answers came");
        failed = s->failed;
        s->answers = s->failed = 0;
        return failed;
}

void open_database(struct scene *s)
{
        s->db = database_new(s->loop, s->path, &s->options);
        assert_non_null(s->db);
}

void open_again(struct scene *s)
{
        s->db = database_free(s->db);
        open_database(s);
}

int set_up(void **state)
{
        struct scene *s = calloc(1, sizeof *s);

        if (!s)
                return -1;
        (void) snprintf(s->directory, sizeof s->directory, "/tmp/geard-test-database.XXXXXX");
        if (!mkdtemp(s->directory))
                return -1;
        (void) snprintf(s->path, sizeof s->path, "%s/geard.db", s->directory);
        s->options = (struct database_options){ .cache_bytes = 1 << 20,
                                                .audit_usec = HOUR_SEC * USEC_PER_SEC,
                                                .audit_bytes = 1 << 30,
                                                .lost = on_lost,
                                                .arg = s };
        s->loop = loop_new();
        open_database(s);
        *state = s;
        return s->loop ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st _unused_, int what _unused_,
                      struct FTW *ftw _unused_)
{
        return remove(path);
}

int limit_files(rlim_t bytes)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
                return -1;
        limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
        return setrlimit(RLIMIT_FSIZE, &limit);
}

int tear_down(void **state)
{
        struct scene *s = *state;
        int r;

        (void) limit_files(RLIM_INFINITY);
        s->db = database_free(s->db);
        s->loop = loop_free(s->loop);
        database_request_reset(&s->row);
        r = nftw(s->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(s);
        return r;
}

/* --- requests that are like real ones -------------------------------------------------------- */

struct database_request numbered(unsigned number)
{
        struct database_request q = { .began_usec = wall_usec(), .kind = "gear", .verb = "create",
                                      .audit = (char *) "{\"user\":\"alice\"}" };

        (void) snprintf(q.principal, sizeof q.principal, "test");
        (void) snprintf(q.id, sizeof q.id, "%032x", number);
        (void) snprintf(q.digest, sizeof q.digest, "%064x", number * 7);
        (void) snprintf(q.resource, sizeof q.resource, "web-%u", number);
        q.keep_until_sec = wall_usec() / USEC_PER_SEC + HOUR_SEC;
        return q;
}

struct database_request concluded(unsigned number, int code, const char *text)
{
        struct database_request q = numbered(number);

        q.outcome = (struct outcome){ .code = code,
                                      .good = code < 400,
                                      .text = (char *) text,
                                      .json = (char *) "{\"id\":\"web\"}\n",
                                      .headers = (char *) "PortMapping: 80=4000\n" };
        return q;
}

void intend(struct scene *s, unsigned number)
{
        struct database_request q = numbered(number);

        assert_non_null(database_intend(s->db, &q, on_found, s));
}

void conclude(struct scene *s, unsigned number, int code, const char *text)
{
        struct database_request q = concluded(number, code, text);

        assert_non_null(database_conclude(s->db, &q, on_written, s));
}

static void find(struct scene *s, unsigned number)
{
        struct database_request q = numbered(number);

        assert_non_null(database_find(s->db, q.principal, q.id, on_found, s));
}

/* How many rows there are of it. */
size_t look_for(struct scene *s, unsigned number)
{
        find(s, number);
        assert_int_equal(await(s, 1), 0);
        return s->found;
}

size_t count_unfinished(struct scene *s)
{
        assert_non_null(database_unfinished(s->db, on_found, s));
        assert_int_equal(await(s, 1), 0);
        return s->found;
}

void fill(struct scene *s, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                conclude(s, i, 201, "before\n");
        assert_int_equal(await(s, n), 0);
}
