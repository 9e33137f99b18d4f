/* SPDX-License-Identifier: Apache-2.0 */

/* The short questions to the Docker Engine: one request, one answer. */

#include "build-config.h"

#include "sys/docker-internal.h"
#include "sys/docker-json.h"
#include "sys/split.h"

#define LOOK_USEC (10 * USEC_PER_SEC)
#define REMOVE_USEC (30 * USEC_PER_SEC)

static struct docker_op *op_new(const char *method, uint64_t total_usec,
                                void (*answered)(struct docker_op *, const struct fetch_answer *,
                                                 const struct fault *),
                                void *arg)
{
        struct docker_op *op = calloc(1, sizeof *op);

        if (op)
                *op = (struct docker_op){
                        .method = method, .total_usec = total_usec, .answered = answered, .arg = arg
                };
        return op;
}

/* The engine's JSON. NULL with *fault pointing at what is wrong with it. */
static struct json *parse_answer(const struct fetch_answer *answer, struct fault *store,
                                 const struct fault **fault)
{
        struct json *v = json_parse_trusted(answer->body, answer->len, "the Docker engine's answer", store);

        if (!v)
                *fault = store;
        return v;
}

/* --- one container, one image, one network -------------------------------- */

static void on_inspected(struct docker_op *op, const struct fetch_answer *answer, const struct fault *fault)
{
        struct fault unreadable;
        _cleanup_(json_freep) struct json *v = fault ? NULL : parse_answer(answer, &unreadable, &fault);
        struct docker_container c;

        if (v)
                docker_read_inspected(v, &c);
        op->user.inspected(op->arg, v ? &c : NULL, fault);
}

struct docker_op *docker_inspect(struct docker *d, const char *name, docker_inspected *done, void *arg)
{
        _cleanup_(docker_op_freep) struct docker_op *op = op_new("GET", LOOK_USEC, on_inspected, arg);
        _cleanup_text_ struct text path = { 0 };

        if (!op)
                return NULL;
        op->user.inspected = done;
        text_add(&path, "/containers/");
        docker_escape(&path, name, "");
        text_add(&path, "/json");
        return docker_op_start(d, TAKE(op), &path);
}

static void on_image(struct docker_op *op, const struct fetch_answer *answer, const struct fault *fault)
{
        struct fault unreadable;
        _cleanup_(json_freep) struct json *v = fault ? NULL : parse_answer(answer, &unreadable, &fault);
        struct docker_image image;

        if (v)
                docker_read_image(v, &image);
        op->user.image_found(op->arg, v ? &image : NULL, fault);
}

struct docker_op *docker_inspect_image(struct docker *d, const char *reference, docker_image_found *done,
                                       void *arg)
{
        _cleanup_(docker_op_freep) struct docker_op *op = op_new("GET", LOOK_USEC, on_image, arg);
        _cleanup_text_ struct text path = { 0 };

        if (!op)
                return NULL;
        op->user.image_found = done;
        text_add(&path, "/images/");
        docker_escape(&path, reference, "/:@");
        text_add(&path, "/json");
        return docker_op_start(d, TAKE(op), &path);
}

static void on_network(struct docker_op *op, _unused_ const struct fetch_answer *answer, const struct fault *fault)
{
        op->user.done(op->arg, fault);
}

struct docker_op *docker_find_network(struct docker *d, const char *name, docker_done *done, void *arg)
{
        _cleanup_(docker_op_freep) struct docker_op *op = op_new("GET", LOOK_USEC, on_network, arg);
        _cleanup_text_ struct text path = { 0 };

        if (!op)
                return NULL;
        op->user.done = done;
        text_add(&path, "/networks/");
        docker_escape(&path, name, "");
        return docker_op_start(d, TAKE(op), &path);
}

/* --- lists ---------------------------------------------------------------- */

/*
 * The containers are read one by one as they come: thousands of them, parsed
 * at once, would hold the loop and leave the heap torn.
 */
struct list {
        struct docker_op op;
        struct element_splitter elements;
        struct docker_container *found;
        size_t n, room;
};

static struct list *list_of(struct docker_op *op)
{
        return container_of(op, struct list, op);
}

static void list_destroy(struct docker_op *op)
{
        text_reset(&list_of(op)->elements.held);
        free(list_of(op)->found);
}

static bool take_container(void *arg, const char *bytes, size_t len)
{
        struct list *list = arg;
        struct fault ignored;
        _cleanup_(json_freep) struct json *v = json_parse_trusted(bytes, len, "container", &ignored);

        if (!v)
                return false;
        if (list->n == list->room) {
                size_t room = list->room ? list->room * 2 : 64;
                struct docker_container *found = reallocarray(list->found, room, sizeof *found);

                if (!found)
                        return false;
                list->found = found;
                list->room = room;
        }
        docker_read_listed(v, &list->found[list->n++]);
        return true;
}

static bool on_list_bytes(struct docker_op *op, const char *bytes, size_t len)
{
        struct list *list = list_of(op);

        return elements_feed(&list->elements, bytes, len, take_container, list) == 0;
}

static void on_listed(struct docker_op *op, _unused_ const struct fetch_answer *answer,
                      const struct fault *fault)
{
        struct list *list = list_of(op);
        struct fault torn;

        if (!fault && !list->elements.ended) {
                (void) fault_set(&torn, FAULT_UPSTREAM, NULL, "the Docker engine's list is not complete");
                fault = &torn;
        }
        op->user.listed(op->arg, fault ? NULL : list->found, fault ? 0 : list->n, fault);
}

struct docker_op *docker_list(struct docker *d, docker_listed *done, void *arg)
{
        struct list *list = calloc(1, sizeof *list);
        _cleanup_text_ struct text path = { 0 };

        if (!list)
                return NULL;
        *list = (struct list){ .op = { .method = "GET",
                                       .total_usec = LOOK_USEC,
                                       .piece = on_list_bytes,
                                       .answered = on_listed,
                                       .destroy = list_destroy,
                                       .user.listed = done,
                                       .arg = arg },
                               .elements.max = DOCKER_ANSWER_MAX };
        text_add(&path, "/containers/json?all=1&filters=");
        docker_escape(&path, "{\"label\":[\"" DOCKER_LABEL_ID "\"]}", "");
        return docker_op_start(d, &list->op, &path);
}

static int collect_names(const struct json *volumes, char ***names)
{
        size_t n = volumes && json_is_array(volumes) ? json_array_len(volumes) : 0;

        for (size_t i = 0; i < n; i++) {
                const char *name = docker_string(json_array_at(volumes, i), "Name");

                if (name && strv_add(names, name) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static void on_volumes(struct docker_op *op, const struct fetch_answer *answer, const struct fault *fault)
{
        struct fault trouble;
        _cleanup_(json_freep) struct json *v = fault ? NULL : parse_answer(answer, &trouble, &fault);
        _cleanup_strv_ char **names = NULL;

        if (v && json_is_object(v) && collect_names(json_member(v, "Volumes"), &names) < 0) {
                (void) fault_oom(&trouble);
                fault = &trouble;
        }
        op->user.volumes_listed(op->arg, fault ? NULL : names, fault);
}

struct docker_op *docker_list_volumes(struct docker *d, const char *gear, docker_volumes_listed *done,
                                      void *arg)
{
        _cleanup_(docker_op_freep) struct docker_op *op = op_new("GET", LOOK_USEC, on_volumes, arg);
        _cleanup_text_ struct text path = { 0 }, label = { 0 }, filters = { 0 };

        if (!op)
                return NULL;
        op->user.volumes_listed = done;
        text_addf(&label, DOCKER_LABEL_ID "=%s", gear);
        text_add(&filters, "{\"label\":[");
        json_out(&filters, text_ok(&label) ? label.data : "");
        text_add(&filters, "]}");
        if (!text_ok(&label) || !text_ok(&filters))
                return NULL;
        text_add(&path, "/volumes?filters=");
        docker_escape(&path, filters.data, "");
        return docker_op_start(d, TAKE(op), &path);
}

/* --- removal -------------------------------------------------------------- */

static void on_removed(struct docker_op *op, _unused_ const struct fetch_answer *answer,
                       const struct fault *fault)
{
        op->user.done(op->arg, fault && fault->kind == FAULT_MISSING ? NULL : fault);
}

/* A container started with --rm may be on its way out already. */
static bool is_being_removed(const struct docker_op *op, const struct fault *fault)
{
        return fault->kind == FAULT_CONFLICT && strstr(fault->text, "already in progress") &&
               now_usec() < op->give_up_usec;
}

static struct docker_op *start_removal(struct docker *d, const char *collection, const char *name,
                                       const char *query, docker_done *done, void *arg)
{
        _cleanup_(docker_op_freep) struct docker_op *op = op_new("DELETE", REMOVE_USEC, on_removed, arg);
        _cleanup_text_ struct text path = { 0 };

        if (!op)
                return NULL;
        op->user.done = done;
        op->again = is_being_removed;
        op->give_up_usec = now_usec() + REMOVE_USEC;
        text_add(&path, collection);
        docker_escape(&path, name, "");
        text_add(&path, query);
        return docker_op_start(d, TAKE(op), &path);
}

struct docker_op *docker_remove(struct docker *d, const char *name, docker_done *done, void *arg)
{
        return start_removal(d, "/containers/", name, "?force=1&v=1", done, arg);
}

struct docker_op *docker_remove_volume(struct docker *d, const char *name, docker_done *done, void *arg)
{
        return start_removal(d, "/volumes/", name, "", done, arg);
}
