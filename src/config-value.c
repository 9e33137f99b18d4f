/* SPDX-License-Identifier: Apache-2.0 */

/* The readers of configuration values. */

#include "config-value.h"

#include "core/clone-url.h"
#include "core/git-ref.h"
#include "core/image.h"
#include "util/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <sys/un.h>
#include <syslog.h>

#define USEC_PER_SEC UINT64_C(1000000)
#define ADDRESS_MAX 64
#define NAME_MAX_LEN 253 /* of a host, RFC 1035 */

static void *member_of(const struct option *o, void *owner)
{
        return (char *) owner + o->offset;
}

static int replace_string(char **member, const char *value)
{
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        free(*member);
        *member = copy;
        return 0;
}

int option_flag(const struct option *o, const char *value, void *owner)
{
        static const struct {
                const char *word;
                bool value;
        } words[] = { { "yes", true }, { "true", true },   { "on", true },   { "1", true },
                      { "no", false }, { "false", false }, { "off", false }, { "0", false } };
        bool *member = member_of(o, owner);

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strcasecmp(value, words[i].word) == 0) {
                        *member = words[i].value;
                        return 0;
                }
        return -EINVAL;
}

int option_count(const struct option *o, const char *value, void *owner)
{
        unsigned *member = member_of(o, owner);
        uint64_t n;

        if (!parse_u64(value, o->max, &n) || n < o->min)
                return -EINVAL;
        *member = (unsigned) n;
        return 0;
}

int option_size(const struct option *o, const char *value, void *owner)
{
        size_t *member = member_of(o, owner);
        uint64_t n;

        if (!parse_size(value, &n) || n < o->min || n > o->max)
                return -EINVAL;
        *member = (size_t) n;
        return 0;
}

int option_duration(const struct option *o, const char *value, void *owner)
{
        uint64_t *member = member_of(o, owner);
        uint64_t usec;

        if (!parse_duration(value, &usec) || usec < o->min || usec > o->max)
                return -EINVAL;
        *member = usec;
        return 0;
}

int option_string(const struct option *o, const char *value, void *owner)
{
        return *value ? replace_string(member_of(o, owner), value) : -EINVAL;
}

int option_path(const struct option *o, const char *value, void *owner)
{
        return *value == '/' ? replace_string(member_of(o, owner), value) : -EINVAL;
}

int option_name(const struct option *o, const char *value, void *owner)
{
        for (const char *p = value; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("._-", *p))
                        return -EINVAL;
        return strlen(value) <= NAME_MAX_LEN ? replace_string(member_of(o, owner), value) : -EINVAL;
}

int option_unit(const struct option *o, const char *value, void *owner)
{
        if (*value && !ends_with(value, ".service"))
                return -EINVAL;
        return replace_string(member_of(o, owner), value);
}

int option_image(const struct option *o, const char *value, void *owner)
{
        struct image image;
        struct fault f;

        if (*value && image_parse(value, o->key, &image, &f) < 0)
                return -EINVAL;
        return replace_string(member_of(o, owner), value);
}

/* The words of a list, to which good() must agree, behind those that are there. */
static int add_words(char ***list, const char *value, bool (*good)(const char *word))
{
        _cleanup_strv_ char **words = NULL;

        if (!*value) {
                *list = strv_free(*list);
                return 0;
        }
        for (const char *s = value + strspn(value, " \t"); *s; s += strspn(s, " \t")) {
                size_t n = strcspn(s, " \t");
                int r = strv_consume(&words, strndup(s, n));

                if (r < 0)
                        return r;
                s += n;
        }
        for (char **word = words; word && *word; word++)
                if (good && !good(*word))
                        return -EINVAL;
        for (char **word = words; word && *word; word++) {
                int r = strv_add(list, *word);

                if (r < 0)
                        return r;
        }
        return 0;
}

int option_list(const struct option *o, const char *value, void *owner)
{
        return add_words(member_of(o, owner), value, NULL);
}

static bool is_absolute(const char *path)
{
        return *path == '/';
}

int option_path_list(const struct option *o, const char *value, void *owner)
{
        return add_words(member_of(o, owner), value, is_absolute);
}

/* As browsers send it: scheme, host and perhaps a port, nothing behind. */
static bool is_origin(const char *s)
{
        const char *host = strstr(s, "://");

        return host && host > s && host[3] && !strpbrk(host + 3, "/?#@");
}

int option_origins(const struct option *o, const char *value, void *owner)
{
        return add_words(member_of(o, owner), value, is_origin);
}

static bool parse_port(const char *s, uint16_t *ret)
{
        uint64_t port;

        if (!parse_u64(s, UINT16_MAX, &port) || port == 0)
                return false;
        *ret = (uint16_t) port;
        return true;
}

int option_port_range(const struct option *o _unused_, const char *value, void *owner)
{
        const char *dash = strchr(value, '-');
        struct config *c = owner;
        uint16_t first, last;
        char low[8];

        if (!dash || (size_t) (dash - value) >= sizeof low)
                return -EINVAL;
        (void) snprintf(low, sizeof low, "%.*s", (int) (dash - value), value);
        if (!parse_port(low, &first) || !parse_port(dash + 1, &last) || first > last)
                return -EINVAL;
        c->port_first = first;
        c->port_last = last;
        return 0;
}

int option_ip_address(const struct option *o, const char *value, void *owner)
{
        struct in6_addr bytes;

        if (inet_pton(strchr(value, ':') ? AF_INET6 : AF_INET, value, &bytes) != 1)
                return -EINVAL;
        return replace_string(member_of(o, owner), value);
}

/* BURST/INTERVAL, or 0 for no limit. */
int option_log_rate(const struct option *o, const char *value, void *owner)
{
        const char *slash = strchr(value, '/');
        struct config *c = owner;
        uint64_t burst, usec;
        char number[16];

        if (streq(value, "0")) {
                c->log_rate_burst = 0;
                return 0;
        }
        if (!slash || (size_t) (slash - value) >= sizeof number)
                return -EINVAL;
        (void) snprintf(number, sizeof number, "%.*s", (int) (slash - value), value);
        if (!parse_u64(number, UINT32_MAX, &burst) || burst == 0 || !parse_duration(slash + 1, &usec) ||
            usec < o->min || usec > o->max)
                return -EINVAL;
        c->log_rate_burst = (unsigned) burst;
        c->log_rate_usec = usec;
        return 0;
}

int option_log_level(const struct option *o, const char *value, void *owner)
{
        static const char *const names[] = {
                [LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
                [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
                [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
        };
        int *member = member_of(o, owner);

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strcasecmp(value, names[i]) == 0) {
                        *member = (int) i;
                        return 0;
                }
        return -EINVAL;
}

int option_branch(const struct option *o, const char *value, void *owner)
{
        return git_branch_valid(value) ? option_string(o, value, owner) : -EINVAL;
}

int option_schemes(const struct option *o, const char *value, void *owner)
{
        _cleanup_strv_ char **list = NULL;
        unsigned *member = member_of(o, owner), schemes = 0;
        int r = add_words(&list, value, NULL);

        if (r < 0)
                return r;
        for (char **word = list; word && *word; word++) {
                enum clone_scheme scheme = clone_scheme_of(*word);

                if (!scheme || scheme == CLONE_FILE)
                        return -EINVAL;
                schemes |= scheme;
        }
        *member = schemes;
        return 0;
}

int option_faces(const struct option *o, const char *value, void *owner)
{
        static const struct {
                const char *word;
                unsigned face;
        } words[] = { { "gears", FACE_GEARS },     { "services", FACE_SERVICES }, { "apps", FACE_APPS },
                      { "actions", FACE_ACTIONS }, { "web", FACE_WEB },           { "all", FACE_ALL } };
        _cleanup_strv_ char **list = NULL;
        unsigned *member = member_of(o, owner), faces = 0;
        int r = add_words(&list, value, NULL);

        if (r < 0)
                return r;
        for (char **word = list; word && *word; word++) {
                size_t i = 0;

                while (i < ARRAY_SIZE(words) && !streq(*word, words[i].word))
                        i++;
                if (i == ARRAY_SIZE(words))
                        return -EINVAL;
                faces |= words[i].face;
        }
        *member = faces ? faces : FACE_ALL;
        return 0;
}

int option_auth(const struct option *o, const char *value, void *owner)
{
        static const char *const names[] = {
                [AUTH_TOKEN] = "token", [AUTH_PEER] = "peer", [AUTH_NONE] = "none"
        };
        enum listen_auth *member = member_of(o, owner);

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(value, names[i])) {
                        *member = (enum listen_auth) i;
                        return 0;
                }
        return -EINVAL;
}

int option_mode(const struct option *o, const char *value, void *owner)
{
        mode_t *member = member_of(o, owner);
        size_t n = strspn(value, "01234567");

        if (n < 3 || n > 4 || value[n] || (n == 4 && value[0] != '0'))
                return -EINVAL;
        *member = (mode_t) strtoul(value, NULL, 8);
        return 0;
}

/* host:port of a numeric address. */
static enum address_kind inet_kind(const char *host, int family)
{
        struct in6_addr six;
        struct in_addr four;

        if (family == AF_INET) {
                if (inet_pton(AF_INET, host, &four) != 1)
                        return ADDRESS_BAD;
                return ntohl(four.s_addr) >> 24 == 127 ? ADDRESS_LOOPBACK : ADDRESS_OPEN;
        }
        if (inet_pton(AF_INET6, host, &six) != 1)
                return ADDRESS_BAD;
        return IN6_IS_ADDR_LOOPBACK(&six) ? ADDRESS_LOOPBACK : ADDRESS_OPEN;
}

enum address_kind address_kind(const char *address)
{
        const struct sockaddr_un *un = NULL;
        const char *colon = strrchr(address, ':');
        struct in_addr four;
        char host[ADDRESS_MAX];
        uint16_t port;
        size_t n;

        if (*address == '/')
                return strlen(address) < sizeof un->sun_path ? ADDRESS_UNIX : ADDRESS_BAD;
        if (!colon) {
                n = strspn(address, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
                /* An address that lacks its port is no name. */
                if (n == 0 || address[n] || inet_pton(AF_INET, address, &four) == 1)
                        return ADDRESS_BAD;
                return ADDRESS_INHERITED;
        }
        n = (size_t) (colon - address);
        if (!parse_port(colon + 1, &port) || n >= sizeof host)
                return ADDRESS_BAD;
        if (*address != '[') {
                (void) snprintf(host, sizeof host, "%.*s", (int) n, address);
                return inet_kind(host, AF_INET);
        }
        if (n < 3 || address[n - 1] != ']')
                return ADDRESS_BAD;
        (void) snprintf(host, sizeof host, "%.*s", (int) n - 2, address + 1);
        return inet_kind(host, AF_INET6);
}

int option_address(const struct option *o, const char *value, void *owner)
{
        if (address_kind(value) == ADDRESS_BAD)
                return -EINVAL;
        return replace_string(member_of(o, owner), value);
}
