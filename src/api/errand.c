/* SPDX-License-Identifier: Apache-2.0 */

#include "api/errand-private.h"

#include "api/answer.h"
#include "api/git-unit.h"
#include "api/index.h"
#include "api/job-run.h"
#include "util/log.h"

#include <stdio.h>

#define RETRY_AFTER_SEC 10

const char *errand_root(const struct errand *e)
{
        return e->daemon->config->state_directory;
}

/* --- the end ------------------------------------------------------------------------------------- */

void errand_free(struct errand *e)
{
        LIST_REMOVE(e, link);
        (void) task_leave(e->task);
        (void) task_leave(e->stop);
        (void) slot_free(e->slot);
        (void) image_get_cancel(e->get);
        (void) git_base_free(e->base);
        free(e->url);
        free(e->description);
        free(e->branch);
        free(e);
}

/* Nothing of it is there to be removed. */
static void end_deleted(struct daemon *d, struct request *request, const char *id)
{
        struct errand *e = errand_new(d, request, id);

        if (!e)
                return;
        e->removes = true;
        errand_end(e, 204, "is deleted");
}

static void outcome_written(void *arg)
{
        struct errand *e = arg;
        struct daemon *d = e->daemon;
        struct request *deletion = TAKE(e->deletion);
        bool made = e->fault.kind == FAULT_NONE;
        char id[GEAR_ID_MAX + 1];

        (void) snprintf(id, sizeof id, "%s", e->id);
        errand_free(e);
        if (deletion && made) /* just before it could be ended */
                errand_remove(d, deletion, id);
        else if (deletion)
                end_deleted(d, deletion, id);
}

/* The id is taken until its outcome is on the disk: what comes next must come after it there, too. */
static void conclude(struct errand *e, struct outcome *outcome)
{
        struct request *request = TAKE(e->request);

        if (e->started && !e->removes)
                task_forget_later(e->daemon, e->unit);
        e->slot = slot_free(e->slot);
        if (request)
                change_end_then(e->daemon, request, outcome, outcome_written, e);
        else
                outcome_written(e);
}

void errand_end(struct errand *e, int code, const char *what)
{
        struct text json = { 0 };
        struct outcome outcome;
        char text[160];

        (void) snprintf(text, sizeof text, "Repository %s %s%s\n", e->id, what,
                        e->recalled ? "; geard did not live to say so" : "");
        text_add(&json, "{");
        json_put(&json, "id", e->id);
        text_add(&json, "}\n");
        outcome_of(&outcome, code, text, code == 201 ? &json : NULL);
        text_reset(&json);
        outcome.replayed = e->recalled;
        conclude(e, &outcome);
        outcome_reset(&outcome);
}

void errand_fail(struct errand *e)
{
        struct outcome outcome;

        if (!e->request)
                log_warning(LOG_FIELDS("GEARD_REPOSITORY", e->id), "repository %s: %s", e->id, e->fault.text);
        outcome_of_fault(&outcome, &e->fault);
        conclude(e, &outcome);
        outcome_reset(&outcome);
}

void errand_fail_oom(struct errand *e)
{
        (void) fault_oom(&e->fault);
        errand_fail(e);
}

void errand_progress(struct errand *e, const char *what)
{
        if (e->request)
                request_progress(e->request, what);
}

/* --- its turn ---------------------------------------------------------------------------------------- */

void errand_wait_for_turn(struct errand *e, void (*go_on)(void *arg))
{
        struct slots *slots = e->daemon->slots;
        int r = slot_new(slots, e->request ? request_principal(e->request) : "", go_on, e, &e->slot);

        if (r == -EBUSY) {
                (void) fault_set(&e->fault, FAULT_BUSY, NULL,
                                 "%zu jobs run and %zu wait for their turn already (JobsMax=, JobsWaiting=)",
                                 slots_running(slots), slots_waiting(slots));
                e->fault.retry_after = RETRY_AFTER_SEC;
                errand_fail(e);
        } else if (r < 0) {
                errand_fail_oom(e);
        } else if (!slot_has_come(e->slot)) {
                errand_progress(e, "Waiting for other jobs to end");
        }
}

/* --- beginning --------------------------------------------------------------------------------------------- */

struct errand *errand_find(const struct daemon *d, const char *id)
{
        struct errand *e;

        LIST_FOREACH(e, &d->errands, link)
        if (streq(e->id, id))
                return e;
        return NULL;
}

bool errand_is_at_work(const struct daemon *d, const char *id)
{
        return errand_find(d, id);
}

struct errand *errand_new(struct daemon *d, struct request *request, const char *id)
{
        struct errand *e = calloc(1, sizeof *e);
        struct fault f;

        if (!e) {
                (void) fault_oom(&f);
                if (request)
                        change_fail(d, request, &f);
                return NULL;
        }
        e->daemon = d;
        e->request = request;
        e->began_usec = request ? request_began(request) : 0;
        (void) snprintf(e->id, sizeof e->id, "%s", id);
        (void) snprintf(e->unit, sizeof e->unit, "job-%s.service", id);
        (void) snprintf(e->tidy_unit, sizeof e->tidy_unit, "tidy-%s.service", id);
        LIST_INSERT_HEAD(&d->errands, e, link);
        return e;
}

static int need_what_it_takes(struct daemon *d, bool makes, struct fault *f)
{
        int r = index_need_systemd(d, f);

        if (r == 0)
                r = git_unit_admit(d, f);
        if (r < 0 || !makes || !*d->config->git_image)
                return r;
        r = index_need_engine(d, f);
        return r < 0 ? r : index_need_programs(d, f);
}

static bool may_begin(struct daemon *d, struct request *request, const char *id, bool takes_name)
{
        struct fault f;

        if (takes_name && job_name_is_free(d, id, &f) < 0)
                ;
        else if (errand_find(d, id))
                (void) fault_set(&f, FAULT_CONFLICT, "id", "job-%s.service is at work on repository %s", id, id);
        else if (need_what_it_takes(d, takes_name, &f) == 0)
                return true;
        change_fail(d, request, &f);
        return false;
}

void errand_create(struct daemon *d, struct request *request, const char *id, const struct errand_create *o)
{
        struct errand *e = may_begin(d, request, id, true) ? errand_new(d, request, id) : NULL;

        if (!e)
                return;
        e->url = o->url ? strdup(o->url) : NULL;
        e->description = o->description ? strdup(o->description) : NULL;
        e->branch = o->branch ? strdup(o->branch) : NULL;
        e->base = *d->config->git_image ? git_base_new(d->config) : NULL;
        if (!e->url != !o->url || !e->description != !o->description || !e->branch != !o->branch ||
            !e->base != !*d->config->git_image)
                errand_fail_oom(e);
        else
                errand_start_create(e);
}

/* One that is being made is made no further; that it was ended is its end. */
static bool cancels(struct daemon *d, struct request *request, const char *id)
{
        struct errand *e = errand_find(d, id);

        if (!e || e->removes || e->deletion || e->waits)
                return false;
        e->deletion = request;
        errand_cancel(e);
        return true;
}

void errand_remove(struct daemon *d, struct request *request, const char *id)
{
        struct errand *e;

        if (cancels(d, request, id))
                return;
        e = may_begin(d, request, id, false) ? errand_new(d, request, id) : NULL;
        if (!e)
                return;
        e->removes = true;
        errand_start_remove(e);
}

void errands_answer_all(struct daemon *d)
{
        struct errand *e;
        struct fault f;

        (void) fault_set(&f, FAULT_AWAY, NULL, "geard stops before this is done: its next start completes or undoes it");
        f.retry_after = RETRY_AFTER_SEC;
        LIST_FOREACH(e, &d->errands, link)
        {
                if (e->task)
                        task_hush(e->task);
                if (e->request)
                        change_leave(d, TAKE(e->request), &f);
                if (e->deletion)
                        change_leave(d, TAKE(e->deletion), &f);
        }
}
