/* SPDX-License-Identifier: Apache-2.0 */

#include "api/recall.h"

#include "api/answer.h"
#include "api/audit.h"
#include "api/change.h"
#include "api/gear-json.h"
#include "util/log.h"

#include <stdio.h>

#define LOOK_USEC (100 * USEC_PER_MSEC)

struct recalled {
        struct recalled *next;
        struct request *request;
        char verb[DATABASE_WORD_MAX + 1];
        char gear[GEAR_ID_MAX + 1];
};

/* --- reading them ------------------------------------------------------------------------------- */

struct reading {
        struct daemon *daemon;
        bool failed;
        struct fault fault;
};

static int recall_one(struct daemon *d, const struct database_request *row)
{
        struct recalled *recalled = calloc(1, sizeof *recalled);
        struct request *request = NULL;

        if (!recalled || requests_submit(d->requests, row->principal, row->id, row->digest, row->began_usec,
                                         &request) != 0) {
                free(recalled);
                return -ENOMEM;
        }
        request_about(request, row->resource);
        request_keep(request, row->keep_until_sec);
        audit_of_intent(request, row);
        recalled->request = request;
        (void) snprintf(recalled->verb, sizeof recalled->verb, "%s", row->verb);
        (void) snprintf(recalled->gear, sizeof recalled->gear, "%.*s", GEAR_ID_MAX, row->resource);
        recalled->next = d->recalled;
        d->recalled = recalled;
        return 0;
}

static void unfinished_found(void *arg, struct database_request *rows, size_t n, const struct fault *fault)
{
        struct reading *reading = arg;

        reading->failed = fault != NULL;
        if (fault)
                reading->fault = *fault;
        for (size_t i = 0; i < n; i++)
                if (recall_one(reading->daemon, &rows[i]) < 0)
                        log_error(LOG_FIELDS("GEARD_REQUEST_ID", rows[i].id),
                                  "what became of request %s is not looked at", rows[i].id);
        loop_stop(reading->daemon->loop);
}

/* --- what became of them --------------------------------------------------------------------------- */

enum verdict { VERDICT_OPEN, VERDICT_DONE, VERDICT_UNDONE };

static bool is_as_asked(const struct recalled *recalled, const struct gear *gear)
{
        enum gear_state state = gear_state_of(gear);
        const char *verb = recalled->verb;

        if (streq(verb, "created"))
                return streq(gear->request_id, request_id(recalled->request));
        if (streq(verb, "stopped"))
                return gear->phase == GEAR_STOPPED && state == STATE_STOPPED;
        if (streq(verb, "started"))
                return gear->phase == GEAR_STARTED && state == STATE_RUNNING;
        return streq(verb, "restarted") && state == STATE_RUNNING &&
               gear->since_usec > request_began(recalled->request);
}

/* Only when nothing is under way for the gear any more, what recovery began included. */
static enum verdict judge(const struct recalled *recalled, const struct gear *gear)
{
        if (gear && (gear->work || gear->job))
                return VERDICT_OPEN;
        if (streq(recalled->verb, "deleted"))
                return gear ? VERDICT_UNDONE : VERDICT_DONE;
        if (!gear || gear->damage)
                return VERDICT_UNDONE;
        if (is_as_asked(recalled, gear))
                return VERDICT_DONE;
        return VERDICT_UNDONE; /* variables, too: written again, they are the same */
}

static void end_done(struct daemon *d, const struct recalled *recalled, struct gear *gear)
{
        struct outcome outcome;
        struct text json = { 0 };
        char text[160];
        int code = streq(recalled->verb, "created") ? 201 : gear ? 200 : 204;

        if (gear) {
                gear_to_json(gear, &json);
                text_addc(&json, '\n');
        }
        (void) snprintf(text, sizeof text, "Gear %s was %s; geard did not live to say so\n", recalled->gear,
                        recalled->verb);
        outcome_of(&outcome, code, text, gear ? &json : NULL);
        outcome.replayed = true;
        if (gear && gear->n_ports && code == 201)
                gear_port_header(gear, &outcome);
        change_end(d, recalled->request, &outcome, recalled->gear);
}

static void end_undone(struct daemon *d, const struct recalled *recalled)
{
        struct fault f;

        (void) fault_set(&f, FAULT_AWAY, NULL,
                         "geard ended before gear %s was %s, and nothing of that is left: ask again", recalled->gear,
                         recalled->verb);
        f.retry_after = 1;
        change_fail(d, recalled->request, &f, recalled->gear);
}

static void look(void *arg)
{
        struct daemon *d = arg;

        for (struct recalled **in = &d->recalled; d->settled && *in;) {
                struct recalled *recalled = *in;
                struct gear *gear = gears_find(d->gears, recalled->gear);
                enum verdict verdict = judge(recalled, gear);

                if (verdict == VERDICT_OPEN) {
                        in = &recalled->next;
                        continue;
                }
                *in = recalled->next;
                if (verdict == VERDICT_DONE)
                        end_done(d, recalled, gear);
                else
                        end_undone(d, recalled);
                free(recalled);
        }
        if (d->recalled)
                timer_set(d->recall, LOOK_USEC);
}

int recall_requests(struct daemon *d, struct fault *f)
{
        struct reading reading = { .daemon = d };

        d->recall = timer_new(d->loop, look, d);
        if (!d->recall || !database_unfinished(d->database, unfinished_found, &reading))
                return fault_oom(f);
        if (loop_run(d->loop) < 0)
                return fault_set(f, FAULT_INTERNAL, NULL, "the loop does not run");
        if (reading.failed)
                log_error(NO_FIELDS, "no change can be made while this lasts: %s", reading.fault.text);
        if (d->recalled)
                timer_set(d->recall, LOOK_USEC);
        return 0;
}

void recall_leave(struct daemon *d)
{
        struct recalled *recalled;
        struct fault f;

        (void) fault_set(&f, FAULT_AWAY, NULL, "geard stops before it is known what became of this: ask again");
        f.retry_after = 2;
        while ((recalled = d->recalled)) {
                d->recalled = recalled->next;
                change_leave(d, recalled->request, &f);
                free(recalled);
        }
}
