/* SPDX-License-Identifier: Apache-2.0 */

/* Jobs: what may be asked for, the command it becomes, and the index of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/job.h"
#include "core/unit.h"

#include <signal.h>

static int read_spec(const char *body, struct job_spec *ret, struct fault *f)
{
        struct json *json = json_parse(body, strlen(body), "body", f);
        int r = json ? job_spec_from_json(json, NULL, ret, f) : -EINVAL;

        (void) json_free(json);
        return r;
}

static void a_spec_has_its_own_fields(void **state _unused_)
{
        struct job_spec s = { 0 };
        struct fault f;

        assert_int_equal(read_spec("{\"image\":\"a\",\"ID\":\"j1\",\"timeout\":\"1m30s\",\"retries\":\"7\",\"memory\":\"64m\"}", &s, &f), 0);
        assert_string_equal(s.id, "j1");
        assert_int_equal(s.timeout_usec, 90000000);
        assert_int_equal(s.retries, 7);
        assert_int_equal(s.spec.memory, 64 << 20);
        job_spec_reset(&s);
        assert_int_equal(read_spec("{\"image\":\"a\"}", &s, &f), 0);
        assert_string_equal(s.id, "");
        assert_int_equal(s.timeout_usec, 0);
        assert_int_equal(s.retries, 0);
        job_spec_reset(&s);
        assert_int_equal(job_spec_from_json(NULL, "claimed", &s, &f), 0);
        assert_string_equal(s.spec.image, "claimed");
        job_spec_reset(&s);
}

static void a_bad_field_is_named(void **state _unused_)
{
        static const struct {
                const char *member, *field;
        } cases[] = {
                { "\"restart\":\"no\"", "restart" },
                { "\"health\":{\"tcp\":80}", "health" },
                { "\"ready\":\"running\"", "ready" },
                { "\"started\":false", "started" },
                { "\"replace\":false", "replace" },
                { "\"timeout\":0", "timeout" },
                { "\"timeout\":\"31d\"", "timeout" },
                { "\"timeout\":[]", "timeout" },
                { "\"retries\":101", "retries" },
                { "\"retries\":-1", "retries" },
                { "\"retries\":1.5", "retries" },
                { "\"id\":\"..\"", "id" },
                { "\"id\":\"\"", "id" },
                { "\"id\":7", "id" },
                { "\"ports\":[{\"internal\":80,\"external\":8080},{\"internal\":81}]", "ports[1].external" },
                { "\"schedules\":\"daily\"", "schedules" },
                { "\"schedule\":\"\"", "schedule" },
                { "\"schedule\":\" daily\"", "schedule" },
                { "\"schedule\":\"daily \"", "schedule" },
                { "\"schedule\":\"%H\"", "schedule" },
                { "\"schedule\":\"daily\\nOnBootSec=1\"", "schedule" },
                { "\"schedule\":\"daily\\\\\"", "schedule" },
                { "\"schedule\":null,\"replace\":5", "replace" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct job_spec s = { 0 };
                char body[256];
                struct fault f = { 0 };

                (void) snprintf(body, sizeof body, "{\"image\":\"a\",%s}", cases[i].member);
                if (read_spec(body, &s, &f) >= 0)
                        fail_msg("%s was taken", body);
                assert_int_equal(f.kind, FAULT_INVALID);
                assert_string_equal(f.field, cases[i].field);
                assert_non_null(strstr(f.text, cases[i].field));
        }
}

static bool is_among(char *const *words, const char *word)
{
        for (; *words; words++)
                if (streq(*words, word))
                        return true;
        return false;
}

static void its_command_is_that_of_no_gear(void **state _unused_)
{
        static const char *const expected[] = { "--name=job-x", "--label=io.geard.job=x", "--env-file=/s/jobs/x.env",
                                                "--mount=type=volume,source=job-x-v,volume-label=io.geard.job=x,target=/v",
                                                "--cgroup-parent=p", "--rm", "--pull=never" };
        const struct unit_origin origin = { .kind = UNIT_JOB, .id = "x", .request_id = "1" };
        const struct unit_host host = { .state_directory = "/s", .docker = "/d", .docker_socket = "/k", .cgroup_parent = "p" };
        struct job_spec s = { 0 };
        char **argv = NULL;
        struct fault f;

        assert_int_equal(read_spec("{\"image\":\"a\",\"volumes\":[{\"name\":\"v\",\"target\":\"/v\"}]}", &s, &f), 0);
        assert_int_equal(unit_docker_argv(&s.spec, &origin, &host, &argv), 0);
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
                if (!is_among(argv, expected[i]))
                        fail_msg("%s is missing", expected[i]);
        for (char **word = argv; *word; word++)
                assert_null(strstr(*word, "io.geard.id"));
        strv_free(argv);
        job_spec_reset(&s);
}

static void a_work_of_ours_has_options_and_no_environment(void **state _unused_)
{
        static const char *const options[] = { "--tmpfs=/tmp", "--userns=host", NULL };
        const struct unit_origin origin = { .kind = UNIT_JOB, .id = "x", .request_id = "1", .environment = "", .options = options };
        const struct unit_host host = { .state_directory = "/s", .docker = "/d", .docker_socket = "/k" };
        struct job_spec s = { 0 };
        char **argv = NULL;
        size_t n;
        struct fault f;

        assert_int_equal(read_spec("{\"image\":\"a\",\"command\":[\"--b\"]}", &s, &f), 0);
        assert_int_equal(unit_docker_argv(&s.spec, &origin, &host, &argv), 0);
        n = strv_len(argv);
        assert_string_equal(argv[n - 5], "--tmpfs=/tmp");
        assert_string_equal(argv[n - 4], "--userns=host");
        assert_string_equal(argv[n - 3], "--");
        assert_string_equal(argv[n - 2], "a");
        assert_string_equal(argv[n - 1], "--b");
        for (char **word = argv; *word; word++)
                assert_false(starts_with(*word, "--env-file"));
        strv_free(argv);
        job_spec_reset(&s);
}

static void a_long_command_fits_no_unit(void **state _unused_)
{
        char *longest = malloc(UNIT_LINE_MAX + 1);
        char *argv[] = { (char *) "/bin/true", longest, NULL };
        struct fault f = { 0 };

        memset(longest, 'x', UNIT_LINE_MAX);
        longest[UNIT_LINE_MAX] = '\0';
        assert_int_equal(unit_argv_check(argv, &f), -EINVAL);
        assert_string_equal(f.field, "command");
        longest[UNIT_LINE_MAX / 4 - 100] = '\0';
        assert_int_equal(unit_argv_check(argv, &f), 0);
        memset(longest, '\n', UNIT_LINE_MAX / 4 - 100);
        assert_int_equal(unit_argv_check(argv, &f), 0); /* each is four characters */
        memset(longest, '\n', UNIT_LINE_MAX / 4 + 1);
        longest[UNIT_LINE_MAX / 4 + 1] = '\0';
        assert_int_equal(unit_argv_check(argv, &f), -EINVAL);
        free(longest);
}

static void names_follow_from_the_id(void **state _unused_)
{
        char unit[UNIT_NAME_MAX], container[UNIT_NAME_MAX], slice[JOB_SLICE_MAX], longest[GEAR_ID_MAX + 1];

        job_unit_name("a-b.c", unit);
        job_container_name("a-b.c", container);
        job_slice_name("a-b.c", slice);
        assert_string_equal(unit, "job-a-b.c.service");
        assert_string_equal(container, "job-a-b.c");
        assert_string_equal(slice, "gear-jobs-a\\x2db.c.slice");
        memset(longest, '-', GEAR_ID_MAX);
        longest[GEAR_ID_MAX] = '\0';
        job_slice_name(longest, slice);
        assert_int_equal(strlen(slice), strlen("gear-jobs-") + 4 * GEAR_ID_MAX + strlen(".slice"));
}

static void units_tell_whose_they_are(void **state _unused_)
{
        static const char *const none[] = { "job-.service", "job-x", "job-x.mount", "gear-x.service", "job-a b.timer",
                                            "xjob-a.timer", "job-.timer", "" };
        char id[GEAR_ID_MAX + 1], unit[UNIT_NAME_MAX], longest[UNIT_NAME_MAX + 1];

        assert_true(job_id_of_unit("job-a-b.c.service", id));
        assert_string_equal(id, "a-b.c");
        job_timer_name("a-b.c", unit);
        assert_string_equal(unit, "job-a-b.c.timer");
        assert_true(job_id_of_unit(unit, id));
        assert_string_equal(id, "a-b.c");
        for (size_t i = 0; i < ARRAY_SIZE(none); i++)
                if (job_id_of_unit(none[i], id))
                        fail_msg("%s was taken for the unit of job %s", none[i], id);
        (void) snprintf(longest, sizeof longest, "job-%064d.timer", 0); /* one more than an id may have */
        assert_false(job_id_of_unit(longest, id));
}

static void each_schedule_has_its_environment(void **state _unused_)
{
        struct job job = { .id = (char *) "a", .defined_usec = UINT64_MAX };
        char name[JOB_ENV_MAX];

        job_env_name(&job, name);
        assert_string_equal(name, "a");
        job.schedule = (char *) "daily";
        job_env_name(&job, name);
        assert_string_equal(name, "a@18446744073709551615");
}

static void memory_tells_what_killed_it(void **state _unused_)
{
        const struct {
                int status;
                uint64_t max, peak;
                bool expected;
        } cases[] = {
                { 137, 64 << 20, 64 << 20, true },  { 137, 64 << 20, (64 << 20) - 4096, true },
                { 137, 64 << 20, 32 << 20, false }, { 137, 0, 64 << 20, false },
                { 1, 64 << 20, 64 << 20, false },   { 137, 64 << 20, UINT64_MAX, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct job job = { .exit_code = CLD_EXITED, .exit_status = cases[i].status,
                                         .memory_max = cases[i].max, .peak_memory = cases[i].peak };

                assert_int_equal(job_was_out_of_memory(&job), cases[i].expected);
        }
}

#define MANY 300

static void they_are_found_in_the_order_of_their_ids(void **state _unused_)
{
        struct jobs *jobs = jobs_new(MANY);
        char id[8];

        assert_null(jobs_find(jobs, "000"));
        for (unsigned i = 0; i < MANY; i++) {
                (void) snprintf(id, sizeof id, "%03u", i * 7 % MANY); /* each once */
                assert_non_null(jobs_add(jobs, id));
                assert_ptr_equal(jobs_add(jobs, id), jobs_find(jobs, id));
        }
        assert_int_equal(jobs_count(jobs), MANY);
        for (unsigned i = 0; i < MANY; i++) {
                (void) snprintf(id, sizeof id, "%03u", i);
                assert_string_equal(jobs_at(jobs, i)->id, id);
                assert_int_equal(jobs_after(jobs, id), i + 1);
        }
        assert_int_equal(jobs_after(jobs, NULL), 0);
        assert_int_equal(jobs_after(jobs, "0000"), 1);
        for (unsigned i = 0; i < MANY; i += 2) {
                (void) snprintf(id, sizeof id, "%03u", i);
                jobs_remove(jobs, jobs_find(jobs, id));
                assert_null(jobs_find(jobs, id));
        }
        assert_int_equal(jobs_count(jobs), MANY / 2);
        assert_string_equal(jobs_at(jobs, 0)->id, "001");
        (void) jobs_free(jobs);
}

static void end(struct job *job, uint64_t usec)
{
        job->state = JOB_STATE_FAILED;
        job->ended_usec = usec;
}

static void the_oldest_are_forgotten(void **state _unused_)
{
        struct jobs *jobs = jobs_new(2);
        struct job *held, *oldest[4];

        end(jobs_add(jobs, "c"), 30);
        end(jobs_add(jobs, "a"), 20);
        (void) jobs_add(jobs, "waits");
        assert_int_equal(jobs_too_old(jobs, oldest, 4), 0);
        held = jobs_add(jobs, "b");
        end(held, 10);
        held->run = jobs; /* somebody still points to it */
        assert_int_equal(jobs_too_old(jobs, oldest, 4), 0);
        held->run = NULL;
        assert_int_equal(jobs_too_old(jobs, oldest, 4), 1);
        assert_ptr_equal(oldest[0], held);
        jobs_remove(jobs, held);
        assert_int_equal(jobs_too_old(jobs, oldest, 4), 0);
        jobs_limit(jobs, 0);
        assert_int_equal(jobs_too_old(jobs, oldest, 4), 2);
        assert_string_equal(oldest[0]->id, "a");
        assert_string_equal(oldest[1]->id, "c");
        assert_int_equal(jobs_too_old(jobs, oldest, 1), 1);
        (void) jobs_free(jobs);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_spec_has_its_own_fields),
                cmocka_unit_test(a_bad_field_is_named),
                cmocka_unit_test(its_command_is_that_of_no_gear),
                cmocka_unit_test(a_work_of_ours_has_options_and_no_environment),
                cmocka_unit_test(a_long_command_fits_no_unit),
                cmocka_unit_test(names_follow_from_the_id),
                cmocka_unit_test(units_tell_whose_they_are),
                cmocka_unit_test(each_schedule_has_its_environment),
                cmocka_unit_test(memory_tells_what_killed_it),
                cmocka_unit_test(they_are_found_in_the_order_of_their_ids),
                cmocka_unit_test(the_oldest_are_forgotten),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
