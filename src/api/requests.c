/* SPDX-License-Identifier: Apache-2.0 */

/* GET /requests/{id}: from memory while it is there, else from the database. */

#include "api/requests.h"

#include "api/answer.h"
#include "sys/database.h"

struct asking {
        struct reply *reply;
        struct database_op *op;
        char **patterns; /* of what may be told; NULL: everything */
        bool json;
};

static struct asking *asking_free(struct asking *a)
{
        if (a)
                (void) strv_free(a->patterns);
        free(a);
        return NULL;
}
DEFINE_CLEANUP(struct asking, asking_free);

/* The same for one that is another's. */
static int unknown(struct fault *f)
{
        return fault_set(f, FAULT_MISSING, "id", "no such request of yours is known");
}

static void describe_outcome(const char *id, uint64_t began_usec, const struct outcome *o,
                             const char *progress, struct text *text, struct text *json)
{
        text_add(json, "{");
        json_put(json, "request", id);
        json_put(json, "state", o->code == 0 ? "running" : o->good ? "done" : "failed");
        json_putu(json, "began", began_usec / USEC_PER_SEC);
        if (o->code == 0) {
                json_put(json, "progress", progress);
                text_addf(text, "running: %s\n", progress);
        } else {
                json_putu(json, "status", (uint64_t) o->code);
                if (o->json) {
                        json_name(json, "body");
                        text_addn(json, o->json, strcspn(o->json, "\n"));
                }
                text_addf(text, "%s %d: %s", o->good ? "done" : "failed", o->code, o->text ? o->text : "\n");
        }
        text_add(json, "}\n");
}

static void asking_found(void *arg, struct database_request *rows, size_t n, const struct fault *fault)
{
        _cleanup_(asking_freep) struct asking *a = arg;
        _cleanup_text_ struct text text = { 0 }, json = { 0 };
        struct outcome outcome;
        struct fault f;

        if (n > 0 && (!a->patterns || pattern_covers(a->patterns, rows[0].resource))) {
                describe_outcome(rows[0].id, rows[0].began_usec, &rows[0].outcome, "", &text, &json);
                outcome = (struct outcome){ .code = 200, .good = true, .text = text_take(&text) };
                outcome.json = text_take(&json);
        } else {
                (void) unknown(&f);
                outcome_of_fault(&outcome, fault ? fault : &f);
        }
        answer_outcome(TAKE(a->reply), a->json, &outcome);
        outcome_reset(&outcome);
}

static void asking_left(void *arg)
{
        _cleanup_(asking_freep) struct asking *a = arg;

        (void) database_cancel(a->op);
        reply_abort(TAKE(a->reply));
}

static void ask_database(struct call *call, const char *id)
{
        struct asking *a = calloc(1, sizeof *a);
        struct fault f;

        if (a && access_patterns(&call->who, &a->patterns) == 0)
                a->op = database_find(call->daemon->database, call->who.principal, id, asking_found, a);
        if (!a || !a->op) {
                (void) asking_free(a);
                (void) fault_oom(&f);
                answer_fault(call, &f);
                return;
        }
        a->json = call_wants_json(call->request);
        a->reply = TAKE(call->reply);
        reply_watch(a->reply, NULL, asking_left, a);
}

static void request_get(struct call *call)
{
        char id[REQUEST_ID_LEN + 1];
        const struct request *request;
        _cleanup_text_ struct text text = { 0 }, json = { 0 };
        struct fault f;

        if (request_id_canonical(route_param(&call->match, "id"), id) < 0) {
                (void) fault_set(&f, FAULT_INVALID, "id", "id: a request id is 1 to 32 hex digits");
                answer_fault(call, &f);
                return;
        }
        request = requests_find(call->daemon->requests, call->who.principal, id);
        if (!request) {
                ask_database(call, id);
                return;
        }
        if (!access_covers(&call->who, request_resource(request))) {
                (void) unknown(&f);
                answer_fault(call, &f);
                return;
        }
        describe_outcome(id, request_began(request), request_outcome(request),
                         request_last_progress(request), &text, &json);
        answer_either(call, 200, text_ok(&text) && text.data ? text.data : "", &json);
}

static const struct route routes[] = {
        { HTTP_GET, "/requests/{id}", request_get, "gear.read", 0,
          "How a change of yours went, or how far it is" },
};
const struct route_table requests_routes = { routes, ARRAY_SIZE(routes) };
