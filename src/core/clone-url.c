/* SPDX-License-Identifier: Apache-2.0 */

#include "core/clone-url.h"

#include "util/text.h"

#include <stdio.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static const struct {
        const char *name;
        enum clone_scheme scheme;
} schemes[] = {
        { "https", CLONE_HTTPS }, { "http", CLONE_HTTP }, { "ssh", CLONE_SSH },
        { "git", CLONE_GIT },     { "file", CLONE_FILE },
};

enum clone_scheme clone_scheme_of(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
                if (streq(schemes[i].name, name))
                        return schemes[i].scheme;
        return 0;
}

static int refuse(const char *field, const char *why, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, field, "%s: %s", field, why);
}

/* --- the parts of it ---------------------------------------------------------------------------- */

static const char *take_scheme(const char *url, enum clone_scheme *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
                size_t n = strlen(schemes[i].name);

                if (strncmp(url, schemes[i].name, n) == 0 && starts_with(url + n, "://")) {
                        *ret = schemes[i].scheme;
                        return url + n + strlen("://");
                }
        }
        return NULL;
}

/* What git hands to a transport as it is: nothing that a shell or a log line could mistake. */
static bool path_valid(const char *path)
{
        static const char allowed[] = LETTERS DIGITS "-._~!$&()*+,;=:@%/";
        size_t n = strspn(path, allowed);

        return path[0] == '/' && path[1] && path[n] == '\0';
}

static bool has_dot_dot(const char *path)
{
        for (const char *p = strstr(path, "/.."); p; p = strstr(p + 1, "/.."))
                if (p[3] == '/' || p[3] == '\0')
                        return true;
        return false;
}

static bool label_valid(const char *label, size_t n)
{
        return n > 0 && n <= 63 && label[0] != '-' && label[n - 1] != '-' &&
               strspn(label, LETTERS DIGITS "-_") >= n;
}

static bool name_valid(const char *host, size_t n)
{
        while (n > 0) {
                const char *dot = memchr(host, '.', n);
                size_t label = dot ? (size_t) (dot - host) : n;

                if (!label_valid(host, label))
                        return false;
                if (!dot)
                        return true;
                host = dot + 1;
                n -= label + 1;
        }
        return false;
}

/* [2001:db8::1], of which only the characters are looked at: what is no address is found by nobody. */
static bool address_valid(const char *host, size_t n)
{
        return n > 4 && n < 48 && host[0] == '[' && host[n - 1] == ']' &&
               strspn(host + 1, DIGITS "abcdefABCDEF:.") == n - 2;
}

static bool port_valid(const char *port, const char *end)
{
        char digits[6] = "";
        size_t n = (size_t) (end - port);
        uint64_t value = 0;

        if (n == 0 || n >= sizeof digits)
                return false;
        memcpy(digits, port, n);
        return parse_u64(digits, 65535, &value) && value > 0;
}

static int take_user(const char **at, const char *end, enum clone_scheme scheme, const char *field, struct fault *f)
{
        const char *s = memchr(*at, '@', (size_t) (end - *at));

        if (!s)
                return 0;
        if (scheme != CLONE_SSH || memchr(*at, ':', (size_t) (s - *at)))
                return refuse(field, "a URL holds no password here, for all users of the host would see it", f);
        if (s == *at || **at == '-' || strspn(*at, LETTERS DIGITS "-_.") != (size_t) (s - *at))
                return refuse(field, "this is no user name", f);
        *at = s + 1;
        return 0;
}

static int take_host(const char *at, const char *end, const char *field, struct clone_url *ret, struct fault *f)
{
        const char *close = *at == '[' ? memchr(at, ']', (size_t) (end - at)) : NULL;
        const char *colon = memchr(close ? close : at, ':', (size_t) (end - (close ? close : at)));
        size_t n = (size_t) ((colon ? colon : end) - at);

        if (colon && !port_valid(colon + 1, end))
                return refuse(field, "the port is a number from 1 to 65535", f);
        if (n >= sizeof ret->host || !(name_valid(at, n) || address_valid(at, n)))
                return refuse(field, "this is no name of a host", f);
        memcpy(ret->host, at, n);
        ret->host[n] = '\0';
        if (colon)
                (void) snprintf(ret->port, sizeof ret->port, "%.*s", (int) (end - colon - 1), colon + 1);
        return 0;
}

/* --- all of it ---------------------------------------------------------------------------------- */

static int check_file(struct clone_url *url, const char *field, const struct clone_rules *rules, struct fault *f)
{
        if (!path_valid(url->path) || has_dot_dot(url->path) || strchr(url->path, '%'))
                return refuse(field, "the path is absolute, and of letters, digits and -._~!$&()*+,;=:@/ without ..", f);
        for (char *const *allowed = rules->file_paths; allowed && *allowed; allowed++) {
                size_t n = strlen(*allowed);

                if (strncmp(url->path, *allowed, n) != 0 || url->path[n] != '/' || !url->path[n + 1])
                        continue;
                url->below = *allowed;
                return 0;
        }
        return fault_set(f, FAULT_DENIED, field, "%s: files are cloned from below ClonePaths= only", field);
}

static int check_remote(const char *at, const char *field, struct clone_url *ret, struct fault *f)
{
        const char *end = at + strcspn(at, "/");
        int r = take_user(&at, end, ret->scheme, field, f);

        if (r == 0)
                r = take_host(at, end, field, ret, f);
        if (r < 0)
                return r;
        if (!path_valid(end))
                return refuse(field, "a path is expected behind the host, of letters, digits and -._~!$&()*+,;=:@%/", f);
        ret->path = end;
        return 0;
}

int clone_url_check(const char *url, const char *field, const struct clone_rules *rules, struct clone_url *ret,
                    struct fault *f)
{
        const char *at;
        int r;

        *ret = (struct clone_url){ 0 };
        if (strlen(url) > CLONE_URL_MAX)
                return fault_set(f, FAULT_INVALID, field, "%s: at most %d bytes", field, CLONE_URL_MAX);
        at = take_scheme(url, &ret->scheme);
        if (!at)
                return refuse(field, "a URL is expected: https://, http://, ssh://, git:// or file://; what ssh "
                                     "writes as user@host:path is ssh://user@host/~/path", f);
        if (ret->scheme == CLONE_FILE) {
                ret->path = at;
                return check_file(ret, field, rules, f);
        }
        r = check_remote(at, field, ret, f);
        if (r == 0 && !(rules->schemes & ret->scheme))
                return fault_set(f, FAULT_DENIED, field, "%s: this scheme is none of CloneSchemes=", field);
        return r;
}
