/* SPDX-License-Identifier: Apache-2.0 */

/* From a call to the gear it is about. */

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
