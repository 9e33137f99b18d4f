/* SPDX-License-Identifier: Apache-2.0 */

/* GET of one repository: its head, size and refs, as git tells them. */

#include "api/repository-show.h"

#include "api/answer.h"
#include "api/git-talk.h"
#include "api/git-unit.h"
#include "api/index.h"
#include "sys/split.h"

#include <inttypes.h>
#include <stdio.h>

#define REFS_MAX 1000 /* told; all are counted */
#define LINE_MAX_BYTES 8192

struct show {
        struct daemon *daemon;
        struct reply *reply;
        char id[GEAR_ID_MAX + 1];
        bool json;
        struct git_talk *talk;
        struct line_splitter lines;
        char head[LINE_MAX_BYTES];
        uint64_t size, n_refs;
        struct text text, refs; /* for people; as JSON */
};

static void show_free(struct show *s)
{
        s->talk = git_talk_free(s->talk);
        text_reset(&s->lines.held);
        text_reset(&s->text);
        text_reset(&s->refs);
        free(s);
}

static void refuse(struct show *s, const struct fault *fault)
{
        _cleanup_(outcome_reset) struct outcome outcome = { 0 };

        outcome_of_fault(&outcome, fault);
        answer_outcome(TAKE(s->reply), s->json, &outcome);
        show_free(s);
}

/* --- what git says ------------------------------------------------------------------------------------ */

static void add_ref(struct show *s, char *line)
{
        char *name = strchr(line, ' ');

        if (!name || s->n_refs++ >= REFS_MAX)
                return;
        *name++ = '\0';
        text_addf(&s->text, "%s %s\n", line, name);
        text_add(&s->refs, s->refs.len ? ",{" : "{");
        json_put(&s->refs, "name", name);
        json_put(&s->refs, "commit", line);
        text_add(&s->refs, "}");
}

static bool on_line(void *arg, const char *line, size_t n)
{
        struct show *s = arg;
        char copy[LINE_MAX_BYTES];

        (void) snprintf(copy, sizeof copy, "%.*s", (int) n, line);
        if (starts_with(copy, "ref "))
                add_ref(s, copy + strlen("ref "));
        else if (starts_with(copy, "head "))
                (void) snprintf(s->head, sizeof s->head, "%s", copy + strlen("head "));
        else if (starts_with(copy, "size "))
                (void) parse_u64(copy + strlen("size "), UINT64_MAX, &s->size);
        return true;
}

static bool on_bytes(void *arg, const char *bytes, size_t n)
{
        struct show *s = arg;

        if (lines_feed(&s->lines, bytes, n, on_line, s) < 0)
                s->refs.failed = true;
        return true;
}

static void on_end(void *arg, int exit_status, const struct fault *fault)
{
        struct show *s = arg;
        _cleanup_(outcome_reset) struct outcome outcome = { 0 };
        _cleanup_text_ struct text text = { 0 };
        struct text json = { 0 };
        struct fault f;

        if (!fault && exit_status != 0) {
                git_talk_explain(s->id, exit_status, &f);
                fault = &f;
        }
        if (!fault && !(text_ok(&s->text) && text_ok(&s->refs))) {
                (void) fault_oom(&f);
                fault = &f;
        }
        if (fault) {
                refuse(s, fault);
                return;
        }
        text_add(&json, "{");
        json_put(&json, "id", s->id);
        json_put(&json, "head", *s->head ? s->head : NULL);
        json_putu(&json, "size", s->size);
        json_putu(&json, "refs_total", s->n_refs);
        json_name(&json, "refs");
        text_addf(&json, "[%s]}\n", s->refs.data ? s->refs.data : "");
        text_addf(&text, "%s: %" PRIu64 " bytes, %" PRIu64 " refs, head %s\n%s", s->id, s->size, s->n_refs,
                  *s->head ? s->head : "detached", s->text.data ? s->text.data : "");
        outcome_of(&outcome, 200, text_ok(&text) ? text.data : "", &json);
        text_reset(&json);
        answer_outcome(TAKE(s->reply), s->json, &outcome);
        show_free(s);
}

/* --- the call ----------------------------------------------------------------------------------------- */

static void left(void *arg)
{
        struct show *s = arg;

        reply_abort(TAKE(s->reply));
        show_free(s);
}

static int start(struct show *s, const char *who)
{
        static const char *const words[] = { "describe", GIT_UNIT_DIR, NULL };

        s->talk = git_talk_start(s->daemon, &(struct git_talk_options){ .id = s->id, .who = who, .words = words },
                                 &(struct git_talk_hooks){ .bytes = on_bytes, .end = on_end, .arg = s });
        return s->talk ? 0 : -ENOMEM;
}

void repository_show(struct call *call)
{
        struct show *s = NULL;
        const char *id;
        struct fault f;
        int r = call_gear_id(call, &id, &f);

        if (r == 0)
                r = index_need_systemd(call->daemon, &f);
        if (r == 0)
                r = git_talk_admit(call->daemon, call->who.principal, &f);
        if (r == 0 && !(s = calloc(1, sizeof *s)))
                r = fault_oom(&f);
        if (r < 0) {
                answer_fault(call, &f);
                return;
        }
        s->daemon = call->daemon;
        s->json = call_wants_json(call->request);
        s->lines.max = LINE_MAX_BYTES;
        (void) snprintf(s->id, sizeof s->id, "%s", id);
        if (start(s, call->who.principal) < 0) {
                show_free(s);
                (void) fault_oom(&f);
                answer_fault(call, &f);
                return;
        }
        s->reply = TAKE(call->reply);
        reply_watch(s->reply, NULL, left, s);
}
