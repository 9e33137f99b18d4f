/* SPDX-License-Identifier: Apache-2.0 */

#include "api/image-get.h"

#include "api/registry.h"

#include <stdio.h>

struct image_get {
        struct daemon *daemon;
        const struct spec *spec;
        struct image_get_hooks hooks;
        struct docker_op *op;
};

struct image_get *image_get_cancel(struct image_get *get)
{
        if (get) {
                get->op = docker_cancel(get->op);
                free(get);
        }
        return NULL;
}

static void finish(struct image_get *get, const struct docker_image *image, const struct fault *fault)
{
        const struct image_get_hooks hooks = get->hooks;
        struct fault copy;

        if (fault) /* it may be of what is cancelled now */
                copy = *fault;
        (void) image_get_cancel(get);
        hooks.done(hooks.arg, fault ? NULL : image, fault ? &copy : NULL);
}

/* Takes the operation that is begun, or else ends with what is left to say. */
static void await(struct image_get *get, struct docker_op *op)
{
        struct fault f;

        get->op = op;
        if (op)
                return;
        (void) fault_oom(&f);
        finish(get, NULL, &f);
}

/* --- the image -------------------------------------------------------------------------------------------- */

static void pull_progress(void *arg, const struct docker_progress *p)
{
        struct image_get *get = arg;
        char line[512];

        if (p->total)
                (void) snprintf(line, sizeof line, "Pulling %s: %s, %u%%", get->spec->image, p->text,
                                (unsigned) (p->current * 100 / p->total));
        else
                (void) snprintf(line, sizeof line, "Pulling %s: %s", get->spec->image, p->text);
        get->hooks.progress(get->hooks.arg, line);
}

static void pulled(void *arg, const struct fault *fault)
{
        struct image_get *get = arg;
        struct fault f;

        get->op = NULL;
        if (fault && fault->kind == FAULT_UPSTREAM && get->spec->pull == PULL_MISSING) {
                /* Whoever is to blame, what the client learns is that there is no such image to be had. */
                (void) fault_set(&f, FAULT_MISSING, "image", "image: %s is not on this host and cannot be pulled: %s",
                                 get->spec->image, fault->text);
                fault = &f;
        }
        finish(get, NULL, fault);
}

static void pull(struct image_get *get)
{
        struct daemon *d = get->daemon;
        _cleanup_free_ char *auth = NULL;
        char line[512];
        struct fault f;

        if (registry_auth(get->spec->image, &auth, &f) < 0) {
                finish(get, NULL, &f);
                return;
        }
        (void) snprintf(line, sizeof line, "Pulling %s", get->spec->image);
        get->hooks.progress(get->hooks.arg, line);
        await(get, docker_pull(d->docker, get->spec->image, auth, d->config->pull_silence_usec, pull_progress, pulled, get));
}

static void image_answered(void *arg, const struct docker_image *image, const struct fault *fault)
{
        struct image_get *get = arg;
        bool missing = fault && fault->kind == FAULT_MISSING;
        struct fault f;

        get->op = NULL;
        if ((missing && get->spec->pull != PULL_NEVER) || (!fault && get->spec->pull == PULL_ALWAYS)) {
                pull(get);
        } else if (missing) {
                (void) fault_set(&f, FAULT_MISSING, "image", "image: %s is not on this host, and pull is `never'",
                                 get->spec->image);
                finish(get, NULL, &f);
        } else {
                finish(get, image, fault);
        }
}

static struct docker_op *ask_image(struct image_get *get)
{
        return docker_inspect_image(get->daemon->docker, get->spec->image, image_answered, get);
}

/* --- the network ------------------------------------------------------------------------------------------ */

static void network_answered(void *arg, const struct fault *fault)
{
        struct image_get *get = arg;
        struct fault f;

        get->op = NULL;
        if (fault && fault->kind == FAULT_MISSING) {
                (void) fault_set(&f, FAULT_MISSING, "network", "network: %s is not a network of this host",
                                 get->spec->network);
                fault = &f;
        }
        if (fault)
                finish(get, NULL, fault);
        else
                await(get, ask_image(get));
}

/* One of the engine's own is always there; `default' is a word for one. */
static bool network_is_made(const char *name)
{
        return name && !streq(name, "host") && !streq(name, "none") && !streq(name, "default");
}

struct image_get *image_get_start(struct daemon *d, const struct spec *spec, const struct image_get_hooks *hooks)
{
        struct image_get *get = calloc(1, sizeof *get);

        if (!get)
                return NULL;
        *get = (struct image_get){ .daemon = d, .spec = spec, .hooks = *hooks };
        get->op = network_is_made(spec->network)
                          ? docker_find_network(d->docker, spec->network, network_answered, get)
                          : ask_image(get);
        return get->op ? get : image_get_cancel(get);
}
