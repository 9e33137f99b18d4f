/* SPDX-License-Identifier: Apache-2.0 */

/* Who holds a port?  The kernel says by refusing a bind, or in its tables where we may not bind. */

#include "build-config.h"

#include "sys/port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#define TCP_LISTEN_STATE 0x0A

struct endpoint {
        struct in6_addr address; /* IPv4 in its mapped form */
        bool any;                /* every address of the family */
        bool v6;
};

static bool any_v4(const struct in6_addr *a)
{
        return IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr32[3] == htonl(INADDR_ANY);
}

static int endpoint_parse(const char *address, struct endpoint *ret)
{
        struct endpoint e = { 0 };

        if (inet_pton(AF_INET, address, &e.address.s6_addr32[3]) == 1)
                e.address.s6_addr32[2] = htonl(0xFFFF);
        else if (inet_pton(AF_INET6, address, &e.address) == 1)
                e.v6 = true;
        else
                return -EINVAL;
        e.any = e.v6 ? IN6_IS_ADDR_UNSPECIFIED(&e.address) : any_v4(&e.address);
        *ret = e;
        return 0;
}

/* --- by binding ----------------------------------------------------------- */

static int bind_endpoint(int fd, const struct endpoint *e, uint16_t port)
{
        struct sockaddr_in v4 = { .sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = e->address.s6_addr32[3] };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                                   .sin6_port = htons(port),
                                   .sin6_addr = e->address };

        return bind(fd, e->v6 ? (struct sockaddr *) &v6 : (struct sockaddr *) &v4,
                    e->v6 ? sizeof v6 : sizeof v4);
}

static int try_bind(const struct endpoint *e, uint16_t port, bool udp)
{
        _cleanup_close_ int fd =
                socket(e->v6 ? AF_INET6 : AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
        int yes = 1;

        if (fd < 0)
                return -errno;
        if (e->v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) < 0)
                return -errno;
        /*
         * TCP: connections in TIME_WAIT do not hold the port, listeners do, with
         * this option too.  UDP would then share the port with its holder.
         */
        if (!udp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
                return -errno;
        if (bind_endpoint(fd, e, port) < 0 || (!udp && listen(fd, 1) < 0))
                return -errno;
        return 0;
}

/* --- by the kernel's tables ----------------------------------------------- */

/* "0100007F:1F90": the address in words of the machine's byte order. */
static bool parse_local(const char *s, bool v6, struct in6_addr *ret, unsigned *ret_port)
{
        struct in6_addr a = { 0 };
        int n;

        if (v6)
                n = sscanf(s, "%8x%8x%8x%8x:%4x", &a.s6_addr32[0], &a.s6_addr32[1], &a.s6_addr32[2],
                           &a.s6_addr32[3], ret_port) -
                    4;
        else
                n = sscanf(s, "%8x:%4x", &a.s6_addr32[3], ret_port) - 1;
        if (!v6)
                a.s6_addr32[2] = htonl(0xFFFF);
        *ret = a;
        return n == 1;
}

static bool overlaps(const struct endpoint *e, const struct in6_addr *holder)
{
        /* Whether a holder of [::] takes IPv4 too is not told; it does by default. */
        if (IN6_IS_ADDR_UNSPECIFIED(holder))
                return true;
        if (e->v6 == IN6_IS_ADDR_V4MAPPED(holder))
                return false;
        return e->any || any_v4(holder) || IN6_ARE_ADDR_EQUAL(&e->address, holder);
}

static int search_table(const char *path, const struct endpoint *e, uint16_t port, bool udp)
{
        FILE *table = fopen(path, "re");
        bool v6 = ends_with(path, "6"), found = false;
        char line[512], local[64];
        unsigned state, held_port;
        struct in6_addr holder;

        if (!table)
                return errno == ENOENT ? 0 : -errno;
        while (!found && fgets(line, sizeof line, table))
                found = sscanf(line, " %*u: %63s %*s %x", local, &state) == 2 &&
                        (udp || state == TCP_LISTEN_STATE) && parse_local(local, v6, &holder, &held_port) &&
                        held_port == port && overlaps(e, &holder);
        (void) fclose(table);
        return found ? -EADDRINUSE : 0;
}

static int search_tables(const struct endpoint *e, uint16_t port, bool udp)
{
        int r = search_table(udp ? "/proc/self/net/udp6" : "/proc/self/net/tcp6", e, port, udp);

        return r < 0 ? r : search_table(udp ? "/proc/self/net/udp" : "/proc/self/net/tcp", e, port, udp);
}

/* --- both ----------------------------------------------------------------- */

static int try_endpoint(const struct endpoint *e, uint16_t port, bool udp)
{
        int r = try_bind(e, port, udp);

        return r == -EACCES ? search_tables(e, port, udp) : r;
}

int port_try(const char *address, uint16_t port, bool udp)
{
        struct endpoint e, other = { .any = true };
        int r = endpoint_parse(address, &e);

        if (r < 0)
                return r;
        r = try_endpoint(&e, port, udp);
        if (r < 0 || !e.any)
                return r;
        /* A port published on all addresses is published in both families. */
        other.v6 = !e.v6;
        if (!other.v6)
                other.address.s6_addr32[2] = htonl(0xFFFF);
        r = try_endpoint(&other, port, udp);
        return r == -EADDRINUSE ? r : 0;
}
