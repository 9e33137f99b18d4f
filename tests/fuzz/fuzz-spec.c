/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any body: a spec whose canonical form is a fixed point, pure ASCII and free
 * of the environment's values; or a fault that names a field.  The environment
 * comes back from its file as it went in.
 */

#include "core/spec.h"

static void check_canonical(const struct spec *s)
{
        _cleanup_text_ struct text once = { 0 }, twice = { 0 };
        _cleanup_(json_freep) struct json *v = NULL;
        _cleanup_(spec_reset) struct spec again = { 0 };
        struct fault f = { 0 };

        spec_to_json(s, &once);
        for (size_t i = 0; i < once.len; i++)
                if (once.data[i] < ' ' || once.data[i] > '~')
                        abort();
        v = json_parse(once.data, once.len, "canonical", &f);
        if (!v || spec_from_json(v, NULL, &again, &f) < 0)
                abort();
        spec_to_json(&again, &twice);
        if (!streq(once.data, twice.data) || !streq_null(spec_host_field(s), spec_host_field(&again)))
                abort();
}

static void check_environ(const struct environ *e)
{
        _cleanup_text_ struct text file = { 0 };
        _cleanup_(environ_reset) struct environ again = { 0 };

        text_add(&file, "");
        environ_to_file(e, &file);
        if (environ_from_file(file.data, &again) < 0 || !environ_equal(e, &again))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(json_freep) struct json *v = NULL;
        _cleanup_(spec_reset) struct spec s = { 0 };
        struct fault f = { 0 };

        v = json_parse((const char *) data, size, "body", &f);
        if (!v)
                return 0;
        if (spec_from_json(v, json_member(v, "image") ? NULL : "busybox", &s, &f) < 0) {
                bool unnamed = json_member(v, "") != NULL; /* an unknown field whose name is empty */

                if ((f.kind != FAULT_INVALID && f.kind != FAULT_DENIED) || (!f.field[0] && !unnamed))
                        abort();
                return 0;
        }
        check_canonical(&s);
        check_environ(&s.env);
        return 0;
}
