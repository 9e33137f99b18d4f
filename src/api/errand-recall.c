/* SPDX-License-Identifier: Apache-2.0 */

/* What an earlier life began, and what it left to nobody. */

#include "api/errand-private.h"
#include "util/log.h"

/* --- what an earlier life began ------------------------------------------------------------------------------ */

static void fail_undone(struct errand *e)
{
        (void) fault_set(&e->fault, FAULT_AWAY, NULL,
                         "geard ended before repository %s was %s, and nothing of that is left: ask again", e->id,
                         e->removes ? "deleted" : "created");
        e->fault.retry_after = 1;
        if (e->removes)
                errand_fail(e);
        else
                errand_undo(e);
}

static int look_for_it(void *arg)
{
        return errand_has_come(arg);
}

static void looked_for_it(void *arg, int come)
{
        struct errand *e = arg;

        if (come)
                errand_end(e, 201, "is created");
        else
                fail_undone(e);
}

/* Its unit, which stays until the outcome is written down, is where it is known best. */
static void former_ended(void *arg, const struct task_end *task)
{
        struct errand *e = arg;

        e->task = NULL;
        e->started = !task->fault || task->fault->kind == FAULT_FAILED || task->fault->kind == FAULT_TIMEOUT;
        if (task->fault && task->fault->kind == FAULT_AWAY) {
                e->waits = true; /* systemd: it is asked again */
                return;
        }
        if (task->fault && task->fault->kind == FAULT_MISSING) {
                if (worker_run(e->daemon->worker, look_for_it, looked_for_it, e) < 0)
                        errand_fail_oom(e);
                return;
        }
        errand_made(e, task);
}

static int look_for_trace(void *arg)
{
        struct errand *e = arg;
        int r = repository_exists(errand_root(e), e->id);

        if (r != 0)
                return r < 0 ? r : -EAGAIN;
        r = repository_remove_empty(errand_root(e), e->id, REPOSITORY_GONE);
        return r == -ENOTEMPTY || r == -EEXIST ? 1 : r;
}

static void looked_for_trace(void *arg, int r)
{
        struct errand *e = arg;

        if (r == 1)
                errand_start_emptying(e, REPOSITORY_GONE);
        else if (r == 0)
                errand_end(e, 204, "is deleted");
        else
                fail_undone(e);
}

void errand_recall(struct daemon *d, struct request *request, const char *id, const char *verb)
{
        struct errand *e = errand_new(d, request, id);

        if (!e)
                return;
        e->recalled = e->waits = true;
        e->removes = streq(verb, ERRAND_DELETED);
}

static void take_up(struct errand *e)
{
        struct daemon *d = e->daemon;

        e->waits = false;
        if (e->removes) {
                if (worker_run(d->worker, look_for_trace, looked_for_trace, e) < 0)
                        errand_fail_oom(e);
                return;
        }
        e->task = task_start(d, &(struct task_options){ .unit = e->unit, .request = e->request }, former_ended, e);
        if (!e->task)
                errand_fail_oom(e);
}

bool errands_look(struct daemon *d)
{
        struct errand *e, *next;
        bool some = false;

        for (e = LIST_FIRST(&d->errands); e; e = next) {
                next = LIST_NEXT(e, link);
                some = some || e->recalled;
                if (e->waits && d->systemd_synced)
                        take_up(e);
        }
        return some;
}

/* --- what nobody will ask for any more ---------------------------------------------------------------------- */

struct sweep {
        struct daemon *daemon;
        char **found[2]; /* new, gone */
};

static void sweep_free(struct sweep *s)
{
        if (!s)
                return;
        s->daemon->sweep_of_errands = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(s->found); i++)
                (void) strv_free(s->found[i]);
        free(s);
}

static int add_found(void *arg, const char *id)
{
        return strv_add(arg, id);
}

static int look_for_leftovers(void *arg)
{
        struct sweep *s = arg;
        const char *root = s->daemon->config->state_directory;
        int r = repositories_each(root, REPOSITORY_NEW, add_found, &s->found[0]);

        return r < 0 ? r : repositories_each(root, REPOSITORY_GONE, add_found, &s->found[1]);
}

static void remove_leftover(struct daemon *d, const char *id, enum repository_place place)
{
        struct errand *e = errand_find(d, id) ? NULL : errand_new(d, NULL, id);

        if (!e)
                return;
        e->removes = true;
        errand_start_emptying(e, place);
}

static void looked_for_leftovers(void *arg, int r)
{
        struct sweep *s = arg;

        if (r < 0)
                log_warning(NO_FIELDS, "what is left of former repositories stays for now: %s", strerror(-r));
        for (size_t i = 0; i < ARRAY_SIZE(s->found); i++)
                for (char **id = s->found[i]; id && *id; id++)
                        remove_leftover(s->daemon, *id, i == 0 ? REPOSITORY_NEW : REPOSITORY_GONE);
        sweep_free(s);
}

void errands_sweep(struct daemon *d)
{
        struct sweep *s = calloc(1, sizeof *s);

        if (!s)
                return;
        s->daemon = d;
        d->sweep_of_errands = s;
        if (worker_run(d->worker, look_for_leftovers, looked_for_leftovers, s) < 0)
                sweep_free(s);
}

void errands_free(struct daemon *d)
{
        sweep_free(d->sweep_of_errands);
        while (!LIST_EMPTY(&d->errands))
                errand_free(LIST_FIRST(&d->errands));
}
