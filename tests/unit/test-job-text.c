/* SPDX-License-Identifier: Apache-2.0 */

/* The units of a job with a schedule: their text, the record read back, and what hands may have done to it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/job-text.h"

static const struct unit_host host = {
        .state_directory = "/srv/100% $gears",
        .docker_unit = "docker.service",
};

/* Whatever of it stands in a line of its own would be a setting. */
#define USER "Zo\xc3\xab \"%h\"\n[Service]\nExecStart=/bin/false \\"
#define SPEC "{\"image\":\"test/busybox\",\"command\":[\"echo\",\"$HOME %n\\nRestart=always\"],\"memory\":67108864,\"stop_timeout\":\"10s\"}"

static const struct job backup = {
        .id = (char *) "backup",
        .image = (char *) "test/busybox",
        .user = (char *) USER,
        .schedule = (char *) "*-*-* 04:00:00 Europe/Berlin",
        .request_id = "0000000000000000000000000000002a",
        .created_usec = 1795227201000042,
        .defined_usec = 1795227301000042,
        .timeout_usec = 90000000,
        .retries = 3,
};

static char *service_of(const struct job *job)
{
        static const char *const start[] = { "/usr/libexec/geard/gear-unit", "--retries=3", "job", "job-backup", "/usr/bin/docker",
                                             "run", "--", "test/busybox", "echo", "$HOME %n\nRestart=always", NULL };
        static const char *const clean[] = { "/usr/libexec/geard/gear-unit", "clean-job", "job-backup", NULL };
        const struct job_text o = { .job = job, .spec = SPEC, .start = (char *const *) start, .clean = clean,
                                    .stop_usec = 25000000, .host = &host };
        struct text t = { 0 };
        struct fault f = { 0 };

        if (job_text_service(&o, &t, &f) < 0)
                fail_msg("%s", f.text);
        return text_take(&t);
}

/* Of a line, whatever is in others. */
static bool has_line(const char *text, const char *line)
{
        size_t n = strlen(line);

        for (const char *p = text; (p = strstr(p, line)); p += n)
                if ((p == text || p[-1] == '\n') && (p[n] == '\n' || !p[n]))
                        return true;
        return false;
}

static void units_say_what_is_to_be(void **state _unused_)
{
        static const char *const lines[] = { "[Service]", "Type=oneshot", "Slice=gear-jobs.slice", "TimeoutStartSec=90000ms",
                                             "TimeoutStopSec=25000ms", "StartLimitIntervalSec=0", "Description=Job backup (test/busybox)",
                                             "RequiresMountsFor=\"/srv/100%% $gears\"",
                                             "ExecStopPost=:/usr/libexec/geard/gear-unit clean-job job-backup",
                                             "LogRateLimitBurst=100000000" };
        static const char *const timers[] = { "OnCalendar=*-*-* 04:00:00 Europe/Berlin", "AccuracySec=1s",
                                              "WantedBy=timers.target" };
        _cleanup_free_ char *service = service_of(&backup);
        _cleanup_text_ struct text timer = { 0 };
        struct fault f;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                if (!has_line(service, lines[i]))
                        fail_msg("there is no %s in:\n%s", lines[i], service);
        assert_false(has_line(service, "Restart=always"));
        assert_false(has_line(service, "ExecStart=/bin/false \\"));
        assert_int_equal(job_text_timer(&backup, &timer, &f), 0);
        for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
                if (!has_line(timer.data, timers[i]))
                        fail_msg("there is no %s in:\n%s", timers[i], timer.data);
}

static void the_record_comes_back(void **state _unused_)
{
        _cleanup_free_ char *service = service_of(&backup), *spec = NULL;
        struct job job = { 0 };
        struct fault f = { 0 };

        if (job_text_read(service, &job, &spec, &f) < 0)
                fail_msg("%s", f.text);
        assert_string_equal(spec, SPEC);
        assert_string_equal(job.id, "backup");
        assert_string_equal(job.image, "test/busybox");
        assert_string_equal(job.user, USER);
        assert_string_equal(job.schedule, backup.schedule);
        assert_string_equal(job.request_id, backup.request_id);
        assert_int_equal(job.created_usec, backup.created_usec);
        assert_int_equal(job.defined_usec, backup.defined_usec);
        assert_int_equal(job.timeout_usec, backup.timeout_usec);
        assert_int_equal(job.retries, 3);
        assert_int_equal(job.memory_max, 64 << 20);
        assert_int_equal(job.state, JOB_STATE_SCHEDULED);
        assert_true(job.peak_memory == UINT64_MAX);
        job_reset(&job);
}

static char *edited(const char *text, const char *from, const char *to)
{
        struct text t = { 0 };
        const char *at = strstr(text, from);

        if (!at)
                fail_msg("there is no \"%s\" to damage", from);
        text_addn(&t, text, (size_t) (at - text));
        text_add(&t, to);
        text_add(&t, at + strlen(from));
        return text_take(&t);
}

static void what_hands_have_done_is_told(void **state _unused_)
{
        static const char *const edits[][2] = {
                { "\nJob=", "\nJobs=" },
                { "\nJob={", "\nJob=[" },
                { "Job={", "Job=7{" },
                { "\"id\":\"backup\"", "\"id\":\"../x\"" },
                { "\"id\":\"backup\"", "\"name\":\"backup\"" },
                { "\"timeout\":90000000", "\"timeout\":-1" },
                { "\"retries\":3", "\"retries\":101" },
                { "\"schedule\":\"*-*-*", "\"schedule\":\"%H" },
                { "\"schedule\":\"*-*-* 04:00:00 Europe/Berlin\"", "\"schedule\":7" },
                { "\"request\":\"0000", "\"request\":\"000000" },
                { "\"created\":1795227201000042", "\"created\":\"now\"" },
                { "\"defined\":1795227301000042,", "" },
                { "\"spec\":{", "\"spec\":{\"more\":1," },
                { "\"image\":\"test/busybox\"", "\"image\":\"-\"" },
        };
        _cleanup_free_ char *service = service_of(&backup);

        for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
                _cleanup_free_ char *text = edited(service, edits[i][0], edits[i][1]), *spec = NULL;
                struct job job = { 0 };
                struct fault f = { 0 };

                if (job_text_read(text, &job, &spec, &f) == 0)
                        fail_msg("%s was taken", edits[i][1]);
                assert_true(f.text[0]);
                assert_null(job.id);
                assert_null(spec);
        }
}

static void what_is_too_long_fits_no_unit(void **state _unused_)
{
        char *longest = malloc(UNIT_LINE_MAX + 1);
        struct job job = backup;
        struct text t = { 0 };
        struct fault f = { 0 };
        const char *const clean[] = { "/x", NULL };
        char *start[] = { (char *) "/x", longest, NULL };
        const struct job_text o = { .job = &job, .spec = "{}", .start = start, .clean = clean, .host = &host };

        memset(longest, 'x', UNIT_LINE_MAX);
        longest[UNIT_LINE_MAX] = '\0';
        assert_int_equal(job_text_service(&o, &t, &f), -EINVAL);
        assert_string_equal(f.field, "command");
        text_reset(&t);
        free(longest);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(units_say_what_is_to_be),
                cmocka_unit_test(the_record_comes_back),
                cmocka_unit_test(what_hands_have_done_is_told),
                cmocka_unit_test(what_is_too_long_fits_no_unit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
