/* SPDX-License-Identifier: Apache-2.0 */

/* Life, signals and questions; batches and jobs have files of their own. */

#include "sys/systemd.h"

#include "sys/systemd-op.h"
#include "sys/unit-change.h"
#include "util/text.h"

#include <stdio.h>

#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define RETRY_AFTER_SEC 2

/* --- operations --------------------------------------------------------------------- */

struct systemd_op *op_new(struct systemd *s, struct systemd_ops *on, const char *name, void *arg)
{
        struct systemd_op *op = calloc(1, sizeof *op);

        if (!op)
                return NULL;
        *op = (struct systemd_op){ .systemd = s, .on = on, .arg = arg, .started_usec = now_usec() };
        op->name = strdup(name);
        if (!op->name)
                return (free(op), NULL);
        TAILQ_INSERT_TAIL(on, op, link);
        return op;
}

struct systemd_op *systemd_cancel(struct systemd_op *op)
{
        if (!op)
                return NULL;
        TAILQ_REMOVE(op->on, op, link);
        op->call = bus_call_cancel(op->call);
        free(op->name);
        free(op->job_path);
        free(op);
        return NULL;
}

void op_move(struct systemd_op *op, struct systemd_ops *to)
{
        TAILQ_REMOVE(op->on, op, link);
        op->on = to;
        TAILQ_INSERT_TAIL(to, op, link);
}

const struct fault *bus_fault(const char *error, const char *text, struct fault *f)
{
        if (!error)
                return NULL;
        if (streq(error, BUS_LOST)) {
                (void) fault_set(f, FAULT_AWAY, NULL, "systemd's bus is not reachable, try again later");
                f->retry_after = RETRY_AFTER_SEC;
        } else if (streq(error, BUS_TIMEOUT)) {
                (void) fault_set(f, FAULT_TIMEOUT, NULL, "systemd did not answer in time");
        } else if (strstr(error, "UnitExists")) {
                (void) fault_set(f, FAULT_CONFLICT, NULL, "systemd: %s", text ? text : error);
        } else if (strstr(error, "NoSuchUnit") || strstr(error, "LoadFailed")) {
                (void) fault_set(f, FAULT_MISSING, NULL, "systemd: %s", text ? text : error);
        } else if (strstr(error, "NoSpace") || (text && strstr(text, "No space left"))) {
                (void) fault_set(f, FAULT_NO_SPACE, NULL, "systemd: %s", text ? text : error);
        } else {
                (void) fault_set(f, FAULT_UPSTREAM, NULL, "systemd: %s", text ? text : error);
        }
        return f;
}

void op_finish(struct systemd_op *op, const struct fault *fault)
{
        systemd_done *done = op->done;
        void *arg = op->arg;

        op->call = NULL;
        (void) systemd_cancel(op);
        done(arg, fault);
}

int fill_strings(sd_bus_message *m, const void *arg)
{
        int r = 0;

        for (const char *const *s = arg; r >= 0 && *s; s++)
                r = sd_bus_message_append(m, "s", *s);
        return r;
}

/* --- questions ------------------------------------------------------------------------ */

struct bus_call *ask_unit(struct systemd_op *op, const char *member, const char *const *strings, bus_done *done)
{
        char path[UNIT_PATH_MAX];

        if (!unit_path_of(op->name, path))
                return NULL;
        return bus_call(op->systemd->bus,
                        &(struct bus_call_options){ .path = path,
                                                    .interface = PROPERTIES_INTERFACE,
                                                    .member = member,
                                                    .timeout_usec = CALL_USEC,
                                                    .fill = fill_strings,
                                                    .fill_arg = strings },
                        done, op);
}

static struct systemd_op *started_or_freed(struct systemd_op *op)
{
        return op->call ? op : systemd_cancel(op);
}

static void needs_reload_answered(void *arg, sd_bus_message *reply, const char *error, const char *text)
{
        struct systemd_op *op = arg;
        systemd_flag *done = op->flag_done;
        void *done_arg = op->arg;
        struct fault f;
        const struct fault *fault = bus_fault(error, text, &f);
        int stale = 0;

        if (!fault && sd_bus_message_read(reply, "v", "b", &stale) < 0) {
                (void) fault_set(&f, FAULT_UPSTREAM, NULL, "systemd answered something unreadable");
                fault = &f;
        }
        op->call = NULL;
        (void) systemd_cancel(op);
        done(done_arg, stale, fault);
}

struct systemd_op *systemd_needs_reload(struct systemd *s, const char *unit, systemd_flag *done, void *arg)
{
        struct systemd_op *op = op_new(s, &s->questions, unit, arg);

        if (!op)
                return NULL;
        op->flag_done = done;
        op->call = ask_unit(op, "Get", (const char *const[]){ UNIT_INTERFACE, "NeedDaemonReload", NULL },
                            needs_reload_answered);
        return started_or_freed(op);
}

static void ask_answered(void *arg, sd_bus_message *reply, const char *error, const char *text)
{
        struct systemd_op *op = arg;
        systemd_told *done = op->told;
        void *done_arg = op->arg;
        _cleanup_free_ char *name = TAKE(op->name);
        struct unit_change change = { .unit = name };
        struct fault f;
        const struct fault *fault = bus_fault(error, text, &f);

        if (!fault && unit_change_read(reply, &change) < 0) {
                (void) fault_set(&f, FAULT_UPSTREAM, NULL, "systemd answered something unreadable");
                fault = &f;
        }
        op->call = NULL;
        (void) systemd_cancel(op);
        done(done_arg, fault ? NULL : &change, fault);
}

struct systemd_op *systemd_ask(struct systemd *s, const char *unit, systemd_told *done, void *arg)
{
        struct systemd_op *op = op_new(s, &s->questions, unit, arg);

        if (!op)
                return NULL;
        op->told = done;
        op->call = ask_unit(op, "GetAll", (const char *const[]){ "", NULL }, ask_answered);
        return started_or_freed(op);
}

static int read_listing(sd_bus_message *reply, struct unit_change **ret, size_t *ret_n)
{
        _cleanup_free_ struct unit_change *units = NULL;
        size_t n = 0, size = 0;
        int r;

        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "(ssssssouso)");
        while (r >= 0) {
                if (n == size) {
                        size = size ? 2 * size : 64;
                        struct unit_change *more = realloc(units, size * sizeof *units);
                        if (!more)
                                return -ENOMEM;
                        units = more;
                }
                r = unit_change_read_listed(reply, &units[n]);
                if (r <= 0)
                        break;
                n++;
        }
        if (r < 0)
                return r;
        *ret = TAKE(units);
        *ret_n = n;
        return 0;
}

static void list_answered(void *arg, sd_bus_message *reply, const char *error, const char *text)
{
        struct systemd_op *op = arg;
        systemd_listed *done = op->listed;
        void *done_arg = op->arg;
        _cleanup_free_ struct unit_change *units = NULL;
        struct fault f;
        const struct fault *fault = bus_fault(error, text, &f);
        size_t n = 0;

        if (!fault && read_listing(reply, &units, &n) < 0) {
                (void) fault_set(&f, FAULT_UPSTREAM, NULL, "systemd answered something unreadable");
                fault = &f;
        }
        op->call = NULL;
        (void) systemd_cancel(op);
        done(done_arg, units, n, fault);
}

static int fill_pattern(sd_bus_message *m, const void *arg)
{
        const char *pattern = arg;

        return sd_bus_message_append(m, "asas", 0, 1, pattern);
}

struct systemd_op *systemd_list(struct systemd *s, const char *pattern, systemd_listed *done, void *arg)
{
        struct systemd_op *op = op_new(s, &s->questions, pattern, arg);

        if (!op)
                return NULL;
        op->listed = done;
        op->call = bus_call(s->bus,
                            &(struct bus_call_options){ .path = MANAGER_PATH,
                                                        .interface = MANAGER_INTERFACE,
                                                        .member = "ListUnitsByPatterns",
                                                        .timeout_usec = CALL_USEC,
                                                        .fill = fill_pattern,
                                                        .fill_arg = op->name },
                            list_answered, op);
        return started_or_freed(op);
}

static void reset_answered(void *arg, sd_bus_message *reply _unused_, const char *error, const char *text)
{
        struct fault f;

        op_finish(arg, bus_fault(error, text, &f));
}

struct systemd_op *systemd_reset_failed(struct systemd *s, const char *unit, systemd_done *done, void *arg)
{
        struct systemd_op *op = op_new(s, &s->questions, unit, arg);

        if (!op)
                return NULL;
        op->done = done;
        op->call = bus_call(s->bus,
                            &(struct bus_call_options){ .path = MANAGER_PATH,
                                                        .interface = MANAGER_INTERFACE,
                                                        .member = "ResetFailedUnit",
                                                        .timeout_usec = CALL_USEC,
                                                        .fill = fill_strings,
                                                        .fill_arg = (const char *const[]){ op->name, NULL } },
                            reset_answered, op);
        return started_or_freed(op);
}

/* --- signals and life ------------------------------------------------------------------ */

static void on_properties(struct systemd *s, sd_bus_message *m)
{
        char unit[UNIT_PATH_MAX];
        struct unit_change change = { .unit = unit };
        const char *interface;

        if (!unit_of_path(sd_bus_message_get_path(m), unit, sizeof unit) || !s->hooks.cares(s->hooks.arg, unit))
                return;
        if (sd_bus_message_read(m, "s", &interface) >= 0 && unit_change_read(m, &change) >= 0)
                s->hooks.changed(s->hooks.arg, &change);
}

static void on_signal(void *arg, sd_bus_message *m)
{
        struct systemd *s = arg;
        const char *path, *unit, *result;
        int began;

        if (sd_bus_message_is_signal(m, PROPERTIES_INTERFACE, "PropertiesChanged")) {
                on_properties(s, m);
        } else if (sd_bus_message_is_signal(m, MANAGER_INTERFACE, "JobRemoved")) {
                if (sd_bus_message_read(m, "uoss", NULL, &path, &unit, &result) >= 0)
                        job_removed(s, path, result);
        } else if (sd_bus_message_is_signal(m, MANAGER_INTERFACE, "UnitRemoved")) {
                /* A reload takes all units away and brings them back; what it really took, a list tells. */
                if (!s->reloading && sd_bus_message_read(m, "so", &unit, &path) >= 0)
                        s->hooks.removed(s->hooks.arg, unit);
        } else if (sd_bus_message_is_signal(m, MANAGER_INTERFACE, "Reloading")) {
                if (sd_bus_message_read(m, "b", &began) < 0)
                        return;
                s->reloading = began;
                if (!began)
                        s->hooks.reloaded(s->hooks.arg);
        }
}

static void on_up(void *arg)
{
        struct systemd *s = arg;

        s->reloading = false;
        jobs_resume(s);
        s->hooks.up(s->hooks.arg);
}

static void on_down(void *arg, const char *reason)
{
        struct systemd *s = arg;

        s->hooks.down(s->hooks.arg, reason);
}

struct systemd *systemd_new(struct loop *l, const struct systemd_hooks *hooks)
{
        struct systemd *s = calloc(1, sizeof *s);

        if (!s)
                return NULL;
        s->loop = l;
        s->hooks = *hooks;
        TAILQ_INIT(&s->jobs);
        TAILQ_INIT(&s->questions);
        batch_init(s);
        s->bus = bus_new(l, &(struct bus_hooks){ .up = on_up, .down = on_down, .signal = on_signal, .arg = s });
        return s->bus ? s : systemd_free(s);
}

static void cancel_all(struct systemd_ops *ops)
{
        struct systemd_op *op;

        while ((op = TAILQ_FIRST(ops)))
                (void) systemd_cancel(op);
}

struct systemd *systemd_free(struct systemd *s)
{
        if (!s)
                return NULL;
        cancel_all(&s->jobs);
        cancel_all(&s->questions);
        batch_deinit(s);
        s->bus = bus_free(s->bus);
        free(s);
        return NULL;
}

bool systemd_is_up(const struct systemd *s)
{
        return bus_is_up(s->bus);
}

void systemd_get_stats(const struct systemd *s, struct systemd_stats *ret)
{
        const struct systemd_op *op;

        *ret = s->stats;
        TAILQ_FOREACH(op, &s->jobs, link)
                ret->jobs_pending++;
}
