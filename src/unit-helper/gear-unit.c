/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gear-unit: what the unit of a gear or job needs around `docker run'.
 *
 *   run        ExecStart     wait for the engine without waking it; slow down a
 *                            crash loop; remove a container a crash left behind;
 *                            open the gear's log; become the command, docker
 *   stop       ExecStop      stop the container, not just its client
 *   clean      ExecStopPost  leave no container behind; tell an ended engine
 *                            and a killed container from a wished stop
 *   job        ExecStart     see job.c
 *   clean-job  ExecStopPost
 *
 * It works without the daemon, and it never connects to the engine's socket
 * unless the engine's unit is active: docker.socket would start an engine that
 * an administrator has stopped.
 */

#include "core/run-end.h"
#include "unit-helper/engine.h"
#include "unit-helper/helper.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <syslog.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <time.h>

#define USEC_PER_SEC ((uint64_t) 1000000)

#define GEAR_PREFIX "gear-"
#define JOB_PREFIX "job-"
#define RETRIES_MAX 1000

/* After this long the attempt fails and is tried again. */
#define ENGINE_WAIT_USEC (90 * USEC_PER_SEC)
/* We are ordered behind the engine: absent now, it is no part of this boot, which must not hang on us. */
#define BOOT_WAIT_USEC (5 * USEC_PER_SEC)
/* A run this long is no part of a crash loop. */
#define GOOD_RUN_USEC (60 * USEC_PER_SEC)
#define BACKOFF_MAX_SEC 60
/* While the client lives the container may still appear: how often, how long to ask again. */
#define STOP_RETRIES 100
#define LATE_CREATE_RETRIES 5

bool engine_is_up(struct helper *h)
{
        bool active = true;

        if (h->engine && h->bus)
                (void) manager_unit_is_active(h->bus, h->engine, &active);
        return active;
}

int complain(const char *what, int error)
{
        fprintf(stderr, "%s: %s\n", what, strerror(-error));
        return EX_TEMPFAIL;
}

int wait_for_engine(struct helper *h, const struct manager_run *run)
{
        uint64_t usec;
        int r;

        if (engine_is_up(h))
                return 0;
        fprintf(stderr, "waiting for %s\n", h->engine);
        (void) sd_notifyf(0, "STATUS=waiting for %s", h->engine);
        usec = manager_is_booting(h->bus) ? BOOT_WAIT_USEC : ENGINE_WAIT_USEC;
        for (;;) {
                r = manager_wait_active(h->bus, h->engine, usec);
                if (r != -ETIMEDOUT || run->restarts_itself)
                        break;
                /* Nobody would try again: so wait on, but as a started unit, which holds no boot up. */
                (void) sd_notify(0, "READY=1");
        }
        if (r < 0)
                (void) manager_forgive(h->bus, h->unit);
        return r;
}

/* systemd 252 restarts at a fixed pace; a gear that keeps crashing is slowed down here. */
static void back_off(const struct manager_run *run)
{
        unsigned seconds = 0;

        if (run->restarts >= 2 && run->last_usec < GOOD_RUN_USEC)
                seconds = run->restarts >= 8 ? BACKOFF_MAX_SEC : 1U << (run->restarts - 2);
        if (seconds > 0) {
                fprintf(stderr, "restart %u in a row: waiting %u s\n", run->restarts, seconds);
                (void) sd_notifyf(0, "STATUS=restart %u in a row: waiting %u s", run->restarts, seconds);
                (void) sleep(seconds);
        }
}

int remove_ours(struct helper *h)
{
        const char *label = starts_with(h->container, GEAR_PREFIX) ? "io.geard.id" : "io.geard.job";
        int r = engine_owns(h->socket, h->container, label);

        return r > 0 ? engine_remove(h->socket, h->container) : r;
}

/* Async-signal-safe, and nothing is half-done at any point before the command. */
static void end_well(int signo _unused_)
{
        _exit(EX_OK);
}

/* Two streams, so that output and errors can be told apart. Without a journal a gear runs all the same. */
void open_log(struct helper *h)
{
        const struct {
                int fd, priority;
        } streams[] = { { STDOUT_FILENO, LOG_INFO }, { STDERR_FILENO, LOG_ERR } };

        for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
                int fd = sd_journal_stream_fd(h->container, streams[i].priority, false);

                if (fd < 0) {
                        (void) complain("cannot open the gear's log", fd);
                        return;
                }
                (void) dup2(fd, streams[i].fd);
                (void) close(fd);
        }
}

static int run(struct helper *h)
{
        struct manager_run run = { .restarts_itself = true };
        int r;

        /* A stop during the start comes as SIGTERM; dying of it would make the unit failed, not inactive. */
        (void) signal(SIGTERM, end_well);
        if (h->bus)
                (void) manager_get_run(h->bus, h->unit, &run);
        back_off(&run);
        r = wait_for_engine(h, &run);
        if (r < 0)
                return complain("the engine is not running", r);
        r = remove_ours(h);
        if (r < 0)
                return complain("cannot remove an old container", r);
        /* From here on a stop runs ExecStop, which knows how to reach a container that is about to be. */
        (void) sd_notify(1, "READY=1\nSTATUS=");
        open_log(h);
        (void) execv(h->command[0], h->command);
        return complain(h->command[0], -errno);
}

static bool alive(pid_t pid)
{
        return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

/*
 * ExecStop also runs when the container ended by itself: then there is no main
 * process and nothing to do.  While the client is still creating or starting
 * the container there is nothing to stop yet, so ask again until either the
 * container was stopped or the client is gone.
 */
static int stop(struct helper *h)
{
        const char *text = getenv("MAINPID");
        pid_t client = text ? (pid_t) strtol(text, NULL, 10) : 0;

        for (int i = 0; i < STOP_RETRIES && alive(client) && engine_is_up(h); i++) {
                int r = engine_stop(h->socket, h->container);

                if (r < 0 && r != -ENOENT)
                        return complain("cannot stop the container", r);
                (void) usleep(RETRY_USEC);
        }
        return EX_OK;
}

static bool variable_is(const char *name, const char *value)
{
        const char *set = getenv(name);

        return set && streq(set, value);
}

int remove_late(struct helper *h, bool for_a_while)
{
        int attempts = for_a_while ? LATE_CREATE_RETRIES : 1, r = 0;

        for (int i = 0; i < attempts; i++) {
                if (i > 0)
                        (void) usleep(RETRY_USEC);
                r = remove_ours(h);
        }
        return r;
}

/*
 * What systemd makes of the end of the run is corrected in two cases, by
 * failing here.  The engine went away under the gear: whatever status its
 * containers ended with (often 0), the gear did not end by itself, and the
 * attempt must not count.  The container was killed although nobody wished a
 * stop (out of memory): 137 is a success in the unit, for the sake of stops
 * that ran into their timeout.
 */
static int clean(struct helper *h)
{
        struct manager_run run = { 0 };
        bool up = engine_is_up(h);
        int r;

        if (h->bus)
                (void) manager_get_run(h->bus, h->unit, &run);
        if (up) {
                /* A client killed in the middle may have left a create under way in the engine. */
                r = remove_late(h, !variable_is("EXIT_CODE", "exited"));
                if (r < 0)
                        (void) complain("cannot remove the container", r);
        }
        if (run.stop_wanted)
                return EX_OK;
        if (!up) {
                fprintf(stderr, "%s is gone: the gear comes back with it\n", h->engine);
                (void) manager_forgive(h->bus, h->unit);
                return RUN_END_ENGINE_GONE;
        }
        return variable_is("EXIT_STATUS", "137") ? RUN_END_KILLED : EX_OK;
}

static void usage(FILE *to)
{
        fputs("gear-unit [--socket=PATH] [--engine=UNIT] run gear-ID COMMAND…\n"
              "gear-unit [--socket=PATH] [--engine=UNIT] stop|clean gear-ID\n"
              "gear-unit [--socket=PATH] [--engine=UNIT] [--cgroup=PATH] [--retries=N] job job-ID COMMAND…\n"
              "gear-unit [--socket=PATH] [--engine=UNIT] [--cgroup=PATH] clean-job job-ID\n"
              "Run by the units of gears and jobs, see geard(8).\n",
              to);
}

/* False for what is no option of ours. */
static bool take_option(struct helper *h, int c)
{
        char *end;

        if (c == 's')
                h->socket = optarg;
        else if (c == 'e')
                h->engine = optarg;
        else if (c == 'c')
                h->cgroup = optarg;
        else if (c == 'r')
                h->retries = (unsigned) strtoul(optarg, &end, 10);
        return c != '?' && c != 'h' && (c != 'r' || (*optarg && !*end && h->retries <= RETRIES_MAX));
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                { "socket", required_argument, NULL, 's' }, { "engine", required_argument, NULL, 'e' },
                { "cgroup", required_argument, NULL, 'c' }, { "retries", required_argument, NULL, 'r' },
                { "help", no_argument, NULL, 'h' },         { 0 },
        };
        static const struct {
                const char *name, *prefix;
                int (*run)(struct helper *h);
                bool takes_command;
        } verbs[] = { { "run", GEAR_PREFIX, run, true },
                      { "stop", GEAR_PREFIX, stop, false },
                      { "clean", GEAR_PREFIX, clean, false },
                      { "job", JOB_PREFIX, run_job, true },
                      { "clean-job", JOB_PREFIX, clean_job, false } };
        struct helper h = { .socket = "/run/docker.sock" };
        int c, r;

        while ((c = getopt_long(argc, argv, "+h", options, NULL)) >= 0)
                if (!take_option(&h, c)) {
                        usage(c == 'h' ? stdout : stderr);
                        return c == 'h' ? EX_OK : EX_USAGE;
                }
        if (argc - optind < 2) {
                usage(stderr);
                return EX_USAGE;
        }
        h.container = argv[optind + 1];
        h.command = argv + optind + 2;
        (void) snprintf(h.unit, sizeof h.unit, "%s.service", h.container);

        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
                if (!streq(argv[optind], verbs[i].name) || !starts_with(h.container, verbs[i].prefix) ||
                    (h.command[0] != NULL) != verbs[i].takes_command)
                        continue;
                /* Without systemd's answer the engine counts as up: a start is tried rather than refused. */
                r = manager_open(&h.bus);
                if (r < 0)
                        (void) complain("cannot ask systemd", r);
                r = verbs[i].run(&h);
                sd_bus_close_unref(h.bus);
                return r;
        }
        usage(stderr);
        return EX_USAGE;
}
