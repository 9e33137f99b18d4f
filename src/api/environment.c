/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a gear's processes are given: the environment - read, replaced, changed,
 * emptied - and the host ports that lead to them.  The environment is a file
 * of its own that the container's client reads when it starts, so a change is
 * one atomic write and counts from the next start on.  Its values appear in the
 * answer to a read and nowhere else.
 */

#include "api/environment.h"

#include "api/answer.h"
#include "api/gear-json.h"
#include "api/lookup.h"
#include "api/plan.h"
#include "api/work.h"

#include <stdio.h>

enum edit_kind { EDIT_REPLACE, EDIT_PATCH, EDIT_RECALLED };

struct edit {
        struct work work;
        enum edit_kind kind;
        struct json *body;  /* NULL: no variables at all */
        char request[DIGEST_HEX_LEN + 1]; /* the digest of the one it is for */
        size_t n_variables; /* afterwards */
        struct fault fault; /* the worker's */
};

static struct edit *edit_of(struct work *w)
{
        return container_of(w, struct edit, work);
}

static void edit_free(struct work *w)
{
        struct edit *edit = edit_of(w);

        (void) json_free(edit->body);
        free(edit);
}

/* --- changing ------------------------------------------------------------------------------------ */

/* {"Variables": [{"Name", "Value"}]} of the successor program means its array. */
static const struct json *unwrap(const struct json *body)
{
        const struct json *variables = json_is_object(body) ? json_member(body, "Variables") : NULL;

        return json_is_array(variables) && json_object_len(body) == 1 ? variables : body;
}

/* No file is no variables. In the worker's thread, as all that follows up to written(). */
static int load_variables(const struct daemon *d, const char *id, struct environ *ret, struct fault *f)
{
        int r = store_read_env(d->store, id, ret);

        if (r == -ENOENT)
                return 0;
        if (r == -EBADMSG) /* it is not the request that is wrong */
                return fault_set(f, FAULT_CONFLICT, NULL,
                                 "the environment file of gear %s is damaged: replace it with a PUT", id);
        return r < 0 ? fault_errno(f, r, "cannot read the environment of gear %s", id) : 0;
}

static int settle_variables(const struct edit *edit, struct environ *env, struct fault *f)
{
        int r;

        if (!edit->body)
                return 0;
        if (edit->kind == EDIT_REPLACE)
                return environ_from_json(unwrap(edit->body), "env", env, f);
        r = load_variables(edit->work.daemon, edit->work.id, env, f);
        return r < 0 ? r : environ_patch(env, edit->body, "env", f);
}

static int write_variables(void *arg)
{
        struct edit *edit = arg;
        _cleanup_(environ_reset) struct environ env = { 0 };
        int r = settle_variables(edit, &env, &edit->fault);

        if (r == 0)
                r = store_write_env(edit->work.daemon->store, edit->work.id, &env, edit->request, &edit->fault);
        edit->n_variables = env.n;
        return r;
}

/* What stands is what the request has written, or it has written nothing. */
static int look_at_variables(void *arg)
{
        struct edit *edit = arg;
        _cleanup_(environ_reset) struct environ env = { 0 };
        char writer[DIGEST_HEX_LEN + 1];
        int r = store_read_env_request(edit->work.daemon->store, edit->work.id, writer);

        if (r == 0 && streq(writer, edit->request))
                r = load_variables(edit->work.daemon, edit->work.id, &env, &edit->fault);
        else
                r = fault_set(&edit->fault, FAULT_AWAY, NULL,
                              "geard ended before the environment of gear %s was changed: ask again", edit->work.id);
        edit->fault.retry_after = 1;
        edit->n_variables = env.n;
        return r;
}

static void written(void *arg, int r)
{
        struct edit *edit = arg;
        const struct gear *gear = work_gear(&edit->work);
        bool runs = gear && gear->container[0];
        struct text json = { 0 };
        struct outcome outcome;
        char text[256];

        if (r < 0) {
                work_fail(&edit->work, &edit->fault);
                return;
        }
        (void) snprintf(text, sizeof text, "Gear %s has %zu variable%s%s\n", edit->work.id,
                        edit->n_variables, edit->n_variables == 1 ? "" : "s",
                        runs ? "; it runs with those of its last start until it is restarted" : "");
        text_addc(&json, '{');
        json_put(&json, "id", edit->work.id);
        json_putu(&json, "variables", edit->n_variables);
        json_putb(&json, "restart_needed", runs);
        text_add(&json, "}\n");
        outcome_of(&outcome, 200, text, &json);
        outcome.replayed = edit->kind == EDIT_RECALLED;
        work_end(&edit->work, &outcome);
}

static void edit_begin(struct work *w)
{
        const struct gear *gear = work_gear(w);
        struct edit *edit = edit_of(w);
        struct fault f;


        if (!gear || (!gear->image && !gear->damage)) {
                (void) fault_set(&f, FAULT_MISSING, "id", "there is no gear %s", w->id);
                work_fail(w, &f);
        } else if (worker_run(w->daemon->worker, edit->kind == EDIT_RECALLED ? look_at_variables : write_variables,
                              written, edit) < 0) {
                (void) fault_oom(&f);
                work_fail(w, &f);
        }
}

static const struct work_kind edit_kind = {
        .start = edit_begin,
        .free = edit_free,
};

void environment_recall(struct daemon *d, struct request *request, const char *id)
{
        struct edit *edit = calloc(1, sizeof *edit);
        struct fault f;

        if (!edit) {
                (void) fault_oom(&f);
                change_fail(d, request, &f);
                return;
        }
        edit->kind = EDIT_RECALLED;
        edit->work.kind = &edit_kind;
        edit->work.daemon = d;
        edit->work.request = request;
        (void) snprintf(edit->request, sizeof edit->request, "%s", request_digest(request));
        edit->work.may_start = work_gear_is_known;
        (void) snprintf(edit->work.id, sizeof edit->work.id, "%s", id);
        work_submit(&edit->work);
}

/* Its request may be answered before it is through: geard stops. */
static void edit_begun(struct daemon *d, struct request *request, void *arg)
{
        struct edit *edit = arg;

        if (request)
                (void) snprintf(edit->request, sizeof edit->request, "%s", request_digest(request));
        work_begun(d, request, &edit->work);
}

/* Takes the body. */
static void edit_submit(struct call *call, const char *id, enum edit_kind kind, struct json *body)
{
        _cleanup_(json_freep) struct json *owned = body;
        struct edit *edit = calloc(1, sizeof *edit);
        struct fault f;

        if (!edit) {
                (void) fault_oom(&f);
                answer_fault(call, &f);
                return;
        }
        edit->kind = kind;
        edit->body = TAKE(owned);
        edit->work.kind = &edit_kind;
        edit->work.daemon = call->daemon;
        (void) snprintf(edit->work.id, sizeof edit->work.id, "%s", id);
        change_begin(call, SUBJECT_GEAR, edit->work.id, "environment", edit_begun, edit);
}

/* All that can be wrong with the body; the file is not looked at. */
static int check_variables(enum edit_kind kind, const struct json *body, struct fault *f)
{
        _cleanup_(environ_reset) struct environ env = { 0 };

        return kind == EDIT_REPLACE ? environ_from_json(unwrap(body), "env", &env, f)
                                    : environ_patch(&env, body, "env", f);
}

static void edit_call(struct call *call, enum edit_kind kind)
{
        _cleanup_(json_freep) struct json *body = NULL;
        bool plan = false;
        struct gear *gear;
        const char *id;
        struct fault f;
        int r = call_gear_id(call, &id, &f);

        if (r == 0)
                r = call_flag(call, "plan", &plan, &f);
        if (r == 0 && lookup_gear(call, &gear, &f) < 0) {
                change_refuse(call, SUBJECT_GEAR, id, "environment", &f);
                return;
        }
        if (r == 0)
                r = call_body(call, &body, &f);
        /* An empty body is not an empty environment: a forgotten one must not wipe everything. */
        if (r == 0 && !body)
                r = fault_set(&f, FAULT_INVALID, "body", "body: an object of names and values is expected");
        if (r == 0 && plan)
                r = check_variables(kind, body, &f);
        if (r < 0)
                answer_fault(call, &f);
        else if (plan)
                plan_answer_kept(call, id, "environment", false);
        else
                edit_submit(call, id, kind, TAKE(body));
}

static void environment_put(struct call *call)
{
        edit_call(call, EDIT_REPLACE);
}

static void environment_patch(struct call *call)
{
        edit_call(call, EDIT_PATCH);
}

static void environment_delete(struct call *call)
{
        struct gear *gear;
        const char *id;
        struct fault f;

        if (call_gear_id(call, &id, &f) < 0)
                answer_fault(call, &f);
        else if (lookup_gear(call, &gear, &f) < 0)
                change_refuse(call, SUBJECT_GEAR, id, "environment", &f);
        else
                edit_submit(call, id, EDIT_REPLACE, NULL);
}

/* --- reading ------------------------------------------------------------------------------------- */

struct reading {
        struct call call; /* what it points to lives as long as the reply */
        char id[GEAR_ID_MAX + 1];
        bool json;
        struct text text; /* the worker's, as are these two */
        bool no_unit;
        struct fault fault;
};

static struct reading *reading_free(struct reading *reading)
{
        if (!reading)
                return NULL;
        text_reset(&reading->text);
        free(reading);
        return NULL;
}
DEFINE_CLEANUP(struct reading, reading_free);

static struct reading *reading_new(const struct call *call, const char *id)
{
        struct reading *reading = calloc(1, sizeof *reading);

        if (!reading)
                return NULL;
        reading->call = *call;
        reading->json = call_wants_json(call->request);
        (void) snprintf(reading->id, sizeof reading->id, "%s", id);
        return reading;
}

/* In the worker's thread. */
static int read_variables(void *arg)
{
        struct reading *reading = arg;
        _cleanup_(environ_reset) struct environ env = { 0 };
        int r = load_variables(reading->call.daemon, reading->id, &env, &reading->fault);

        if (r < 0)
                return r;
        if (env.n == 0) {
                _cleanup_free_ char *unit = NULL;

                reading->no_unit =
                        store_read_unit(reading->call.daemon->store, reading->id, &unit) == -ENOENT;
        }
        if (reading->json) {
                environ_to_json(&env, &reading->text);
                text_addc(&reading->text, '\n');
        } else {
                environ_to_file(&env, &reading->text);
        }
        return text_ok(&reading->text) ? 0 : fault_oom(&reading->fault);
}

/*
 * Deleted meanwhile, even if only its files are gone so far.  A gear that is
 * being created has no unit either, but then nothing of a record as well.
 */
static bool is_gone(const struct reading *reading)
{
        const struct gear *gear = gears_find(reading->call.daemon->gears, reading->id);

        return !gear || (reading->no_unit && (gear->image || gear->damage));
}

static void variables_read(void *arg, int r)
{
        _cleanup_(reading_freep) struct reading *reading = arg;
        struct call *call = &reading->call;

        if (r == 0 && is_gone(reading))
                r = fault_set(&reading->fault, FAULT_MISSING, "id", "there is no gear %s any more",
                              reading->id);
        if (r < 0)
                answer_fault(call, &reading->fault);
        else if (reading->json)
                answer_json(call, 200, &reading->text);
        else
                answer_text(call, 200, reading->text.data ? reading->text.data : "");
}

static void environment_get(struct call *call)
{
        _cleanup_(reading_freep) struct reading *reading = NULL;
        struct gear *gear;
        struct fault f;

        if (lookup_gear(call, &gear, &f) < 0) {
                answer_fault(call, &f);
                return;
        }
        reading = reading_new(call, gear->id);
        if (!reading || worker_run(call->daemon->worker, read_variables, variables_read, reading) < 0) {
                (void) fault_oom(&f);
                answer_fault(call, &f);
                return;
        }
        (void) TAKE(reading);
        call->reply = NULL;
}

/* --- ports --------------------------------------------------------------------------------------- */

static void ports_to_text(const struct gear *gear, struct text *t)
{
        for (size_t i = 0; i < gear->n_ports; i++) {
                const struct gear_port *port = &gear->ports[i];

                text_addf(t, "%u -> %u/%s%s%s\n", port->external, port->internal, port->udp ? "udp" : "tcp",
                          port->address ? " on " : "", port->address ? port->address : "");
        }
}

static void ports_get(struct call *call)
{
        _cleanup_text_ struct text text = { 0 }, json = { 0 };
        struct gear *gear;
        struct fault f;

        if (lookup_gear(call, &gear, &f) < 0) {
                answer_fault(call, &f);
                return;
        }
        ports_to_text(gear, &text);
        text_addc(&json, '{');
        json_name(&json, "ports");
        gear_ports_to_json(gear, &json);
        text_add(&json, "}\n");
        answer_either(call, 200, text_ok(&text) && text.data ? text.data : "", &json);
}

#define CHANGE (ROUTE_CHANGE | ROUTE_BODY)

static const struct route routes[] = {
        { HTTP_GET, "/container/env", environment_get, "gear.env", ROUTE_TOKEN, "The gear's environment" },
        { HTTP_PUT, "/container/env", environment_put, "gear.env", CHANGE | ROUTE_TOKEN,
          "Replace the environment" },
        { HTTP_PATCH, "/container/env", environment_patch, "gear.env", CHANGE | ROUTE_TOKEN,
          "Add, replace and (with null) remove variables" },
        { HTTP_DELETE, "/container/env", environment_delete, "gear.env", ROUTE_CHANGE | ROUTE_TOKEN,
          "Empty the environment" },
        { HTTP_GET, "/container/{id}/env", environment_get, "gear.env", 0, "The gear's environment" },
        { HTTP_PUT, "/container/{id}/env", environment_put, "gear.env", CHANGE, "Replace the environment" },
        { HTTP_PATCH, "/container/{id}/env", environment_patch, "gear.env", CHANGE,
          "Add, replace and (with null) remove variables" },
        { HTTP_DELETE, "/container/{id}/env", environment_delete, "gear.env", ROUTE_CHANGE,
          "Empty the environment" },
        { HTTP_GET, "/container/ports", ports_get, "gear.read", ROUTE_TOKEN, "The host ports of the gear" },
        { HTTP_GET, "/container/{id}/ports", ports_get, "gear.read", 0, "The host ports of the gear" },
};
const struct route_table environment_routes = { routes, ARRAY_SIZE(routes) };
