/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is an audit trail what geard wrote?  The records are held against the chain
 * they form, and against witnesses: heads of the chain that were noted in
 * another place, the journal, when they were new.  The chain alone shows what
 * was altered by who did not make the rest anew; only a witness shows a chain
 * that was made anew, cut at its end, or replaced.  Nor does the chain show who
 * appended: what geard writes is noted at once, each record of it, so one that
 * is not, or was only when geard found it in its file, may be anybody's.
 */

#include "core/audit.h"

struct audit_verifier;

struct audit_witness {
        char trail[AUDIT_TRAIL_LEN + 1];
        uint64_t number;
        char hash[DIGEST_HEX_LEN + 1];
        uint64_t at_usec; /* when it was noted */
        bool repeated;    /* not when the record was written, but when it was found later */
};

enum audit_wrong {
        AUDIT_ALTERED,   /* it says something else than what its hash was made of */
        AUDIT_MISSING,   /* removed, and no rotation says so */
        AUDIT_MISPLACED, /* it comes after one with a greater number */
        AUDIT_REWRITTEN, /* its hash is not the one that was witnessed */
        AUDIT_CUT,       /* witnessed, and beyond the end */
        AUDIT_SPOILT,    /* a rotation removed what was no longer as it had been written */
        AUDIT_REPLACED,  /* witnessed in another trail than this */
};

struct audit_finding {
        enum audit_wrong wrong;
        uint64_t first, last;
        char trail[AUDIT_TRAIL_LEN + 1]; /* of REPLACED, and when its last head was noted */
        uint64_t at_usec;
};

enum audit_vouch {
        AUDIT_BY_JOURNAL,  /* witnessed, or from before the first witness, and chained to that */
        AUDIT_BY_CHAIN,    /* without a witness of its own from when it was written */
        AUDIT_ROTATED_OUT, /* removed by geard, as a later record says */
        AUDIT_UNVOUCHED,
};

struct audit_range {
        enum audit_vouch vouch;
        uint64_t first, last;
};

struct audit_verdict {
        char trail[AUDIT_TRAIL_LEN + 1]; /* "": there is no record */
        uint64_t n_records, n_witnesses; /* of this trail */
        const struct audit_finding *findings;
        size_t n_findings;
        const struct audit_range *ranges; /* from 1 on, in order, without gaps */
        size_t n_ranges;
};

struct audit_verifier *audit_verifier_new(void);
struct audit_verifier *audit_verifier_free(struct audit_verifier *v);
DEFINE_CLEANUP(struct audit_verifier, audit_verifier_free);

/*
 * First all witnesses, in any order; then the records, oldest first; then the
 * end, once, whose verdict lives as long as the verifier.  0 or -ENOMEM.
 */
int audit_verify_witness(struct audit_verifier *v, const struct audit_witness *witness);
int audit_verify_record(struct audit_verifier *v, const struct audit_record *record);
int audit_verify_end(struct audit_verifier *v, struct audit_verdict *ret);
