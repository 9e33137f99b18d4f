/* SPDX-License-Identifier: Apache-2.0 */

#include "api/task.h"

#include "api/last-words.h"

#include <signal.h>
#include <stdio.h>

/* journald may write the last words a moment after the end was signalled. */
#define JOURNAL_LAG_USEC (150 * USEC_PER_MSEC)
/* … and must not hold up the answer when it does not come at all. */
#define JOURNAL_WAIT_USEC (3 * USEC_PER_SEC)
#define LOOK_FIRST_USEC (50 * USEC_PER_MSEC)
#define LOOK_MAX_USEC (400 * USEC_PER_MSEC)
#define LINES_KEPT 10
#define LINE_KEPT_MAX 240

struct task {
        struct daemon *daemon;
        char unit[UNIT_NAME_MAX];
        struct request *request;
        bool to_the_last_line;
        uint64_t began_usec; /* wall clock: its lines are not older */
        struct systemd_op *op;
        struct journal_reader *reader;
        struct timer *timer;
        struct timer *next_look; /* at one of an earlier life, … */
        uint64_t pause_usec;
        bool seen;               /* … which was at work when it was looked at last, */
        bool stopped;            /* or was being stopped */
        enum job_result result;
        bool forgets;
        bool ended;        /* what it says now are its last words */
        bool out_of_time;  /* … and are not waited for any longer */
        bool by_hand;
        struct fault fault;
        int exit_code, exit_status;
        char lines[LINES_KEPT][LINE_KEPT_MAX];
        unsigned n_lines;  /* of all it said */
        task_done *done;
        void *arg;
};

struct task *task_leave(struct task *t)
{
        if (!t)
                return NULL;
        t->op = systemd_cancel(t->op);
        t->reader = journal_reader_free(t->reader);
        t->timer = timer_free(t->timer);
        t->next_look = timer_free(t->next_look);
        free(t);
        return NULL;
}

void task_hush(struct task *t)
{
        t->request = NULL;
}

/* --- the end ------------------------------------------------------------------------------------- */

static void put_lines(const struct task *t, struct text *text)
{
        unsigned kept = t->n_lines < LINES_KEPT ? t->n_lines : LINES_KEPT;

        for (unsigned i = t->n_lines - kept; i < t->n_lines; i++)
                text_addf(text, "\n  %s", t->lines[i % LINES_KEPT]);
}

static void finish(struct task *t)
{
        _cleanup_text_ struct text lines = { 0 };
        struct fault fault = t->fault;
        struct task_end end = { .fault = fault.kind == FAULT_NONE ? NULL : &fault,
                                .exit_code = t->exit_code,
                                .exit_status = t->exit_status,
                                .by_hand = t->by_hand };
        task_done *done = t->done;
        void *arg = t->arg;

        put_lines(t, &lines);
        end.lines = text_ok(&lines) && lines.data ? lines.data : "";
        (void) task_leave(t);
        done(arg, &end);
}

/* --- what it says --------------------------------------------------------------------------------- */

static void hear(struct task *t, char *lines)
{
        char *line, *rest = lines;

        while ((line = strsep(&rest, "\n")) && rest) {
                (void) snprintf(t->lines[t->n_lines++ % LINES_KEPT], LINE_KEPT_MAX, "%s", line);
                if (t->request)
                        request_progress(t->request, line);
        }
}

/* False: out of memory, it goes on unheard. */
static bool ask_for_lines(struct task *t)
{
        struct text *lines = calloc(1, sizeof *lines);

        if (lines && journal_reader_read(t->reader, lines, t->ended ? JOURNAL_NOW : JOURNAL_NEWS, NULL) == 0)
                return true;
        free(lines);
        t->reader = journal_reader_free(t->reader);
        return false;
}

static void lines_read(void *arg, void *work, const struct journal_batch *batch)
{
        struct task *t = arg;
        struct text *lines = work;

        if (lines->data && text_ok(lines))
                hear(t, lines->data);
        last_words_free(lines);
        if (t->ended && (batch->level || batch->error < 0 || t->out_of_time))
                finish(t);
        else if (batch->error < 0) /* it goes on unheard */
                t->reader = journal_reader_free(t->reader);
        else if (!ask_for_lines(t) && t->ended)
                finish(t);
}

static void listen_to(struct task *t)
{
        const struct journal_source source = { .unit = t->unit };
        const struct journal_scope scope = { .sources = &source, .n_sources = 1 };

        t->reader = journal_reader_new(t->daemon->journal,
                                       &(struct journal_options){ .scope = scope,
                                                                  .since_usec = t->began_usec,
                                                                  .tail = -1,
                                                                  .follow = true },
                                       &(struct journal_hooks){
                                               .entry = last_words_take, .done = lines_read, .drop = last_words_free, .arg = t });
        if (t->reader)
                (void) ask_for_lines(t);
}

/* --- how it went ------------------------------------------------------------------------------------ */

static void last_words_over(void *arg)
{
        struct task *t = arg;

        if (t->ended || !t->reader) {
                t->out_of_time = true;
                t->reader = journal_reader_free(t->reader);
                finish(t);
                return;
        }
        t->ended = true;
        timer_set(t->timer, JOURNAL_WAIT_USEC);
        journal_reader_hurry(t->reader);
}

static void wait_for_last_words(struct task *t)
{
        if (!t->reader)
                listen_to(t);
        if (t->reader)
                timer_set(t->timer, JOURNAL_LAG_USEC);
        else
                finish(t);
}

static void explain(struct task *t, const struct unit_change *unit, enum job_result result)
{
        t->exit_code = unit->exit_code;
        t->exit_status = unit->exit_status;
        if (result == JOB_TIMEOUT || (unit->result && streq(unit->result, "timeout")))
                (void) fault_set(&t->fault, FAULT_TIMEOUT, NULL, "it took longer than it may");
        else if ((t->by_hand = result == JOB_CANCELED || result == JOB_DONE))
                (void) fault_set(&t->fault, FAULT_FAILED, NULL, "it was ended by hand");
        else if (unit->exit_code == CLD_EXITED)
                (void) fault_set(&t->fault, FAULT_FAILED, NULL, "it exited with status %d", unit->exit_status);
        else if (unit->exit_code == CLD_KILLED || unit->exit_code == CLD_DUMPED)
                (void) fault_set(&t->fault, FAULT_FAILED, NULL, "it was ended by signal %d%s", unit->exit_status,
                                 unit->result && streq(unit->result, "oom-kill") ? " (out of memory)" : "");
        else
                (void) fault_set(&t->fault, FAULT_FAILED, NULL, "it was not started: %s", job_result_text(result));
}

/* systemd told that it failed, or was asked what became of it: how? */
static void on_state(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct task *t = arg;

        t->op = NULL;
        if (fault)
                t->fault = *fault;
        else
                explain(t, unit, t->result);
        wait_for_last_words(t);
}

static void ended_well(struct task *t)
{
        if (t->to_the_last_line)
                wait_for_last_words(t);
        else
                finish(t);
}

static void job_ended(void *arg, enum job_result result, const struct fault *fault)
{
        struct task *t = arg;

        t->op = NULL;
        if (fault) {
                t->fault = *fault;
                finish(t);
        } else if (result == JOB_DONE) {
                ended_well(t);
        } else {
                t->result = result;
                t->op = systemd_ask(t->daemon->systemd, t->unit, on_state, t);
                if (!t->op) {
                        (void) fault_oom(&t->fault);
                        finish(t);
                }
        }
}

/* --- forgetting ------------------------------------------------------------------------------------ */

static void forgotten(void *arg, const struct fault *fault _unused_)
{
        struct task *t = arg;

        t->op = NULL;
        finish(t);
}

static void stopped(void *arg, enum job_result result _unused_, const struct fault *fault _unused_)
{
        struct task *t = arg;

        t->op = t->forgets ? systemd_reset_failed(t->daemon->systemd, t->unit, forgotten, t) : NULL;
        if (!t->op)
                finish(t);
}

static void on_owner(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct task *t = arg;

        t->op = NULL;
        if (fault)
                t->fault = *fault;
        else if (streq(unit->load, "not-found"))
                ;
        else if (!unit->slice || !streq(unit->slice, TASK_SLICE))
                (void) fault_set(&t->fault, FAULT_CONFLICT, "id", "there is a %s already, and it is no job of geard's", t->unit);
        else if (!(t->op = systemd_job(t->daemon->systemd, SYSTEMD_STOP, t->unit, stopped, t)))
                (void) fault_oom(&t->fault);
        if (!t->op)
                finish(t);
}

static struct task *end_unit(struct daemon *d, const char *unit, bool forgets, task_done *done, void *arg)
{
        struct task *t = calloc(1, sizeof *t);

        if (!t)
                return NULL;
        *t = (struct task){ .daemon = d, .forgets = forgets, .done = done, .arg = arg };
        (void) snprintf(t->unit, sizeof t->unit, "%s", unit);
        t->op = systemd_ask(d->systemd, t->unit, on_owner, t);
        return t->op ? t : task_leave(t);
}

struct task *task_stop(struct daemon *d, const char *unit, task_done *done, void *arg)
{
        return end_unit(d, unit, false, done, arg);
}

struct task *task_forget(struct daemon *d, const char *unit, task_done *done, void *arg)
{
        return end_unit(d, unit, true, done, arg);
}

/* --- beginning ------------------------------------------------------------------------------------- */

/* What is stopped has not failed yet; what fails by itself has. */
static bool is_stopped(const struct unit_change *unit)
{
        return streq(unit->active, "deactivating") && unit->result && streq(unit->result, "success");
}

/*
 * It was begun in an earlier life, and is only looked at: a start to join that of
 * its unit would undo a stop that is under way, or come when it has just ended.
 */
static void on_former_state(void *arg, const struct unit_change *unit, const struct fault *fault)
{
        struct task *t = arg;

        t->op = NULL;
        if (fault && fault->kind != FAULT_AWAY && fault->kind != FAULT_MISSING) {
                timer_set(t->next_look, LOOK_MAX_USEC); /* the question failed, not the unit */
        } else if (fault) {
                t->fault = *fault;
                finish(t);
        } else if (streq(unit->load, "not-found")) {
                t->by_hand = t->seen; /* what ends by itself stays in sight */
                (void) fault_set(&t->fault, FAULT_MISSING, NULL, "there is no %s", t->unit);
                finish(t);
        } else if (unit_is_at_work(unit)) {
                t->seen = true;
                t->stopped = t->stopped || is_stopped(unit);
                timer_set(t->next_look, t->pause_usec);
                t->pause_usec = t->pause_usec < LOOK_MAX_USEC ? 2 * t->pause_usec : t->pause_usec;
        } else if (streq(unit->active, "active")) {
                ended_well(t);
        } else {
                t->result = t->stopped ? JOB_CANCELED : JOB_FAILED;
                on_state(t, unit, NULL);
        }
}

static void look_again(void *arg)
{
        struct task *t = arg;

        t->op = systemd_ask(t->daemon->systemd, t->unit, on_former_state, t);
        if (t->op)
                return;
        (void) fault_oom(&t->fault);
        finish(t);
}

struct task *task_start(struct daemon *d, const struct task_options *o, task_done *done, void *arg)
{
        struct task *t = calloc(1, sizeof *t);

        if (!t)
                return NULL;
        *t = (struct task){ .daemon = d,
                            .request = o->request,
                            .to_the_last_line = o->to_the_last_line,
                            .began_usec = wall_usec(),
                            .done = done,
                            .arg = arg };
        (void) snprintf(t->unit, sizeof t->unit, "%s", o->unit);
        t->timer = timer_new(d->loop, last_words_over, t);
        t->next_look = timer_new(d->loop, look_again, t);
        t->pause_usec = LOOK_FIRST_USEC;
        if (!t->timer || !t->next_look)
                return task_leave(t);
        if (o->settings)
                t->op = systemd_transient(d->systemd, t->unit, o->settings, o->n_settings, job_ended, t);
        else
                t->op = systemd_ask(d->systemd, t->unit, on_former_state, t);
        if (!t->op)
                return task_leave(t);
        if (o->to_the_last_line)
                listen_to(t);
        return t;
}
