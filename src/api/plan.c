/* SPDX-License-Identifier: Apache-2.0 */

#include "api/plan.h"

#include "api/answer.h"
#include "api/index.h"
#include "api/install.h"

#include <stdio.h>

struct plan {
        const char *verdict;        /* create, nothing, replace, conflict, or see plan_answer_kept() */
        bool restarts;
        bool env_changes;
        struct text unit;
        char *installed;            /* the unit file as it is, NULL when there is none */
        char **argv;
};

static void plan_reset(struct plan *p)
{
        text_reset(&p->unit);
        free(p->installed);
        (void) strv_free(p->argv);
}

static bool has_line(const char *text, const char *line, size_t n)
{
        for (const char *at = text, *end; *at; at = *end ? end + 1 : end) {
                end = strchrnul(at, '\n');
                if ((size_t) (end - at) == n && memcmp(at, line, n) == 0)
                        return true;
        }
        return false;
}

/* Lines only here and only there: unit files are short and their order is fixed. */
static void add_lines_missing(struct text *t, char sign, const char *from, const char *in)
{
        for (const char *line = from, *end; *line; line = *end ? end + 1 : end) {
                end = strchrnul(line, '\n');
                if (end > line && !has_line(in, line, (size_t) (end - line)))
                        text_addf(t, "%c%.*s\n", sign, (int) (end - line), line);
        }
}

static void plan_diff(const struct plan *p, struct text *t)
{
        if (p->installed) {
                add_lines_missing(t, '-', p->installed, p->unit.data);
                add_lines_missing(t, '+', p->unit.data, p->installed);
        }
}

static int decide(const struct daemon *d, const char *id, struct spec *spec, struct plan *p, struct fault *f)
{
        const struct gear *gear = gears_find(d->gears, id);
        enum gear_state state = gear ? gear_state_of(gear) : STATE_STOPPED;
        bool same = false;
        int r;

        if (!gear) {
                p->verdict = "create";
                return install_lease(d, id, spec, f);
        }
        r = install_compare(d, id, spec, &same, f);
        if (r < 0)
                return r;
        p->verdict = same ? "nothing" : spec->replace ? "replace" : "conflict";
        p->restarts = !same && spec->replace && state != STATE_STOPPED && state != STATE_FAILED;
        return 0;
}

static int plan_make(const struct call *call, const char *id, struct spec *spec, struct plan *p, struct fault *f)
{
        const struct daemon *d = call->daemon;
        const struct gear *gear = gears_find(d->gears, id);
        const struct unit_origin origin = {
                .id = id,
                .user = call->who.user,
                .request_id = gear && gear->request_id[0] ? gear->request_id : "00000000000000000000000000000000",
                .created_usec = gear ? gear->created_usec : wall_usec(),
        };
        struct unit_host host;
        int r;

        r = decide(d, id, spec, p, f);
        if (r < 0)
                return r;
        daemon_unit_host(d, &host);
        r = unit_render(spec, &origin, &host, &p->unit, f);
        if (r == 0 && unit_docker_argv(spec, &origin, &host, &p->argv) < 0)
                r = fault_oom(f);
        if (r == 0)
                (void) store_read_unit(d->store, id, &p->installed);
        return r;
}

static void plan_json(const struct plan *p, const char *id, struct text *t)
{
        _cleanup_text_ struct text diff = { 0 };

        plan_diff(p, &diff);
        text_addc(t, '{');
        json_put(t, "id", id);
        json_put(t, "plan", p->verdict);
        json_putb(t, "restarts", p->restarts);
        json_put(t, "unit", p->unit.data);
        json_name(t, "argv");
        text_addc(t, '[');
        for (char **word = p->argv; *word; word++) {
                text_add(t, word == p->argv ? "" : ",");
                json_out(t, *word);
        }
        text_addc(t, ']');
        json_put(t, "diff", diff.data ? diff.data : "");
        text_add(t, "}\n");
}

static void plan_text(const struct plan *p, const char *id, struct text *t)
{
        _cleanup_text_ struct text diff = { 0 };

        text_addf(t, "# gear %s: %s%s\n%s\n# ", id, p->verdict, p->restarts ? ", it restarts" : "", p->unit.data);
        for (char **word = p->argv; *word; word++) {
                text_add(t, word == p->argv ? "" : " ");
                shell_quote(t, *word);
        }
        text_add(t, "\n");
        plan_diff(p, &diff);
        if (diff.len > 0)
                text_addf(t, "\n# what differs from what is installed\n%s", diff.data);
}

static void send_plan(struct call *call, const struct plan *p, const char *id)
{
        _cleanup_text_ struct text t = { 0 };

        if (call_wants_json(call->request)) {
                plan_json(p, id, &t);
                answer_json(call, 200, &t);
        } else {
                plan_text(p, id, &t);
                answer_text(call, 200, text_ok(&t) ? t.data : "");
        }
}

void plan_answer(struct call *call, const char *id, struct spec *spec)
{
        _cleanup_(plan_reset) struct plan p = { 0 };
        struct fault f;

        if (plan_make(call, id, spec, &p, &f) < 0)
                answer_fault(call, &f);
        else
                send_plan(call, &p, id);
}

/* --- the unit stays ----------------------------------------------------------------------------- */

static int plan_keep(const struct daemon *d, const char *id, struct plan *p, struct fault *f)
{
        struct unit_record record = { 0 };
        struct unit_origin origin = { .id = id };
        struct unit_host host;
        int r = store_read_unit(d->store, id, &p->installed);

        if (r < 0)
                return fault_errno(f, r, "cannot read the unit of gear %s", id);
        r = unit_read(p->installed, &record, f);
        if (r < 0) {
                f->kind = FAULT_CONFLICT; /* it is not the request that is wrong */
                return r;
        }
        daemon_unit_host(d, &host);
        text_add(&p->unit, p->installed);
        origin.request_id = record.request_id;
        if (unit_docker_argv(&record.spec, &origin, &host, &p->argv) < 0 || !text_ok(&p->unit))
                r = fault_oom(f);
        unit_record_reset(&record);
        return r;
}

void plan_answer_kept(struct call *call, const char *id, const char *verdict, bool restarts)
{
        _cleanup_(plan_reset) struct plan p = { .verdict = verdict, .restarts = restarts };
        struct fault f;

        if (plan_keep(call->daemon, id, &p, &f) < 0)
                answer_fault(call, &f);
        else
                send_plan(call, &p, id);
}
