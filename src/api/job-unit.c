/* SPDX-License-Identifier: Apache-2.0 */

#include "api/job-unit.h"

#include "api/task.h"
#include "core/job-text.h"
#include "core/run-end.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* The engine gets this much longer than the container to come to an end. */
#define STOP_MARGIN_USEC (15 * USEC_PER_SEC)

void job_unit_set(struct job_unit *u, struct setting s)
{
        assert(u->n < JOB_UNIT_SETTINGS_MAX);
        u->settings[u->n++] = s;
}

static void set_life(struct job_unit *u, const struct job *job, const struct spec *spec)
{
        job_unit_set(u, SET_STRING("Description", u->description));
        job_unit_set(u, SET_STRING("Type", "oneshot"));
        job_unit_set(u, SET_BOOL("RemainAfterExit", true));
        job_unit_set(u, SET_STRING("Slice", TASK_SLICE));
        job_unit_set(u, SET_STRING("NotifyAccess", "main"));
        job_unit_set(u, SET_STRING("KillMode", "mixed"));
        job_unit_set(u, SET_U64("TimeoutStartUSec", job->timeout_usec));
        job_unit_set(u, SET_U64("TimeoutStopUSec", spec->stop_timeout_usec + STOP_MARGIN_USEC));
}

static void set_log(struct job_unit *u, const struct config *config, const struct job *job)
{
        bool limited = config->log_rate_burst > 0;

        if (job->created_usec) {
                unit_log_created(job->created_usec, u->created);
                u->fields[0] = u->created;
                job_unit_set(u, SET_LIST("LogExtraFields", SETTING_FIELDS, u->fields));
        }

        /* The container's own lines carry job-ID; these are gear-unit's. */
        job_unit_set(u, SET_STRING("SyslogIdentifier", "gear-unit"));
        job_unit_set(u, SET_U64("LogRateLimitIntervalUSec", limited ? config->log_rate_usec : UNIT_NO_LOG_LIMIT_USEC));
        job_unit_set(u, SET_U32("LogRateLimitBurst", limited ? config->log_rate_burst : UNIT_NO_LOG_LIMIT_BURST));
}

/* gear-unit's own words, up to its verb. */
static size_t write_helper(struct job_unit *u, const struct config *config, const char **words)
{
        size_t n = 0;

        (void) snprintf(u->socket, sizeof u->socket, "--socket=%s", config->docker_socket);
        words[n++] = config->helper;
        words[n++] = u->socket;
        if (config->docker_unit[0]) {
                (void) snprintf(u->engine, sizeof u->engine, "--engine=%s", config->docker_unit);
                words[n++] = u->engine;
        }
        words[n++] = u->cgroup;
        return n;
}

static int write_start(struct job_unit *u, const struct daemon *d, char *const *argv)
{
        const char *words[JOB_UNIT_WORDS_MAX];
        size_t n = write_helper(u, d->config, words);
        int r = 0;

        words[n++] = u->retries;
        words[n++] = "job";
        words[n++] = u->container;
        for (size_t i = 0; i < n; i++)
                r |= strv_add(&u->start, words[i]);
        for (; *argv; argv++)
                r |= strv_add(&u->start, *argv);
        return r == 0 ? 0 : -ENOMEM;
}

static void write_clean(struct job_unit *u, const struct daemon *d)
{
        size_t n = write_helper(u, d->config, u->clean);

        u->clean[n++] = "clean-job";
        u->clean[n++] = u->container;
        u->clean[n] = NULL;
}

/* One driver wants the slice's name, the other its path; neither takes the other's. */
static void name_cgroup(struct job_unit *u, const struct daemon *d, const char *id)
{
        const char *driver = docker_cgroup_driver(d->docker);
        char slice[JOB_SLICE_MAX], path[JOB_SLICE_MAX + 40];

        job_slice_name(id, slice);
        (void) snprintf(path, sizeof path, "/gear.slice/" TASK_SLICE "/%s", slice);
        (void) snprintf(u->cgroup, sizeof u->cgroup, "--cgroup=%s", path);
        (void) snprintf(u->parent, sizeof u->parent, "%s", driver && streq(driver, "systemd") ? slice : path);
}

static int write_commands(struct job_unit *u, const struct daemon *d, const struct job_unit_options *o, struct fault *f)
{
        char environment[JOB_ENV_MAX] = "";
        const struct unit_origin origin = { .kind = UNIT_JOB,
                                            .id = o->job->id,
                                            .request_id = o->job->request_id,
                                            .environment = environment,
                                            .options = o->options };
        _cleanup_strv_ char **argv = NULL;
        struct unit_host host;

        if (!o->no_environment)
                job_env_name(o->job, environment);
        daemon_unit_host(d, &host);
        host.cgroup_parent = u->parent;
        if (unit_docker_argv(o->spec, &origin, &host, &argv) < 0 || write_start(u, d, argv) < 0)
                return fault_oom(f);
        write_clean(u, d);
        return unit_argv_check(u->start, f);
}

int job_unit_init(struct job_unit *u, const struct daemon *d, const struct job_unit_options *o, struct fault *f)
{
        const struct job *job = o->job;
        int r;

        *u = (struct job_unit){ 0 };
        if (o->description)
                (void) snprintf(u->description, sizeof u->description, "%s", o->description);
        else
                (void) snprintf(u->description, sizeof u->description, "Job %s", job->id);
        (void) snprintf(u->retries, sizeof u->retries, "--retries=%u", job->retries);
        job_container_name(job->id, u->container);
        name_cgroup(u, d, job->id);
        set_life(u, job, o->spec);
        set_log(u, d->config, job);
        r = write_commands(u, d, o, f);
        job_unit_set(u, SET_LIST("ExecStart", SETTING_COMMAND, (const char *const *) u->start));
        job_unit_set(u, SET_LIST("ExecStopPost", SETTING_COMMAND, u->clean));
        return r;
}

void job_unit_reset(struct job_unit *u)
{
        u->start = strv_free(u->start);
}

/* --- as files ---------------------------------------------------------------------------------------- */

int job_unit_files(const struct daemon *d, const struct job *job, const struct spec *spec, struct text *ret_service,
                   struct text *ret_timer, struct fault *f)
{
        _cleanup_text_ struct text canonical = { 0 };
        struct unit_host host;
        struct job_unit u;
        int r = job_unit_init(&u, d, &(struct job_unit_options){ .job = job, .spec = spec }, f);

        daemon_unit_host(d, &host);
        spec_to_json(spec, &canonical);
        if (r == 0 && !text_ok(&canonical))
                r = fault_oom(f);
        if (r == 0)
                r = job_text_service(&(struct job_text){ .job = job,
                                                         .spec = canonical.data,
                                                         .start = u.start,
                                                         .clean = u.clean,
                                                         .stop_usec = spec->stop_timeout_usec + STOP_MARGIN_USEC,
                                                         .host = &host },
                                     ret_service, f);
        if (r == 0)
                r = job_text_timer(job, ret_timer, f);
        job_unit_reset(&u);
        return r;
}

/* --- its end ----------------------------------------------------------------------------------------- */

bool job_unit_take_end(struct job *job, const struct unit_change *unit)
{
        unsigned attempts = 0, of;
        uint64_t peak = UINT64_MAX;

        job->attempts = 0;
        job->peak_memory = UINT64_MAX;
        job->exit_code = unit->exit_code;
        job->exit_status = unit->exit_status;
        job->ended_usec = unit->main_ended_usec;
        if (unit->status && sscanf(unit->status, JOB_STATUS ", " JOB_STATUS_PEAK, &attempts, &of, &peak) >= 2) {
                job->attempts = attempts;
                job->peak_memory = peak;
        }
        return unit->result && streq(unit->result, "timeout");
}

void job_unit_set_why(struct job *job, bool out_of_time, const char *otherwise)
{
        free(job->why);
        job->why = NULL;
        if (out_of_time && asprintf(&job->why, JOB_TOO_LONG " %" PRIu64 " s (timeout)", job->timeout_usec / USEC_PER_SEC) < 0)
                job->why = NULL;
        else if (!out_of_time && job->exit_code == 0 && otherwise)
                job->why = strdup(otherwise);
}
