/* SPDX-License-Identifier: Apache-2.0 */

#include "api/audit.h"

#include "api/noted.h"
#include "api/refusals.h"
#include "api/trail.h"
#include "sys/database-audit.h"
#include "util/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* How the journal calls the words. */
static const char *const journal_fields[N_AUDIT_WORDS] = {
        [AUDIT_REQUEST] = "GEARD_REQUEST_ID", [AUDIT_PRINCIPAL] = "GEARD_PRINCIPAL",
        [AUDIT_TOKEN] = "GEARD_TOKEN",        [AUDIT_CHAIN] = "GEARD_CHAIN",
        [AUDIT_USER] = "GEARD_USER",          [AUDIT_PEER] = "GEARD_PEER",
        [AUDIT_RIGHT] = "GEARD_RIGHT",        [AUDIT_VERB] = "GEARD_VERB",
        [AUDIT_RESOURCE] = "GEARD_RESOURCE",  [AUDIT_BEFORE] = "GEARD_BEFORE",
        [AUDIT_AFTER] = "GEARD_AFTER",        [AUDIT_SAID] = "GEARD_SAID",
};

/* --- words ---------------------------------------------------------------------------------------- */

/* One line that no terminal takes for a command; "" is no word. 0 or -ENOMEM. */
static int set_word(struct audit_record *record, enum audit_word word, const char *value)
{
        char *copy = NULL;

        if (value && *value && !(copy = strndup(value, strcspn(value, "\n"))))
                return -ENOMEM;
        for (char *c = copy; c && *c; c++)
                if ((unsigned char) *c < 0x20 || *c == 0x7F)
                        *c = ' ';
        free(record->words[word]);
        record->words[word] = copy;
        return 0;
}

static int set_wordf(struct audit_record *record, enum audit_word word, const char *format, ...)
        _printf_(3, 4);
static int set_wordf(struct audit_record *record, enum audit_word word, const char *format, ...)
{
        char value[AUDIT_WORD_MAX + 1];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(value, sizeof value, format, ap);
        va_end(ap);
        return set_word(record, word, value);
}

static int set_chain(struct audit_record *record, char *const *holders)
{
        _cleanup_text_ struct text t = { 0 };

        for (char *const *holder = holders; holder && *holder; holder++)
                text_addf(&t, "%s%s", holder == holders ? "" : " ", *holder);
        return text_ok(&t) ? set_word(record, AUDIT_CHAIN, t.data) : -ENOMEM;
}

static int set_peer(struct audit_record *record, const struct peer *peer)
{
        return set_wordf(record, AUDIT_PEER, "%s%s%s", peer->address, peer->certificate[0] ? " sha256:" : "",
                         peer->certificate);
}

/* The path as the route has it: what a client wrote in its place may be anything. */
static int set_asked(struct audit_record *record, const struct call *call)
{
        return set_wordf(record, AUDIT_SAID, "%s %s", call->request->method_name,
                         call->match.route->pattern);
}

static int describe_caller(const struct call *call, struct audit_record *record)
{
        const struct identity *who = &call->who;
        int r = set_word(record, AUDIT_PRINCIPAL, who->principal);

        if (r == 0)
                r = set_word(record, AUDIT_TOKEN, who->token_id);
        if (r == 0 && who->token)
                r = set_chain(record, who->token->holders);
        if (r == 0)
                r = set_word(record, AUDIT_USER, who->user);
        if (r == 0)
                r = set_peer(record, call->request->peer);
        if (r == 0)
                r = set_word(record, AUDIT_RIGHT, call->match.route->right);
        return r == 0 ? set_asked(record, call) : r;
}

/* --- changes -------------------------------------------------------------------------------------- */

/* What a gear is defined as now; NULL for all else. */
static const char *hash_of(const struct daemon *d, const struct request *request)
{
        const struct gear *gear = NULL;

        if (request_subject(request) == SUBJECT_GEAR)
                gear = gears_find(d->gears, request_resource(request));
        return gear ? gear->hash : NULL;
}

int audit_begin(const struct call *call, const char *verb, struct request *request)
{
        struct audit_record *record = request_audit(request);
        int r = describe_caller(call, record);

        if (r == 0)
                r = set_word(record, AUDIT_REQUEST, request_id(request));
        if (r == 0)
                r = set_word(record, AUDIT_VERB, verb);
        if (r == 0)
                r = set_word(record, AUDIT_RESOURCE, request_resource(request));
        return r == 0 ? set_word(record, AUDIT_BEFORE, hash_of(call->daemon, request)) : r;
}

char *audit_to_intent(struct request *request)
{
        struct text t = { 0 };

        audit_to_json(&t, request_audit(request));
        return text_take(&t);
}

void audit_of_intent(struct audit_record *record, const struct database_request *row)
{
        struct audit_record read;
        _cleanup_(json_freep) struct json *json = NULL;
        struct fault ignored;

        if (row->audit)
                json = json_parse(row->audit, strlen(row->audit), "audit", &ignored);
        if (json && audit_from_json(json, &read, &ignored) == 0) {
                audit_record_reset(record);
                *record = read;
                return;
        }
        (void) set_word(record, AUDIT_REQUEST, row->id);
        (void) set_word(record, AUDIT_PRINCIPAL, row->principal);
        (void) set_word(record, AUDIT_VERB, row->verb);
        (void) set_word(record, AUDIT_RESOURCE, row->resource);
}

void audit_started(struct request *request, const struct gear *gear)
{
        (void) set_word(request_audit(request), AUDIT_BEFORE, gear ? gear->hash : NULL);
}

static void stamp(struct audit_record *record, uint64_t began_usec, int status)
{
        uint64_t now = wall_usec();

        record->at_usec = now;
        record->took_usec = now > began_usec ? now - began_usec : 0;
        record->code = status;
}

const struct audit_record *audit_ended(const struct daemon *d, struct request *request,
                                       const struct outcome *outcome)
{
        struct audit_record *record = request_audit(request);

        stamp(record, request_began(request), outcome->code);
        (void) set_word(record, AUDIT_AFTER, hash_of(d, request));
        (void) set_word(record, AUDIT_SAID, outcome->text);
        return record;
}

/* --- without a request's id ------------------------------------------------------------------------- */

int audit_keep(const struct call *call, const char *verb, const char *resource, struct audit_record *ret)
{
        int r = describe_caller(call, ret);

        if (r == 0)
                r = set_word(ret, AUDIT_VERB, verb);
        return r == 0 ? set_word(ret, AUDIT_RESOURCE, resource) : r;
}

void audit_of_kept(struct audit_record *record, uint64_t began_usec, int status, const char *said)
{
        stamp(record, began_usec, status);
        (void) set_word(record, AUDIT_SAID, said);
}

/* --- refusals ------------------------------------------------------------------------------------- */

/* Whose signature, or word of the kernel, we have: the others can be anybody. */
static bool is_known(const struct identity *who)
{
        return who->principal[0] && who->kind != WHO_ANYONE;
}

/* What the call was about, as far as that is the name of a gear. */
static const char *resource_of(const struct call *call)
{
        const char *id = route_param(&call->match, "id");

        if (!id)
                id = call->who.r;
        return id && gear_id_valid(id) ? id : NULL;
}

static int describe_refusal(const struct call *call, struct audit_record *record)
{
        char id[REQUEST_ID_LEN + 1] = "";
        int r = describe_caller(call, record);

        if (call->request_id[0])
                (void) snprintf(id, sizeof id, "%s", call->request_id);
        else if (call->who.i)
                (void) request_id_canonical(call->who.i, id);
        if (r == 0)
                r = set_word(record, AUDIT_REQUEST, id);
        return r == 0 ? set_word(record, AUDIT_RESOURCE, resource_of(call)) : r;
}

void audit_refused(const struct call *call, int status, const char *why)
{
        bool known = is_known(&call->who);
        struct audit_record record = { 0 };
        int r;

        /* Of strangers only what is certain. */
        r = known ? describe_refusal(call, &record) : set_peer(&record, call->request->peer);
        if (r == 0)
                r = set_word(&record, AUDIT_VERB, AUDIT_REFUSED);
        if (r == 0)
                r = set_wordf(&record, AUDIT_SAID, "%s %s: %s", call->request->method_name,
                              call->match.route->pattern, why);
        stamp(&record, wall_usec(), status);
        if (r == 0) {
                refusals_add(call->daemon->refusals, &record, known);
                return;
        }
        audit_lost(call->daemon, "out of memory");
        audit_record_reset(&record);
}

void audit_refused_request(struct daemon *d, struct request *request, int status, const char *why)
{
        struct audit_record *record = request_audit(request);
        _cleanup_free_ char *asked = TAKE(record->words[AUDIT_SAID]);

        stamp(record, request_began(request), status);
        (void) set_word(record, AUDIT_VERB, AUDIT_REFUSED);
        (void) set_word(record, AUDIT_BEFORE, NULL);
        (void) set_wordf(record, AUDIT_SAID, "%s: %s", asked ? asked : "", why);
        refusals_add(d->refusals, record, true);
}

/* --- all of them ---------------------------------------------------------------------------------- */

void audit_lost(struct daemon *d, const char *why)
{
        d->counters.audit_lost++;
        log_error(NO_FIELDS, "a record of the audit trail is lost: %s", why);
}

static void on_disk(void *arg, const struct fault *fault)
{
        if (fault)
                audit_lost(arg, fault->text);
}

void audit_submit(struct daemon *d, const struct audit_record *record)
{
        int r = database_audit(d->database, record, on_disk, d);

        if (r < 0)
                audit_lost(d, r == -ENOBUFS ? "too many wait for the disk" : "out of memory");
}

void audit_to_text(struct text *t, const struct audit_record *record)
{
        char *const *words = record->words;
        const char *user = words[AUDIT_USER], *principal = words[AUDIT_PRINCIPAL];

        text_add(t, words[AUDIT_VERB] ? words[AUDIT_VERB] : "");
        if (words[AUDIT_RESOURCE])
                text_addf(t, " %s", words[AUDIT_RESOURCE]);
        text_addf(t, ": %d", record->code);
        if (user && !streq_null(user, principal))
                text_addf(t, " for %s", user);
        if (principal)
                text_addf(t, " by %s", principal);
        if (words[AUDIT_PEER])
                text_addf(t, " from %s", words[AUDIT_PEER]);
        if (words[AUDIT_SAID])
                text_addf(t, ": %s", words[AUDIT_SAID]);
}

/* Who rewrites the trail afterwards does not have the journal at hand, least of all one on another host. */
static void repeat_in_journal(const struct audit_record *record, bool found)
{
        const char *fields[2 * LOG_FIELDS_MAX + 1] = { "MESSAGE_ID", AUDIT_MESSAGE_ID };
        _cleanup_text_ struct text t = { 0 };
        char number[24], code[12], took[24];
        size_t n = 2;

        (void) snprintf(number, sizeof number, "%" PRIu64, record->number);
        (void) snprintf(code, sizeof code, "%d", record->code);
        (void) snprintf(took, sizeof took, "%" PRIu64, record->took_usec);

        const char *const own[][2] = {
                { AUDIT_FIELD_TRAIL, record->trail },
                { AUDIT_FIELD_NUMBER, number },
                { AUDIT_FIELD_HASH, record->hash },
                { AUDIT_FIELD_REPEATED, found ? "yes" : NULL },
                { "GEARD_STATUS", code },
                { "GEARD_USEC", took },
        };

        for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
                fields[n++] = own[i][0];
                fields[n++] = own[i][1];
        }
        for (size_t i = 0; i < N_AUDIT_WORDS; i++) {
                fields[n++] = journal_fields[i];
                fields[n++] = record->words[i];
        }
        audit_to_text(&t, record);
        log_at(LOG_NOTICE | LOG_ALWAYS, (struct log_fields){ fields }, "audit %s %s", number,
               t.data ? t.data : "");
}

void audit_written(void *arg, const struct audit_record *record, bool found)
{
        struct daemon *d = arg;

        repeat_in_journal(record, found);
        if (!found)
                d->counters.audit_records++;
        else if (!d->noted)
                d->noted = noted_look(d, record);
        trail_grew(d, record);
}
