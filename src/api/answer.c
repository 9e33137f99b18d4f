/* SPDX-License-Identifier: Apache-2.0 */

#include "api/answer.h"

#include "http/problem.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
        enum fault_kind kind;
        int status;
} statuses[] = {
        { FAULT_INVALID, 400 },
        { FAULT_UNKNOWN_WHO, 401 },
        { FAULT_DENIED, 403 },
        { FAULT_MISSING, 404 },
        { FAULT_CONFLICT, 409 },
        { FAULT_TOO_LARGE, 413 },
        { FAULT_INTERNAL, 500 },
        { FAULT_FAILED, 500 },
        { FAULT_UPSTREAM, 502 },
        { FAULT_AWAY, 503 },
        { FAULT_BUSY, 503 },
        { FAULT_TIMEOUT, 504 },
        { FAULT_NO_SPACE, 507 },
};

int answer_status(const struct fault *fault)
{
        for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
                if (statuses[i].kind == fault->kind)
                        return statuses[i].status;
        return 500;
}

static void write_fault(struct text *t, bool json, const struct fault *fault)
{
        problem_write(t, json, answer_status(fault), fault->field, fault->text);
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
        write_fault(&t, json, fault);
        send_text(reply, answer_status(fault), problem_type(json), &t);
}

void answer_fault(struct call *call, const struct fault *fault)
{
        call_refused(call, fault);
        send_fault(TAKE(call->reply), call_wants_json(call->request), fault);
}

void answer_problem(struct call *call, int status, const char *detail)
{
        bool json = call_wants_json(call->request);
        _cleanup_text_ struct text t = { 0 };

        problem_write(&t, json, status, NULL, detail);
        send_text(TAKE(call->reply), status, problem_type(json), &t);
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

/* --- streams ------------------------------------------------------------------------------ */

static void write_refusal(struct text *t, enum stream_form form, const struct fault *fault)
{
        switch (form) {
        case STREAM_OUTPUT:
                break;
        case STREAM_WORDS:
                text_addf(t, "refused %d: %s\n", answer_status(fault), fault->text);
                break;
        case STREAM_OBJECTS:
                write_fault(t, true, fault);
                break;
        case STREAM_EVENTS:
                text_add(t, "event: refused\ndata: ");
                write_fault(t, true, fault);
                text_addc(t, '\n');
                break;
        }
}

void answer_no_longer(struct reply *reply, enum stream_form form)
{
        _cleanup_text_ struct text t = { 0 };
        struct fault f;

        (void) fault_set(&f, FAULT_DENIED, NULL, "these credentials do not allow this any longer");
        if (!reply_begun(reply)) {
                send_fault(reply, form == STREAM_OBJECTS, &f);
                return;
        }
        write_refusal(&t, form, &f);
        if (!text_ok(&t)) {
                reply_abort(reply);
                return;
        }
        (void) reply_write(reply, t.data, t.len);
        reply_end(reply);
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
        const char *type = json && outcome->json && outcome->good ? "application/json"
                                                                   : problem_type(json && outcome->json);

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

        write_fault(&text, false, fault);
        write_fault(&json, true, fault);
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
