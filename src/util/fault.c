/* SPDX-License-Identifier: Apache-2.0 */

#include "util/fault.h"

#include <stdarg.h>
#include <stdio.h>

int fault_set(struct fault *f, enum fault_kind kind, const char *field,
              const char *format, ...)
{
        va_list ap;

        *f = (struct fault){ .kind = kind };
        if (field)
                (void) snprintf(f->field, sizeof f->field, "%s", field);
        va_start(ap, format);
        (void) vsnprintf(f->text, sizeof f->text, format, ap);
        va_end(ap);
        return -EINVAL;
}

static enum fault_kind kind_of_errno(int error)
{
        switch (error) {
        case ENOSPC:
        case EDQUOT:
                return FAULT_NO_SPACE;
        case ENOENT:
                return FAULT_MISSING;
        case EMFILE:
        case ENFILE:
        case EAGAIN:
                return FAULT_BUSY;
        case ETIMEDOUT:
                return FAULT_TIMEOUT;
        default:
                return FAULT_INTERNAL;
        }
}

int fault_errno(struct fault *f, int error, const char *format, ...)
{
        va_list ap;
        int n;

        if (error < 0)
                error = -error;
        *f = (struct fault){ .kind = kind_of_errno(error) };
        va_start(ap, format);
        n = vsnprintf(f->text, sizeof f->text, format, ap);
        va_end(ap);
        if (n >= 0 && (size_t) n < sizeof f->text)
                (void) snprintf(f->text + n, sizeof f->text - (size_t) n, ": %s",
                                strerror(error));
        return -error;
}

int fault_oom(struct fault *f)
{
        (void) fault_set(f, FAULT_INTERNAL, NULL, "out of memory");
        return -ENOMEM;
}
