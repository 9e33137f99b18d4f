/* SPDX-License-Identifier: Apache-2.0 */

#include "api/change.h"

#include "api/answer.h"
#include "api/audit.h"
#include "api/recall.h"
#include "api/waiter.h"
#include "core/token.h"
#include "util/digest.h"
#include "util/log.h"

#include <stdio.h>
#include <sys/random.h>

/* --- the request id and what it stands for -------------------------------------------------- */

int change_random_id(char ret[static REQUEST_ID_LEN + 1])
{
        unsigned char bytes[REQUEST_ID_LEN / 2];

        if (getrandom(bytes, sizeof bytes, 0) != (ssize_t) sizeof bytes)
                return -EIO;
        for (size_t i = 0; i < sizeof bytes; i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
        return 0;
}

int change_settle_id(struct call *call, struct fault *f)
{
        const char *field = "i", *given = call->who.i;

        if (call->request_id[0])
                return 0;
        if (!given && (given = http_header(call->request, "X-Request-Id")))
                field = "X-Request-Id";
        if (!given && (given = http_header(call->request, "Idempotency-Key")))
                field = "Idempotency-Key";
        if (!given)
                return change_random_id(call->request_id) < 0 ? fault_errno(f, EIO, "cannot make a request id") : 0;
        if (request_id_canonical(given, call->request_id) < 0)
                return fault_set(f, FAULT_INVALID, field, "%s: a request id is 1 to 32 hex digits", field);
        return 0;
}

/* Names that say when and under which id, not what. */
static bool is_part_of_request(const struct call *call, const char *name)
{
        bool claim = call->who.kind == WHO_TEST && (streq(name, "i") || streq(name, "d"));

        return !claim && !streq(name, "wait");
}

/* What the token says of the request; not when, nor until when, nor how it was signed. */
static void add_claims(struct text *t, const struct claims *c)
{
        json_out(t, c->user ? c->user : "");
        json_out(t, c->type ? c->type : "");
        for (char *const *r = c->locators; r && *r; r++)
                json_out(t, *r);
        text_addc(t, '\n');
        for (char *const *a = c->rights; a && *a; a++)
                json_out(t, *a);
        text_addf(t, "%s\n", c->body);
}

static int digest_call(const struct call *call, char ret[static DIGEST_HEX_LEN + 1])
{
        const struct http_request *q = call->request;
        _cleanup_text_ struct text t = { 0 };
        size_t first = call->match.token ? 2 : 0; /* without /token/<t> */

        text_addf(&t, "%s\n", q->method_name);
        for (size_t i = first; i < q->n_segments; i++)
                json_out(&t, q->segments[i]);
        for (size_t i = 0; i < q->n_params; i++) {
                if (is_part_of_request(call, q->params[i].name)) {
                        json_out(&t, q->params[i].name);
                        json_out(&t, q->params[i].value);
                }
        }
        text_addc(&t, '\n');
        if (call->who.token)
                add_claims(&t, &call->who.token->claims);
        text_addn(&t, q->body, q->body_len);
        return text_ok(&t) ? digest_hex(t.data, t.len, ret) : -ENOMEM;
}

/* --- what waits for the disk -------------------------------------------------------------------- */

/* A change on its way into the database: its intent, or its outcome. */
struct change {
        struct change *next;
        struct daemon *daemon;
        struct request *request;
        change_begun *begun;      /* of an intent; NULL: an outcome */
        void (*then)(void *arg);  /* of an outcome; or NULL */
        void *arg;
        struct outcome outcome;
        struct fault fault;       /* of one that is refused, unless it is known */
};

static struct change *change_new(struct daemon *d, struct request *request)
{
        struct change *c = calloc(1, sizeof *c);

        if (!c)
                return NULL;
        c->daemon = d;
        c->request = request;
        c->next = d->changes;
        d->changes = c;
        return c;
}

static struct change *change_free(struct change *c)
{
        struct change **in = &c->daemon->changes;

        while (*in != c)
                in = &(*in)->next;
        *in = c->next;
        outcome_reset(&c->outcome);
        free(c);
        return NULL;
}

void change_free_all(struct daemon *d)
{
        while (d->changes) {
                struct change *c = d->changes;

                if (c->begun)
                        c->begun(d, NULL, c->arg);
                (void) change_free(c);
        }
}

_Static_assert(sizeof((struct identity *) 0)->principal <= DATABASE_PRINCIPAL_MAX + 1, "principals fit whole");

static void describe(const struct request *request, struct database_request *ret)
{
        *ret = (struct database_request){ .began_usec = request_began(request),
                                          .keep_until_sec = request_kept_until(request) };
        (void) snprintf(ret->principal, sizeof ret->principal, "%s", request_principal(request));
        (void) snprintf(ret->id, sizeof ret->id, "%s", request_id(request));
        (void) snprintf(ret->digest, sizeof ret->digest, "%s", request_digest(request));
        (void) snprintf(ret->resource, sizeof ret->resource, "%s", request_resource(request));
}

static int conflict(struct fault *f, const char *id)
{
        return fault_set(f, FAULT_CONFLICT, "i", "i: the request id %s was used for another request; use a new one",
                         id);
}

/* --- begin -------------------------------------------------------------------------------------- */

static void finish_with(struct daemon *d, struct request *request, const struct fault *fault)
{
        struct outcome outcome;

        outcome_of_fault(&outcome, fault);
        request_finish(d->requests, request, &outcome);
}

/* Nothing was done for it, and nothing will be. */
static void refuse(struct daemon *d, struct request *request, const struct fault *fault)
{
        audit_refused_request(d, request, answer_status(fault), fault->text);
        finish_with(d, request, fault);
}

/* The database knows the id, and memory did not. */
static void end_known(struct daemon *d, struct request *request, struct database_request *row)
{
        struct fault f;

        if (!streq(row->digest, request_digest(request))) {
                (void) conflict(&f, row->id);
                refuse(d, request, &f);
        } else if (row->outcome.code == 0) {
                (void) fault_set(&f, FAULT_AWAY, NULL, "what became of request %s is not known yet", row->id);
                f.retry_after = 2;
                refuse(d, request, &f);
        } else {
                d->counters.replays++;
                row->outcome.replayed = true;
                request_finish(d->requests, request, &row->outcome);
        }
}

static void intended(void *arg, struct database_request *rows, size_t n, const struct fault *fault)
{
        struct change *c = arg;
        struct daemon *d = c->daemon;

        if (!fault && n == 0)
                request_begin(c->request);
        c->begun(d, fault || n > 0 ? NULL : c->request, c->arg);
        if (fault)
                refuse(d, c->request, fault);
        else if (n > 0)
                end_known(d, c->request, &rows[0]);
        (void) change_free(c);
}

static void looked_up(void *arg, struct database_request *rows, size_t n, const struct fault *fault)
{
        struct change *c = arg;
        bool known = n > 0 && (rows[0].outcome.code == 0 || rows[0].outcome.good);

        if (fault || !known)
                refuse(c->daemon, c->request, fault ? fault : &c->fault);
        else
                end_known(c->daemon, c->request, &rows[0]);
        (void) change_free(c);
}

static int look_up(struct call *call, struct request *request, const char *verb, const struct fault *otherwise,
                   struct fault *f)
{
        struct daemon *d = call->daemon;
        struct change *c = change_new(d, request);

        if (!c)
                return fault_oom(f);
        c->fault = *otherwise;
        if (audit_begin(call, verb, request) == 0 &&
            database_find(d->database, request_principal(request), request_id(request), looked_up, c))
                return 0;
        (void) change_free(c);
        return fault_oom(f);
}

/* Until no token for it can be valid any more, whatever the clocks are apart. */
static uint64_t keep_until(const struct call *call, uint64_t now_sec)
{
        /* Its holder may narrow the same id anew, up to the expiry that its issuer gave it. */
        return call->who.token ? call->who.token->issued_until_sec + 2 * TOKEN_LEEWAY_SEC
                               : now_sec + REQUEST_KEEP_SEC;
}

static int intend(struct call *call, struct request *request, const char *verb, change_begun *begun, void *arg,
                  struct fault *f)
{
        struct daemon *d = call->daemon;
        struct change *c = change_new(d, request);
        _cleanup_free_ char *audit = NULL;
        struct database_request row;

        if (!c)
                return fault_oom(f);
        if (audit_begin(call, streq(verb, CHANGE_KEPT) ? "created" : verb, request) < 0 ||
            !(audit = audit_to_intent(request))) {
                (void) change_free(c);
                return fault_oom(f);
        }
        request_keep(request, keep_until(call, wall_usec() / USEC_PER_SEC));
        describe(request, &row);
        (void) snprintf(row.kind, sizeof row.kind, "%s", subject_name(request_subject(request)));
        (void) snprintf(row.verb, sizeof row.verb, "%s", verb);
        row.audit = audit;
        c->begun = begun;
        c->arg = arg;
        if (database_intend(d->database, &row, intended, c))
                return 0;
        (void) change_free(c);
        return fault_oom(f);
}

static int submit(struct call *call, enum subject subject, struct request **ret, struct fault *f)
{
        struct daemon *d = call->daemon;
        char digest[DIGEST_HEX_LEN + 1];
        int r;

        r = change_settle_id(call, f);
        if (r < 0)
                return r;
        reply_note_request_id(call->reply, call->request_id);
        reply_header(call->reply, "X-Request-Id", call->request_id);
        if (digest_call(call, digest) < 0)
                return fault_oom(f);
        r = requests_submit(d->requests, subject, call->who.principal, call->request_id, digest, wall_usec(),
                            ret);
        if (r < 0)
                return fault_oom(f);
        if (r == REQUEST_E_DIFFERENT)
                return conflict(f, call->request_id);
        if (r == REQUEST_E_FULL) {
                (void) fault_set(f, FAULT_BUSY, NULL, "%u changes are under way already (ChangesMax=)",
                                 d->config->changes_max);
                f->retry_after = 2;
                return -EBUSY;
        }
        return r;
}

/* 1 when it is new and begins; 0 when it is answered, or will be. */
static int join_or_begin(struct call *call, enum subject subject, struct request **ret, struct fault *f)
{
        uint64_t wait_usec = 0;
        int r, heard;

        r = recall_check(call->daemon, f);
        if (r == 0)
                r = waiter_time(call, &wait_usec, f);
        if (r == 0)
                r = submit(call, subject, ret, f);
        if (r < 0)
                return r;
        if (r == REQUEST_E_FINISHED) {
                call->daemon->counters.replays++;
                waiter_replay(call, request_outcome(*ret));
                return 0;
        }
        if (r == REQUEST_E_RUNNING)
                call->daemon->counters.joins++;
        heard = waiter_listen(call, *ret, wait_usec, f);
        if (heard < 0 && r == 0) /* nobody would hear of it: not begun at all */
                finish_with(call->daemon, *ret, f);
        return heard < 0 ? heard : r == 0;
}

void change_begin(struct call *call, enum subject subject, const char *id, const char *verb, change_begun *begun,
                  void *arg)
{
        struct request *request = NULL;
        struct daemon *d = call->daemon;
        struct fault f;
        int r;

        r = join_or_begin(call, subject, &request, &f);
        if (r < 0)
                answer_fault(call, &f);
        if (r > 0) {
                request_about(request, id);
                if (intend(call, request, verb, begun, arg, &f) == 0)
                        return;
                refuse(d, request, &f);
        }
        begun(d, NULL, arg);
}

/* What is left of such a call when its intent is on the disk. */
struct of_id {
        change_of_id *begin;
        char id[GEAR_ID_MAX + 1];
};

static void of_id_begun(struct daemon *d, struct request *request, void *arg)
{
        _cleanup_free_ struct of_id *o = arg;

        if (request)
                o->begin(d, request, o->id);
}

void change_begin_of_id(struct call *call, enum subject subject, const char *verb, change_of_id *begin)
{
        struct of_id *o = NULL;
        const char *id;
        struct fault f;
        int r = call_gear_id(call, &id, &f);

        if (r == 0 && !(o = calloc(1, sizeof *o)))
                r = fault_oom(&f);
        if (r < 0) {
                answer_fault(call, &f);
                return;
        }
        o->begin = begin;
        (void) snprintf(o->id, sizeof o->id, "%s", id);
        change_begin(call, subject, id, verb, of_id_begun, o);
}

void change_refuse(struct call *call, enum subject subject, const char *id, const char *verb,
                   const struct fault *fault)
{
        struct request *request = NULL;
        struct daemon *d = call->daemon;
        struct fault f;
        int r;

        r = join_or_begin(call, subject, &request, &f);
        if (r < 0)
                answer_fault(call, &f);
        if (r <= 0)
                return;
        request_about(request, id);
        if (look_up(call, request, verb, fault, &f) < 0)
                refuse(d, request, &f);
}

/* --- end ------------------------------------------------------------------------------------------ */

static void concluded(void *arg, const struct fault *fault)
{
        struct change *c = arg;

        if (fault) {
                log_error(LOG_FIELDS("GEARD_REQUEST_ID", request_id(c->request)),
                          "what request %s came to is not remembered beyond this run of geard: %s",
                          request_id(c->request), fault->text);
                audit_lost(c->daemon, fault->text);
        }
        if (c->then)
                c->then(c->arg);
        request_finish(c->daemon->requests, c->request, &c->outcome);
        (void) change_free(c);
}

static void conclude(struct daemon *d, struct request *request, struct outcome *outcome,
                     void (*then)(void *arg), void *arg)
{
        struct change *c = change_new(d, request);
        struct database_request row;
        struct fault f;

        if (!c) {
                audit_lost(d, "out of memory");
                if (then)
                        then(arg);
                request_finish(d->requests, request, outcome);
                return;
        }
        c->then = then;
        c->arg = arg;
        c->outcome = *outcome;
        *outcome = (struct outcome){ 0 };
        describe(request, &row);
        row.outcome = c->outcome;
        row.record = audit_ended(d, request, &c->outcome);
        if (row.outcome.json && strlen(row.outcome.json) > REQUEST_JSON_MAX)
                row.outcome.json = NULL;
        if (!database_conclude(d->database, &row, concluded, c)) {
                (void) fault_oom(&f);
                concluded(c, &f);
        }
}

void change_end_then(struct daemon *d, struct request *request, struct outcome *outcome,
                     void (*then)(void *arg), void *arg)
{
        static const char *const id_fields[] = {
                [SUBJECT_GEAR] = "GEAR_ID", [SUBJECT_REPOSITORY] = "GEARD_REPOSITORY", [SUBJECT_JOB] = "GEARD_JOB"
        };
        char code[12];
        size_t n = outcome->text ? strcspn(outcome->text, "\n") : 0;

        (void) snprintf(code, sizeof code, "%d", outcome->code);
        if (outcome->good)
                d->counters.changes_good++;
        else
                d->counters.changes_bad++;
        log_at(outcome->good ? LOG_INFO : LOG_WARNING,
               LOG_FIELDS(id_fields[request_subject(request)], request_resource(request), "GEARD_REQUEST_ID", request_id(request), "GEARD_PRINCIPAL",
                          request_principal(request), "GEARD_STATUS", code),
               "%.*s", (int) n, outcome->text ? outcome->text : "");
        conclude(d, request, outcome, then, arg);
}

void change_end(struct daemon *d, struct request *request, struct outcome *outcome)
{
        change_end_then(d, request, outcome, NULL, NULL);
}

void change_fail(struct daemon *d, struct request *request, const struct fault *fault)
{
        struct outcome outcome;

        outcome_of_fault(&outcome, fault);
        change_end(d, request, &outcome);
}

void change_leave(struct daemon *d, struct request *request, const struct fault *fault)
{
        finish_with(d, request, fault);
}
