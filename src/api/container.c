/* SPDX-License-Identifier: Apache-2.0 */

/* PUT /container: the body decoded and decided upon; the work is api/install. */

#include "api/container.h"

#include "api/answer.h"
#include "api/change.h"
#include "api/index.h"
#include "api/install.h"
#include "api/plan.h"

#include <stdio.h>

/* The spec that this call asks for: image from the claim or the body, rights, limits of this host. */
static int decode_spec(struct call *call, struct spec *ret, struct fault *f)
{
        _cleanup_(json_freep) struct json *body = NULL;
        const char *image = call->who.t && *call->who.t ? call->who.t : NULL;
        int r;

        r = call_body(call, &body, f);
        if (r < 0)
                return r;
        r = spec_from_json(body, image, ret, f);
        if (r < 0)
                return r;
        if (!ret->stop_timeout_given)
                ret->stop_timeout_usec = call->daemon->config->stop_timeout_usec;
        r = install_check(call->daemon, ret, access_may_reach_host(&call->who), f);
        if (r < 0)
                spec_reset(ret);
        return r;
}

static int room_for_one_more(const struct daemon *d, const char *id, struct fault *f)
{
        if (gears_find(d->gears, id) || gears_count(d->gears) < d->config->gears_max)
                return 0;
        (void) fault_set(f, FAULT_BUSY, NULL, "this host holds %u gears already (GearsMax=)", d->config->gears_max);
        return -EBUSY;
}

/* What is left of the call when its intent is on the disk. */
struct creation {
        char id[GEAR_ID_MAX + 1], user[USER_MAX + 1];
        struct spec spec;
};

static void creation_begun(struct daemon *d, struct request *request, void *arg)
{
        _cleanup_free_ struct creation *creation = arg;

        if (request)
                install_submit(d, request, creation->id, creation->user, &creation->spec);
        else
                spec_reset(&creation->spec);
}

/* Takes the spec. */
static void create(struct call *call, const char *id, struct spec *spec, const char *verb)
{
        struct creation *creation = calloc(1, sizeof *creation);
        struct fault f;

        if (!creation) {
                spec_reset(spec);
                (void) fault_oom(&f);
                answer_fault(call, &f);
                return;
        }
        (void) snprintf(creation->id, sizeof creation->id, "%s", id);
        (void) snprintf(creation->user, sizeof creation->user, "%s", call->who.user);
        creation->spec = *spec;
        change_begin(call, SUBJECT_GEAR, creation->id, verb, creation_begun, creation);
}

static const char *verb_of(const struct daemon *d, const char *id, struct spec *spec)
{
        const struct gear *gear = gears_find(d->gears, id);
        bool same = false;
        struct fault ignored;

        if (!gear || !gear->image || !spec->started || install_compare(d, id, spec, &same, &ignored) < 0)
                return "created";
        return same ? CHANGE_KEPT : "created";
}

static void container_put(struct call *call)
{
        struct spec spec = { 0 };
        const char *id;
        bool plan;
        struct fault f;
        int r;

        r = call_gear_id(call, &id, &f);
        if (r == 0)
                r = call_flag(call, "plan", &plan, &f);
        if (r == 0)
                r = room_for_one_more(call->daemon, id, &f);
        if (r == 0)
                r = decode_spec(call, &spec, &f);
        if (r < 0) {
                answer_fault(call, &f);
        } else if (plan) {
                plan_answer(call, id, &spec);
                spec_reset(&spec);
        } else {
                create(call, id, &spec, verb_of(call->daemon, id, &spec));
        }
}

#define CHANGE (ROUTE_CHANGE | ROUTE_BODY | ROUTE_STREAM)

static const struct route routes[] = {
        { HTTP_PUT, "/container", container_put, "gear.create", CHANGE | ROUTE_TOKEN,
          "Create the gear, or replace it; ?plan=yes only tells what would happen" },
        { HTTP_PUT, "/container/{id}", container_put, "gear.create", CHANGE,
          "Create the gear, or replace it; ?plan=yes only tells what would happen" },
};
const struct route_table container_routes = { routes, ARRAY_SIZE(routes) };
