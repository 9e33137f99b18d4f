/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes: read or refused with a reason; whatever was read is written, and
 * reads again as the same.
 */

#include "util/json.h"

#include <stdio.h>

static void write_value(struct text *t, const struct json *v)
{
        struct fault f = { 0 };
        const char *name, *s;
        bool b;

        if (json_is_object(v)) {
                text_addc(t, '{');
                for (size_t i = 0; json_object_at(v, i, &name); i++) {
                        json_name(t, name);
                        write_value(t, json_object_at(v, i, &name));
                }
                text_addc(t, '}');
        } else if (json_is_array(v)) {
                text_addc(t, '[');
                for (size_t i = 0; i < json_array_len(v); i++) {
                        if (i > 0)
                                text_addc(t, ',');
                        write_value(t, json_array_at(v, i));
                }
                text_addc(t, ']');
        } else if (json_is_string(v)) {
                if (json_get_string(v, "s", SIZE_MAX, &s, &f) < 0 || !utf8_valid(s, strlen(s)))
                        abort();
                json_out_ascii(t, s);
        } else if (json_is_bool(v)) {
                if (json_get_bool(v, "b", &b, &f) < 0)
                        abort();
                text_add(t, b ? "true" : "false");
        } else if (json_is_null(v)) {
                text_add(t, "null");
        } else {
                uint64_t n;

                if (!json_is_number(v))
                        abort();
                /* Only what an integer getter takes is worth a comparison. */
                if (json_get_uint(v, "n", 0, UINT64_MAX, &n, &f) < 0)
                        n = 0;
                text_addf(t, "%ju", (uintmax_t) n);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(json_freep) struct json *v = NULL, *again = NULL;
        _cleanup_text_ struct text once = { 0 }, twice = { 0 };
        struct fault f = { 0 };

        v = json_parse((const char *) data, size, "body", &f);
        if (!v) {
                if (f.kind != FAULT_INVALID || !starts_with(f.text, "body: "))
                        abort();
                return 0;
        }
        if (f.kind != FAULT_NONE)
                abort();
        write_value(&once, v);
        again = json_parse(once.data, once.len, "again", &f);
        if (!again)
                abort();
        write_value(&twice, again);
        if (!streq(once.data, twice.data))
                abort();
        return 0;
}
