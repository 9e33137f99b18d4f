/* SPDX-License-Identifier: Apache-2.0 */

#include "api/log-search.h"

#include "api/answer.h"

#include <stdio.h>

static int look(void *arg)
{
        struct log_search *s = arg;

        return s->find(s);
}

static void looked(void *arg, int r)
{
        _cleanup_free_ struct log_search *s = arg;

        if (r < 0)
                log_stream_refuse(s->stream, &s->fault);
        else
                log_stream_begin(s->stream, &s->source, 1);
}

static int open_stream(struct call *call, struct log_search *s, bool named, struct fault *f)
{
        const char *id;
        int r = call_gear_id(call, &id, f);

        if (r < 0)
                return r;
        (void) snprintf(s->id, sizeof s->id, "%s", id);
        return log_stream_open(call, named, &s->stream, f);
}

void log_search(struct call *call, uint64_t instance, bool named, int (*find)(struct log_search *s))
{
        struct log_search *s = calloc(1, sizeof *s);
        struct daemon *d = call->daemon;
        struct fault f;

        if (s)
                *s = (struct log_search){ .daemon = d, .instance = instance, .find = find };
        if ((s ? open_stream(call, s, named, &f) : fault_oom(&f)) < 0) {
                free(s);
                answer_fault(call, &f);
                return;
        }
        if (worker_run(d->worker, look, looked, s) < 0) {
                (void) fault_oom(&f);
                log_stream_refuse(s->stream, &f);
                free(s);
        }
}
