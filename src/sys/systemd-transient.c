/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/transient.h"

#include "sys/log-fields.h"
#include "sys/systemd-op.h"
#include "util/text.h"

#include <sys/mount.h>

struct settings {
        const char *unit;
        const struct setting *first;
        size_t n;
};

/* --- values of the lists ------------------------------------------------------------------------- */

static int add_strings(sd_bus_message *m, const char *const *strings)
{
        int r = sd_bus_message_open_container(m, 'a', "s");

        for (; r >= 0 && strings && *strings; strings++)
                r = sd_bus_message_append(m, "s", *strings);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* As systemd reads it back when it looks for variables in it. */
static int add_word(sd_bus_message *m, const char *word)
{
        _cleanup_text_ struct text t = { 0 };

        text_add(&t, "");
        for (; *word; word++)
                text_add(&t, *word == '$' ? "$$" : (const char[]){ *word, '\0' });
        return text_ok(&t) ? sd_bus_message_append(m, "s", t.data) : -ENOMEM;
}

/*
 * Not Exec*Ex=, which could say that there are no variables: systemd 252 writes it
 * into the unit's file by that name, and no longer understands it after a reload.
 */
static int add_command(sd_bus_message *m, const char *const *words)
{
        int r = sd_bus_message_open_container(m, 'a', "(sasb)");

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'r', "sasb");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", words[0]);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        for (const char *const *word = words; r >= 0 && *word; word++)
                r = add_word(m, *word);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "b", 0); /* its failure counts */
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int add_allowed(sd_bus_message *m, const char *const *strings)
{
        int r = sd_bus_message_open_container(m, 'r', "bas");

        if (r >= 0)
                r = sd_bus_message_append(m, "b", 1);
        if (r >= 0)
                r = add_strings(m, strings);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int add_binds(sd_bus_message *m, const char *const *pairs)
{
        int r = sd_bus_message_open_container(m, 'a', "(ssbt)");

        for (; r >= 0 && pairs[0] && pairs[1]; pairs += 2) {
                bool optional = pairs[0][0] == '-';

                r = sd_bus_message_append(m, "(ssbt)", pairs[0] + optional, pairs[1] + optional, optional,
                                          (uint64_t) MS_REC);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int add_fields(sd_bus_message *m, const char *const *fields)
{
        int r = sd_bus_message_open_container(m, 'a', "ay");

        for (; r >= 0 && *fields; fields++)
                r = sd_bus_message_append_array(m, 'y', *fields, strlen(*fields));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int add_tmpfs(sd_bus_message *m, const char *const *pairs)
{
        int r = sd_bus_message_open_container(m, 'a', "(ss)");

        for (; r >= 0 && pairs[0] && pairs[1]; pairs += 2)
                r = sd_bus_message_append(m, "(ss)", pairs[0], pairs[1]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* --- the message ---------------------------------------------------------------------------------- */

static const char *signature_of(enum setting_kind kind)
{
        static const char *const signatures[] = {
                [SETTING_STRING] = "s",          [SETTING_BOOL] = "b",       [SETTING_I32] = "i",
                [SETTING_U32] = "u",
                [SETTING_U64] = "t",             [SETTING_STRINGS] = "as",   [SETTING_COMMAND] = "a(sasb)",
                [SETTING_ALLOW] = "(bas)",       [SETTING_BINDS] = "a(ssbt)", [SETTING_PAIRS] = "a(ss)",
                [SETTING_FIELDS] = "aay",        [SETTING_FD] = "h",
        };

        return signatures[kind];
}

static int add_value(sd_bus_message *m, const struct setting *s)
{
        switch (s->kind) {
        case SETTING_STRING:
                return sd_bus_message_append(m, "s", s->string);
        case SETTING_BOOL:
                return sd_bus_message_append(m, "b", s->number != 0);
        case SETTING_I32:
                return sd_bus_message_append(m, "i", (int32_t) s->number);
        case SETTING_U32:
                return sd_bus_message_append(m, "u", (uint32_t) s->number);
        case SETTING_U64:
                return sd_bus_message_append(m, "t", s->number);
        case SETTING_STRINGS:
                return add_strings(m, s->strings);
        case SETTING_COMMAND:
                return add_command(m, s->strings);
        case SETTING_ALLOW:
                return add_allowed(m, s->strings);
        case SETTING_BINDS:
                return add_binds(m, s->strings);
        case SETTING_PAIRS:
                return add_tmpfs(m, s->strings);
        case SETTING_FIELDS:
                return add_fields(m, s->strings);
        case SETTING_FD:
                return sd_bus_message_append(m, "h", (int) s->number);
        }
        return -EINVAL;
}

static int add_setting(sd_bus_message *m, const struct setting *s)
{
        int r = sd_bus_message_open_container(m, 'r', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", s->name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', signature_of(s->kind));
        if (r >= 0)
                r = add_value(m, s);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int fill_transient(sd_bus_message *m, const void *arg)
{
        const struct settings *all = arg;
        int r = sd_bus_message_append(m, "ss", all->unit, "fail");

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sv)");
        for (size_t i = 0; r >= 0 && i < all->n; i++)
                r = add_setting(m, &all->first[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_append(m, "a(sa(sv))", 0);
}

struct systemd_op *systemd_transient(struct systemd *s, const char *unit, const struct setting *settings, size_t n,
                                     systemd_job_done *done, void *arg)
{
        const struct settings all = { .unit = unit, .first = settings, .n = n };

        log_fields_forget(unit); /* of a former one */
        return job_start(s, SYSTEMD_START, unit,
                         &(struct bus_call_options){ .path = MANAGER_PATH,
                                                     .interface = MANAGER_INTERFACE,
                                                     .member = "StartTransientUnit",
                                                     .timeout_usec = CALL_USEC,
                                                     .fill = fill_transient,
                                                     .fill_arg = &all },
                         done, arg);
}
