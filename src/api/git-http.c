/* SPDX-License-Identifier: Apache-2.0 */

/*
 * git's own protocol over HTTP: what git-http-backend says and is told in a unit
 * of its own.  A clone is a few of these calls, a push a few others; none has a
 * request id, and a push leaves one record.
 */

#include "api/git-http.h"

#include "api/answer.h"
#include "api/git-talk.h"
#include "api/git-unit.h"
#include "api/index.h"
#include "api/push.h"

#include <stdio.h>

#define CGI_HEAD_MAX 8192
#define PROTOCOL_MAX 64

struct service {
        const char *name, *right;
        bool writes;
};

static const struct service services[] = {
        { "git-upload-pack", "repo.read", false },
        { "git-receive-pack", "repo.write", true },
};

struct git_call {
        struct daemon *daemon;
        struct reply *reply; /* NULL: the client has left, and what it asked for is done all the same */
        struct git_talk *talk;
        const struct service *service;
        bool json, begun, has_body;
        int code;            /* as git-http-backend has it */
        const char *broken;  /* why it goes on without its client, who had not said all */
        char id[GEAR_ID_MAX + 1], protocol[PROTOCOL_MAX + 1], max_size[48];
        const char *encoding;
        struct permit *permit;
        struct text head;    /* of the answer, as a CGI program writes it, until it is whole */
        struct push push;
        LIST_ENTRY(git_call) all;
};

static struct git_call *git_call_free(struct git_call *c)
{
        if (!c)
                return NULL;
        c->talk = git_talk_free(c->talk);
        c->permit = permit_free(c->permit);
        text_reset(&c->head);
        push_reset(&c->push);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(struct git_call, git_call_free);

static void end(struct git_call *c)
{
        LIST_REMOVE(c, all);
        (void) git_call_free(c);
}

static void refuse(struct git_call *c, const struct fault *fault)
{
        _cleanup_(outcome_reset) struct outcome outcome = { 0 };

        push_end(&c->push, answer_status(fault), fault->text);
        outcome_of_fault(&outcome, fault);
        if (c->reply)
                answer_outcome(TAKE(c->reply), c->json, &outcome);
        end(c);
}

bool git_calls_push(const struct daemon *d)
{
        const struct git_call *c;

        LIST_FOREACH(c, &d->git_calls, all)
        if (push_is_one(&c->push))
                return true;
        return false;
}

bool git_calls_intend(const struct daemon *d, const char *id)
{
        const struct git_call *c;

        LIST_FOREACH(c, &d->git_calls, all)
        if (streq(c->push.id, id))
                return true;
        return false;
}

void git_calls_free(struct daemon *d)
{
        struct git_call *c;

        while ((c = LIST_FIRST(&d->git_calls))) {
                if (c->reply)
                        reply_abort(TAKE(c->reply));
                push_end(&c->push, 500, "geard ended before git told what became of it");
                end(c);
        }
}

/* --- the client ------------------------------------------------------------------------------------- */

/*
 * The client will say no more, and hear nothing.  A push goes on to its end, with
 * what there is of it: git alone knows whether that was enough, and what became of it.
 */
static void go_on_alone(struct git_call *c, const char *why)
{
        c->permit = permit_free(c->permit); /* its text went with the reply */
        if (!push_is_one(&c->push)) {
                end(c);
                return;
        }
        c->broken = why;
        git_talk_end_input(c->talk);
        git_talk_resume(c->talk);
}

static void left(void *arg)
{
        struct git_call *c = arg;

        reply_abort(TAKE(c->reply));
        go_on_alone(c, "its client left");
}

static void no_longer(void *arg)
{
        struct git_call *c = arg;

        if (c->begun)
                reply_abort(TAKE(c->reply));
        else
                answer_no_longer(TAKE(c->reply), STREAM_OUTPUT);
        go_on_alone(c, "its token was good no more");
}

static bool on_upload(void *arg, const char *bytes, size_t n)
{
        struct git_call *c = arg;
        struct fault f;

        if (c->service->writes)
                push_story_asked(&c->push.story, bytes, n);
        if (!c->push.story.sealed)
                return git_talk_give(c->talk, bytes, n);
        (void) fault_set(&f, FAULT_INVALID, "body", "body: signed pushes are not taken here");
        refuse(c, &f);
        return false;
}

static void on_uploaded(void *arg, bool whole)
{
        _cleanup_(outcome_reset) struct outcome outcome = { 0 };
        struct git_call *c = arg;
        struct fault f;

        if (whole) {
                git_talk_end_input(c->talk);
                return;
        }
        (void) fault_set(&f, FAULT_INVALID, "body", "body: it ended before it was whole, or its chunks are none");
        outcome_of_fault(&outcome, &f);
        if (c->begun)
                reply_abort(TAKE(c->reply));
        else
                answer_outcome(TAKE(c->reply), c->json, &outcome);
        go_on_alone(c, "it did not come whole");
}

static void receive(void *arg, const struct fault *fault)
{
        struct git_call *c = arg;

        if (fault)
                refuse(c, fault);
        else if (c->reply)
                reply_receive(c->reply,
                              &(struct upload_hooks){ .bytes = on_upload, .end = on_uploaded, .arg = c });
}

static void on_started(void *arg)
{
        struct git_call *c = arg;

        if (c->has_body && c->service->writes)
                push_begin(&c->push, receive, c);
        else if (c->has_body)
                receive(c, NULL);
}

static void on_given(void *arg)
{
        const struct git_call *c = arg;

        if (c->reply)
                reply_receive_more(c->reply);
}

static void on_taken(void *arg)
{
        const struct git_call *c = arg;

        git_talk_resume(c->talk);
}

/* --- git -------------------------------------------------------------------------------------------- */

/* Where the body begins behind the lines of a head; 0 while it is not whole. */
static size_t head_end(const struct text *head)
{
        const char *end = memmem(head->data, head->len, "\r\n\r\n", 4);

        return end ? (size_t) (end - head->data) + 4 : 0;
}

static const char *line_of(const char *head, const char *name)
{
        const char *line = head;

        while (line && strncasecmp(line, name, strlen(name)) != 0)
                line = (line = strstr(line, "\r\n")) ? line + 2 : NULL;
        return line ? line + strlen(name) : NULL;
}

static void begin(struct git_call *c)
{
        const char *status = line_of(c->head.data, "Status: "), *type = line_of(c->head.data, "Content-Type: ");
        char copy[128];

        c->code = status ? atoi(status) : 200;
        if (c->code < 200 || c->code > 599)
                c->code = 500;
        if (!c->reply)
                return;
        (void) snprintf(copy, sizeof copy, "%.*s", type ? (int) strcspn(type, "\r") : 0, type ? type : "");
        reply_begin(c->reply, c->code, *copy ? copy : "text/plain");
}

static bool pass_on(struct git_call *c, const char *bytes, size_t n)
{
        if (c->service->writes)
                push_story_told(&c->push.story, bytes, n);
        return !c->reply || reply_write(c->reply, bytes, n);
}

static bool on_bytes(void *arg, const char *bytes, size_t n)
{
        struct git_call *c = arg;
        size_t body, held = c->head.len;
        struct fault f;

        if (c->begun)
                return pass_on(c, bytes, n);
        text_addn(&c->head, bytes, n);
        body = text_ok(&c->head) ? head_end(&c->head) : 0;
        if (body == 0 && text_ok(&c->head) && c->head.len < CGI_HEAD_MAX)
                return true;
        if (body == 0) {
                (void) fault_set(&f, FAULT_FAILED, NULL, "git answered with no head for repository %s", c->id);
                refuse(c, &f);
                return false;
        }
        text_truncate(&c->head, body);
        begin(c);
        c->begun = true;
        return body == held + n || pass_on(c, bytes + (body - held), n - (body - held));
}

static void on_end(void *arg, int exit_status, const struct fault *fault)
{
        struct git_call *c = arg;
        struct fault f;

        if (fault)
                f = *fault;
        else
                git_talk_explain(c->id, exit_status, &f);
        if (!c->begun) {
                refuse(c, &f);
                return;
        }
        if (c->reply && !fault && exit_status == 0)
                reply_end(TAKE(c->reply));
        else if (c->reply)
                reply_abort(TAKE(c->reply));
        if (fault || exit_status)
                push_end(&c->push, 500, f.text);
        else
                push_end(&c->push, c->code, c->broken);
        end(c);
}

/* --- what is asked for ------------------------------------------------------------------------------ */

static int read_service(const char *name, const struct service **ret, struct fault *f)
{
        for (size_t i = 0; name && i < ARRAY_SIZE(services); i++)
                if (streq(services[i].name, name)) {
                        *ret = &services[i];
                        return 0;
                }
        return fault_set(f, FAULT_INVALID, "service",
                         "service: git-upload-pack or git-receive-pack is expected (git speaks its older "
                         "protocol, which is not served here)");
}

/* "version=2" and the like; anything else is as good as none, as in every other server. */
static void read_protocol(const struct call *call, struct git_call *c)
{
        const char *protocol = http_header(call->request, "Git-Protocol");

        if (protocol && strlen(protocol) <= PROTOCOL_MAX &&
            strspn(protocol, "abcdefghijklmnopqrstuvwxyz0123456789=:-") == strlen(protocol))
                (void) snprintf(c->protocol, sizeof c->protocol, "%s", protocol);
}

/* Of a body: no page of a browser can send this type without asking first. */
static int read_form(const struct call *call, struct git_call *c, struct fault *f)
{
        const char *type = http_header(call->request, "Content-Type"), *coding = http_header(call->request, "Content-Encoding");
        char expected[64];

        (void) snprintf(expected, sizeof expected, "application/x-%s-request", c->service->name);
        if (!type || !streq(type, expected))
                return fault_set(f, FAULT_INVALID, "Content-Type", "Content-Type: %s is expected", expected);
        if (coding && c->service->writes) /* no git compresses a pack once more, and the record would not see what is in it */
                return fault_set(f, FAULT_INVALID, "Content-Encoding", "Content-Encoding: a push has none");
        if (coding && strcasecmp(coding, "gzip") != 0 && strcasecmp(coding, "x-gzip") != 0)
                return fault_set(f, FAULT_INVALID, "Content-Encoding", "Content-Encoding: gzip is all that is known here");
        c->encoding = coding ? "gzip" : "";
        return 0;
}

static int read_call(struct call *call, struct git_call *c, const char *service, struct fault *f)
{
        const char *id;
        int r = read_service(service, &c->service, f);

        if (r == 0)
                r = access_needs(call, c->service->right, f);
        if (r == 0)
                r = call_gear_id(call, &id, f);
        if (r == 0 && c->has_body)
                r = read_form(call, c, f);
        if (r == 0 && c->service->writes && call->daemon->draining) {
                r = fault_set(f, FAULT_AWAY, NULL, "geard is stopping, try again in a moment");
                f->retry_after = 5;
        }
        if (r == 0)
                r = index_need_systemd(call->daemon, f);
        if (r == 0)
                r = git_talk_admit(call->daemon, call->who.principal, f);
        if (r < 0)
                return r;
        c->daemon = call->daemon;
        c->json = call_wants_json(call->request);
        (void) snprintf(c->id, sizeof c->id, "%s", id);
        read_protocol(call, c);
        if ((c->has_body && c->service->writes && push_init(&c->push, call, c->id) < 0) ||
            access_permit(call, no_longer, c, &c->permit) < 0)
                return fault_oom(f);
        return 0;
}

static int start(struct git_call *c, const char *who)
{
        const char *const words[] = { c->max_size, "serve", GIT_UNIT_DIR, c->has_body ? "body" : "refs",
                                      c->service->name, c->encoding ? c->encoding : "", c->protocol, NULL };

        (void) snprintf(c->max_size, sizeof c->max_size, "--max-size=%zu", c->daemon->config->repository_max);
        c->talk = git_talk_start(c->daemon,
                                 &(struct git_talk_options){ .id = c->id,
                                                             .who = who,
                                                             .words = words,
                                                             .takes_input = c->has_body,
                                                             .writes = c->has_body && c->service->writes },
                                 &(struct git_talk_hooks){ .bytes = on_bytes,
                                                           .started = on_started,
                                                           .drained = on_given,
                                                           .end = on_end,
                                                           .arg = c });
        return c->talk ? 0 : -ENOMEM;
}

static void take(struct call *call, const char *service, bool has_body)
{
        _cleanup_(git_call_freep) struct git_call *c = calloc(1, sizeof *c);
        struct fault f;
        int r;

        if (c)
                c->has_body = has_body;
        r = c ? read_call(call, c, service, &f) : fault_oom(&f);
        if (r == 0 && start(c, call->who.principal) < 0)
                r = fault_oom(&f);
        if (r < 0) {
                answer_fault(call, &f);
                return;
        }
        LIST_INSERT_HEAD(&c->daemon->git_calls, c, all);
        c->reply = TAKE(call->reply);
        reply_watch(c->reply, on_taken, left, c);
        (void) TAKE(c);
}

static void refs_get(struct call *call)
{
        take(call, http_param(call->request, "service"), false);
}

static void upload_pack_post(struct call *call)
{
        take(call, "git-upload-pack", true);
}

static void receive_pack_post(struct call *call)
{
        take(call, "git-receive-pack", true);
}

/* Which right the first needs depends on the service. */
static const struct route routes[] = {
        { HTTP_GET, "/git/{id}/info/refs", refs_get, NULL, ROUTE_STREAM, "git: which refs it has" },
        { HTTP_POST, "/git/{id}/git-upload-pack", upload_pack_post, "repo.read", ROUTE_STREAM | ROUTE_UPLOAD,
          "git: clone and fetch" },
        { HTTP_POST, "/git/{id}/git-receive-pack", receive_pack_post, "repo.write", ROUTE_STREAM | ROUTE_UPLOAD,
          "git: push" },
};
const struct route_table git_routes = { routes, ARRAY_SIZE(routes) };
