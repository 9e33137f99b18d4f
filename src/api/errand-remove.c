/* SPDX-License-Identifier: Apache-2.0 */

/* A repository is removed: taken out of sight at once, and then emptied by git's user. */

#include "api/errand-private.h"
#include "api/git-unit.h"
#include "util/log.h"

/* --- emptying a directory --------------------------------------------------------------------------- */

static int remove_dir(void *arg)
{
        struct errand *e = arg;

        return repository_remove_empty(errand_root(e), e->id, e->emptied);
}

/* It went, or it was never ours: then what was asked for comes now. */
static void go_on(struct errand *e)
{
        bool again = e->again;

        e->again = false;
        if (!again)
                errand_end(e, 204, "is deleted");
        else if (e->removes)
                errand_take_away(e);
        else
                errand_start_create(e);
}

static void dir_removed(void *arg, int r)
{
        struct errand *e = arg;

        if (e->untidy && r == 0) /* how it went, the directory knows best */
                e->fault = (struct fault){ 0 };
        if (r < 0 && e->fault.kind == FAULT_NONE)
                (void) fault_errno(&e->fault, r, "cannot remove what is left of repository %s", e->id);
        else if (r < 0)
                log_warning(LOG_FIELDS("GEARD_REPOSITORY", e->id), "what is left of repository %s stays for now: %s", e->id,
                            strerror(-r));
        if (e->fault.kind != FAULT_NONE)
                errand_fail(e);
        else
                go_on(e);
}

static void emptied(void *arg, const struct task_end *task)
{
        struct errand *e = arg;

        e->task = NULL;
        e->untidy = task->fault && e->fault.kind == FAULT_NONE;
        if (task->fault) /* one that failed stays loaded until it is forgotten */
                task_forget_soon(e->daemon, e->tidy_unit);
        if (e->untidy)
                (void) fault_set(&e->fault, task->fault->kind, NULL, "repository %s was not removed: %s%s", e->id,
                                 task->fault->text, task->lines);
        if (worker_run(e->daemon->worker, remove_dir, dir_removed, e) < 0)
                errand_fail_oom(e);
}

/* A unit of the name may be left from an earlier life. */
static void former_forgotten(void *arg, const struct task_end *end _unused_)
{
        struct errand *e = arg;
        static const char *const words[] = { "remove", GIT_UNIT_DIR, NULL };
        struct git_unit unit;
        char dir[512];

        repository_path(errand_root(e), e->id, e->emptied, dir, sizeof dir);
        git_unit_init(&unit, e->daemon, &(struct git_unit_options){ .id = e->id, .dir = dir, .words = words, .input = -1, .output = -1 });
        e->task = task_start(e->daemon,
                             &(struct task_options){
                                     .unit = e->tidy_unit, .settings = unit.settings, .n_settings = unit.n },
                             emptied, e);
        if (!e->task)
                errand_fail_oom(e);
}

void errand_start_emptying(struct errand *e, enum repository_place place)
{
        struct fault f;

        if (git_unit_admit(e->daemon, &f) < 0) { /* of an earlier life: no other gets here */
                if (e->fault.kind == FAULT_NONE)
                        e->fault = f;
                errand_fail(e);
                return;
        }
        e->emptied = place;
        task_keep_no_longer(e->daemon, e->tidy_unit);
        e->task = task_forget(e->daemon, e->tidy_unit, former_forgotten, e);
        if (!e->task)
                errand_fail_oom(e);
}

/* --- removing it ------------------------------------------------------------------------------------------ */

enum { IS_GONE = 1 }; /* but for what is left of it */

static int take_away(void *arg)
{
        struct errand *e = arg;
        int r = repository_move(errand_root(e), e->id, REPOSITORY_WHOLE, REPOSITORY_GONE), left;

        if (r != -ENOENT)
                return r;
        left = repository_remove_empty(errand_root(e), e->id, REPOSITORY_GONE);
        return left == -ENOTEMPTY || left == -EEXIST ? IS_GONE : r;
}

static void taken_away(void *arg, int r)
{
        struct errand *e = arg;

        if (r == 0 || r == IS_GONE || r == -EEXIST) {
                e->again = r == -EEXIST; /* another one of this id went, and not wholly */
                errand_start_emptying(e, REPOSITORY_GONE);
        } else if (r == -ENOENT) {
                errand_end(e, 204, "is not there");
        } else {
                (void) fault_errno(&e->fault, r, "repository %s cannot be taken away", e->id);
                errand_fail(e);
        }
}

void errand_take_away(struct errand *e)
{
        if (worker_run(e->daemon->worker, take_away, taken_away, e) < 0)
                errand_fail_oom(e);
}

static void turn_comes(void *arg)
{
        errand_take_away(arg);
}

void errand_start_remove(struct errand *e)
{
        errand_wait_for_turn(e, turn_comes);
}
