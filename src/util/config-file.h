/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The syntax of a configuration file, without its meaning: [Section], Key=value,
 * comments after '#' or ';' at the start of a line, a backslash at its end to go
 * on with the next one.
 */

#include "util/fault.h"

struct config_line {
        const char *file;
        unsigned number;     /* of its first line */
        const char *section; /* never empty */
        const char *key;     /* NULL: this line begins the section */
        const char *value;   /* without blanks around it; may be empty */
};

/* Calls back for each section and assignment, up to the first that returns negative. */
int config_file_parse(const char *text, const char *file,
                      int (*line)(void *arg, const struct config_line *line, struct fault *f), void *arg,
                      struct fault *f);
