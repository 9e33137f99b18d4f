/* SPDX-License-Identifier: Apache-2.0 */

/* The words are those of Docker 20.10 and runc 1.1; unknown ones blame nobody. */

#include "core/engine-refusal.h"

#include <stdio.h>

#define VALUE_SHOWN 200 /* bytes; a longer value is not repeated */

/* The field and its value, if the line names it. */
struct blamed {
        char field[FAULT_FIELD_MAX];
        const char *value;
};

static bool blame(struct blamed *b, const char *field, const char *value)
{
        (void) snprintf(b->field, sizeof b->field, "%s", field);
        b->value = value;
        return true;
}

static bool blame_at(struct blamed *b, const char *list, size_t i, const char *member, const char *value)
{
        (void) snprintf(b->field, sizeof b->field, "%s[%zu]%s", list, i, member);
        b->value = value;
        return true;
}

/* Is there, in the line, before and value and behind? */
static bool has(const char *line, const char *before, const char *value, size_t n, const char *behind)
{
        size_t skip = strlen(before);

        for (const char *p = strstr(line, before); p; p = strstr(p + 1, before))
                if (strncmp(p + skip, value, n) == 0 && starts_with(p + skip + n, behind))
                        return true;
        return false;
}

/* --- one field each --------------------------------------------------------------------------- */

static bool blame_user(const char *line, const struct spec *s, struct blamed *b)
{
        size_t n = s->user ? strcspn(s->user, ":") : 0;

        return n > 0 && has(line, "find user ", s->user, n, ":") && blame(b, "user", s->user);
}

static bool blame_group(const char *line, const struct spec *s, struct blamed *b)
{
        const char *group = s->user ? strchr(s->user, ':') : NULL;

        return group && has(line, "find group ", group + 1, strlen(group + 1), ":") &&
               blame(b, "user", s->user);
}

static bool blame_network(const char *line, const struct spec *s, struct blamed *b)
{
        return s->network && has(line, "network ", s->network, strlen(s->network), " not found") &&
               blame(b, "network", s->network);
}

/* Its name is not in the words; the network is the only one it is about. */
static bool blame_only_network(const char *line _unused_, const struct spec *s, struct blamed *b)
{
        return s->network && blame(b, "network", s->network);
}

/* What the image itself would have run, before the command or without one, is nobody's input. */
static bool blame_command(const char *line, const struct spec *s, struct blamed *b)
{
        const char *program = s->command ? s->command[0] : NULL;

        return program && has(line, "exec: \"", program, strlen(program), "\":") &&
               blame(b, "command", program);
}

static bool blame_workdir(const char *line, const struct spec *s, struct blamed *b)
{
        return s->workdir &&
               (has(line, "Cannot mkdir: ", s->workdir, strlen(s->workdir), " ") ||
                has(line, "/merged", s->workdir, strlen(s->workdir), ": not a directory")) &&
               blame(b, "workdir", s->workdir);
}

static bool blame_capability(const char *line, const char *field, char *const *names, struct blamed *b)
{
        for (size_t i = 0; names && names[i]; i++)
                if (has(line, "\"CAP_", names[i], strlen(names[i]), "\""))
                        return blame_at(b, field, i, "", names[i]);
        return false;
}

static bool blame_cap_add(const char *line, const struct spec *s, struct blamed *b)
{
        return blame_capability(line, "cap_add", s->cap_add, b);
}

static bool blame_cap_drop(const char *line, const struct spec *s, struct blamed *b)
{
        return blame_capability(line, "cap_drop", s->cap_drop, b);
}

static bool blame_device(const char *line, const struct spec *s, struct blamed *b)
{
        for (size_t i = 0; s->devices && s->devices[i]; i++)
                if (has(line, "custom device \"", s->devices[i], strlen(s->devices[i]), "\""))
                        return blame_at(b, "devices", i, "", s->devices[i]);
        return false;
}

static bool blame_source(const char *line, const struct spec *s, struct blamed *b)
{
        for (size_t i = 0; i < s->n_volumes; i++) {
                const char *source = s->volumes[i].source;

                if (source && has(line, "does not exist: ", source, strlen(source), ""))
                        return blame_at(b, "volumes", i, ".source", source);
        }
        return false;
}

static bool blame_target(const char *line, const struct spec *s, struct blamed *b)
{
        for (size_t i = 0; i < s->n_volumes; i++) {
                const char *target = s->volumes[i].target;
                size_t n = strlen(target);

                if (has(line, "to rootfs at \"", target, n, "\"") ||
                    has(line, "/merged", target, n, " is not directory"))
                        return blame_at(b, "volumes", i, ".target", target);
        }
        return false;
}

/* The first port that the line names behind an address. */
static size_t port_named(const char *line, const struct spec *s)
{
        size_t i = 0;

        for (; i < s->n_ports; i++) {
                char number[8];

                (void) snprintf(number, sizeof number, ":%u", s->ports[i].external);
                if (has(line, number, "", 0, ": bind:") || has(line, number, "", 0, " failed:"))
                        break;
        }
        return i;
}

static bool blame_external(const char *line, const struct spec *s, struct blamed *b)
{
        size_t i = port_named(line, s);

        return i < s->n_ports && blame_at(b, "ports", i, ".external", "this port");
}

static bool blame_address(const char *line, const struct spec *s, struct blamed *b)
{
        size_t i = port_named(line, s);

        return i < s->n_ports && s->ports[i].address[0] &&
               blame_at(b, "ports", i, ".address", s->ports[i].address);
}

/* --- all of them ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
        const char *fragment;
        bool (*blames)(const char *line, const struct spec *spec, struct blamed *b);
        enum fault_kind kind;
        const char *words; /* behind field and value */
} refusals[] = {
        { "unable to find user ", blame_user, FAULT_MISSING, "is not a user that the image knows" },
        { "unable to find group ", blame_group, FAULT_MISSING, "has a group that the image does not know" },
        { "executable file not found", blame_command, FAULT_MISSING, "was not found in the image" },
        { ": no such file or directory", blame_command, FAULT_MISSING, "was not found in the image" },
        { ": permission denied", blame_command, FAULT_INVALID, "cannot be executed" },
        { "Cannot mkdir: ", blame_workdir, FAULT_INVALID, "is not a directory in the image" },
        { ": not a directory", blame_workdir, FAULT_INVALID, "leads through a file of the image" },
        { " not found", blame_network, FAULT_MISSING, "is not a network of this host" },
        { "configuration-only", blame_only_network, FAULT_INVALID, "only configures other networks" },
        { "invalid CapAdd: ", blame_cap_add, FAULT_INVALID, "is unknown to the engine of this host" },
        { "invalid CapDrop: ", blame_cap_drop, FAULT_INVALID, "is unknown to the engine of this host" },
        { "no such file or directory", blame_device, FAULT_MISSING, "is not on this host" },
        { "not a device node", blame_device, FAULT_INVALID, "is not a device" },
        { "bind source path does not exist: ", blame_source, FAULT_MISSING, "is not on this host" },
        { " is not directory", blame_target, FAULT_INVALID, "is a file in the image" },
        { "error mounting ", blame_target, FAULT_INVALID, "is not where the engine can mount it" },
        { "port is already allocated", blame_external, FAULT_CONFLICT, "is taken" },
        { "address already in use", blame_external, FAULT_CONFLICT, "is taken" },
        { "cannot assign requested", blame_address, FAULT_INVALID, "is not an address of this host" },
};
/* clang-format on */

bool engine_refusal_read(const char *line, const struct spec *spec, struct fault *ret)
{
        struct blamed b;

        if (!starts_with(line, "docker: "))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
                if (!strstr(line, refusals[i].fragment) || !refusals[i].blames(line, spec, &b))
                        continue;
                (void) fault_set(ret, refusals[i].kind, b.field, "%s: %s %s", b.field,
                                 strlen(b.value) > VALUE_SHOWN ? "what it names" : b.value,
                                 refusals[i].words);
                return true;
        }
        return false;
}
