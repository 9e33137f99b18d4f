/* SPDX-License-Identifier: Apache-2.0 */

/* The fields of a spec that hold several things: ports, volumes, labels, capabilities, devices. */

#include "core/spec-read.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#define LIST_MAX 64 /* capabilities, devices */
#define LABEL_NAME_MAX 255

/* --- ports ------------------------------------------------------------------- */

/* Does the one address take what the other asks for? "" may turn out to be any address. */
static bool addresses_overlap(const char *a, const char *b)
{
        static const char *const any[] = { "", "0.0.0.0", "::" };

        for (size_t i = 0; i < ARRAY_SIZE(any); i++)
                if (streq(a, any[i]) || streq(b, any[i]))
                        return true;
        return streq(a, b);
}

static int check_port(const struct spec *s, const struct spec_port *p, const char *field, struct fault *f)
{
        for (size_t i = 0; i < s->n_ports; i++) {
                const struct spec_port *other = &s->ports[i];

                if (p->udp != other->udp || p->external != other->external ||
                    !addresses_overlap(p->address, other->address))
                        continue;
                if (p->external != 0)
                        return fault_set(f, FAULT_INVALID, field, "%s: port %u is published twice", field,
                                         p->external);
                if (p->internal == other->internal)
                        return fault_set(f, FAULT_INVALID, field, "%s: port %u is leased twice", field,
                                         p->internal);
        }
        return 0;
}

/* Written back the one way that inet_ntop() writes it. */
static int read_address(const struct json *v, const char *field, char ret[static 46], struct fault *f)
{
        struct in6_addr bytes;
        const char *s;
        int family, r = json_get_string(v, field, INET6_ADDRSTRLEN, &s, f);

        if (r < 0)
                return r;
        family = strchr(s, ':') ? AF_INET6 : AF_INET;
        if (inet_pton(family, s, &bytes) != 1)
                return spec_refuse(field, "must be an IPv4 or IPv6 address", f);
        (void) inet_ntop(family, &bytes, ret, INET6_ADDRSTRLEN);
        return 0;
}

static const char *protocol_word(int i)
{
        return i == 0 ? "tcp" : "udp";
}

static int read_port(struct spec *s, const struct json *v, const char *path, struct fault *f)
{
        static const char *const names[] = { "internal", "external", "protocol", "address", NULL };
        const struct json *member;
        struct spec_port port = { 0 };
        char at[FAULT_FIELD_MAX];
        uint64_t external = 0;
        int r, udp = 0;

        if (!json_is_object(v))
                return spec_refuse(path, "must be an object with internal and external", f);
        r = json_check_names(v, path, names, f);
        if (r < 0)
                return r;
        r = spec_read_port(spec_member(v, "internal"), json_path(at, path, "internal"), &port.internal, f);
        if (r == 0 && (member = spec_member(v, "external")))
                r = json_get_uint(member, json_path(at, path, "external"), 0, UINT16_MAX, &external, f);
        if (r == 0 && (member = spec_member(v, "protocol")))
                r = spec_read_choice(member, json_path(at, path, "protocol"), protocol_word, 2, &udp, f);
        if (r == 0 && (member = spec_member(v, "address")))
                r = read_address(member, json_path(at, path, "address"), port.address, f);
        port.external = (uint16_t) external;
        port.udp = udp == 1;
        if (r == 0)
                r = check_port(s, &port, json_path(at, path, "external"), f);
        if (r == 0)
                s->ports[s->n_ports++] = port;
        return r;
}

/* Each element of an array of at most max objects. */
static int each_object(struct spec *s, const struct json *v, const char *field, size_t max,
                       int (*read)(struct spec *s, const struct json *v, const char *path, struct fault *f),
                       struct fault *f)
{
        char path[FAULT_FIELD_MAX];

        if (!json_is_array(v) || json_array_len(v) > max)
                return fault_set(f, FAULT_INVALID, field, "%s: must be an array of at most %zu objects",
                                 field, max);
        for (size_t i = 0; i < json_array_len(v); i++) {
                int r;

                json_index(path, field, i);
                r = read(s, json_array_at(v, i), path, f);
                if (r < 0)
                        return r;
        }
        return 0;
}

int spec_read_ports(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return each_object(s, v, field, SPEC_PORTS_MAX, read_port, f);
}

/* --- volumes ----------------------------------------------------------------- */

static int read_volume_origin(struct spec_volume *volume, const struct json *v, const char *path,
                              struct fault *f)
{
        const struct json *name = spec_member(v, "name"), *source = spec_member(v, "source");
        char field[FAULT_FIELD_MAX];
        int r;

        if (!name == !source)
                return spec_refuse(path, "must hold either name or source", f);
        json_path(field, path, name ? "name" : "source");
        if (source)
                return spec_read_path(source, field, &volume->source, f);
        r = spec_read_string(name, field, SPEC_NAME_MAX, &volume->name, f);
        if (r == 0 && !spec_is_name(volume->name))
                return spec_refuse(
                        field,
                        "must be letters, digits, '_', '.' and '-', beginning with a letter or digit; "
                        "a host path is a source",
                        f);
        return r;
}

static int read_volume(struct spec *s, const struct json *v, const char *path, struct fault *f)
{
        static const char *const names[] = { "name", "source", "target", "read_only", NULL };
        /* Counted before it is filled, so that spec_reset() frees what a fault leaves. */
        struct spec_volume *volume = &s->volumes[s->n_volumes++];
        const struct json *read_only = spec_member(v, "read_only");
        char at[FAULT_FIELD_MAX];
        int r;

        if (!json_is_object(v))
                return spec_refuse(path, "must be an object with name or source, and target", f);
        r = json_check_names(v, path, names, f);
        if (r == 0)
                r = read_volume_origin(volume, v, path, f);
        if (r == 0 && read_only)
                r = json_get_bool(read_only, json_path(at, path, "read_only"), &volume->read_only, f);
        if (r == 0)
                r = spec_read_path(spec_member(v, "target"), json_path(at, path, "target"), &volume->target,
                                   f);
        if (r < 0)
                return r;
        for (size_t i = 0; i + 1 < s->n_volumes; i++)
                if (streq(s->volumes[i].target, volume->target))
                        return spec_refuse(at, "is the target of two volumes", f);
        return 0;
}

int spec_read_volumes(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return each_object(s, v, field, SPEC_VOLUMES_MAX, read_volume, f);
}

/* --- labels ------------------------------------------------------------------ */

/* Ours, and those that the engine's documentation keeps for itself. */
static bool is_reserved(const char *name)
{
        static const char *const prefixes[] = { "io.geard.", "com.docker.", "io.docker.",
                                                "org.dockerproject." };

        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

/* docker splits NAME=value at the first '=', and refuses blanks in the name. */
static int check_label_name(const char *name, const char *field, struct fault *f)
{
        if (!*name || strlen(name) > LABEL_NAME_MAX || has_control(name) || strpbrk(name, " ="))
                return fault_set(f, FAULT_INVALID, field,
                                 "%s: the name of a label is 1 to %d bytes without blanks, '=' or control "
                                 "characters",
                                 field, LABEL_NAME_MAX);
        if (is_reserved(name))
                return fault_set(f, FAULT_INVALID, field, "%s: \"%s\" is reserved", field, name);
        return 0;
}

static int compare_labels(const void *a, const void *b)
{
        const struct spec_label *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static int read_label(struct spec_label *label, const char *name, const struct json *v, const char *path,
                      struct fault *f)
{
        char field[FAULT_FIELD_MAX];
        const char *value;
        int r = check_label_name(name, path, f);

        if (r < 0)
                return r;
        json_path(field, path, name);
        r = json_get_string(v, field, SPEC_LABEL_VALUE_MAX, &value, f);
        if (r < 0)
                return r;
        label->name = strdup(name);
        label->value = strdup(value);
        return label->name && label->value ? 0 : fault_oom(f);
}

int spec_read_labels(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        const struct json *value;
        const char *name;

        if (!json_is_object(v) || json_object_len(v) > SPEC_LABELS_MAX)
                return fault_set(f, FAULT_INVALID, field,
                                 "%s: must be an object of at most %d names and values", field,
                                 SPEC_LABELS_MAX);
        if (json_object_len(v) == 0)
                return 0;
        s->labels = calloc(json_object_len(v), sizeof *s->labels);
        if (!s->labels)
                return fault_oom(f);
        for (size_t i = 0; (value = json_object_at(v, i, &name)); i++) {
                int r = read_label(&s->labels[s->n_labels++], name, value, field, f);

                if (r < 0)
                        return r;
        }
        qsort(s->labels, s->n_labels, sizeof *s->labels, compare_labels);
        return 0;
}

/* --- capabilities and devices ------------------------------------------------ */

/* SYS_ADMIN from SYS_ADMIN, CAP_SYS_ADMIN or cap_sys_admin; NULL for what is no capability. */
static const char *capability_name(const char *s)
{
        static const char *const names[] = {
                "ALL",
                "AUDIT_CONTROL",
                "AUDIT_READ",
                "AUDIT_WRITE",
                "BLOCK_SUSPEND",
                "BPF",
                "CHECKPOINT_RESTORE",
                "CHOWN",
                "DAC_OVERRIDE",
                "DAC_READ_SEARCH",
                "FOWNER",
                "FSETID",
                "IPC_LOCK",
                "IPC_OWNER",
                "KILL",
                "LEASE",
                "LINUX_IMMUTABLE",
                "MAC_ADMIN",
                "MAC_OVERRIDE",
                "MKNOD",
                "NET_ADMIN",
                "NET_BIND_SERVICE",
                "NET_BROADCAST",
                "NET_RAW",
                "PERFMON",
                "SETFCAP",
                "SETGID",
                "SETPCAP",
                "SETUID",
                "SYSLOG",
                "SYS_ADMIN",
                "SYS_BOOT",
                "SYS_CHROOT",
                "SYS_MODULE",
                "SYS_NICE",
                "SYS_PACCT",
                "SYS_PTRACE",
                "SYS_RAWIO",
                "SYS_RESOURCE",
                "SYS_TIME",
                "SYS_TTY_CONFIG",
                "WAKE_ALARM",
        };

        if (strncasecmp(s, "CAP_", 4) == 0)
                s += 4;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strcasecmp(s, names[i]) == 0)
                        return names[i];
        return NULL;
}

static int read_capability(const struct json *v, const char *field, char ***list, struct fault *f)
{
        const char *word, *name;
        int r = json_get_string(v, field, 32, &word, f);

        if (r < 0)
                return r;
        name = capability_name(word);
        if (!name)
                return spec_refuse(field, "must be a capability, like NET_ADMIN, or ALL", f);
        return strv_add(list, name) < 0 ? fault_oom(f) : 0;
}

static int read_device(const struct json *v, const char *field, char ***list, struct fault *f)
{
        char *path;
        int r = spec_read_path(v, field, &path, f);

        if (r < 0)
                return r;
        if (!starts_with(path, "/dev/")) {
                free(path);
                return spec_refuse(field, "must be a path below /dev", f);
        }
        return strv_consume(list, path) < 0 ? fault_oom(f) : 0;
}

/* An array of strings, each read on its own; what is said twice is refused. */
static int read_list(const struct json *v, const char *field, char ***list,
                     int (*read)(const struct json *v, const char *field, char ***list, struct fault *f),
                     struct fault *f)
{
        char at[FAULT_FIELD_MAX];

        if (!json_is_array(v) || json_array_len(v) > LIST_MAX)
                return fault_set(f, FAULT_INVALID, field, "%s: must be an array of at most %d strings",
                                 field, LIST_MAX);
        for (size_t i = 0; i < json_array_len(v); i++) {
                int r;

                json_index(at, field, i);
                r = read(json_array_at(v, i), at, list, f);
                if (r < 0)
                        return r;
                for (size_t j = 0; j < i; j++)
                        if (streq((*list)[j], (*list)[i]))
                                return spec_refuse(at, "is given twice", f);
        }
        return 0;
}

int spec_read_cap_add(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return read_list(v, field, &s->cap_add, read_capability, f);
}

int spec_read_cap_drop(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return read_list(v, field, &s->cap_drop, read_capability, f);
}

int spec_read_devices(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return read_list(v, field, &s->devices, read_device, f);
}
