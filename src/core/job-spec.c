/* SPDX-License-Identifier: Apache-2.0 */

/* The body of PUT /jobs: a spec, and what only a job has. */

#include "core/job.h"
#include "core/spec-read.h"

#include <stdio.h>

#define USEC_PER_SEC UINT64_C(1000000)

void job_spec_reset(struct job_spec *s)
{
        spec_reset(&s->spec);
        s->schedule = (free(s->schedule), NULL);
}

/* Fields of a gear that say how it goes on, where a job comes to its end. */
static int refuse_fields_of_gears(const struct json *body, struct fault *f)
{
        static const struct {
                const char *name, *why;
        } fields[] = {
                { "restart", "a job runs once; `retries' says how often it is tried again" },
                { "health", "a job has none: how it ends is what counts" },
                { "ready", "a job has none: how it ends is what counts" },
                { "started", "a job is run when its turn comes" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                if (spec_member(body, fields[i].name))
                        return spec_refuse(fields[i].name, fields[i].why, f);
        return 0;
}

/* Leases are for what stays. */
static int check_ports(const struct spec *spec, struct fault *f)
{
        char field[FAULT_FIELD_MAX];

        for (size_t i = 0; i < spec->n_ports; i++) {
                (void) snprintf(field, sizeof field, "ports[%zu].external", i);
                if (!spec->ports[i].external)
                        return spec_refuse(field, "none is leased for a job: it must be named", f);
        }
        return 0;
}

/* systemd's grammar needs no more than these, and none of them has a meaning in a unit file, but for spaces at its ends. */
int job_schedule_check(const char *schedule, const char *field, struct fault *f)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.*:/~+_-";
        size_t n = strlen(schedule);

        if (n > 0 && n <= JOB_SCHEDULE_MAX && strspn(schedule, allowed) == n && schedule[0] != ' ' && schedule[n - 1] != ' ')
                return 0;
        return spec_refuse(field, "a calendar event as in systemd.time(7) is expected", f);
}

static int read_schedule(const struct json *body, struct job_spec *s, struct fault *f)
{
        const struct json *schedule = spec_member(body, "schedule");
        int r = schedule ? spec_read_string(schedule, "schedule", JOB_SCHEDULE_MAX, &s->schedule, f) : 0;

        if (r == 0 && schedule)
                r = job_schedule_check(s->schedule, "schedule", f);
        if (r == 0 && spec_member(body, "replace") && !schedule)
                return spec_refuse("replace", "a job that has ended is replaced by the next one of its id", f);
        return r;
}

static int read_members(const struct json *body, struct job_spec *s, struct fault *f)
{
        const struct json *id = spec_member(body, "id"), *timeout = spec_member(body, "timeout"),
                          *retries = spec_member(body, "retries");
        const char *text = NULL;
        uint64_t n = 0;
        int r = refuse_fields_of_gears(body, f);

        if (r == 0 && id)
                r = json_get_string(id, "id", GEAR_ID_MAX, &text, f);
        if (r == 0 && text)
                r = gear_id_check(text, "id", f);
        if (r == 0 && timeout)
                r = spec_read_duration(timeout, "timeout", USEC_PER_SEC, JOB_TIMEOUT_MAX_USEC, &s->timeout_usec, f);
        if (r == 0 && retries)
                r = json_get_uint(retries, "retries", 0, JOB_RETRIES_MAX, &n, f);
        if (r == 0)
                r = read_schedule(body, s, f);
        if (r == 0) {
                s->retries = (unsigned) n;
                (void) snprintf(s->id, sizeof s->id, "%s", text ? text : "");
        }
        return r;
}

int job_spec_from_json(const struct json *body, const char *image, struct job_spec *ret, struct fault *f)
{
        static const char *const names[] = { "id", "timeout", "retries", "schedule", NULL };
        _cleanup_(job_spec_reset) struct job_spec s = { 0 };
        int r = spec_from_json_among(body, image, names, &s.spec, f);

        if (r == 0 && body)
                r = read_members(body, &s, f);
        if (r == 0)
                r = check_ports(&s.spec, f);
        if (r < 0)
                return r;
        *ret = s;
        s = (struct job_spec){ 0 };
        return 0;
}
