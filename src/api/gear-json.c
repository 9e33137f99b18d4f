/* SPDX-License-Identifier: Apache-2.0 */

#include "api/gear-json.h"

#include "api/answer.h"
#include "api/failure.h"

#include <stdio.h>
#include <time.h>

static void put_time(struct text *t, const char *name, uint64_t usec)
{
        char text[40] = "";
        time_t seconds = (time_t) (usec / 1000000);
        struct tm tm;

        if (usec && gmtime_r(&seconds, &tm))
                (void) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        json_put(t, name, usec ? text : NULL);
}

void gear_ports_to_json(const struct gear *gear, struct text *t)
{
        text_addc(t, '[');
        for (size_t i = 0; i < gear->n_ports; i++) {
                const struct gear_port *port = &gear->ports[i];

                text_add(t, i ? ",{" : "{");
                json_putu(t, "internal", port->internal);
                json_putu(t, "external", port->external);
                json_put(t, "protocol", port->udp ? "udp" : "tcp");
                if (port->address)
                        json_put(t, "address", port->address);
                text_addc(t, '}');
        }
        text_addc(t, ']');
}

/* --- the members, each with its name: one table for whole rows and for ?fields= ------------------ */

static void put_id(struct gear *g, struct text *t)
{
        json_put(t, "id", g->id);
}

static void put_image(struct gear *g, struct text *t)
{
        json_put(t, "image", g->image);
}

static void put_state(struct gear *g, struct text *t)
{
        json_put(t, "state", gear_state_name(gear_state_of(g)));
}

static void put_unit(struct gear *g, struct text *t)
{
        char unit[UNIT_NAME_MAX];

        gear_unit_name(g->id, unit);
        json_name(t, "unit");
        text_addc(t, '{');
        json_put(t, "name", unit);
        json_put(t, "active", g->active);
        json_put(t, "sub", g->sub);
        json_put(t, "result", g->result[0] ? g->result : NULL);
        text_addc(t, '}');
}

static void put_container(struct gear *g, struct text *t)
{
        json_put(t, "container", g->container[0] ? g->container : NULL);
}

static void put_health(struct gear *g, struct text *t)
{
        json_put(t, "health", g->health[0] ? g->health : NULL);
}

static void put_ports(struct gear *g, struct text *t)
{
        json_name(t, "ports");
        gear_ports_to_json(g, t);
}

static void put_labels(struct gear *g, struct text *t)
{
        json_name(t, "labels");
        text_addc(t, '{');
        for (size_t i = 0; i < g->n_labels; i++)
                json_put(t, g->labels[i].name, g->labels[i].value);
        text_addc(t, '}');
}

static void put_user(struct gear *g, struct text *t)
{
        json_put(t, "user", g->user);
}

static void put_created(struct gear *g, struct text *t)
{
        put_time(t, "created", g->created_usec);
}

static void put_since(struct gear *g, struct text *t)
{
        put_time(t, "since", g->since_usec);
}

static void put_restarts(struct gear *g, struct text *t)
{
        json_putu(t, "restarts", g->restarts);
}

/* Only of a run that came to an end. */
static void put_exit(struct gear *g, struct text *t)
{
        _cleanup_text_ struct text why = { 0 };

        if (streq(g->active, "active") || !g->exit_code)
                return;
        failure_of_exit(&why, g->exit_code, g->exit_status, g->oom_killed);
        json_name(t, "exit");
        text_addc(t, '{');
        json_putu(t, "status", (uint64_t) g->exit_status);
        json_put(t, "meaning", text_ok(&why) && why.data ? why.data : NULL);
        text_addc(t, '}');
}

static void put_damage(struct gear *g, struct text *t)
{
        const char *why = g->damage ? g->damage : g->load_error;

        if (why)
                json_put(t, "damage", why);
}

static const struct {
        const char *name;
        void (*put)(struct gear *g, struct text *t);
} members[] = {
        { "id", put_id },           { "image", put_image },   { "state", put_state },   { "unit", put_unit },
        { "container", put_container }, { "health", put_health }, { "ports", put_ports }, { "labels", put_labels },
        { "user", put_user },       { "created", put_created }, { "since", put_since },   { "restarts", put_restarts }, { "exit", put_exit },
        { "damage", put_damage },
};

void gear_to_json(struct gear *gear, struct text *t)
{
        if (!gear->row) {
                struct text row = { 0 };

                text_addc(&row, '{');
                for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                        members[i].put(gear, &row);
                text_addc(&row, '}');
                gear->row = text_take(&row);
        }
        text_add(t, gear->row ? gear->row : "null");
}

bool gear_field_exists(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                if (streq(members[i].name, name))
                        return true;
        return false;
}

bool gear_fields_to_json(struct gear *gear, char *const *fields, struct text *t)
{
        text_addc(t, '{');
        for (; *fields; fields++) {
                if (!gear_field_exists(*fields))
                        return false;
                for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                        if (streq(members[i].name, *fields))
                                members[i].put(gear, t);
        }
        text_addc(t, '}');
        return true;
}

/* --- for people --------------------------------------------------------------------------------------- */

void gear_to_text(const struct gear *gear, struct text *t)
{
        _cleanup_text_ struct text why = { 0 };
        char when[40] = "";
        time_t since = (time_t) (gear->since_usec / 1000000);
        struct tm tm;

        text_addf(t, "gear-%s.service - Gear %s (%s)\n", gear->id, gear->id, gear->image ? gear->image : "?");
        text_addf(t, "     State: %s", gear_state_name(gear_state_of(gear)));
        if (gear->since_usec && gmtime_r(&since, &tm) &&
            strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm))
                text_addf(t, " since %s", when);
        text_addf(t, "\n      Unit: %s (%s)%s%s\n", gear->active, gear->sub, gear->result[0] ? ", result " : "",
                  gear->result);
        if (gear->container[0])
                text_addf(t, " Container: %s, %s%s%s, pid %d\n", gear->container, gear->container_state,
                          gear->health[0] ? ", " : "", gear->health, gear->pid);
        for (size_t i = 0; i < gear->n_ports; i++)
                text_addf(t, "      Port: %u -> %u/%s\n", gear->ports[i].external, gear->ports[i].internal,
                          gear->ports[i].udp ? "udp" : "tcp");
        text_addf(t, "  Restarts: %u\n", gear->restarts);
        if (gear->exit_code && !streq(gear->active, "active")) {
                failure_of_exit(&why, gear->exit_code, gear->exit_status, gear->oom_killed);
                text_addf(t, "      Exit: it %s\n", text_ok(&why) && why.data ? why.data : "?");
        }
        if (gear->damage || gear->load_error)
                text_addf(t, "    Damage: %s\n", gear->damage ? gear->damage : gear->load_error);
}

void gear_to_row(const struct gear *gear, struct text *t)
{
        text_addf(t, "%-20s %-11s %-10s %-12s ", gear->id, gear_state_name(gear_state_of(gear)),
                  gear->health[0] ? gear->health : "-", gear->container[0] ? gear->container : "-");
        for (size_t i = 0; i < gear->n_ports; i++)
                text_addf(t, "%s%u->%u", i ? "," : "", gear->ports[i].external, gear->ports[i].internal);
        text_addf(t, "%s %s\n", gear->n_ports ? "" : "-", gear->image ? gear->image : "?");
}

void gear_port_header(const struct gear *gear, struct outcome *outcome)
{
        _cleanup_text_ struct text t = { 0 };

        for (size_t i = 0; i < gear->n_ports; i++)
                text_addf(&t, "%s%u:%u", i ? "," : "", gear->ports[i].internal, gear->ports[i].external);
        if (text_ok(&t) && t.data)
                outcome_header(outcome, "x-PortMapping", "%s", t.data);
}
