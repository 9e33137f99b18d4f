/* SPDX-License-Identifier: Apache-2.0 */

#include "api/refusals.h"

#include "api/audit.h"
#include "util/log.h"

#include <inttypes.h>
#include <stdio.h>

#define INTERVAL_USEC (60 * USEC_PER_SEC)
#define ROWS_MAX 256
#define LINES_MAX 1000

struct row {
        struct audit_record first;
        uint64_t more; /* that are not written yet; of strangers the first, too */
};

struct table {
        struct row rows[ROWS_MAX];
        size_t n;
        uint64_t others; /* for which there was no row */
};

struct refusals {
        struct daemon *daemon;
        struct timer *interval;
        bool running; /* an interval */
        struct table known, strangers;
        uint64_t lines;
};

/* --- which are the same --------------------------------------------------------------------------- */

static bool same_words(const struct audit_record *a, const struct audit_record *b,
                       const enum audit_word *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!streq_null(a->words[words[i]], b->words[words[i]]))
                        return false;
        return true;
}

/* The port that a client happens to have makes nobody another, nor does the id of a request. */
static bool same_known(const struct audit_record *a, const struct audit_record *b)
{
        static const enum audit_word words[] = { AUDIT_PRINCIPAL, AUDIT_TOKEN, AUDIT_USER, AUDIT_RESOURCE,
                                                 AUDIT_SAID };

        return a->code == b->code && same_words(a, b, words, ARRAY_SIZE(words));
}

static bool same_stranger(const struct audit_record *a, const struct audit_record *b)
{
        static const enum audit_word words[] = { AUDIT_PEER };

        return same_words(a, b, words, ARRAY_SIZE(words));
}

/* "10.0.0.7:51234" is 10.0.0.7, "uid=7 pid=12" is uid=7. */
static void cut_to_address(char *peer)
{
        char *cut = peer ? strrchr(peer, peer[0] == 'u' ? ' ' : ':') : NULL;

        if (cut)
                *cut = '\0';
}

static struct row *find(struct table *table, const struct audit_record *record,
                        bool (*same)(const struct audit_record *a, const struct audit_record *b))
{
        for (size_t i = 0; i < table->n; i++)
                if (same(&table->rows[i].first, record))
                        return &table->rows[i];
        return NULL;
}

/* --- the end of an interval ----------------------------------------------------------------------- */

static void write_row(struct refusals *r, const struct table *table, struct row *row)
{
        struct audit_record *record = &row->first;
        _cleanup_free_ char *first = TAKE(record->words[AUDIT_SAID]);
        const char *said = first ? first : "";
        uint64_t now = wall_usec(), since = record->at_usec;
        char sentence[AUDIT_WORD_MAX + 1];

        if (table == &r->known)
                (void) snprintf(sentence, sizeof sentence, "%" PRIu64 " more in a minute: %s", row->more,
                                said);
        else if (row->more > 1)
                (void) snprintf(sentence, sizeof sentence, "%" PRIu64 " in a minute, at first: %s",
                                row->more, said);
        else
                (void) snprintf(sentence, sizeof sentence, "%s", said);
        record->words[AUDIT_SAID] = sentence;
        record->took_usec = now > since ? now - since : 0;
        record->at_usec = now;
        audit_submit(r->daemon, record);
        record->words[AUDIT_SAID] = NULL;
}

static void write_others(struct refusals *r, uint64_t others, const char *of_whom)
{
        char verb[] = AUDIT_REFUSED, sentence[160];
        struct audit_record record = { .at_usec = wall_usec(), .took_usec = INTERVAL_USEC, .code = 403 };

        record.words[AUDIT_VERB] = verb;
        record.words[AUDIT_SAID] = sentence;
        (void) snprintf(sentence, sizeof sentence, "%" PRIu64 " more in a minute, %s", others, of_whom);
        audit_submit(r->daemon, &record);
}

static void write_table(struct refusals *r, struct table *table, const char *of_whom)
{
        for (size_t i = 0; i < table->n; i++) {
                if (table->rows[i].more > 0)
                        write_row(r, table, &table->rows[i]);
                audit_record_reset(&table->rows[i].first);
        }
        if (table->others > 0)
                write_others(r, table->others, of_whom);
        table->n = 0;
        table->others = 0;
}

static void interval_ended(void *arg)
{
        struct refusals *r = arg;

        if (r->lines > LINES_MAX)
                log_warning(NO_FIELDS, "%" PRIu64 " more refusals in a minute have no line here",
                            r->lines - LINES_MAX);
        r->lines = 0;
        r->running = false;
        write_table(r, &r->known, "of callers who are known");
        write_table(r, &r->strangers, "from other addresses");
}

/* --- its life --------------------------------------------------------------------------------------- */

struct refusals *refusals_new(struct daemon *d)
{
        struct refusals *r = calloc(1, sizeof *r);

        if (!r)
                return NULL;
        r->daemon = d;
        r->interval = timer_new(d->loop, interval_ended, r);
        return r->interval ? r : refusals_free(r);
}

struct refusals *refusals_free(struct refusals *r)
{
        if (!r)
                return NULL;
        interval_ended(r);
        r->interval = timer_free(r->interval);
        free(r);
        return NULL;
}

static void begin_interval(struct refusals *r)
{
        if (!r->running)
                timer_set(r->interval, INTERVAL_USEC);
        r->running = true;
}

bool refusals_have_line(struct refusals *r)
{
        begin_interval(r);
        return r->lines++ < LINES_MAX;
}

void refusals_add(struct refusals *r, struct audit_record *record, bool known)
{
        struct table *table = known ? &r->known : &r->strangers;
        struct row *row;

        *(known ? &r->daemon->counters.refusals_known : &r->daemon->counters.refusals_of_strangers) += 1;
        begin_interval(r);
        if (!known)
                cut_to_address(record->words[AUDIT_PEER]);
        row = find(table, record, known ? same_known : same_stranger);
        if (row) {
                row->more++;
        } else if (table->n == ROWS_MAX) {
                table->others++;
        } else {
                row = &table->rows[table->n++];
                *row = (struct row){ .first = *record, .more = known ? 0 : 1 };
                *record = (struct audit_record){ 0 };
                if (known)
                        audit_submit(r->daemon, &row->first);
        }
        audit_record_reset(record);
}
