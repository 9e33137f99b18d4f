/* SPDX-License-Identifier: Apache-2.0 */

#include "http/unread.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

/* --- TCP ------------------------------------------------------------------------------------------- */

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

static int64_t unread_of_tcp(const struct sockaddr_storage *local, const struct sockaddr_storage *remote)
{
        /* A socket for IPv6 takes IPv4 as well, and the other end is what it is. */
        int64_t found = look_up("/proc/self/net/tcp", port_of(local), port_of(remote));

        return found < 0 ? look_up("/proc/self/net/tcp6", port_of(local), port_of(remote)) : found;
}

/* --- unix sockets ---------------------------------------------------------------------------------- */

struct answer {
        struct nlmsghdr header;
        struct unix_diag_msg socket;
        char attributes[256];
};

static bool take_attribute(const struct answer *a, uint16_t type, void *ret, size_t size)
{
        size_t at = offsetof(struct answer, attributes), len = a->header.nlmsg_len;
        struct rtattr head = { .rta_len = sizeof head };

        for (; at + sizeof head + size <= len && head.rta_len >= sizeof head; at += RTA_ALIGN(head.rta_len)) {
                memcpy(&head, (const char *) a + at, sizeof head);
                if (head.rta_type == type && head.rta_len >= sizeof head + size) {
                        memcpy(ret, (const char *) a + at + sizeof head, size);
                        return true;
                }
        }
        return false;
}

/* One of the things that the kernel tells of a socket. */
static bool ask(int kernel, uint32_t inode, uint32_t show, uint16_t type, void *ret, size_t size)
{
        const struct {
                struct nlmsghdr header;
                struct unix_diag_req socket;
        } question = { .header = { .nlmsg_len = sizeof question,
                                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                   .nlmsg_flags = NLM_F_REQUEST },
                       .socket = { .sdiag_family = AF_UNIX,
                                   .udiag_states = UINT32_MAX,
                                   .udiag_ino = inode,
                                   .udiag_show = show,
                                   .udiag_cookie = { UINT32_MAX, UINT32_MAX } } };
        struct answer answer;
        ssize_t n;

        if (send(kernel, &question, sizeof question, MSG_DONTWAIT) < 0)
                return false;
        n = recv(kernel, &answer, sizeof answer, MSG_DONTWAIT);
        return n >= (ssize_t) offsetof(struct answer, attributes) && answer.header.nlmsg_len <= (size_t) n &&
               answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY && take_attribute(&answer, type, ret, size);
}

/* What we have sent lies with the socket at the other end, until it is read. */
static int64_t unread_of_unix(int fd)
{
        int kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        struct unix_diag_rqlen lengths;
        int64_t found = -1;
        struct stat st;
        uint32_t peer;

        if (kernel >= 0 && fstat(fd, &st) == 0 &&
            ask(kernel, (uint32_t) st.st_ino, UDIAG_SHOW_PEER, UNIX_DIAG_PEER, &peer, sizeof peer) &&
            ask(kernel, peer, UDIAG_SHOW_RQLEN, UNIX_DIAG_RQLEN, &lengths, sizeof lengths))
                found = lengths.udiag_rqueue;
        closep(&kernel);
        return found;
}

int64_t unread_by_peer(int fd)
{
        struct sockaddr_storage local, remote;
        socklen_t local_size = sizeof local, remote_size = sizeof remote;

        if (getsockname(fd, (void *) &local, &local_size) < 0 || getpeername(fd, (void *) &remote, &remote_size) < 0)
                return -1;
        switch (local.ss_family) {
        case AF_INET:
        case AF_INET6:
                return unread_of_tcp(&local, &remote);
        case AF_UNIX:
                return unread_of_unix(fd);
        default:
                return -1;
        }
}
