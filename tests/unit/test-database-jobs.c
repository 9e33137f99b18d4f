/* SPDX-License-Identifier: Apache-2.0 */

/* The table of jobs: rows come back as they were, and a file of the version before gets one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "database-scene.h"
#include "sys/database-jobs.h"

#include <signal.h>

struct listed {
        struct scene *scene;
        struct job first;
        size_t n;
        char *spec, *output;
};

static void on_listed(void *arg, struct job *jobs, size_t n, const struct fault *fault)
{
        struct listed *l = arg;

        l->n = n;
        if (n > 0) {
                job_reset(&l->first);
                assert_int_equal(job_copy(&jobs[0], &l->first), 0);
        }
        answered(l->scene, fault);
}

static void on_job(void *arg, const char *spec, const char *output, const struct fault *fault)
{
        struct listed *l = arg;

        free(l->spec);
        free(l->output);
        l->spec = spec ? strdup(spec) : NULL;
        l->output = output ? strdup(output) : NULL;
        answered(l->scene, fault);
}

static void listed_reset(struct listed *l)
{
        job_reset(&l->first);
        free(l->spec);
        free(l->output);
}

static void put(struct scene *s, const struct job *job, const char *spec, const char *output)
{
        assert_non_null(database_put_job(s->db, job, spec, output, on_written, s));
        assert_int_equal(await(s, 1), 0);
}

static void look(struct scene *s, const char *id, struct listed *l)
{
        assert_non_null(database_list_jobs(s->db, on_listed, l));
        assert_non_null(database_find_job(s->db, id, on_job, l));
        assert_int_equal(await(s, 2), 0);
}

static const struct job whole = {
        .id = (char *) "j1",
        .image = (char *) "a/b:c",
        .user = (char *) "Zo\xc3\xab 'x",
        .why = (char *) "because",
        .request_id = "0000000000000000000000000000002a",
        .state = JOB_STATE_FAILED,
        .created_usec = 1795227201000042,
        .started_usec = 1795227201000043,
        .ended_usec = 1795227201000044,
        .timeout_usec = 900000000,
        .memory_max = INT64_MAX,
        .retries = 100,
        .attempts = 3,
        .exit_code = CLD_KILLED,
        .exit_status = 9,
        .peak_memory = 4711,
};

static void a_row_comes_back_as_it_was(void **state)
{
        struct scene *s = *state;
        struct listed l = { .scene = s };

        put(s, &whole, "{\"image\":\"a\"}", "said\n");
        open_again(s);
        look(s, "j1", &l);
        assert_int_equal(l.n, 1);
        assert_string_equal(l.first.id, whole.id);
        assert_string_equal(l.first.image, whole.image);
        assert_string_equal(l.first.user, whole.user);
        assert_string_equal(l.first.why, whole.why);
        assert_string_equal(l.first.request_id, whole.request_id);
        assert_int_equal(l.first.state, whole.state);
        assert_int_equal(l.first.created_usec, whole.created_usec);
        assert_int_equal(l.first.started_usec, whole.started_usec);
        assert_int_equal(l.first.ended_usec, whole.ended_usec);
        assert_int_equal(l.first.timeout_usec, whole.timeout_usec);
        assert_int_equal(l.first.memory_max, whole.memory_max);
        assert_int_equal(l.first.retries, whole.retries);
        assert_int_equal(l.first.attempts, whole.attempts);
        assert_int_equal(l.first.exit_code, whole.exit_code);
        assert_int_equal(l.first.exit_status, whole.exit_status);
        assert_int_equal(l.first.peak_memory, whole.peak_memory);
        assert_string_equal(l.spec, "{\"image\":\"a\"}");
        assert_string_equal(l.output, "said\n");
        listed_reset(&l);
}

static void what_it_runs_stays_when_what_became_of_it_comes(void **state)
{
        struct scene *s = *state;
        struct listed l = { .scene = s };
        struct job job = { .id = (char *) "j1", .image = (char *) "a", .peak_memory = UINT64_MAX };

        put(s, &job, "spec", NULL);
        look(s, "j1", &l);
        assert_int_equal(l.first.peak_memory, UINT64_MAX);
        assert_null(l.output);
        job.state = JOB_STATE_SUCCEEDED;
        put(s, &job, NULL, "output");
        look(s, "j1", &l);
        assert_int_equal(l.n, 1);
        assert_int_equal(l.first.state, JOB_STATE_SUCCEEDED);
        assert_string_equal(l.spec, "spec");
        assert_string_equal(l.output, "output");
        listed_reset(&l);
}

static void a_row_goes(void **state)
{
        struct scene *s = *state;
        struct listed l = { .scene = s };

        put(s, &whole, "spec", NULL);
        assert_non_null(database_remove_job(s->db, "j1", on_written, s));
        assert_non_null(database_remove_job(s->db, "never", on_written, s));
        assert_non_null(database_remove_job(s->db, "unheard", NULL, NULL));
        assert_int_equal(await(s, 2), 0);
        look(s, "j1", &l);
        assert_int_equal(l.n, 0);
        assert_null(l.spec);
        listed_reset(&l);
}

static void a_file_of_the_version_before_is_taken_over(void **state)
{
        struct scene *s = *state;
        struct listed l = { .scene = s };
        sqlite3 *file = NULL;

        conclude(s, 1, 201, "done\n");
        (void) await(s, 1);
        s->db = database_free(s->db);
        assert_int_equal(sqlite3_open(s->path, &file), SQLITE_OK);
        assert_int_equal(sqlite3_exec(file, "DROP TABLE jobs; PRAGMA user_version=4", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(file), SQLITE_OK);
        open_database(s);
        assert_int_equal(look_for(s, 1), 1);
        put(s, &whole, "spec", NULL);
        open_again(s);
        look(s, "j1", &l);
        assert_int_equal(l.n, 1);
        assert_int_equal(look_for(s, 1), 1);
        assert_int_equal(s->losses, 0);
        listed_reset(&l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(a_row_comes_back_as_it_was),
                CASE(what_it_runs_stays_when_what_became_of_it_comes),
                CASE(a_row_goes),
                CASE(a_file_of_the_version_before_is_taken_over),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
