/* SPDX-License-Identifier: Apache-2.0 */

#include "api/push.h"

#include "api/audit.h"
#include "api/change.h"
#include "util/log.h"

#include <stdio.h>

#define NOT_SEEN "geard ended while git was at work: what became of it is not known"

static void key_of(const struct push *p, struct database_request *ret)
{
        *ret = (struct database_request){ .kind = PUSH_KIND,
                                          .verb = "push",
                                          .began_usec = p->began_usec,
                                          .keep_until_sec = 1, /* nobody asks for it again */
                                          .record = &p->record };
        (void) snprintf(ret->principal, sizeof ret->principal, "%s", p->record.words[AUDIT_PRINCIPAL] ?: "");
        (void) snprintf(ret->id, sizeof ret->id, "%s", p->id);
        (void) snprintf(ret->resource, sizeof ret->resource, "%s", p->record.words[AUDIT_RESOURCE]);
}

int push_init(struct push *p, const struct call *call, const char *repository)
{
        p->daemon = call->daemon;
        p->began_usec = wall_usec();
        return audit_keep(call, "pushed", repository, &p->record);
}

/* --- its intent ------------------------------------------------------------------------------------- */

static void intended(void *arg, struct database_request *rows _unused_, size_t n _unused_, const struct fault *fault)
{
        struct push *p = arg;

        p->op = NULL;
        if (fault)
                p->id[0] = '\0';
        p->begun(p->arg, fault);
}

static int intend(struct push *p)
{
        _cleanup_text_ struct text audit = { 0 };
        struct database_request intent;

        if (change_random_id(p->id) < 0)
                return -EIO;
        key_of(p, &intent);
        audit_to_json(&audit, &p->record);
        if (!text_ok(&audit))
                return -ENOMEM;
        intent.audit = audit.data;
        p->op = database_intend(p->daemon->database, &intent, intended, p);
        return p->op ? 0 : -ENOMEM;
}

void push_begin(struct push *p, void (*begun)(void *arg, const struct fault *fault), void *arg)
{
        struct fault f;

        p->begun = begun;
        p->arg = arg;
        if (intend(p) < 0) {
                p->id[0] = '\0';
                (void) fault_oom(&f);
                begun(arg, &f);
        }
}

static void withdraw(struct push *p)
{
        if (p->id[0] && !database_withdraw(p->daemon->database, p->record.words[AUDIT_PRINCIPAL] ?: "", p->id, NULL, NULL))
                log_warning(NO_FIELDS, "that a push came to nothing is not written down: out of memory");
        p->id[0] = '\0';
}

/* --- its end ------------------------------------------------------------------------------------------ */

static void written(void *arg, const struct fault *fault)
{
        if (fault)
                audit_lost(arg, fault->text);
}

/* With the record the intent goes, in one commit. */
static void conclude(struct push *p, int status)
{
        struct database_request end;

        key_of(p, &end);
        end.outcome.code = status;
        if (!database_conclude(p->daemon->database, &end, written, p->daemon))
                audit_lost(p->daemon, "out of memory");
        p->id[0] = '\0';
}

void push_end(struct push *p, int status, const char *why)
{
        _cleanup_text_ struct text said = { 0 };

        if (!p->id[0])
                return;
        if (!push_is_one(p)) {
                withdraw(p);
                return;
        }
        push_story_tell(&p->story, &said);
        if (why)
                text_addf(&said, "%s%s", said.len ? "; " : "", why);
        audit_of_kept(&p->record, p->began_usec, status, text_ok(&said) ? said.data : NULL);
        conclude(p, status);
}

void push_reset(struct push *p)
{
        p->op = database_cancel(p->op);
        withdraw(p);
        push_story_reset(&p->story);
        audit_record_reset(&p->record);
}

/* --- after a crash ---------------------------------------------------------------------------------------- */

void push_recalled(struct daemon *d, const struct database_request *intent)
{
        struct push p = { .daemon = d, .began_usec = intent->began_usec };

        audit_of_intent(&p.record, intent);
        (void) snprintf(p.id, sizeof p.id, "%s", intent->id);
        audit_of_kept(&p.record, p.began_usec, 500, NOT_SEEN);
        conclude(&p, 500);
        push_reset(&p);
}
