/* SPDX-License-Identifier: Apache-2.0 */

/* Which host ports lead to the gear: what it asked for, and what it was leased. */

#include "api/ports.h"

#include "api/answer.h"
#include "api/gear-json.h"
#include "api/lookup.h"

static void ports_to_text(const struct gear *gear, struct text *t)
{
        for (size_t i = 0; i < gear->n_ports; i++) {
                const struct gear_port *port = &gear->ports[i];

                text_addf(t, "%u -> %u/%s%s%s\n", port->external, port->internal, port->udp ? "udp" : "tcp",
                          port->address ? " on " : "", port->address ? port->address : "");
        }
}

static void ports_get(struct call *call)
{
        _cleanup_text_ struct text text = { 0 }, json = { 0 };
        struct gear *gear;
        struct fault f;

        if (lookup_gear(call, &gear, &f) < 0) {
                answer_fault(call, &f);
                return;
        }
        ports_to_text(gear, &text);
        text_addc(&json, '{');
        json_name(&json, "ports");
        gear_ports_to_json(gear, &json);
        text_add(&json, "}\n");
        answer_either(call, 200, text_ok(&text) && text.data ? text.data : "", &json);
}

static const struct route routes[] = {
        { HTTP_GET, "/container/ports", ports_get, "gear.read", ROUTE_TOKEN, "The host ports of the gear" },
        { HTTP_GET, "/container/{id}/ports", ports_get, "gear.read", 0, "The host ports of the gear" },
};
const struct route_table ports_routes = { routes, ARRAY_SIZE(routes) };
