/* SPDX-License-Identifier: Apache-2.0 */

/* Reading the Docker Engine's answers; API 1.41. */

#include "build-config.h"

#include "sys/docker-json.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

static const struct json *member(const struct json *object, const char *name)
{
        return object && json_is_object(object) ? json_member(object, name) : NULL;
}

const char *docker_string(const struct json *object, const char *name)
{
        const struct json *v = member(object, name);
        const char *s = NULL;
        struct fault ignored;

        return v && json_get_string(v, name, SIZE_MAX, &s, &ignored) == 0 ? s : NULL;
}

static const char *string_or_empty(const struct json *object, const char *name)
{
        const char *s = docker_string(object, name);

        return s ? s : "";
}

static uint64_t number_member(const struct json *object, const char *name, uint64_t max)
{
        const struct json *v = member(object, name);
        struct fault ignored;
        uint64_t n = 0;

        return v && json_get_uint(v, name, 0, max, &n, &ignored) == 0 ? n : 0;
}

static bool bool_member(const struct json *object, const char *name)
{
        const struct json *v = member(object, name);
        struct fault ignored;
        bool b = false;

        return v && json_get_bool(v, name, &b, &ignored) == 0 && b;
}

void docker_clean(char *ret, size_t size, const char *s)
{
        size_t n = strnlen(s, size - 1);

        if (s[n])
                while (n > 0 && ((unsigned char) s[n] & 0xC0) == 0x80)
                        n--;
        for (size_t i = 0; i < n; i++)
                ret[i] = (unsigned char) s[i] < 0x20 || s[i] == 0x7F ? ' ' : s[i];
        while (n > 0 && ret[n - 1] == ' ')
                n--;
        ret[n] = '\0';
}

/* "2026-01-02T03:04:05.678901234Z"; 0 for the engine's "never", year 1. */
static uint64_t parse_time(const char *s)
{
        struct tm tm = { 0 };
        const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
        uint64_t usec = 0;
        time_t t;

        if (!rest)
                return 0;
        t = timegm(&tm);
        if (t <= 0)
                return 0;
        if (*rest == '.')
                for (uint64_t unit = USEC_PER_SEC / 10; *++rest >= '0' && *rest <= '9'; unit /= 10)
                        usec += unit * (uint64_t) (*rest - '0');
        return (uint64_t) t * USEC_PER_SEC + usec;
}

static const char *first_address(const struct json *settings)
{
        const struct json *networks = member(settings, "Networks"), *first;
        const char *name, *address = string_or_empty(settings, "IPAddress");

        if (*address || !networks || !json_is_object(networks) || json_object_len(networks) == 0)
                return address;
        first = json_object_at(networks, 0, &name);
        address = string_or_empty(first, "IPAddress");
        return *address ? address : string_or_empty(first, "GlobalIPv6Address");
}

void docker_read_inspected(const struct json *v, struct docker_container *ret)
{
        const struct json *config = member(v, "Config"), *state = member(v, "State");
        const char *name = string_or_empty(v, "Name");
        const char *health = string_or_empty(member(state, "Health"), "Status");

        *ret = (struct docker_container){
                .pid = (pid_t) number_member(state, "Pid", INT_MAX),
                .exit_code = (int) number_member(state, "ExitCode", INT_MAX),
                .oom_killed = bool_member(state, "OOMKilled"),
                .started_usec = parse_time(string_or_empty(state, "StartedAt")),
        };
        docker_clean(ret->id, sizeof ret->id, string_or_empty(v, "Id"));
        docker_clean(ret->name, sizeof ret->name, name + (*name == '/'));
        docker_clean(ret->gear, sizeof ret->gear,
                     string_or_empty(member(config, "Labels"), DOCKER_LABEL_ID));
        docker_clean(ret->request, sizeof ret->request,
                     string_or_empty(member(config, "Labels"), DOCKER_LABEL_REQUEST));
        docker_clean(ret->image, sizeof ret->image, string_or_empty(config, "Image"));
        docker_clean(ret->state, sizeof ret->state, string_or_empty(state, "Status"));
        docker_clean(ret->health, sizeof ret->health, streq(health, "none") ? "" : health);
        docker_clean(ret->address, sizeof ret->address, first_address(member(v, "NetworkSettings")));
        docker_clean(ret->error, sizeof ret->error, string_or_empty(state, "Error"));
}

/* A listed container's health stands only in its words, "Up 2 minutes (healthy)". */
static const char *health_in(const char *words)
{
        if (strstr(words, "(healthy)"))
                return "healthy";
        if (strstr(words, "(unhealthy)"))
                return "unhealthy";
        return strstr(words, "(health: starting)") ? "starting" : "";
}

void docker_read_listed(const struct json *v, struct docker_container *ret)
{
        const struct json *names = member(v, "Names");
        const char *name = "";
        struct fault ignored;

        if (names && json_is_array(names) && json_array_len(names) > 0)
                (void) json_get_string(json_array_at(names, 0), "Names", SIZE_MAX, &name, &ignored);
        *ret = (struct docker_container){ 0 };
        docker_clean(ret->id, sizeof ret->id, string_or_empty(v, "Id"));
        docker_clean(ret->name, sizeof ret->name, name + (*name == '/'));
        docker_clean(ret->gear, sizeof ret->gear, string_or_empty(member(v, "Labels"), DOCKER_LABEL_ID));
        docker_clean(ret->image, sizeof ret->image, string_or_empty(v, "Image"));
        docker_clean(ret->state, sizeof ret->state, string_or_empty(v, "State"));
        docker_clean(ret->health, sizeof ret->health, health_in(string_or_empty(v, "Status")));
}

void docker_read_image(const struct json *v, struct docker_image *ret)
{
        const struct json *config = member(v, "Config");
        const struct json *test = member(member(config, "Healthcheck"), "Test");
        const char *how = NULL;
        struct fault ignored;

        if (test && json_is_array(test) && json_array_len(test) > 0)
                (void) json_get_string(json_array_at(test, 0), "Test", SIZE_MAX, &how, &ignored);
        *ret = (struct docker_image){ .size = number_member(v, "Size", UINT64_MAX),
                                      .has_health = how && !streq(how, "NONE") };
        docker_clean(ret->id, sizeof ret->id, string_or_empty(v, "Id"));
        docker_clean(ret->user, sizeof ret->user, string_or_empty(config, "User"));
}

bool docker_read_event(const struct json *v, struct docker_event *ret)
{
        static const char health_status[] = "health_status";
        const struct json *actor = member(v, "Actor"), *attributes = member(actor, "Attributes");
        const char *type = docker_string(v, "Type"), *action = docker_string(v, "Action");
        const char *id = docker_string(actor, "ID");

        if (!type || !action || !id || !streq(type, "container"))
                return false;
        *ret = (struct docker_event){ .action = action,
                                      .container = id,
                                      .name = string_or_empty(attributes, "name"),
                                      .gear = string_or_empty(attributes, DOCKER_LABEL_ID),
                                      .health = "",
                                      .exit_code = -1,
                                      .usec = number_member(v, "timeNano", UINT64_MAX) / 1000 };
        if (starts_with(action, health_status)) {
                const char *rest = action + strlen(health_status);

                ret->action = health_status;
                ret->health = rest + strspn(rest, ": ");
        }
        if (streq(action, "die"))
                ret->exit_code = (int) number_member(attributes, "exitCode", INT_MAX);
        return true;
}

void docker_read_pull_line(const struct json *v, struct docker_pull_line *ret)
{
        const struct json *detail = member(v, "progressDetail");
        const char *error = docker_string(member(v, "errorDetail"), "message");

        *ret = (struct docker_pull_line){ .layer = docker_string(v, "id"),
                                          .text = string_or_empty(v, "status"),
                                          .current = number_member(detail, "current", INT64_MAX),
                                          .total = number_member(detail, "total", INT64_MAX),
                                          .error = error ? error : docker_string(v, "error") };
}

void docker_read_message(const char *body, size_t len, char *ret, size_t size)
{
        struct fault ignored;
        _cleanup_(json_freep) struct json *v = json_parse_trusted(body, len, "error", &ignored);
        const char *message = docker_string(v, "message");

        docker_clean(ret, size, message ? message : body);
}
