/* SPDX-License-Identifier: Apache-2.0 */

#include "api/trust.h"

#include "daemon.h"
#include "sys/pathwatch.h"
#include "util/log.h"

#include <stdio.h>

/* Editors and key rotations touch several files at once. */
#define SETTLE_USEC (50 * USEC_PER_MSEC)
#define OUT_OF_MEMORY_USEC USEC_PER_SEC
#define GONE_MAX 256
#define OWN_KEY_CREDENTIAL "token-key"

/* One reading of all keys; the thread's alone until it is done. */
struct load {
        char *directory, *own_path; /* own_path may be NULL */
        struct keyring issuers, own;
        char **wrong; /* the name of a file, and why; in turn */
        bool short_of_memory;
        struct fault why, own_why; /* kind FAULT_NONE where all was well */
};

struct trust {
        struct daemon *daemon;
        void (*changing)(void *arg);
        void *arg;
        struct worker *worker;
        struct pathwatch *watch;
        struct timer *settle;
        bool settling;
        struct load *load; /* under way, … */
        bool again;        /* … and something has changed since it began: … */
        char **gone;       /* … these files went, … */
        bool stale;        /* … or so much that nobody knows which */
        struct keyring issuers, own;
};

/* --- in the thread -------------------------------------------------------------------------------- */

static void note_wrong(void *arg, const char *name, const char *why)
{
        struct load *l = arg;

        if (strv_add(&l->wrong, name) < 0 || strv_add(&l->wrong, why) < 0)
                l->short_of_memory = true;
}

static void read_keys(struct load *l)
{
        if (keyring_load(l->directory, note_wrong, l, &l->issuers, &l->why) == 0 && l->short_of_memory) {
                keyring_reset(&l->issuers);
                (void) fault_oom(&l->why);
        }
        if (l->own_path && access(l->own_path, F_OK) == 0)
                (void) keyring_load_own(l->own_path, &l->own, &l->own_why);
}

static int read_in_thread(void *arg)
{
        const struct trust *t = arg;

        read_keys(t->load);
        return 0;
}

/* --- on the loop ------------------------------------------------------------------------------------ */

static struct load *load_free(struct load *l)
{
        if (!l)
                return NULL;
        keyring_reset(&l->issuers);
        keyring_reset(&l->own);
        (void) strv_free(l->wrong);
        free(l->directory);
        free(l->own_path);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(struct load, load_free);

static struct load *load_new(const struct trust *t)
{
        _cleanup_(load_freep) struct load *l = calloc(1, sizeof *l);
        const char *credentials = getenv("CREDENTIALS_DIRECTORY");

        if (!l)
                return NULL;
        l->directory = strdup(t->daemon->config->keys_directory);
        if (!l->directory)
                return NULL;
        if (credentials && asprintf(&l->own_path, "%s/" OWN_KEY_CREDENTIAL, credentials) < 0) {
                l->own_path = NULL;
                return NULL;
        }
        return TAKE(l);
}

static void tell(const struct load *l)
{
        for (char **w = l->wrong; w && w[0] && w[1]; w += 2)
                log_error(LOG_FIELDS("GEARD_KEY_FILE", w[0]), "%s/%s is passed over: %s", l->directory, w[0],
                          w[1]);
        if (l->why.kind != FAULT_NONE)
                log_error(NO_FIELDS, "%s; no signed token is accepted", l->why.text);
        if (l->own_why.kind != FAULT_NONE)
                log_error(NO_FIELDS,
                          "the credential `" OWN_KEY_CREDENTIAL
                          "' is no key: %s; encrypted tokens are refused",
                          l->own_why.text);
        log_info(NO_FIELDS, "keys that may sign tokens: %zu%s", l->issuers.n_keys,
                 l->own.n_keys ? "; tokens may be encrypted" : "");
}

/* Keys that can no longer be read are keys that nobody can take away: they do not count. */
static void take_over(struct trust *t, struct load *l)
{
        t->changing(t->arg);
        keyring_reset(&t->issuers);
        keyring_reset(&t->own);
        t->issuers = l->issuers;
        t->own = l->own;
        tell(l);
        l->issuers = l->own = (struct keyring){ 0 };
}

/* A timer that every change sets anew would never fire while they go on. */
static void read_soon(struct trust *t, uint64_t usec)
{
        if (t->settling)
                return;
        t->settling = true;
        timer_set(t->settle, usec);
}

static void loaded(void *arg, int r _unused_)
{
        struct trust *t = arg;
        _cleanup_(load_freep) struct load *l = TAKE(t->load);

        for (char **file = t->gone; file && *file; file++)
                keyring_drop(&l->issuers, *file);
        if (!t->stale)
                take_over(t, l);
        if (t->again)
                read_soon(t, SETTLE_USEC);
        t->again = t->stale = false;
        t->gone = strv_free(t->gone);
}

static void begin(struct trust *t)
{
        if (t->load) {
                t->again = true;
                return;
        }
        t->load = load_new(t);
        if (t->load && worker_run(t->worker, read_in_thread, loaded, t) == 0)
                return;
        t->load = load_free(t->load);
        log_error(NO_FIELDS, "out of memory: the keys are read later");
        read_soon(t, OUT_OF_MEMORY_USEC);
}

static void settled(void *arg)
{
        struct trust *t = arg;

        t->settling = false;
        begin(t);
}

/*
 * The reading under way may have come by before it went.  Only what went is
 * taken off it: reading all of it again would never end in a busy folder.
 */
static void drop(struct trust *t, const char *file)
{
        t->changing(t->arg);
        if (file)
                keyring_drop(&t->issuers, file);
        else
                keyring_reset(&t->issuers);
        if (t->load && (!file || strv_len(t->gone) >= GONE_MAX || strv_add(&t->gone, file) < 0))
                t->stale = true;
}

static void directory_changed(void *arg, const char *name, bool gone)
{
        struct trust *t = arg;

        if (gone)
                drop(t, name);
        if (t->load)
                t->again = true;
        else
                read_soon(t, SETTLE_USEC);
}

void trust_reload(struct trust *t)
{
        begin(t);
}

static void watch_directory(struct trust *t)
{
        const char *path = t->daemon->config->keys_directory;
        int r = pathwatch_new(t->daemon->loop, path, directory_changed, t, &t->watch);

        if (r < 0)
                log_warning(NO_FIELDS, "cannot watch %s (%s): changes count after a reload of geard", path,
                            strerror(-r));
}

/* Whoever calls finds the keys read: nothing that could be held up runs yet. */
static int read_first(struct trust *t)
{
        _cleanup_(load_freep) struct load *l = load_new(t);

        if (!l)
                return -ENOMEM;
        read_keys(l);
        take_over(t, l);
        return 0;
}

struct trust *trust_new(struct daemon *d, void (*changing)(void *arg), void *arg)
{
        struct trust *t = calloc(1, sizeof *t);

        if (!t)
                return NULL;
        *t = (struct trust){ .daemon = d, .changing = changing, .arg = arg };
        t->worker = worker_new(d->loop);
        t->settle = timer_new(d->loop, settled, t);
        if (!t->worker || !t->settle)
                return trust_free(t);
        watch_directory(t);
        return read_first(t) < 0 ? trust_free(t) : t;
}

struct trust *trust_free(struct trust *t)
{
        if (!t)
                return NULL;
        t->watch = pathwatch_free(t->watch);
        t->settle = timer_free(t->settle);
        t->worker = worker_free(t->worker);
        t->load = load_free(t->load);
        (void) strv_free(t->gone);
        keyring_reset(&t->issuers);
        keyring_reset(&t->own);
        free(t);
        return NULL;
}

const struct keyring *trust_issuers(const struct trust *t)
{
        return &t->issuers;
}

const struct keyring *trust_own(const struct trust *t)
{
        return &t->own;
}
