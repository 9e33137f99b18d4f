/* SPDX-License-Identifier: Apache-2.0 */

#include "api/volumes.h"

static void note(struct volume_removal *v, const struct fault *fault)
{
        if (v->failed)
                return;
        v->failed = true;
        v->first = *fault;
}

static void finish(struct volume_removal *v)
{
        struct fault first = v->first;

        v->names = strv_free(v->names);
        v->done(v->work, v->failed ? &first : NULL);
}

static bool is_kept(const struct volume_removal *v, const char *name)
{
        for (char *const *kept = v->keep; kept && *kept; kept++)
                if (streq(*kept, name))
                        return true;
        return false;
}

static void remove_next(struct volume_removal *v);

static void removed(void *arg, const struct fault *fault)
{
        struct volume_removal *v = arg;

        v->work->docker = NULL;
        if (fault && fault->kind != FAULT_MISSING)
                note(v, fault);
        remove_next(v);
}

static void remove_next(struct volume_removal *v)
{
        struct work *w = v->work;

        while (v->names && v->names[v->next]) {
                const char *name = v->names[v->next++];
                struct fault f;

                if (is_kept(v, name))
                        continue;
                w->docker = docker_remove_volume(w->daemon->docker, name, removed, v);
                if (w->docker)
                        return;
                (void) fault_oom(&f);
                note(v, &f);
        }
        finish(v);
}

static void listed(void *arg, char *const *names, const struct fault *fault)
{
        struct volume_removal *v = arg;
        struct fault f;

        v->work->docker = NULL;
        if (fault) {
                note(v, fault);
        } else {
                v->names = strv_copy(names);
                if (names && *names && !v->names) {
                        (void) fault_oom(&f);
                        note(v, &f);
                }
        }
        remove_next(v);
}

int volumes_remove(struct volume_removal *v, struct work *w, char *const *keep, volumes_removed *done)
{
        *v = (struct volume_removal){ .work = w, .keep = keep, .done = done };
        w->docker = docker_list_volumes(w->daemon->docker, w->id, listed, v);
        return w->docker ? 0 : -ENOMEM;
}
