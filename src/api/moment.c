/* SPDX-License-Identifier: Apache-2.0 */

#include "api/moment.h"

int moment_param(const struct call *call, const char *name, uint64_t *ret_usec, struct fault *f)
{
        const char *value = http_param(call->request, name);

        if (!value || moment_parse(value, wall_usec(), ret_usec))
                return 0;
        return fault_set(f, FAULT_INVALID, name,
                         "%s: seconds since 1970, a time like 2031-12-31T23:59:59Z or how long ago (-5min) "
                         "is expected",
                         name);
}
