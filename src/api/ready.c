/* SPDX-License-Identifier: Apache-2.0 */

#include "api/ready.h"

#include "api/run.h"
#include "sys/journal.h"
#include "sys/probe.h"
#include "util/file.h"

#include <regex.h>
#include <signal.h>
#include <stdio.h>

#define PROBE_PAUSE_USEC (200 * USEC_PER_MSEC)
#define PROBE_TIMEOUT_USEC (2 * USEC_PER_SEC)
#define LINE_MAX_LOOKED_AT 65536

/*
 * The engine says `start' while the runtime is still about to execute the
 * command.  A command that fails at once does so within moments of that, and a
 * create that answered before would have promised too much.  One that fails
 * runs until it ends; one that serves soon sleeps: so it has to sleep at three
 * looks in a row, or to have run for a while.  One that has had no processor
 * since the last look has told nothing in between.
 */
#define LOOK_PAUSE_USEC (2 * USEC_PER_MSEC)
#define LOOKS_ASLEEP 3
#define LOOKS_AWAKE 7

struct ready {
        struct daemon *daemon;
        struct gear *gear;
        enum ready_kind kind;
        bool may_end;             /* a good end is as good as running */
        uint16_t port;
        char *path;
        char *pattern;
        struct run former;

        struct timer *deadline, *pause;
        bool looking;             /* READY_RUNNING: the next look is due by itself … */
        unsigned looks, asleep;   /* … after so many since the command runs; asleep in a row */
        uint64_t ran;             /* what it had of processors at the last one */
        struct probe *probe;
        struct journal_reader *reader;
        char followed[GEAR_INVOCATION_LEN + 1]; /* by the reader */
        struct deferred *answer;
        enum ready_result result;
        void (*done)(void *arg, enum ready_result result);
        void *arg;
};

struct ready *ready_cancel(struct ready *r)
{
        if (!r)
                return NULL;
        if (r->gear->ready == r)
                r->gear->ready = NULL;
        r->deadline = timer_free(r->deadline);
        r->pause = timer_free(r->pause);
        r->probe = probe_cancel(r->probe);
        r->reader = journal_reader_free(r->reader);
        r->answer = deferred_cancel(r->answer);
        free(r->pattern);
        free(r->path);
        free(r);
        return NULL;
}

static void give_answer(void *arg)
{
        struct ready *r = arg;
        void (*done)(void *arg, enum ready_result result) = r->done;
        enum ready_result result = r->result;
        void *done_arg = r->arg;

        r->answer = NULL;
        (void) ready_cancel(r);
        done(done_arg, result);
}

static void settle(struct ready *r, enum ready_result result)
{
        if (r->answer)
                return;
        r->result = result;
        r->answer = loop_defer(r->daemon->loop, give_answer, r);
}

enum process { PROCESS_GONE, PROCESS_PREPARING, PROCESS_AWAKE, PROCESS_ASLEEP };

/* From /proc/<pid>/stat, "12 (comm) S …": one that only waits to be reaped does not run any more. */
static enum process look_at_process(pid_t pid)
{
        _cleanup_free_ char *stat = NULL;
        char path[64];
        const char *comm, *state;
        size_t n;

        (void) snprintf(path, sizeof path, "/proc/%d/stat", pid);
        if (pid <= 0 || file_read(path, 4096, &stat, &n) < 0)
                return PROCESS_GONE;
        comm = strchr(stat, '(');
        state = strrchr(stat, ')');
        if (!comm || !state || state[1] != ' ' || strchr("ZXx", state[2]))
                return PROCESS_GONE;
        if (starts_with(comm, "(runc:[") || starts_with(comm, "(runc)"))
                return PROCESS_PREPARING;
        return state[2] == 'S' ? PROCESS_ASLEEP : PROCESS_AWAKE;
}

/* Has it had a processor since the last look?  Where the kernel does not tell: yes. */
static bool has_run(struct ready *r, pid_t pid)
{
        _cleanup_free_ char *schedstat = NULL;
        uint64_t ran = 0, before = r->ran;
        char path[64];
        size_t n;

        (void) snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
        if (file_read(path, 256, &schedstat, &n) < 0)
                return true;
        schedstat[strcspn(schedstat, " \n")] = '\0';
        if (!parse_u64(schedstat, UINT64_MAX, &ran))
                return true;
        r->ran = ran;
        return ran != before;
}

static bool container_runs(const struct ready *r)
{
        const struct gear *gear = r->gear;

        return streq(gear->active, "active") && streq(gear->container_state, "running") &&
               !streq(gear->container, r->former.container) && look_at_process(gear->pid) != PROCESS_GONE;
}

static void probe_answered(void *arg, bool good, const char *why _unused_)
{
        struct ready *r = arg;

        r->probe = NULL;
        if (good)
                settle(r, READY_YES);
        else
                timer_set(r->pause, PROBE_PAUSE_USEC);
}

static void look_at_run(struct ready *r)
{
        enum process process = look_at_process(r->gear->pid);

        if (!container_runs(r) || process == PROCESS_GONE) {
                r->looking = false; /* what ends it comes as a signal */
                r->looks = r->asleep = 0;
                return;
        }
        r->looking = true;
        r->looks += process == PROCESS_ASLEEP || (process == PROCESS_AWAKE && has_run(r, r->gear->pid));
        r->asleep = process == PROCESS_ASLEEP ? r->asleep + 1 : 0;
        if (r->asleep >= LOOKS_ASLEEP || r->looks >= LOOKS_AWAKE)
                settle(r, READY_YES);
        else
                timer_set(r->pause, LOOK_PAUSE_USEC);
}

static void probe_again(struct ready *r)
{
        if (r->probe || r->answer || !container_runs(r) || !r->gear->address[0])
                return;
        r->probe = probe_start(r->daemon->loop, r->daemon->fetch, r->gear->address, r->port, r->path,
                               PROBE_TIMEOUT_USEC, probe_answered, r);
        if (!r->probe)
                timer_set(r->pause, PROBE_PAUSE_USEC);
}

/* --- the line that says so ------------------------------------------------------------------------ */

/* What is looked for, in a thread. */
struct search {
        regex_t pattern;
        bool found;
};

static void search_free(void *work)
{
        struct search *search = work;

        regfree(&search->pattern);
        free(search);
}

static struct search *search_new(const char *pattern)
{
        struct search *search = calloc(1, sizeof *search);

        if (search && regcomp(&search->pattern, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
                free(search);
                return NULL;
        }
        return search;
}

static bool look_at_line(void *work, const struct log_entry *e)
{
        struct search *search = work;
        char *line;

        if (e->message_len > LINE_MAX_LOOKED_AT)
                return true;
        line = strndup(e->message, e->message_len);
        search->found = line && regexec(&search->pattern, line, 0, NULL, 0) == 0;
        free(line);
        return !search->found;
}

/* Where the journal cannot be read the deadline decides. */
static void lines_read(void *arg, void *work, const struct journal_batch *batch)
{
        struct ready *r = arg;
        struct search *search = work;

        if (search->found)
                settle(r, READY_YES);
        else if (batch->error == 0 && journal_reader_read(r->reader, search, JOURNAL_NEWS, NULL) == 0)
                return;
        search_free(search);
}

static void start_search(struct ready *r, const struct journal_scope *scope)
{
        struct search *search = search_new(r->pattern);

        r->reader = journal_reader_new(r->daemon->journal,
                                       &(struct journal_options){ .scope = *scope, .tail = -1, .follow = true },
                                       &(struct journal_hooks){ .entry = look_at_line,
                                                                .done = lines_read,
                                                                .drop = search_free,
                                                                .arg = r });
        if (search && r->reader && journal_reader_read(r->reader, search, JOURNAL_NEWS, NULL) == 0)
                return;
        r->reader = journal_reader_free(r->reader);
        if (search)
                search_free(search);
}

static void follow_lines(struct ready *r)
{
        char unit[UNIT_NAME_MAX], identifier[UNIT_NAME_MAX], invocation[GEAR_INVOCATION_LEN + 1];
        const struct journal_source source = { .unit = unit, .identifier = identifier };

        /* When systemd's bus was away, it tells of the state first and of the run later. */
        gear_invocation(r->gear, invocation);
        if (!invocation[0] || streq(invocation, r->former.invocation) ||
            (r->reader && streq(invocation, r->followed)))
                return;
        r->reader = journal_reader_free(r->reader);
        memcpy(r->followed, invocation, sizeof r->followed);
        gear_unit_name(r->gear->id, unit);
        gear_container_name(r->gear->id, identifier);
        start_search(r, &(struct journal_scope){ .sources = &source, .n_sources = 1, .invocation = invocation });
}

/* Has the run come to an end? */
static bool has_ended(const struct ready *r, enum ready_result *ret)
{
        const struct gear *gear = r->gear;

        if (streq(gear->active, "failed") || streq(gear->sub, "auto-restart")) {
                *ret = READY_DIED;
                return true;
        }
        if (!streq(gear->active, "inactive") || gear->job)
                return false;
        if (r->may_end && gear->exit_code == CLD_EXITED && gear->exit_status == 0)
                *ret = READY_ENDED;
        else
                *ret = gear->exit_code == CLD_EXITED && gear->exit_status == 0 ? READY_DIED : READY_STOPPED;
        return true;
}

void ready_look(struct gear *gear)
{
        struct ready *r = gear->ready;
        enum ready_result result;

        if (!r || r->answer)
                return;
        if (has_ended(r, &result)) {
                settle(r, result);
                return;
        }
        if (!container_runs(r))
                return;
        switch (r->kind) {
        case READY_RUNNING:
                if (!r->looking)
                        look_at_run(r);
                break;
        case READY_HEALTHY:
                if (streq(gear->health, "healthy"))
                        settle(r, READY_YES);
                break;
        case READY_TCP:
        case READY_HTTP:
                probe_again(r);
                break;
        case READY_LOG:
                follow_lines(r);
                break;
        }
}

static void pause_ended(void *arg)
{
        struct ready *r = arg;

        if (r->kind == READY_RUNNING)
                look_at_run(r);
        else
                probe_again(r);
}

static void too_late(void *arg)
{
        settle(arg, READY_LATE);
}

static int take_wish(struct ready *r, const struct spec_ready *wish)
{
        r->kind = wish->kind;
        r->port = wish->port;
        if (wish->path && !(r->path = strdup(wish->path)))
                return -ENOMEM;
        if (wish->pattern && !(r->pattern = strdup(wish->pattern)))
                return -ENOMEM;
        return 0;
}

struct ready *ready_wait(struct daemon *d, struct gear *gear, const struct spec *spec, const struct run *former,
                         void (*done)(void *arg, enum ready_result result), void *arg)
{
        const struct spec_ready *wish = &spec->ready;
        struct ready *r = calloc(1, sizeof *r);

        if (!r)
                return NULL;
        *r = (struct ready){ .daemon = d,
                             .gear = gear,
                             .may_end = run_may_end(spec),
                             .former = *former,
                             .done = done,
                             .arg = arg };
        r->deadline = timer_new(d->loop, too_late, r);
        r->pause = timer_new(d->loop, pause_ended, r);
        if (take_wish(r, wish) < 0 || !r->deadline || !r->pause)
                return ready_cancel(r);
        timer_set(r->deadline, wish->timeout_usec ? wish->timeout_usec : d->config->ready_timeout_usec);
        gear->ready = r;
        ready_look(gear);
        return r;
}
