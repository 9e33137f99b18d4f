/* SPDX-License-Identifier: Apache-2.0 */

#include "api/routes.h"

#include "api/container.h"
#include "api/content.h"
#include "api/environment.h"
#include "api/git-http.h"
#include "api/job.h"
#include "api/list.h"
#include "api/log.h"
#include "api/openapi.h"
#include "api/ops.h"
#include "api/remove.h"
#include "api/repository-log.h"
#include "api/repository.h"
#include "api/requests.h"
#include "api/service-log.h"
#include "api/state.h"
#include "api/trail.h"

#include <assert.h>

void api_routes(struct route_table ret[static API_TABLES])
{
        static const struct route_table *const all[] = {
                &container_routes,  &remove_routes,         &state_routes,   &list_routes, &environment_routes, &log_routes,
                &repository_routes, &repository_log_routes, &content_routes, &git_routes,  &requests_routes,    &trail_routes,
                &ops_routes,        &openapi_routes,        &job_routes,            &service_log_routes,
        };

        static_assert(ARRAY_SIZE(all) == API_TABLES, "each has its place");
        for (size_t i = 0; i < API_TABLES; i++)
                ret[i] = *all[i];
}
