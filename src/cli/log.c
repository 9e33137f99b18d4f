/* SPDX-License-Identifier: Apache-2.0 */

/* gear log: what gears, jobs, repositories and services wrote and what became of their runs. */

#include "cli/log-export.h"
#include "cli/log-show.h"
#include "cli/options.h"
#include "cli/source.h"
#include "cli/verb.h"
#include "core/ident.h"
#include "core/log-query.h"
#include "core/moment.h"
#include "sys/loop.h"
#include "sys/split.h"

#include <stdio.h>

#define RECORD_MAX (8 << 20) /* a line of a megabyte, and what JSON makes of it */
#define AGAIN_SEC 1

struct logs {
        const char *socket, *lines, *since, *until, *grep, *priority, *output;
        bool follow, job, repository, service;
        uint64_t until_usec; /* where it ends, by the clock of its beginning; UINT64_MAX: nowhere */
        struct text path, query, until_text;
        const char *accept;
        bool raw, exported; /* as geard gives them: a line each; in the export format */
        struct log_show show;
        struct line_splitter records;
        struct log_export entries;
        char cursor[LOG_CURSOR_MAX]; /* of the last one that was written out */
        struct fault *f;
        int r;
};

static const struct cli_option options[] = {
        { 'f', "follow", NULL, NULL, take_flag, offsetof(struct logs, follow), "go on with what comes" },
        { 0, "job", NULL, NULL, take_flag, offsetof(struct logs, job), "of a job" },
        { 0, "repository", NULL, NULL, take_flag, offsetof(struct logs, repository), "of a repository's making" },
        { 0, "service", NULL, NULL, take_flag, offsetof(struct logs, service), "of a service's instances, or of NAME@N alone" },
        { 'n', "lines", "N", NULL, take_word, offsetof(struct logs, lines),
          "the last so many, or all (default: 100, and all of a\ntime that is asked for)" },
        { 0, "since", "TIME", NULL, take_word, offsetof(struct logs, since),
          "not before: -1h, yesterday, \"2031-12-31 23:59\", or\nas in RFC 3339" },
        { 0, "until", "TIME", NULL, take_word, offsetof(struct logs, until), "not after" },
        { 0, "grep", "EXPRESSION", NULL, take_word, offsetof(struct logs, grep),
          "only lines that match this; without capitals in it,\nwhatever their case" },
        { 'p', "priority", "P", NULL, take_word, offsetof(struct logs, priority),
          "only what is at least as urgent: 0 to 7, or emerg to\ndebug; stderr is 3, err" },
        { 'o', "output", "FORM", NULL, take_word, offsetof(struct logs, output),
          "text (the default), cat for only what was written,\njson for an object a line, or export for journald's\nformat" },
        { 0, "socket", "PATH", NULL, take_word, offsetof(struct logs, socket),
          "where geard listens (default: " SOURCE_SOCKET ")" },
        { 0 },
};

/* --- what comes ------------------------------------------------------------------------------- */

static int cannot_write(struct fault *f)
{
        return fault_set(f, FAULT_NO_SPACE, NULL, "standard output cannot be written");
}

static int show_record(struct logs *l, const char *line, size_t n, struct fault *f)
{
        struct fault inner = { 0 };
        _cleanup_(json_freep) struct json *record = json_parse_trusted(line, n, "record", &inner);
        const struct json *cursor = json_is_object(record) ? json_member(record, "cursor") : NULL;
        _cleanup_text_ struct text t = { 0 };
        const char *value;
        int r = 0;

        if (!json_is_object(record))
                return fault_set(f, FAULT_FAILED, NULL, "what geard answers is no log");
        if (l->raw) {
                text_addn(&t, line, n);
                text_addc(&t, '\n');
        } else {
                r = log_show_record(&l->show, record, &t, f);
        }
        if (r < 0)
                return r;
        if (!text_ok(&t))
                return fault_oom(f);
        if (t.len > 0 && fwrite(t.data, 1, t.len, stdout) != t.len)
                return cannot_write(f);
        if (cursor && json_get_string(cursor, "cursor", LOG_CURSOR_MAX - 1, &value, &inner) == 0)
                (void) snprintf(l->cursor, sizeof l->cursor, "%s", value);
        return 0;
}

static bool on_record(void *arg, const char *line, size_t n)
{
        struct logs *l = arg;

        l->r = n > 0 ? show_record(l, line, n, l->f) : 0;
        return l->r == 0;
}

static int take_records(struct logs *l, const char *bytes, size_t n, struct fault *f)
{
        int r = lines_feed(&l->records, bytes, n, on_record, l);

        if (r == -ENOMEM)
                return fault_oom(f);
        if (r < 0)
                return fault_set(f, FAULT_FAILED, NULL, "geard answers with a line that is too long");
        return l->r;
}

static int take_entries(struct logs *l, const char *bytes, size_t n, struct fault *f)
{
        switch (log_export_feed(&l->entries, bytes, n, stdout, l->cursor, sizeof l->cursor)) {
        case 0:
                return 0;
        case -EIO:
                return cannot_write(f);
        case -ENOMEM:
                return fault_oom(f);
        default:
                return fault_set(f, FAULT_FAILED, NULL, "what geard answers is no journal");
        }
}

static int on_piece(void *arg, const char *bytes, size_t n, struct fault *f)
{
        struct logs *l = arg;
        int r = l->exported ? take_entries(l, bytes, n, f) : take_records(l, bytes, n, f);

        return r == 0 && fflush(stdout) != 0 ? cannot_write(f) : r;
}

/* --- asking for it -------------------------------------------------------------------------------- */

/* Behind what was written out already, wherever the connection broke. */
static int ask(struct logs *l, struct source *source, struct fault *f)
{
        _cleanup_text_ struct text target = { 0 };
        int r;

        text_addf(&target, "%s?timeout=0", l->path.data);
        if (l->query.data)
                text_add(&target, l->query.data);
        if (*l->cursor)
                source_add(&target, "cursor", l->cursor);
        else if (l->lines)
                source_add(&target, "tail", l->lines);
        if (!text_ok(&target))
                return fault_oom(f);
        text_reset(&l->records.held);
        text_reset(&l->entries.held);
        l->entries.at = 0;
        r = source_stream(source, target.data, l->accept, on_piece, l, f);
        if (!*l->cursor)
                (void) snprintf(l->cursor, sizeof l->cursor, "%s", source_cursor(source));
        text_reset(&l->records.held);
        text_reset(&l->entries.held);
        return r;
}

/* A geard that restarts, or a connection that breaks, costs nothing. */
static int go_on(struct logs *l, struct fault *f)
{
        _cleanup_(source_freep) struct source *source = source_new(l->socket);
        bool was_open = false;

        if (!source)
                return fault_oom(f);
        for (;;) {
                int r = ask(l, source, f);

                if (r < 0 && !(was_open && f->kind == FAULT_AWAY))
                        return r;
                if (r == SOURCE_E_ENDED && (!l->follow || wall_usec() >= l->until_usec))
                        return 0;
                was_open |= r > 0;
                (void) sleep(AGAIN_SEC);
        }
}

/* --- what is asked for --------------------------------------------------------------------------- */

static int choose_output(struct logs *l, struct fault *f)
{
        const char *form = l->output ? l->output : "text";

        l->accept = "application/json";
        if (streq(form, "text")) {
                l->show.form = LOG_SHOW_TEXT;
                l->show.coloured = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
        } else if (streq(form, "cat")) {
                l->show.form = LOG_SHOW_CAT;
        } else if (streq(form, "json")) {
                l->raw = true;
        } else if (streq(form, "export")) {
                l->exported = true;
                l->accept = "application/vnd.fdo.journal";
        } else {
                return fault_set(f, FAULT_INVALID, "output", "--output: must be text, cat, json or export");
        }
        return 0;
}

/* Said again behind a broken connection, +5min would be another time; what cannot be read here geard refuses. */
static void settle_until(struct logs *l)
{
        l->until_usec = UINT64_MAX;
        if (!l->until || !moment_parse(l->until, wall_usec(), &l->until_usec))
                return;
        moment_add(&l->until_text, l->until_usec, 6);
        if (text_ok(&l->until_text))
                l->until = l->until_text.data;
}

static int choose_gears(struct logs *l, char *const *gears, struct fault *f)
{
        _cleanup_text_ struct text ids = { 0 };

        for (size_t i = 0; gears[i]; i++)
                text_addf(&ids, "%s%s", i ? "," : "", gears[i]);
        if (!text_ok(&ids))
                return fault_oom(f);
        text_add(&l->path, "/containers/log");
        source_add(&l->query, "ids", ids.data);
        l->show.named = gears[1];
        return 0;
}

/* The one of this kind; of a service perhaps one instance. */
static int choose_one(struct logs *l, const char *kind, const char *name, struct fault *f)
{
        const char *at = l->service ? strchr(name, '@') : NULL;
        _cleanup_free_ char *id = at ? strndup(name, (size_t) (at - name)) : strdup(name);

        if (!id)
                return fault_oom(f);
        if (gear_id_check(id, "NAME", f) < 0)
                return -EINVAL;
        text_addf(&l->path, "/%s/%s/log", kind, id);
        if (at)
                source_add(&l->query, "instance", at + 1);
        l->show.named = l->service && !at;
        return 0;
}

static int choose(struct logs *l, char *const *names, struct fault *f)
{
        const char *kind = l->job ? "jobs" : l->repository ? "repository" : l->service ? "service" : NULL;

        if (l->job + l->repository + l->service > 1)
                return fault_set(f, FAULT_INVALID, NULL, "only one of --job, --repository and --service");
        if (!names || !names[0])
                return fault_set(f, FAULT_INVALID, NULL, "which one? gear log NAME...");
        if (kind && names[1])
                return fault_set(f, FAULT_INVALID, NULL, "only one name with --job, --repository or --service");
        return kind ? choose_one(l, kind, names[0], f) : choose_gears(l, names, f);
}

static int make_query(struct logs *l, struct fault *f)
{
        const struct {
                const char *name, *value;
        } asked[] = { { "since", l->since },
                      { "until", l->until },
                      { "grep", l->grep },
                      { "priority", l->priority } };

        source_add(&l->query, "follow", l->follow ? "yes" : "no");
        for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
                if (asked[i].value)
                        source_add(&l->query, asked[i].name, asked[i].value);
        return text_ok(&l->path) && text_ok(&l->query) ? 0 : fault_oom(f);
}

int log_run(int argc, char **argv, struct fault *f)
{
        static const struct usage usage = {
                .verb = "log",
                .operands = "NAME...",
                .operands_max = 32,
                .about =
                        "Shows what gears wrote and what became of their runs, the newest last; of\n"
                        "several in the order of time.  Or the log of one job, repository\n"
                        "or service.\n",
        };
        struct logs l = { .socket = SOURCE_SOCKET, .records.max = RECORD_MAX, .f = f };
        const struct option_group groups[] = { { "Options", options, &l }, { 0 } };
        char **names = NULL;
        int r = options_parse(&usage, groups, argc, argv, &names, f);

        if (r != 0)
                return r < 0 ? r : 0;
        settle_until(&l);
        r = choose_output(&l, f);
        if (r == 0)
                r = choose(&l, names, f);
        if (r == 0)
                r = make_query(&l, f);
        if (r == 0)
                r = go_on(&l, f);
        text_reset(&l.path);
        text_reset(&l.query);
        text_reset(&l.until_text);
        return r;
}
