/* SPDX-License-Identifier: Apache-2.0 */

/* The log of a service: of all its instances, those of the past and those to come as well, or of one. */

#include "api/service-log.h"

#include "api/answer.h"
#include "api/log.h"

#include <stdio.h>

struct search {
        const struct daemon *daemon;
        struct log_stream *stream;
        char id[GEAR_ID_MAX + 1];
        uint64_t instance; /* 0: all */
        uint64_t created_usec;
        struct fault fault;
};

static int read_created(struct search *s, const char *text)
{
        struct unit_record record = { 0 };
        int r = unit_read(text, &record, &s->fault);

        if (r < 0) {
                s->fault.kind = FAULT_CONFLICT; /* it is not the request that is wrong */
                return r;
        }
        s->created_usec = record.created_usec;
        unit_record_reset(&record);
        return 0;
}

static int look(void *arg)
{
        _cleanup_free_ char *text = NULL;
        struct search *s = arg;
        int r = store_read_template(s->daemon->store, s->id, &text);

        if (r == -ENOENT)
                return fault_set(&s->fault, FAULT_MISSING, "id", "there is no service %s", s->id);
        if (r < 0)
                return fault_errno(&s->fault, r, "cannot read the unit of service %s", s->id);
        return read_created(s, text);
}

static void aim_at_all(const struct search *s, struct log_source *source)
{
        service_template_name(s->id, source->unit);
        (void) snprintf(source->service, sizeof source->service, "%s", s->id);
}

static void aim_at_one(const struct search *s, struct log_source *source)
{
        service_instance_name(s->id, (uint32_t) s->instance, source->identifier);
        (void) stpcpy(stpcpy(source->unit, source->identifier), ".service");
}

static void looked(void *arg, int r)
{
        _cleanup_free_ struct search *s = arg;
        struct log_source source = { .created_usec = s->created_usec };

        if (r < 0) {
                log_stream_refuse(s->stream, &s->fault);
                return;
        }
        if (s->instance == 0)
                aim_at_all(s, &source);
        else
                aim_at_one(s, &source);
        log_stream_begin(s->stream, &source, 1);
}

static int read_instance(const struct call *call, uint64_t *ret, struct fault *f)
{
        const char *value = http_param(call->request, "instance");

        *ret = 0;
        if (!value || (parse_u64(value, SERVICE_INSTANCE_MAX, ret) && *ret > 0))
                return 0;
        return fault_set(f, FAULT_INVALID, "instance", "instance: a number from 1 on, not \"%.32s\"", value);
}

static int start_search(struct call *call, struct search *s, struct fault *f)
{
        const char *id;
        int r = call_gear_id(call, &id, f);

        if (r == 0)
                r = read_instance(call, &s->instance, f);
        if (r < 0)
                return r;
        s->daemon = call->daemon;
        (void) snprintf(s->id, sizeof s->id, "%s", id);
        return log_stream_open(call, s->instance == 0, &s->stream, f);
}

static void service_log(struct call *call)
{
        struct search *s = calloc(1, sizeof *s);
        struct daemon *d = call->daemon;
        struct fault f;
        int r = s ? start_search(call, s, &f) : fault_oom(&f);

        if (r < 0) {
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

static const struct route routes[] = {
        { HTTP_GET, "/service/log", service_log, "log.read", ROUTE_TOKEN | ROUTE_STREAM,
          "The log of a service's instances, followed" },
        { HTTP_PUT, "/service/log", service_log, "log.read", ROUTE_TOKEN | ROUTE_STREAM,
          "The log of a service's instances, followed" },
        { HTTP_GET, "/service/{id}/log", service_log, "log.read", ROUTE_STREAM,
          "The log of a service's instances, followed" },
        { HTTP_PUT, "/service/{id}/log", service_log, "log.read", ROUTE_STREAM,
          "The log of a service's instances, followed" },
};
const struct route_table service_log_routes = { routes, ARRAY_SIZE(routes) };
