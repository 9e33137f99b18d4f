/* SPDX-License-Identifier: Apache-2.0 */

/* argv, the Daemon built and taken down, and what systemd is told about it. */

#include "api/audit.h"
#include "api/call.h"
#include "api/change.h"
#include "api/errand.h"
#include "api/git-http.h"
#include "api/health.h"
#include "api/index.h"
#include "api/job-run.h"
#include "api/job-watch.h"
#include "api/noted.h"
#include "api/recall.h"
#include "api/recover.h"
#include "api/refusals.h"
#include "api/routes.h"
#include "api/task.h"
#include "api/tokens.h"
#include "api/trail.h"
#include "api/work.h"
#include "build-config.h"
#include "daemon.h"
#include "listen.h"
#include "sys/mapped.h"
#include "util/log.h"
#include "util/text.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

/* A client's work in flight gets this long before we go; what it changes goes on in systemd anyway. */
#define DRAIN_USEC (20 * USEC_PER_SEC)
/* ... and then the answer that it was not done this long to leave. */
#define FLUSH_USEC (2 * USEC_PER_SEC)
/* READY waits for systemd's and the engine's answers, but not for ones that never come. */
#define READY_USEC (5 * USEC_PER_SEC)
/* Of its own, beside connections: databases, journals, the bus, the engine. */
#define OWN_DESCRIPTORS 512

struct process {
        struct daemon d;
        const char *config_file;
        struct timer *watchdog, *drain, *ready;
        bool told; /* those whose work takes longer than the drain */
        uint64_t watchdog_usec;
};

/* --- what systemd is told ----------------------------------------------------------------------- */

static void tell_status(struct daemon *d)
{
        const char *systemd = d->systemd_synced ? "" : "; systemd's bus is away";

        (void) sd_notifyf(0, "STATUS=%zu gears, %zu changes under way%s%s%s", gears_count(d->gears),
                          requests_running(d->requests), systemd, d->engine_away[0] ? "; engine: " : "",
                          d->engine_away);
}

static void become_ready(struct daemon *d)
{
        if (d->ready)
                return;
        d->ready = true;
        (void) sd_notify(0, "READY=1");
        log_info(NO_FIELDS, "ready with %zu gears", gears_count(d->gears));
}

static void status_changed(struct daemon *d)
{
        if (d->systemd_synced && (d->engine_synced || d->engine == ENGINE_STOPPED))
                become_ready(d);
        tell_status(d);
}

static void ready_anyway(void *arg)
{
        become_ready(&((struct process *) arg)->d);
}

static void feed_watchdog(void *arg)
{
        struct process *p = arg;

        (void) sd_notify(0, "WATCHDOG=1");
        tell_status(&p->d);
        timer_set(p->watchdog, p->watchdog_usec / 3);
}

/* --- signals ---------------------------------------------------------------------------------------- */

static void leave_when_drained(void *arg)
{
        struct process *p = arg;

        if (server_idle(p->d.server) && requests_running(p->d.requests) == 0 && !git_calls_push(&p->d) &&
            jobs_are_begun(&p->d))
                loop_stop(p->d.loop);
        else
                timer_set(p->drain, 50 * USEC_PER_MSEC);
}

static void on_deadline(void *arg)
{
        struct process *p = arg;

        if (p->told) {
                loop_stop(p->d.loop);
                return;
        }
        p->told = true;
        work_answer_all(&p->d);
        errands_answer_all(&p->d);
        jobs_answer_all(&p->d);
        timer_set(p->ready, FLUSH_USEC);
}

static void on_term(void *arg, int signo _unused_)
{
        struct process *p = arg;

        if (p->d.draining) { /* asked twice */
                loop_stop(p->d.loop);
                return;
        }
        p->d.draining = true;
        (void) sd_notify(0, "STOPPING=1\nSTATUS=finishing what is under way");
        log_info(NO_FIELDS, "stopping: %zu changes are finished first", requests_running(p->d.requests));
        recall_leave(&p->d);
        jobs_answer_all(&p->d);
        server_drain(p->d.server);
        p->ready = timer_free(p->ready);
        p->ready = timer_new(p->d.loop, on_deadline, p);
        if (p->ready)
                timer_set(p->ready, DRAIN_USEC);
        timer_set(p->drain, 0);
}

static void log_warnings(const struct config *c)
{
        for (char **w = c->warnings; w && *w; w++)
                log_warning(NO_FIELDS, "%s", *w);
}

/*
 * A connection takes one descriptor.  Where there are fewer than connections may
 * be open, the last ones would hang in place of being refused.
 */
static void raise_descriptors(const struct config *c)
{
        rlim_t wanted = c->limits.connections_max + OWN_DESCRIPTORS;
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
                return;
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < wanted)
                log_warning(NO_FIELDS,
                            "only %ju files may be open (LimitNOFILE=), too few for %u connections (ConnectionsMax=)",
                            (uintmax_t) limit.rlim_cur, c->limits.connections_max);
}

static void take_over(struct daemon *d, struct config *fresh)
{
        _cleanup_strv_ char **left = NULL;

        log_warnings(fresh);
        if (config_take_over(d->config, fresh, &left) < 0)
                log_warning(NO_FIELDS, "out of memory: not all is named that counts from the next start only");
        log_open("geard", d->config->log_level);
        log_info(NO_FIELDS, "the configuration was read again");
        for (char **name = left; name && *name; name++)
                log_warning(LOG_FIELDS("GEARD_SETTING", *name),
                            "this change counts from the next start of geard: %s", *name);
        tokens_reload(d->tokens);
        slots_limit(d->slots, d->config->jobs_max, d->config->jobs_waiting);
        jobs_limit(d->jobs, d->config->jobs_kept);
        jobs_forget_oldest(d);
}

static void on_hup(void *arg, int signo _unused_)
{
        struct process *p = arg;
        struct config *fresh = NULL;
        struct fault f;

        (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_usec());
        if (config_load(p->config_file, &fresh, &f) < 0)
                log_error(NO_FIELDS, "the configuration stays as it was: %s", f.text);
        else
                take_over(&p->d, fresh);
        (void) config_free(fresh);
        (void) sd_notify(0, "READY=1");
}

/* --- the access line -------------------------------------------------------------------------------- */

static void on_access(void *arg _unused_, const struct server_access *a)
{
        char status[12], usec[24];

        (void) snprintf(status, sizeof status, "%d", a->status);
        (void) snprintf(usec, sizeof usec, "%" PRIu64, a->usec);
        log_debug(LOG_FIELDS("GEARD_REQUEST_ID", a->request_id, "GEARD_STATUS", status, "GEARD_USEC", usec, "GEARD_PEER",
                             a->peer ? a->peer->address : NULL),
                  "%s %s %s %s%s%s", a->peer ? a->peer->address : "-", a->method, a->target, status,
                  a->refusal ? " " : "", a->refusal ? a->refusal : "");
}

/* --- the database ------------------------------------------------------------------------------------- */

static void on_lost(void *arg, const char *why, const char *moved_to)
{
        const struct daemon *d = arg;

        log_error(LOG_FIELDS("GEARD_MOVED_TO", moved_to),
                  "%s is begun anew: %s%s%s. Requests it remembered can be made again for as long as their "
                  "tokens are valid, at most %" PRIu64 " hours",
                  d->config->database, why, moved_to ? "; what was there is now " : "", moved_to ? moved_to : "",
                  d->config->max_token_life_usec / USEC_PER_SEC / 3600);
}

static int open_database(struct daemon *d, struct fault *f)
{
        const struct database_options options = {
                .cache_bytes = d->config->database_cache,
                .audit_usec = d->config->audit_days * 86400 * USEC_PER_SEC,
                .audit_bytes = d->config->audit_size,
                .lost = on_lost,
                .audited = audit_written,
                .arg = d,
        };

        TAILQ_INIT(&d->job_runs);
        d->jobs = jobs_new(d->config->jobs_kept);
        d->requests = requests_new(d->config->requests_max, d->config->changes_max);
        d->database = database_new(d->loop, d->config->database, &options);
        if (!d->requests || !d->jobs || !d->database)
                return fault_oom(f);
        job_watch_scan(d);
        return recall_requests(d, f);
}

/* --- building it -------------------------------------------------------------------------------------- */

static int build_parts(struct process *p)
{
        struct daemon *d = &p->d;
        struct systemd_hooks systemd_hooks = index_systemd_hooks;
        struct docker_watch docker_watch = index_docker_watch;

        systemd_hooks.arg = d;
        docker_watch.arg = d;
        d->gears = gears_new();
        d->tokens = tokens_new(d);
        d->refusals = refusals_new(d);
        d->worker = worker_new(d->loop);
        d->slots = slots_new(d->loop);
        d->systemd = systemd_new(d->loop, &systemd_hooks);
        d->journal = journal_new(d->loop, NULL);
        d->fetch = fetch_new(d->loop);
        d->docker = d->fetch ? docker_new(d->loop, d->fetch, d->config->docker_socket, &docker_watch) : NULL;
        d->server = server_new(loop_base(d->loop), &d->config->limits,
                               &(struct server_hooks){
                                       .request = call_dispatch, .head = call_head, .streams = call_streams,
                                       .access = on_access, .arg = d });
        p->watchdog = timer_new(d->loop, feed_watchdog, p);
        p->drain = timer_new(d->loop, leave_when_drained, p);
        p->ready = timer_new(d->loop, ready_anyway, p);
        if (d->slots)
                slots_limit(d->slots, d->config->jobs_max, d->config->jobs_waiting);
        return d->gears && d->tokens && d->refusals && d->worker && d->slots && d->systemd && d->journal && d->fetch && d->docker && d->server &&
                               p->watchdog && p->drain && p->ready
                       ? 0
                       : -ENOMEM;
}

static void watch_units(struct daemon *d)
{
        _cleanup_free_ char *path = NULL;
        int r = asprintf(&path, "%s/units", d->config->state_directory) < 0 ? -ENOMEM : 0;

        if (r == 0)
                r = dirwatch_new(d->loop, path, index_unit_file_changed, d, &d->units);
        if (r < 0)
                log_warning(NO_FIELDS, "changes by hand in %s/units will go unnoticed: %s", d->config->state_directory,
                            strerror(-r));
}

/* Where systemd has made no place for us. */
#define RUN_DIRECTORY "/run/geard"

static void make_git_root(struct daemon *d)
{
        const char *runtime = getenv("RUNTIME_DIRECTORY");
        _cleanup_free_ char *parent = strdup(runtime ? runtime : RUN_DIRECTORY);

        d->git_root_error = -ENOMEM;
        if (parent) {
                parent[strcspn(parent, ":")] = '\0'; /* the first of several */
                d->git_root_error = bare_root_make(parent, &d->git_root);
        }
        if (d->git_root_error < 0)
                log_warning(NO_FIELDS, "repositories cannot be worked on without %s: %s", d->git_root.path,
                            strerror(-d->git_root_error));
}

static int build(struct process *p, struct fault *f)
{
        static struct route_table tables[API_TABLES];
        struct daemon *d = &p->d;
        int r;

        api_routes(tables);
        d->routes = tables;
        d->n_routes = API_TABLES;
        d->began_usec = wall_usec();
        d->status_changed = status_changed;
        d->loop = loop_new();
        if (!d->loop)
                return fault_oom(f);
        r = store_open(d->config->state_directory, &d->store, f);
        if (r < 0)
                return r;
        r = open_database(d, f);
        if (r < 0)
                return r;
        if (build_parts(p) < 0)
                return fault_oom(f);
        watch_units(d);
        make_git_root(d);
        r = recover_scan(d, f);
        if (r < 0)
                return r;
        recall_go_on(d);
        return listen_all(d, f);
}

/* Works and probers use any of the parts, and the worker uses works. */
static void forget_work(struct daemon *d)
{
        work_free_all(d);
        errands_free(d);
        job_runs_free(d);
        git_calls_free(d);
        task_free_all(d);
        for (size_t i = 0; i < gears_count(d->gears); i++)
                health_forget(gears_at(d->gears, i));
}

/* But for them in the reverse of the order of building. */
static void take_down(struct process *p)
{
        struct daemon *d = &p->d;

        if (d->gears && d->requests) {
                recall_leave(d);
                work_answer_all(d);
                errands_answer_all(d);
                jobs_answer_all(d);
        }
        d->server = server_free(d->server);
        d->worker = worker_free(d->worker);
        if (d->gears)
                forget_work(d);
        if (d->jobs)
                job_watch_free_all(d);
        d->slots = slots_free(d->slots);
        d->refusals = refusals_free(d->refusals);
        trail_leave_all(d);
        d->database = database_free(d->database);
        d->noted = noted_free(d->noted);
        change_free_all(d);
        d->recall = recall_free(d->recall);
        p->watchdog = timer_free(p->watchdog);
        p->drain = timer_free(p->drain);
        p->ready = timer_free(p->ready);
        d->docker = docker_free(d->docker);
        d->fetch = fetch_free(d->fetch);
        d->journal = journal_free(d->journal);
        d->systemd = systemd_free(d->systemd);
        d->units = dirwatch_free(d->units);
        d->sweep = timer_free(d->sweep);
        d->requests = requests_free(d->requests);
        d->jobs = jobs_free(d->jobs);
        d->tokens = tokens_free(d->tokens);
        d->gears = gears_free(d->gears);
        d->store = store_free(d->store);
        d->loop = loop_free(d->loop);
        d->config = config_free(d->config);
}

static int run(struct process *p)
{
        struct daemon *d = &p->d;
        struct fault f;
        int r;

        r = build(p, &f);
        if (r < 0) {
                log_error(NO_FIELDS, "cannot start: %s", f.text);
                (void) sd_notifyf(0, "STATUS=cannot start: %s", f.text);
                return f.kind == FAULT_CONFLICT ? EX_TEMPFAIL : EX_OSERR;
        }
        (void) loop_on_signal(d->loop, SIGTERM, on_term, p);
        (void) loop_on_signal(d->loop, SIGINT, on_term, p);
        (void) loop_on_signal(d->loop, SIGHUP, on_hup, p);
        if (sd_watchdog_enabled(0, &p->watchdog_usec) > 0)
                timer_set(p->watchdog, 0);
        timer_set(p->ready, READY_USEC);
        r = loop_run(d->loop);
        log_info(NO_FIELDS, "stopped; the gears go on");
        return r < 0 ? EX_OSERR : EX_OK;
}

/* --- argv ------------------------------------------------------------------------------------------------ */

static void usage(FILE *to)
{
        fputs("geard [OPTION...]\n"
              "Containers as systemd units, driven over HTTP. See geard(8).\n\n"
              "  -c, --config=FILE    read FILE instead of the configuration files\n"
              "      --check-config   say what is wrong with the configuration, and exit\n"
              "  -h, --help           show this\n"
              "      --version        show the version\n",
              to);
}

static int check_config(const struct config *c)
{
        for (char **w = c->warnings; w && *w; w++)
                fprintf(stderr, "%s\n", *w);
        if (c->warnings && c->warnings[0]) {
                fprintf(stderr, "geard would start with this configuration, and pass over that\n");
                return EX_CONFIG;
        }
        printf("the configuration is good: %zu listeners, state in %s\n", c->n_listens, c->state_directory);
        return EX_OK;
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                { "config", required_argument, NULL, 'c' }, { "check-config", no_argument, NULL, 'k' },
                { "help", no_argument, NULL, 'h' },         { "version", no_argument, NULL, 'v' },
                { 0 },
        };
        struct process p = { 0 };
        bool check = false;
        struct fault f;
        int c, r;

        while ((c = getopt_long(argc, argv, "c:h", options, NULL)) >= 0) {
                switch (c) {
                case 'c':
                        p.config_file = optarg;
                        break;
                case 'k':
                        check = true;
                        break;
                case 'v':
                        puts("geard " PACKAGE_VERSION);
                        return EX_OK;
                default:
                        usage(c == 'h' ? stdout : stderr);
                        return c == 'h' ? EX_OK : EX_USAGE;
                }
        }
        if (optind < argc) {
                usage(stderr);
                return EX_USAGE;
        }
        log_open("geard", LOG_INFO);
        if (config_load(p.config_file, &p.d.config, &f) < 0) {
                if (check)
                        fprintf(stderr, "%s\n", f.text);
                else
                        log_error(NO_FIELDS, "%s", f.text);
                return EX_CONFIG;
        }
        if (check) {
                r = check_config(p.d.config);
        } else {
                log_open("geard", p.d.config->log_level);
                log_warnings(p.d.config);
                (void) prctl(PR_SET_DUMPABLE, 0); /* a core would hold environments and tokens */
                (void) signal(SIGPIPE, SIG_IGN);
                (void) mapped_guard();
                raise_descriptors(p.d.config);
                r = run(&p);
        }
        take_down(&p);
        return r;
}
