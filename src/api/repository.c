/* SPDX-License-Identifier: Apache-2.0 */

/* PUT, GET and DELETE of repositories: what is asked for; the work is api/errand. */

#include "api/repository.h"

#include "api/answer.h"
#include "api/errand.h"
#include "api/repository-show.h"
#include "core/clone-url.h"
#include "core/git-ref.h"
#include "core/spec-read.h"
#include "sys/repositories.h"

#include <stdio.h>

#define DESCRIPTION_MAX 255

/* --- making one ----------------------------------------------------------------------------------- */

/* What is left of the call when its intent is on the disk. */
struct order {
        char id[GEAR_ID_MAX + 1];
        char *url, *description, *branch;
};

static struct order *order_free(struct order *o)
{
        if (!o)
                return NULL;
        free(o->url);
        free(o->description);
        free(o->branch);
        free(o);
        return NULL;
}
DEFINE_CLEANUP(struct order, order_free);

static int read_body(struct call *call, struct order *o, struct fault *f)
{
        static const char *const names[] = { "url", "description", "branch", NULL };
        _cleanup_(json_freep) struct json *body = NULL;
        const struct json *url, *description, *branch;
        int r = call_body(call, &body, f);

        if (r < 0 || !body)
                return r;
        if (!json_is_object(body))
                return fault_set(f, FAULT_INVALID, "body", "body: an object is expected");
        r = json_check_names(body, "", names, f);
        url = spec_member(body, "url");
        description = spec_member(body, "description");
        branch = spec_member(body, "branch");
        if (r == 0 && url)
                r = spec_read_string(url, "url", CLONE_URL_MAX, &o->url, f);
        if (r == 0 && description)
                r = spec_read_string(description, "description", DESCRIPTION_MAX, &o->description, f);
        if (r == 0 && branch)
                r = spec_read_string(branch, "branch", GIT_REF_MAX, &o->branch, f);
        if (r == 0 && o->branch && !git_branch_valid(o->branch))
                return fault_set(f, FAULT_INVALID, "branch", "branch: this is no name that git takes");
        return r;
}

/* From the claim, which a body cannot change, or else from the body. */
static int settle_url(struct call *call, struct order *o, struct fault *f)
{
        const struct config *config = call->daemon->config;
        const struct clone_rules rules = { .schemes = config->clone_schemes, .file_paths = config->clone_paths };
        const char *claimed = call->who.t && *call->who.t ? call->who.t : NULL;
        struct clone_url read;

        if (claimed && o->url && !streq(claimed, o->url))
                return fault_set(f, FAULT_DENIED, "url", "url: the token is for another one");
        if (claimed && !o->url && !(o->url = strdup(claimed)))
                return fault_oom(f);
        if (!o->url)
                return 0;
        if (o->branch)
                return fault_set(f, FAULT_INVALID, "branch", "branch: a clone has those of what it is cloned from");
        return clone_url_check(o->url, claimed ? "t" : "url", &rules, &read, f);
}

static void put_begun(struct daemon *d, struct request *request, void *arg)
{
        _cleanup_(order_freep) struct order *o = arg;

        if (request)
                errand_create(d, request, o->id,
                              &(struct errand_create){
                                      .url = o->url, .description = o->description, .branch = o->branch });
}

static void repository_put(struct call *call)
{
        _cleanup_(order_freep) struct order *o = calloc(1, sizeof *o);
        const char *id;
        struct fault f;
        int r = o ? call_gear_id(call, &id, &f) : fault_oom(&f);

        if (r == 0)
                r = read_body(call, o, &f);
        if (r == 0)
                r = settle_url(call, o, &f);
        if (r < 0) {
                answer_fault(call, &f);
                return;
        }
        (void) snprintf(o->id, sizeof o->id, "%s", id);
        id = o->id;
        change_begin(call, SUBJECT_REPOSITORY, id, ERRAND_CREATED, put_begun, TAKE(o));
}

/* --- removing one --------------------------------------------------------------------------------- */

static void repository_delete(struct call *call)
{
        change_begin_of_id(call, SUBJECT_REPOSITORY, ERRAND_DELETED, errand_remove);
}

/* --- all of them ------------------------------------------------------------------------------------ */

struct listing {
        struct daemon *daemon;
        struct reply *reply;
        char **patterns; /* of what may be told; NULL: everything */
        bool json;
        char **ids;
};

static struct listing *listing_free(struct listing *l)
{
        if (!l)
                return NULL;
        (void) strv_free(l->patterns);
        (void) strv_free(l->ids);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(struct listing, listing_free);

static int add_id(void *arg, const char *id)
{
        struct listing *l = arg;

        return !l->patterns || pattern_covers(l->patterns, id) ? strv_add(&l->ids, id) : 0;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int list(void *arg)
{
        struct listing *l = arg;
        int r = repositories_each(l->daemon->config->state_directory, REPOSITORY_WHOLE, add_id, l);

        if (r == 0 && l->ids)
                qsort(l->ids, strv_len(l->ids), sizeof *l->ids, by_name);
        return r;
}

static void listed(void *arg, int r)
{
        _cleanup_(listing_freep) struct listing *l = arg;
        _cleanup_(outcome_reset) struct outcome outcome = { 0 };
        struct text text = { 0 }, json = { 0 };
        struct fault f;

        text_add(&json, "{\"repositories\":[");
        for (char **id = l->ids; r == 0 && id && *id; id++) {
                text_addf(&text, "%s\n", *id);
                text_add(&json, id == l->ids ? "{" : ",{");
                json_put(&json, "id", *id);
                text_add(&json, "}");
        }
        text_add(&json, "]}\n");
        if (r < 0) {
                (void) fault_errno(&f, r, "cannot list the repositories");
                outcome_of_fault(&outcome, &f);
        } else {
                outcome_of(&outcome, 200, text_ok(&text) && text.data ? text.data : "", &json);
        }
        answer_outcome(TAKE(l->reply), l->json, &outcome);
        text_reset(&text);
        text_reset(&json);
}

static void repositories_get(struct call *call)
{
        _cleanup_(listing_freep) struct listing *l = calloc(1, sizeof *l);
        struct fault f;

        if (!l || access_patterns(&call->who, &l->patterns) < 0) {
                (void) fault_oom(&f);
                answer_fault(call, &f);
                return;
        }
        l->daemon = call->daemon;
        l->json = call_wants_json(call->request);
        l->reply = call->reply;
        if (worker_run(call->daemon->worker, list, listed, l) < 0) {
                (void) fault_oom(&f);
                answer_fault(call, &f);
                return;
        }
        call->reply = NULL;
        (void) TAKE(l);
}

#define CHANGE (ROUTE_CHANGE | ROUTE_BODY | ROUTE_STREAM)

static const struct route routes[] = {
        { HTTP_PUT, "/repository", repository_put, "repo.write", CHANGE | ROUTE_TOKEN,
          "Create an empty repository, or clone one" },
        { HTTP_PUT, "/repository/{id}", repository_put, "repo.write", CHANGE,
          "Create an empty repository, or clone one" },
        { HTTP_DELETE, "/repository", repository_delete, "repo.write", ROUTE_CHANGE | ROUTE_BODY | ROUTE_TOKEN,
          "Delete the repository" },
        { HTTP_DELETE, "/repository/{id}", repository_delete, "repo.write", ROUTE_CHANGE | ROUTE_BODY,
          "Delete the repository" },
        { HTTP_GET, "/repository", repository_show, "repo.read", ROUTE_TOKEN, "Its head, size and refs" },
        { HTTP_GET, "/repository/{id}", repository_show, "repo.read", 0, "Its head, size and refs" },
        { HTTP_GET, "/repositories", repositories_get, "repo.read", 0, "All repositories, by id" },
};
const struct route_table repository_routes = { routes, ARRAY_SIZE(routes) };
