/* SPDX-License-Identifier: Apache-2.0 */

/* The options' tables at work, and the readers of values that several verbs use. */

#include "cli/options.h"

#include "core/claims.h"
#include "util/text.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <time.h>

#define USEC_PER_SEC UINT64_C(1000000)
/* Values of struct option that are no letter. */
#define FIRST_INDEX 256
#define HELP_COLUMN 28

struct parser {
        struct option longs[CLI_OPTIONS_MAX + 2];
        const struct cli_option *options[CLI_OPTIONS_MAX];
        void *owners[CLI_OPTIONS_MAX];
        char letters[2 * CLI_OPTIONS_MAX + 3];
        int n;
};

static bool value_is_optional(const struct cli_option *o)
{
        return o->value && o->value[0] == '[';
}

static int argument_of(const struct cli_option *o)
{
        if (!o->value)
                return no_argument;
        return value_is_optional(o) ? optional_argument : required_argument;
}

static void parser_add(struct parser *p, const struct cli_option *o, void *owner)
{
        size_t end = strlen(p->letters);

        assert(p->n < CLI_OPTIONS_MAX);
        p->options[p->n] = o;
        p->owners[p->n] = owner;
        p->longs[p->n] = (struct option){ o->name, argument_of(o), NULL, FIRST_INDEX + p->n };
        if (o->letter) {
                p->letters[end++] = o->letter;
                if (o->value)
                        p->letters[end] = ':';
        }
        p->n++;
}

static void parser_init(struct parser *p, const struct option_group *groups)
{
        *p = (struct parser){ .letters = ":h" };
        for (; groups->options; groups++)
                for (const struct cli_option *o = groups->options; o->name; o++)
                        parser_add(p, o, groups->owner);
        p->longs[p->n] = (struct option){ "help", no_argument, NULL, 'h' };
}

static int index_of(const struct parser *p, int found)
{
        if (found >= FIRST_INDEX)
                return found - FIRST_INDEX;
        for (int i = 0; i < p->n; i++)
                if (p->options[i]->letter == found)
                        return i;
        return -1;
}

static int blame(const struct cli_option *o, const char *what, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, o->name, "--%s: %s", o->name, what);
}

/* The word as it was given, but nothing of a value, which may be a secret. */
static int unknown_option(const char *word, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, NULL, "%.*s: unknown option", (int) strcspn(word, "="), word);
}

static int refuse_word(const struct parser *p, int found, char *const *argv, struct fault *f)
{
        int i = index_of(p, optopt);

        if (found == ':' && i >= 0)
                return blame(p->options[i], "needs a value", f);
        if (optopt >= FIRST_INDEX)
                return blame(p->options[i], "takes no value", f);
        if (optopt == 'h')
                return fault_set(f, FAULT_INVALID, NULL, "--help: takes no value");
        if (optopt)
                return fault_set(f, FAULT_INVALID, NULL, "-%c: unknown option", optopt);
        return unknown_option(argv[optind - 1], f);
}

static int take_value(const struct parser *p, int found, struct fault *f)
{
        int i = index_of(p, found);
        const struct cli_option *o = p->options[i];
        struct fault inner = { 0 };

        if (o->take(optarg, (char *) p->owners[i] + o->offset, &inner) == 0)
                return 0;
        return inner.kind == FAULT_INTERNAL ? fault_oom(f) : blame(o, inner.text, f);
}

static void help_option(const struct cli_option *o, struct text *t)
{
        size_t begin = t->len;

        text_addf(t, "  %c%c%s--%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                  o->letter ? ", " : "  ", o->name);
        if (value_is_optional(o))
                text_add(t, o->value);
        else if (o->value)
                text_addf(t, "=%s", o->value);
        if (t->len - begin >= HELP_COLUMN)
                text_addc(t, '\n');
        for (const char *line = o->help; *line;) {
                size_t n = strcspn(line, "\n");
                bool goes_on = t->data && t->data[t->len - 1] != '\n';

                text_addf(t, "%*s%.*s\n", goes_on ? (int) (HELP_COLUMN - (t->len - begin)) : HELP_COLUMN, "",
                          (int) n, line);
                line += line[n] ? n + 1 : n;
        }
}

static int help(const struct usage *u, const struct option_group *groups, struct fault *f)
{
        _cleanup_text_ struct text t = { 0 };

        text_addf(&t, "usage: gear %s [OPTION...]%s%s\n\n%s", u->verb, *u->operands ? " " : "", u->operands,
                  u->about);
        for (; groups->options; groups++) {
                if (groups->title)
                        text_addf(&t, "\n%s:\n", groups->title);
                for (const struct cli_option *o = groups->options; o->name; o++)
                        help_option(o, &t);
        }
        if (!text_ok(&t))
                return fault_oom(f);
        (void) fputs(t.data, stdout);
        return OPTIONS_E_HELPED;
}

int options_parse(const struct usage *u, const struct option_group *groups, int argc, char **argv,
                  char ***ret_operands, struct fault *f)
{
        struct parser p;
        int found;

        parser_init(&p, groups);
        opterr = 0;
        while ((found = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1) {
                int r;

                if (found == 'h')
                        return help(u, groups, f);
                r = found == '?' || found == ':' ? refuse_word(&p, found, argv, f)
                                                 : take_value(&p, found, f);
                if (r < 0)
                        return r;
        }
        if ((size_t) (argc - optind) > u->operands_max)
                return fault_set(f, FAULT_INVALID, NULL, "too many words: gear %s takes %s", u->verb,
                                 *u->operands ? u->operands : "none");
        *ret_operands = argv + optind;
        return 0;
}

/* "r[1]: must be …" and "link 2 of 2: r: reaches …" both have the field r. */
void options_blame(const struct cli_option *options, struct fault *f)
{
        const struct fault was = *f;
        size_t field = strlen(was.field), name = strcspn(was.field, "[");
        const char *text = was.text;

        if (field == 0)
                return;
        if (strncmp(text, was.field, field) == 0 && starts_with(text + field, ": "))
                text += field + 2;
        for (; options->name; options++)
                if (options->claim && strlen(options->claim) == name &&
                    strncmp(options->claim, was.field, name) == 0) {
                        (void) fault_set(f, FAULT_INVALID, options->name, "--%s: %s", options->name, text);
                        return;
                }
}

int take_flag(const char *value _unused_, void *member, struct fault *f _unused_)
{
        *(bool *) member = true;
        return 0;
}

int take_word(const char *value, void *member, struct fault *f)
{
        if (!*value)
                return fault_set(f, FAULT_INVALID, NULL, "is empty");
        *(const char **) member = value;
        return 0;
}

static int check_text(const char *value, struct fault *f)
{
        if (!*value)
                return fault_set(f, FAULT_INVALID, NULL, "is empty");
        if (!utf8_valid(value, strlen(value)))
                return fault_set(f, FAULT_INVALID, NULL, "is not UTF-8");
        return 0;
}

int take_text(const char *value, void *member, struct fault *f)
{
        char **text = member, *copy;
        int r = check_text(value, f);

        if (r < 0)
                return r;
        copy = strdup(value);
        if (!copy)
                return fault_oom(f);
        free(*text);
        *text = copy;
        return 0;
}

int take_list(const char *value, void *member, struct fault *f)
{
        char ***list = member;
        int r = check_text(value, f);

        if (r < 0)
                return r;
        for (;;) {
                size_t n = strcspn(value, ",");

                if (n == 0)
                        return fault_set(f, FAULT_INVALID, NULL, "has an empty element");
                if (strv_addf(list, "%.*s", (int) n, value) < 0)
                        return fault_oom(f);
                if (!value[n])
                        return 0;
                value += n + 1;
        }
}

/* strptime() takes much for a time; what it took is written again and must be the same. */
static bool parse_rfc3339(const char *s, uint64_t *ret_sec)
{
        static const char layout[] = "%Y-%m-%dT%H:%M:%S";
        struct tm tm = { 0 };
        const char *zone = strptime(s, layout, &tm), *end;
        char again[64];
        long offset;
        time_t sec;

        if (!zone)
                return false;
        sec = timegm(&tm);
        if (strftime(again, sizeof again, layout, &tm) != (size_t) (zone - s) || !starts_with(s, again) ||
            sec < 0)
                return false;
        if (streq(zone, "Z")) {
                *ret_sec = (uint64_t) sec;
                return true;
        }
        end = strptime(zone, "%z", &tm);
        offset = tm.tm_gmtoff;
        if (!end || *end || strlen(zone) != strlen("+00:00") || zone[3] != ':' || sec < offset)
                return false;
        *ret_sec = (uint64_t) (sec - offset);
        return true;
}

int take_time(const char *value, void *member, struct fault *f)
{
        uint64_t usec, sec = 0;

        if (value[0] == '@' ? parse_u64(value + 1, CLAIM_TIME_MAX, &sec) : parse_rfc3339(value, &sec)) {
                *(uint64_t *) member = sec;
        } else if (parse_duration(value, &usec) && usec >= USEC_PER_SEC) {
                sec = (uint64_t) time(NULL) + usec / USEC_PER_SEC;
                *(uint64_t *) member = sec;
        }
        if (sec == 0)
                return fault_set(
                        f, FAULT_INVALID, NULL,
                        "must be how long from now (90s, 5min, 1h), a time like 2031-12-31T23:59:59Z, "
                        "or @ and seconds since 1970");
        return 0;
}
