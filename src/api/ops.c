/* SPDX-License-Identifier: Apache-2.0 */

/* How geard itself is: for a load balancer, for a monitoring system, for a person. */

#include "api/ops.h"

#include "api/answer.h"
#include "api/index.h"
#include "build-config.h"
#include "util/file.h"

#include <inttypes.h>
#include <stdio.h>

#define PROC_STATUS_MAX 16384

/* --- healthz ------------------------------------------------------------------------------------- */

static void health_to_text(struct text *t, const struct fault *systemd, const struct fault *engine)
{
        text_add(t, "ok\n");
        if (systemd)
                text_addf(t, "%s\n", systemd->text);
        if (engine)
                text_addf(t, "%s\n", engine->text);
}

/* Restarting geard helps neither systemd nor the engine: what is missing is told, and it stays a 200. */
static void healthz_get(struct call *call)
{
        const struct daemon *d = call->daemon;
        _cleanup_text_ struct text text = { 0 }, json = { 0 };
        struct fault systemd_fault, engine_fault;
        bool systemd = index_need_systemd(d, &systemd_fault) == 0,
             engine = index_need_engine(d, &engine_fault) == 0;

        if (d->draining)
                text_add(&text, "stopping\n");
        else
                health_to_text(&text, systemd ? NULL : &systemd_fault, engine ? NULL : &engine_fault);
        text_addc(&json, '{');
        json_put(&json, "status", d->draining ? "stopping" : "ok");
        json_putb(&json, "systemd", systemd);
        json_putb(&json, "engine", engine);
        json_putu(&json, "gears", gears_count(d->gears));
        json_put(&json, "version", PACKAGE_VERSION);
        text_add(&json, "}\n");
        answer_either(call, d->draining ? 503 : 200, text_ok(&text) ? text.data : "", &json);
}

/* For who opens the address to see what is there. */
static void root_get(struct call *call)
{
        _cleanup_text_ struct text json = { 0 };

        text_addc(&json, '{');
        json_put(&json, "version", PACKAGE_VERSION);
        json_put(&json, "calls", "/openapi.json");
        text_add(&json, "}\n");
        answer_either(call, 200, "geard " PACKAGE_VERSION ": geard(8) and /openapi.json have its calls\n", &json);
}

static void version_get(struct call *call)
{
        _cleanup_text_ struct text json = { 0 };

        text_addc(&json, '{');
        json_put(&json, "version", PACKAGE_VERSION);
        text_add(&json, "}\n");
        answer_either(call, 200, "geard " PACKAGE_VERSION "\n", &json);
}

/* --- metrics ------------------------------------------------------------------------------------- */

static void put_family(struct text *t, const char *name, const char *type, const char *help)
{
        text_addf(t, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

static void put_gauge(struct text *t, const char *name, const char *help, uint64_t value)
{
        put_family(t, name, "gauge", help);
        text_addf(t, "%s %" PRIu64 "\n", name, value);
}

static void put_counter(struct text *t, const char *name, const char *help, uint64_t value)
{
        put_family(t, name, "counter", help);
        text_addf(t, "%s_total %" PRIu64 "\n", name, value);
}

static void put_seconds(struct text *t, const char *name, uint64_t usec)
{
        text_addf(t, "%s %" PRIu64 ".%06" PRIu64 "\n", name, usec / USEC_PER_SEC, usec % USEC_PER_SEC);
}

static void put_http(struct text *t, const struct daemon *d)
{
        struct server_stats s;

        server_get_stats(d->server, &s);
        put_family(t, "geard_http_responses", "counter", "Requests answered, by class of status.");
        for (size_t i = 1; i < ARRAY_SIZE(s.responses_by_class); i++)
                text_addf(t, "geard_http_responses_total{class=\"%zuxx\"} %" PRIu64 "\n", i,
                          s.responses_by_class[i]);
        put_counter(t, "geard_http_requests", "Requests read.", s.requests);
        put_counter(t, "geard_http_refused", "Requests refused by the parser or a limit.", s.refused);
        put_counter(t, "geard_http_connections_accepted", "Connections accepted.", s.accepted);
        put_gauge(t, "geard_http_connections", "Connections open.", s.connections);
        put_gauge(t, "geard_http_requests_running", "Requests not answered yet.", s.replies);
        put_gauge(t, "geard_streams", "Log and progress streams open.", d->streams);
}

/* By walking the index: 0.1 ms for 5,000 gears, a few times a minute. */
static void put_gears(struct text *t, const struct daemon *d)
{
        size_t counts[N_STATES] = { 0 };

        for (size_t i = 0; i < gears_count(d->gears); i++)
                counts[gear_state_of(gears_at(d->gears, i))]++;
        put_family(t, "geard_gears", "gauge", "Gears, by state.");
        for (size_t i = 0; i < N_STATES; i++)
                text_addf(t, "geard_gears{state=\"%s\"} %zu\n", gear_state_name((enum gear_state) i),
                          counts[i]);
}

static void put_changes(struct text *t, const struct daemon *d)
{
        const struct counters *c = &d->counters;

        put_family(t, "geard_changes", "counter", "Changes that came to their end.");
        text_addf(t, "geard_changes_total{outcome=\"good\"} %" PRIu64 "\n", c->changes_good);
        text_addf(t, "geard_changes_total{outcome=\"bad\"} %" PRIu64 "\n", c->changes_bad);
        put_gauge(t, "geard_changes_running", "Changes under way.", requests_running(d->requests));
        put_counter(t, "geard_request_replays", "Requests answered with a remembered outcome.", c->replays);
        put_counter(t, "geard_request_joins", "Requests that joined the same one under way.", c->joins);
}

static void put_audit(struct text *t, const struct daemon *d)
{
        const struct counters *c = &d->counters;

        put_counter(t, "geard_audit_records", "Records written to the audit trail.", c->audit_records);
        put_counter(t, "geard_audit_lost", "Records that could not be written.", c->audit_lost);
        put_family(t, "geard_refusals", "counter", "Calls refused, by whether it is known who made them.");
        text_addf(t, "geard_refusals_total{known=\"yes\"} %" PRIu64 "\n", c->refusals_known);
        text_addf(t, "geard_refusals_total{known=\"no\"} %" PRIu64 "\n", c->refusals_of_strangers);
}

static void put_systemd(struct text *t, const struct daemon *d)
{
        struct systemd_stats s;
        struct fault ignored;

        systemd_get_stats(d->systemd, &s);
        put_gauge(t, "geard_systemd_up", "Is systemd's bus there, and the index in step with it?",
                  index_need_systemd(d, &ignored) == 0);
        put_gauge(t, "geard_engine_up", "Is the Docker engine there, and the index in step with it?",
                  index_need_engine(d, &ignored) == 0);
        put_counter(t, "geard_systemd_reloads", "Reloads of systemd's units that were needed.", s.reloads);
        put_counter(t, "geard_systemd_link_batches", "Calls that linked or enabled units.", s.links);
        put_gauge(t, "geard_systemd_jobs_pending", "Jobs under way.", s.jobs_pending);
        put_family(t, "geard_systemd_job_seconds", "summary", "How long jobs took.");
        text_addf(t, "geard_systemd_job_seconds_count %" PRIu64 "\n", s.jobs);
        put_seconds(t, "geard_systemd_job_seconds_sum", s.job_usec_sum);
}

/* The number of kilobytes behind the name, as bytes; false where the kernel does not tell. */
static bool status_bytes(const char *status, const char *name, uint64_t *ret)
{
        const char *line = strstr(status, name);

        uint64_t kilobytes;

        if (!line || sscanf(line + strlen(name), ":%" SCNu64 " kB", &kilobytes) != 1)
                return false;
        *ret = kilobytes * 1024;
        return true;
}

static void put_process(struct text *t, const struct daemon *d)
{
        _cleanup_free_ char *status = NULL;
        uint64_t bytes, now = wall_usec();
        size_t n;

        if (file_read("/proc/self/status", PROC_STATUS_MAX, &status, &n) == 0) {
                if (status_bytes(status, "VmRSS", &bytes))
                        put_gauge(t, "geard_memory_resident_bytes", "Resident memory.", bytes);
                if (status_bytes(status, "RssAnon", &bytes))
                        put_gauge(t, "geard_memory_anonymous_bytes",
                                  "Resident memory that is geard's alone.", bytes);
        }
        put_family(t, "geard_uptime_seconds", "gauge", "Since geard started.");
        put_seconds(t, "geard_uptime_seconds", now > d->began_usec ? now - d->began_usec : 0);
        put_family(t, "geard_build", "info", "What runs here.");
        text_addf(t, "geard_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
}

static void metrics_get(struct call *call)
{
        const struct daemon *d = call->daemon;
        _cleanup_text_ struct text t = { 0 };
        struct fault f;

        put_http(&t, d);
        put_gears(&t, d);
        put_changes(&t, d);
        put_audit(&t, d);
        put_systemd(&t, d);
        put_process(&t, d);
        text_add(&t, "# EOF\n");
        if (!text_ok(&t)) {
                (void) fault_oom(&f);
                answer_fault(call, &f);
                return;
        }
        reply_send(TAKE(call->reply), 200, "application/openmetrics-text; version=1.0.0; charset=utf-8",
                   t.data, t.len);
}

static const struct route routes[] = {
        { HTTP_GET, "/", root_get, NULL, ROUTE_OPEN, "What answers here" },
        { HTTP_GET, "/healthz", healthz_get, NULL, ROUTE_OPEN, "Whether geard works, and what it misses" },
        { HTTP_GET, "/version", version_get, NULL, ROUTE_OPEN, "Which geard this is" },
        { HTTP_GET, "/metrics", metrics_get, "ops.read", 0,
          "Numbers for a monitoring system (OpenMetrics)" },
};
const struct route_table ops_routes = { routes, ARRAY_SIZE(routes) };
