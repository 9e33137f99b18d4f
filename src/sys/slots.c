/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/slots.h"

#include <assert.h>
#include <sys/queue.h>

#define LATECOMERS_MAX 64

struct slots {
        struct loop *loop;
        size_t at_once, waiting_max;
        size_t n_running, n_waiting;
        uint64_t n_served;
        TAILQ_HEAD(, slot) all; /* by their coming */
};

struct slot {
        TAILQ_ENTRY(slot) link;
        struct slots *slots;
        char *who;
        bool running;
        uint64_t served; /* when somebody of the same name was let in last; 0: none who is still here */
        struct deferred *coming;
        void (*come)(void *arg);
        void *arg;
};

struct slots *slots_new(struct loop *l)
{
        struct slots *t = calloc(1, sizeof *t);

        if (!t)
                return NULL;
        t->loop = l;
        TAILQ_INIT(&t->all);
        return t;
}

struct slots *slots_free(struct slots *t)
{
        assert(!t || TAILQ_EMPTY(&t->all));
        free(t);
        return NULL;
}

static size_t count_running_of(const struct slots *t, const char *who)
{
        const struct slot *slot;
        size_t n = 0;

        TAILQ_FOREACH(slot, &t->all, link)
        n += slot->running && streq(slot->who, who);
        return n;
}

static struct slot *choose(const struct slots *t)
{
        struct slot *slot, *best = NULL;
        size_t fewest = SIZE_MAX;

        TAILQ_FOREACH(slot, &t->all, link)
        {
                size_t n = slot->running ? SIZE_MAX : count_running_of(t, slot->who);

                if (n < fewest || (best && n == fewest && slot->served < best->served)) {
                        fewest = n;
                        best = slot;
                }
        }
        return best;
}

static void note_served(struct slots *t, const char *who)
{
        struct slot *slot;

        t->n_served++;
        TAILQ_FOREACH(slot, &t->all, link)
        if (streq(slot->who, who))
                slot->served = t->n_served;
}

static uint64_t last_served(const struct slots *t, const char *who)
{
        const struct slot *slot;

        TAILQ_FOREACH(slot, &t->all, link)
        if (streq(slot->who, who))
                return slot->served;
        return 0;
}

static void on_come(void *arg)
{
        struct slot *slot = arg;

        slot->coming = NULL;
        slot->come(slot->arg);
}

/* Out of memory it stays in the queue, and is tried again with the next slot that becomes free. */
static void let_in(struct slots *t)
{
        struct slot *slot;

        while (t->n_running < t->at_once && (slot = choose(t))) {
                slot->coming = loop_defer(t->loop, on_come, slot);
                if (!slot->coming)
                        return;
                slot->running = true;
                note_served(t, slot->who);
                t->n_running++;
                t->n_waiting--;
        }
}

void slots_limit(struct slots *t, size_t at_once, size_t waiting)
{
        t->at_once = at_once;
        t->waiting_max = waiting;
        let_in(t);
}

/* Who has nothing here yet finds a place in the queue when others have filled it. */
static bool is_full_for(const struct slots *t, const char *who)
{
        const struct slot *slot;

        if (t->n_running < t->at_once || t->n_waiting < t->waiting_max)
                return false;
        if (t->n_waiting >= t->waiting_max + LATECOMERS_MAX)
                return true;
        TAILQ_FOREACH(slot, &t->all, link)
        if (streq(slot->who, who))
                return true;
        return false;
}

static struct slot *add(struct slots *t, const char *who)
{
        struct slot *slot = calloc(1, sizeof *slot);

        if (!slot || !(slot->who = strdup(who))) {
                free(slot);
                return NULL;
        }
        slot->slots = t;
        slot->served = last_served(t, who);
        TAILQ_INSERT_TAIL(&t->all, slot, link);
        return slot;
}

int slot_take(struct slots *t, const char *who, struct slot **ret)
{
        struct slot *slot = add(t, who);

        if (!slot)
                return -ENOMEM;
        slot->running = true;
        note_served(t, who);
        t->n_running++;
        *ret = slot;
        return 0;
}

int slot_new(struct slots *t, const char *who, void (*come)(void *arg), void *arg, struct slot **ret)
{
        return is_full_for(t, who) ? -EBUSY : slot_queue(t, who, come, arg, ret);
}

int slot_queue(struct slots *t, const char *who, void (*come)(void *arg), void *arg, struct slot **ret)
{
        struct slot *slot = add(t, who);

        if (!slot)
                return -ENOMEM;
        slot->come = come;
        slot->arg = arg;
        t->n_waiting++;
        let_in(t);
        if (!slot->running && t->n_running == 0) { /* nobody would ever let it in */
                (void) slot_free(slot);
                return -ENOMEM;
        }
        *ret = slot;
        return 0;
}

struct slot *slot_free(struct slot *slot)
{
        struct slots *t;

        if (!slot)
                return NULL;
        t = slot->slots;
        TAILQ_REMOVE(&t->all, slot, link);
        slot->coming = deferred_cancel(slot->coming);
        if (slot->running)
                t->n_running--;
        else
                t->n_waiting--;
        free(slot->who);
        free(slot);
        let_in(t);
        return NULL;
}

bool slot_has_come(const struct slot *slot)
{
        return slot->running;
}

size_t slots_running(const struct slots *t)
{
        return t->n_running;
}

size_t slots_waiting(const struct slots *t)
{
        return t->n_waiting;
}
