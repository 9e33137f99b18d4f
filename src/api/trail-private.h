/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Between the two ways to read the trail: in pages, and followed. */

#include "api/call.h"
#include "api/trail.h"
#include "sys/database-audit.h"

enum trail_format {
        TRAIL_TABLE,
        TRAIL_OBJECT, /* one JSON object, with all records of a page */
        TRAIL_LINES,  /* one JSON object per record and line */
        TRAIL_EVENTS,
};
const char *trail_content_type(enum trail_format format);

/* What is asked for, and how much of it the caller may see. Its words last as long as the reply. */
struct trail_query {
        enum trail_format format;
        struct audit_query what; /* limit 0: not said */
        bool follow;
        bool placed; /* somebody said behind which number it begins */
        char request[REQUEST_ID_LEN + 1];
        char *issuer;          /* only what was asked for by this principal … */
        char **locators;       /* … about these; both NULL: all of it */
};
void trail_query_reset(struct trail_query *q);

bool trail_shows(const struct trail_query *q, const struct audit_record *record);
/* One record as the format has it; only the commas of an object are left to the caller. */
void trail_put(struct text *t, enum trail_format format, const struct audit_record *record);

/* Takes the query over. */
int trail_follow(struct call *call, struct trail_query *q, struct fault *f);
