/* SPDX-License-Identifier: Apache-2.0 */

#include "api/moment.h"

#include <stdio.h>
#include <time.h>

#define YEAR_9999_SEC UINT64_C(253402300799)

static bool parse_moment(const char *s, uint64_t now, uint64_t *ret)
{
        struct tm tm = { 0 };
        const char *end;
        uint64_t n;

        if (parse_u64(s, YEAR_9999_SEC, &n)) {
                *ret = n * USEC_PER_SEC;
                return true;
        }
        end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
        if (end && !*end) {
                time_t seconds = timegm(&tm);

                if (seconds < 0)
                        return false;
                *ret = (uint64_t) seconds * USEC_PER_SEC;
                return true;
        }
        if (!parse_duration(s, &n) || n > now)
                return false;
        *ret = now - n;
        return true;
}

int moment_param(const struct call *call, const char *name, uint64_t *ret_usec, struct fault *f)
{
        const char *value = http_param(call->request, name);

        if (!value || parse_moment(value, wall_usec(), ret_usec))
                return 0;
        return fault_set(f, FAULT_INVALID, name,
                         "%s: seconds since 1970, a time like 2031-12-31T23:59:59Z or how long ago (5min) "
                         "is expected",
                         name);
}

void moment_add(struct text *t, uint64_t usec, int digits)
{
        time_t seconds = (time_t) (usec / USEC_PER_SEC);
        char date[32] = "", fraction[8] = "";
        struct tm tm;

        if (gmtime_r(&seconds, &tm))
                (void) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
        if (digits > 0)
                (void) snprintf(fraction, sizeof fraction, ".%06u", (unsigned) (usec % USEC_PER_SEC));
        text_addf(t, "%s%.*sZ", date, digits > 0 ? digits + 1 : 0, fraction);
}
