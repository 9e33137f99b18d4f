/* SPDX-License-Identifier: Apache-2.0 */

#include "listen.h"

#include "util/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#define INHERITED_MAX 64
#define ADDRESS_MAX 128

struct inherited {
        int fd;
        char name[ADDRESS_MAX];    /* FileDescriptorName= */
        char address[ADDRESS_MAX]; /* as Address= spells it */
        bool taken;
};

static void write_address(const struct sockaddr_storage *ss, char ret[static ADDRESS_MAX])
{
        const struct sockaddr_in *v4 = (const void *) ss;
        const struct sockaddr_in6 *v6 = (const void *) ss;
        const struct sockaddr_un *un = (const void *) ss;
        char ip[INET6_ADDRSTRLEN] = "";

        ret[0] = '\0';
        if (ss->ss_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof ip))
                (void) snprintf(ret, ADDRESS_MAX, "%s:%u", ip, ntohs(v4->sin_port));
        else if (ss->ss_family == AF_INET6 && inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof ip))
                (void) snprintf(ret, ADDRESS_MAX, "[%s]:%u", ip, ntohs(v6->sin6_port));
        else if (ss->ss_family == AF_UNIX)
                (void) snprintf(ret, ADDRESS_MAX, "%s", un->sun_path);
}

static size_t take_inherited(struct inherited ret[static INHERITED_MAX])
{
        char **names = NULL;
        int n = sd_listen_fds_with_names(1, &names);
        size_t kept = 0;

        for (int i = 0; i < n; i++) {
                struct sockaddr_storage ss = { 0 };
                socklen_t len = sizeof ss;

                if (kept < INHERITED_MAX) {
                        struct inherited *in = &ret[kept++];

                        *in = (struct inherited){ .fd = SD_LISTEN_FDS_START + i };
                        (void) snprintf(in->name, sizeof in->name, "%s", names && names[i] ? names[i] : "");
                        if (getsockname(in->fd, (struct sockaddr *) &ss, &len) == 0)
                                write_address(&ss, in->address);
                }
        }
        for (int i = 0; names && i < n; i++)
                free(names[i]);
        free(names);
        return kept;
}

static int find_inherited(struct inherited *inherited, size_t n, const char *address)
{
        for (size_t i = 0; i < n; i++) {
                if (!inherited[i].taken &&
                    (streq(inherited[i].address, address) || streq(inherited[i].name, address))) {
                        inherited[i].taken = true;
                        return inherited[i].fd;
                }
        }
        return -1;
}

/* A host without IPv6 is no reason not to start; the default listeners name ::1. */
static bool may_be_missing(const struct listen_config *l, const struct fault *f)
{
        return l->address[0] == '[' && (strstr(f->text, strerror(EADDRNOTAVAIL)) || strstr(f->text, strerror(EAFNOSUPPORT)));
}

static int listen_one(struct daemon *d, const struct listen_config *l, int fd, struct fault *f)
{
        const struct listen_options options = {
                .address = l->address,
                .fd = fd,
                .mode = l->mode,
                .group = l->has_group_id ? l->group : NULL,
                .certificate = l->certificate,
                .key = l->key,
                .client_ca = l->client_ca,
                .origins = (const char *const *) l->origins,
                .hosts = (const char *const *) l->hosts,
                .tag = l,
        };

        if (server_listen(d->server, &options, f) < 0) {
                if (!may_be_missing(l, f))
                        return -EINVAL;
                log_warning(NO_FIELDS, "not listening on %s: %s", l->address, f->text);
                return 0;
        }
        log_info(NO_FIELDS, "listening on %s%s%s", l->address, l->certificate ? " with TLS" : "",
                 fd >= 0 ? " (socket from systemd)" : "");
        return 0;
}

int listen_all(struct daemon *d, struct fault *f)
{
        struct inherited inherited[INHERITED_MAX];
        size_t n = take_inherited(inherited);
        int r = 0;

        for (size_t i = 0; r == 0 && i < d->config->n_listens; i++) {
                const struct listen_config *l = &d->config->listens[i];

                r = listen_one(d, l, find_inherited(inherited, n, l->address), f);
        }
        for (size_t i = 0; i < n; i++) {
                if (!inherited[i].taken) {
                        log_warning(NO_FIELDS, "closing an inherited socket (%s, %s) that no [Listen] block names",
                                    inherited[i].name, inherited[i].address);
                        (void) close(inherited[i].fd);
                }
        }
        return r;
}
