/* SPDX-License-Identifier: Apache-2.0 */

/* What a reload changes, and what it only tells of: that counts from the next start. */

#include "config-value.h"
#include "util/text.h"

#define SWAP(a, b)                        \
        do {                              \
                __auto_type _swap_ = (a); \
                (a) = (b);                \
                (b) = _swap_;             \
        } while (0)

/* The owners are of the section that the option is in. */
static bool is_same(const struct option *o, const void *one_owner, const void *other_owner)
{
        const void *one = (const char *) one_owner + o->offset,
                   *other = (const char *) other_owner + o->offset;

        switch (o->kind) {
        case VALUE_STRING:
                return streq_null(*(char *const *) one, *(char *const *) other);
        case VALUE_LIST:
                return strv_equal(*(char **const *) one, *(char **const *) other);
        default:
                return memcmp(one, other, o->size) == 0;
        }
}

static void exchange(const struct option *o, struct config *one, struct config *other)
{
        char *a = (char *) one + o->offset, *b = (char *) other + o->offset;

        for (size_t i = 0; i < o->size; i++)
                SWAP(a[i], b[i]);
}

/* --- listeners ------------------------------------------------------------------ */

static const struct listen_config *listen_at(const struct config *c, const char *address)
{
        for (size_t i = 0; i < c->n_listens; i++)
                if (streq(c->listens[i].address, address))
                        return &c->listens[i];
        return NULL;
}

static int tell_listen(const struct listen_config *current, const struct listen_config *fresh, char ***left)
{
        size_t n;
        const struct option *options = config_options(&n);
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                if (streq(options[i].section, "Listen") && !is_same(&options[i], current, fresh))
                        r = strv_addf(left, "%s= of [Listen] %s", options[i].key, current->address);
        return r;
}

/* Those that are on one side only, and what differs of the others; no two of a side have the same address.
 */
static int tell_listens(const struct config *current, const struct config *fresh, char ***left)
{
        int r = 0;

        for (size_t i = 0; i < current->n_listens && r == 0; i++) {
                const struct listen_config *l = &current->listens[i], *same = listen_at(fresh, l->address);

                r = same ? tell_listen(l, same, left) : strv_addf(left, "[Listen] %s", l->address);
        }
        for (size_t i = 0; i < fresh->n_listens && r == 0; i++)
                if (!listen_at(current, fresh->listens[i].address))
                        r = strv_addf(left, "[Listen] %s", fresh->listens[i].address);
        return r;
}

/* --- the whole ------------------------------------------------------------------ */

static int keep_what_a_start_reads(struct config *current, struct config *fresh, char ***left)
{
        size_t n;
        const struct option *options = config_options(&n);
        int r = 0;

        for (size_t i = 0; i < n; i++) {
                const struct option *o = &options[i];

                if (!streq(o->section, "Daemon") || !o->at_start)
                        continue;
                if (r == 0 && !is_same(o, current, fresh))
                        r = strv_addf(left, "%s=", o->key);
                exchange(o, current, fresh);
        }
        return r;
}

int config_take_over(struct config *current, struct config *fresh, char ***ret_left)
{
        int r;

        SWAP(*current, *fresh);
        SWAP(current->listens, fresh->listens);
        SWAP(current->n_listens, fresh->n_listens);
        r = keep_what_a_start_reads(current, fresh, ret_left);
        return r < 0 ? r : tell_listens(current, fresh, ret_left);
}
