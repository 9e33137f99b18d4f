/* SPDX-License-Identifier: Apache-2.0 */

#include "http/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 1024

/* Output that the kernel holds unsent: above this the socket is not writable. */
#define UNSENT_MAX (256 * 1024)

/* "127.0.0.1:2223" or "[::1]:2223". */
static int parse_tcp(const char *address, struct sockaddr_storage *ret, socklen_t *ret_len)
{
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) ret;
        struct sockaddr_in *in = (struct sockaddr_in *) ret;
        const char *colon = strrchr(address, ':');
        char host[INET6_ADDRSTRLEN] = "";
        uint64_t port;
        size_t len;

        if (!colon || !parse_u64(colon + 1, UINT16_MAX, &port))
                return -EINVAL;
        *ret = (struct sockaddr_storage){ 0 };
        len = (size_t) (colon - address);
        if (address[0] == '[' && len >= 2 && address[len - 1] == ']' && len - 2 < sizeof host) {
                memcpy(host, address + 1, len - 2);
                in6->sin6_family = AF_INET6;
                in6->sin6_port = htons((uint16_t) port);
                *ret_len = sizeof *in6;
                return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 ? 0 : -EINVAL;
        }
        if (len >= sizeof host)
                return -EINVAL;
        memcpy(host, address, len);
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t) port);
        *ret_len = sizeof *in;
        return inet_pton(AF_INET, host, &in->sin_addr) == 1 ? 0 : -EINVAL;
}

static void set_int(int fd, int level, int option, int value)
{
        (void) setsockopt(fd, level, option, &value, sizeof value);
}

/*
 * Accepted sockets inherit all of these.  Keep-alive probes find the silent
 * streams whose network has died.
 */
static void tune_tcp(int fd)
{
        set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX);
        set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
        set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
        set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

static int listen_tcp(const char *address, int *ret_fd, struct fault *f)
{
        struct sockaddr_storage storage;
        struct sockaddr *name = (struct sockaddr *) &storage;
        _cleanup_close_ int fd = -1;
        socklen_t len;

        if (parse_tcp(address, &storage, &len) < 0)
                return fault_set(f, FAULT_INVALID, "Address",
                                 "\"%s\" is neither ADDRESS:PORT, [ADDRESS]:PORT nor a path", address);
        fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return fault_errno(f, errno, "cannot make a socket for %s", address);
        set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (name->sa_family == AF_INET6)
                set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        tune_tcp(fd);
        if (bind(fd, name, len) < 0 || listen(fd, BACKLOG) < 0)
                return fault_errno(f, errno, "cannot listen on %s", address);
        *ret_fd = fd;
        fd = -1;
        return 0;
}

/*
 * A socket file that nobody answers on was left by a crash and goes away.  One
 * that somebody answers on, or that cannot be tried, stays, and bind() fails.
 */
static int remove_stale(const struct sockaddr_un *name)
{
        _cleanup_close_ int fd = -1;
        struct stat st;

        if (lstat(name->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
                return 0;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) name, sizeof *name) < 0 && errno == ECONNREFUSED &&
            unlink(name->sun_path) < 0)
                return -errno;
        return 0;
}

/*
 * What we make belongs to our own group to begin with, so that a daemon whose
 * sandbox forbids chown can still have its sockets in that one.
 */
static int give_to_group(const char *path, gid_t gid)
{
        struct stat st;

        if (lstat(path, &st) < 0)
                return -errno;
        return st.st_gid == gid || lchown(path, (uid_t) -1, gid) == 0 ? 0 : -errno;
}

static int set_access(const struct listen_options *o, struct fault *f)
{
        _cleanup_free_ char *buffer = NULL;
        struct group entry, *group = NULL;
        size_t size = 16384;
        int r;

        if (o->group && *o->group) {
                buffer = malloc(size);
                if (!buffer)
                        return fault_oom(f);
                if (getgrnam_r(o->group, &entry, buffer, size, &group) != 0 || !group)
                        return fault_set(f, FAULT_INVALID, "Group", "there is no group \"%s\"", o->group);
                r = give_to_group(o->address, group->gr_gid);
                if (r < 0)
                        return fault_errno(f, r, "cannot give %s to group %s", o->address, o->group);
        }
        if (o->mode && chmod(o->address, o->mode) < 0)
                return fault_errno(f, errno, "cannot set the mode of %s", o->address);
        return 0;
}

/*
 * Nobody can connect before listen(), so the permissions set between it and
 * bind() are the only ones that ever hold.
 */
static int listen_path(const struct listen_options *o, int *ret_fd, char **ret_path, struct fault *f)
{
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        if (strlen(o->address) >= sizeof name.sun_path)
                return fault_set(f, FAULT_INVALID, "Address", "the socket path is longer than %zu bytes: %s",
                                 sizeof name.sun_path - 1, o->address);
        memcpy(name.sun_path, o->address, strlen(o->address));
        path = strdup(o->address);
        if (!path)
                return fault_oom(f);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return fault_errno(f, errno, "cannot make a socket for %s", path);
        r = remove_stale(&name);
        if (r < 0)
                return fault_errno(f, r, "cannot replace %s", path);
        if (bind(fd, (struct sockaddr *) &name, sizeof name) < 0)
                return fault_errno(f, errno, "cannot listen on %s", path);
        r = set_access(o, f);
        if (r < 0) {
                (void) unlink(path);
                return r;
        }
        if (listen(fd, BACKLOG) < 0)
                return fault_errno(f, errno, "cannot listen on %s", path);
        *ret_fd = fd;
        fd = -1;
        *ret_path = TAKE(path);
        return 0;
}

/* A descriptor that was handed to us: must be a listening stream socket of a kind we know. */
static int adopt(const struct listen_options *o, struct fault *f)
{
        struct sockaddr_storage storage = { 0 };
        socklen_t len = sizeof storage, size = sizeof(int);
        int listening = 0, flags;

        if (getsockname(o->fd, (struct sockaddr *) &storage, &len) < 0 ||
            getsockopt(o->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0)
                return fault_errno(f, errno, "cannot use inherited descriptor %d", o->fd);
        if (!listening ||
            (storage.ss_family != AF_INET && storage.ss_family != AF_INET6 && storage.ss_family != AF_UNIX))
                return fault_set(f, FAULT_INVALID, NULL,
                                 "inherited descriptor %d is no listening stream socket", o->fd);
        flags = fcntl(o->fd, F_GETFL);
        if (flags < 0 || fcntl(o->fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
            fcntl(o->fd, F_SETFD, FD_CLOEXEC) < 0)
                return fault_errno(f, errno, "cannot set up inherited descriptor %d", o->fd);
        if (storage.ss_family != AF_UNIX)
                tune_tcp(o->fd);
        return 0;
}

int socket_listen(const struct listen_options *o, int *ret_fd, char **ret_path, struct fault *f)
{
        if (o->fd >= 0) {
                *ret_fd = o->fd;
                return adopt(o, f);
        }
        if (o->address[0] == '/')
                return listen_path(o, ret_fd, ret_path, f);
        return listen_tcp(o->address, ret_fd, f);
}

/* --- who is at either end --------------------------------------------------- */

static bool in4_is_loopback(const struct in_addr *in)
{
        return ntohl(in->s_addr) >> 24 == IN_LOOPBACKNET;
}

/* An inherited socket may serve both families, and shows IPv4 addresses in IPv6 ones. */
static bool unmap(const struct in6_addr *in6, struct in_addr *ret)
{
        if (!IN6_IS_ADDR_V4MAPPED(in6))
                return false;
        memcpy(ret, &in6->s6_addr[12], sizeof *ret);
        return true;
}

static bool is_loopback(const struct sockaddr *a)
{
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *) a)->sin6_addr;
        struct in_addr mapped;

        if (a->sa_family == AF_INET)
                return in4_is_loopback(&((const struct sockaddr_in *) a)->sin_addr);
        if (a->sa_family != AF_INET6)
                return false;
        return unmap(in6, &mapped) ? in4_is_loopback(&mapped) : IN6_IS_ADDR_LOOPBACK(in6);
}

bool socket_is_at_loopback(int fd)
{
        struct sockaddr_storage storage = { 0 };
        socklen_t len = sizeof storage;

        return getsockname(fd, (struct sockaddr *) &storage, &len) == 0 &&
               is_loopback((struct sockaddr *) &storage);
}

static void unix_peer(int fd, struct peer *ret)
{
        struct ucred credentials = { .pid = 0, .uid = (uid_t) -1, .gid = (gid_t) -1 };
        socklen_t len = sizeof credentials, groups_len = sizeof ret->groups;

        ret->kind = PEER_UNIX;
        (void) getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len);
        ret->uid = credentials.uid;
        ret->gid = credentials.gid;
        ret->pid = credentials.pid;
        /* More groups than fit: none is better than some, which would let membership come and go. */
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ret->groups, &groups_len) == 0)
                ret->n_groups = groups_len / sizeof ret->groups[0];
        (void) snprintf(ret->address, sizeof ret->address, "uid=%u pid=%d", (unsigned) ret->uid,
                        (int) ret->pid);
}

static void tcp4_peer(const struct in_addr *in, in_port_t port, struct peer *ret,
                      struct address_key *ret_key)
{
        char host[INET_ADDRSTRLEN] = "";

        (void) inet_ntop(AF_INET, in, host, sizeof host);
        (void) snprintf(ret->address, sizeof ret->address, "%s:%u", host, ntohs(port));
        ret->loopback = in4_is_loopback(in);
        memcpy(ret_key->bytes, in, sizeof *in);
        /* Apart from every /64 that is handed out: those begin with 001. */
        ret_key->bytes[7] = AF_INET;
}

static void tcp6_peer(const struct in6_addr *in6, in_port_t port, struct peer *ret,
                      struct address_key *ret_key)
{
        char host[INET6_ADDRSTRLEN] = "";

        (void) inet_ntop(AF_INET6, in6, host, sizeof host);
        (void) snprintf(ret->address, sizeof ret->address, "[%s]:%u", host, ntohs(port));
        ret->loopback = IN6_IS_ADDR_LOOPBACK(in6);
        memcpy(ret_key->bytes, in6, sizeof ret_key->bytes);
}

void socket_peer(int fd, const struct sockaddr *address, struct peer *ret, struct address_key *ret_key)
{
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) address;
        const struct sockaddr_in *in = (const struct sockaddr_in *) address;
        struct in_addr mapped;

        *ret = (struct peer){ .kind = PEER_TCP, .uid = (uid_t) -1, .gid = (gid_t) -1 };
        *ret_key = (struct address_key){ 0 };
        if (address->sa_family == AF_UNIX) {
                unix_peer(fd, ret);
        } else if (address->sa_family == AF_INET) {
                tcp4_peer(&in->sin_addr, in->sin_port, ret, ret_key);
        } else if (unmap(&in6->sin6_addr, &mapped)) {
                tcp4_peer(&mapped, in6->sin6_port, ret, ret_key);
        } else {
                tcp6_peer(&in6->sin6_addr, in6->sin6_port, ret, ret_key);
        }
}
