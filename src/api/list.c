/* SPDX-License-Identifier: Apache-2.0 */

/* GET /containers and the status of one: answered from the index alone. */

#include "api/list.h"

#include "api/answer.h"
#include "api/gear-json.h"
#include "api/index.h"
#include "api/lookup.h"
#include "api/usage.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>

struct filter {
        const char *state;          /* NULL: any */
        const char *name;           /* a glob over ids */
        char *label;                /* "name" or "name=value" */
        char *label_value;          /* points into label; NULL: any value */
        const char *after;
        uint64_t limit;
        char **fields;              /* NULL: all */
};

static void filter_reset(struct filter *filter)
{
        free(filter->label);
        (void) strv_free(filter->fields);
}

static int read_state(struct filter *filter, struct fault *f)
{
        for (int s = 0; filter->state && s < N_STATES; s++)
                if (streq(filter->state, gear_state_name((enum gear_state) s)))
                        return 0;
        if (!filter->state)
                return 0;
        return fault_set(f, FAULT_INVALID, "state",
                         "state: creating, running, starting, waiting, stopping, stopped, restarting, failed or "
                         "damaged is expected");
}

static int read_label(struct filter *filter, const char *label, struct fault *f)
{
        if (!label)
                return 0;
        filter->label = strdup(label);
        if (!filter->label)
                return fault_oom(f);
        filter->label_value = strchr(filter->label, '=');
        if (filter->label_value)
                *filter->label_value++ = '\0';
        return 0;
}

static bool is_among(char *const *fields, const char *name)
{
        for (; fields && *fields; fields++)
                if (streq(*fields, name))
                        return true;
        return false;
}

static int read_fields(struct filter *filter, const char *fields, struct fault *f)
{
        _cleanup_free_ char *copy = fields ? strdup(fields) : NULL;
        char *save = NULL;

        if (fields && !copy)
                return fault_oom(f);
        for (char *name = copy ? strtok_r(copy, ",", &save) : NULL; name; name = strtok_r(NULL, ",", &save)) {
                if (!gear_field_exists(name))
                        return fault_set(f, FAULT_INVALID, "fields", "fields: there is no `%s'", name);
                if (is_among(filter->fields, name))
                        return fault_set(f, FAULT_INVALID, "fields", "fields: `%s' is given twice", name);
                if (strv_add(&filter->fields, name) < 0)
                        return fault_oom(f);
        }
        return 0;
}

/* Sent by those who know lists that leave the stopped ones out; ours never does. */
static int check_all(const char *all, struct fault *f)
{
        if (!all || streq(all, "1") || streq(all, "yes") || streq(all, "true"))
                return 0;
        return fault_set(f, FAULT_INVALID, "all", "all: can only be 1, state= selects gears");
}

static int read_filter(const struct call *call, struct filter *filter, struct fault *f)
{
        const char *limit = http_param(call->request, "limit");

        *filter = (struct filter){ .state = http_param(call->request, "state"),
                                   .name = http_param(call->request, "name"),
                                   .after = http_param(call->request, "after"),
                                   .limit = LIST_LIMIT_MAX };
        if (limit && (!parse_u64(limit, LIST_LIMIT_MAX, &filter->limit) || filter->limit == 0))
                return fault_set(f, FAULT_INVALID, "limit", "limit: 1 to %d are allowed", LIST_LIMIT_MAX);
        if (filter->after && gear_id_check(filter->after, "after", f) < 0)
                return -EINVAL;
        if (check_all(http_param(call->request, "all"), f) < 0)
                return -EINVAL;
        if (read_state(filter, f) < 0 || read_label(filter, http_param(call->request, "label"), f) < 0)
                return -EINVAL;
        return read_fields(filter, http_param(call->request, "fields"), f);
}

static bool label_matches(const struct filter *filter, const struct gear *gear)
{
        for (size_t i = 0; i < gear->n_labels; i++)
                if (streq(gear->labels[i].name, filter->label) &&
                    (!filter->label_value || streq(gear->labels[i].value, filter->label_value)))
                        return true;
        return false;
}

static bool matches(const struct filter *filter, const struct identity *who, const struct gear *gear)
{
        if (!access_covers(who, gear->id))
                return false;
        if (filter->state && !streq(filter->state, gear_state_name(gear_state_of(gear))))
                return false;
        if (filter->name && fnmatch(filter->name, gear->id, 0) != 0)
                return false;
        return !filter->label || label_matches(filter, gear);
}

static void add_gear(struct filter *filter, struct gear *gear, bool json, bool first, struct text *t)
{
        if (!json) {
                gear_to_row(gear, t);
                return;
        }
        if (!first)
                text_addc(t, ',');
        if (filter->fields)
                (void) gear_fields_to_json(gear, filter->fields, t);
        else
                gear_to_json(gear, t);
}

/* The id after which to go on, "" when these were all. */
static const char *add_gears(const struct call *call, struct filter *filter, bool json, struct text *t)
{
        const struct gears *gears = call->daemon->gears;
        const char *last = "";
        uint64_t n = 0;

        for (size_t i = gears_after(gears, filter->after); i < gears_count(gears); i++) {
                struct gear *gear = gears_at(gears, i);

                if (!matches(filter, &call->who, gear))
                        continue;
                if (n == filter->limit)
                        return last;
                add_gear(filter, gear, json, n == 0, t);
                last = gear->id;
                n++;
        }
        return "";
}

/* The index moves its revision with every change, so one number stands for any list of it. */
static bool client_has_it(struct call *call)
{
        char tag[64];

        (void) snprintf(tag, sizeof tag, "\"%" PRIx64 "-%" PRIx64 "%s\"", call->daemon->began_usec,
                        gears_revision(call->daemon->gears), call_wants_json(call->request) ? "j" : "t");
        reply_header(call->reply, "ETag", tag);
        reply_header(call->reply, "Vary", "Accept, Authorization");
        return http_has_tag(call->request, tag);
}

static void containers_get(struct call *call)
{
        _cleanup_(filter_reset) struct filter filter = { 0 };
        _cleanup_text_ struct text t = { 0 };
        bool json = call_wants_json(call->request);
        const char *next;
        struct fault f;

        if (read_filter(call, &filter, &f) < 0 || index_need_systemd(call->daemon, &f) < 0) {
                answer_fault(call, &f);
                return;
        }
        if (client_has_it(call)) {
                answer_empty(call, 304);
                return;
        }
        if (json)
                text_add(&t, "{\"containers\":[");
        else
                text_addf(&t, "%-20s %-11s %-10s %-12s %s\n", "ID", "STATE", "HEALTH", "CONTAINER", "PORTS IMAGE");
        next = add_gears(call, &filter, json, &t);
        if (json) {
                text_add(&t, "]");
                json_put(&t, "next", *next ? next : NULL);
                text_add(&t, "}\n");
                answer_json(call, 200, &t);
        } else {
                if (*next)
                        text_addf(&t, "# more: after=%s\n", next);
                answer_text(call, 200, text_ok(&t) ? t.data : "");
        }
}

/* --- one gear --------------------------------------------------------------------------------------- */

static void add_usage(struct gear *gear, bool json, struct text *t)
{
        struct usage usage;

        usage_of(gear, now_usec(), &usage);
        if (json) {
                text_truncate(t, t->len - 1); /* the row's closing brace */
                if (usage.memory != UINT64_MAX)
                        json_putu(t, "memory", usage.memory);
                if (usage.cpu_usec != UINT64_MAX)
                        json_putu(t, "cpu_usec", usage.cpu_usec);
                json_putu(t, "pid", gear->pid > 0 ? (uint64_t) gear->pid : 0);
                text_add(t, "}\n");
                return;
        }
        if (usage.memory != UINT64_MAX)
                text_addf(t, "    Memory: %.1f MiB\n", (double) usage.memory / (1 << 20));
        if (usage.cpu_usec != UINT64_MAX)
                text_addf(t, "       CPU: %.3f s\n", (double) usage.cpu_usec / 1e6);
}

static void status_get(struct call *call)
{
        _cleanup_text_ struct text t = { 0 };
        bool json = call_wants_json(call->request);
        struct gear *gear;
        struct fault f;

        if (lookup_gear(call, &gear, &f) < 0 || index_need_systemd(call->daemon, &f) < 0) {
                answer_fault(call, &f);
                return;
        }
        if (json) {
                gear_to_json(gear, &t);
                add_usage(gear, true, &t);
                answer_json(call, 200, &t);
        } else {
                gear_to_text(gear, &t);
                add_usage(gear, false, &t);
                answer_text(call, 200, text_ok(&t) ? t.data : "");
        }
}

static const struct route routes[] = {
        { HTTP_GET, "/containers", containers_get, "gear.read", 0,
          "All gears; ?state= &label= &name= &limit= &after= &fields=" },
        { HTTP_GET, "/container", status_get, "gear.read", ROUTE_TOKEN, "How the gear is" },
        { HTTP_GET, "/container/{id}", status_get, "gear.read", 0, "How the gear is" },
        { HTTP_GET, "/container/status", status_get, "gear.read", ROUTE_TOKEN, "How the gear is" },
        { HTTP_GET, "/container/{id}/status", status_get, "gear.read", 0, "How the gear is" },
};
const struct route_table list_routes = { routes, ARRAY_SIZE(routes) };
