/* SPDX-License-Identifier: Apache-2.0 */

/*
 * `health` and `ready` of a spec.
 *
 *   health  {"command": ["argv"…] | "a line for /bin/sh"}
 *           {"http": "/path", "port": 8080}   or {"http": {"port": 8080, "path": "/"}}
 *           {"tcp": 8080}
 *           each with interval, timeout, start_period (durations), retries
 *   ready   "running" | "healthy" | "tcp" | "http" (the first TCP port of `ports`)
 *           {"running": true} {"healthy": true} {"tcp": …} {"http": …} {"log": "regex"},
 *           each with timeout (a duration)
 */

#include "core/spec-read.h"

#include <regex.h>
#include <stdio.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

#define PERIOD_MIN (100 * USEC_PER_MSEC)
#define PERIOD_MAX (24 * 3600 * USEC_PER_SEC)
#define HEALTH_PERIOD_DEFAULT (30 * USEC_PER_SEC)
#define HEALTH_RETRIES_DEFAULT 3
#define HEALTH_RETRIES_MAX 100
#define HTTP_PATH_MAX 1024
#define PATTERN_MAX 1024
#define PATTERN_SIZE_MAX 1024
#define PATTERN_GROUPS_MAX 16

/* Origin-form: the path is sent in a request line as it stands. */
static int read_path(const struct json *v, const char *field, char **ret, struct fault *f)
{
        const char *path;
        int r = json_get_string(v, field, HTTP_PATH_MAX, &path, f);

        if (r < 0)
                return r;
        if (*path != '/')
                return spec_refuse(field, "must begin with '/'", f);
        for (const char *s = path; *s; s++)
                if (*s <= ' ' || *s >= 0x7F || *s == '#')
                        return spec_refuse(field, "must be printable ASCII without blanks and '#'", f);
        *ret = strdup(path);
        return *ret ? 0 : fault_oom(f);
}

/* {"port", "path"} */
static int read_http_object(const struct json *v, const char *field, uint16_t *ret_port, char **ret_path,
                            struct fault *f)
{
        static const char *const names[] = { "port", "path", NULL };
        const struct json *path = spec_member(v, "path");
        char at[FAULT_FIELD_MAX];
        int r;

        r = json_check_names(v, field, names, f);
        if (r < 0)
                return r;
        r = spec_read_port(spec_member(v, "port"), json_path(at, field, "port"), ret_port, f);
        if (r < 0)
                return r;
        if (path)
                return read_path(path, json_path(at, field, "path"), ret_path, f);
        *ret_path = strdup("/");
        return *ret_path ? 0 : fault_oom(f);
}

/* The `http` of an owner, whose own `port` goes with the short form only. */
static int read_http(const struct json *owner, const char *path, uint16_t *ret_port, char **ret_path,
                     struct fault *f)
{
        const struct json *v = spec_member(owner, "http"), *port = spec_member(owner, "port");
        char field[FAULT_FIELD_MAX], port_field[FAULT_FIELD_MAX];
        int r;

        json_path(field, path, "http");
        json_path(port_field, path, "port");
        if (json_is_object(v)) {
                if (port)
                        return spec_refuse(port_field, "belongs into the http object", f);
                return read_http_object(v, field, ret_port, ret_path, f);
        }
        if (!json_is_string(v))
                return spec_refuse(field, "must be a path or {\"port\", \"path\"}", f);
        r = spec_read_port(port, port_field, ret_port, f);
        return r < 0 ? r : read_path(v, field, ret_path, f);
}

static int read_tcp(const struct json *owner, const char *path, uint16_t *ret_port, struct fault *f)
{
        char field[FAULT_FIELD_MAX];

        return spec_read_port(spec_member(owner, "tcp"), json_path(field, path, "tcp"), ret_port, f);
}

/* Which one of the kinds is there: exactly one must be, and a `port` needs the http path beside it. */
static int pick_kind(const struct json *v, const char *field, const char *const *kinds, size_t n,
                     size_t *ret, struct fault *f)
{
        _cleanup_text_ struct text list = { 0 };
        size_t found = 0, kind = 0;

        for (size_t i = 0; i < n; i++) {
                text_addf(&list, "%s%s", i > 0 ? ", " : "", kinds[i]);
                if (!spec_member(v, kinds[i]))
                        continue;
                kind = i;
                found++;
        }
        if (!text_ok(&list))
                return fault_oom(f);
        if (found != 1)
                return fault_set(f, FAULT_INVALID, field, "%s: must hold exactly one of %s", field,
                                 list.data);
        if (spec_member(v, "port") && !streq(kinds[kind], "http"))
                return fault_set(f, FAULT_INVALID, field, "%s: port goes with http, not with %s", field,
                                 kinds[kind]);
        *ret = kind;
        return 0;
}

static int read_health_command(const struct json *v, const char *field, char ***ret, struct fault *f)
{
        _cleanup_strv_ char **words = NULL;
        const char *line;
        int r;

        if (json_is_string(v)) {
                r = json_get_string(v, field, SPEC_WORD_MAX, &line, f);
                if (r < 0)
                        return r;
                if (strv_add(&words, "/bin/sh") < 0 || strv_add(&words, "-c") < 0 ||
                    strv_add(&words, line) < 0)
                        return fault_oom(f);
        } else {
                r = spec_read_words(v, field, &words, f);
                if (r < 0)
                        return r;
        }
        if (!words || !*words[0])
                return spec_refuse(field, "must name a command", f);
        *ret = TAKE(words);
        return 0;
}

static int read_period(const struct json *owner, const char *path, const char *name, uint64_t min,
                       uint64_t *ret, struct fault *f)
{
        const struct json *v = spec_member(owner, name);
        char field[FAULT_FIELD_MAX];

        if (!v)
                return 0; /* the default stays */
        return spec_read_duration(v, json_path(field, path, name), min, PERIOD_MAX, ret, f);
}

static int read_schedule(struct spec_health *h, const struct json *v, const char *field, struct fault *f)
{
        const struct json *retries = spec_member(v, "retries");
        uint64_t n = HEALTH_RETRIES_DEFAULT;
        char at[FAULT_FIELD_MAX];
        int r;

        h->interval_usec = h->timeout_usec = HEALTH_PERIOD_DEFAULT;
        r = read_period(v, field, "interval", PERIOD_MIN, &h->interval_usec, f);
        if (r == 0)
                r = read_period(v, field, "timeout", PERIOD_MIN, &h->timeout_usec, f);
        if (r == 0)
                r = read_period(v, field, "start_period", 0, &h->start_period_usec, f);
        if (r == 0 && retries)
                r = json_get_uint(retries, json_path(at, field, "retries"), 1, HEALTH_RETRIES_MAX, &n, f);
        h->retries = (unsigned) n;
        return r;
}

int spec_read_health(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        static const char *const names[] = { "command", "http",    "tcp",          "port", "interval",
                                             "timeout", "retries", "start_period", NULL };
        static const char *const kinds[] = { "command", "http", "tcp" };
        struct spec_health *h = &s->health;
        char at[FAULT_FIELD_MAX];
        size_t kind;
        int r;

        if (!json_is_object(v))
                return spec_refuse(field, "must be an object", f);
        r = json_check_names(v, field, names, f);
        if (r == 0)
                r = pick_kind(v, field, kinds, ARRAY_SIZE(kinds), &kind, f);
        if (r < 0)
                return r;
        h->kind = PROBE_COMMAND + (enum probe_kind) kind;
        switch (h->kind) {
        case PROBE_HTTP:
                r = read_http(v, field, &h->port, &h->path, f);
                break;
        case PROBE_TCP:
                r = read_tcp(v, field, &h->port, f);
                break;
        default:
                r = read_health_command(spec_member(v, "command"), json_path(at, field, "command"),
                                        &h->command, f);
        }
        return r < 0 ? r : read_schedule(h, v, field, f);
}

/* After a bracket, to its end: "[]…]" and "[^]…]" hold the first "]" themselves. */
static const char *skip_bracket(const char *s)
{
        if (*s == '^')
                s++;
        if (*s == ']')
                s++;
        return s + strcspn(s, "]");
}

/* The size of what a pattern compiles to, group by group. */
struct pattern_size {
        unsigned long sum[PATTERN_GROUPS_MAX]; /* of the group open at each depth */
        unsigned long last;                    /* of the atom that a repetition would repeat */
        size_t depth;
};

static void add_atom(struct pattern_size *p, unsigned long size)
{
        p->last = size;
        p->sum[p->depth] += size;
}

static void repeat(struct pattern_size *p, unsigned copies)
{
        if (copies <= 1)
                return;
        p->sum[p->depth] += p->last * (copies - 1);
        p->last *= copies;
}

/* Returns the last byte of the braces, or the first where they are none. */
static const char *repeat_atom(struct pattern_size *p, const char *braces)
{
        const char *end = braces + 1 + strspn(braces + 1, "0123456789,");
        unsigned low = 0, high = 0;

        if (*end != '}')
                return braces;
        (void) sscanf(braces, "{%5u,%5u", &low, &high);
        if (end[-1] == ',') /* so many, and a starred one */
                high = low + 1;
        repeat(p, high > low ? high : low);
        return end;
}

/*
 * glibc compiles x{1,1000} into a thousand copies of x, nested ones multiplied,
 * with memory and time in the square of that, makes two of x in x+, and matches
 * back-references in exponential time: a pattern must not become a way to occupy
 * the daemon.
 */
static bool pattern_is_cheap(const char *s)
{
        struct pattern_size p = { 0 };

        for (; *s; s++) {
                switch (*s) {
                case '(':
                        if (p.depth + 1 == PATTERN_GROUPS_MAX)
                                return false;
                        p.sum[++p.depth] = 1;
                        break;
                case ')':
                        if (p.depth > 0) {
                                p.depth--;
                                add_atom(&p, p.sum[p.depth + 1]);
                        }
                        break;
                case '{':
                        s = repeat_atom(&p, s);
                        break;
                case '+':
                        repeat(&p, 2);
                        break;
                case '[':
                        s = skip_bracket(s + 1);
                        add_atom(&p, 1);
                        break;
                case '\\':
                        if (s[1] >= '1' && s[1] <= '9')
                                return false;
                        s += s[1] != '\0';
                        add_atom(&p, 1);
                        break;
                default:
                        add_atom(&p, 1);
                }
                if (p.sum[p.depth] > PATTERN_SIZE_MAX)
                        return false;
                if (!*s)
                        break; /* an open bracket: regcomp() says so */
        }
        return true;
}

static int read_pattern(const struct json *v, const char *field, char **ret, struct fault *f)
{
        _cleanup_free_ char *pattern = NULL;
        char why[128];
        regex_t compiled;
        int r;

        r = spec_read_string(v, field, PATTERN_MAX, &pattern, f);
        if (r < 0)
                return r;
        if (!pattern_is_cheap(pattern))
                return fault_set(
                        f, FAULT_INVALID, field,
                        "%s: too costly: no back-references, groups nested less than %d deep, and at most "
                        "%d characters once repetitions are written out",
                        field, PATTERN_GROUPS_MAX, PATTERN_SIZE_MAX);
        r = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
        if (r != 0) {
                (void) regerror(r, &compiled, why, sizeof why);
                return fault_set(f, FAULT_INVALID, field, "%s: not a POSIX extended regular expression: %s",
                                 field, why);
        }
        regfree(&compiled);
        *ret = TAKE(pattern);
        return 0;
}

/* The short forms. */
static int read_ready_word(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        const char *word;
        int r = json_get_string(v, field, 16, &word, f);

        if (r < 0)
                return r;
        if (streq(word, "running") || streq(word, "healthy")) {
                s->ready.kind = streq(word, "running") ? READY_RUNNING : READY_HEALTHY;
                return 0;
        }
        if (!streq(word, "tcp") && !streq(word, "http"))
                return spec_refuse(
                        field, "must be running, healthy, tcp, http, or an object with tcp, http or log", f);
        for (size_t i = 0; i < s->n_ports && s->ready.port == 0; i++)
                if (!s->ports[i].udp)
                        s->ready.port = s->ports[i].internal;
        if (s->ready.port == 0)
                return fault_set(f, FAULT_INVALID, field, "%s: %s needs a TCP port in ports, or {\"%s\": …}",
                                 field, word, word);
        s->ready.kind = streq(word, "tcp") ? READY_TCP : READY_HTTP;
        if (s->ready.kind == READY_HTTP)
                s->ready.path = strdup("/");
        return s->ready.kind == READY_HTTP && !s->ready.path ? fault_oom(f) : 0;
}

/* {"running": true}: the word, in the form that can carry a timeout. */
static int check_true(const struct json *owner, const char *path, const char *name, struct fault *f)
{
        char field[FAULT_FIELD_MAX];
        bool value;
        int r;

        json_path(field, path, name);
        r = json_get_bool(spec_member(owner, name), field, &value, f);
        if (r == 0 && !value)
                return spec_refuse(field, "can only be true", f);
        return r;
}

int spec_read_ready(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        static const char *const names[] = { "running", "healthy", "tcp",     "http",
                                             "log",     "port",    "timeout", NULL };
        static const char *const kinds[] = { "running", "healthy", "tcp", "http", "log" };
        struct spec_ready *ready = &s->ready;
        char at[FAULT_FIELD_MAX];
        size_t kind;
        int r;

        if (!json_is_object(v))
                return read_ready_word(s, v, field, f);
        r = json_check_names(v, field, names, f);
        if (r == 0)
                r = pick_kind(v, field, kinds, ARRAY_SIZE(kinds), &kind, f);
        if (r < 0)
                return r;
        ready->kind = (enum ready_kind) kind;
        switch (ready->kind) {
        case READY_TCP:
                r = read_tcp(v, field, &ready->port, f);
                break;
        case READY_HTTP:
                r = read_http(v, field, &ready->port, &ready->path, f);
                break;
        case READY_LOG:
                r = read_pattern(spec_member(v, "log"), json_path(at, field, "log"), &ready->pattern, f);
                break;
        default:
                r = check_true(v, field, kinds[kind], f);
        }
        return r < 0 ? r : read_period(v, field, "timeout", PERIOD_MIN, &ready->timeout_usec, f);
}
