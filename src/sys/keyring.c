/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/keyring.h"

#include "util/file.h"
#include "util/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void keyring_reset(struct keyring *k)
{
        (void) keys_free(k->keys, k->n_keys);
        *k = (struct keyring){ 0 };
}

void keyring_drop(struct keyring *k, const char *file)
{
        size_t kept = 0;

        for (size_t i = 0; i < k->n_keys; i++)
                if (streq_null(k->keys[i]->file, file))
                        (void) key_free(k->keys[i]);
                else
                        k->keys[kept++] = k->keys[i];
        k->n_keys = kept;
}

/* Takes the keys on success, never their array. */
static int add_keys(struct keyring *ring, struct key **keys, size_t n, const char *file)
{
        struct key **grown = reallocarray(ring->keys, ring->n_keys + n + 1, sizeof *grown);

        if (!grown)
                return -ENOMEM;
        ring->keys = grown;
        for (size_t i = 0; i < n; i++) {
                keys[i]->file = strdup(file);
                if (!keys[i]->file)
                        return -ENOMEM;
        }
        for (size_t i = 0; i < n; i++)
                ring->keys[ring->n_keys++] = keys[i];
        return 0;
}

/* Who could write a key could grant himself everything; who could read a secret could, too. */
static int check_owner(const struct stat *st, struct fault *f)
{
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return fault_set(f, FAULT_INVALID, NULL, "it belongs to uid %u, not to root", st->st_uid);
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                return fault_set(f, FAULT_INVALID, NULL, "others than its owner may write it (mode %03o)",
                                 st->st_mode & 0777);
        return 0;
}

static int check_secrecy(const struct stat *st, struct key *const *keys, size_t n, struct fault *f)
{
        for (size_t i = 0; i < n; i++)
                if ((keys[i]->can_sign || keys[i]->secret) && (st->st_mode & (S_IRGRP | S_IROTH)))
                        return fault_set(f, FAULT_INVALID, NULL,
                                         "it holds a secret that others than its owner may read (mode %03o)",
                                         st->st_mode & 0777);
        return 0;
}

/* The stem of a file's name, as far as it may be the id of a key. */
static void id_of_file(const char *name, char ret[static KEY_ID_MAX + 1])
{
        const char *dot = strrchr(name, '.');
        size_t n = dot && dot > name ? (size_t) (dot - name) : strlen(name);

        (void) snprintf(ret, KEY_ID_MAX + 1, "%.*s", (int) (n > KEY_ID_MAX ? KEY_ID_MAX : n), name);
}

static int read_sidecar(int dir, const char *name, struct key **keys, size_t n, struct fault *f)
{
        char id[KEY_ID_MAX + 1], sidecar[KEY_ID_MAX + sizeof ".conf"];
        _cleanup_free_ char *text = NULL;
        struct stat st;
        int r;

        id_of_file(name, id);
        (void) snprintf(sidecar, sizeof sidecar, "%s.conf", id);
        r = file_read_at(dir, sidecar, KEY_FILE_MAX, &text, NULL);
        if (r == -ENOENT)
                return 0;
        /* A restriction that cannot be read must not widen what the key may do. */
        if (r < 0)
                return fault_errno(f, r, "cannot read %s", sidecar);
        if (fstatat(dir, sidecar, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return fault_errno(f, errno, "cannot look at %s", sidecar);
        r = check_owner(&st, f);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = key_read_sidecar(text, keys[i], f);
        return r;
}

/* Why not, in words that name the thing rather than the call. */
static int unreadable(int error, struct fault *f)
{
        switch (-error) {
        case EFBIG:
                return fault_set(f, FAULT_INVALID, NULL, "it is longer than %d bytes", KEY_FILE_MAX);
        case ELOOP:
                return fault_set(f, FAULT_INVALID, NULL, "it is a symbolic link");
        case EISDIR:
                return fault_set(f, FAULT_INVALID, NULL, "it is a directory");
        case EINVAL: /* a FIFO or a device … */
        case ENXIO:  /* … and a socket */
                return fault_set(f, FAULT_INVALID, NULL, "it is no regular file");
        default:
                return fault_errno(f, error, "it cannot be read");
        }
}

static int load_file(int dir, const char *name, struct keyring *ring, struct fault *f)
{
        _cleanup_free_ char *bytes = NULL;
        char id[KEY_ID_MAX + 1];
        struct key **keys = NULL;
        size_t len = 0, n = 0;
        struct stat st;
        int r;

        r = file_read_at(dir, name, KEY_FILE_MAX, &bytes, &len);
        if (r < 0)
                return unreadable(r, f);
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return fault_errno(f, errno, "it cannot be looked at");
        id_of_file(name, id);
        r = check_owner(&st, f);
        if (r == 0)
                r = key_read(bytes, len, id, false, &keys, &n, f);
        if (r == 0)
                r = check_secrecy(&st, keys, n, f);
        if (r == 0)
                r = read_sidecar(dir, name, keys, n, f);
        if (r == 0 && ring->n_keys + n > KEYRING_KEYS_MAX)
                r = fault_set(f, FAULT_INVALID, NULL, "there are more than %d keys", KEYRING_KEYS_MAX);
        if (r == 0 && add_keys(ring, keys, n, name) < 0)
                r = fault_oom(f);
        explicit_bzero(bytes, len);
        if (r < 0)
                (void) keys_free(keys, n);
        else
                free(keys);
        return r;
}

/* What editors and package managers leave beside a file must not keep a key in force that was replaced. */
static bool is_leftover(const char *name)
{
        static const char *const ends[] = {
                "~", ".bak", ".old", ".orig", ".rpmnew", ".rpmsave", ".disabled"
        };

        for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
                if (ends_with(name, ends[i]))
                        return true;
        return strstr(name, ".dpkg-") || strstr(name, ".ucf-");
}

static int note_name(void *arg, const char *name)
{
        char ***names = arg;

        if (name[0] == '.' || ends_with(name, ".conf") || is_leftover(name))
                return 0;
        return strv_len(*names) < KEYRING_FILES_MAX ? strv_add(names, name) : -E2BIG;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* In a directory that others may write, they take files of root's for keys, or give keys another sidecar. */
static int check_directory(int dir, const char *path, struct fault *f)
{
        struct fault why;
        struct stat st;

        if (fstat(dir, &st) < 0)
                return fault_errno(f, errno, "cannot look at %s", path);
        if (check_owner(&st, &why) < 0)
                return fault_set(f, FAULT_INVALID, NULL, "no key in %s counts: %s", path, why.text);
        return 0;
}

int keyring_load(const char *directory, void (*wrong)(void *arg, const char *name, const char *why),
                 void *arg, struct keyring *ret, struct fault *f)
{
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_strv_ char **names = NULL;
        int r;

        *ret = (struct keyring){ 0 };
        if (dir < 0)
                return errno == ENOENT ? 0 : fault_errno(f, errno, "cannot read %s", directory);
        r = check_directory(dir, directory, f);
        if (r < 0)
                return r;
        r = dir_each(dir, note_name, &names);
        if (r == -E2BIG)
                return fault_set(f, FAULT_TOO_LARGE, NULL, "more than %d files in %s", KEYRING_FILES_MAX,
                                 directory);
        if (r < 0)
                return fault_errno(f, r, "cannot read %s", directory);
        if (names)
                qsort(names, strv_len(names), sizeof *names, compare_names);
        for (char **name = names; name && *name; name++) {
                struct fault why;

                if (load_file(dir, *name, ret, &why) < 0)
                        wrong(arg, *name, why.text);
        }
        return 0;
}

int keyring_load_own(const char *path, struct keyring *ret, struct fault *f)
{
        _cleanup_free_ char *bytes = NULL;
        size_t len = 0;
        int r;

        *ret = (struct keyring){ 0 };
        r = file_read(path, KEY_FILE_MAX, &bytes, &len);
        if (r < 0)
                return fault_errno(f, r, "cannot read %s", path);
        r = key_read(bytes, len, "node", true, &ret->keys, &ret->n_keys, f);
        explicit_bzero(bytes, len);
        return r;
}
