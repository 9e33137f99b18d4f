/* SPDX-License-Identifier: Apache-2.0 */

#include "api/job-json.h"

#include "api/failure.h"
#include "core/moment.h"

#include <inttypes.h>
#include <signal.h>

static void put_time(struct text *t, const char *name, uint64_t usec)
{
        json_name(t, name);
        if (!usec) {
                text_add(t, "null");
                return;
        }
        text_addc(t, '"');
        moment_add(t, usec, 3);
        text_addc(t, '"');
}

static void put_seconds(struct text *t, const char *name, uint64_t usec)
{
        json_name(t, name);
        text_addf(t, "%" PRIu64 ".%03" PRIu64, usec / USEC_PER_SEC, usec % USEC_PER_SEC / 1000);
}

static bool has_status(const struct job *job)
{
        return job->exit_code == CLD_EXITED;
}

/* The reason, wherever there is one. */
static void add_meaning(const struct job *job, struct text *t)
{
        if (job->damage)
                text_addf(t, "its unit file cannot be read: %s", job->damage);
        else if (job->why)
                text_add(t, job->why);
        else if (job->exit_code != 0 && !job_ended_well(job)) {
                text_add(t, "it ");
                failure_of_exit(t, job->exit_code, job->exit_status, job_was_out_of_memory(job));
        }
}

static void put_end(const struct job *job, struct text *t)
{
        _cleanup_text_ struct text meaning = { 0 };

        add_meaning(job, &meaning);
        json_name(t, "exit_status");
        if (has_status(job))
                text_addf(t, "%d", job->exit_status);
        else
                text_add(t, "null");
        json_put(t, "reason", text_ok(&meaning) && meaning.len ? meaning.data : NULL);
        json_name(t, "peak_memory");
        if (job->peak_memory == UINT64_MAX)
                text_add(t, "null");
        else
                text_addf(t, "%" PRIu64, job->peak_memory);
}

/* While it runs its timer still says when that was due, and nobody knows the time after that. */
static uint64_t next_of(const struct job *job)
{
        return job->state == JOB_STATE_RUNNING && job->next_usec <= job->started_usec ? 0 : job->next_usec;
}

/* Of one with a schedule: what its last run came to. */
static const char *result_of(const struct job *job)
{
        if (job_state_is_final(job->state))
                return job_state_name(job->state);
        if (!job->schedule || !job->ended_usec)
                return NULL;
        return job_state_name(job_ended_well(job) && !job->why ? JOB_STATE_SUCCEEDED : JOB_STATE_FAILED);
}

void job_to_json(const struct job *job, const char *spec, const char *output, struct text *t)
{
        char unit[UNIT_NAME_MAX];

        job_unit_name(job->id, unit);
        text_addc(t, '{');
        json_put(t, "id", job->id);
        json_put(t, "state", job_state_name(job->state));
        json_put(t, "image", job->image);
        json_put(t, "unit", unit);
        json_put(t, "user", job->user && *job->user ? job->user : NULL);
        json_put(t, "request", job->request_id[0] ? job->request_id : NULL);
        put_time(t, "created", job->created_usec);
        put_time(t, "started", job->started_usec);
        put_time(t, "ended", job->ended_usec);
        json_put(t, "result", result_of(job));
        json_put(t, "schedule", job->schedule);
        put_time(t, "next", next_of(job));
        put_seconds(t, "timeout", job->timeout_usec);
        json_putu(t, "retries", job->retries);
        json_putu(t, "attempts", job->attempts);
        put_end(job, t);
        if (spec) {
                json_name(t, "spec");
                text_add(t, spec);
        }
        if (output)
                json_put(t, "output", output);
        text_addc(t, '}');
}

static void add_sentence(const struct job *job, const char *state, struct text *t)
{
        _cleanup_text_ struct text meaning = { 0 };
        uint64_t took = job->ended_usec > job->started_usec && job->started_usec ? job->ended_usec - job->started_usec : 0;

        add_meaning(job, &meaning);
        text_add(t, state);
        if (took)
                text_addf(t, " after %" PRIu64 ".%03" PRIu64 " s", took / USEC_PER_SEC, took % USEC_PER_SEC / 1000);
        if (job->attempts > 1)
                text_addf(t, ", at attempt %u of %u", job->attempts, job->retries + 1);
        if (text_ok(&meaning) && meaning.len)
                text_addf(t, ": %s", meaning.data);
}

void job_sentence(const struct job *job, struct text *t)
{
        add_sentence(job, job_state_name(job->state), t);
}

static void add_column(struct text *t, uint64_t usec)
{
        if (usec)
                moment_add(t, usec, 0);
        else
                text_addf(t, "%-20s", "-");
        text_addc(t, ' ');
}

void job_to_row(const struct job *job, struct text *t)
{
        text_addf(t, "%-32s %-10s ", job->id, job_state_name(job->state));
        if (has_status(job))
                text_addf(t, "%-6d ", job->exit_status);
        else
                text_addf(t, "%-6s ", "-");
        add_column(t, job->started_usec);
        add_column(t, next_of(job));
        text_addf(t, "%s\n", job->image);
}

static void add_line(struct text *t, const char *name, uint64_t usec)
{
        if (!usec)
                return;
        text_addf(t, "%12s: ", name);
        moment_add(t, usec, 3);
        text_addc(t, '\n');
}

void job_to_text(const struct job *job, const char *output, struct text *t)
{
        const char *result = job->schedule ? result_of(job) : NULL;

        text_addf(t, "Job %s ", job->id);
        if (result)
                text_addf(t, "%s; its last run ", job_state_name(job->state));
        add_sentence(job, result ? result : job_state_name(job->state), t);
        text_addf(t, "\n%12s: %s\n", "Image", job->image);
        if (job->schedule)
                text_addf(t, "%12s: %s\n", "Schedule", job->schedule);
        add_line(t, "Next", next_of(job));
        add_line(t, "Created", job->created_usec);
        add_line(t, "Started", job->started_usec);
        add_line(t, "Ended", job->ended_usec);
        if (has_status(job))
                text_addf(t, "%12s: %d\n", "Status", job->exit_status);
        if (job->peak_memory != UINT64_MAX)
                text_addf(t, "%12s: at most %.1f MiB\n", "Memory", (double) job->peak_memory / (1 << 20));
        if (output && *output)
                text_addf(t, "\n%s", output);
}
