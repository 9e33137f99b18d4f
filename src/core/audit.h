/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The record that a change, or a refusal of one, leaves behind, and the chain
 * that the records of a host form: each has a hash over all it says and the
 * hash before it, so that none can be altered, removed or moved unnoticed by
 * who has a later hash.  Those are kept in another place, the journal.
 */

#include "util/digest.h"
#include "util/fault.h"
#include "util/json.h"
#include "util/text.h"

/* Of the journal entry that repeats a record; the first three are the head of the chain at that time. */
#define AUDIT_MESSAGE_ID "3729d6a95c3b4a07a2a1c2cdad42fe68"
#define AUDIT_FIELD_TRAIL "GEARD_AUDIT_TRAIL"
#define AUDIT_FIELD_NUMBER "GEARD_AUDIT_NUMBER"
#define AUDIT_FIELD_HASH "GEARD_AUDIT_HASH"
#define AUDIT_FIELD_REPEATED "GEARD_AUDIT_REPEATED" /* "yes": found in the file, and not just written */

#define AUDIT_TRAIL_LEN 32  /* hex digits, drawn when a trail begins */
#define AUDIT_WORD_MAX 1024 /* longer words are cut */
#define AUDIT_NUMBER_MAX INT64_MAX

enum audit_word {
        AUDIT_REQUEST,
        AUDIT_PRINCIPAL, /* the name of the key, or what else one was known by */
        AUDIT_TOKEN,     /* its id, never the token */
        AUDIT_CHAIN,     /* what it was narrowed through */
        AUDIT_USER,
        AUDIT_PEER,
        AUDIT_RIGHT,
        AUDIT_VERB,
        AUDIT_RESOURCE,
        AUDIT_BEFORE, /* hash of the unit */
        AUDIT_AFTER,
        AUDIT_SAID, /* one line */
        N_AUDIT_WORDS,
};

/*
 * When the oldest records are removed, a record of it takes their place in the
 * chain: this verb, the resource "FIRST-LAST", and in AUDIT_BEFORE the hash of
 * the last one, which is what the oldest that is left was chained to.  Its code
 * is AUDIT_ROTATED, or AUDIT_ROTATED_ALTERED when they were no longer what had
 * been written.
 */
#define AUDIT_ROTATE "rotate"
#define AUDIT_ROTATED 200
#define AUDIT_ROTATED_ALTERED 500

struct audit_record {
        char trail[AUDIT_TRAIL_LEN + 1]; /* these three are given when it is written */
        uint64_t number;                 /* 1, 2, 3 … */
        char hash[DIGEST_HEX_LEN + 1];
        uint64_t at_usec, took_usec; /* wall clock; duration */
        int code;                    /* what was answered */
        char *words[N_AUDIT_WORDS];  /* NULL: does not apply */
};

void audit_record_reset(struct audit_record *record);
/* Words come out as JSON can carry them: cut at AUDIT_WORD_MAX, and valid UTF-8. 0 or -ENOMEM. */
int audit_record_copy(const struct audit_record *record, struct audit_record *ret);
#define _cleanup_audit_record_ _cleanup_(audit_record_reset)

/* As JSON, the journal's fields and the parameters of GET /audit call it: "principal". */
const char *audit_word_name(enum audit_word word);

/* Of all but the hash itself; `previous` is the hash before, or the trail of the first. 0 or -ENOMEM. */
int audit_hash(const char *previous, const struct audit_record *record, char ret[static DIGEST_HEX_LEN + 1]);

/* One object, without a newline. What is read back is the same to the byte, NULL words included. */
void audit_to_json(struct text *t, const struct audit_record *record);
int audit_from_json(const struct json *object, struct audit_record *ret, struct fault *f);

/* "FIRST-LAST" of a rotation; false when it is none. */
bool audit_rotated_range(const struct audit_record *record, uint64_t *ret_first, uint64_t *ret_last);
