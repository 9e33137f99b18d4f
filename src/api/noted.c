/* SPDX-License-Identifier: Apache-2.0 */

#include "api/noted.h"

#include "daemon.h"
#include "sys/journal-heads.h"
#include "util/log.h"

#include <inttypes.h>
#include <stdio.h>

/* By then the journal has what an earlier life of ours told it last. */
#define LOOK_AFTER_USEC (3 * USEC_PER_SEC)

struct noted {
        struct worker *worker;
        struct timer *later;
        char trail[AUDIT_TRAIL_LEN + 1], hash[DIGEST_HEX_LEN + 1]; /* of the record in question */
        uint64_t number, at_usec;
        uint64_t last; /* that was noted when it was written; 0: none. The thread's */
        struct fault why;
};

/* --- in the thread ------------------------------------------------------------------------------------ */

static int take_head(void *arg, const struct audit_witness *head)
{
        struct noted *n = arg;

        if (head->repeated || !streq(head->trail, n->trail) || head->number <= n->last)
                return 0;
        if (head->number < n->number || (head->number == n->number && streq(head->hash, n->hash)))
                n->last = head->number;
        return 0;
}

/* A head is noted behind its record, so there is little to read, but all of it when that one is missing. */
static int read_heads(void *arg)
{
        struct noted *n = arg;
        int r = journal_heads(NULL, n->at_usec, take_head, n, &n->why);

        if (r == 0 && n->last < n->number)
                r = journal_heads(NULL, 0, take_head, n, &n->why);
        return r;
}

/* --- on the loop -------------------------------------------------------------------------------------- */

static void warn(const struct noted *n, const char *first, const char *last)
{
        log_warning(
                LOG_FIELDS(AUDIT_FIELD_TRAIL, n->trail, "GEARD_AUDIT_FIRST", first, "GEARD_AUDIT_LAST",
                           last),
                "records %s to %s of the audit trail were not noted in the journal when they were written: "
                "geard was killed before it could, or somebody else wrote them while it was stopped",
                first, last);
}

static void tell(void *arg, int r)
{
        const struct noted *n = arg;
        char first[24], last[24];

        (void) snprintf(first, sizeof first, "%" PRIu64, n->last + 1);
        (void) snprintf(last, sizeof last, "%" PRIu64, n->number);
        if (r < 0)
                log_warning(NO_FIELDS, "the audit trail is not held against the journal: %s", n->why.text);
        else if (n->last == 0)
                log_notice(NO_FIELDS, "the journal has no head of the audit trail up to record %s", last);
        else if (n->last == n->number)
                log_info(NO_FIELDS,
                         "record %s of the audit trail was noted in the journal when it was written", last);
        else
                warn(n, first, last);
}

static void look(void *arg)
{
        struct noted *n = arg;

        if (worker_run(n->worker, read_heads, tell, n) < 0)
                log_warning(NO_FIELDS, "out of memory: the audit trail is not held against the journal");
}

struct noted *noted_look(struct daemon *d, const struct audit_record *newest)
{
        struct noted *n = calloc(1, sizeof *n);

        if (!n)
                return NULL;
        *n = (struct noted){ .number = newest->number, .at_usec = newest->at_usec };
        memcpy(n->trail, newest->trail, sizeof n->trail);
        memcpy(n->hash, newest->hash, sizeof n->hash);
        n->worker = worker_new(d->loop);
        n->later = timer_new(d->loop, look, n);
        if (!n->worker || !n->later)
                return noted_free(n);
        timer_set(n->later, LOOK_AFTER_USEC);
        return n;
}

struct noted *noted_free(struct noted *n)
{
        if (!n)
                return NULL;
        n->later = timer_free(n->later);
        n->worker = worker_free(n->worker);
        free(n);
        return NULL;
}
