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

static void container_put(struct call *call)
{
        struct daemon *d = call->daemon;
        struct spec spec = { 0 };
        struct request *request;
        char id[GEAR_ID_MAX + 1], user[USER_MAX + 1];
        const char *named;
        bool plan;
        struct fault f;
        int r;

        r = call_gear_id(call, &named, &f);
        if (r == 0)
                r = call_flag(call, "plan", &plan, &f);
        if (r == 0)
                r = room_for_one_more(d, named, &f);
        if (r == 0)
                r = decode_spec(call, &spec, &f);
        if (r < 0) {
                answer_fault(call, &f);
                return;
        }
        if (plan) {
                plan_answer(call, named, &spec);
                spec_reset(&spec);
                return;
        }
        /* The call and its strings may be gone once its reply is. */
        (void) snprintf(id, sizeof id, "%s", named);
        (void) snprintf(user, sizeof user, "%s", call->who.user);
        request = change_begin(call);
        if (request)
                install_submit(d, request, id, user, &spec);
        else
                spec_reset(&spec);
}

#define CHANGE (ROUTE_CHANGE | ROUTE_BODY | ROUTE_STREAM)

static const struct route routes[] = {
        { HTTP_PUT, "/container", container_put, "gear.create", CHANGE | ROUTE_TOKEN,
          "Create the gear, or replace it; ?plan=yes only tells what would happen" },
        { HTTP_PUT, "/container/{id}", container_put, "gear.create", CHANGE,
          "Create the gear, or replace it; ?plan=yes only tells what would happen" },
};
const struct route_table container_routes = { routes, ARRAY_SIZE(routes) };
