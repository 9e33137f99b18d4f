/* SPDX-License-Identifier: Apache-2.0 */

/* GET of content: an archive of what a branch, tag or commit holds, streamed as git makes it. */

#include "api/content.h"

#include "api/answer.h"
#include "api/git-talk.h"
#include "api/git-unit.h"
#include "api/index.h"
#include "core/git-ref.h"

#include <stdio.h>

#define WHERE_MAX 4000
#define HEAD_LINE_MAX 300

#define EMPTY_GZIP 20 /* bytes that stand for nothing, which git ends with where it fails */

struct format {
        const char *name, *type;
        size_t lead; /* so many bytes say nothing yet */
};

struct content {
        struct daemon *daemon;
        struct reply *reply;
        struct git_talk *talk;
        const struct format *format;
        char id[GEAR_ID_MAX + 1];
        char where[WHERE_MAX + 1]; /* ref, and perhaps a path behind it */
        const struct http_request *request;
        char line[HEAD_LINE_MAX]; /* the first of gear-git's, so far */
        size_t n_line;
        char tag[HEAD_LINE_MAX];
        char lead[EMPTY_GZIP];
        size_t n_lead;
        struct permit *permit;
        bool json;
        bool found; /* git has it */
        bool begun; /* … and has begun to give it */
};

static struct content *content_free(struct content *c)
{
        if (!c)
                return NULL;
        c->talk = git_talk_free(c->talk);
        c->permit = permit_free(c->permit);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(struct content, content_free);

static void refuse(struct content *c, const struct fault *fault)
{
        _cleanup_(outcome_reset) struct outcome outcome = { 0 };

        outcome_of_fault(&outcome, fault);
        answer_outcome(TAKE(c->reply), c->json, &outcome);
        (void) content_free(c);
}

static void left(void *arg)
{
        struct content *c = arg;

        reply_abort(TAKE(c->reply));
        (void) content_free(c);
}

static void no_longer(void *arg)
{
        struct content *c = arg;

        if (c->begun)
                reply_abort(TAKE(c->reply));
        else
                answer_no_longer(TAKE(c->reply), STREAM_OUTPUT);
        (void) content_free(c);
}

/* --- the answer ----------------------------------------------------------------------------------- */

/* git1-release-1.0.zip: a name for a file on any system. */
static void add_file_name(struct content *c)
{
        char name[GEAR_ID_MAX + 120];
        size_t n = (size_t) snprintf(name, sizeof name, "%s-", c->id);

        for (const char *p = c->where; *p && n < sizeof name - 16; p++)
                name[n++] = strchr("/\\\"' ", *p) || (unsigned char) *p < 0x20 || (unsigned char) *p >= 0x7f ? '-' : *p;
        name[n] = '\0';
        reply_headerf(c->reply, "Content-Disposition", "attachment; filename=\"%s.%s\"", name, c->format->name);
}

/* Only when git gives the first byte of what it read: until then it may fail, and is answered for. */
static void begin(struct content *c)
{
        reply_header(c->reply, "ETag", c->tag);
        reply_header(c->reply, "Cache-Control", "private, no-cache"); /* may be kept, and is asked for again */
        add_file_name(c);
        c->begun = true;
        reply_begin(c->reply, 200, c->format->type);
}

/* The first line is "COMMIT OBJECT". False: there is nothing more to send, and nobody to send it. */
static bool find(struct content *c)
{
        char *object = strchr(c->line, ' ');

        c->found = object;
        if (!object) {
                reply_abort(TAKE(c->reply));
        } else {
                *object++ = '\0';
                (void) snprintf(c->tag, sizeof c->tag, "\"%.40s-%.40s.%s\"", c->line, object, c->format->name);
                if (http_has_tag(c->request, c->tag)) {
                        reply_header(c->reply, "ETag", c->tag);
                        reply_send(TAKE(c->reply), 304, NULL, "", 0);
                } else if (c->request->method == HTTP_HEAD) {
                        begin(c);
                        reply_end(TAKE(c->reply));
                }
        }
        if (c->reply)
                return true;
        (void) content_free(c);
        return false;
}

static bool on_bytes(void *arg, const char *bytes, size_t n)
{
        struct content *c = arg;

        while (!c->found && n > 0) {
                char byte = *bytes++;

                n--;
                if (byte == '\n') {
                        if (!find(c))
                                return false;
                } else if (c->n_line < sizeof c->line - 1) {
                        c->line[c->n_line++] = byte;
                }
        }
        for (; n > 0 && c->n_lead < c->format->lead; n--)
                c->lead[c->n_lead++] = *bytes++;
        if (n == 0)
                return true;
        if (!c->begun) {
                begin(c);
                (void) reply_write(c->reply, c->lead, c->n_lead);
        }
        return reply_write(c->reply, bytes, n);
}

static void on_drained(void *arg)
{
        const struct content *c = arg;

        git_talk_resume(c->talk);
}

static void on_end(void *arg, int exit_status, const struct fault *fault)
{
        struct content *c = arg;
        struct fault f;

        if (c->begun) {
                if (!fault && exit_status == 0)
                        reply_end(TAKE(c->reply));
                else
                        reply_abort(TAKE(c->reply)); /* so that the client can tell: it is not whole */
                (void) content_free(c);
                return;
        }
        if (fault)
                f = *fault;
        else if (exit_status == GIT_NO_REF)
                (void) fault_set(&f, FAULT_MISSING, "ref", "repository %s has no branch, tag or commit of this name", c->id);
        else if (exit_status == GIT_NO_PATH)
                (void) fault_set(&f, FAULT_MISSING, "path", "there is no such path in it");
        else
                git_talk_explain(c->id, exit_status, &f);
        refuse(c, &f);
}

/* --- what is asked for ---------------------------------------------------------------------------- */

static int read_format(const struct call *call, const struct format **ret, struct fault *f)
{
        static const struct format formats[] = {
                { "zip", "application/zip", 0 }, { "tar", "application/x-tar", 0 }, { "tar.gz", "application/gzip", EMPTY_GZIP }
        };
        const char *name = http_param(call->request, "format");

        *ret = &formats[0];
        for (size_t i = 0; name && i < ARRAY_SIZE(formats); i++)
                if (streq(formats[i].name, name)) {
                        *ret = &formats[i];
                        return 0;
                }
        return name ? fault_set(f, FAULT_INVALID, "format", "format: zip, tar or tar.gz is expected") : 0;
}

/* The rest of the path, as one: where the ref ends in it, git knows. */
static int read_where(const struct call *call, struct content *c, struct fault *f)
{
        const struct http_request *q = call->request;
        size_t n = 0;

        if (!call->match.rest) {
                (void) snprintf(c->where, sizeof c->where, "HEAD");
                return 0;
        }
        for (size_t i = call->match.rest; i < q->n_segments; i++) {
                const char *segment = q->segments[i];
                size_t len = strlen(segment);

                if (has_control(segment) || !utf8_valid(segment, len) || (n == 0 && segment[0] == '-') ||
                    streq(segment, ".."))
                        return fault_set(f, FAULT_INVALID, "ref", "ref: the name of a branch or tag, or a commit, is expected");
                if (n + len + 1 >= sizeof c->where)
                        return fault_set(f, FAULT_INVALID, "ref", "ref: at most %d bytes with the path", WHERE_MAX);
                n += (size_t) snprintf(c->where + n, sizeof c->where - n, "%s%s", n ? "/" : "", segment);
        }
        return 0;
}

static int read_type(const struct call *call, struct fault *f)
{
        const char *type = call->who.t;

        return !type || !*type || streq(type, "gitarchive")
                       ? 0
                       : fault_set(f, FAULT_INVALID, "t", "t: gitarchive is all there is");
}

static int start(struct content *c, const char *who)
{
        const char *const words[] = { "archive", GIT_UNIT_DIR, c->format->name, c->where, NULL };

        c->talk = git_talk_start(c->daemon, &(struct git_talk_options){ .id = c->id, .who = who, .words = words },
                                 &(struct git_talk_hooks){ .bytes = on_bytes, .end = on_end, .arg = c });
        return c->talk ? 0 : -ENOMEM;
}

static int read_call(struct call *call, struct content *c, struct fault *f)
{
        const char *id;
        int r = call_gear_id(call, &id, f);

        if (r == 0)
                r = read_type(call, f);
        if (r == 0)
                r = read_format(call, &c->format, f);
        if (r == 0)
                r = read_where(call, c, f);
        if (r == 0)
                r = index_need_systemd(call->daemon, f);
        if (r == 0)
                r = git_talk_admit(call->daemon, call->who.principal, f);
        if (r < 0)
                return r;
        c->daemon = call->daemon;
        c->json = call_wants_json(call->request);
        c->request = call->request;
        (void) snprintf(c->id, sizeof c->id, "%s", id);
        return 0;
}

static void content_get(struct call *call)
{
        _cleanup_(content_freep) struct content *c = calloc(1, sizeof *c);
        struct fault f;
        int r = c ? read_call(call, c, &f) : fault_oom(&f);

        if (r == 0 && (access_permit(call, no_longer, c, &c->permit) < 0 || start(c, call->who.principal) < 0))
                r = fault_oom(&f);
        if (r < 0) {
                answer_fault(call, &f);
                return;
        }
        c->reply = TAKE(call->reply);
        reply_watch(c->reply, on_drained, left, c);
        (void) TAKE(c);
}

static const struct route routes[] = {
        { HTTP_GET, "/content", content_get, "repo.read", ROUTE_TOKEN | ROUTE_STREAM, "An archive of its head" },
        { HTTP_GET, "/content/{ref*}", content_get, "repo.read", ROUTE_TOKEN | ROUTE_STREAM,
          "An archive of a branch, tag or commit, or of a path in it" },
        { HTTP_GET, "/repository/{id}/content", content_get, "repo.read", ROUTE_STREAM, "An archive of its head" },
        { HTTP_GET, "/repository/{id}/content/{ref*}", content_get, "repo.read", ROUTE_STREAM,
          "An archive of a branch, tag or commit, or of a path in it" },
};
const struct route_table content_routes = { routes, ARRAY_SIZE(routes) };
