/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Walks a trail once.  Behind each break - an altered record, a gap, a witness
 * that disagrees - a new stretch begins, in which each record is chained to the
 * one before.  The first witness there is vouches for its stretch up to its own
 * number, since older ones may be gone from their place; each later one for its
 * own record alone.
 *
 * What the first record behind a gap is chained to is told by the rotation that
 * removed the one before, which is a later record: until it comes, the first
 * one is kept, as a joint.
 */

#include "core/audit-verify.h"

struct noted {
        uint64_t number, at_usec;
        bool repeated;
        char hash[DIGEST_HEX_LEN + 1];
};

struct witnesses {
        char trail[AUDIT_TRAIL_LEN + 1];
        struct noted *noted;
        size_t n, room;
};

struct joint {
        struct audit_record record;
        size_t gap;      /* its range; the record's own is the one behind */
        bool found;      /* what the record is chained to is known … */
        uint64_t cut_to; /* … from a rotation, which removed all up to this; 0: from a witness */
        bool altered;    /* … and it is not the record that was chained to it */
};

struct audit_verifier {
        struct witnesses *trails;
        size_t n_trails;
        struct witnesses *own; /* of the trail that is walked; NULL: none, or not known yet */
        uint64_t noted_from;   /* the first number that was witnessed when it was written */

        char trail[AUDIT_TRAIL_LEN + 1], previous[DIGEST_HEX_LEN + 1];
        uint64_t n_records, last;
        uint64_t sound;      /* where the stretch that no witness has vouched for yet begins */
        uint64_t rotated_to; /* what the rotations removed, as far as they were seen */

        struct joint *joints;
        size_t n_joints;
        struct audit_finding *findings;
        size_t n_findings;
        struct audit_range *ranges;
        size_t n_ranges;
};

struct audit_verifier *audit_verifier_new(void)
{
        return calloc(1, sizeof(struct audit_verifier));
}

struct audit_verifier *audit_verifier_free(struct audit_verifier *v)
{
        if (!v)
                return NULL;
        for (size_t i = 0; i < v->n_trails; i++)
                free(v->trails[i].noted);
        for (size_t i = 0; i < v->n_joints; i++)
                audit_record_reset(&v->joints[i].record);
        free(v->trails);
        free(v->joints);
        free(v->findings);
        free(v->ranges);
        free(v);
        return NULL;
}

/* --- what comes of it ------------------------------------------------------------------------ */

static int add_finding(struct audit_verifier *v, const struct audit_finding *finding)
{
        struct audit_finding *newest = v->n_findings ? &v->findings[v->n_findings - 1] : NULL, *grown;

        if (newest && newest->wrong == finding->wrong && finding->wrong != AUDIT_REPLACED &&
            newest->last + 1 == finding->first) {
                newest->last = finding->last;
                return 0;
        }
        grown = reallocarray(v->findings, v->n_findings + 1, sizeof *grown);
        if (!grown)
                return -ENOMEM;
        v->findings = grown;
        v->findings[v->n_findings++] = *finding;
        return 0;
}

static int blame(struct audit_verifier *v, enum audit_wrong wrong, uint64_t first, uint64_t last)
{
        return add_finding(v, &(struct audit_finding){ .wrong = wrong, .first = first, .last = last });
}

static int push_range(struct audit_verifier *v, enum audit_vouch vouch, uint64_t first, uint64_t last)
{
        struct audit_range *grown = reallocarray(v->ranges, v->n_ranges + 1, sizeof *grown);

        if (!grown)
                return -ENOMEM;
        v->ranges = grown;
        v->ranges[v->n_ranges++] = (struct audit_range){ vouch, first, last };
        return 0;
}

static bool is_of_joint(const struct audit_verifier *v, size_t range)
{
        return v->n_joints && range <= v->joints[v->n_joints - 1].gap + 1;
}

static int add_range(struct audit_verifier *v, enum audit_vouch vouch, uint64_t first, uint64_t last)
{
        struct audit_range *newest = v->n_ranges ? &v->ranges[v->n_ranges - 1] : NULL;

        if (first > last)
                return 0;
        if (!newest || newest->vouch != vouch || is_of_joint(v, v->n_ranges - 1))
                return push_range(v, vouch, first, last);
        newest->last = last;
        return 0;
}

/* --- witnesses --------------------------------------------------------------------------------- */

static struct witnesses *witnesses_of(struct audit_verifier *v, const char *trail)
{
        for (size_t i = 0; i < v->n_trails; i++)
                if (streq(v->trails[i].trail, trail))
                        return &v->trails[i];
        return NULL;
}

static struct witnesses *witnesses_add(struct audit_verifier *v, const struct audit_witness *witness)
{
        struct witnesses *grown = reallocarray(v->trails, v->n_trails + 1, sizeof *grown), *added;

        if (!grown)
                return NULL;
        v->trails = grown;
        added = &v->trails[v->n_trails++];
        *added = (struct witnesses){ 0 };
        memcpy(added->trail, witness->trail, sizeof added->trail);
        return added;
}

int audit_verify_witness(struct audit_verifier *v, const struct audit_witness *witness)
{
        struct witnesses *of = witnesses_of(v, witness->trail);
        struct noted *noted;

        if (!of && !(of = witnesses_add(v, witness)))
                return -ENOMEM;
        if (of->n == of->room) {
                size_t room = of->room ? 2 * of->room : 16;
                struct noted *grown = reallocarray(of->noted, room, sizeof *grown);

                if (!grown)
                        return -ENOMEM;
                of->noted = grown;
                of->room = room;
        }
        noted = &of->noted[of->n++];
        *noted = (struct noted){ .number = witness->number,
                                 .at_usec = witness->at_usec,
                                 .repeated = witness->repeated };
        memcpy(noted->hash, witness->hash, sizeof noted->hash);
        return 0;
}

static int compare_noted(const void *a, const void *b)
{
        const struct noted *x = a, *y = b;

        return (x->number > y->number) - (x->number < y->number);
}

/* The first of those for this number; NULL when there is none. */
static const struct noted *witness_for(const struct audit_verifier *v, uint64_t number)
{
        const struct noted key = { .number = number }, *noted;

        if (!v->own)
                return NULL;
        noted = bsearch(&key, v->own->noted, v->own->n, sizeof key, compare_noted);
        while (noted && noted > v->own->noted && noted[-1].number == number)
                noted--;
        return noted;
}

enum testimony { SILENT, CONFIRMED, DENIED };

/*
 * What all witnesses of the number say.  One that only repeats what was found
 * says nothing behind the first of the others: a forged record has it, too.
 */
static enum testimony ask_witnesses(const struct audit_verifier *v, uint64_t number, const char *hash)
{
        const struct noted *noted = witness_for(v, number);
        enum testimony said = SILENT;

        for (; noted && noted < v->own->noted + v->own->n && noted->number == number; noted++) {
                if (!streq(noted->hash, hash))
                        return DENIED;
                if (!noted->repeated || number < v->noted_from)
                        said = CONFIRMED;
        }
        return said;
}

/* --- joints -------------------------------------------------------------------------------------- */

static int join(struct joint *joint, const char *previous, uint64_t cut_to)
{
        char hash[DIGEST_HEX_LEN + 1];

        if (audit_hash(previous, &joint->record, hash) < 0)
                return -ENOMEM;
        joint->found = true;
        joint->cut_to = cut_to;
        joint->altered = !streq(hash, joint->record.hash);
        return 0;
}

static int begin_joint(struct audit_verifier *v, const struct audit_record *record)
{
        struct joint *grown = reallocarray(v->joints, v->n_joints + 1, sizeof *grown), *joint;
        const struct noted *before = witness_for(v, record->number - 1);
        int r;

        if (!grown)
                return -ENOMEM;
        v->joints = grown;
        joint = &grown[v->n_joints];
        *joint = (struct joint){ .gap = v->n_ranges };
        r = audit_record_copy(record, &joint->record);
        if (r < 0)
                return r;
        v->n_joints++;
        if (before)
                r = join(joint, before->hash, 0);
        if (r == 0)
                r = push_range(v, AUDIT_UNVOUCHED, v->last + 1, record->number - 1);
        return r == 0 ? push_range(v, AUDIT_UNVOUCHED, record->number, record->number) : r;
}

static int take_rotation(struct audit_verifier *v, const struct audit_record *record)
{
        const char *hash = record->words[AUDIT_BEFORE];
        const struct noted *witness;
        uint64_t first, last;
        int r = 0;

        if (!audit_rotated_range(record, &first, &last) || !hash)
                return 0;
        if (last > v->rotated_to)
                v->rotated_to = last;
        if (record->code != AUDIT_ROTATED)
                r = blame(v, AUDIT_SPOILT, first, last);
        witness = witness_for(v, last);
        if (r == 0 && witness && !streq(witness->hash, hash))
                r = blame(v, AUDIT_REWRITTEN, last, last);
        for (size_t i = 0; r == 0 && i < v->n_joints; i++)
                if (v->joints[i].record.number == last + 1)
                        r = join(&v->joints[i], hash, last);
        return r;
}

/* --- the walk -------------------------------------------------------------------------------------- */

static void begin_walk(struct audit_verifier *v, const char *trail)
{
        memcpy(v->trail, trail, sizeof v->trail);
        memcpy(v->previous, trail, sizeof v->trail);
        v->sound = 1;
        v->own = witnesses_of(v, trail);
        v->noted_from = UINT64_MAX;
        if (!v->own)
                return;
        qsort(v->own->noted, v->own->n, sizeof *v->own->noted, compare_noted);
        for (size_t i = 0; i < v->own->n && v->noted_from == UINT64_MAX; i++)
                if (!v->own->noted[i].repeated)
                        v->noted_from = v->own->noted[i].number;
}

static int break_off(struct audit_verifier *v, enum audit_wrong wrong, uint64_t number)
{
        int r = blame(v, wrong, number, number);

        if (r == 0)
                r = add_range(v, AUDIT_UNVOUCHED, number, number);
        v->sound = number + 1;
        return r;
}

/* The record is chained to the one before, or is not. */
static int take_link(struct audit_verifier *v, const struct audit_record *record)
{
        char hash[DIGEST_HEX_LEN + 1];
        int r = audit_hash(v->previous, record, hash);

        if (r < 0 || (streq(hash, record->hash) && streq(record->trail, v->trail)))
                return r;
        r = add_range(v, AUDIT_BY_CHAIN, v->sound, record->number - 1);
        return r == 0 ? break_off(v, AUDIT_ALTERED, record->number) : r;
}

/* What is behind the first witness, and was passed over, has none of its own. */
static int take_confirmed(struct audit_verifier *v, uint64_t number)
{
        bool silent = v->sound > v->noted_from && v->sound < number;
        int r = silent ? add_range(v, AUDIT_BY_CHAIN, v->sound, number - 1) : 0;

        if (r == 0)
                r = add_range(v, AUDIT_BY_JOURNAL, silent ? number : v->sound, number);
        v->sound = number + 1;
        return r;
}

static int take_testimony(struct audit_verifier *v, const struct audit_record *record)
{
        int r;

        switch (ask_witnesses(v, record->number, record->hash)) {
        case CONFIRMED:
                return take_confirmed(v, record->number);
        case DENIED:
                /* What was made anew may begin anywhere behind the last one that was confirmed. */
                r = add_range(v, AUDIT_UNVOUCHED, v->sound, record->number);
                v->sound = record->number + 1;
                return r == 0 ? blame(v, AUDIT_REWRITTEN, record->number, record->number) : r;
        default:
                return 0;
        }
}

static int take_gap(struct audit_verifier *v, const struct audit_record *record)
{
        int r = add_range(v, AUDIT_BY_CHAIN, v->sound, v->last);

        v->sound = record->number + 1;
        return r == 0 ? begin_joint(v, record) : r;
}

int audit_verify_record(struct audit_verifier *v, const struct audit_record *record)
{
        int r;

        if (v->n_records++ == 0)
                begin_walk(v, record->trail);
        if (record->number <= v->last)
                return blame(v, AUDIT_MISPLACED, record->number, record->number);
        r = record->number > v->last + 1 ? take_gap(v, record) : take_link(v, record);
        if (r == 0)
                r = take_testimony(v, record);
        if (r == 0)
                r = take_rotation(v, record);
        v->last = record->number;
        memcpy(v->previous, record->hash, sizeof v->previous);
        return r;
}

/* --- the end ------------------------------------------------------------------------------------------ */

/* A rotation of a part of the gap leaves the rest. */
static uint64_t first_missing(const struct audit_verifier *v, const struct audit_range *gap)
{
        return v->rotated_to >= gap->first && v->rotated_to < gap->last ? v->rotated_to + 1 : gap->first;
}

/* The record behind the gap is as good as what follows in its stretch, up to the next gap. */
static int end_joint(struct audit_verifier *v, const struct joint *joint, size_t next_gap)
{
        struct audit_range *gap = &v->ranges[joint->gap], *record = gap + 1;
        enum testimony said = ask_witnesses(v, record->first, joint->record.hash);
        int r = 0;

        if (joint->cut_to == gap->last)
                gap->vouch = AUDIT_ROTATED_OUT;
        else
                r = blame(v, AUDIT_MISSING, first_missing(v, gap), gap->last);
        if (r == 0 && joint->altered)
                return blame(v, AUDIT_ALTERED, record->first, record->last);
        if (!joint->found)
                return r;
        if (said != SILENT)
                record->vouch = said == CONFIRMED ? AUDIT_BY_JOURNAL : AUDIT_UNVOUCHED;
        else if (record->first > v->noted_from || joint->gap + 2 == next_gap)
                record->vouch = AUDIT_BY_CHAIN;
        else
                record->vouch = gap[2].vouch;
        return r;
}

static int end_beyond(struct audit_verifier *v)
{
        uint64_t noted = v->own ? v->own->noted[v->own->n - 1].number : 0;
        int r = add_range(v, AUDIT_BY_CHAIN, v->sound, v->last);

        if (r < 0 || noted <= v->last)
                return r;
        r = add_range(v, AUDIT_UNVOUCHED, v->last + 1, noted);
        return r == 0 ? blame(v, AUDIT_CUT, v->last + 1, noted) : r;
}

static int blame_other_trail(struct audit_verifier *v, const struct witnesses *other)
{
        struct audit_finding finding = { .wrong = AUDIT_REPLACED, .first = UINT64_MAX };

        memcpy(finding.trail, other->trail, sizeof finding.trail);
        for (size_t i = 0; i < other->n; i++) {
                if (other->noted[i].number < finding.first)
                        finding.first = other->noted[i].number;
                if (other->noted[i].number > finding.last)
                        finding.last = other->noted[i].number;
                if (other->noted[i].at_usec > finding.at_usec)
                        finding.at_usec = other->noted[i].at_usec;
        }
        return add_finding(v, &finding);
}

/* Neighbours that came to be vouched for in the same way are one. */
static void merge_ranges(struct audit_verifier *v)
{
        size_t n = 0;

        for (size_t i = 0; i < v->n_ranges; i++) {
                if (n > 0 && v->ranges[n - 1].vouch == v->ranges[i].vouch)
                        v->ranges[n - 1].last = v->ranges[i].last;
                else
                        v->ranges[n++] = v->ranges[i];
        }
        v->n_ranges = n;
}

int audit_verify_end(struct audit_verifier *v, struct audit_verdict *ret)
{
        int r = v->n_records ? end_beyond(v) : 0;

        for (size_t i = 0; r == 0 && i < v->n_joints; i++)
                r = end_joint(v, &v->joints[i], i + 1 < v->n_joints ? v->joints[i + 1].gap : v->n_ranges);
        for (size_t i = 0; r == 0 && i < v->n_trails; i++)
                if (&v->trails[i] != v->own)
                        r = blame_other_trail(v, &v->trails[i]);
        if (r < 0)
                return r;
        merge_ranges(v);
        *ret = (struct audit_verdict){
                .n_records = v->n_records,
                .n_witnesses = v->own ? v->own->n : 0,
                .findings = v->findings,
                .n_findings = v->n_findings,
                .ranges = v->ranges,
                .n_ranges = v->n_ranges,
        };
        memcpy(ret->trail, v->trail, sizeof ret->trail);
        return 0;
}
