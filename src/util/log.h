/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One line for the operator, with structured fields.  Goes to the journal
 * natively when stderr is connected to it, else to stderr with a <priority>
 * prefix.  Only api/, main and config may log; util, core, sys and http return
 * their errors (http writes its access line through a callback).
 *
 *   log_info(LOG_FIELDS("GEAR_ID", id, "GEARD_REQUEST_ID", rid), "gear %s started", id);
 */

#include "util/base.h"

#include <syslog.h>

#define LOG_FIELDS_MAX 24
#define LOG_ALWAYS (1 << 12) /* with a level: written whatever the highest one is */

struct log_fields {
        const char *const *pairs; /* name, value, name, value, …, NULL; a NULL value is left out */
};

/* LOG_FIELDS("GEAR_ID", id, "GEARD_REQUEST_ID", rid) */
#define LOG_FIELDS(...) log_pair_up((const char *const[]){ __VA_ARGS__, NULL, NULL })
static inline struct log_fields log_pair_up(const char *const *pairs)
{
        return (struct log_fields){ pairs };
}
#define NO_FIELDS ((struct log_fields){ NULL })

/* Chooses the target once, at start. max: highest LOG_* level that is written. */
void log_open(const char *identifier, int max);

void log_write(int level, const char *file, int line, struct log_fields fields,
               const char *format, ...) _printf_(5, 6);

#define log_at(level, fields, ...) log_write((level), __FILE__, __LINE__, (fields), __VA_ARGS__)
#define log_error(fields, ...) log_at(LOG_ERR, (fields), __VA_ARGS__)
#define log_warning(fields, ...) log_at(LOG_WARNING, (fields), __VA_ARGS__)
#define log_notice(fields, ...) log_at(LOG_NOTICE, (fields), __VA_ARGS__)
#define log_info(fields, ...) log_at(LOG_INFO, (fields), __VA_ARGS__)
#define log_debug(fields, ...) log_at(LOG_DEBUG, (fields), __VA_ARGS__)
