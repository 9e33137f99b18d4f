/* SPDX-License-Identifier: Apache-2.0 */

/* GET /audit: a page of the audit trail, as far as it is the caller's to see. */

#include "api/trail-private.h"

#include "api/answer.h"
#include "api/moment.h"

#include <inttypes.h>
#include <stdio.h>

#define LIMIT_DEFAULT 100

/* --- what is asked for ----------------------------------------------------------------------------- */

void trail_query_reset(struct trail_query *q)
{
        q->issuer = (free(q->issuer), NULL);
        q->locators = strv_free(q->locators);
}

static enum trail_format wanted_format(const struct http_request *request)
{
        const char *accept = http_header(request, "Accept");

        if (accept && strcasestr(accept, "text/event-stream"))
                return TRAIL_EVENTS;
        if (accept && strcasestr(accept, "application/x-ndjson"))
                return TRAIL_LINES;
        return call_wants_json(request) ? TRAIL_OBJECT : TRAIL_TABLE;
}

const char *trail_content_type(enum trail_format format)
{
        static const char *const types[] = {
                [TRAIL_TABLE] = "text/plain; charset=utf-8",
                [TRAIL_OBJECT] = "application/json",
                [TRAIL_LINES] = "application/x-ndjson",
                [TRAIL_EVENTS] = "text/event-stream",
        };

        return types[format];
}

static int read_number(const struct call *call, const char *name, uint64_t min, uint64_t max, uint64_t *ret,
                       struct fault *f)
{
        const char *value = http_param(call->request, name);
        uint64_t n;

        if (!value)
                return 0;
        if (!parse_u64(value, max, &n) || n < min)
                return fault_set(f, FAULT_INVALID, name,
                                 "%s: a number from %" PRIu64 " to %" PRIu64 " is expected", name, min, max);
        *ret = n;
        return 0;
}

/* Newest first, unless it is said behind which one to go on. */
static int read_place(const struct call *call, struct trail_query *q, struct fault *f)
{
        const char *last = q->format == TRAIL_EVENTS ? http_header(call->request, "Last-Event-ID") : NULL;
        bool before = http_param(call->request, "before"), after = http_param(call->request, "after");
        int r;

        if (before && (after || q->follow))
                return fault_set(f, FAULT_INVALID, "before", "before: goes back, and cannot go with %s",
                                 after ? "after" : "follow");
        q->what.oldest_first = after || q->follow;
        q->placed = after || last;
        if (last && !parse_u64(last, INT64_MAX, &q->what.from))
                return fault_set(f, FAULT_INVALID, "Last-Event-ID",
                                 "Last-Event-ID: the number of a record is expected");
        if (last)
                return 0;
        r = read_number(call, "before", 1, INT64_MAX, &q->what.from, f);
        return r == 0 ? read_number(call, "after", 0, INT64_MAX, &q->what.from, f) : r;
}

static int read_words(const struct call *call, struct trail_query *q, struct fault *f)
{
        const char *request = http_param(call->request, "request");

        q->what.principal = http_param(call->request, "principal");
        q->what.user = http_param(call->request, "user");
        q->what.resource = http_param(call->request, "resource");
        q->what.verb = http_param(call->request, "verb");
        if (!request)
                return 0;
        if (request_id_canonical(request, q->request) < 0)
                return fault_set(f, FAULT_INVALID, "request", "request: a request id is 1 to 32 hex digits");
        q->what.request = q->request;
        return 0;
}

static int read_bounds(const struct call *call, struct trail_query *q, struct fault *f)
{
        uint64_t limit = 0, code = 0;
        int r = moment_param(call, "since", &q->what.since_usec, f);

        if (r == 0)
                r = moment_param(call, "until", &q->what.until_usec, f);
        if (r == 0 && q->follow && q->what.until_usec)
                r = fault_set(f, FAULT_INVALID, "until", "until: cannot go with follow, which has no end");
        if (r == 0)
                r = read_number(call, "limit", 1, AUDIT_PAGE_MAX, &limit, f);
        if (r == 0)
                r = read_number(call, "code", 100, 599, &code, f);
        q->what.limit = (unsigned) limit;
        q->what.code_min = (int) code;
        return r;
}

/* A token that is for some gears sees what was done to those, by its own issuer. */
static int limit_view(const struct identity *who, struct trail_query *q, struct fault *f)
{
        char *const named[] = { (char *) (uintptr_t) who->r, NULL };
        char *const *locators = who->token ? who->token->claims.locators : who->r ? named : NULL;

        if (!locators)
                return 0;
        q->issuer = strdup(who->principal);
        q->locators = strv_copy(locators);
        return q->issuer && q->locators ? 0 : fault_oom(f);
}

static int read_query(struct call *call, struct trail_query *q, struct fault *f)
{
        int r;

        q->format = wanted_format(call->request);
        r = call_flag(call, "follow", &q->follow, f);
        if (r == 0)
                r = read_place(call, q, f);
        if (r == 0)
                r = read_words(call, q, f);
        if (r == 0)
                r = read_bounds(call, q, f);
        return r == 0 ? limit_view(&call->who, q, f) : r;
}

bool trail_shows(const struct trail_query *q, const struct audit_record *record)
{
        const char *principal = record->words[AUDIT_PRINCIPAL], *resource = record->words[AUDIT_RESOURCE];

        return !q->locators || (principal && streq(principal, q->issuer) && resource &&
                                pattern_covers(q->locators, resource));
}

/* --- records ----------------------------------------------------------------------------------------- */

static const char *word_of(const struct audit_record *record, enum audit_word word)
{
        return record->words[word] ? record->words[word] : "-";
}

static void put_row(struct text *t, const struct audit_record *record)
{
        const char *user = record->words[AUDIT_USER], *principal = record->words[AUDIT_PRINCIPAL];

        text_addf(t, "%6" PRIu64 "  ", record->number);
        moment_add(t, record->at_usec, 0);
        text_addf(t, "  %3d  %-11s  %-16s  %s", record->code, word_of(record, AUDIT_VERB),
                  word_of(record, AUDIT_RESOURCE), principal ? principal : word_of(record, AUDIT_PEER));
        if (user && !streq_null(user, principal))
                text_addf(t, "/%s", user);
        text_addf(t, "  %s\n", word_of(record, AUDIT_SAID));
}

void trail_put(struct text *t, enum trail_format format, const struct audit_record *record)
{
        switch (format) {
        case TRAIL_TABLE:
                put_row(t, record);
                break;
        case TRAIL_OBJECT:
                audit_to_json(t, record);
                break;
        case TRAIL_LINES:
                audit_to_json(t, record);
                text_addc(t, '\n');
                break;
        case TRAIL_EVENTS:
                text_addf(t, "id: %" PRIu64 "\ndata: ", record->number);
                audit_to_json(t, record);
                text_add(t, "\n\n");
                break;
        }
}

/* --- a page ------------------------------------------------------------------------------------------ */

struct asking {
        struct reply *reply;
        struct database_op *op;
        struct trail_query q;
};

static void asking_free(struct asking *a)
{
        trail_query_reset(&a->q);
        free(a);
}

static void put_records(const struct asking *a, const struct audit_page *page, struct text *t)
{
        bool first = true;

        for (size_t i = 0; i < page->n; i++) {
                if (!trail_shows(&a->q, &page->records[i]))
                        continue;
                if (a->q.format == TRAIL_OBJECT && !first)
                        text_addc(t, ',');
                first = false;
                trail_put(t, a->q.format, &page->records[i]);
        }
}

static void put_page(const struct asking *a, const struct audit_page *page, struct text *t)
{
        if (a->q.format == TRAIL_OBJECT)
                text_add(t, "{\"records\":[");
        put_records(a, page, t);
        if (a->q.format == TRAIL_OBJECT) {
                text_add(t, "]");
                if (page->end)
                        json_put(t, "next", NULL);
                else
                        json_putu(t, "next", page->next);
                text_add(t, "}\n");
        } else if (a->q.format == TRAIL_TABLE && !page->end) {
                text_addf(t, "more: %s=%" PRIu64 "\n", a->q.what.oldest_first ? "after" : "before",
                          page->next);
        }
}

static void answer_unread(struct asking *a, const struct fault *fault)
{
        struct outcome outcome;

        outcome_of_fault(&outcome, fault);
        answer_outcome(TAKE(a->reply), a->q.format != TRAIL_TABLE, &outcome);
        outcome_reset(&outcome);
}

static void page_found(void *arg, const struct audit_page *page, const struct fault *fault)
{
        struct asking *a = arg;
        _cleanup_text_ struct text t = { 0 };
        struct fault f;

        if (!fault)
                put_page(a, page, &t);
        if (!text_ok(&t)) {
                (void) fault_oom(&f);
                fault = &f;
        }
        if (fault) {
                answer_unread(a, fault);
        } else {
                if (!page->end)
                        reply_headerf(a->reply, "Geard-Next", "%" PRIu64, page->next);
                reply_send(TAKE(a->reply), 200, trail_content_type(a->q.format), t.data ? t.data : "",
                           t.len);
        }
        asking_free(a);
}

static void asking_left(void *arg)
{
        struct asking *a = arg;

        a->op = database_cancel(a->op);
        reply_abort(TAKE(a->reply));
        asking_free(a);
}

/* Takes the query over. */
static int answer_page(struct call *call, struct trail_query *q, struct fault *f)
{
        struct asking *a = calloc(1, sizeof *a);

        if (q->what.limit == 0)
                q->what.limit = LIMIT_DEFAULT;
        if (a)
                a->op = database_audit_read(call->daemon->database, &q->what, page_found, a);
        if (!a || !a->op) {
                free(a);
                trail_query_reset(q);
                return fault_oom(f);
        }
        a->q = *q;
        a->reply = TAKE(call->reply);
        reply_watch(a->reply, NULL, asking_left, a);
        return 0;
}

static void audit_get(struct call *call)
{
        struct trail_query q = { 0 };
        struct fault f;
        int r = read_query(call, &q, &f);

        if (r == 0 && call->request->method == HTTP_HEAD)
                reply_send(TAKE(call->reply), 200, trail_content_type(q.format), "", 0);
        if (r < 0 || !call->reply)
                trail_query_reset(&q);
        else
                r = q.follow ? trail_follow(call, &q, &f) : answer_page(call, &q, &f);
        if (r < 0)
                answer_fault(call, &f);
}

static const struct route routes[] = {
        { HTTP_GET, "/audit", audit_get, "audit.read", ROUTE_STREAM,
          "Who changed what, and who was refused" },
};
const struct route_table trail_routes = { routes, ARRAY_SIZE(routes) };
