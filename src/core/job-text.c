/* SPDX-License-Identifier: Apache-2.0 */

#include "core/job-text.h"

#include "core/spec-read.h"

#include <inttypes.h>

#define VERSION 1
#define RECORD "\nJob="
#define USEC_PER_MSEC UINT64_C(1000)

/* --- writing ------------------------------------------------------------------------------------------ */

static void add_record(struct text *t, const struct job_text *o)
{
        const struct job *job = o->job;

        text_addf(t,
                  "# Made by geard, which writes this file anew with every change of the job.\n"
                  "# Your own settings belong into a drop-in, which geard never touches:\n"
                  "#   systemctl edit job-%s.service\n\n"
                  "[X-Gear]\nVersion=%d" RECORD "{",
                  job->id, VERSION);
        json_put(t, "id", job->id);
        json_name(t, "user");
        json_out_ascii(t, job->user ? job->user : "");
        json_put(t, "request", job->request_id);
        json_putu(t, "created", job->created_usec);
        json_putu(t, "defined", job->defined_usec);
        json_putu(t, "timeout", job->timeout_usec);
        json_putu(t, "retries", job->retries);
        json_put(t, "schedule", job->schedule);
        json_name(t, "spec");
        text_add(t, o->spec);
        text_add(t, "}\n");
}

static void add_command(struct text *t, const char *directive, const char *const *words)
{
        text_addf(t, "%s=:", directive); /* no $VARIABLE is replaced */
        for (const char *const *word = words; *word; word++) {
                unit_quote(t, *word);
                /* An option a line, so that the command can be read and compared by people. */
                text_add(t, !word[1] ? "\n" : starts_with(word[1], "--") && strlen(word[1]) > 2 ? " \\\n        " : " ");
        }
}

static void add_service(struct text *t, const struct job_text *o)
{
        const struct job *job = o->job;
        char created[UNIT_LOG_CREATED_MAX];

        unit_log_created(job->created_usec, created);
        text_addf(t, "\n[Unit]\nDescription=Job %s (%s)\nDocumentation=man:geard(8)\n", job->id, job->image);
        unit_add_needs(t, o->host);
        text_addf(t,
                  "# The calendar alone says how often it runs.\nStartLimitIntervalSec=0\n"
                  "\n[Service]\nType=oneshot\nSlice=gear-jobs.slice\nNotifyAccess=main\nKillMode=mixed\n"
                  "TimeoutStartSec=%" PRIu64 "ms\nTimeoutStopSec=%" PRIu64 "ms\n"
                  "# Waits for the engine without waking it, runs the container, and again if it may.\n",
                  job->timeout_usec / USEC_PER_MSEC, o->stop_usec / USEC_PER_MSEC);
        add_command(t, "ExecStart", (const char *const *) o->start);
        add_command(t, "ExecStopPost", o->clean);
        text_addf(t,
                  "# The job's own lines carry SYSLOG_IDENTIFIER=job-%s; these are gear-unit's.\n"
                  "SyslogIdentifier=gear-unit\nLogExtraFields=%s\n",
                  job->id, created);
        unit_add_log_limit(t, o->host);
}

int job_text_service(const struct job_text *o, struct text *ret, struct fault *f)
{
        _cleanup_text_ struct text t = { 0 };

        add_record(&t, o);
        add_service(&t, o);
        if (!text_ok(&t))
                return fault_oom(f);
        if (unit_text_check(t.data, f) < 0)
                return -EINVAL;
        *ret = t;
        t = (struct text){ 0 };
        return 0;
}

int job_text_timer(const struct job *job, struct text *ret, struct fault *f)
{
        _cleanup_text_ struct text t = { 0 };

        text_addf(&t,
                  "# Made by geard, see job-%s.service.\n\n"
                  "[Unit]\nDescription=Schedule of job %s\nDocumentation=man:geard(8)\n\n"
                  "[Timer]\nOnCalendar=%s\nAccuracySec=1s\n\n"
                  "[Install]\nWantedBy=timers.target\n",
                  job->id, job->id, job->schedule);
        if (!text_ok(&t))
                return fault_oom(f);
        *ret = t;
        t = (struct text){ 0 };
        return 0;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int damaged(const char *why, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, "Job", "its record cannot be read: %s", why);
}

static int read_text(const struct json *record, const char *name, size_t max, char **ret, struct fault *f)
{
        const struct json *v = json_member(record, name);
        const char *text;

        if (!v)
                return damaged(name, f);
        if (json_get_string(v, name, max, &text, f) < 0)
                return -EINVAL;
        *ret = strdup(text);
        return *ret ? 0 : fault_oom(f);
}

static int read_number(const struct json *record, const char *name, uint64_t max, uint64_t *ret, struct fault *f)
{
        const struct json *v = json_member(record, name);

        return v ? json_get_uint(v, name, 0, max, ret, f) : damaged(name, f);
}

static int read_spec(const struct json *record, struct job *job, char **ret, struct fault *f)
{
        const struct json *v = json_member(record, "spec");
        struct spec spec = { 0 };
        struct text t = { 0 };
        int r = v ? spec_from_json(v, NULL, &spec, f) : damaged("spec", f);

        if (r < 0)
                return r;
        spec_to_json(&spec, &t);
        job->memory_max = spec.memory;
        job->image = TAKE(spec.image);
        spec_reset(&spec);
        *ret = text_take(&t);
        return *ret && job->image ? 0 : fault_oom(f);
}

static int read_record(const struct json *record, struct job *job, char **ret_spec, struct fault *f)
{
        _cleanup_free_ char *request = NULL;
        uint64_t retries = 0;
        int r = read_text(record, "id", GEAR_ID_MAX, &job->id, f);

        if (r == 0)
                r = gear_id_check(job->id, "id", f);
        if (r == 0)
                r = read_text(record, "user", USER_MAX, &job->user, f);
        if (r == 0)
                r = read_text(record, "request", REQUEST_ID_LEN, &request, f);
        if (r == 0)
                r = read_number(record, "created", INT64_MAX, &job->created_usec, f);
        if (r == 0)
                r = read_number(record, "defined", INT64_MAX, &job->defined_usec, f);
        if (r == 0)
                r = read_number(record, "timeout", JOB_TIMEOUT_MAX_USEC, &job->timeout_usec, f);
        if (r == 0)
                r = read_number(record, "retries", JOB_RETRIES_MAX, &retries, f);
        if (r == 0)
                r = read_text(record, "schedule", JOB_SCHEDULE_MAX, &job->schedule, f);
        if (r == 0)
                r = job_schedule_check(job->schedule, "schedule", f);
        if (r == 0)
                r = read_spec(record, job, ret_spec, f);
        job->retries = (unsigned) retries;
        if (r == 0)
                (void) stpncpy(job->request_id, request, REQUEST_ID_LEN);
        return r;
}

int job_text_read(const char *service, struct job *ret, char **ret_spec, struct fault *f)
{
        const char *line = strstr(service, RECORD);
        _cleanup_(json_freep) struct json *record = NULL;
        struct job job = { .peak_memory = UINT64_MAX, .state = JOB_STATE_SCHEDULED };
        _cleanup_free_ char *spec = NULL;

        if (!line)
                return damaged("there is none", f);
        line += strlen(RECORD);
        record = json_parse(line, strcspn(line, "\n"), "Job", f);
        if (!record)
                return -EINVAL;
        if (!json_is_object(record))
                return damaged("it is no object", f);
        if (read_record(record, &job, &spec, f) < 0) {
                job_reset(&job);
                return -EINVAL;
        }
        *ret = job;
        *ret_spec = TAKE(spec);
        return 0;
}
