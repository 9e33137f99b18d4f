/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/unit-change.h"

#include "core/ident.h"

#include <stdio.h>

bool unit_path_of(const char *unit, char ret[static UNIT_PATH_MAX])
{
        size_t prefix = strlen(UNIT_PATH_PREFIX);

        if (3 * strlen(unit) + prefix >= UNIT_PATH_MAX)
                return false;
        memcpy(ret, UNIT_PATH_PREFIX, prefix);
        bus_label_escape(unit, ret + prefix, UNIT_PATH_MAX - prefix);
        return true;
}

bool unit_of_path(const char *path, char *ret, size_t size)
{
        return starts_with(path, UNIT_PATH_PREFIX) && bus_label_unescape(path + strlen(UNIT_PATH_PREFIX), ret, size);
}

static int read_string(sd_bus_message *m, const char **ret)
{
        return sd_bus_message_read(m, "v", "s", ret);
}

static int read_since(sd_bus_message *m, struct unit_change *c)
{
        c->has_since = true;
        return sd_bus_message_read(m, "v", "t", &c->since_usec);
}

static int read_main_pid(sd_bus_message *m, struct unit_change *c)
{
        uint32_t pid;
        int r = sd_bus_message_read(m, "v", "u", &pid);

        if (r >= 0) {
                c->has_main = true;
                c->main_pid = (pid_t) pid;
        }
        return r;
}

static int read_restarts(sd_bus_message *m, struct unit_change *c)
{
        uint32_t restarts;
        int r = sd_bus_message_read(m, "v", "u", &restarts);

        if (r >= 0) {
                c->has_restarts = true;
                c->restarts = restarts;
        }
        return r;
}

static int read_next(sd_bus_message *m, struct unit_change *c)
{
        int r = sd_bus_message_read(m, "v", "t", &c->next_usec);

        c->has_next = true;
        if (c->next_usec == UINT64_MAX)
                c->next_usec = 0;
        return r;
}

static int read_job(sd_bus_message *m, struct unit_change *c)
{
        uint32_t id;
        int r = sd_bus_message_read(m, "v", "(uo)", &id, &c->job_path);

        if (r >= 0) {
                c->has_job = true;
                c->job = id != 0;
        }
        return r;
}

static int read_invocation(sd_bus_message *m, struct unit_change *c)
{
        const void *bytes;
        size_t n;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "ay");
        if (r >= 0)
                r = sd_bus_message_read_array(m, SD_BUS_TYPE_BYTE, &bytes, &n);
        if (r >= 0) {
                c->has_invocation = n == sizeof c->invocation;
                if (c->has_invocation)
                        memcpy(c->invocation, bytes, n);
                r = sd_bus_message_exit_container(m);
        }
        return r;
}

static int read_load_error(sd_bus_message *m, struct unit_change *c)
{
        const char *name;

        return sd_bus_message_read(m, "v", "(ss)", &name, &c->load_error);
}

static int read_exit(sd_bus_message *m, struct unit_change *c, int *ret)
{
        c->has_exit = true;
        return sd_bus_message_read(m, "v", "i", ret);
}

static int read_property(sd_bus_message *m, const char *name, struct unit_change *c)
{
        if (streq(name, "ActiveState"))
                return read_string(m, &c->active);
        if (streq(name, "SubState"))
                return read_string(m, &c->sub);
        if (streq(name, "LoadState"))
                return read_string(m, &c->load);
        if (streq(name, "FragmentPath"))
                return read_string(m, &c->fragment);
        if (streq(name, "UnitFileState"))
                return read_string(m, &c->file_state);
        if (streq(name, "Slice"))
                return read_string(m, &c->slice);
        if (streq(name, "Result"))
                return read_string(m, &c->result);
        if (streq(name, "StateChangeTimestamp"))
                return read_since(m, c);
        if (streq(name, "StatusText"))
                return read_string(m, &c->status);
        if (streq(name, "ExecMainStartTimestamp"))
                return sd_bus_message_read(m, "v", "t", &c->main_began_usec);
        if (streq(name, "ExecMainExitTimestamp"))
                return sd_bus_message_read(m, "v", "t", &c->main_ended_usec);
        if (streq(name, "NextElapseUSecRealtime"))
                return read_next(m, c);
        if (streq(name, "InvocationID"))
                return read_invocation(m, c);
        if (streq(name, "MainPID"))
                return read_main_pid(m, c);
        if (streq(name, "NRestarts"))
                return read_restarts(m, c);
        if (streq(name, "ExecMainCode"))
                return read_exit(m, c, &c->exit_code);
        if (streq(name, "ExecMainStatus"))
                return read_exit(m, c, &c->exit_status);
        if (streq(name, "Job"))
                return read_job(m, c);
        if (streq(name, "LoadError"))
                return read_load_error(m, c);
        return sd_bus_message_skip(m, "v");
}

int unit_change_read(sd_bus_message *m, struct unit_change *ret)
{
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &name);
                if (r >= 0)
                        r = read_property(m, name, ret);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int unit_change_read_listed(sd_bus_message *m, struct unit_change *ret)
{
        uint32_t job;
        int r;

        *ret = (struct unit_change){ 0 };
        r = sd_bus_message_read(m, "(ssssssouso)", &ret->unit, NULL, &ret->load, &ret->active, &ret->sub, NULL, NULL,
                                &job, NULL, NULL);
        if (r > 0) {
                ret->has_job = true;
                ret->job = job != 0;
        }
        return r;
}
