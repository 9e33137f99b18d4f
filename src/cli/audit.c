/* SPDX-License-Identifier: Apache-2.0 */

/* gear audit: what was changed on this host and what was refused, by whom. */

#include "cli/audit-source.h"
#include "cli/options.h"
#include "cli/verb.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define LINES_DEFAULT 50
#define LINES_MAX 1000 /* what geard gives of the newest */
#define AGAIN_SEC 1

struct listing {
        const char *since, *until, *principal, *user, *resource, *request, *verb, *code;
        const char *socket, *lines, *output;
        bool follow;
        unsigned n_lines; /* 0: all */
        bool json;
        struct audit_place place;
};

static const struct cli_option filters[] = {
        { 0, "since", "TIME", NULL, take_word, offsetof(struct listing, since),
          "not before: 1h (ago), 2031-12-31T23:59:59Z, or\nseconds since 1970" },
        { 0, "until", "TIME", NULL, take_word, offsetof(struct listing, until), "not after" },
        { 0, "principal", "NAME", NULL, take_word, offsetof(struct listing, principal),
          "by this key, or who else it was" },
        { 0, "user", "NAME", NULL, take_word, offsetof(struct listing, user), "by this user, of a token" },
        { 0, "resource", "ID", NULL, take_word, offsetof(struct listing, resource), "of this gear" },
        { 0, "request", "HEX", NULL, take_word, offsetof(struct listing, request), "by this request" },
        { 0, "verb", "VERB", NULL, take_word, offsetof(struct listing, verb), "of this kind" },
        { 0, "code", "MIN", NULL, take_word, offsetof(struct listing, code),
          "answered with this status or a greater one" },
        { 0 },
};

static const struct cli_option options[] = {
        { 'f', "follow", NULL, NULL, take_flag, offsetof(struct listing, follow), "go on as records come" },
        { 'n', "lines", "N", NULL, take_word, offsetof(struct listing, lines),
          "the newest so many, up to 1000, or all (default: 50)" },
        { 'o', "output", "FORM", NULL, take_word, offsetof(struct listing, output),
          "text (the default) or json, one object a line" },
        { 0, "socket", "PATH", NULL, take_word, offsetof(struct listing, socket),
          "where geard listens (default: " SOURCE_SOCKET ")" },
        { 0 },
};

/* --- one record ------------------------------------------------------------------------------- */

/* A terminal obeys control characters, and words come from anywhere. */
static void add_word(struct text *t, const char *word)
{
        while (*word) {
                uint32_t c = 0;
                size_t n = utf8_decode(word, strnlen(word, 4), &c);

                if (n == 0 || c < 0x20 || (c >= 0x7f && c <= 0x9f))
                        text_addc(t, '?');
                else
                        text_addn(t, word, n);
                word += n ? n : 1;
        }
}

static void add_if(struct text *t, const char *before, const char *word)
{
        if (!word)
                return;
        text_add(t, before);
        add_word(t, word);
}

static void add_time(struct text *t, uint64_t usec)
{
        time_t sec = (time_t) (usec / 1000000);
        char when[64] = "?";
        struct tm tm;

        if (gmtime_r(&sec, &tm))
                (void) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
        text_add(t, when);
}

static void add_line(struct text *t, const struct audit_record *record)
{
        char *const *words = record->words;

        text_addf(t, "%" PRIu64 " ", record->number);
        add_time(t, record->at_usec);
        text_addf(t, " %d", record->code);
        add_if(t, " ", words[AUDIT_VERB]);
        add_if(t, " ", words[AUDIT_RESOURCE]);
        if (!streq_null(words[AUDIT_USER], words[AUDIT_PRINCIPAL]))
                add_if(t, " for ", words[AUDIT_USER]);
        add_if(t, " by ", words[AUDIT_PRINCIPAL]);
        add_if(t, " from ", words[AUDIT_PEER]);
        add_if(t, ": ", words[AUDIT_SAID]);
}

static int print_record(void *arg, const struct audit_record *record, struct fault *f)
{
        struct listing *l = arg;
        _cleanup_text_ struct text t = { 0 };

        if (l->json)
                audit_to_json(&t, record);
        else
                add_line(&t, record);
        if (!text_ok(&t))
                return fault_oom(f);
        l->place = (struct audit_place){ .placed = true, .after = record->number };
        if (puts(t.data) == EOF || (l->follow && fflush(stdout) != 0))
                return fault_set(f, FAULT_NO_SPACE, NULL, "standard output cannot be written");
        return 0;
}

/* --- all of them ---------------------------------------------------------------------------------- */

static int print_all(struct listing *l, struct audit_source *source, struct fault *f)
{
        uint64_t from = 0;
        bool end = false;

        while (!end) {
                _cleanup_audit_batch_ struct audit_batch batch = { 0 };
                int r = audit_source_read(source, true, from, &batch, f);

                for (size_t i = 0; r == 0 && i < batch.n; i++)
                        r = print_record(l, &batch.records[i], f);
                if (r < 0)
                        return r;
                from = batch.next;
                end = batch.end;
        }
        return 0;
}

static int take_newest(struct audit_source *source, size_t wanted, struct audit_batch *ret, struct fault *f)
{
        uint64_t from = 0;
        bool end = false;

        ret->records = calloc(wanted, sizeof *ret->records);
        if (!ret->records)
                return fault_oom(f);
        while (!end && ret->n < wanted) {
                _cleanup_audit_batch_ struct audit_batch batch = { 0 };
                int r = audit_source_read(source, false, from, &batch, f);

                if (r < 0)
                        return r;
                for (size_t i = 0; i < batch.n && ret->n < wanted; i++) {
                        ret->records[ret->n++] = batch.records[i];
                        batch.records[i] = (struct audit_record){ 0 };
                }
                from = batch.next;
                end = batch.end;
        }
        return 0;
}

/* The newest, as a log is read: the last of them at the end. */
static int print_newest(struct listing *l, struct audit_source *source, struct fault *f)
{
        _cleanup_audit_batch_ struct audit_batch newest = { 0 };
        int r = take_newest(source, l->n_lines, &newest, f);

        for (size_t i = newest.n; r == 0 && i > 0; i--)
                r = print_record(l, &newest.records[i - 1], f);
        return r;
}

/* A geard that restarts goes on where it was left. */
static int follow(struct listing *l, struct audit_source *source, struct fault *f)
{
        bool was_open = false;

        l->place = (struct audit_place){ .placed = l->n_lines == 0, .tail = l->n_lines };
        for (;;) {
                int r = audit_source_follow(source, &l->place, print_record, l, f);

                was_open |= r > 0;
                if (r < 0 && !(was_open && f->kind == FAULT_AWAY))
                        return r;
                (void) sleep(AGAIN_SEC);
        }
}

static int list(struct listing *l, struct fault *f)
{
        _cleanup_(audit_source_freep) struct audit_source *source = audit_source_new(l->socket);

        if (!source)
                return fault_oom(f);
        for (const struct cli_option *o = filters; o->name; o++) {
                const char *value = *(const char **) ((char *) l + o->offset);

                if (value && audit_source_filter(source, o->name, value) < 0)
                        return fault_oom(f);
        }
        if (l->follow)
                return follow(l, source, f);
        return l->n_lines ? print_newest(l, source, f) : print_all(l, source, f);
}

/* --- what is asked for --------------------------------------------------------------------------- */

static int check(struct listing *l, struct fault *f)
{
        uint64_t n = LINES_DEFAULT;

        if (l->output && !streq(l->output, "text") && !streq(l->output, "json"))
                return fault_set(f, FAULT_INVALID, "output", "--output: must be text or json");
        l->json = l->output && streq(l->output, "json");
        if (l->lines && streq(l->lines, "all"))
                n = 0;
        else if (l->lines && (!parse_u64(l->lines, LINES_MAX, &n) || n == 0))
                return fault_set(f, FAULT_INVALID, "lines", "--lines: must be a number from 1 to %d, or all",
                                 LINES_MAX);
        l->n_lines = (unsigned) n;
        return 0;
}

int audit_run(int argc, char **argv, struct fault *f)
{
        static const struct usage usage = {
                .verb = "audit",
                .operands = "",
                .about = "Shows the audit trail of this host: a record for each change, and each that was\n"
                         "refused, the newest last.  gear audit verify tells whether it is whole.\n",
        };
        struct listing l = { .socket = SOURCE_SOCKET };
        const struct option_group groups[] = { { "Options", options, &l },
                                               { "Which records", filters, &l },
                                               { 0 } };
        char **operands = NULL;
        int r;

        if (argc > 1 && streq(argv[1], "verify"))
                return audit_verify_run(argc - 1, argv + 1, f);
        r = options_parse(&usage, groups, argc, argv, &operands, f);
        if (r != 0)
                return r < 0 ? r : 0;
        r = check(&l, f);
        return r < 0 ? r : list(&l, f);
}
