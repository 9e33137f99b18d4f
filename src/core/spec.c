/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A spec as data: its canonical JSON, what in it reaches into the host, and
 * its end.  The canonical form, read again, writes itself: lists in the order
 * given, labels sorted, sizes in bytes, durations like "90s".
 */

#include "core/spec.h"

#include <inttypes.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

const char *restart_policy_name(enum restart_policy p)
{
        static const char *const names[] = { "always", "on-failure", "no" };

        return names[p];
}

const char *pull_policy_name(enum pull_policy p)
{
        static const char *const names[] = { "missing", "always", "never" };

        return names[p];
}

const char *ready_kind_name(enum ready_kind k)
{
        static const char *const names[] = { "running", "healthy", "tcp", "http", "log" };

        return names[k];
}

const char *spec_host_field(const struct spec *s)
{
        for (size_t i = 0; i < s->n_volumes; i++)
                if (s->volumes[i].source)
                        return "volumes";
        if (s->cap_add)
                return "cap_add";
        if (s->devices)
                return "devices";
        if (s->privileged)
                return "privileged";
        if (s->pid_mode)
                return "pid_mode";
        if (s->network && streq(s->network, "host"))
                return "network";
        return NULL;
}

static void put_string(struct text *t, const char *name, const char *value)
{
        if (!value)
                return;
        json_name(t, name);
        json_out_ascii(t, value);
}

static void put_strings(struct text *t, const char *name, char *const *values)
{
        if (!values)
                return;
        json_name(t, name);
        text_addc(t, '[');
        for (char *const *v = values; *v; v++) {
                if (v != values)
                        text_addc(t, ',');
                json_out_ascii(t, *v);
        }
        text_addc(t, ']');
}

static void put_duration(struct text *t, const char *name, uint64_t usec)
{
        json_name(t, name);
        if (usec % USEC_PER_SEC == 0)
                text_addf(t, "\"%" PRIu64 "s\"", usec / USEC_PER_SEC);
        else if (usec % USEC_PER_MSEC == 0)
                text_addf(t, "\"%" PRIu64 "ms\"", usec / USEC_PER_MSEC);
        else
                text_addf(t, "\"%" PRIu64 "us\"", usec);
}

static void put_ports(struct text *t, const struct spec *s)
{
        if (s->n_ports == 0)
                return;
        json_name(t, "ports");
        text_addc(t, '[');
        for (size_t i = 0; i < s->n_ports; i++) {
                const struct spec_port *p = &s->ports[i];

                text_add(t, i > 0 ? ",{" : "{");
                json_putu(t, "internal", p->internal);
                if (p->external)
                        json_putu(t, "external", p->external);
                if (p->udp)
                        json_put(t, "protocol", "udp");
                if (p->address[0])
                        json_put(t, "address", p->address);
                text_addc(t, '}');
        }
        text_addc(t, ']');
}

static void put_volumes(struct text *t, const struct spec *s)
{
        if (s->n_volumes == 0)
                return;
        json_name(t, "volumes");
        text_addc(t, '[');
        for (size_t i = 0; i < s->n_volumes; i++) {
                const struct spec_volume *v = &s->volumes[i];

                text_add(t, i > 0 ? ",{" : "{");
                put_string(t, "name", v->name);
                put_string(t, "source", v->source);
                put_string(t, "target", v->target);
                if (v->read_only)
                        json_putb(t, "read_only", true);
                text_addc(t, '}');
        }
        text_addc(t, ']');
}

static void put_labels(struct text *t, const struct spec *s)
{
        if (s->n_labels == 0)
                return;
        json_name(t, "labels");
        text_addc(t, '{');
        for (size_t i = 0; i < s->n_labels; i++) {
                if (i > 0)
                        text_addc(t, ',');
                json_out_ascii(t, s->labels[i].name);
                text_addc(t, ':');
                json_out_ascii(t, s->labels[i].value);
        }
        text_addc(t, '}');
}

static void put_limits(struct text *t, const struct spec *s)
{
        if (s->memory)
                json_putu(t, "memory", s->memory);
        if (s->cpu_milli) {
                json_name(t, "cpus");
                text_addf(t, "%" PRIu64 ".%03" PRIu64, s->cpu_milli / 1000, s->cpu_milli % 1000);
        }
        if (s->pids)
                json_putu(t, "pids", s->pids);
}

static void put_http(struct text *t, uint16_t port, const char *path)
{
        json_name(t, "http");
        text_addc(t, '{');
        json_putu(t, "port", port);
        put_string(t, "path", path);
        text_addc(t, '}');
}

static void put_health(struct text *t, const struct spec_health *h)
{
        if (h->kind == PROBE_NONE)
                return;
        json_name(t, "health");
        text_addc(t, '{');
        if (h->kind == PROBE_COMMAND)
                put_strings(t, "command", h->command);
        else if (h->kind == PROBE_HTTP)
                put_http(t, h->port, h->path);
        else
                json_putu(t, "tcp", h->port);
        put_duration(t, "interval", h->interval_usec);
        put_duration(t, "timeout", h->timeout_usec);
        json_putu(t, "retries", h->retries);
        put_duration(t, "start_period", h->start_period_usec);
        text_addc(t, '}');
}

static void put_ready(struct text *t, const struct spec_ready *r)
{
        if (r->kind == READY_RUNNING && r->timeout_usec == 0)
                return;
        json_name(t, "ready");
        text_addc(t, '{');
        switch (r->kind) {
        case READY_RUNNING:
        case READY_HEALTHY:
                json_putb(t, ready_kind_name(r->kind), true);
                break;
        case READY_TCP:
                json_putu(t, "tcp", r->port);
                break;
        case READY_HTTP:
                put_http(t, r->port, r->path);
                break;
        case READY_LOG:
                put_string(t, "log", r->pattern);
                break;
        }
        if (r->timeout_usec)
                put_duration(t, "timeout", r->timeout_usec);
        text_addc(t, '}');
}

void spec_to_json(const struct spec *s, struct text *t)
{
        text_addc(t, '{');
        put_string(t, "image", s->image);
        put_strings(t, "command", s->command);
        put_ports(t, s);
        put_volumes(t, s);
        put_labels(t, s);
        put_limits(t, s);
        put_string(t, "user", s->user);
        put_string(t, "workdir", s->workdir);
        put_string(t, "hostname", s->hostname);
        if (s->read_only)
                json_putb(t, "read_only", true);
        put_strings(t, "cap_add", s->cap_add);
        put_strings(t, "cap_drop", s->cap_drop);
        put_strings(t, "devices", s->devices);
        if (s->privileged)
                json_putb(t, "privileged", true);
        put_string(t, "pid_mode", s->pid_mode);
        put_string(t, "network", s->network);
        if (s->restart != RESTART_ALWAYS)
                json_put(t, "restart", restart_policy_name(s->restart));
        put_duration(t, "stop_timeout", s->stop_timeout_usec);
        put_string(t, "stop_signal", s->stop_signal);
        if (s->pull != PULL_MISSING)
                json_put(t, "pull", pull_policy_name(s->pull));
        put_health(t, &s->health);
        put_ready(t, &s->ready);
        text_addc(t, '}');
}

void spec_reset(struct spec *s)
{
        free(s->image);
        strv_free(s->command);
        environ_reset(&s->env);
        for (size_t i = 0; i < s->n_volumes; i++) {
                free(s->volumes[i].name);
                free(s->volumes[i].source);
                free(s->volumes[i].target);
        }
        for (size_t i = 0; i < s->n_labels; i++) {
                free(s->labels[i].name);
                free(s->labels[i].value);
        }
        free(s->labels);
        free(s->user);
        free(s->workdir);
        free(s->hostname);
        free(s->network);
        free(s->stop_signal);
        strv_free(s->cap_add);
        strv_free(s->cap_drop);
        strv_free(s->devices);
        free(s->pid_mode);
        strv_free(s->health.command);
        free(s->health.path);
        free(s->ready.path);
        free(s->ready.pattern);
        *s = (struct spec){ 0 };
}
