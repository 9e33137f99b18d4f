/* SPDX-License-Identifier: Apache-2.0 */

#include "http/unread.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

/* A line of the table: its ports as it sees them, and what it has not been read of. */
static bool parse_line(const char *line, unsigned *ret_local, unsigned *ret_remote, unsigned *ret_unread)
{
        return sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%x %*x %*x:%x", ret_local,
                      ret_remote, /* NOLINT(cert-err34-c): the kernel's numbers */
                      ret_unread) == 3;
}

static unsigned port_of(const struct sockaddr_storage *address)
{
        const struct sockaddr_in6 *in6 = (const void *) address;
        const struct sockaddr_in *in = (const void *) address;

        return ntohs(address->ss_family == AF_INET6 ? in6->sin6_port : in->sin_port);
}

static int64_t look_up(const char *table, unsigned local, unsigned remote)
{
        FILE *f = fopen(table, "re");
        int64_t found = -1;
        char line[512];

        while (f && found < 0 && fgets(line, sizeof line, f)) {
                unsigned its_local, its_remote, unread;

                if (parse_line(line, &its_local, &its_remote, &unread) && its_local == remote &&
                    its_remote == local)
                        found = unread;
        }
        if (f)
                (void) fclose(f);
        return found;
}

int64_t unread_by_peer(int fd)
{
        struct sockaddr_storage local, remote;
        socklen_t local_size = sizeof local, remote_size = sizeof remote;
        int64_t found;

        if (getsockname(fd, (void *) &local, &local_size) < 0 ||
            getpeername(fd, (void *) &remote, &remote_size) < 0 ||
            (local.ss_family != AF_INET && local.ss_family != AF_INET6))
                return -1;
        /* A socket for IPv6 takes IPv4 as well, and the other end is what it is. */
        found = look_up("/proc/self/net/tcp", port_of(&local), port_of(&remote));
        return found < 0 ? look_up("/proc/self/net/tcp6", port_of(&local), port_of(&remote)) : found;
}
