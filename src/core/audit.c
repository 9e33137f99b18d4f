/* SPDX-License-Identifier: Apache-2.0 */

/* Audit records: their hashes, and their way through JSON. */

#include "core/audit.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

static const char *const word_names[N_AUDIT_WORDS] = {
        [AUDIT_REQUEST] = "request", [AUDIT_PRINCIPAL] = "principal", [AUDIT_TOKEN] = "token",
        [AUDIT_CHAIN] = "chain",     [AUDIT_USER] = "user",           [AUDIT_PEER] = "peer",
        [AUDIT_RIGHT] = "right",     [AUDIT_VERB] = "verb",           [AUDIT_RESOURCE] = "resource",
        [AUDIT_BEFORE] = "before",   [AUDIT_AFTER] = "after",         [AUDIT_SAID] = "said",
};

const char *audit_word_name(enum audit_word word)
{
        return word_names[word];
}

void audit_record_reset(struct audit_record *record)
{
        for (size_t i = 0; i < N_AUDIT_WORDS; i++)
                free(record->words[i]);
        *record = (struct audit_record){ 0 };
}

static char *fit_word(const char *word)
{
        static const char replacement[] = "\xef\xbf\xbd";
        _cleanup_text_ struct text t = { 0 };

        text_add(&t, "");
        while (*word && t.len < AUDIT_WORD_MAX) {
                uint32_t character;
                size_t n = utf8_decode(word, strnlen(word, 4), &character);

                if (n == 0)
                        text_add(&t, replacement);
                else
                        text_addn(&t, word, n);
                word += n == 0 ? 1 : n;
        }
        return text_take(&t);
}

int audit_record_copy(const struct audit_record *record, struct audit_record *ret)
{
        struct audit_record copy = *record;
        bool oom = false;

        for (size_t i = 0; i < N_AUDIT_WORDS; i++) {
                copy.words[i] = record->words[i] ? fit_word(record->words[i]) : NULL;
                oom |= record->words[i] && !copy.words[i];
        }
        if (oom) {
                audit_record_reset(&copy);
                return -ENOMEM;
        }
        *ret = copy;
        return 0;
}

/* --- hashes -------------------------------------------------------------------------------- */

/* Lengths stand in front, so that no two records are the same bytes. */
static void add_field(struct text *t, const char *value)
{
        if (value)
                text_addf(t, "%zu:%s", strlen(value), value);
        else
                text_addc(t, '-');
        text_addc(t, '\n');
}

static void add_number(struct text *t, uint64_t value)
{
        text_addf(t, "%" PRIu64 "\n", value);
}

int audit_hash(const char *previous, const struct audit_record *record, char ret[static DIGEST_HEX_LEN + 1])
{
        _cleanup_text_ struct text t = { 0 };

        text_add(&t, "geard audit record 1\n");
        add_field(&t, previous);
        add_field(&t, record->trail);
        add_number(&t, record->number);
        add_number(&t, record->at_usec);
        add_number(&t, record->took_usec);
        add_number(&t, (unsigned) record->code);
        for (size_t i = 0; i < N_AUDIT_WORDS; i++)
                add_field(&t, record->words[i]);
        return text_ok(&t) ? digest_hex(t.data, t.len, ret) : -ENOMEM;
}

/* --- JSON ------------------------------------------------------------------------------------ */

void audit_to_json(struct text *t, const struct audit_record *record)
{
        text_addc(t, '{');
        json_put(t, "trail", record->trail);
        json_putu(t, "number", record->number);
        json_putu(t, "at_usec", record->at_usec);
        json_putu(t, "took_usec", record->took_usec);
        json_putu(t, "code", (unsigned) record->code);
        for (size_t i = 0; i < N_AUDIT_WORDS; i++)
                if (record->words[i])
                        json_put(t, word_names[i], record->words[i]);
        json_put(t, "hash", record->hash);
        text_addc(t, '}');
}

static int read_number(const struct json *object, const char *name, uint64_t max, uint64_t *ret,
                       struct fault *f)
{
        return json_get_uint(json_member(object, name), name, 0, max, ret, f);
}

static int read_fixed(const struct json *object, const char *name, char *ret, size_t size, struct fault *f)
{
        const char *value;
        int r = json_get_string(json_member(object, name), name, size - 1, &value, f);

        if (r == 0)
                (void) snprintf(ret, size, "%s", value);
        return r;
}

static int read_word(const struct json *object, const char *name, char **ret, struct fault *f)
{
        const struct json *member = json_member(object, name);
        const char *value;
        int r;

        if (!member)
                return 0;
        r = json_get_string(member, name, SIZE_MAX, &value, f);
        if (r < 0)
                return r;
        *ret = strdup(value);
        return *ret ? 0 : fault_oom(f);
}

int audit_from_json(const struct json *object, struct audit_record *ret, struct fault *f)
{
        _cleanup_audit_record_ struct audit_record record = { 0 };
        uint64_t code = 0;
        int r;

        if (!json_is_object(object))
                return fault_set(f, FAULT_INVALID, NULL, "an audit record must be an object");
        r = read_fixed(object, "trail", record.trail, sizeof record.trail, f);
        if (r == 0)
                r = read_number(object, "number", AUDIT_NUMBER_MAX, &record.number, f);
        if (r == 0)
                r = read_number(object, "at_usec", UINT64_MAX, &record.at_usec, f);
        if (r == 0)
                r = read_number(object, "took_usec", UINT64_MAX, &record.took_usec, f);
        if (r == 0)
                r = read_number(object, "code", UINT_MAX, &code, f);
        record.code = (int) code;
        for (size_t i = 0; r == 0 && i < N_AUDIT_WORDS; i++)
                r = read_word(object, word_names[i], &record.words[i], f);
        if (r == 0)
                r = read_fixed(object, "hash", record.hash, sizeof record.hash, f);
        if (r < 0)
                return r;
        *ret = record;
        record = (struct audit_record){ 0 };
        return 0;
}

/* --- rotation --------------------------------------------------------------------------------- */

bool audit_rotated_range(const struct audit_record *record, uint64_t *ret_first, uint64_t *ret_last)
{
        const char *range = record->words[AUDIT_RESOURCE], *dash = range ? strchr(range, '-') : NULL;
        char first[24];
        uint64_t a, b;

        if (!streq_null(record->words[AUDIT_VERB], AUDIT_ROTATE) || !dash ||
            (size_t) (dash - range) >= sizeof first)
                return false;
        (void) snprintf(first, sizeof first, "%.*s", (int) (dash - range), range);
        if (!parse_u64(first, AUDIT_NUMBER_MAX, &a) || !parse_u64(dash + 1, AUDIT_NUMBER_MAX, &b) || a > b)
                return false;
        *ret_first = a;
        *ret_last = b;
        return true;
}
