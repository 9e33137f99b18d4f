/* SPDX-License-Identifier: Apache-2.0 */

/* The log of a service: of all its instances, those of the past and those to come as well, or of one. */

#include "api/service-log.h"

#include "api/answer.h"
#include "api/log-search.h"

#include <stdio.h>

static int read_created(struct log_search *s, const char *text)
{
        struct unit_record record = { 0 };
        int r = unit_read(text, &record, &s->fault);

        if (r < 0) {
                s->fault.kind = FAULT_CONFLICT; /* it is not the request that is wrong */
                return r;
        }
        s->source.created_usec = record.created_usec;
        unit_record_reset(&record);
        return 0;
}

static void aim_at_all(struct log_search *s)
{
        service_template_name(s->id, s->source.unit);
        (void) snprintf(s->source.service, sizeof s->source.service, "%s", s->id);
}

static void aim_at_one(struct log_search *s)
{
        service_instance_name(s->id, (uint32_t) s->instance, s->source.identifier);
        (void) stpcpy(stpcpy(s->source.unit, s->source.identifier), ".service");
}

static int find(struct log_search *s)
{
        _cleanup_free_ char *text = NULL;
        int r = store_read_template(s->daemon->store, s->id, &text);

        if (r == -ENOENT)
                return fault_set(&s->fault, FAULT_MISSING, "id", "there is no service %s", s->id);
        if (r < 0)
                return fault_errno(&s->fault, r, "cannot read the unit of service %s", s->id);
        if (s->instance == 0)
                aim_at_all(s);
        else
                aim_at_one(s);
        return read_created(s, text);
}

static int read_instance(const struct call *call, uint64_t *ret, struct fault *f)
{
        const char *value = http_param(call->request, "instance");

        *ret = 0;
        if (!value || (parse_u64(value, SERVICE_INSTANCE_MAX, ret) && *ret > 0))
                return 0;
        return fault_set(f, FAULT_INVALID, "instance", "instance: a number from 1 on, not \"%.32s\"", value);
}

/* A gear may be called the same, and be another's: a token for its log alone is for no service. */
static void service_log(struct call *call)
{
        uint64_t instance;
        struct fault f;

        if (access_needs(call, "service.log", &f) < 0 || read_instance(call, &instance, &f) < 0)
                answer_fault(call, &f);
        else
                log_search(call, instance, instance == 0, find);
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
