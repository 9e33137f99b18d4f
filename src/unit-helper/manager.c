/* SPDX-License-Identifier: Apache-2.0 */

#include "unit-helper/manager.h"

#include <stdio.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"
#define JOB_INTERFACE "org.freedesktop.systemd1.Job"

/* Signals wake us; this is only the net below them. */
#define POLL_USEC ((uint64_t) 2000000)

int manager_open(struct sd_bus **ret)
{
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                *ret = TAKE(bus);
        return r;
}

static int unit_path(const char *unit, char **ret)
{
        return sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, ret);
}

int manager_unit_is_active(sd_bus *bus, const char *unit, bool *ret)
{
        _cleanup_free_ char *path = NULL, *active = NULL, *load = NULL;
        int r;

        r = unit_path(unit, &path);
        if (r >= 0)
                r = sd_bus_get_property_string(bus, DESTINATION, path, UNIT_INTERFACE, "ActiveState", NULL, &active);
        if (r < 0)
                return r;
        if (streq(active, "active") || streq(active, "reloading")) {
                *ret = true;
                return 0;
        }
        r = sd_bus_get_property_string(bus, DESTINATION, path, UNIT_INTERFACE, "LoadState", NULL, &load);
        if (r < 0)
                return r;
        *ret = streq(load, "not-found");
        return 0;
}

bool manager_is_booting(sd_bus *bus)
{
        uint64_t finished = 0;
        int r;

        r = sd_bus_get_property_trivial(bus, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, "FinishTimestampMonotonic",
                                        NULL, 't', &finished);
        return r >= 0 && finished == 0;
}

static uint64_t clock_usec(void)
{
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static int call_manager(sd_bus *bus, const char *method, const char *types, const char *argument)
{
        return types ? sd_bus_call_method(bus, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, method, NULL, NULL,
                                          types, argument)
                     : sd_bus_call_method(bus, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, method, NULL, NULL,
                                          NULL);
}

int manager_wait_active(sd_bus *bus, const char *unit, uint64_t usec)
{
        uint64_t start = clock_usec(), passed;
        bool active;
        int r;

        /* On this socket every subscriber gets every signal: no match rule is needed. */
        r = call_manager(bus, "Subscribe", NULL, NULL);
        if (r < 0)
                return r;
        for (;;) {
                r = manager_unit_is_active(bus, unit, &active);
                if (r < 0)
                        return r;
                if (active)
                        return 0;
                passed = clock_usec() - start;
                if (passed >= usec)
                        return -ETIMEDOUT;
                r = sd_bus_wait(bus, usec - passed < POLL_USEC ? usec - passed : POLL_USEC);
                if (r < 0 && r != -EINTR)
                        return r;
                do
                        r = sd_bus_process(bus, NULL);
                while (r > 0);
                if (r < 0)
                        return r;
        }
}

int manager_forgive(sd_bus *bus, const char *unit)
{
        return call_manager(bus, "ResetFailedUnit", "s", unit);
}

int manager_stop_if_active(sd_bus *bus, const char *unit)
{
        _cleanup_free_ char *path = NULL, *active = NULL;
        int r = unit_path(unit, &path);

        if (r >= 0)
                r = sd_bus_get_property_string(bus, DESTINATION, path, UNIT_INTERFACE, "ActiveState", NULL, &active);
        if (r < 0 || !streq(active, "active"))
                return r;
        return sd_bus_call_method(bus, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, "StopUnit", NULL, NULL, "ss", unit,
                                  "replace");
}

static int stop_wanted(sd_bus *bus, const char *path, bool *ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *job = NULL;
        _cleanup_free_ char *type = NULL;
        const char *job_path;
        uint32_t id;
        int r;

        r = sd_bus_get_property(bus, DESTINATION, path, UNIT_INTERFACE, "Job", NULL, &job, "(uo)");
        if (r >= 0)
                r = sd_bus_message_read(job, "(uo)", &id, &job_path);
        if (r < 0)
                return r;
        *ret = false;
        if (id == 0)
                return 0;
        /* The job may be done before we ask: then it no longer wants anything. */
        if (sd_bus_get_property_string(bus, DESTINATION, job_path, JOB_INTERFACE, "JobType", NULL, &type) >= 0)
                *ret = streq(type, "stop") || strstr(type, "restart");
        return 0;
}

int manager_get_run(sd_bus *bus, const char *unit, struct manager_run *ret)
{
        _cleanup_free_ char *path = NULL, *restart = NULL;
        struct manager_run run = { 0 };
        uint64_t began = 0, ended = 0;
        uint32_t restarts = 0;
        int r;

        r = unit_path(unit, &path);
        if (r >= 0)
                r = sd_bus_get_property_trivial(bus, DESTINATION, path, SERVICE_INTERFACE, "NRestarts", NULL, 'u',
                                                &restarts);
        if (r >= 0)
                r = sd_bus_get_property_trivial(bus, DESTINATION, path, UNIT_INTERFACE,
                                                "ActiveEnterTimestampMonotonic", NULL, 't', &began);
        if (r >= 0)
                r = sd_bus_get_property_trivial(bus, DESTINATION, path, UNIT_INTERFACE,
                                                "ActiveExitTimestampMonotonic", NULL, 't', &ended);
        if (r >= 0)
                r = sd_bus_get_property_string(bus, DESTINATION, path, SERVICE_INTERFACE, "Restart", NULL, &restart);
        if (r >= 0)
                r = stop_wanted(bus, path, &run.stop_wanted);
        if (r < 0)
                return r;
        run.restarts = restarts;
        run.last_usec = ended > began ? ended - began : 0;
        run.restarts_itself = !streq(restart, "no");
        *ret = run;
        return 0;
}
