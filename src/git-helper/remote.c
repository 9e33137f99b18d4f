/* SPDX-License-Identifier: Apache-2.0 */

#include "git-helper/remote.h"

#include "core/ip-scope.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#ifdef LINKED_STATICALLY
#include <nss.h>
#endif
#include <stdio.h>
#include <sysexits.h>

/* Some addresses of a host are enough. */
#define ADDRESSES_MAX 8
/* The first git with http.curloptResolve. */
#define HOLDABLE_MAJOR 2
#define HOLDABLE_MINOR 37

static const char *default_port(enum clone_scheme scheme)
{
        return scheme == CLONE_HTTPS ? "443" : scheme == CLONE_HTTP ? "80" : scheme == CLONE_SSH ? "22" : "9418";
}

/* With brackets where a port could follow. */
static void print_address(const struct sockaddr *address, bool bracketed, char ret[static INET6_ADDRSTRLEN + 2])
{
        char text[INET6_ADDRSTRLEN] = "";
        bool six = address->sa_family == AF_INET6;

        if (six)
                (void) inet_ntop(AF_INET6, &((const struct sockaddr_in6 *) (const void *) address)->sin6_addr, text,
                                 sizeof text);
        else
                (void) inet_ntop(AF_INET, &((const struct sockaddr_in *) (const void *) address)->sin_addr, text,
                                 sizeof text);
        (void) snprintf(ret, INET6_ADDRSTRLEN + 2, six && bracketed ? "[%s]" : "%s", text);
}

/* Without the brackets of an address. */
static void bare_host(const struct clone_url *read, char *ret, size_t size)
{
        (void) snprintf(ret, size, "%s", *read->host == '[' ? read->host + 1 : read->host);
        ret[strcspn(ret, "]")] = '\0';
}

static int look_up(const struct clone_url *read, struct addrinfo **ret)
{
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        char host[sizeof read->host];
        int r;

        bare_host(read, host, sizeof host);
#ifdef LINKED_STATICALLY
        /* Modules that an image names in nsswitch.conf are of another libc. */
        (void) __nss_configure_lookup("hosts", "files dns");
#endif
        r = getaddrinfo(host, NULL, &hints, ret);
        if (r == 0)
                return 0;
        fprintf(stderr, "cannot find the host %s: %s\n", read->host, gai_strerror(r));
        return EX_NOHOST;
}

static int refuse_private(const char *host, const struct addrinfo *found)
{
        char address[INET6_ADDRSTRLEN + 2];

        for (; found; found = found->ai_next)
                if (!ip_is_public(found->ai_addr)) {
                        print_address(found->ai_addr, false, address);
                        fprintf(stderr, "the host %s is not on the Internet (%s), and ClonePrivate= is no\n", host, address);
                        return EX_NOPERM;
                }
        return 0;
}

static void hold_http(const struct clone_url *read, const struct addrinfo *found, struct remote *r)
{
        size_t n = (size_t) snprintf(r->resolve, sizeof r->resolve, "http.curloptResolve=%s:%s:", read->host,
                                     *read->port ? read->port : default_port(read->scheme));

        if (*read->host == '[') { /* an address finds nobody else */
                r->resolve[0] = '\0';
                return;
        }
        for (unsigned i = 0; found && i < ADDRESSES_MAX; found = found->ai_next, i++) {
                char address[INET6_ADDRSTRLEN + 2];

                print_address(found->ai_addr, true, address);
                if (n + strlen(address) + 2 > sizeof r->resolve)
                        return;
                n += (size_t) snprintf(r->resolve + n, sizeof r->resolve - n, "%s%s", i ? "," : "", address);
        }
}

/* An older one, of whatever image this is, would pass over what holds it, and look the name up once more. */
static int need_holdable_git(void)
{
        struct git_words w = { 0 };
        char version[128] = "";
        unsigned major, minor;
        int r;

        git_add(&w, "version");
        r = git_capture(&w, version, sizeof version);
        if (r != 0)
                return r;
        if (sscanf(version, "git version %u.%u", &major, &minor) == 2 &&
            (major > HOLDABLE_MAJOR || (major == HOLDABLE_MAJOR && minor >= HOLDABLE_MINOR)))
                return 0;
        fprintf(stderr, "%s: from %d.%d on a clone can be held to hosts on the Internet, and ClonePrivate= is no\n", version,
                HOLDABLE_MAJOR, HOLDABLE_MINOR);
        return EX_UNAVAILABLE;
}

static void hold_git(const struct clone_url *read, const struct addrinfo *found, struct remote *r)
{
        char address[INET6_ADDRSTRLEN + 2];

        print_address(found->ai_addr, true, address);
        (void) snprintf(r->url, sizeof r->url, "git://%s%s%s%s", address, *read->port ? ":" : "", read->port, read->path);
}

/* By which known_hosts has it, where the host's name is no longer what ssh is given. */
static int hold_ssh(const struct clone_url *read, const struct addrinfo *found)
{
        char address[INET6_ADDRSTRLEN + 2], host[sizeof read->host], name[sizeof read->host + 16];

        print_address(found->ai_addr, false, address);
        bare_host(read, host, sizeof host);
        if (*read->port && !streq(read->port, default_port(CLONE_SSH)))
                (void) snprintf(name, sizeof name, "[%s]:%s", host, read->port);
        else
                (void) snprintf(name, sizeof name, "%s", host);
        return git_hold_ssh(name, address) < 0 ? EX_OSERR : 0;
}

int remote_hold(const char *url, struct remote *ret)
{
        const struct clone_rules rules = { .schemes = CLONE_HTTPS | CLONE_HTTP | CLONE_SSH | CLONE_GIT };
        struct clone_url read;
        struct addrinfo *found;
        struct fault f;
        int r;

        *ret = (struct remote){ 0 };
        (void) snprintf(ret->url, sizeof ret->url, "%s", url);
        if (clone_url_check(url, "url", &rules, &read, &f) < 0) {
                fprintf(stderr, "%s\n", f.text);
                return EX_USAGE;
        }
        r = look_up(&read, &found);
        if (r != 0)
                return r;
        r = refuse_private(read.host, found);
        if (r == 0 && read.scheme == CLONE_GIT)
                hold_git(&read, found, ret);
        else if (r == 0 && read.scheme == CLONE_SSH)
                r = hold_ssh(&read, found);
        else if (r == 0 && (r = need_holdable_git()) == 0)
                hold_http(&read, found, ret);
        freeaddrinfo(found);
        return r;
}

void remote_add(const struct remote *remote, struct git_words *w)
{
        git_add(w, "-c");
        git_add(w, "http.followRedirects=false");
        if (*remote->resolve) {
                git_add(w, "-c");
                git_add(w, remote->resolve);
        }
}
