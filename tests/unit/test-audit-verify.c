/* SPDX-License-Identifier: Apache-2.0 */

/* Every kind of tampering with a trail, and what the chain and its witnesses say to it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/audit-verify.h"

#include <inttypes.h>

#define TRAIL "00112233445566778899aabbccddeeff"
#define OTHER "ffffffffffffffffffffffffffffffff"
#define LENGTH 20
#define ROOM 40

struct scene {
        struct audit_record records[ROOM];
        size_t n;
        struct audit_witness witnesses[ROOM];
        size_t n_witnesses;
        char cut[DIGEST_HEX_LEN + 1]; /* what the oldest is chained to; "": it is the first */
};

static void set_word(struct audit_record *record, enum audit_word word, const char *value)
{
        free(record->words[word]);
        record->words[word] = strdup(value);
        assert_non_null(record->words[word]);
}

/* As geard would, from this one on. */
static void chain_from(struct scene *s, size_t first)
{
        for (size_t i = first; i < s->n; i++) {
                const char *previous = i > 0 ? s->records[i - 1].hash : *s->cut ? s->cut : TRAIL;

                assert_int_equal(audit_hash(previous, &s->records[i], s->records[i].hash), 0);
        }
}

static void witness(struct scene *s, const struct audit_record *record)
{
        struct audit_witness *w = &s->witnesses[s->n_witnesses++];

        assert_in_range(s->n_witnesses, 1, ROOM);
        *w = (struct audit_witness){ .number = record->number, .at_usec = record->at_usec };
        memcpy(w->trail, record->trail, sizeof w->trail);
        memcpy(w->hash, record->hash, sizeof w->hash);
}

static struct audit_record *append(struct scene *s, const char *verb, const char *resource)
{
        struct audit_record *record = &s->records[s->n];

        assert_in_range(s->n, 0, ROOM - 1);
        *record = (struct audit_record){ .trail = TRAIL,
                                         .number = s->n ? record[-1].number + 1 : 1,
                                         .at_usec = 1000 + s->n,
                                         .code = 200 };
        set_word(record, AUDIT_VERB, verb);
        set_word(record, AUDIT_RESOURCE, resource);
        chain_from(s, s->n++);
        return record;
}

static void append_witnessed(struct scene *s)
{
        witness(s, append(s, "create", "web"));
}

/* n of them from index i on. */
static void drop(struct scene *s, size_t i, size_t n)
{
        for (size_t k = i; k < i + n; k++)
                audit_record_reset(&s->records[k]);
        /* valgrind takes a checked memmove for a checked memcpy */
        for (size_t k = i; k + n < s->n; k++)
                s->records[k] = s->records[k + n];
        s->n -= n;
}

static void rotate(struct scene *s, size_t n, int code)
{
        char range[48], last[DIGEST_HEX_LEN + 1];
        struct audit_record *rotation;

        (void) snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, s->records[0].number,
                        s->records[n - 1].number);
        memcpy(last, s->records[n - 1].hash, sizeof last);
        rotation = append(s, AUDIT_ROTATE, range);
        rotation->code = code;
        set_word(rotation, AUDIT_BEFORE, last);
        chain_from(s, s->n - 1);
        witness(s, rotation);
        drop(s, 0, n);
        memcpy(s->cut, last, sizeof last);
}

static void build(struct scene *s)
{
        *s = (struct scene){ 0 };
        for (size_t i = 0; i < LENGTH; i++)
                append_witnessed(s);
}

/* --- what is done to it ------------------------------------------------------------------------ */

static struct audit_record *number(struct scene *s, uint64_t wanted)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->records[i].number == wanted)
                        return &s->records[i];
        fail_msg("there is no record %" PRIu64, wanted);
        return NULL;
}

static size_t index_of(struct scene *s, uint64_t wanted)
{
        return (size_t) (number(s, wanted) - s->records);
}

static void keep_witness(struct scene *s, uint64_t first, uint64_t last)
{
        size_t n = 0;

        for (size_t i = 0; i < s->n_witnesses; i++)
                if (s->witnesses[i].number >= first && s->witnesses[i].number <= last)
                        s->witnesses[n++] = s->witnesses[i];
        s->n_witnesses = n;
}

static void nothing(struct scene *s _unused_)
{
}

static void no_witness(struct scene *s)
{
        s->n_witnesses = 0;
}

static void witness_until_12(struct scene *s)
{
        keep_witness(s, 0, 12);
}

static void one_late_witness(struct scene *s)
{
        keep_witness(s, 15, 15);
}

static void alter_word(struct scene *s)
{
        set_word(number(s, 5), AUDIT_RESOURCE, "another");
}

static void alter_time(struct scene *s)
{
        number(s, 5)->at_usec--;
}

static void alter_first(struct scene *s)
{
        number(s, 1)->code = 403;
}

static void alter_last(struct scene *s)
{
        number(s, LENGTH)->code = 403;
}

static void alter_two(struct scene *s)
{
        number(s, 5)->code = 403;
        number(s, 6)->code = 403;
        number(s, 12)->code = 403;
}

static void alter_hash_only(struct scene *s)
{
        struct audit_record *record = number(s, 5);

        record->hash[0] = record->hash[0] == '0' ? '1' : '0';
}

static void alter_and_hash_anew(struct scene *s)
{
        alter_word(s);
        assert_int_equal(audit_hash(number(s, 4)->hash, number(s, 5), number(s, 5)->hash), 0);
}

static void rewrite(struct scene *s)
{
        alter_word(s);
        chain_from(s, index_of(s, 5));
}

static void rewrite_with_few_witnesses(struct scene *s)
{
        s->witnesses[3] = s->witnesses[9];
        s->n_witnesses = 4;
        rewrite(s);
}

static void rewrite_without_witness(struct scene *s)
{
        rewrite(s);
        no_witness(s);
}

/* geard notes the head again when it opens a file. */
static void rewrite_and_start(struct scene *s)
{
        rewrite(s);
        witness(s, number(s, LENGTH));
}

static void remove_one(struct scene *s)
{
        drop(s, index_of(s, 5), 1);
}

static void remove_one_without_witness(struct scene *s)
{
        remove_one(s);
        no_witness(s);
}

static void remove_some(struct scene *s)
{
        drop(s, index_of(s, 15), 1);
        drop(s, index_of(s, 13), 1);
        drop(s, index_of(s, 5), 3);
}

static void remove_beginning(struct scene *s)
{
        drop(s, 0, 3);
}

static void remove_end(struct scene *s)
{
        drop(s, LENGTH - 4, 4);
}

static void remove_end_and_go_on(struct scene *s)
{
        remove_end(s);
        append(s, "create", "other");
        append(s, "create", "other");
}

static void remove_all(struct scene *s)
{
        drop(s, 0, s->n);
}

static void remove_and_number_anew(struct scene *s)
{
        remove_one(s);
        for (size_t i = 4; i < s->n; i++)
                s->records[i].number = i + 1;
        chain_from(s, 4);
}

/* Who writes to the file of a stopped geard chains as it would, and notes nothing. */
static void append_unnoted(struct scene *s)
{
        append(s, "create", "forged");
        append(s, "create", "forged");
        append_witnessed(s);
        append(s, "create", "too new to be noted");
}

/* What geard notes when it opens a file. */
static void start(struct scene *s)
{
        witness(s, &s->records[s->n - 1]);
        s->witnesses[s->n_witnesses - 1].repeated = true;
}

static void append_unnoted_and_start(struct scene *s)
{
        append(s, "create", "forged");
        append(s, "create", "forged");
        start(s);
        append_witnessed(s);
        append_witnessed(s);
        start(s);
}

static void append_unnoted_and_start_alone(struct scene *s)
{
        append(s, "create", "forged");
        start(s);
        start(s);
}

static void append_unnoted_and_cut(struct scene *s)
{
        append_unnoted_and_start_alone(s);
        append(s, "create", "forged");
        start(s);
        rotate(s, LENGTH + 1, AUDIT_ROTATED);
}

static void start_many_times(struct scene *s)
{
        start(s);
        start(s);
}

/* Then what is repeated is the first that is known, and who wrote it was known to the one that is lost. */
static void start_when_the_journal_was_lost(struct scene *s)
{
        no_witness(s);
        start(s);
}

static void start_when_the_journal_was_lost_and_go_on(struct scene *s)
{
        start_when_the_journal_was_lost(s);
        append_witnessed(s);
}

/* Only the last one was still in the journal, and repeats. */
static void rewrite_repeated(struct scene *s)
{
        keep_witness(s, 0, 4);
        start(s);
        rewrite(s);
}

static void lose_some_heads(struct scene *s)
{
        for (size_t i = 4; i + 2 < s->n_witnesses; i++)
                s->witnesses[i] = s->witnesses[i + 2];
        s->n_witnesses -= 2;
}

static void exchange(struct scene *s)
{
        struct audit_record a = *number(s, 5), b = *number(s, 6);

        *number(s, 5) = b;
        s->records[4].number = 5;
        s->records[5] = a;
        s->records[5].number = 6;
}

static void misplace(struct scene *s)
{
        struct audit_record a = s->records[4];

        s->records[4] = s->records[5];
        s->records[5] = a;
}

static void repeat(struct scene *s)
{
        append(s, "create", "web");
        s->records[LENGTH].number = 7;
}

static void other_trail(struct scene *s)
{
        keep_witness(s, 0, 10);
        for (size_t i = 0; i < 5; i++)
                memcpy(s->witnesses[i].trail, OTHER, sizeof s->witnesses[i].trail);
}

static void replace_all(struct scene *s)
{
        for (size_t i = 0; i < s->n_witnesses; i++)
                memcpy(s->witnesses[i].trail, OTHER, sizeof s->witnesses[i].trail);
}

static void rename_trail(struct scene *s)
{
        for (size_t i = 0; i < s->n; i++)
                memcpy(s->records[i].trail, OTHER, sizeof s->records[i].trail);
}

static void rename_trail_of_one(struct scene *s)
{
        memcpy(number(s, 5)->trail, OTHER, sizeof OTHER);
}

/* --- across rotation ------------------------------------------------------------------------------- */

static void rotated(struct scene *s)
{
        rotate(s, 8, AUDIT_ROTATED);
}

static void rotated_without_witness(struct scene *s)
{
        rotated(s);
        no_witness(s);
}

static void rotated_twice(struct scene *s)
{
        rotated(s);
        append_witnessed(s);
        rotate(s, 4, AUDIT_ROTATED);
        append_witnessed(s);
}

static void rotated_all(struct scene *s)
{
        rotate(s, LENGTH, AUDIT_ROTATED);
}

static void rotated_all_without_witness(struct scene *s)
{
        rotated_all(s);
        no_witness(s);
}

static void rotated_spoilt(struct scene *s)
{
        rotate(s, 8, AUDIT_ROTATED_ALTERED);
}

static void rotated_and_more_removed(struct scene *s)
{
        rotated(s);
        drop(s, 0, 2);
}

static void rotated_and_more_removed_without_witness(struct scene *s)
{
        rotated_and_more_removed(s);
        no_witness(s);
}

static void rotated_and_oldest_altered(struct scene *s)
{
        rotated(s);
        number(s, 9)->code = 403;
}

static void rotated_and_altered(struct scene *s)
{
        rotated(s);
        number(s, 12)->code = 403;
}

static void rotation_removed(struct scene *s)
{
        rotated(s);
        append_witnessed(s);
        drop(s, index_of(s, 21), 1);
}

/* Who claims that geard removed more than it did has to make the rotation anew. */
static void rotation_altered(struct scene *s)
{
        rotated_and_more_removed(s);
        set_word(number(s, 21), AUDIT_RESOURCE, "1-10");
        set_word(number(s, 21), AUDIT_BEFORE, s->witnesses[9].hash);
}

static void rotation_altered_and_hash_anew(struct scene *s)
{
        rotation_altered(s);
        chain_from(s, index_of(s, 21));
}

/* Chained to what was written before, then the beginning is made anew: the journal still knows 8. */
static void beginning_rewritten_behind_rotation(struct scene *s)
{
        rotated(s);
        keep_witness(s, 0, 8);
        set_word(number(s, 21), AUDIT_BEFORE, OTHER OTHER);
        memcpy(s->cut, OTHER OTHER, sizeof s->cut);
        chain_from(s, 0);
}

/* Read while geard removes the oldest. */
static void rotated_while_read(struct scene *s)
{
        struct audit_record kept[5];

        for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
                assert_int_equal(audit_record_copy(&s->records[i], &kept[i]), 0);
        rotated(s);
        memmove(&s->records[5], s->records, s->n * sizeof *s->records);
        memcpy(s->records, kept, sizeof kept);
        s->n += 5;
}

/* --- what is said to it ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
        const char *name;
        void (*tamper)(struct scene *s);
        const char *findings, *ranges;
} cases[] = {
#define CASE(tamper, findings, ranges) { #tamper, tamper, findings, ranges }
        CASE(nothing, "", "journal 1-20"),
        CASE(no_witness, "", "chain 1-20"),
        CASE(witness_until_12, "", "journal 1-12 chain 13-20"),
        CASE(one_late_witness, "", "journal 1-15 chain 16-20"),
        CASE(alter_word, "altered 5-5", "journal 1-4 none 5-5 journal 6-20"),
        CASE(alter_time, "altered 5-5", "journal 1-4 none 5-5 journal 6-20"),
        CASE(alter_first, "altered 1-1", "none 1-1 journal 2-20"),
        CASE(alter_last, "altered 20-20", "journal 1-19 none 20-20"),
        CASE(alter_two, "altered 5-6 altered 12-12",
             "journal 1-4 none 5-6 journal 7-11 none 12-12 journal 13-20"),
        CASE(alter_hash_only, "altered 5-5 rewritten 5-5 altered 6-6", "journal 1-4 none 5-6 journal 7-20"),
        CASE(alter_and_hash_anew, "rewritten 5-5 altered 6-6", "journal 1-4 none 5-6 journal 7-20"),
        CASE(rewrite, "rewritten 5-20", "journal 1-4 none 5-20"),
        CASE(rewrite_with_few_witnesses, "rewritten 10-10", "journal 1-3 none 4-10 chain 11-20"),
        CASE(rewrite_without_witness, "", "chain 1-20"),
        CASE(rewrite_and_start, "rewritten 5-20", "journal 1-4 none 5-20"),
        CASE(remove_one, "missing 5-5", "journal 1-4 none 5-5 journal 6-20"),
        CASE(remove_one_without_witness, "missing 5-5", "chain 1-4 none 5-6 chain 7-20"),
        CASE(remove_some, "missing 5-7 missing 13-13 missing 15-15",
             "journal 1-4 none 5-7 journal 8-12 none 13-13 journal 14-14 none 15-15 journal 16-20"),
        CASE(remove_beginning, "missing 1-3", "none 1-3 journal 4-20"),
        CASE(remove_end, "cut 17-20", "journal 1-16 none 17-20"),
        CASE(remove_end_and_go_on, "rewritten 17-18 cut 19-20", "journal 1-16 none 17-20"),
        CASE(remove_all, "replaced 1-20 " TRAIL, ""),
        CASE(remove_and_number_anew, "rewritten 5-19 cut 20-20", "journal 1-4 none 5-20"),
        CASE(append_unnoted, "", "journal 1-20 chain 21-22 journal 23-23 chain 24-24"),
        CASE(append_unnoted_and_start, "", "journal 1-20 chain 21-22 journal 23-24"),
        CASE(append_unnoted_and_start_alone, "", "journal 1-20 chain 21-21"),
        CASE(append_unnoted_and_cut, "", "rotated 1-21 chain 22-22 journal 23-23"),
        CASE(start_many_times, "", "journal 1-20"),
        CASE(start_when_the_journal_was_lost, "", "journal 1-20"),
        CASE(start_when_the_journal_was_lost_and_go_on, "", "journal 1-21"),
        CASE(rewrite_repeated, "rewritten 20-20", "journal 1-4 none 5-20"),
        CASE(lose_some_heads, "", "journal 1-4 chain 5-6 journal 7-20"),
        CASE(exchange, "altered 5-5 rewritten 5-5 altered 6-6 rewritten 6-6 altered 7-7",
             "journal 1-4 none 5-7 journal 8-20"),
        CASE(misplace, "misplaced 5-5 missing 5-5", "journal 1-4 none 5-5 journal 6-20"),
        CASE(repeat, "misplaced 7-7", "journal 1-20"),
        CASE(other_trail, "replaced 1-5 " OTHER, "journal 1-10 chain 11-20"),
        CASE(replace_all, "replaced 1-20 " OTHER, "chain 1-20"),
        CASE(rename_trail, "altered 1-20 replaced 1-20 " TRAIL, "none 1-20"),
        CASE(rename_trail_of_one, "altered 5-5", "journal 1-4 none 5-5 journal 6-20"),
        CASE(rotated, "", "rotated 1-8 journal 9-21"),
        CASE(rotated_without_witness, "", "rotated 1-8 chain 9-21"),
        CASE(rotated_twice, "", "rotated 1-12 journal 13-24"),
        CASE(rotated_all, "", "rotated 1-20 journal 21-21"),
        CASE(rotated_all_without_witness, "", "rotated 1-20 chain 21-21"),
        CASE(rotated_spoilt, "spoilt 1-8", "rotated 1-8 journal 9-21"),
        CASE(rotated_and_more_removed, "missing 9-10", "none 1-10 journal 11-21"),
        CASE(rotated_and_more_removed_without_witness, "missing 9-10", "none 1-11 chain 12-21"),
        CASE(rotated_and_oldest_altered, "altered 9-9", "rotated 1-8 none 9-9 journal 10-21"),
        CASE(rotated_and_altered, "altered 12-12", "rotated 1-8 journal 9-11 none 12-12 journal 13-21"),
        CASE(rotation_removed, "missing 1-8 missing 21-21",
             "none 1-8 journal 9-20 none 21-21 journal 22-22"),
        CASE(rotation_altered, "altered 21-21", "rotated 1-10 journal 11-20 none 21-21"),
        CASE(rotation_altered_and_hash_anew, "rewritten 21-21", "rotated 1-10 journal 11-20 none 21-21"),
        CASE(beginning_rewritten_behind_rotation, "rewritten 8-8", "rotated 1-8 chain 9-21"),
        CASE(rotated_while_read, "", "journal 1-5 rotated 6-8 journal 9-21"),
#undef CASE
};
/* clang-format on */

static void describe(const struct audit_verdict *verdict, struct text *findings, struct text *ranges)
{
        static const char *const wrongs[] = {
                [AUDIT_ALTERED] = "altered",     [AUDIT_MISSING] = "missing",
                [AUDIT_MISPLACED] = "misplaced", [AUDIT_CUT] = "cut",
                [AUDIT_REWRITTEN] = "rewritten", [AUDIT_SPOILT] = "spoilt",
                [AUDIT_REPLACED] = "replaced",
        };
        static const char *const vouches[] = {
                [AUDIT_BY_JOURNAL] = "journal",
                [AUDIT_BY_CHAIN] = "chain",
                [AUDIT_ROTATED_OUT] = "rotated",
                [AUDIT_UNVOUCHED] = "none",
        };

        text_add(findings, "");
        text_add(ranges, "");
        for (size_t i = 0; i < verdict->n_findings; i++) {
                const struct audit_finding *f = &verdict->findings[i];

                text_addf(findings, "%s%s %" PRIu64 "-%" PRIu64, i ? " " : "", wrongs[f->wrong], f->first,
                          f->last);
                if (*f->trail)
                        text_addf(findings, " %s", f->trail);
        }
        for (size_t i = 0; i < verdict->n_ranges; i++)
                text_addf(ranges, "%s%s %" PRIu64 "-%" PRIu64, i ? " " : "",
                          vouches[verdict->ranges[i].vouch], verdict->ranges[i].first,
                          verdict->ranges[i].last);
}

static void verify(const struct scene *s, struct text *findings, struct text *ranges)
{
        _cleanup_(audit_verifier_freep) struct audit_verifier *v = audit_verifier_new();
        struct audit_verdict verdict;

        assert_non_null(v);
        /* Not in the order of their numbers: journals are merged by time. */
        for (size_t i = s->n_witnesses; i > 0; i--)
                assert_int_equal(audit_verify_witness(v, &s->witnesses[i - 1]), 0);
        for (size_t i = 0; i < s->n; i++)
                assert_int_equal(audit_verify_record(v, &s->records[i]), 0);
        assert_int_equal(audit_verify_end(v, &verdict), 0);
        assert_int_equal(verdict.n_records, s->n);
        describe(&verdict, findings, ranges);
}

static void each_kind_of_tampering_is_told(void **state _unused_)
{
        unsigned bad = 0;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_text_ struct text findings = { 0 }, ranges = { 0 };
                struct scene s;

                build(&s);
                cases[i].tamper(&s);
                verify(&s, &findings, &ranges);
                if (!streq(findings.data, cases[i].findings) || !streq(ranges.data, cases[i].ranges)) {
                        print_error("%s: [%s] [%s]\n  instead of [%s] [%s]\n", cases[i].name, findings.data,
                                    ranges.data, cases[i].findings, cases[i].ranges);
                        bad++;
                }
                drop(&s, 0, s.n);
        }
        assert_int_equal(bad, 0);
}

/* Whatever single record is altered or removed, and however it was rotated before. */
static void no_single_change_goes_unnoticed(void **state _unused_)
{
        for (unsigned victim = 1; victim <= LENGTH + 1; victim++) {
                for (int kind = 0; kind < 4; kind++) {
                        _cleanup_text_ struct text findings = { 0 }, ranges = { 0 };
                        bool removed = kind % 2, rotates = kind / 2;
                        struct scene s;

                        build(&s);
                        if (rotates)
                                rotate(&s, 6, AUDIT_ROTATED);
                        if (victim > (rotates ? 6u : 0u) && victim <= LENGTH + (rotates ? 1u : 0u)) {
                                if (removed)
                                        drop(&s, index_of(&s, victim), 1);
                                else
                                        number(&s, victim)->took_usec++;
                                verify(&s, &findings, &ranges);
                                if (!*findings.data)
                                        fail_msg("%s %u goes unnoticed", removed ? "removing" : "altering",
                                                 victim);
                        }
                        drop(&s, 0, s.n);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_kind_of_tampering_is_told),
                cmocka_unit_test(no_single_change_goes_unnoticed),
        };

        return cmocka_run_group_tests_name("audit-verify", tests, NULL, NULL);
}
