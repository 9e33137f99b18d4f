/* SPDX-License-Identifier: Apache-2.0 */

#include "core/job.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#define PREFIX "job-"
#define KILLED 137 /* what docker says of a container that SIGKILL ended */
/* The limit is met page by page, in batches for each CPU. */
#define LIMIT_SLACK (UINT64_C(1) << 20)

const char *job_state_name(enum job_state s)
{
        static const char *const names[N_JOB_STATES] = { "waiting", "running", "succeeded", "failed", "canceled", "scheduled" };

        return names[s];
}

bool job_ended_well(const struct job *job)
{
        return job->exit_code == CLD_EXITED && job->exit_status == 0;
}

bool job_was_out_of_memory(const struct job *job)
{
        return job->exit_code == CLD_EXITED && job->exit_status == KILLED && job->memory_max > 0 &&
               job->peak_memory != UINT64_MAX && job->peak_memory + LIMIT_SLACK >= job->memory_max;
}

/* --- names ------------------------------------------------------------------------------- */

void job_unit_name(const char *id, char ret[static UNIT_NAME_MAX])
{
        (void) snprintf(ret, UNIT_NAME_MAX, PREFIX "%.*s.service", GEAR_ID_MAX, id);
}

void job_timer_name(const char *id, char ret[static UNIT_NAME_MAX])
{
        (void) snprintf(ret, UNIT_NAME_MAX, PREFIX "%.*s.timer", GEAR_ID_MAX, id);
}

void job_container_name(const char *id, char ret[static UNIT_NAME_MAX])
{
        (void) snprintf(ret, UNIT_NAME_MAX, PREFIX "%.*s", GEAR_ID_MAX, id);
}

bool job_id_of_unit(const char *unit, char ret[static GEAR_ID_MAX + 1])
{
        const char *id = unit + strlen(PREFIX), *dot = strrchr(unit, '.');
        int n;

        if (!starts_with(unit, PREFIX) || !dot || dot <= id || dot - id > GEAR_ID_MAX ||
            (!streq(dot, ".service") && !streq(dot, ".timer")))
                return false;
        n = (int) (dot - id);
        (void) snprintf(ret, GEAR_ID_MAX + 1, "%.*s", n, id);
        return gear_id_valid(ret);
}

void job_env_name(const struct job *job, char ret[static JOB_ENV_MAX])
{
        if (job->schedule)
                (void) snprintf(ret, JOB_ENV_MAX, "%.*s%c%" PRIu64, GEAR_ID_MAX, job->id, JOB_ENV_MARK, job->defined_usec);
        else
                (void) snprintf(ret, JOB_ENV_MAX, "%.*s", GEAR_ID_MAX, job->id);
}

/* A dash in the name of a slice means that it lies in another. */
void job_slice_name(const char *id, char ret[static JOB_SLICE_MAX])
{
        size_t n = (size_t) snprintf(ret, JOB_SLICE_MAX, "gear-jobs-");

        for (const char *p = id; *p && n <= JOB_SLICE_MAX - sizeof "\\x2d.slice"; p++)
                n += (size_t) snprintf(ret + n, JOB_SLICE_MAX - n, *p == '-' ? "\\x2d" : "%c", *p);
        (void) snprintf(ret + n, JOB_SLICE_MAX - n, ".slice");
}

/* --- one of them ----------------------------------------------------------------------------- */

void job_reset(struct job *job)
{
        free(job->id);
        free(job->image);
        free(job->user);
        free(job->schedule);
        free(job->why);
        free(job->damage);
        *job = (struct job){ 0 };
}

static void take_string(char **to, char **from)
{
        free(*to);
        *to = TAKE(*from);
}

void job_take_definition(struct job *job, struct job *from)
{
        take_string(&job->image, &from->image);
        take_string(&job->user, &from->user);
        take_string(&job->schedule, &from->schedule);
        take_string(&job->damage, &from->damage);
        memcpy(job->request_id, from->request_id, sizeof job->request_id);
        job->created_usec = from->created_usec;
        job->defined_usec = from->defined_usec;
        job->timeout_usec = from->timeout_usec;
        job->memory_max = from->memory_max;
        job->retries = from->retries;
}

struct job job_with_run(const struct job *job, const struct job *run)
{
        struct job with = *job;

        with.why = run->why;
        with.started_usec = run->started_usec;
        with.ended_usec = run->ended_usec;
        with.attempts = run->attempts;
        with.exit_code = run->exit_code;
        with.exit_status = run->exit_status;
        with.peak_memory = run->peak_memory;
        return with;
}

void job_take_run(struct job *job, struct job *from)
{
        free(job->why);
        *job = job_with_run(job, from);
        from->why = NULL;
}

static char *copy_of(const char *s, bool *oom)
{
        char *copy = s ? strdup(s) : NULL;

        *oom = *oom || (s && !copy);
        return copy;
}

int job_copy(const struct job *job, struct job *ret)
{
        struct job copy = *job;
        bool oom = false;

        copy.id = copy_of(job->id, &oom);
        copy.image = copy_of(job->image, &oom);
        copy.user = copy_of(job->user, &oom);
        copy.schedule = copy_of(job->schedule, &oom);
        copy.why = copy_of(job->why, &oom);
        copy.damage = copy_of(job->damage, &oom);
        copy.run = copy.watch = NULL;
        if (oom) {
                job_reset(&copy);
                return -ENOMEM;
        }
        *ret = copy;
        return 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

struct jobs {
        struct job **sorted;
        size_t n, size;
        size_t ended_max;
};

struct jobs *jobs_new(size_t ended_max)
{
        struct jobs *j = calloc(1, sizeof *j);

        if (j)
                j->ended_max = ended_max;
        return j;
}

void jobs_limit(struct jobs *j, size_t ended_max)
{
        j->ended_max = ended_max;
}

static void job_free(struct job *job)
{
        job_reset(job);
        free(job);
}

struct jobs *jobs_free(struct jobs *j)
{
        if (!j)
                return NULL;
        for (size_t i = 0; i < j->n; i++)
                job_free(j->sorted[i]);
        free(j->sorted);
        free(j);
        return NULL;
}

size_t jobs_after(const struct jobs *j, const char *id)
{
        size_t low = 0, high = j->n;

        while (id && low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(j->sorted[middle]->id, id) <= 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct job *jobs_find(const struct jobs *j, const char *id)
{
        size_t behind = jobs_after(j, id);

        return behind > 0 && streq(j->sorted[behind - 1]->id, id) ? j->sorted[behind - 1] : NULL;
}

struct job *jobs_add(struct jobs *j, const char *id)
{
        size_t place = jobs_after(j, id);
        struct job *job;

        if (place > 0 && streq(j->sorted[place - 1]->id, id))
                return j->sorted[place - 1];
        if (j->n == j->size) {
                size_t size = j->size ? 2 * j->size : 64;
                struct job **sorted = reallocarray(j->sorted, size, sizeof *sorted);

                if (!sorted)
                        return NULL;
                j->sorted = sorted;
                j->size = size;
        }
        job = calloc(1, sizeof *job);
        if (!job || !(job->id = strdup(id))) {
                free(job);
                return NULL;
        }
        job->peak_memory = UINT64_MAX;
        memmove(j->sorted + place + 1, j->sorted + place, (j->n - place) * sizeof(struct job *));
        j->sorted[place] = job;
        j->n++;
        return job;
}

void jobs_remove(struct jobs *j, struct job *job)
{
        size_t behind = jobs_after(j, job->id);

        memmove(j->sorted + behind - 1, j->sorted + behind, (j->n - behind) * sizeof(struct job *));
        j->n--;
        job_free(job);
}

void jobs_take(struct job *job, struct job *row)
{
        void *run = job->run, *watch = job->watch;

        job_reset(job);
        *job = *row;
        job->run = run;
        job->watch = watch;
        *row = (struct job){ 0 };
}

size_t jobs_count(const struct jobs *j)
{
        return j->n;
}

struct job *jobs_at(const struct jobs *j, size_t i)
{
        return j->sorted[i];
}

static bool is_over(const struct job *job)
{
        return job_state_is_final(job->state) && !job->run;
}

static int by_end(const void *a, const void *b)
{
        uint64_t x = (*(struct job *const *) a)->ended_usec, y = (*(struct job *const *) b)->ended_usec;

        return (x > y) - (x < y);
}

size_t jobs_too_old(const struct jobs *j, struct job **ret, size_t max)
{
        struct job **over;
        size_t n = 0, surplus;

        for (size_t i = 0; i < j->n; i++)
                n += is_over(j->sorted[i]);
        if (n <= j->ended_max)
                return 0;
        over = calloc(n, sizeof *over);
        if (!over)
                return 0; /* they stay a little longer */
        surplus = n - j->ended_max < max ? n - j->ended_max : max;
        n = 0;
        for (size_t i = 0; i < j->n; i++)
                if (is_over(j->sorted[i]))
                        over[n++] = j->sorted[i];
        qsort(over, n, sizeof(struct job *), by_end);
        memcpy(ret, over, surplus * sizeof(struct job *));
        free(over);
        return surplus;
}
