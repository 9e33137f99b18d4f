/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Requests that systemd takes for many units at once, or that count for all:
 * link, enable, disable, reload.  What is asked while one is under way waits
 * for the next, so a hundred creates cost a handful of calls, and a reload asked
 * for by many is done once, after the last of them asked.
 */

#include "sys/systemd-op.h"

static void batch_schedule(struct batch *b);

static int fill_batch(sd_bus_message *m, const void *arg)
{
        const struct batch *b = arg;
        const struct systemd_op *op;
        int r;

        if (b->kind == BATCH_RELOAD)
                return 0;
        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "s");
        TAILQ_FOREACH(op, &b->flying, link)
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", op->name);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0) /* runtime, force; disabling knows no force */
                r = b->kind == BATCH_DISABLE ? sd_bus_message_append(m, "b", 0)
                                             : sd_bus_message_append(m, "bb", 0, 1);
        return r;
}

static void batch_answered(void *arg, sd_bus_message *reply _unused_, const char *error, const char *text)
{
        struct batch *b = arg;
        struct systemd_op *op;
        struct fault f;
        const struct fault *fault = bus_fault(error, text, &f);
        bool several = TAILQ_FIRST(&b->flying) && TAILQ_NEXT(TAILQ_FIRST(&b->flying), link);

        b->call = NULL;
        if (fault && several && fault->kind != FAULT_AWAY && b->kind != BATCH_RELOAD) {
                b->one_by_one = true;
                while ((op = TAILQ_LAST(&b->flying, systemd_ops))) {
                        TAILQ_REMOVE(&b->flying, op, link);
                        op->on = &b->waiting;
                        TAILQ_INSERT_HEAD(&b->waiting, op, link);
                }
        }
        while ((op = TAILQ_FIRST(&b->flying)))
                op_finish(op, fault);
        batch_schedule(b);
}

static void batch_start(void *arg)
{
        static const char *const methods[] = {
                [BATCH_ENABLE] = "EnableUnitFiles",
                [BATCH_LINK] = "LinkUnitFiles",
                [BATCH_DISABLE] = "DisableUnitFiles",
                [BATCH_RELOAD] = "Reload",
        };
        struct batch *b = arg;
        struct systemd_op *op;

        b->starting = NULL;
        while ((op = TAILQ_FIRST(&b->waiting))) {
                op_move(op, &b->flying);
                if (b->one_by_one)
                        break;
        }
        b->one_by_one = b->one_by_one && !TAILQ_EMPTY(&b->waiting);
        if (TAILQ_EMPTY(&b->flying))
                return;
        if (b->kind == BATCH_RELOAD)
                b->systemd->stats.reloads++;
        else
                b->systemd->stats.links++;
        b->call = bus_call(b->systemd->bus,
                           &(struct bus_call_options){ .path = MANAGER_PATH,
                                                       .interface = MANAGER_INTERFACE,
                                                       .member = methods[b->kind],
                                                       .timeout_usec = CALL_USEC,
                                                       .fill = fill_batch,
                                                       .fill_arg = b },
                           batch_answered, b);
        if (!b->call)
                batch_answered(b, NULL, "out of memory", NULL);
}

/* The rest of this turn may bring more for the same request. */
static void batch_schedule(struct batch *b)
{
        if (!b->call && !b->starting && !TAILQ_EMPTY(&b->waiting))
                b->starting = loop_defer(b->systemd->loop, batch_start, b);
}

static struct systemd_op *batch_add(struct systemd *s, enum batch_kind kind, const char *name, systemd_done *done,
                                    void *arg)
{
        struct batch *b = &s->batches[kind];
        struct systemd_op *op = op_new(s, &b->waiting, name, arg);

        if (!op)
                return NULL;
        op->done = done;
        batch_schedule(b);
        return op;
}

struct systemd_op *systemd_enable(struct systemd *s, const char *path, systemd_done *done, void *arg)
{
        return batch_add(s, BATCH_ENABLE, path, done, arg);
}

struct systemd_op *systemd_link(struct systemd *s, const char *path, systemd_done *done, void *arg)
{
        return batch_add(s, BATCH_LINK, path, done, arg);
}

struct systemd_op *systemd_disable(struct systemd *s, const char *unit, systemd_done *done, void *arg)
{
        return batch_add(s, BATCH_DISABLE, unit, done, arg);
}

struct systemd_op *systemd_reload(struct systemd *s, systemd_done *done, void *arg)
{
        return batch_add(s, BATCH_RELOAD, "", done, arg);
}


void batch_init(struct systemd *s)
{
        for (int kind = 0; kind < N_BATCHES; kind++) {
                struct batch *b = &s->batches[kind];

                *b = (struct batch){ .systemd = s, .kind = (enum batch_kind) kind };
                TAILQ_INIT(&b->waiting);
                TAILQ_INIT(&b->flying);
        }
}

void batch_deinit(struct systemd *s)
{
        for (int kind = 0; kind < N_BATCHES; kind++) {
                struct batch *b = &s->batches[kind];
                struct systemd_op *op;

                b->call = bus_call_cancel(b->call);
                b->starting = deferred_cancel(b->starting);
                while ((op = TAILQ_FIRST(&b->flying)) || (op = TAILQ_FIRST(&b->waiting)))
                        (void) systemd_cancel(op);
        }
}
