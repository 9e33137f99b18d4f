/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Jobs: asked for, then followed to their end by JobRemoved.  That signal is
 * lost for ever when the connection breaks, so every job that was under way is
 * then judged by the state of its unit.
 */

#include "sys/systemd-op.h"
#include "sys/unit-change.h"

static const char *const job_methods[] = {
        [SYSTEMD_START] = "StartUnit",
        [SYSTEMD_STOP] = "StopUnit",
        [SYSTEMD_RESTART] = "RestartUnit",
};

static const struct {
        const char *name;
        enum job_result result;
        const char *text;
} job_results[] = {
        { "done", JOB_DONE, "done" },
        { "canceled", JOB_CANCELED, "another job took its place" },
        { "timeout", JOB_TIMEOUT, "it took longer than the unit allows" },
        { "failed", JOB_FAILED, "the unit failed" },
        { "dependency", JOB_DEPENDENCY, "a unit it depends on failed" },
        { "skipped", JOB_SKIPPED, "systemd skipped it" },
};

const char *job_result_text(enum job_result r)
{
        for (size_t i = 0; i < ARRAY_SIZE(job_results); i++)
                if (job_results[i].result == r)
                        return job_results[i].text;
        return "systemd did not carry it out";
}

static enum job_result job_result_of(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(job_results); i++)
                if (streq(job_results[i].name, name))
                        return job_results[i].result;
        return JOB_OTHER;
}

static void job_finish(struct systemd_op *op, enum job_result result, const struct fault *fault)
{
        systemd_job_done *done = op->job_done;
        struct systemd_stats *stats = &op->systemd->stats;
        void *arg = op->arg;

        if (!fault) {
                stats->jobs++;
                stats->job_usec_sum += now_usec() - op->started_usec;
        }
        (void) systemd_cancel(op);
        done(arg, result, fault);
}

void job_removed(struct systemd *s, const char *path, const char *result)
{
        struct systemd_op *op, *next;

        /* Two callers may wait for one job: systemd merges equal ones. */
        for (op = TAILQ_FIRST(&s->jobs); op; op = next) {
                next = TAILQ_NEXT(op, link);
                if (op->job_path && streq(op->job_path, path))
                        job_finish(op, job_result_of(result), NULL);
        }
}

static void job_accepted(void *arg, sd_bus_message *reply, const char *error, const char *text)
{
        struct systemd_op *op = arg;
        const char *path;
        struct fault f;

        op->call = NULL;
        if (error && streq(error, BUS_LOST) && !bus_is_up(op->systemd->bus) && op->sent_once) {
                op->must_ask = true; /* systemd may have heard us all the same */
        } else if (error) {
                job_finish(op, JOB_OTHER, bus_fault(error, text, &f));
        } else if (sd_bus_message_read(reply, "o", &path) < 0 || !(op->job_path = strdup(path))) {
                job_finish(op, JOB_OTHER, bus_fault("unreadable", "the answer was unreadable", &f));
        }
}

struct systemd_op *job_start(struct systemd *s, enum systemd_job job, const char *unit,
                             const struct bus_call_options *call, systemd_job_done *done, void *arg)
{
        struct systemd_op *op = op_new(s, &s->jobs, unit, arg);

        if (!op)
                return NULL;
        op->job = job;
        op->job_done = done;
        op->sent_once = bus_is_up(s->bus);
        op->call = bus_call(s->bus, call, job_accepted, op);
        return op->call ? op : systemd_cancel(op);
}

struct systemd_op *systemd_job(struct systemd *s, enum systemd_job job, const char *unit, systemd_job_done *done,
                               void *arg)
{
        return job_start(s, job, unit,
                         &(struct bus_call_options){ .path = MANAGER_PATH,
                                                     .interface = MANAGER_INTERFACE,
                                                     .member = job_methods[job],
                                                     .timeout_usec = CALL_USEC,
                                                     .fill = fill_strings,
                                                     .fill_arg = (const char *const[]){ unit, "replace", NULL } },
                         done, arg);
}

/* --- after a lost connection ---------------------------------------------------------- */

static enum job_result judge(const struct systemd_op *op, const struct unit_change *unit)
{
        bool stopped = streq(unit->active, "inactive") || streq(unit->active, "failed");

        if (op->job == SYSTEMD_STOP)
                return stopped ? JOB_DONE : JOB_FAILED;
        return stopped ? JOB_FAILED : JOB_DONE;
}

static void job_judged(void *arg, sd_bus_message *reply, const char *error, const char *text)
{
        struct systemd_op *op = arg;
        struct unit_change unit = { 0 };
        struct fault f;

        op->call = NULL;
        if (error && streq(error, BUS_LOST)) {
                op->must_ask = true;
        } else if (error) {
                job_finish(op, JOB_OTHER, bus_fault(error, text, &f));
        } else if (unit_change_read(reply, &unit) < 0 || !unit.active) {
                job_finish(op, JOB_OTHER, bus_fault("unreadable", "the answer was unreadable", &f));
        } else if (!unit.job) {
                job_finish(op, judge(op, &unit), NULL);
        } else {
                free(op->job_path);
                op->job_path = strdup(unit.job_path);
                if (!op->job_path) {
                        (void) fault_oom(&f);
                        job_finish(op, JOB_OTHER, &f);
                }
        }
}

void jobs_resume(struct systemd *s)
{
        struct systemd_op *op, *next;

        for (op = TAILQ_FIRST(&s->jobs); op; op = next) {
                next = TAILQ_NEXT(op, link);
                if (op->call || !(op->job_path || op->must_ask))
                        continue;
                op->must_ask = false;
                op->call = ask_unit(op, "GetAll", (const char *const[]){ "", NULL }, job_judged);
                op->must_ask = !op->call;
        }
}
