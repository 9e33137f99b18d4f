/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/log-fields.h"

#include "core/ident.h"

#include <stdio.h>
#include <unistd.h>

#define FIELDS_OF "/run/systemd/units/log-extra-fields:"

void log_fields_forget(const char *unit)
{
        char path[sizeof FIELDS_OF + SERVICE_UNIT_NAME_MAX];

        if (snprintf(path, sizeof path, FIELDS_OF "%s", unit) < (int) sizeof path)
                (void) unlink(path);
}
