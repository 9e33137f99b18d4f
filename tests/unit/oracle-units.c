/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Units of random gears, made to trip a parser, for check-unit-oracle.
 *
 * usage: oracle-units SEED FIRST COUNT ARGVS DIR
 * Writes DIR/gear-N.service for COUNT numbers from FIRST on and DIR/all.target
 * that wants them.  A unit is as geard makes it, with ExecStartPost= lines of the
 * same escaper added until it holds ARGVS argvs.  Prints those that systemd must
 * read: the number of words, then the words, each ended by a NUL.
 */

#include "core/unit.h"

#include <stdio.h>

#define WORD_LEN_MAX 40
#define LONG_WORD_LEN_MAX 4000
#define WORDS_MAX 8

static const struct unit_host host = {
        .state_directory = "/var/lib/gears",
        .docker = "/usr/bin/docker",
        .docker_unit = "docker.service",
        .docker_socket = "/run/docker.sock",
        .helper = "/usr/libexec/geard/gear-unit",
        .publish_address = "0.0.0.0",
};

/* splitmix64: the same cases on every machine. */
static uint64_t next_random(uint64_t *state)
{
        uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));

        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t n)
{
        return next_random(state) % n;
}

static bool one_in(uint64_t *state, uint64_t n)
{
        return below(state, n) == 0;
}

static void add_utf8(struct text *t, uint32_t c)
{
        if (c < 0x80) {
                text_addc(t, (char) c);
        } else if (c < 0x800) {
                text_addc(t, (char) (0xC0 | (c >> 6)));
                text_addc(t, (char) (0x80 | (c & 0x3F)));
        } else if (c < 0x10000) {
                text_addc(t, (char) (0xE0 | (c >> 12)));
                text_addc(t, (char) (0x80 | ((c >> 6) & 0x3F)));
                text_addc(t, (char) (0x80 | (c & 0x3F)));
        } else {
                text_addc(t, (char) (0xF0 | (c >> 18)));
                text_addc(t, (char) (0x80 | ((c >> 12) & 0x3F)));
                text_addc(t, (char) (0x80 | ((c >> 6) & 0x3F)));
                text_addc(t, (char) (0x80 | (c & 0x3F)));
        }
}

/* What has a meaning to systemd, to a shell, to docker, or to nobody. */
static void add_piece(struct text *t, uint64_t *random)
{
        static const char *const traps[] = {
                "%",    "%%",   "%n",   "%i",    "$",       "$$",        "${HOME}", "$HOME", "\\",     "\\\\",
                "\"",   "'",    ";",    " ; ",   "\\;",     "#",         "\t",      "\n",    "\r",     " ",
                "\\x41", "\\n", "\\s",  "\\073", "\\u00e9", "\\\n",      "\n\n",    "\f\v",  "\a\b",   "\x01",
                "\x7f", "-",    "--",   "=",     "[Unit]",  "\nUser=x\n", "@",       ":",     "!",      "|",
                "+",    "*",    "?",    "~",     "`",       "$(id)",     "&&",      "{}",    "<",      "%h",
        };
        uint32_t c;

        switch (below(random, 4)) {
        case 0:
        case 1:
                text_add(t, traps[below(random, ARRAY_SIZE(traps))]);
                break;
        case 2:
                text_addc(t, (char) (1 + below(random, 0x7F)));
                break;
        default:
                c = (uint32_t) (one_in(random, 2) ? 0x80 + below(random, 0x180) : 0x80 + below(random, 0x10FF80));
                add_utf8(t, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
        }
}

static char *random_word(uint64_t *random)
{
        struct text t = { 0 };
        uint64_t len = below(random, one_in(random, 200) ? LONG_WORD_LEN_MAX : WORD_LEN_MAX);

        if (one_in(random, 20))
                return strdup(one_in(random, 2) ? "" : ";");
        while (t.len < len)
                add_piece(&t, random);
        return t.len ? text_take(&t) : strdup("-");
}

static int random_spec(uint64_t *random, struct spec *ret)
{
        *ret = (struct spec){ .image = strdup("test/busybox"), .stop_timeout_usec = 10000000, .started = true };
        for (uint64_t n = below(random, WORDS_MAX + 1); n > 0; n--)
                if (strv_consume(&ret->command, random_word(random)) < 0)
                        return -ENOMEM;
        ret->labels = calloc(2, sizeof *ret->labels);
        if (!ret->labels)
                return -ENOMEM;
        for (; ret->n_labels < 2; ret->n_labels++)
                ret->labels[ret->n_labels] = (struct spec_label){ .name = strdup(ret->n_labels ? "b" : "a"),
                                                                  .value = random_word(random) };
        if (one_in(random, 4))
                ret->workdir = random_word(random);
        if (one_in(random, 4)) {
                ret->health = (struct spec_health){ .kind = PROBE_COMMAND, .interval_usec = 1, .retries = 1 };
                return strv_consume(&ret->health.command, random_word(random));
        }
        return 0;
}

static int write_unit(const char *directory, const char *id, const struct text *unit)
{
        char path[4096];
        FILE *file;

        (void) snprintf(path, sizeof path, "%s/gear-%s.service", directory, id);
        file = fopen(path, "we");
        if (!file)
                return -errno;
        if (fwrite(unit->data, 1, unit->len, file) != unit->len)
                return (fclose(file), -EIO);
        return fclose(file) == 0 ? 0 : -errno;
}

static int print_argv(const struct spec *spec, const struct unit_origin *origin)
{
        const char *const wrapper[] = { host.helper, "--socket=/run/docker.sock", "--engine=docker.service", "run", NULL };
        _cleanup_strv_ char **argv = NULL;
        size_t n;

        if (unit_docker_argv(spec, origin, &host, &argv) < 0)
                return -ENOMEM;
        /* The command goes in as it is, whatever else the argv is made of. */
        n = strv_len(spec->command);
        if (strv_len(argv) < n || (n > 0 && !strv_equal(argv + strv_len(argv) - n, spec->command)))
                return -EBADMSG;
        (void) printf("%zu%c", ARRAY_SIZE(wrapper) + strv_len(argv), '\0');
        for (size_t i = 0; i < ARRAY_SIZE(wrapper); i++)
                if (wrapper[i])
                        (void) printf("%s%c", wrapper[i], '\0');
                else
                        (void) printf("gear-%s%c", origin->id, '\0');
        for (char **word = argv; *word; word++)
                (void) printf("%s%c", *word, '\0');
        return 0;
}

static int add_argv(uint64_t *random, struct text *lines)
{
        _cleanup_strv_ char **words = NULL;

        if (strv_add(&words, "/bin/true") < 0)
                return -ENOMEM;
        for (uint64_t n = below(random, WORDS_MAX + 1); n > 0; n--)
                if (strv_consume(&words, random_word(random)) < 0)
                        return -ENOMEM;
        text_add(lines, "ExecStartPost=:");
        (void) printf("%zu%c", strv_len(words), '\0');
        for (char **word = words; *word; word++) {
                text_add(lines, word == words ? "" : " ");
                unit_quote(lines, *word);
                (void) printf("%s%c", *word, '\0');
        }
        text_add(lines, "\n");
        return 0;
}

/* At the end of [Service]. */
static int add_argvs(uint64_t *random, uint64_t n, struct text *unit)
{
        static const char next_section[] = "\n[Install]";
        _cleanup_free_ char *rest = NULL;
        char *at = unit->data ? strstr(unit->data, next_section) : NULL;
        int r = 0;

        rest = at ? strdup(at) : NULL;
        if (!rest)
                return -EBADMSG;
        text_truncate(unit, (size_t) (at - unit->data));
        for (; r == 0 && n > 0; n--)
                r = add_argv(random, unit);
        text_add(unit, rest);
        return r == 0 && !text_ok(unit) ? -ENOMEM : r;
}

static int make_one(uint64_t *random, uint64_t number, uint64_t argvs, const char *directory)
{
        _cleanup_text_ struct text unit = { 0 };
        _cleanup_(spec_reset) struct spec spec = { 0 };
        _cleanup_free_ char *user = random_word(random);
        char id[24];
        const struct unit_origin origin = { .id = id, .user = user, .request_id = "00000000000000000000000000000001" };
        struct fault f;
        int r;

        (void) snprintf(id, sizeof id, "%llu", (unsigned long long) number);
        r = user ? random_spec(random, &spec) : -ENOMEM;
        if (r == 0)
                r = unit_render(&spec, &origin, &host, &unit, &f);
        if (r == 0)
                r = print_argv(&spec, &origin);
        if (r == 0)
                r = add_argvs(random, argvs - 1, &unit);
        return r == 0 ? write_unit(directory, id, &unit) : r;
}

int main(int argc, char *argv[])
{
        uint64_t seed, first, count, argvs;
        char path[4096];
        FILE *target;
        int r = 0;

        if (argc != 6 || !parse_u64(argv[1], UINT32_MAX, &seed) || !parse_u64(argv[2], UINT32_MAX, &first) ||
            !parse_u64(argv[3], UINT32_MAX, &count) || !parse_u64(argv[4], UINT32_MAX, &argvs) || argvs == 0) {
                (void) fputs("usage: oracle-units SEED FIRST COUNT ARGVS DIR\n", stderr);
                return 64;
        }
        (void) snprintf(path, sizeof path, "%s/all.target", argv[5]);
        target = fopen(path, "we");
        if (!target)
                return 1;
        (void) fputs("[Unit]\n", target);
        for (uint64_t i = first; r == 0 && i < first + count; i++) {
                uint64_t random = (seed << 32) + i; /* a case by its number, whatever the others are */

                (void) fprintf(target, "Wants=gear-%llu.service\n", (unsigned long long) i);
                r = make_one(&random, i, argvs, argv[5]);
        }
        if (fclose(target) != 0 || fflush(stdout) != 0)
                r = -errno;
        if (r < 0)
                (void) fprintf(stderr, "oracle-units: %s\n", strerror(-r));
        return r < 0;
}
