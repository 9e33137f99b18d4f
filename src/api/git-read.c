/* SPDX-License-Identifier: Apache-2.0 */

#include "api/git-read.h"

#include "api/git-unit.h"
#include "api/task.h"
#include "sys/outlet.h"
#include "sys/repositories.h"

#include <signal.h>
#include <stdio.h>

struct git_read {
        struct daemon *daemon;
        struct git_read_hooks hooks;
        char unit[UNIT_NAME_MAX];
        struct outlet *outlet;
        struct systemd_op *op;
        bool drained, ended; /* there is no more to read; it is known how it went */
        int exit_status;
        struct fault fault;
};

int git_read_admit(const struct daemon *d, struct fault *f)
{
        if (d->git_readers < GIT_READERS_MAX)
                return 0;
        (void) fault_set(f, FAULT_BUSY, NULL, "%d repositories are being read already", GIT_READERS_MAX);
        f->retry_after = 5;
        return -EBUSY;
}

struct git_read *git_read_free(struct git_read *g)
{
        if (!g)
                return NULL;
        g->daemon->git_readers--;
        g->op = systemd_cancel(g->op);
        g->outlet = outlet_free(g->outlet);
        if (!g->ended)
                task_forget_soon(g->daemon, g->unit);
        free(g);
        return NULL;
}

static void end_if_over(struct git_read *g)
{
        if (g->drained && g->ended)
                g->hooks.end(g->hooks.arg, g->exit_status, g->fault.kind == FAULT_NONE ? NULL : &g->fault);
}

static bool on_bytes(void *arg, const char *bytes, size_t n)
{
        struct git_read *g = arg;

        return g->hooks.bytes(g->hooks.arg, bytes, n);
}

static void on_end(void *arg)
{
        struct git_read *g = arg;

        g->drained = true;
        end_if_over(g);
}

/* A unit that failed stays loaded until somebody has seen it: that was us. */
static void on_state(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct git_read *g = arg;

        g->op = NULL;
        g->ended = true;
        if (fault)
                g->fault = *fault;
        else if (unit->exit_code == CLD_EXITED)
                g->exit_status = unit->exit_status;
        else
                g->exit_status = 128 + unit->exit_status;
        task_forget_soon(g->daemon, g->unit);
        end_if_over(g);
}

static void on_job(void *arg, enum job_result result, const struct fault *fault)
{
        struct git_read *g = arg;

        g->op = NULL;
        if (!fault && result != JOB_DONE) {
                g->op = systemd_ask(g->daemon->systemd, g->unit, on_state, g);
                if (g->op)
                        return;
                (void) fault_oom(&g->fault);
                task_forget_soon(g->daemon, g->unit);
        }
        if (fault)
                g->fault = *fault;
        g->ended = true;
        end_if_over(g);
}

struct git_read *git_read_start(struct daemon *d, const char *id, const char *const *words,
                                const struct git_read_hooks *hooks)
{
        struct git_read *g = calloc(1, sizeof *g);
        _cleanup_close_ int output = -1;
        struct git_unit unit;
        char dir[512];

        if (!g)
                return NULL;
        g->daemon = d;
        g->hooks = *hooks;
        (void) snprintf(g->unit, sizeof g->unit, "geard-git-%d-%u.service", (int) getpid(), ++d->git_reads);
        if (outlet_new(d->loop, &(struct outlet_hooks){ .bytes = on_bytes, .end = on_end, .arg = g }, &g->outlet,
                       &output) < 0) {
                free(g);
                return NULL;
        }
        d->git_readers++;
        repository_path(d->config->state_directory, id, REPOSITORY_WHOLE, dir, sizeof dir);
        git_unit_init(&unit, d,
                      &(struct git_unit_options){ .id = id, .dir = dir, .words = words, .output = output });
        g->op = systemd_transient(d->systemd, g->unit, unit.settings, unit.n, on_job, g);
        if (g->op)
                return g;
        g->ended = true;
        return git_read_free(g);
}

void git_read_resume(struct git_read *g)
{
        outlet_resume(g->outlet);
}
