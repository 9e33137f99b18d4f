/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A record of a log as people read it. */

#include "util/fault.h"
#include "util/json.h"
#include "util/text.h"

enum log_show_form {
        LOG_SHOW_TEXT, /* when, whose if there are several, what */
        LOG_SHOW_CAT,  /* only what the container wrote, byte for byte */
};

struct log_show {
        enum log_show_form form;
        bool named;    /* there are several */
        bool coloured; /* and no more control characters than that takes */
};

/* One object as geard gives it, as a line with its end; nothing for what the form leaves out. */
int log_show_record(const struct log_show *show, const struct json *record, struct text *t, struct fault *f);
