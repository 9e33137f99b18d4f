/* SPDX-License-Identifier: Apache-2.0 */

/* Is the port free - with real sockets that hold it in every way - and probes of it. */

#include "run-loop.h"
#include "sys/port.h"
#include "sys/probe.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A socket of that family and type on address and port (0: any), listening if it is TCP; its port in *port.
 */
static int hold(const char *address, uint16_t *port, bool udp)
{
        bool v6 = strchr(address, ':');
        struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(*port) };
        struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(*port) };
        struct sockaddr *a = v6 ? (struct sockaddr *) &a6 : (struct sockaddr *) &a4;
        socklen_t len = v6 ? sizeof a6 : sizeof a4;
        int fd = socket(a->sa_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), yes = 1;

        assert_true(fd >= 0);
        assert_int_equal(inet_pton(a->sa_family, address, v6 ? (void *) &a6.sin6_addr : &a4.sin_addr), 1);
        if (v6)
                assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
        assert_int_equal(bind(fd, a, len), 0);
        if (!udp)
                assert_int_equal(listen(fd, 8), 0);
        assert_int_equal(getsockname(fd, a, &len), 0);
        *port = ntohs(v6 ? a6.sin6_port : a4.sin_port);
        return fd;
}

static const struct {
        const char *holder, *asked;
        bool taken;
} rows[] = {
        { "127.0.0.1", "127.0.0.1", true },
        { "127.0.0.1", "0.0.0.0", true },
        { "0.0.0.0", "127.0.0.1", true },
        { "127.0.0.2", "127.0.0.1", false },
        { "127.0.0.1", "::1", false },
        { "::1", "::1", true },
        { "::1", "127.0.0.1", false },
        /* published on all addresses means both families */
        { "::1", "0.0.0.0", true },
        { "::", "0.0.0.0", true },
        { "127.0.0.1", "::", true },
        { "0.0.0.0", "::", true },
};

static void whoever_holds_it_is_noticed(_unused_ void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (int udp = 0; udp <= 1; udp++) {
                        uint16_t port = 0;
                        int fd = hold(rows[i].holder, &port, udp);
                        int r = port_try(rows[i].asked, port, udp);

                        (void) close(fd);
                        if (r != (rows[i].taken ? -EADDRINUSE : 0))
                                fail_msg("%s %s, held on %s: %s", udp ? "udp" : "tcp", rows[i].asked,
                                         rows[i].holder, strerror(-r));
                        assert_int_equal(port_try(rows[i].asked, port, udp), 0);
                }
}

static void the_protocols_do_not_hold_each_other_up(_unused_ void **state)
{
        uint16_t port = 0;
        int fd = hold("127.0.0.1", &port, false);

        assert_int_equal(port_try("127.0.0.1", port, true), 0);
        (void) close(fd);
}

static void a_closed_connection_holds_nothing(_unused_ void **state)
{
        uint16_t port = 0;
        int listener = hold("127.0.0.1", &port, false), server;
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

        assert_int_equal(connect(client, (struct sockaddr *) &to, sizeof to), 0);
        server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(server >= 0);
        /* The side that closes first is the one that goes to TIME_WAIT. */
        (void) close(server);
        (void) usleep(20 * 1000);
        (void) close(client);
        (void) close(listener);
        assert_int_equal(port_try("127.0.0.1", port, false), 0);
}

static void nonsense_is_not_free(_unused_ void **state)
{
        assert_int_equal(port_try("localhost", 80, false), -EINVAL);
        assert_int_equal(port_try("", 80, false), -EINVAL);
        assert_int_equal(port_try("192.0.2.1", 4000, false), -EADDRNOTAVAIL);
}

/* As geard runs: without the capability to bind below 1024. 0 when all is as it should be. */
static int ask_unprivileged(uint16_t held, uint16_t free_port, const char *asked, bool udp)
{
        struct passwd *nobody = getpwnam("nobody");
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                if (!nobody || setgid(nobody->pw_gid) < 0 || setuid(nobody->pw_uid) < 0)
                        _exit(10);
                if (port_try(asked, held, udp) != -EADDRINUSE)
                        _exit(11);
                _exit(port_try(asked, free_port, udp) == 0 ? 0 : 12);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void low_ports_are_looked_up_where_they_may_not_be_bound(_unused_ void **state)
{
        static const struct {
                const char *holder, *asked;
        } low[] = { { "127.0.0.1", "0.0.0.0" },
                    { "0.0.0.0", "127.0.0.1" },
                    { "::1", "::" },
                    { "::1", "0.0.0.0" },
                    { "127.0.0.1", "127.0.0.1" } };

        if (geteuid() != 0) {
                print_message("not root: cannot hold a port below 1024\n");
                skip();
        }
        for (size_t i = 0; i < ARRAY_SIZE(low); i++)
                for (int udp = 0; udp <= 1; udp++) {
                        uint16_t port = 913;
                        int fd = hold(low[i].holder, &port, udp);
                        int r = ask_unprivileged(port, 914, low[i].asked, udp);

                        (void) close(fd);
                        assert_int_equal(r, 0);
                }
}

/* --- probes --------------------------------------------------------------- */

struct bench {
        struct loop *loop;
        unsigned answers;
        bool good;
        char why[128];
};

static void on_probed(void *arg, bool good, const char *why)
{
        struct bench *b = arg;

        b->answers++;
        b->good = good;
        (void) snprintf(b->why, sizeof b->why, "%s", why);
        loop_stop(b->loop);
}

/* Whoever asks gets these bytes; nothing if NULL. */
struct answerer {
        struct loop *loop;
        int listener, fd;
        struct watch *connections, *requests;
        const char *bytes;
};

static void on_request(void *arg, _unused_ unsigned what)
{
        struct answerer *a = arg;
        char request[1024];

        if (recv(a->fd, request, sizeof request, 0) <= 0)
                watch_set(a->requests, 0);
        else if (a->bytes)
                assert_int_equal(send(a->fd, a->bytes, strlen(a->bytes), MSG_NOSIGNAL), strlen(a->bytes));
}

static void on_client(void *arg, _unused_ unsigned what)
{
        struct answerer *a = arg;

        a->fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(a->fd >= 0);
        a->requests = watch_new(a->loop, a->fd, WATCH_READ, on_request, a);
}

static void answerer_end(struct answerer *a)
{
        (void) watch_free(a->connections);
        (void) watch_free(a->requests);
        (void) close(a->listener);
        if (a->fd >= 0)
                (void) close(a->fd);
}

static void probes(_unused_ void **state)
{
        static const struct {
                const char *address, *path, *bytes;
                bool listening, good;
                const char *why;
        } cases[] = {
                { "127.0.0.1", NULL, NULL, true, true, "Success" },
                { "::1", NULL, NULL, true, true, "Success" },
                { "127.0.0.1", NULL, NULL, false, false, "Connection refused" },
                { "127.0.0.1", "/", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, true,
                  "HTTP status 200" },
                { "::1", "/x", "HTTP/1.1 399 Odd\r\nContent-Length: 0\r\n\r\n", true, true,
                  "HTTP status 399" },
                { "127.0.0.1", "/", "HTTP/1.1 302 No\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", true,
                  true, "HTTP status 302" },
                { "127.0.0.1", "/", "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", true, false,
                  "HTTP status 400" },
                { "127.0.0.1", "/", "HTTP/1.0 503 No\r\n\r\nand so on", true, false, "HTTP status 503" },
                { "127.0.0.1", "@192.0.2.1/", "HTTP/1.1 204 No\r\n\r\n", true, true, "HTTP status 204" },
                { "127.0.0.1", "/", NULL, true, false, NULL },
                { "127.0.0.1", "/", NULL, false, false, "Connection refused" },
                { "localhost", NULL, NULL, false, false, "Invalid argument" },
        };
        _cleanup_(loop_freep) struct loop *loop = loop_new();
        _cleanup_(fetch_freep) struct fetch *fetch = fetch_new(loop);

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct bench b = { .loop = loop };
                struct answerer a = { .loop = loop, .fd = -1, .bytes = cases[i].bytes };
                uint16_t port = 0;

                a.listener = hold(strchr(cases[i].address, ':') ? "::1" : "127.0.0.1", &port, false);
                if (cases[i].listening)
                        a.connections = watch_new(loop, a.listener, WATCH_READ, on_client, &a);
                else
                        answerer_end(&a);
                assert_non_null(probe_start(loop, fetch, cases[i].address, port, cases[i].path,
                                            5 * USEC_PER_SEC, on_probed, &b));
                assert_int_equal(b.answers, 0);
                run_loop(loop, "nothing");
                if (cases[i].listening)
                        answerer_end(&a);
                assert_int_equal(b.good, cases[i].good);
                if (cases[i].why)
                        assert_string_equal(b.why, cases[i].why);
        }
}

static void stop(void *arg)
{
        loop_stop(arg);
}

static void a_cancelled_probe_says_nothing(_unused_ void **state)
{
        static const char *const paths[] = { NULL, "/" };
        _cleanup_(loop_freep) struct loop *loop = loop_new();
        _cleanup_(fetch_freep) struct fetch *fetch = fetch_new(loop);
        _cleanup_(timer_freep) struct timer *end = timer_new(loop, stop, loop);
        struct bench b = { .loop = loop };

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                uint16_t port = 0;
                int fd = hold("127.0.0.1", &port, false);
                struct probe *p = probe_start(loop, fetch, "127.0.0.1", port, paths[i], 10 * USEC_PER_MSEC,
                                              on_probed, &b);

                assert_non_null(p);
                assert_null(probe_cancel(p));
                timer_set(end, 40 * USEC_PER_MSEC);
                run_loop(loop, "nothing");
                assert_int_equal(b.answers, 0);
                (void) close(fd);
        }
}

/* So that nobody else takes a port between two steps of a case; whoever may not has to hope. */
static int get_a_network_of_our_own(_unused_ void **state)
{
        struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
        int fd, r;

        if (unshare(CLONE_NEWNET) < 0)
                return 0;
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        r = ioctl(fd, SIOCSIFFLAGS, &lo);
        (void) close(fd);
        return r;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whoever_holds_it_is_noticed),
                cmocka_unit_test(the_protocols_do_not_hold_each_other_up),
                cmocka_unit_test(a_closed_connection_holds_nothing),
                cmocka_unit_test(nonsense_is_not_free),
                cmocka_unit_test(low_ports_are_looked_up_where_they_may_not_be_bound),
                cmocka_unit_test(probes),
                cmocka_unit_test(a_cancelled_probe_says_nothing),
        };

        return cmocka_run_group_tests(tests, get_a_network_of_our_own, NULL);
}
