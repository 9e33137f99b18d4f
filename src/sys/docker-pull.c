/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Pulling an image: one long answer of progress lines, whose last one may be
 * the error that the status, sent long before, could not tell.
 */

#include "build-config.h"

#include "sys/docker-internal.h"
#include "sys/docker-json.h"
#include "sys/split.h"

#include <stdio.h>

#define REPORT_EVERY_USEC (200 * USEC_PER_MSEC)
#define LINE_MAX_BYTES ((size_t) 1 << 20)
#define LAYERS_MAX 256 /* the engine's own limit is 127 */
#define MESSAGE_MAX 512

struct layer {
        char id[65];
        uint64_t current, total;
};

struct pull {
        struct docker_op op;
        char *reference;
        char *header;
        struct line_splitter lines;
        struct layer *layers;
        size_t n_layers;
        char status[128];
        char error[MESSAGE_MAX];
        struct timer *report_timer;
        bool report_due;
        uint64_t reported_usec;
        void (*progress)(void *arg, const struct docker_progress *p);
};

static struct pull *pull_of(struct docker_op *op)
{
        return container_of(op, struct pull, op);
}

static void pull_destroy(struct docker_op *op)
{
        struct pull *p = pull_of(op);

        (void) timer_free(p->report_timer);
        text_reset(&p->lines.held);
        free(p->layers);
        free(p->header);
        free(p->reference);
}

/* --- progress ------------------------------------------------------------- */

/* From a timer, not from the stream, so that the callee may cancel us. */
static void report(void *arg)
{
        struct pull *p = arg;
        struct docker_progress progress = { .text = p->status };

        for (size_t i = 0; i < p->n_layers; i++) {
                progress.current += p->layers[i].current;
                progress.total += p->layers[i].total;
        }
        p->report_due = false;
        p->reported_usec = now_usec();
        p->progress(p->op.arg, &progress);
}

static void report_soon(struct pull *p)
{
        uint64_t since = now_usec() - p->reported_usec;

        if (p->report_due || !p->progress)
                return;
        p->report_due = true;
        timer_set(p->report_timer, since < REPORT_EVERY_USEC ? REPORT_EVERY_USEC - since : 0);
}

static struct layer *find_layer(struct pull *p, const char *id)
{
        struct layer *layers;

        for (size_t i = 0; i < p->n_layers; i++)
                if (streq(p->layers[i].id, id))
                        return &p->layers[i];
        if (p->n_layers == LAYERS_MAX)
                return NULL;
        layers = reallocarray(p->layers, p->n_layers + 1, sizeof *layers);
        if (!layers)
                return NULL;
        p->layers = layers;
        layers += p->n_layers++;
        *layers = (struct layer){ 0 };
        docker_clean(layers->id, sizeof layers->id, id);
        return layers;
}

/* Downloads alone are counted: they are the slow part, and extracting would count every byte twice. */
static void note_layer(struct pull *p, const struct docker_pull_line *line)
{
        bool loading = streq(line->text, "Downloading");
        struct layer *layer = loading || line->total > 0 || streq(line->text, "Download complete") ||
                                              streq(line->text, "Pull complete")
                                      ? find_layer(p, line->layer)
                                      : NULL;

        if (!layer)
                return;
        if (line->total > layer->total)
                layer->total = line->total;
        layer->current = loading ? line->current : layer->total;
}

static bool take_line(void *arg, const char *bytes, size_t len)
{
        struct pull *p = arg;
        struct fault ignored;
        _cleanup_(json_freep) struct json *v = json_parse_trusted(bytes, len, "progress", &ignored);
        struct docker_pull_line line;

        if (!v)
                return true;
        docker_read_pull_line(v, &line);
        if (line.error)
                docker_clean(p->error, sizeof p->error, line.error);
        if (*line.text)
                docker_clean(p->status, sizeof p->status, line.text);
        if (line.layer)
                note_layer(p, &line);
        report_soon(p);
        return true;
}

static bool on_bytes(struct docker_op *op, const char *bytes, size_t len)
{
        struct pull *p = pull_of(op);

        return lines_feed(&p->lines, bytes, len, take_line, p) >= 0;
}

/* --- how it ended --------------------------------------------------------- */

static bool says(const char *message, const char *const *phrases)
{
        for (; *phrases; phrases++)
                if (strcasestr(message, *phrases))
                        return true;
        return false;
}

/* The engine tells its reasons in words only, and passes on those of the registry. */
static enum fault_kind kind_of_message(const char *message)
{
        static const char *const full[] = { "no space left", "disk quota exceeded", NULL };
        static const char *const unreachable[] = { "dial tcp", "no such host",      "connection refused",
                                                   "timeout",  "deadline exceeded", NULL };
        static const char *const missing[] = { "manifest unknown",   "not found",    "does not exist",
                                               "pull access denied", "name unknown", NULL };

        if (says(message, full))
                return FAULT_NO_SPACE;
        if (says(message, unreachable))
                return FAULT_UPSTREAM;
        return says(message, missing) ? FAULT_MISSING : FAULT_UPSTREAM;
}

/* False where there is none. */
static bool fault_of_pull(const struct pull *p, const struct fetch_answer *answer, const struct fault *fault,
                          struct fault *ret)
{
        bool refused = fault && answer && !answer->error;

        if (*p->error)
                (void) fault_set(ret, kind_of_message(p->error), "image", "image %s: %s", p->reference,
                                 p->error);
        else if (refused && fault->kind == FAULT_INVALID)
                (void) fault_set(ret, FAULT_INVALID, "image", "image %s: %s", p->reference, fault->text);
        else if (refused)
                (void) fault_set(ret, kind_of_message(fault->text), "image", "image %s: %s", p->reference,
                                 fault->text);
        else if (fault && fault->kind == FAULT_TIMEOUT)
                (void) fault_set(ret, FAULT_TIMEOUT, "image", "image %s: the pull made no progress for %u s",
                                 p->reference, (unsigned) (p->op.silence_usec / USEC_PER_SEC));
        else if (fault)
                *ret = *fault;
        return *p->error || fault;
}

static void on_pulled(struct docker_op *op, const struct fetch_answer *answer, const struct fault *fault)
{
        struct pull *p = pull_of(op);
        struct fault own;

        timer_stop(p->report_timer);
        op->user.done(op->arg, fault_of_pull(p, answer, fault, &own) ? &own : NULL);
}

/* --- starting ------------------------------------------------------------- */

/* Without a tag the engine would pull every tag there is. */
static void add_query(struct text *path, const char *reference)
{
        const char *slash = strrchr(reference, '/');
        const char *digest = strchr(reference, '@');
        const char *tag = strchr(slash ? slash : reference, ':');
        const char *end = tag && (!digest || tag < digest) ? tag : digest;
        _cleanup_free_ char *name = end ? strndup(reference, (size_t) (end - reference)) : strdup(reference);

        text_add(path, "/images/create?fromImage=");
        if (name)
                docker_escape(path, name, "");
        else
                path->failed = true;
        text_add(path, "&tag=");
        docker_escape(path, digest ? digest + 1 : tag ? tag + 1 : "latest", "");
}

static struct pull *pull_new(struct docker *d, const char *reference, const char *auth)
{
        struct pull *p = calloc(1, sizeof *p);
        _cleanup_(docker_op_freep) struct docker_op *op = p ? &p->op : NULL;

        if (!p)
                return NULL;
        op->destroy = pull_destroy;
        p->lines.max = LINE_MAX_BYTES;
        p->reference = strdup(reference);
        p->report_timer = timer_new(docker_loop(d), report, p);
        if (!p->reference || !p->report_timer ||
            (auth && asprintf(&p->header, "X-Registry-Auth: %s", auth) < 0))
                return NULL;
        (void) TAKE(op);
        return p;
}

struct docker_op *docker_pull(struct docker *d, const char *reference, const char *auth,
                              uint64_t silence_usec,
                              void (*progress)(void *arg, const struct docker_progress *p),
                              docker_done *done, void *arg)
{
        struct pull *p = pull_new(d, reference, auth);
        _cleanup_text_ struct text path = { 0 };

        if (!p)
                return NULL;
        p->progress = progress;
        p->op.method = "POST";
        p->op.header = p->header;
        p->op.silence_usec = silence_usec;
        p->op.piece = on_bytes;
        p->op.answered = on_pulled;
        p->op.user.done = done;
        p->op.arg = arg;
        add_query(&path, reference);
        return docker_op_start(d, &p->op, &path);
}
