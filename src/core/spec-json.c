/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A spec from its JSON: one reader per field and one table of them.  A field
 * that is null counts as not given.
 */

#include "core/spec-read.h"

#include "core/image.h"

#include <assert.h>
#include <stdio.h>
#include <strings.h>

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define BIG "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define USEC_PER_SEC UINT64_C(1000000)

#define USER_PART_MAX 64
#define UID_MAX_VALUE INT32_MAX        /* the engine's own limit */
#define MEMORY_MIN (UINT64_C(6) << 20) /* the engine refuses less */
#define PIDS_MAX 4194304               /* the kernel's limit on pid_max */
#define CPUS_MIN 0.01
#define CPUS_MAX 1024.0
#define IMAGE_REFERENCE_MAX 600
#define SIGNAL_MAX 64
#define SIGNAL_NAME_MAX 15
#define STOP_TIMEOUT_DEFAULT (10 * USEC_PER_SEC)
#define STOP_TIMEOUT_MAX (3600 * USEC_PER_SEC)

static int read_image(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        struct image image;
        int r = spec_read_string(v, field, IMAGE_REFERENCE_MAX, &s->image, f);

        return r < 0 ? r : image_parse(s->image, field, &image, f);
}

static int read_command(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        _cleanup_strv_ char **words = NULL;
        const char *line;
        size_t sum = 0;
        int r;

        if (!json_is_string(v))
                return spec_read_words(v, field, &s->command, f);
        r = json_get_string(v, field, SPEC_COMMAND_BYTES_MAX, &line, f);
        if (r < 0)
                return r;
        r = shell_split(line, &words);
        if (r == -ENOMEM)
                return fault_oom(f);
        if (r < 0)
                return spec_refuse(field, "unclosed quote or trailing backslash", f);
        for (char **word = words; word && *word; word++)
                sum = strlen(*word) > sum ? strlen(*word) : sum;
        if (strv_len(words) > SPEC_COMMAND_MAX || sum > SPEC_WORD_MAX)
                return fault_set(f, FAULT_INVALID, field, "%s: at most %d words of at most %d bytes", field,
                                 SPEC_COMMAND_MAX, SPEC_WORD_MAX);
        s->command = TAKE(words);
        return 0;
}

static int read_env(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        int r = environ_from_json(v, field, &s->env, f);

        s->env_given = r == 0;
        return r;
}

static int read_memory(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        uint64_t bytes = 0;
        const char *text;
        bool ok;

        if (json_is_string(v))
                ok = json_get_string(v, field, 32, &text, f) == 0 && parse_size(text, &bytes);
        else
                ok = json_get_uint(v, field, MEMORY_MIN, INT64_MAX, &bytes, f) == 0;
        if (!ok || bytes < MEMORY_MIN || bytes > INT64_MAX)
                return spec_refuse(field, "must be bytes, or a size like \"64m\" or \"1.5G\", at least 6M",
                                   f);
        s->memory = bytes;
        return 0;
}

static int read_cpus(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        double cpus, milli, off;
        int r = json_get_double(v, field, CPUS_MIN, CPUS_MAX, &cpus, f);

        if (r < 0)
                return r;
        milli = (double) (uint64_t) (cpus * 1000 + 0.5);
        off = cpus * 1000 - milli;
        if (off > 1e-6 || off < -1e-6)
                return spec_refuse(field, "at most three digits may follow the point", f);
        s->cpu_milli = (uint64_t) milli;
        return 0;
}

static int read_pids(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return json_get_uint(v, field, 1, PIDS_MAX, &s->pids, f);
}

/* A name, or a number that the engine takes. */
static bool is_user_part(const char *s, size_t n)
{
        char copy[USER_PART_MAX + 1];
        uint64_t number;

        if (n < 1 || n > USER_PART_MAX || *s == '-' || *s == '.')
                return false;
        memcpy(copy, s, n);
        copy[n] = '\0';
        if (strspn(copy, DIGITS) == n)
                return parse_u64(copy, UID_MAX_VALUE, &number);
        return strspn(copy, SMALL BIG DIGITS "_.-") == n;
}

static int read_user(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        const char *colon;
        int r = spec_read_string(v, field, 2 * USER_PART_MAX + 1, &s->user, f);

        if (r < 0)
                return r;
        colon = strchrnul(s->user, ':');
        if (!is_user_part(s->user, (size_t) (colon - s->user)) ||
            (*colon && !is_user_part(colon + 1, strlen(colon + 1))))
                return spec_refuse(field, "must be a user name or number, with an optional :group", f);
        return 0;
}

static int read_workdir(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        int r = spec_read_string(v, field, SPEC_PATH_MAX, &s->workdir, f);

        if (r == 0 && *s->workdir != '/')
                return spec_refuse(field, "must be an absolute path", f);
        return r;
}

static int read_hostname(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        int r = spec_read_string(v, field, SPEC_NAME_MAX, &s->hostname, f);

        if (r < 0)
                return r;
        for (const char *label = s->hostname;; label++) {
                size_t n = strcspn(label, ".");

                if (n == 0 || strspn(label, SMALL BIG DIGITS "-") < n || label[0] == '-' ||
                    label[n - 1] == '-')
                        return spec_refuse(field,
                                           "must be letters, digits and '-', in parts separated by '.'", f);
                label += n;
                if (!*label)
                        return 0;
        }
}

static int read_read_only(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return json_get_bool(v, field, &s->read_only, f);
}

static int read_privileged(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return json_get_bool(v, field, &s->privileged, f);
}

static int read_started(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return json_get_bool(v, field, &s->started, f);
}

static int read_replace(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        return json_get_bool(v, field, &s->replace, f);
}

/* "bridge" is the default and has no other spelling in a spec than none. */
static int read_network(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        _cleanup_free_ char *network = NULL;
        int r = spec_read_string(v, field, SPEC_NAME_MAX, &network, f);

        if (r < 0)
                return r;
        if (!spec_is_name(network))
                return spec_refuse(field, "must be bridge, none, host or the name of a network", f);
        if (!streq(network, "bridge"))
                s->network = TAKE(network);
        return 0;
}

static int read_pid_mode(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        int r = spec_read_string(v, field, SPEC_NAME_MAX, &s->pid_mode, f);

        if (r == 0 && !streq(s->pid_mode, "host"))
                return spec_refuse(field, "can only be host", f);
        return r;
}

static const char *restart_word(int i)
{
        return restart_policy_name((enum restart_policy) i);
}

static int read_restart(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        int i, r = spec_read_choice(v, field, restart_word, RESTART_NO + 1, &i, f);

        if (r == 0)
                s->restart = (enum restart_policy) i;
        return r;
}

static const char *pull_word(int i)
{
        return pull_policy_name((enum pull_policy) i);
}

static int read_pull(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        int i, r = spec_read_choice(v, field, pull_word, PULL_NEVER + 1, &i, f);

        if (r == 0)
                s->pull = (enum pull_policy) i;
        return r;
}

/* The engine counts whole seconds. */
static int read_stop_timeout(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        int r = spec_read_duration(v, field, 0, STOP_TIMEOUT_MAX, &s->stop_timeout_usec, f);

        if (r == 0 && s->stop_timeout_usec % USEC_PER_SEC != 0)
                return spec_refuse(field, "must be whole seconds", f);
        s->stop_timeout_given = r == 0;
        return r;
}

/* The names by which the engine knows real-time signals count from both ends. */
static bool signal_name(unsigned number, char ret[static SIGNAL_NAME_MAX + 1])
{
        const char *name = sigabbrev_np((int) number);

        if (name)
                (void) snprintf(ret, SIGNAL_NAME_MAX + 1, "SIG%s", name);
        else if (number == 34 || number == 64)
                (void) snprintf(ret, SIGNAL_NAME_MAX + 1, number == 34 ? "SIGRTMIN" : "SIGRTMAX");
        else if (number > 34 && number < 50)
                (void) snprintf(ret, SIGNAL_NAME_MAX + 1, "SIGRTMIN+%u", number - 34);
        else if (number >= 50 && number < 64)
                (void) snprintf(ret, SIGNAL_NAME_MAX + 1, "SIGRTMAX-%u", 64 - number);
        else
                return false;
        return true;
}

/* With or without SIG, in any case; 0 for none. */
static unsigned signal_number(const char *word)
{
        char name[SIGNAL_NAME_MAX + 1];

        for (unsigned number = 1; number <= SIGNAL_MAX; number++)
                if (signal_name(number, name) &&
                    (strcasecmp(word, name) == 0 || strcasecmp(word, name + strlen("SIG")) == 0))
                        return number;
        return 0;
}

static int read_stop_signal(struct spec *s, const struct json *v, const char *field, struct fault *f)
{
        char name[SIGNAL_NAME_MAX + 1];
        struct fault ignored;
        uint64_t number = 0;
        const char *word;

        /* Number or name: the one sentence at the end covers both ways to fail. */
        if (json_get_uint(v, field, 1, SIGNAL_MAX, &number, &ignored) < 0 &&
            json_get_string(v, field, SIGNAL_NAME_MAX, &word, &ignored) == 0)
                number = signal_number(word);
        if (!signal_name((unsigned) number, name))
                return spec_refuse(field, "must be the name of a signal, or its number from 1 to 64", f);
        s->stop_signal = strdup(name);
        return s->stop_signal ? 0 : fault_oom(f);
}

struct field {
        const char *name;
        int (*read)(struct spec *s, const struct json *v, const char *field, struct fault *f);
};

/* In the order in which they are read, whatever the order of the body. */
static const struct field fields[] = {
        { "image", read_image },
        { "command", read_command },
        { "env", read_env },
        { "ports", spec_read_ports },
        { "volumes", spec_read_volumes },
        { "labels", spec_read_labels },
        { "memory", read_memory },
        { "cpus", read_cpus },
        { "pids", read_pids },
        { "user", read_user },
        { "workdir", read_workdir },
        { "hostname", read_hostname },
        { "read_only", read_read_only },
        { "cap_add", spec_read_cap_add },
        { "cap_drop", spec_read_cap_drop },
        { "devices", spec_read_devices },
        { "privileged", read_privileged },
        { "pid_mode", read_pid_mode },
        { "network", read_network },
        { "restart", read_restart },
        { "stop_timeout", read_stop_timeout },
        { "stop_signal", read_stop_signal },
        { "pull", read_pull },
        { "health", spec_read_health },
        { "ready", spec_read_ready },
        { "started", read_started },
        { "replace", read_replace },
};

#define OTHERS_MAX 8

static int read_fields(struct spec *s, const struct json *body, const char *const *others, struct fault *f)
{
        const char *names[ARRAY_SIZE(fields) + OTHERS_MAX + 1] = { NULL };
        size_t n = 0;
        int r;

        if (!json_is_object(body))
                return spec_refuse("body", "must be a JSON object", f);
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                names[n++] = fields[i].name;
        for (; *others; others++) {
                assert(n < ARRAY_SIZE(names) - 1);
                names[n++] = *others;
        }
        r = json_check_names(body, NULL, names, f);
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(fields); i++) {
                const struct json *v = spec_member(body, fields[i].name);

                if (v)
                        r = fields[i].read(s, v, fields[i].name, f);
        }
        return r;
}

/* The image of the claims and the one of the body must be one, however each is spelled. */
static int settle_image(struct spec *s, const char *claimed, struct fault *f)
{
        struct image ours, theirs;
        int r;

        if (!claimed)
                return s->image ? 0 : spec_refuse("image", "must be given", f);
        r = image_parse(claimed, "image", &theirs, f);
        if (r < 0)
                return r;
        if (s->image) {
                r = image_parse(s->image, "image", &ours, f);
                if (r < 0)
                        return r;
                if (!streq(ours.registry, theirs.registry) || !streq(ours.path, theirs.path) ||
                    !streq(ours.tag, theirs.tag) || !streq(ours.digest, theirs.digest))
                        return fault_set(f, FAULT_DENIED, "image",
                                         "image: not the one that the token names");
        }
        free(s->image);
        s->image = strdup(claimed);
        return s->image ? 0 : fault_oom(f);
}

static int check_together(const struct spec *s, struct fault *f)
{
        if (s->n_ports > 0 && s->network && (streq(s->network, "host") || streq(s->network, "none")))
                return fault_set(f, FAULT_INVALID, "ports", "ports: cannot be published with network %s",
                                 s->network);
        if (s->hostname && s->network && streq(s->network, "host"))
                return spec_refuse("hostname", "is the host's own with network host", f);
        return 0;
}

int spec_from_json_among(const struct json *body, const char *image, const char *const *others, struct spec *ret,
                         struct fault *f)
{
        _cleanup_(spec_reset) struct spec s = {
                .stop_timeout_usec = STOP_TIMEOUT_DEFAULT,
                .started = true,
        };
        int r = 0;

        if (body)
                r = read_fields(&s, body, others, f);
        if (r == 0)
                r = settle_image(&s, image, f);
        if (r == 0)
                r = check_together(&s, f);
        if (r < 0)
                return r;
        *ret = s;
        s = (struct spec){ 0 };
        return 0;
}

int spec_from_json(const struct json *body, const char *image, struct spec *ret, struct fault *f)
{
        static const char *const none[] = { NULL };

        return spec_from_json_among(body, image, none, ret, f);
}
