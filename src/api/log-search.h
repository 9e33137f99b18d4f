/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Logs of what only the disk knows to be there. */

#include "api/log.h"

struct log_search {
        const struct daemon *daemon;
        char id[GEAR_ID_MAX + 1];
        uint64_t instance; /* of a service; 0: all */

        struct log_source source; /* to be filled in */
        struct fault fault;       /* … or this */

        int (*find)(struct log_search *s); /* in the worker's thread: 0 or -errno */
        struct log_stream *stream;
};

/* Answers the call with the log that `find' finds. */
void log_search(struct call *call, uint64_t instance, bool named, int (*find)(struct log_search *s));
