/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A job: its container is run until it ends well, or as often as it may be tried.
 * Its unit is of Type=oneshot, which systemd ends by a signal to us alone: so we
 * stay, and stop the container ourselves.
 */

#include "core/ident.h"
#include "core/run-end.h"
#include "sys/log-fields.h"
#include "unit-helper/cgroup.h"
#include "unit-helper/engine.h"
#include "unit-helper/helper.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#define PAUSE_MAX_SEC 60
#define STOP_RETRIES 100
#define BARRIER_USEC (5 * UINT64_C(1000000))
#define SIGNALED 128 /* and its number: the status of what a signal ended */

struct attempt {
        pid_t client; /* docker run; 0: it has ended */
        int status;
        bool stop_wanted;
};

static void reap(struct attempt *a, int flags)
{
        int status;
        pid_t pid = waitpid(a->client, &status, flags);

        if (pid == 0 || (pid < 0 && errno == EINTR))
                return;
        a->client = 0;
        a->status = pid < 0 ? EX_OSERR : WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALED + WTERMSIG(status);
}

/* While the client is still making the container there is nothing to stop yet: so it is asked again. */
static void stop_container(struct helper *h, struct attempt *a)
{
        for (int i = 0; i < STOP_RETRIES && a->client > 0 && engine_is_up(h); i++) {
                int r = engine_stop(h->socket, h->container);

                if (r < 0 && r != -ENOENT)
                        (void) complain("cannot stop the container", r);
                (void) usleep(RETRY_USEC);
                reap(a, WNOHANG);
        }
        if (a->client > 0)
                (void) kill(a->client, SIGKILL);
        while (a->client > 0)
                reap(a, 0);
}

static _Noreturn void become_client(struct helper *h, const sigset_t *former)
{
        (void) signal(SIGTERM, SIG_DFL);
        (void) sigprocmask(SIG_SETMASK, former, NULL);
        open_log(h);
        (void) execv(h->command[0], h->command);
        _exit(complain(h->command[0], -errno));
}

/* SIGTERM is blocked from before there is a client until there is none any more. */
static void try_once(struct helper *h, struct attempt *a)
{
        sigset_t awaited, former;

        (void) sigemptyset(&awaited);
        (void) sigaddset(&awaited, SIGTERM);
        (void) sigaddset(&awaited, SIGCHLD);
        (void) sigprocmask(SIG_BLOCK, &awaited, &former);
        a->client = fork();
        if (a->client == 0)
                become_client(h, &former);
        if (a->client < 0) {
                a->client = 0;
                a->status = complain("cannot fork", -errno);
        }
        while (a->client > 0) {
                int signo = sigwaitinfo(&awaited, NULL);

                if (signo == SIGCHLD)
                        reap(a, WNOHANG);
                a->stop_wanted = a->stop_wanted || signo == SIGTERM;
                if (signo == SIGTERM)
                        stop_container(h, a);
        }
        (void) sigprocmask(SIG_SETMASK, &former, NULL);
}

static void tell(const struct helper *h, unsigned attempt)
{
        uint64_t peak = 0;

        if (h->cgroup && cgroup_peak_memory(h->cgroup, &peak))
                (void) sd_notifyf(0, "STATUS=" JOB_STATUS ", " JOB_STATUS_PEAK, attempt, h->retries + 1, peak);
        else
                (void) sd_notifyf(0, "STATUS=" JOB_STATUS, attempt, h->retries + 1);
}

static void pause_before(const struct helper *h, unsigned attempt, int status)
{
        unsigned seconds = attempt > 7 ? PAUSE_MAX_SEC : 1U << (attempt - 2);

        seconds = seconds < PAUSE_MAX_SEC ? seconds : PAUSE_MAX_SEC;
        fprintf(stderr, "status %d: attempt %u of %u in %u s\n", status, attempt, h->retries + 1, seconds);
        (void) sleep(seconds);
}

/* Between attempts there is nothing that would have to be stopped. */
static void end_as_told(int signo)
{
        _exit(SIGNALED + signo);
}

int run_job(struct helper *h)
{
        const struct manager_run once = { 0 };
        struct attempt a = { 0 };
        unsigned attempt = 0;
        int r;

        (void) signal(SIGTERM, end_as_told);
        do {
                if (attempt++ > 0)
                        pause_before(h, attempt, a.status);
                tell(h, attempt);
                r = wait_for_engine(h, &once);
                tell(h, attempt); /* in place of what was waited for */
                if (r < 0)
                        return complain("the engine is not running", r);
                r = remove_ours(h);
                if (r < 0)
                        return complain("cannot remove an old container", r);
                try_once(h, &a);
        } while (a.status != 0 && !a.stop_wanted && attempt <= h->retries);
        tell(h, attempt);
        (void) sd_notify_barrier(0, BARRIER_USEC);
        return a.status;
}

/* There are ever new jobs. */
static void drop_log_fields(const struct helper *h)
{
        char unit[UNIT_NAME_MAX];

        (void) snprintf(unit, sizeof unit, "%s.service", h->container);
        log_fields_forget(unit);
}

int clean_job(struct helper *h)
{
        const char *status = getenv("EXIT_STATUS");
        int r = engine_is_up(h) ? remove_late(h, !status || !streq(status, "0")) : 0;

        if (r < 0)
                (void) complain("cannot remove the container", r);
        if (h->cgroup)
                cgroup_remove(h->cgroup, h->bus);
        drop_log_fields(h);
        return EX_OK;
}
