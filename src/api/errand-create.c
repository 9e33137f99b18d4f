/* SPDX-License-Identifier: Apache-2.0 */

/* A repository is made as a whole, or nothing of it is left. */

#include "api/errand-private.h"
#include "api/git-unit.h"
#include "core/clone-url.h"

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

#define FILE_SCHEME "file://"
#define SSH_SCHEME "ssh://"
#define NO_CREDENTIAL 243 /* systemd could not read it */

static void start_making(struct errand *e);

/* --- it failed: nothing of it is to be left ----------------------------------------------------------- */

static int drop_new(void *arg)
{
        struct errand *e = arg;

        return repository_remove_empty(errand_root(e), e->id, REPOSITORY_NEW);
}

static void new_dropped(void *arg, int r)
{
        struct errand *e = arg;

        if (r == -ENOTEMPTY || r == -EEXIST) /* the work had begun: what there is belongs to git's user */
                errand_start_emptying(e, REPOSITORY_NEW);
        else
                errand_fail(e);
}

static void unit_stopped(void *arg, const struct task_end *end _unused_)
{
        struct errand *e = arg;

        e->task = NULL;
        if (worker_run(e->daemon->worker, drop_new, new_dropped, e) < 0)
                errand_fail_oom(e);
}

/* A unit whose start was cancelled may still be at work. */
void errand_undo(struct errand *e)
{
        e->task = task_stop(e->daemon, e->unit, unit_stopped, e);
        if (!e->task)
                errand_fail_oom(e);
}

/* --- it is canceled ------------------------------------------------------------------------------------ */

static void say_canceled(struct errand *e)
{
        (void) fault_set(&e->fault, FAULT_CONFLICT, NULL, "repository %s was not created: it was deleted meanwhile", e->id);
}

static void fail_canceled(struct errand *e)
{
        say_canceled(e);
        errand_fail(e);
}

static void stop_ended(void *arg, const struct task_end *end _unused_)
{
        struct errand *e = arg;

        e->stop = NULL;
}

/* What it is at that is not git's, a look at the disk or a tidying up, comes to its own end. */
void errand_cancel(struct errand *e)
{
        if (e->get || (e->slot && !slot_has_come(e->slot))) {
                e->get = image_get_cancel(e->get);
                fail_canceled(e);
        } else if (e->task && e->started && e->fault.kind == FAULT_NONE && !e->stop) {
                e->stop = task_stop(e->daemon, e->unit, stop_ended, e);
        }
}

bool errand_has_come(const struct errand *e)
{
        return repository_came_since(errand_root(e), e->id, e->began_usec) == 1;
}

/* --- it was made ---------------------------------------------------------------------------------------- */

static int settle(void *arg)
{
        struct errand *e = arg;
        int r = repository_move(errand_root(e), e->id, REPOSITORY_NEW, REPOSITORY_WHOLE);

        return r == -ENOENT && e->recalled && errand_has_come(e) ? 0 : r; /* an earlier life got this far */
}

static void settled(void *arg, int r)
{
        struct errand *e = arg;

        if (r == 0) {
                errand_end(e, 201, "is created");
                return;
        }
        (void) fault_errno(&e->fault, r, "repository %s cannot be put in its place", e->id);
        errand_undo(e);
}

/* Unless it is somebody else's. */
static void unit_forgotten(void *arg, const struct task_end *end)
{
        struct errand *e = arg;

        e->task = NULL;
        if (end->fault) {
                e->fault = *end->fault;
                errand_fail(e);
        } else {
                start_making(e);
        }
}

void errand_made(struct errand *e, const struct task_end *task)
{
        const struct fault *fault = task->fault;

        e->task = NULL;
        if (!fault) {
                if (worker_run(e->daemon->worker, settle, settled, e) < 0)
                        errand_fail_oom(e);
                return;
        }
        e->started = fault->kind != FAULT_CONFLICT;
        if (!e->started && !e->tried_again) {
                e->tried_again = true;
                e->task = task_forget(e->daemon, e->unit, unit_forgotten, e);
                if (e->task)
                        return;
        }
        if (task->exit_code == CLD_EXITED && task->exit_status == EX_NOPERM)
                (void) fault_set(&e->fault, FAULT_DENIED, "url",
                                 "url: only hosts on the Internet may be cloned from (ClonePrivate=)");
        else if (task->exit_code == CLD_EXITED && task->exit_status == NO_CREDENTIAL)
                (void) fault_set(&e->fault, FAULT_FAILED, NULL, "repository %s was not created: %s cannot be read (CloneKey=)",
                                 e->id, e->daemon->config->clone_key ? e->daemon->config->clone_key : "the key");
        else if (e->deletion)
                say_canceled(e);
        else
                (void) fault_set(&e->fault, fault->kind, NULL, "repository %s was not created: %s%s", e->id, fault->text,
                                 task->lines);
        e->fault.retry_after = fault->retry_after;
        errand_undo(e);
}

static void made(void *arg, const struct task_end *task)
{
        errand_made(arg, task);
}

/* --- making it ------------------------------------------------------------------------------------------- */

static const char *protocols_of(const struct daemon *d, const char *url, char ret[static 32])
{
        static const struct {
                enum clone_scheme scheme;
                const char *name;
        } names[] = { { CLONE_HTTPS, "https" }, { CLONE_HTTP, "http" }, { CLONE_SSH, "ssh" }, { CLONE_GIT, "git" } };
        size_t n = 0;

        if (starts_with(url, FILE_SCHEME))
                return "file";
        ret[0] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (d->config->clone_schemes & names[i].scheme)
                        n += (size_t) snprintf(ret + n, 32 - n, "%s%s", n ? ":" : "", names[i].name);
        return ret;
}

/* What gear-git is told, and the strings that are made for it. */
struct order {
        const char *words[GIT_UNIT_WORDS_MAX];
        size_t n;
        char protocols[64], max_size[48], branch[300], description[300];
        const char *below; /* of ClonePaths=, where it is cloned from this host: no link in it leads anywhere else */
        const char *key;
};

static void add_word(struct order *o, const char *word)
{
        o->words[o->n++] = word;
        o->words[o->n] = NULL;
}

/* The configuration may be another one by now than when it was asked for. */
static int find_source(struct order *o, const struct errand *e, struct fault *f)
{
        const struct clone_rules rules = { .file_paths = e->daemon->config->clone_paths };
        struct clone_url read;
        int r = clone_url_check(e->url, "url", &rules, &read, f);

        o->below = r == 0 ? read.below : NULL;
        return r;
}

static int order_clone(struct order *o, const struct errand *e, struct fault *f)
{
        const struct config *config = e->daemon->config;
        char names[32];

        if (starts_with(e->url, FILE_SCHEME) && find_source(o, e, f) < 0)
                return -EACCES;
        if (starts_with(e->url, SSH_SCHEME))
                o->key = config->clone_key;
        (void) snprintf(o->protocols, sizeof o->protocols, "--protocols=%s", protocols_of(e->daemon, e->url, names));
        add_word(o, o->protocols);
        (void) snprintf(o->max_size, sizeof o->max_size, "--max-size=%zu", config->repository_max);
        add_word(o, o->max_size);
        if (!o->below && !config->clone_private)
                add_word(o, "--public-only");
        if (o->key)
                add_word(o, "--key=" GIT_UNIT_KEY);
        return 0;
}

static int write_order(struct order *o, const struct errand *e, struct fault *f)
{
        const struct config *config = e->daemon->config;

        if (e->url && order_clone(o, e, f) < 0)
                return -EACCES;
        (void) snprintf(o->branch, sizeof o->branch, "--branch=%s", e->branch ? e->branch : config->git_branch);
        add_word(o, o->branch);
        if (e->description) {
                (void) snprintf(o->description, sizeof o->description, "--description=%s", e->description);
                add_word(o, o->description);
        }
        if (config->git_reflog)
                add_word(o, "--reflog");
        if (!config->git_rewinds)
                add_word(o, "--no-rewinds");
        add_word(o, e->url ? "clone" : "create");
        add_word(o, GIT_UNIT_DIR);
        if (e->url)
                add_word(o, e->url);
        return 0;
}

static void start_task(struct errand *e, const struct setting *settings, size_t n)
{
        task_keep_no_longer(e->daemon, e->unit);
        e->started = true;
        e->task = task_start(e->daemon,
                             &(struct task_options){ .unit = e->unit,
                                                     .settings = settings,
                                                     .n_settings = n,
                                                     .request = e->request,
                                                     .to_the_last_line = e->url },
                             made, e);
        if (!e->task)
                errand_fail_oom(e);
}

static void start_in_sandbox(struct errand *e, const struct git_unit_options *options)
{
        struct git_unit unit;

        if (!git_unit_can_make(options->dir)) {
                (void) fault_set(&e->fault, FAULT_INTERNAL, NULL, "repositories can only be made where StateDirectory= is below /var/lib");
                errand_fail(e);
                return;
        }
        git_unit_init(&unit, e->daemon, options);
        start_task(e, unit.settings, unit.n);
}

static void start_in_container(struct errand *e, const struct git_unit_options *options)
{
        const char *request = e->request ? request_id(e->request) : "";
        struct git_container container;

        if (git_container_init(&container, e->daemon, e->base, request, options, &e->fault) < 0)
                errand_fail(e);
        else
                start_task(e, container.unit.settings, container.unit.n);
        git_container_reset(&container);
}

static void start_making(struct errand *e)
{
        struct order order = { .n = 0 };
        struct git_unit_options options;
        char dir[512];

        if (e->deletion) { /* while a former unit was in the way, say */
                fail_canceled(e);
                return;
        }
        repository_path(errand_root(e), e->id, REPOSITORY_NEW, dir, sizeof dir);
        if (write_order(&order, e, &e->fault) < 0) {
                errand_fail(e);
                return;
        }
        options = (struct git_unit_options){ .id = e->id,
                                             .dir = dir,
                                             .fresh = true,
                                             .kept = true,
                                             .network = e->url && !order.below,
                                             .source = order.below,
                                             .key = order.key,
                                             .words = order.words,
                                             .reads_nothing = !e->url,
                                             .input = -1,
                                             .output = -1 };
        if (e->base)
                start_in_container(e, &options);
        else
                start_in_sandbox(e, &options);
}

static void pull_progress(void *arg, const char *line)
{
        errand_progress(arg, line);
}

static bool is_of_setting(const struct fault *fault)
{
        return fault->kind == FAULT_MISSING || fault->kind == FAULT_INVALID || fault->kind == FAULT_DENIED;
}

/* Whoever asks for a repository has named no image, and can do nothing about one that is not to be had. */
static void image_is_there(void *arg, const struct docker_image *image _unused_, const struct fault *fault)
{
        struct errand *e = arg;

        e->get = NULL;
        if (!fault) {
                start_making(e);
                return;
        }
        (void) fault_set(&e->fault, is_of_setting(fault) ? FAULT_UPSTREAM : fault->kind, NULL,
                         "repository %s was not created: %s (GitImage=)", e->id, fault->text);
        e->fault.retry_after = fault->retry_after;
        errand_fail(e);
}

static void get_image(struct errand *e)
{
        e->get = image_get_start(e->daemon, &e->base->needs,
                                 &(struct image_get_hooks){ .progress = pull_progress, .done = image_is_there, .arg = e });
        if (!e->get)
                errand_fail_oom(e);
}

static void turn_comes(void *arg)
{
        struct errand *e = arg;

        errand_progress(e, e->url ? "Cloning" : "Creating");
        if (e->base)
                get_image(e);
        else
                start_making(e);
}

/* --- before its turn --------------------------------------------------------------------------------------- */

/* There is a whole one; what an earlier attempt could not take away; no container can be run, as e->fault says. */
enum { IS_THERE = 1, IS_LEFT, CANNOT };

static int look(void *arg)
{
        struct errand *e = arg;
        int r = repositories_prepare(errand_root(e));

        if (r == 0)
                r = repository_exists(errand_root(e), e->id) == 1 ? IS_THERE : repository_remove_empty(errand_root(e), e->id, REPOSITORY_NEW);
        if (r == 0 && e->base && git_base_look(e->base, &e->fault) < 0)
                return CANNOT;
        return r == -ENOTEMPTY || r == -EEXIST ? IS_LEFT : r;
}

static void looked(void *arg, int r)
{
        struct errand *e = arg;

        if (r == IS_THERE) {
                (void) fault_set(&e->fault, FAULT_CONFLICT, "id", "there is a repository %s already", e->id);
                errand_fail(e);
        } else if (r == IS_LEFT) {
                e->again = true;
                errand_start_emptying(e, REPOSITORY_NEW);
        } else if (r == CANNOT) {
                errand_fail(e);
        } else if (r < 0) {
                (void) fault_errno(&e->fault, r, "cannot look for repository %s", e->id);
                errand_fail(e);
        } else if (e->deletion) {
                fail_canceled(e);
        } else {
                errand_wait_for_turn(e, turn_comes);
        }
}

void errand_start_create(struct errand *e)
{
        if (worker_run(e->daemon->worker, look, looked, e) < 0)
                errand_fail_oom(e);
}
