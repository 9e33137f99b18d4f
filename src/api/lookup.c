/* SPDX-License-Identifier: Apache-2.0 */

/* From a call to the gear it is about, and from there to what it is. */

#include "api/lookup.h"

int lookup_gear(struct call *call, struct gear **ret, struct fault *f)
{
        struct gear *gear;
        const char *id;
        int r = call_gear_id(call, &id, f);

        if (r < 0)
                return r;
        gear = gears_find(call->daemon->gears, id);
        if (!gear)
                return fault_set(f, FAULT_MISSING, "id", "there is no gear %s", id);
        *ret = gear;
        return 0;
}

int lookup_spec(const struct daemon *d, const char *id, struct spec *ret, struct fault *f)
{
        _cleanup_free_ char *text = NULL;
        struct unit_record record = { 0 };
        int r;

        r = store_read_unit(d->store, id, &text);
        if (r == -EBADMSG)
                return fault_set(f, FAULT_CONFLICT, NULL, "the unit file of gear %s is no text", id);
        if (r < 0)
                return fault_errno(f, r, "cannot read the unit of gear %s", id);
        r = unit_read(text, &record, f);
        if (r < 0) {
                f->kind = FAULT_CONFLICT; /* it is not the request that is wrong */
                return r;
        }
        *ret = record.spec;
        record.spec = (struct spec){ 0 };
        unit_record_reset(&record);
        return 0;
}
