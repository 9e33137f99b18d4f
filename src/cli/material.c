/* SPDX-License-Identifier: Apache-2.0 */

/* Files, stdin and stdout of the verbs. */

#include "cli/material.h"

#include "core/jwe.h"
#include "core/token.h"
#include "util/file.h"

#include <fcntl.h>
#include <stdio.h>

#define URL_DEFAULT "http://127.0.0.1:2223"
#define IN_URL "/token/"
/* A token, and the URL around it. */
#define TOKEN_INPUT_MAX (2 * TOKEN_MAX + 8192)

void secret_text_reset(struct text *t)
{
        if (t->data)
                explicit_bzero(t->data, t->cap);
        text_reset(t);
}

static int blame_file(const char *option, const char *path, const struct fault *why, struct fault *f)
{
        return fault_set(f, why->kind == FAULT_INVALID ? FAULT_FAILED : why->kind, option, "--%s: %s: %s",
                         option, path, why->text);
}

/* Takes the keys in any case. */
static int only_key(struct key **keys, size_t n, struct key **ret, struct fault *f)
{
        if (n == 1) {
                *ret = TAKE(keys[0]);
                (void) keys_free(keys, n);
                return 0;
        }
        (void) keys_free(keys, n);
        return fault_set(f, FAULT_INVALID, NULL, "it holds %zu keys, where one is meant", n);
}

int key_load(const char *option, const char *path, bool encryption, struct key **ret, struct fault *f)
{
        struct fault why = { 0 };
        struct key **keys = NULL;
        char *bytes = NULL;
        size_t len = 0, n = 0;
        int r = file_read(path, KEY_FILE_MAX, &bytes, &len);

        if (r < 0)
                return fault_errno(f, r, "--%s: cannot read %s", option, path);
        r = key_read(bytes, len, "", encryption, &keys, &n, &why);
        explicit_bzero(bytes, len);
        free(bytes);
        if (r == 0)
                r = only_key(keys, n, ret, &why);
        return r < 0 ? blame_file(option, path, &why, f) : 0;
}

static int print_jwk(const struct key *k, bool with_private, struct text *t, struct fault *f)
{
        _cleanup_secret_text_ struct text members = { 0 };
        int r = key_to_jwk(k, with_private, &members);

        if (r < 0)
                return fault_errno(f, r, "the key cannot be written");
        text_addc(t, '{');
        if (*k->id)
                json_put(t, "kid", k->id);
        json_put(t, "use", k->algorithm < _KEY_SIGNING ? "sig" : "enc");
        text_addf(t, ",%s\n", members.data + 1);
        return text_ok(t) ? 0 : fault_oom(f);
}

int key_print(const struct key *k, enum key_form form, bool with_private, struct text *t, struct fault *f)
{
        return form == KEY_FORM_JWK ? print_jwk(k, with_private, t, f) : key_to_pem(k, with_private, t, f);
}

static int write_whole(int fd, const struct text *content)
{
        for (size_t done = 0; done < content->len;) {
                ssize_t n = write(fd, content->data + done, content->len - done);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0)
                        done += (size_t) n;
        }
        return 0;
}

/* A name that somebody has taken in the meantime stays his: hence no renaming into place. */
static int create_file(int dir, const char *name, const struct text *content, mode_t mode)
{
        _cleanup_close_ int fd =
                openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
        int r;

        if (fd < 0)
                return -errno;
        r = write_whole(fd, content);
        if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || fsync(dir) < 0))
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir, name, 0);
        return r;
}

int file_put(const char *directory, const char *name, const struct text *content, mode_t mode, bool replace,
             struct fault *f)
{
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (dir < 0)
                return fault_errno(f, errno, "cannot open the directory %s", directory);
        r = replace ? file_replace_at(dir, name, content->data, content->len, mode)
                    : create_file(dir, name, content, mode);
        if (r == -EEXIST)
                return fault_set(f, FAULT_CONFLICT, NULL, "%s/%s is there already, and was left as it is",
                                 directory, name);
        return r < 0 ? fault_errno(f, r, "cannot write %s/%s", directory, name) : 0;
}

void file_take_back(const char *directory, const char *name)
{
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir >= 0)
                (void) file_remove_at(dir, name);
}

static int read_stdin(size_t max, struct text *ret, struct fault *f)
{
        char chunk[4096];
        ssize_t n;

        if (isatty(STDIN_FILENO))
                fputs("gear: reading standard input\n", stderr);
        while ((n = read(STDIN_FILENO, chunk, sizeof chunk)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return fault_errno(f, errno, "cannot read standard input");
                text_addn(ret, chunk, (size_t) n);
                if (ret->len > max)
                        return fault_set(f, FAULT_TOO_LARGE, NULL, "standard input has more than %zu bytes",
                                         max);
        }
        text_add(ret, "");
        return text_ok(ret) ? 0 : fault_oom(f);
}

int input_read(const char *path, size_t max, struct text *ret, struct fault *f)
{
        _cleanup_free_ char *bytes = NULL;
        size_t n = 0;
        int r;

        if (streq(path, "-"))
                return read_stdin(max, ret, f);
        r = file_read(path, max, &bytes, &n);
        if (r == -EFBIG)
                return fault_set(f, FAULT_TOO_LARGE, NULL, "%s has more than %zu bytes", path, max);
        if (r < 0)
                return fault_errno(f, r, "cannot read %s", path);
        text_addn(ret, bytes, n);
        return text_ok(ret) ? 0 : fault_oom(f);
}

int token_get(const char *operand, struct text *ret, struct fault *f)
{
        _cleanup_secret_text_ struct text given = { 0 };
        const char *begin, *in_url;
        size_t n;
        int r = 0;

        if (operand && !streq(operand, "-"))
                text_add(&given, operand);
        else
                r = read_stdin(TOKEN_INPUT_MAX, &given, f);
        if (r < 0)
                return r;
        if (!text_ok(&given))
                return fault_oom(f);
        begin = given.data ? given.data : "";
        begin += strspn(begin, " \t\r\n");
        in_url = strstr(begin, IN_URL);
        if (in_url)
                begin = in_url + strlen(IN_URL);
        n = strcspn(begin, in_url ? "/ \t\r\n" : " \t\r\n");
        if (n == 0)
                return fault_set(f, FAULT_FAILED, NULL, "there is no token in what was given");
        if (!in_url && begin[n + strspn(begin + n, " \t\r\n")])
                return fault_set(f, FAULT_FAILED, NULL, "what was given is more than a token");
        text_addn(ret, begin, n);
        return text_ok(ret) ? 0 : fault_oom(f);
}

bool token_is_encrypted(const char *token, size_t n)
{
        return !memchr(token, '~', n) && jwe_is_one(token, n);
}

static int take_url(const char *value, void *member, struct fault *f)
{
        if (value && !starts_with(value, "http://") && !starts_with(value, "https://"))
                return fault_set(f, FAULT_INVALID, NULL, "must begin with http:// or https://");
        for (const char *s = value; s && *s; s++)
                if (*s <= ' ' || *s > '~' || *s == '?' || *s == '#')
                        return fault_set(f, FAULT_INVALID, NULL, "has a character that no address has");
        *(const char **) member = value ? value : URL_DEFAULT;
        return 0;
}

const struct cli_option url_options[] = {
        { 0, "url", "[=http://HOST:PORT]", NULL, take_url, offsetof(struct delivery, url),
          "print the whole URL of PATH, which is the call and\nits query; without a value of " URL_DEFAULT },
        { 0 },
};

int delivery_check(const struct delivery *d, const char *path, struct fault *f)
{
        if (d->url && !path)
                return fault_set(f, FAULT_INVALID, "url",
                                 "--url: needs the path of a call, like /container");
        if (path && path[0] != '/') /* which may be a token, and is not repeated */
                return fault_set(f, FAULT_INVALID, NULL, "the path of a call begins with /");
        if (!d->url && path)
                return fault_set(f, FAULT_INVALID, NULL, "%s: a path is for --url", path);
        for (; path && *path; path++)
                if (*path <= ' ' || *path > '~' || *path == '#')
                        return fault_set(f, FAULT_INVALID, NULL,
                                         "the path has a character that must be written as %%XX");
        return 0;
}

static int encrypt_for(const char *file, const struct text *token, struct text *ret, struct fault *f)
{
        _cleanup_(key_freep) struct key *k = NULL;
        int r = key_load("encrypt-to", file, true, &k, f);

        if (r < 0)
                return r;
        r = jwe_encrypt(k, *k->id ? k->id : NULL, token->data, token->len, ret);
        return r < 0 ? fault_errno(f, r, "the token cannot be encrypted") : 0;
}

int deliver(const struct delivery *d, const char *path, const struct text *token, struct fault *f)
{
        _cleanup_secret_text_ struct text sealed = { 0 };
        size_t n;
        int r = d->encrypt_to ? encrypt_for(d->encrypt_to, token, &sealed, f) : 0;

        if (r < 0)
                return r;
        if (d->encrypt_to)
                token = &sealed;
        if (!d->url) {
                printf("%s\n", token->data);
                return 0;
        }
        n = strlen(d->url);
        while (n > 0 && d->url[n - 1] == '/')
                n--;
        printf("%.*s/token/%s%s\n", (int) n, d->url, token->data, path);
        return 0;
}
