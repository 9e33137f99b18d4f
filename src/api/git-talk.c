/* SPDX-License-Identifier: Apache-2.0 */

#include "api/git-talk.h"

#include "api/git-unit.h"
#include "api/task.h"
#include "core/git-ref.h"
#include "sys/inlet.h"
#include "sys/outlet.h"
#include "sys/repositories.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#define RETRY_AFTER_SEC 5
#define UNIT_OF_LIFE "geard-git-%" PRIx64 "-" /* by when it began */

struct git_talk {
        LIST_ENTRY(git_talk) all;
        struct daemon *daemon;
        struct git_talk_hooks hooks;
        char id[GEAR_ID_MAX + 1], who[DATABASE_PRINCIPAL_MAX + 1];
        const char *words[GIT_TALK_WORDS_MAX + 1];
        char unit[UNIT_NAME_MAX];
        struct inlet *inlet;
        struct outlet *outlet;
        int input, output; /* the unit's sides, until it has them */
        struct systemd_op *op;
        bool writes;
        bool looking, abandoned; /* a thread has it; and nobody else any more */
        bool started, drained, ended; /* there is a unit; no more to read; it is known how it went */
        int exit_status;
        struct fault fault;
};

static unsigned count(const struct daemon *d, const char *who)
{
        const struct git_talk *g;
        unsigned n = 0;

        LIST_FOREACH(g, &d->git_talks, all)
        n += !who || streq(g->who, who);
        return n;
}

int git_talk_admit(const struct daemon *d, const char *who, struct fault *f)
{
        int r = git_unit_admit(d, f);

        if (r < 0)
                return r;
        if (count(d, NULL) >= GIT_TALKS_MAX)
                (void) fault_set(f, FAULT_BUSY, NULL, "%d repositories are being read or written already", GIT_TALKS_MAX);
        else if (count(d, who) >= GIT_TALKS_OF_ONE_MAX)
                (void) fault_set(f, FAULT_BUSY, NULL,
                                 "%d repositories are being read or written for %s already, as many as for anyone at once",
                                 GIT_TALKS_OF_ONE_MAX, who);
        else
                return 0;
        f->retry_after = RETRY_AFTER_SEC;
        return -EBUSY;
}

bool git_talk_is_ours(const struct daemon *d, const char *unit)
{
        char ours[32];

        (void) snprintf(ours, sizeof ours, UNIT_OF_LIFE, d->began_usec);
        return starts_with(unit, ours);
}

static void let_go_of_its_sides(struct git_talk *g)
{
        closep(&g->input);
        closep(&g->output);
}

struct git_talk *git_talk_free(struct git_talk *g)
{
        if (!g)
                return NULL;
        g->inlet = inlet_free(g->inlet);
        g->outlet = outlet_free(g->outlet);
        if (g->looking) {
                g->abandoned = true;
                return NULL;
        }
        LIST_REMOVE(g, all);
        g->op = systemd_cancel(g->op);
        let_go_of_its_sides(g);
        if (g->started && !g->ended)
                task_forget_soon(g->daemon, g->unit);
        free(g);
        return NULL;
}
DEFINE_CLEANUP(struct git_talk, git_talk_free);

/* --- what it says, and how it ends ---------------------------------------------------------------- */

static void end_if_over(struct git_talk *g)
{
        if (g->drained && g->ended)
                g->hooks.end(g->hooks.arg, g->exit_status, g->fault.kind == FAULT_NONE ? NULL : &g->fault);
}

static bool on_bytes(void *arg, const char *bytes, size_t n)
{
        struct git_talk *g = arg;

        return g->hooks.bytes(g->hooks.arg, bytes, n);
}

static void on_end(void *arg)
{
        struct git_talk *g = arg;

        g->drained = true;
        end_if_over(g);
}

static void on_drained(void *arg)
{
        struct git_talk *g = arg;

        if (g->hooks.drained)
                g->hooks.drained(g->hooks.arg);
}

/* A unit that failed stays loaded until somebody has seen it: that was us. */
static void on_state(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct git_talk *g = arg;

        g->op = NULL;
        g->ended = true;
        if (fault)
                g->fault = *fault;
        else if (streq_null(unit->result, "timeout"))
                (void) fault_set(&g->fault, FAULT_TIMEOUT, NULL, "git was still at work on repository %s when its time was over (JobTimeout=)",
                                 g->id);
        else if (unit->exit_code == CLD_EXITED)
                g->exit_status = unit->exit_status;
        else
                g->exit_status = 128 + unit->exit_status;
        task_forget_soon(g->daemon, g->unit);
        end_if_over(g);
}

static void on_job(void *arg, enum job_result result, const struct fault *fault)
{
        struct git_talk *g = arg;

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

/* --- its beginning ---------------------------------------------------------------------------------- */

static void start_unit(struct git_talk *g)
{
        struct daemon *d = g->daemon;
        struct git_unit unit;
        char dir[512];

        repository_path(d->config->state_directory, g->id, REPOSITORY_WHOLE, dir, sizeof dir);
        git_unit_init(&unit, d,
                      &(struct git_unit_options){ .id = g->id,
                                                  .dir = dir,
                                                  .words = g->words,
                                                  .input = g->input,
                                                  .output = g->output,
                                                  .reads_only = !g->writes });
        g->op = systemd_transient(d->systemd, g->unit, unit.settings, unit.n, on_job, g);
        g->started = g->op;
        let_go_of_its_sides(g);
}

static int look(void *arg)
{
        const struct git_talk *g = arg;

        return repository_exists(g->daemon->config->state_directory, g->id);
}

static void looked(void *arg, int r)
{
        struct git_talk *g = arg;
        struct fault f;

        g->looking = false;
        if (g->abandoned) {
                (void) git_talk_free(g);
                return;
        }
        if (r == 1) {
                start_unit(g);
                if (g->started) {
                        if (g->hooks.started)
                                g->hooks.started(g->hooks.arg);
                        return;
                }
                (void) fault_oom(&f);
        } else if (r == 0) {
                (void) fault_set(&f, FAULT_MISSING, "id", "there is no repository %s", g->id);
        } else {
                (void) fault_errno(&f, r, "cannot look for repository %s", g->id);
        }
        g->hooks.end(g->hooks.arg, 0, &f);
}

static int make_pipes(struct git_talk *g, bool takes_input)
{
        struct loop *loop = g->daemon->loop;
        int r = outlet_new(loop, &(struct outlet_hooks){ .bytes = on_bytes, .end = on_end, .arg = g }, &g->outlet,
                           &g->output);

        return r == 0 && takes_input ? inlet_new(loop, on_drained, g, &g->inlet, &g->input) : r;
}

void git_talk_explain(const char *id, int exit_status, struct fault *f)
{
        if (exit_status == GIT_NOT_THERE)
                (void) fault_set(f, FAULT_FAILED, NULL, "this host has no git that could be run for repository %s", id);
        else
                (void) fault_set(f, FAULT_FAILED, NULL, "git cannot work on repository %s (it ended with status %d)", id, exit_status);
}

struct git_talk *git_talk_start(struct daemon *d, const struct git_talk_options *options,
                                const struct git_talk_hooks *hooks)
{
        _cleanup_(git_talk_freep) struct git_talk *g = calloc(1, sizeof *g);

        if (!g)
                return NULL;
        g->daemon = d;
        g->hooks = *hooks;
        g->input = g->output = -1;
        g->writes = options->writes;
        LIST_INSERT_HEAD(&d->git_talks, g, all);
        for (size_t i = 0; options->words[i]; i++) {
                assert(i < GIT_TALK_WORDS_MAX);
                g->words[i] = options->words[i];
        }
        (void) snprintf(g->id, sizeof g->id, "%s", options->id);
        (void) snprintf(g->who, sizeof g->who, "%s", options->who);
        (void) snprintf(g->unit, sizeof g->unit, UNIT_OF_LIFE "%u.service", d->began_usec, ++d->git_talked);
        if (make_pipes(g, options->takes_input) < 0 || worker_run(d->worker, look, looked, g) < 0)
                return NULL;
        g->looking = true;
        return TAKE(g);
}

void git_talk_resume(struct git_talk *g)
{
        outlet_resume(g->outlet);
}

bool git_talk_give(struct git_talk *g, const char *bytes, size_t n)
{
        return inlet_give(g->inlet, bytes, n);
}

void git_talk_end_input(struct git_talk *g)
{
        inlet_end(g->inlet);
}
