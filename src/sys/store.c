/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/store.h"

#include "sys/log-fields.h"
#include "util/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#define UNIT_MAX ((size_t) 4 << 20)
#define ENV_MAX ((size_t) 64 << 20)
#define NAME_LEN (UNIT_NAME_MAX + 16)
/* A comment to docker, and never the beginning of a variable. */
#define ENV_REQUEST "# request "

struct store {
        char *path;
        int lock;
        int top, units, env, wanted, previous;
};

static const char *const phase_names[] = {
        [GEAR_STARTED] = "started",
        [GEAR_STOPPED] = "stopped",
        [GEAR_CREATING] = "creating",
        [GEAR_REPLACING] = "replacing",
        [GEAR_REPLACING_STOPPED] = "replacing stopped",
        [GEAR_DELETING] = "deleting",
        [GEAR_DELETING_VOLUMES] = "deleting volumes",
};

static void env_name(const char *id, char ret[static NAME_LEN])
{
        (void) snprintf(ret, NAME_LEN, "%s.env", id);
}

static bool id_of_env(const char *name, char ret[static GEAR_ID_MAX + 1])
{
        size_t n = strlen(name);

        if (!ends_with(name, ".env") || n - strlen(".env") > GEAR_ID_MAX)
                return false;
        (void) snprintf(ret, GEAR_ID_MAX + 1, "%.*s", (int) (n - strlen(".env")), name);
        return gear_id_valid(ret);
}

struct store *store_free(struct store *s)
{
        if (!s)
                return NULL;
        closep(&s->lock);
        closep(&s->top);
        closep(&s->units);
        closep(&s->env);
        closep(&s->wanted);
        closep(&s->previous);
        free(s->path);
        free(s);
        return NULL;
}

static int open_parts(struct store *s, struct fault *f)
{
        const struct {
                const char *name;
                mode_t mode;
                int *fd;
        } parts[] = {
                { "units", 0755, &s->units },
                { "env", 0700, &s->env },
                { "wanted", 0755, &s->wanted },
                { "previous", 0700, &s->previous },
        };

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                *parts[i].fd = dir_open_at(s->top, parts[i].name, parts[i].mode);
                if (*parts[i].fd < 0)
                        return fault_errno(f, *parts[i].fd, "cannot open %s/%s", s->path, parts[i].name);
                (void) dir_remove_leftovers(*parts[i].fd);
        }
        return 0;
}

/* What a crash before or after a replacement left aside: it is wanted only in the midst of one. */
static int drop_stale(void *arg, const char *name)
{
        struct store *s = arg;
        char id[GEAR_ID_MAX + 1];

        if (!gear_id_of_unit(name, id) && !id_of_env(name, id))
                return 0;
        return gear_phase_replaces(store_read_phase(s, id)) ? 0 : file_remove_at(s->previous, name);
}

int store_open(const char *path, struct store **ret, struct fault *f)
{
        _cleanup_(store_freep) struct store *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return fault_oom(f);
        *s = (struct store){ .lock = -1, .top = -1, .units = -1, .env = -1, .wanted = -1, .previous = -1 };
        s->path = strdup(path);
        if (!s->path)
                return fault_oom(f);
        s->top = dir_open_at(AT_FDCWD, path, 0755);
        if (s->top < 0)
                return fault_errno(f, s->top, "cannot open the state directory %s", path);
        s->lock = openat(s->top, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (s->lock < 0)
                return fault_errno(f, errno, "cannot open %s/.lock", path);
        if (flock(s->lock, LOCK_EX | LOCK_NB) < 0)
                return fault_set(f, FAULT_CONFLICT, NULL, "another geard is using %s", path);
        (void) dir_remove_leftovers(s->top);
        r = open_parts(s, f);
        if (r < 0)
                return r;
        (void) dir_each(s->previous, drop_stale, s);
        *ret = TAKE(s);
        return 0;
}

const char *store_path(const struct store *s)
{
        return s->path;
}

void store_unit_path(const struct store *s, const char *id, char *ret, size_t size)
{
        (void) snprintf(ret, size, "%s/units/gear-%s.service", s->path, id);
}

/* --- what is there ---------------------------------------------------------------------- */

struct walk {
        const char *suffix;       /* of the names to look at; the id is what comes before it */
        int (*entry)(void *arg, const char *id);
        void *arg;
};

static int walk_unit(void *arg, const char *name)
{
        struct walk *w = arg;
        char id[GEAR_ID_MAX + 1];

        return gear_id_of_unit(name, id) ? w->entry(w->arg, id) : 0;
}

int store_each(struct store *s, int (*entry)(void *arg, const char *id), void *arg)
{
        struct walk w = { .entry = entry, .arg = arg };

        return dir_each(s->units, walk_unit, &w);
}

static int walk_trace(void *arg, const char *name)
{
        struct walk *w = arg;
        char id[GEAR_ID_MAX + 1];
        size_t n = strlen(name), suffix = strlen(w->suffix);

        if (n <= suffix || n - suffix > GEAR_ID_MAX || !ends_with(name, w->suffix))
                return 0;
        (void) snprintf(id, sizeof id, "%.*s", (int) (n - suffix), name);
        return gear_id_valid(id) ? w->entry(w->arg, id) : 0;
}

int store_each_trace(struct store *s, int (*entry)(void *arg, const char *id), void *arg)
{
        struct walk w = { .suffix = ".env", .entry = entry, .arg = arg };
        int r;

        r = dir_each(s->env, walk_trace, &w);
        w.suffix = "";
        return r != 0 ? r : dir_each(s->wanted, walk_trace, &w);
}

/* --- reading and writing ------------------------------------------------------------------ */

int store_read_unit(struct store *s, const char *id, char **ret)
{
        char unit[UNIT_NAME_MAX];

        gear_unit_name(id, unit);
        return file_read_text_at(s->units, unit, UNIT_MAX, ret);
}

int store_read_template(struct store *s, const char *id, char **ret)
{
        char unit[SERVICE_UNIT_NAME_MAX];

        service_template_name(id, unit);
        return file_read_text_at(s->units, unit, UNIT_MAX, ret);
}

static int read_env_file(struct store *s, const char *id, char **ret)
{
        char name[NAME_LEN];

        env_name(id, name);
        return file_read_text_at(s->env, name, ENV_MAX, ret);
}

/* Behind the line that names the request, if there is one. */
static const char *behind_request(const char *text)
{
        const char *digest = text + strlen(ENV_REQUEST);

        if (!starts_with(text, ENV_REQUEST) || strspn(digest, "0123456789abcdef") != DIGEST_HEX_LEN ||
            digest[DIGEST_HEX_LEN] != '\n')
                return text;
        return digest + DIGEST_HEX_LEN + 1;
}

int store_read_env(struct store *s, const char *id, struct environ *ret)
{
        _cleanup_free_ char *text = NULL;
        int r = read_env_file(s, id, &text);

        return r < 0 ? r : environ_from_file(behind_request(text), ret);
}

int store_read_env_request(struct store *s, const char *id, char ret[static DIGEST_HEX_LEN + 1])
{
        _cleanup_free_ char *text = NULL;
        int r = read_env_file(s, id, &text);

        if (r < 0)
                return r;
        if (behind_request(text) == text)
                return -ENOENT;
        (void) snprintf(ret, DIGEST_HEX_LEN + 1, "%.*s", DIGEST_HEX_LEN, text + strlen(ENV_REQUEST));
        return 0;
}

enum gear_phase store_read_phase(struct store *s, const char *id)
{
        _cleanup_free_ char *text = NULL;
        size_t n;

        if (file_read_at(s->wanted, id, 64, &text, &n) < 0)
                return GEAR_STOPPED;
        text[strcspn(text, "\n")] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(phase_names); i++)
                if (streq(text, phase_names[i]))
                        return (enum gear_phase) i;
        return GEAR_STOPPED;
}

int store_write_unit(struct store *s, const char *id, const char *text, size_t len, struct fault *f)
{
        char unit[UNIT_NAME_MAX];
        int r;

        gear_unit_name(id, unit);
        r = file_replace_at(s->units, unit, text, len, 0644);
        return r < 0 ? fault_errno(f, r, "cannot write %s", unit) : 0;
}

int store_write_env(struct store *s, const char *id, const struct environ *env, const char *request,
                    struct fault *f)
{
        _cleanup_text_ struct text t = { 0 };
        char name[NAME_LEN];
        int r;

        if (request)
                text_addf(&t, ENV_REQUEST "%s\n", request);
        environ_to_file(env, &t);
        if (!text_ok(&t))
                return fault_oom(f);
        env_name(id, name);
        r = file_replace_at(s->env, name, t.data ? t.data : "", t.len, 0600);
        return r < 0 ? fault_errno(f, r, "cannot write the environment of gear %s", id) : 0;
}

int store_write_phase(struct store *s, const char *id, enum gear_phase phase, struct fault *f)
{
        char text[32];
        int n = snprintf(text, sizeof text, "%s\n", phase_names[phase]);
        int r = file_replace_at(s->wanted, id, text, (size_t) n, 0644);

        return r < 0 ? fault_errno(f, r, "cannot write the wanted state of gear %s", id) : 0;
}

int store_remove(struct store *s, const char *id, struct fault *f)
{
        char unit[UNIT_NAME_MAX], env[NAME_LEN];
        int r;

        gear_unit_name(id, unit);
        log_fields_forget(unit);
        env_name(id, env);
        r = file_remove_at(s->units, unit);
        if (r == 0)
                r = file_remove_at(s->env, env);
        if (r == 0)
                r = file_remove_at(s->wanted, id);
        if (r < 0)
                return fault_errno(f, r, "cannot remove the files of gear %s", id);
        store_drop_previous(s, id);
        return 0;
}

/* --- replacing ------------------------------------------------------------------------------ */

static int copy_file(int from, int to, const char *name, mode_t mode)
{
        _cleanup_free_ char *data = NULL;
        size_t n;
        int r = file_read_at(from, name, ENV_MAX, &data, &n);

        return r < 0 ? r : file_replace_at(to, name, data, n, mode);
}

/* Environment first, unit last: a previous unit that is there has its environment. */
int store_keep_previous(struct store *s, const char *id, struct fault *f)
{
        char unit[UNIT_NAME_MAX], env[NAME_LEN];
        int r;

        gear_unit_name(id, unit);
        env_name(id, env);
        r = copy_file(s->env, s->previous, env, 0600);
        if (r == -ENOENT)
                r = 0;
        if (r == 0)
                r = copy_file(s->units, s->previous, unit, 0644);
        return r < 0 ? fault_errno(f, r, "cannot keep the former unit of gear %s", id) : 0;
}

/* Moved, not copied: the way back must not need space on a disk that is full. */
static int move_back(int previous, const char *name, int to)
{
        int r = file_rename_at(previous, name, to, name);

        return r == -ENOENT ? 0 : r;
}

int store_restore_previous(struct store *s, const char *id, struct fault *f)
{
        char unit[UNIT_NAME_MAX], env[NAME_LEN];
        int r;

        gear_unit_name(id, unit);
        env_name(id, env);
        r = move_back(s->previous, env, s->env);
        if (r == 0)
                r = move_back(s->previous, unit, s->units);
        return r < 0 ? fault_errno(f, r, "cannot bring back the former unit of gear %s", id) : 0;
}

void store_drop_previous(struct store *s, const char *id)
{
        char unit[UNIT_NAME_MAX], env[NAME_LEN];

        gear_unit_name(id, unit);
        env_name(id, env);
        (void) file_remove_at(s->previous, unit);
        (void) file_remove_at(s->previous, env);
}

/* --- whose directory is it? ----------------------------------------------------------------- */

static int machine_id(char **ret)
{
        size_t n;

        return file_read("/etc/machine-id", 64, ret, &n);
}

bool store_is_at_home(struct store *s)
{
        _cleanup_free_ char *here = NULL, *written = NULL;
        size_t n;

        if (machine_id(&here) < 0)
                return true; /* cannot tell: then nothing is started behind anybody's back */
        return file_read_at(s->top, "host", 64, &written, &n) == 0 && streq(here, written);
}

int store_settle(struct store *s, struct fault *f)
{
        _cleanup_free_ char *here = NULL;
        int r = machine_id(&here);

        if (r == 0)
                r = file_replace_at(s->top, "host", here, strlen(here), 0644);
        return r < 0 ? fault_errno(f, r, "cannot note the machine in %s/host", s->path) : 0;
}
