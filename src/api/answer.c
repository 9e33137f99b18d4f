/* SPDX-License-Identifier: Apache-2.0 */

#include "api/answer.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
        enum fault_kind kind;
        int status;
        const char *title;
} statuses[] = {
        { FAULT_INVALID, 400, "Invalid request" },
        { FAULT_UNKNOWN_WHO, 401, "Credentials needed" },
        { FAULT_DENIED, 403, "Not allowed" },
        { FAULT_MISSING, 404, "Not found" },
        { FAULT_CONFLICT, 409, "Conflict" },
        { FAULT_TOO_LARGE, 413, "Too large" },
        { FAULT_INTERNAL, 500, "Internal error" },
        { FAULT_FAILED, 500, "It did not work" },
        { FAULT_UPSTREAM, 502, "systemd, the engine or a registry failed" },
        { FAULT_AWAY, 503, "Not reachable" },
        { FAULT_BUSY, 503, "Busy" },
        { FAULT_TIMEOUT, 504, "It took too long" },
        { FAULT_NO_SPACE, 507, "No space left" },
};

static size_t row_of(const struct fault *fault)
{
        for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
                if (statuses[i].kind == fault->kind)
                        return i;
        return 6; /* internal */
}

int answer_status(const struct fault *fault)
{
        return statuses[row_of(fault)].status;
}

static void problem_json(struct text *t, const struct fault *fault)
{
        size_t row = row_of(fault);

        text_addc(t, '{');
        json_put(t, "type", "about:blank");
        json_put(t, "title", statuses[row].title);
        json_putu(t, "status", (uint64_t) statuses[row].status);
        json_put(t, "detail", fault->text);
        if (fault->field[0])
                json_put(t, "field", fault->field);
        text_add(t, "}\n");
}

/* --- answering a call ------------------------------------------------------------------ */

static void send_text(struct reply *reply, int status, const char *type, const struct text *t)
{
        if (text_ok(t))
                reply_send(reply, status, type, t->data ? t->data : "", t->len);
        else
                reply_send(reply, 500, "text/plain; charset=utf-8", "out of memory\n", strlen("out of memory\n"));
}

static void send_fault(struct reply *reply, bool json, const struct fault *fault)
{
        _cleanup_text_ struct text t = { 0 };

        if (fault->retry_after)
                reply_headerf(reply, "Retry-After", "%u", fault->retry_after);
        if (fault->kind == FAULT_UNKNOWN_WHO)
                reply_header(reply, "WWW-Authenticate", "Bearer");
        if (json)
                problem_json(&t, fault);
        else
                text_addf(&t, "%s\n", fault->text);
        send_text(reply, answer_status(fault), json ? "application/problem+json" : "text/plain; charset=utf-8", &t);
}

void answer_fault(struct call *call, const struct fault *fault)
{
        send_fault(TAKE(call->reply), call_wants_json(call->request), fault);
}

void answer_json(struct call *call, int status, const struct text *json)
{
        send_text(TAKE(call->reply), status, "application/json", json);
}

void answer_text(struct call *call, int status, const char *text)
{
        reply_send(TAKE(call->reply), status, "text/plain; charset=utf-8", text, strlen(text));
}

void answer_either(struct call *call, int status, const char *text, const struct text *json)
{
        if (call_wants_json(call->request))
                answer_json(call, status, json);
        else
                answer_text(call, status, text);
}

void answer_empty(struct call *call, int status)
{
        reply_send(TAKE(call->reply), status, NULL, "", 0);
}

/* --- outcomes ---------------------------------------------------------------------------- */

static void add_headers(struct reply *reply, const char *headers)
{
        _cleanup_free_ char *copy = headers ? strdup(headers) : NULL;
        char *save = NULL;

        for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
                char *colon = strstr(line, ": ");

                if (colon) {
                        *colon = '\0';
                        reply_header(reply, line, colon + 2);
                }
        }
}

void answer_outcome(struct reply *reply, bool json, const struct outcome *outcome)
{
        const char *body = json && outcome->json ? outcome->json : outcome->text;
        const char *type = !(json && outcome->json) ? "text/plain; charset=utf-8"
                           : outcome->good          ? "application/json"
                                                    : "application/problem+json";

        add_headers(reply, outcome->headers);
        if (outcome->retry_after)
                reply_headerf(reply, "Retry-After", "%u", outcome->retry_after);
        if (outcome->code == 204)
                reply_send(reply, 204, NULL, "", 0);
        else
                reply_send(reply, outcome->code, type, body ? body : "", body ? strlen(body) : 0);
}

void outcome_of_fault(struct outcome *ret, const struct fault *fault)
{
        struct text text = { 0 }, json = { 0 };

        text_addf(&text, "%s\n", fault->text);
        problem_json(&json, fault);
        *ret = (struct outcome){ .code = answer_status(fault), .retry_after = fault->retry_after };
        ret->text = text_take(&text);
        ret->json = text_take(&json);
}

void outcome_of(struct outcome *ret, int status, const char *text, struct text *json)
{
        *ret = (struct outcome){ .code = status, .good = status < 400 };
        ret->text = strdup(text);
        ret->json = json ? text_take(json) : NULL;
}

void outcome_header(struct outcome *o, const char *name, const char *format, ...)
{
        struct text t = { 0 };
        char value[512];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(value, sizeof value, format, ap);
        va_end(ap);
        if (o->headers)
                text_add(&t, o->headers);
        text_addf(&t, "%s: %s\n", name, value);
        free(o->headers);
        o->headers = text_take(&t);
}
