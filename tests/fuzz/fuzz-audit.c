/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A record a line: what is read is written and read again to the same, with the
 * same hash.  All of them are a trail, of which the even ones were witnessed:
 * the verdict covers all numbers up to the last, each once, and a trail without
 * findings is one whose chain holds.
 */

#include "core/audit-verify.h"

#define RECORDS_MAX 64

struct trail {
        struct audit_record records[RECORDS_MAX];
        size_t n;
};

static void check_written(const struct audit_record *record)
{
        _cleanup_text_ struct text once = { 0 }, twice = { 0 };
        _cleanup_audit_record_ struct audit_record again = { 0 };
        _cleanup_(json_freep) struct json *json = NULL;
        char hash[DIGEST_HEX_LEN + 1], other[DIGEST_HEX_LEN + 1];
        struct fault f = { 0 };

        audit_to_json(&once, record);
        json = json_parse(once.data, once.len, "record", &f);
        if (!json || audit_from_json(json, &again, &f) < 0)
                abort();
        audit_to_json(&twice, &again);
        if (!streq(once.data, twice.data) || audit_hash("", record, hash) < 0 ||
            audit_hash("", &again, other) < 0 || !streq(hash, other))
                abort();
}

static void read_record(struct trail *trail, const char *line, size_t n)
{
        struct fault f = { 0 };
        _cleanup_(json_freep) struct json *json = json_parse(line, n, "record", &f);

        if (!json || trail->n == RECORDS_MAX)
                return;
        if (audit_from_json(json, &trail->records[trail->n], &f) == 0)
                check_written(&trail->records[trail->n++]);
        else if (f.kind != FAULT_INVALID)
                abort();
}

static bool holds(const struct trail *trail)
{
        char hash[DIGEST_HEX_LEN + 1];

        for (size_t i = 1; i < trail->n; i++)
                if (audit_hash(trail->records[i - 1].hash, &trail->records[i], hash) < 0 ||
                    !streq(hash, trail->records[i].hash))
                        return false;
        return true;
}

static void check_ranges(const struct audit_verdict *verdict, uint64_t greatest)
{
        uint64_t next = 1;

        for (size_t i = 0; i < verdict->n_ranges; i++) {
                if (verdict->ranges[i].first != next || verdict->ranges[i].last < next)
                        abort();
                next = verdict->ranges[i].last + 1;
        }
        if (next <= greatest)
                abort();
}

static void check_verdict(const struct trail *trail)
{
        _cleanup_(audit_verifier_freep) struct audit_verifier *v = audit_verifier_new();
        struct audit_verdict verdict;
        uint64_t greatest = 0;

        for (size_t i = 0; i < trail->n; i++) {
                const struct audit_record *record = &trail->records[i];
                struct audit_witness witness = { .number = record->number };

                memcpy(witness.trail, record->trail, sizeof witness.trail);
                memcpy(witness.hash, record->hash, sizeof witness.hash);
                if (record->number % 2 == 0 && audit_verify_witness(v, &witness) < 0)
                        abort();
                if (record->number > greatest)
                        greatest = record->number;
        }
        for (size_t i = 0; i < trail->n; i++)
                if (audit_verify_record(v, &trail->records[i]) < 0)
                        abort();
        if (audit_verify_end(v, &verdict) < 0 || verdict.n_records != trail->n)
                abort();
        check_ranges(&verdict, greatest);
        for (size_t i = 0; i < verdict.n_findings; i++)
                if (verdict.findings[i].first > verdict.findings[i].last)
                        abort();
        if (verdict.n_findings == 0 && !holds(trail))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data, *end = text + size;
        struct trail trail = { .n = 0 };

        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                size_t n = (size_t) ((newline ? newline : end) - text);

                read_record(&trail, text, n);
                text += n + (newline ? 1 : 0);
        }
        check_verdict(&trail);
        for (size_t i = 0; i < trail.n; i++)
                audit_record_reset(&trail.records[i]);
        return 0;
}
