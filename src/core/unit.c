/* SPDX-License-Identifier: Apache-2.0 */

#include "core/unit.h"

#include "core/ident.h"
#include "core/log-entry.h"
#include "util/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define USEC_PER_SEC ((uint64_t) 1000000)

/* The engine gets this much longer than the container to come to an end. */
#define STOP_MARGIN_SEC 15

/* Ten starts in ten minutes is a crash loop; gear-unit's backoff fits below it. */
#define START_LIMIT_BURST 10
#define START_LIMIT_MIN 10

static bool is_plain(unsigned char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               strchr("_./:=,@+-", c) != NULL;
}

void unit_quote(struct text *t, const char *word)
{
        const unsigned char *p = (const unsigned char *) word;
        size_t plain = 0;

        while (p[plain] && is_plain(p[plain]))
                plain++;
        if (plain > 0 && !p[plain]) {
                text_add(t, word);
                return;
        }

        text_addc(t, '"');
        for (; *p; p++) {
                if (*p == '"' || *p == '\\')
                        text_addc(t, '\\');
                if (*p == '%')
                        text_add(t, "%%");
                else if (*p < 0x20 || *p > 0x7e)
                        text_addf(t, "\\x%02x", *p);
                else
                        text_addc(t, (char) *p);
        }
        text_addc(t, '"');
}

int unit_spec_hash(const struct spec *spec, char ret[static DIGEST_HEX_LEN + 1])
{
        _cleanup_text_ struct text canonical = { 0 };

        spec_to_json(spec, &canonical);
        return text_ok(&canonical) ? digest_hex(canonical.data, canonical.len, ret) : -ENOMEM;
}

/* --- the argv of docker run -------------------------------------------------- */

static const struct unit_names {
        const char *prefix;       /* of unit, container and volumes */
        const char *label;
        const char *environments; /* below the state directory */
} unit_names[] = {
        [UNIT_GEAR] = { "gear-", "io.geard.id", "env" },
        [UNIT_JOB] = { "job-", "io.geard.job", "jobs" },
};

static int add_health(char ***v, const struct spec_health *health)
{
        _cleanup_text_ struct text command = { 0 };
        int r = 0;

        if (health->kind != PROBE_COMMAND)
                return 0; /* http and tcp are probed by geard, from outside */

        for (char **word = health->command; *word; word++) {
                if (word != health->command)
                        text_addc(&command, ' ');
                shell_quote(&command, *word);
        }
        if (!text_ok(&command))
                return -ENOMEM;
        r |= strv_addf(v, "--health-cmd=%s", command.data);
        r |= strv_addf(v, "--health-interval=%" PRIu64 "us", health->interval_usec);
        r |= strv_addf(v, "--health-timeout=%" PRIu64 "us", health->timeout_usec);
        r |= strv_addf(v, "--health-start-period=%" PRIu64 "us", health->start_period_usec);
        r |= strv_addf(v, "--health-retries=%u", health->retries);
        return r;
}

static int add_ports(char ***v, const struct spec *spec, const struct unit_host *host)
{
        int r = 0;

        for (size_t i = 0; i < spec->n_ports; i++) {
                const struct spec_port *port = &spec->ports[i];
                const char *address = port->address[0] ? port->address : host->publish_address;
                bool v6 = strchr(address, ':') != NULL;

                r |= strv_addf(v, "--publish=%s%s%s:%u:%u/%s", v6 ? "[" : "", address, v6 ? "]" : "",
                               port->external, port->internal, port->udp ? "udp" : "tcp");
        }
        return r;
}

/* One field of --mount, which reads its value as a line of CSV. */
static void add_mount_field(struct text *t, const char *name, const char *value)
{
        bool quoted = strpbrk(value, ",\"") != NULL;

        text_addf(t, "%s%s%s=", t->len ? "," : "", quoted ? "\"" : "", name);
        for (const char *p = value; *p; p++) {
                if (*p == '"')
                        text_addc(t, '"');
                text_addc(t, *p);
        }
        if (quoted)
                text_addc(t, '"');
}

/* Volumes by name carry our label, so that they are found again without the spec. */
static int add_volume(char ***v, const struct spec_volume *volume, const struct unit_origin *origin)
{
        const struct unit_names *names = &unit_names[origin->kind];
        _cleanup_text_ struct text mount = { 0 }, name = { 0 };

        add_mount_field(&mount, "type", volume->name ? "volume" : "bind");
        if (volume->name) {
                text_addf(&name, "%s%s-%s", names->prefix, origin->id, volume->name);
                add_mount_field(&mount, "source", text_ok(&name) ? name.data : "");
                text_addf(&mount, ",volume-label=%s=%s", names->label, origin->id);
        } else {
                add_mount_field(&mount, "source", volume->source);
        }
        add_mount_field(&mount, "target", volume->target);
        if (volume->read_only)
                text_add(&mount, ",readonly");
        return text_ok(&mount) && text_ok(&name) ? strv_addf(v, "--mount=%s", mount.data) : -ENOMEM;
}

static int add_volumes(char ***v, const struct spec *spec, const struct unit_origin *origin)
{
        int r = 0;

        for (size_t i = 0; i < spec->n_volumes; i++)
                r |= add_volume(v, &spec->volumes[i], origin);
        return r;
}

static int add_limits(char ***v, const struct spec *spec, const struct unit_host *host)
{
        int r = 0;

        if (host->cgroup_parent)
                r |= strv_addf(v, "--cgroup-parent=%s", host->cgroup_parent);
        if (spec->memory)
                r |= strv_addf(v, "--memory=%" PRIu64 "b", spec->memory);
        if (spec->cpu_milli)
                r |= strv_addf(v, "--cpus=%" PRIu64 ".%03" PRIu64, spec->cpu_milli / 1000,
                               spec->cpu_milli % 1000);
        if (spec->pids)
                r |= strv_addf(v, "--pids-limit=%" PRIu64, spec->pids);
        return r;
}

static int add_each(char ***v, const char *option, char *const *values)
{
        int r = 0;

        for (; values && *values; values++)
                r |= strv_addf(v, "%s=%s", option, *values);
        return r;
}

static int add_optional(char ***v, const char *option, const char *value)
{
        return value ? strv_addf(v, "%s=%s", option, value) : 0;
}

static int add_process(char ***v, const struct spec *spec)
{
        int r = 0;

        r |= add_optional(v, "--user", spec->user);
        r |= add_optional(v, "--workdir", spec->workdir);
        r |= add_optional(v, "--hostname", spec->hostname);
        r |= add_optional(v, "--network", spec->network);
        r |= add_optional(v, "--pid", spec->pid_mode);
        r |= add_optional(v, "--stop-signal", spec->stop_signal);
        r |= strv_addf(v, "--stop-timeout=%" PRIu64, spec->stop_timeout_usec / USEC_PER_SEC);
        if (spec->read_only)
                r |= strv_add(v, "--read-only");
        if (spec->privileged)
                r |= strv_add(v, "--privileged");
        r |= add_each(v, "--cap-add", spec->cap_add);
        r |= add_each(v, "--cap-drop", spec->cap_drop);
        r |= add_each(v, "--device", spec->devices);
        return r;
}

int unit_docker_argv(const struct spec *spec, const struct unit_origin *origin, const struct unit_host *host,
                     char ***ret)
{
        const struct unit_names *names = &unit_names[origin->kind];
        const char *id = origin->id;
        _cleanup_strv_ char **v = NULL;
        int r = 0;

        r |= strv_add(&v, host->docker);
        r |= strv_addf(&v, "--host=unix://%s", host->docker_socket);
        r |= strv_add(&v, "run");
        r |= strv_addf(&v, "--name=%s%s", names->prefix, id);
        r |= strv_add(&v, "--rm");
        r |= strv_add(&v, "--pull=never");
        r |= strv_add(&v, "--attach=stdout");
        r |= strv_add(&v, "--attach=stderr");
        r |= strv_add(&v, "--log-driver=none");
        r |= strv_addf(&v, "--label=%s=%s", names->label, id);
        r |= strv_addf(&v, "--label=io.geard.request=%s", origin->request_id);
        if (!origin->environment || *origin->environment)
                r |= strv_addf(&v, "--env-file=%s/%s/%s.env", host->state_directory, names->environments,
                               origin->environment ? origin->environment : id);
        r |= add_limits(&v, spec, host);
        r |= add_ports(&v, spec, host);
        r |= add_volumes(&v, spec, origin);
        r |= add_process(&v, spec);
        r |= add_health(&v, &spec->health);
        for (size_t i = 0; i < spec->n_labels; i++)
                r |= strv_addf(&v, "--label=%s=%s", spec->labels[i].name, spec->labels[i].value);
        for (const char *const *option = origin->options; option && *option; option++)
                r |= strv_add(&v, *option);
        r |= strv_add(&v, "--");
        r |= strv_add(&v, spec->image);
        for (char **word = spec->command; word && *word; word++)
                r |= strv_add(&v, *word);
        if (r != 0)
                return -ENOMEM;
        *ret = TAKE(v);
        return 0;
}

/* --- the text ---------------------------------------------------------------- */

/* To the microsecond, since the log of a gear begins there. */
static void add_moment(struct text *t, uint64_t usec)
{
        time_t seconds = (time_t) (usec / USEC_PER_SEC);
        char date[32] = "";
        struct tm tm;

        if (gmtime_r(&seconds, &tm))
                (void) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
        text_addf(t, "%s.%06uZ", date, (unsigned) (usec % USEC_PER_SEC));
}

static int render_record(struct text *t, const struct spec *spec, const struct unit_origin *origin)
{
        char hash[DIGEST_HEX_LEN + 1];

        if (unit_spec_hash(spec, hash) < 0)
                return -ENOMEM;
        text_addf(t,
                  "# Made by geard, which writes this file anew with every change of the gear.\n"
                  "# Your own settings belong into a drop-in, which geard never touches:\n"
                  "#   systemctl edit gear-%s.service\n\n"
                  "[X-Gear]\nVersion=%d\nId=%s\nImage=%s\nUser=",
                  origin->id, UNIT_FORMAT, origin->id, spec->image);
        json_out_ascii(t, origin->user);
        text_addf(t, "\nRequestId=%s\nCreated=", origin->request_id);
        add_moment(t, origin->created_usec);
        text_addf(t, "\nSpecHash=%s\nSpec=", hash);
        spec_to_json(spec, t);
        text_addc(t, '\n');
        return 0;
}

void unit_add_needs(struct text *t, const struct unit_host *host)
{
        text_add(t, "Wants=network-online.target\nAfter=network-online.target");
        /* Ordered only: wanting the engine would start one that an administrator stopped. */
        if (host->docker_unit[0])
                text_addf(t, " %s docker.socket", host->docker_unit);
        text_add(t, "\nRequiresMountsFor=");
        unit_quote(t, host->state_directory);
        text_addc(t, '\n');
}

static void render_unit(struct text *t, const struct spec *spec, const struct unit_origin *origin,
                        const struct unit_host *host)
{
        text_addf(t, "\n[Unit]\nDescription=Gear %s (%s)\nDocumentation=man:geard(8)\n", origin->id, spec->image);
        unit_add_needs(t, host);
        text_addf(t,
                  "# Too many crashes in a row end in `failed'. An absent engine is no crash:\n"
                  "# gear-unit waits for it and takes the attempt off this count.\n"
                  "StartLimitIntervalSec=%dmin\nStartLimitBurst=%d\n",
                  START_LIMIT_MIN, START_LIMIT_BURST);
}

static void render_helper(struct text *t, const char *directive, const struct unit_host *host, const char *verb,
                          const char *id)
{
        text_addf(t, "%s=:", directive); /* no $VARIABLE is replaced */
        unit_quote(t, host->helper);
        text_add(t, " --socket=");
        unit_quote(t, host->docker_socket);
        if (host->docker_unit[0])
                text_addf(t, " --engine=%s", host->docker_unit);
        text_addf(t, " %s gear-%s", verb, id);
}

/* An option a line, so that the command can be read and compared by people. */
static void render_start(struct text *t, char *const *argv, const char *id, const struct unit_host *host)
{
        bool ours = true; /* options of docker's, up to the `--' before the image */

        render_helper(t, "ExecStart", host, "run", id);
        text_add(t, " \\\n    ");
        for (char *const *word = argv; *word; word++) {
                text_addc(t, ' ');
                unit_quote(t, *word);
                ours = ours && !streq(*word, "--");
                if (ours && word[1] && starts_with(word[1], "--") && word > argv)
                        text_add(t, " \\\n       ");
        }
        text_addc(t, '\n');
}

static void render_restart(struct text *t, enum restart_policy policy)
{
        text_addf(t, "Restart=%s\n", restart_policy_name(policy));
        if (policy != RESTART_NO)
                text_add(t, "# The first restart comes after this; gear-unit adds 1, 2, 4 ... 60 s to those of a loop.\n"
                            "RestartSec=1s\n");
        /*
         * A container that had to be killed at its stop timeout ends with 137,
         * which must not make a wished stop `failed'.  The same 137 is what an
         * OOM kill looks like, which must restart: forcing that does both, since
         * systemd never restarts what it was asked to stop.
         */
        text_add(t, "# 143 ended by SIGTERM; 137 killed: after the stop timeout, or for its memory.\n"
                    "SuccessExitStatus=137 143\n");
        if (policy == RESTART_ON_FAILURE)
                text_add(t, "RestartForceExitStatus=137\n");
}

void unit_add_log_limit(struct text *t, const struct unit_host *host)
{
        if (host->log_rate_burst)
                text_addf(t, "LogRateLimitIntervalSec=%" PRIu64 "ms\nLogRateLimitBurst=%u\n",
                          host->log_rate_usec / 1000, host->log_rate_burst);
        else
                text_addf(t, "LogRateLimitIntervalSec=%" PRIu64 "s\nLogRateLimitBurst=%d\n",
                          UNIT_NO_LOG_LIMIT_USEC / USEC_PER_SEC, UNIT_NO_LOG_LIMIT_BURST);
}

void unit_log_created(uint64_t created_usec, char ret[static UNIT_LOG_CREATED_MAX])
{
        (void) snprintf(ret, UNIT_LOG_CREATED_MAX, LOG_CREATED_FIELD "=%" PRIu64, created_usec);
}

static void render_log(struct text *t, const struct spec *spec, const struct unit_origin *origin,
                       const struct unit_host *host)
{
        char created[UNIT_LOG_CREATED_MAX];

        unit_log_created(origin->created_usec, created);
        text_addf(t,
                  "# The gear's own lines carry SYSLOG_IDENTIFIER=gear-%s; these are gear-unit's.\n"
                  "SyslogIdentifier=gear-unit\n"
                  "LogExtraFields=GEAR_ID=%s\nLogExtraFields=GEAR_IMAGE=%s\nLogExtraFields=%s\n",
                  origin->id, origin->id, spec->image, created);
        unit_add_log_limit(t, host);
}

static void render_service(struct text *t, const struct spec *spec, char *const *argv, const struct unit_origin *origin,
                           const struct unit_host *host)
{
        const char *id = origin->id;

        text_add(t, "\n[Service]\nType=notify\nSlice=gear.slice\n"
                    "# Waits for the engine without waking it, removes what a crash left behind, opens the\n"
                    "# gear's log, says that it is ready, and becomes docker.\n");
        render_start(t, argv, id, host);
        text_add(t, "# Stopping the client alone would leave the container running.\n");
        render_helper(t, "ExecStop", host, "stop", id);
        text_add(t, "\n");
        render_helper(t, "ExecStopPost", host, "clean", id);
        text_addf(t, "\nTimeoutStartSec=infinity\nTimeoutStopSec=%" PRIu64 "s\nKillMode=mixed\n",
                  spec->stop_timeout_usec / USEC_PER_SEC + STOP_MARGIN_SEC);
        render_restart(t, spec->restart);
        render_log(t, spec, origin, host);
}

/* Longest line with its continuations, as systemd counts it. */
static size_t longest_line(const char *text)
{
        size_t longest = 0, n = 0;

        for (const char *p = text; *p; p++) {
                n++;
                if (*p == '\n' && !(p > text && p[-1] == '\\')) {
                        longest = n > longest ? n : longest;
                        n = 0;
                }
        }
        return longest;
}

static int too_long(struct fault *f)
{
        return fault_set(f, FAULT_INVALID, "command",
                         "the command, labels and options together are too long for a unit file (%d KiB a line)",
                         UNIT_LINE_MAX / 1024);
}

int unit_argv_check(char *const *argv, struct fault *f)
{
        _cleanup_text_ struct text line = { 0 };

        for (; *argv; argv++) {
                text_addc(&line, ' ');
                unit_quote(&line, *argv);
        }
        if (!text_ok(&line))
                return fault_oom(f);
        return line.len > UNIT_LINE_MAX ? too_long(f) : 0;
}

int unit_text_check(const char *text, struct fault *f)
{
        return longest_line(text) > UNIT_LINE_MAX ? too_long(f) : 0;
}

int unit_render(const struct spec *spec, const struct unit_origin *origin, const struct unit_host *host,
                struct text *ret, struct fault *f)
{
        _cleanup_strv_ char **argv = NULL;
        _cleanup_text_ struct text t = { 0 };

        if (unit_docker_argv(spec, origin, host, &argv) < 0 || render_record(&t, spec, origin) < 0)
                return fault_oom(f);
        render_unit(&t, spec, origin, host);
        render_service(&t, spec, argv, origin, host);
        text_add(&t, "\n[Install]\nWantedBy=multi-user.target\n");
        if (!text_ok(&t))
                return fault_oom(f);
        if (unit_text_check(t.data, f) < 0)
                return -EINVAL;
        *ret = t;
        t = (struct text){ 0 };
        return 0;
}
