/* SPDX-License-Identifier: Apache-2.0 */

/*
 * GET /openapi.json.  Paths, methods, rights and summaries come from the route
 * tables themselves, so that no route can be missing; query parameters from the
 * table that every call is checked against; only the bodies are written down here.
 */

#include "api/openapi.h"

#include "api/answer.h"
#include "api/parameters.h"
#include "build-config.h"

#include <ctype.h>

#define TOKEN_PREFIX "/token/{token}"

/* --- what the tables do not know ----------------------------------------------------------------- */

static const struct {
        const char *call, *schema;
} bodies[] = {
        { "/container", "Container" },
        { "/container/env", "Environment" },
        { "/repository", "Repository" },
        { "/jobs", "Job" },
};

/* JSON with ' for ": it is to be read by people here. */
/* clang-format off */
static const char security_schemes[] =
        "{'bearer':{'type':'http','scheme':'bearer','description':'A token whose claim a grants"
        " the right named. A Unix socket with Auth=peer needs none.'}}";

static const char responses[] =
        "{'Problem':{'description':'It did not work: the sentence says why, field what is to blame',"
        "'content':{'application/problem+json':{'schema':{'$ref':'#/components/schemas/Problem'}},"
        "'text/plain':{'schema':{'type':'string'}}}},"
        "'Running':{'description':'It takes longer than wait; Location tells where to ask',"
        "'headers':{'Location':{'schema':{'type':'string'}}}}}";

static const char schemas[] =
        "{'Problem':{'type':'object','required':['title','status','detail'],'properties':{"
        "'type':{'type':'string'},'title':{'type':'string'},'status':{'type':'integer'},"
        "'detail':{'type':'string'},'field':{'type':'string'}}},"
        "'Duration':{'type':['string','integer'],'description':'Seconds, or a text like 90s, 500ms, 1h30m',"
        "'examples':['90s']},"
        "'Port':{'type':['integer','string'],'description':'1 to 65535, also as a string of digits'},"
        "'Environment':{'description':'Names and values; with PATCH, null removes a variable','oneOf':["
        "{'type':'object','additionalProperties':{'type':['string','null'],'maxLength':32768}},"
        "{'type':'array','items':{'type':'object','required':['name','value'],'properties':{"
        "'name':{'type':'string'},'value':{'type':'string'}}}},"
        "{'type':'array','items':{'type':'string','pattern':'^[A-Za-z_][A-Za-z0-9_]*='}}]},"
        "'Health':{'type':'object','description':'One of command, http and tcp','properties':{"
        "'command':{'type':['array','string'],'items':{'type':'string'}},"
        "'http':{'type':['object','string'],'description':'A path, or port and path'},"
        "'tcp':{'$ref':'#/components/schemas/Port'},'port':{'$ref':'#/components/schemas/Port'},"
        "'interval':{'$ref':'#/components/schemas/Duration'},"
        "'timeout':{'$ref':'#/components/schemas/Duration'},"
        "'start_period':{'$ref':'#/components/schemas/Duration'},"
        "'retries':{'type':'integer','minimum':1,'maximum':100}}},"
        "'Ready':{'description':'When a start counts as done','oneOf':["
        "{'enum':['running','healthy','tcp','http']},"
        "{'type':'object','properties':{'running':{'const':true},'healthy':{'const':true},"
        "'tcp':{'type':['integer','string','object','boolean']},"
        "'http':{'type':['string','object','boolean']},"
        "'log':{'type':'string','description':'A POSIX extended regular expression for a line'},"
        "'port':{'$ref':'#/components/schemas/Port'},'timeout':{'$ref':'#/components/schemas/Duration'}}}]},"
        "'Repository':{'type':'object','additionalProperties':false,"
        "'description':'An empty repository, or a clone','properties':{"
        "'url':{'type':'string','maxLength':2048,"
        "'description':'https, http, ssh or git; must be the claim t of the token, where that has one'},"
        "'description':{'type':'string','maxLength':255},"
        "'branch':{'type':'string','description':'The first one of an empty repository'}}},"
        "'Job':{'description':'A container that runs once, or whenever its schedule says: the fields of a gear, but for"
        " restart, health, ready, started and, without a schedule, replace','allOf':[{'$ref':'#/components/schemas/Gear'}],'properties':{"
        "'id':{'type':'string','description':'Without it and one in the path or token, that of the request'},"
        "'timeout':{'$ref':'#/components/schemas/Duration'},"
        "'retries':{'type':'integer','minimum':0,'maximum':100,'default':0},"
        "'schedule':{'type':'string','minLength':1,'maxLength':256,'description':'A calendar event as in systemd.time(7)',"
        "'examples':['daily','Mon..Fri *-*-* 04:30:00 Europe/Berlin']},"
        "'restart':false,'health':false,'ready':false,'started':false},'dependentRequired':{'replace':['schedule']},"
        "'unevaluatedProperties':false},"
        "'Container':{'allOf':[{'$ref':'#/components/schemas/Gear'}],'unevaluatedProperties':false},"
        "'Gear':{'type':'object',"
        "'description':'What a gear is. Names are matched without regard to case.','properties':{"
        "'image':{'type':'string','description':'Must be the claim t of the token, where that has one'},"
        "'command':{'type':['array','string'],'items':{'type':'string'},"
        "'description':'A string is split like a shell would; without it, the command of the image'},"
        "'env':{'$ref':'#/components/schemas/Environment'},"
        "'ports':{'type':'array','maxItems':32,'items':{'type':'object','required':['internal'],"
        "'properties':{"
        "'internal':{'$ref':'#/components/schemas/Port'},"
        "'external':{'type':['integer','string'],'description':'0 or absent: leased from PortRange='},"
        "'protocol':{'enum':['tcp','udp']},'address':{'type':'string'}}}},"
        "'volumes':{'type':'array','maxItems':32,'items':{'type':'object','required':['target'],"
        "'properties':{"
        "'name':{'type':'string','description':'A volume of this gear'},"
        "'source':{'type':'string','description':'A host path: needs the right gear.host'},"
        "'target':{'type':'string'},'read_only':{'type':'boolean'}}}},"
        "'memory':{'type':['integer','string'],'description':'Bytes, or a size like 64m, 1.5G'},"
        "'cpus':{'type':['number','string'],'minimum':0.01},"
        "'pids':{'type':['integer','string'],'minimum':1},"
        "'user':{'type':'string'},'workdir':{'type':'string'},'hostname':{'type':'string'},"
        "'read_only':{'type':'boolean'},"
        "'cap_add':{'type':'array','items':{'type':'string'},'description':'Needs the right gear.host'},"
        "'cap_drop':{'type':'array','items':{'type':'string'}},"
        "'devices':{'type':'array','items':{'type':'string'},'description':'Needs the right gear.host'},"
        "'privileged':{'type':'boolean','description':'Needs the right gear.host'},"
        "'pid_mode':{'type':'string','description':'host: needs the right gear.host'},"
        "'labels':{'type':'object','maxProperties':64,'additionalProperties':{'type':'string'}},"
        "'network':{'type':'string','description':'host needs the right gear.host'},"
        "'restart':{'enum':['always','on-failure','no'],'default':'always'},"
        "'stop_timeout':{'$ref':'#/components/schemas/Duration'},'stop_signal':{'type':'string'},"
        "'pull':{'enum':['missing','always','never'],'default':'missing'},"
        "'health':{'$ref':'#/components/schemas/Health'},'ready':{'$ref':'#/components/schemas/Ready'},"
        "'started':{'type':'boolean','default':true},"
        "'replace':{'type':'boolean','default':false,"
        "'description':'Take the place of another gear of this id'}}}}";
/* clang-format on */

static void add_plain(struct text *t, const char *name, const char *json)
{
        json_name(t, name);
        for (const char *c = json; *c; c++)
                text_addc(t, *c == '\'' ? '"' : *c);
}

/* --- one operation ------------------------------------------------------------------------------- */

static const char *method_name(enum http_method m)
{
        static const char *const names[] = {
                [HTTP_GET] = "get",         [HTTP_HEAD] = "head",   [HTTP_PUT] = "put",
                [HTTP_POST] = "post",       [HTTP_PATCH] = "patch", [HTTP_DELETE] = "delete",
                [HTTP_OPTIONS] = "options",
        };

        return names[m];
}

static void next(struct text *t)
{
        if (t->len > 0 && !strchr("{[", t->data[t->len - 1]))
                text_addc(t, ',');
}

static void add_parameter(struct text *t, const char *in, const char *name, size_t len, const char *about)
{
        next(t);
        text_addc(t, '{');
        json_name(t, "name");
        json_outn(t, name, len);
        json_put(t, "in", in);
        if (streq(in, "path"))
                json_putb(t, "required", true);
        if (about)
                json_put(t, "description", about);
        add_plain(t, "schema", "{'type':'string'}}");
}

static void add_parameters(struct text *t, const struct route *route, bool token)
{
        const struct parameter *parameter;

        json_name(t, "parameters");
        text_addc(t, '[');
        if (token)
                add_parameter(
                        t, "path", "token", strlen("token"),
                        "a token; or, where TestToken=yes, __test__ with its claims in the query");
        for (const char *open = strchr(route->pattern, '{'); open; open = strchr(open + 1, '{'))
                add_parameter(t, "path", open + 1, strcspn(open + 1, "*}"), NULL);
        for (size_t i = 0; (parameter = parameters_of(route, token, i)); i++)
                add_parameter(t, "query", parameter->name, strlen(parameter->name), parameter->text);
        if (route->flags & ROUTE_CHANGE)
                add_parameter(t, "header", "X-Request-Id", strlen("X-Request-Id"),
                              "1 to 32 hex digits: the same id again is the same request again");
        text_addc(t, ']');
}

static void add_body(struct text *t, const struct route *route)
{
        const char *schema = NULL;

        if (route->flags & ROUTE_UPLOAD)
                add_plain(t, "requestBody", "{'content':{'*/*':{}}}");
        if (!(route->flags & ROUTE_BODY))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(bodies) && route->method != HTTP_DELETE; i++)
                if (pattern_is_call(route->pattern, bodies[i].call))
                        schema = bodies[i].schema;
        json_name(t, "requestBody");
        text_add(t, "{\"content\":{\"application/json\":{\"schema\":{");
        if (schema)
                text_addf(t, "\"$ref\":\"#/components/schemas/%s\"", schema);
        text_add(t, "}}}}");
}

static void add_answers(struct text *t, const struct route *route)
{
        json_name(t, "responses");
        text_add(t, "{\"2XX\":{\"description\":\"It is so\",\"content\":{");
        text_add(t, "\"text/plain\":{},\"application/json\":{}");
        if (route->flags & ROUTE_STREAM)
                text_add(t, ",\"text/event-stream\":{}");
        text_add(t, "}}");
        if (route->flags & ROUTE_CHANGE)
                add_plain(t, "202", "{'$ref':'#/components/responses/Running'}");
        add_plain(t, "default", "{'$ref':'#/components/responses/Problem'}}");
}

static void add_security(struct text *t, const struct route *route, bool token)
{
        json_name(t, "security");
        if (token || route->flags & ROUTE_OPEN) {
                text_add(t, "[]"); /* the path carries the token, or none is needed */
        } else {
                text_add(t, "[{\"bearer\":[");
                if (route->right)
                        json_out(t, route->right);
                text_add(t, "]},{}]");
        }
        if (route->right)
                json_put(t, "x-right", route->right);
}

/* put /container/{id}/env below a token: put_token_container_id_env */
static void add_operation_id(struct text *t, const struct route *route, bool token)
{
        json_name(t, "operationId");
        text_addf(t, "\"%s%s", method_name(route->method), token ? "_token" : "");
        for (const char *c = route->pattern; *c; c++)
                if (*c == '/')
                        text_addc(t, '_');
                else if (isalnum((unsigned char) *c))
                        text_addc(t, *c);
        text_addc(t, '"');
}

static void add_operation(struct text *t, const struct route *route, bool token)
{
        json_name(t, method_name(route->method));
        text_addc(t, '{');
        add_operation_id(t, route, token);
        json_put(t, "summary", route->summary);
        add_parameters(t, route, token);
        add_body(t, route);
        add_answers(t, route);
        add_security(t, route, token);
        text_addc(t, '}');
}

/* --- all of them --------------------------------------------------------------------------------- */

struct routes_of_all {
        const struct route_table *tables;
        size_t n_tables;
};

static const struct route *route_at(const struct routes_of_all *all, size_t i)
{
        for (size_t k = 0; k < all->n_tables; k++) {
                if (i < all->tables[k].n_routes)
                        return &all->tables[k].routes[i];
                i -= all->tables[k].n_routes;
        }
        return NULL;
}

/* A call without credentials gains nothing from a token in its path. */
static bool is_spelt(const struct route *route, bool token)
{
        return token ? !(route->flags & ROUTE_OPEN) : !(route->flags & ROUTE_TOKEN);
}

static bool came_before(const struct routes_of_all *all, const struct route *route, bool token)
{
        const struct route *earlier;

        for (size_t i = 0; (earlier = route_at(all, i)) && earlier != route; i++)
                if (is_spelt(earlier, token) && streq(earlier->pattern, route->pattern))
                        return true;
        return false;
}

static void add_paths(struct text *t, const struct routes_of_all *all, bool token)
{
        const struct route *route, *other;

        for (size_t i = 0; (route = route_at(all, i)); i++) {
                if (!is_spelt(route, token) || came_before(all, route, token))
                        continue;
                next(t);
                text_addf(t, "\"%s", token ? TOKEN_PREFIX : "");
                for (const char *c = route->pattern; *c; c++)
                        if (*c != '*') /* {ref*}, where slashes are part of it */
                                text_addc(t, *c);
                text_add(t, "\":{");
                for (size_t k = i; (other = route_at(all, k)); k++)
                        if (is_spelt(other, token) && streq(other->pattern, route->pattern))
                                add_operation(t, other, token);
                text_addc(t, '}');
        }
}

void openapi_write(const struct route_table *tables, size_t n_tables, struct text *t)
{
        const struct routes_of_all all = { tables, n_tables };

        text_addc(t, '{');
        json_put(t, "openapi", "3.1.0");
        add_plain(t, "info",
                  "{'title':'geard','version':'" PACKAGE_VERSION "',"
                  "'description':'Containers as systemd units. Errors are application/problem+json or one "
                  "line.'}");
        json_name(t, "paths");
        text_addc(t, '{');
        add_paths(t, &all, false);
        add_paths(t, &all, true);
        text_addc(t, '}');
        json_name(t, "components");
        text_addc(t, '{');
        add_plain(t, "securitySchemes", security_schemes);
        add_plain(t, "responses", responses);
        add_plain(t, "schemas", schemas);
        text_add(t, "}}\n");
}

static void openapi_get(struct call *call)
{
        _cleanup_text_ struct text t = { 0 };

        openapi_write(call->daemon->routes, call->daemon->n_routes, &t);
        answer_json(call, 200, &t);
}

static const struct route routes[] = {
        { HTTP_GET, "/openapi.json", openapi_get, NULL, ROUTE_OPEN, "This description" },
};
const struct route_table openapi_routes = { routes, ARRAY_SIZE(routes) };
