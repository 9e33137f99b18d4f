/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gear audit verify: the trail that geard tells, or that it left in a file,
 * against the heads that it noted in the journal.  The journal is read first, so that no head is newer than
 * the records that are read then.
 */

#include "cli/audit-file.h"
#include "cli/audit-source.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "core/audit-verify.h"
#include "sys/journal-heads.h"
#include "sys/loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { EXIT_INTACT, EXIT_WRONG, EXIT_UNCHECKED };

struct verification {
        const char *socket, *database, *output;
        uint64_t since_sec;
};

static const struct cli_option options[] = {
        { 0, "database", "FILE", NULL, take_word, offsetof(struct verification, database),
          "the trail in the file of a stopped geard, which is\nleft as it is" },
        { 0, "journal-since", "TIME", NULL, take_time, offsetof(struct verification, since_sec),
          "pass over what the journal noted before, like\n"
          "2031-12-31T23:59:59Z, or @ and seconds since 1970" },
        { 'o', "output", "FORM", NULL, take_word, offsetof(struct verification, output),
          "text (the default) or json" },
        { 0, "socket", "PATH", NULL, take_word, offsetof(struct verification, socket),
          "where geard listens (default: " SOURCE_SOCKET ")" },
        { 0 },
};

/* --- in sentences -------------------------------------------------------------------------------- */

static void say_records(struct text *t, uint64_t first, uint64_t last)
{
        if (first == last)
                text_addf(t, "Record %" PRIu64 " is ", first);
        else
                text_addf(t, "Records %" PRIu64 " to %" PRIu64 " are ", first, last);
}

static void say_replaced(struct text *t, const struct audit_finding *finding)
{
        time_t sec = (time_t) (finding->at_usec / USEC_PER_SEC);
        char when[64] = "?";
        struct tm tm;

        if (gmtime_r(&sec, &tm))
                (void) strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm);
        text_addf(t,
                  "The journal has heads of another trail, %s, up to record %" PRIu64
                  " of %s: its database was lost or replaced.\n",
                  finding->trail, finding->last, when);
}

static void say_finding(struct text *t, const struct audit_finding *finding)
{
        static const char *const said[] = {
                [AUDIT_ALTERED] = "not as written, or not behind what was written before",
                [AUDIT_MISSING] = "gone, and not by a rotation",
                [AUDIT_MISPLACED] = "behind a record with a greater number",
                [AUDIT_REWRITTEN] = "not what geard wrote: the journal has another hash",
                [AUDIT_CUT] = "gone from the end: the journal has a later head",
                [AUDIT_SPOILT] = "gone by a rotation that found something altered",
        };

        text_add(t, "WRONG: ");
        if (finding->wrong == AUDIT_REPLACED) {
                say_replaced(t, finding);
                return;
        }
        say_records(t, finding->first, finding->last);
        text_addf(t, "%s.\n", said[finding->wrong]);
}

static void say_range(struct text *t, const struct audit_range *range)
{
        static const char *const said[] = {
                [AUDIT_BY_JOURNAL] = "vouched for by the chain and the journal",
                [AUDIT_BY_CHAIN] = "vouched for by the chain alone, not noted when written",
                [AUDIT_ROTATED_OUT] = "gone by rotation, as a later record says, and cannot be known",
                [AUDIT_UNVOUCHED] = "vouched for by nothing",
        };

        say_records(t, range->first, range->last);
        text_addf(t, "%s.\n", said[range->vouch]);
}

static bool is_vouched_for(const struct audit_verdict *v, enum audit_vouch by)
{
        for (size_t i = 0; i < v->n_ranges; i++)
                if (v->ranges[i].vouch == by)
                        return true;
        return false;
}

static bool is_witnessed(const struct audit_verdict *v)
{
        return is_vouched_for(v, AUDIT_BY_JOURNAL);
}

static void say_verdict(struct text *t, const struct audit_verdict *v)
{
        bool chain_alone = is_vouched_for(v, AUDIT_BY_CHAIN);

        if (v->n_records)
                text_addf(t, "Trail %s, %" PRIu64 " %s, %" PRIu64 " %s in the journal.\n", v->trail,
                          v->n_records, v->n_records == 1 ? "record" : "records", v->n_witnesses,
                          v->n_witnesses == 1 ? "head" : "heads");
        else
                text_add(t, "The trail is empty.\n");
        for (size_t i = 0; i < v->n_ranges; i++)
                say_range(t, &v->ranges[i]);
        if (chain_alone && is_witnessed(v))
                text_add(t, "Not noted means: geard was killed before it could, the journal lost it or does\n"
                            "not have it yet, or somebody else wrote it while geard was stopped.\n");
        for (size_t i = 0; i < v->n_findings; i++)
                say_finding(t, &v->findings[i]);
        if (v->n_findings)
                text_add(t, "This trail is not what geard wrote.\n");
        else if (v->n_records && !is_witnessed(v))
                text_add(
                        t,
                        "The chain is whole, but the journal has no head of it, or is not for this user to\n"
                        "read: a trail that was made anew, or cut at its end, would look the same.\n");
        else
                text_addf(t, "Nothing is wrong with %s.\n", chain_alone ? "the rest" : "it");
}

/* --- as JSON --------------------------------------------------------------------------------------- */

static void put_range(struct text *t, size_t i, const char *name, const char *what, uint64_t first,
                      uint64_t last)
{
        text_add(t, i ? ",{" : "{");
        json_put(t, name, what);
        json_putu(t, "first", first);
        json_putu(t, "last", last);
}

static void put_findings(struct text *t, const struct audit_verdict *v)
{
        static const char *const wrongs[] = {
                [AUDIT_ALTERED] = "altered",
                [AUDIT_MISSING] = "missing",
                [AUDIT_MISPLACED] = "misplaced",
                [AUDIT_REWRITTEN] = "rewritten",
                [AUDIT_CUT] = "cut",
                [AUDIT_SPOILT] = "spoilt",
                [AUDIT_REPLACED] = "replaced",
        };

        json_name(t, "wrong");
        text_addc(t, '[');
        for (size_t i = 0; i < v->n_findings; i++) {
                const struct audit_finding *finding = &v->findings[i];

                put_range(t, i, "what", wrongs[finding->wrong], finding->first, finding->last);
                if (finding->wrong == AUDIT_REPLACED)
                        json_put(t, "trail", finding->trail);
                text_addc(t, '}');
        }
        text_addc(t, ']');
}

static void put_ranges(struct text *t, const struct audit_verdict *v)
{
        static const char *const vouches[] = {
                [AUDIT_BY_JOURNAL] = "journal",
                [AUDIT_BY_CHAIN] = "chain",
                [AUDIT_ROTATED_OUT] = "rotation",
                [AUDIT_UNVOUCHED] = "nothing",
        };

        json_name(t, "ranges");
        text_addc(t, '[');
        for (size_t i = 0; i < v->n_ranges; i++) {
                put_range(t, i, "vouched_by", vouches[v->ranges[i].vouch], v->ranges[i].first,
                          v->ranges[i].last);
                text_addc(t, '}');
        }
        text_addc(t, ']');
}

static void put_verdict(struct text *t, const struct audit_verdict *v)
{
        text_addc(t, '{');
        json_put(t, "trail", *v->trail ? v->trail : NULL);
        json_putu(t, "records", v->n_records);
        json_putu(t, "heads", v->n_witnesses);
        put_ranges(t, v);
        put_findings(t, v);
        text_add(t, "}\n");
}

/* --- the verification ------------------------------------------------------------------------------- */

static int take_head(void *arg, const struct audit_witness *witness)
{
        return audit_verify_witness(arg, witness);
}

/* Where records come from; one of both. */
struct origin {
        struct audit_source *source;
        struct audit_file *file;
};

static void origin_reset(struct origin *o)
{
        o->source = audit_source_free(o->source);
        o->file = audit_file_free(o->file);
}

static int origin_open(const struct verification *what, struct origin *ret, struct fault *f)
{
        if (what->database)
                return audit_file_open(what->database, &ret->file, f);
        ret->source = audit_source_new(what->socket);
        return ret->source ? 0 : fault_oom(f);
}

static int take_records(struct audit_verifier *verifier, struct origin *o, struct fault *f)
{
        uint64_t from = 0;
        bool end = false;

        while (!end) {
                _cleanup_audit_batch_ struct audit_batch batch = { 0 };
                int r = o->file ? audit_file_read(o->file, from, &batch, f)
                                : audit_source_read(o->source, true, from, &batch, f);

                if (r < 0)
                        return r;
                for (size_t i = 0; i < batch.n; i++)
                        if (audit_verify_record(verifier, &batch.records[i]) < 0)
                                return fault_oom(f);
                from = batch.next;
                end = batch.end;
        }
        return 0;
}

static int print_verdict(const struct verification *what, const struct audit_verdict *verdict,
                         struct fault *f)
{
        _cleanup_text_ struct text t = { 0 };

        if (what->output && streq(what->output, "json"))
                put_verdict(&t, verdict);
        else
                say_verdict(&t, verdict);
        if (!text_ok(&t))
                return fault_oom(f);
        (void) fputs(t.data, stdout);
        if (verdict->n_findings)
                return EXIT_WRONG;
        return verdict->n_records && !is_witnessed(verdict) ? EXIT_UNCHECKED : EXIT_INTACT;
}

static int verify(const struct verification *what, struct fault *f)
{
        _cleanup_(audit_verifier_freep) struct audit_verifier *verifier = audit_verifier_new();
        _cleanup_(origin_reset) struct origin origin = { 0 };
        struct audit_verdict verdict;
        int r;

        if (!verifier)
                return fault_oom(f);
        r = journal_heads(NULL, what->since_sec * USEC_PER_SEC, take_head, verifier, f);
        if (r == 0)
                r = origin_open(what, &origin, f);
        if (r == 0)
                r = take_records(verifier, &origin, f);
        if (r < 0)
                return r;
        if (audit_verify_end(verifier, &verdict) < 0)
                return fault_oom(f);
        return print_verdict(what, &verdict, f);
}

int audit_verify_run(int argc, char **argv, struct fault *f)
{
        static const struct usage usage = {
                .verb = "audit verify",
                .operands = "",
                .about = "Tells whether the audit trail of this host is what geard wrote: the chain that\n"
                         "its records form, against the heads of it that geard noted in the journal.\n"
                         "Exits with 0 if it is, 1 if something is wrong, 2 if that cannot be told.\n",
        };
        struct verification what = { .socket = SOURCE_SOCKET };
        const struct option_group groups[] = { { "Options", options, &what }, { 0 } };
        char **operands = NULL;
        int r = options_parse(&usage, groups, argc, argv, &operands, f);

        if (r != 0)
                return r < 0 ? r : 0;
        if (what.output && !streq(what.output, "text") && !streq(what.output, "json"))
                return fault_set(f, FAULT_INVALID, "output", "--output: must be text or json");
        if (what.since_sec > (uint64_t) time(NULL))
                return fault_set(f, FAULT_INVALID, "journal-since", "--journal-since: lies ahead");
        r = verify(&what, f);
        if (r < 0) {
                fprintf(stderr, "gear: %s\n", f->text);
                return EXIT_UNCHECKED;
        }
        return r;
}
