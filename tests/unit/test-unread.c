/* SPDX-License-Identifier: Apache-2.0 */

/* What the other end of a connection has not read, byte by byte, as the kernel has it. */

#include "http/unread.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SENT 100000

/* As much as both buffers hold is sent; then it is read bit by bit. */
static void check_bytes(int ours, int theirs)
{
        static char bytes[SENT];

        assert_int_equal(unread_by_peer(ours), 0);
        assert_int_equal(send(ours, bytes, sizeof bytes, 0), SENT);
        assert_int_equal(unread_by_peer(ours), SENT);
        for (int64_t left = SENT - 1; left > SENT - 5; left--) {
                assert_int_equal(recv(theirs, bytes, 1, 0), 1);
                assert_int_equal(unread_by_peer(ours), left);
        }
        assert_int_equal(recv(theirs, bytes, SENT - 4, MSG_WAITALL), SENT - 4);
        assert_int_equal(unread_by_peer(ours), 0);
        (void) close(theirs);
        assert_true(unread_by_peer(ours) <= 0);
        (void) close(ours);
}

static void of_a_unix_socket(void **state _unused_)
{
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        check_bytes(ends[0], ends[1]);
}

static void of_tcp(void **state _unused_)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int size = 4 * SENT;
        socklen_t len = sizeof address;

        assert_int_equal(setsockopt(theirs, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
        assert_int_equal(bind(listener, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *) &address, &len), 0);
        assert_int_equal(connect(theirs, (struct sockaddr *) &address, sizeof address), 0);
        check_bytes(accept(listener, NULL, NULL), theirs);
        (void) close(listener);
}

static void of_what_is_no_connection(void **state _unused_)
{
        int fds[2];

        assert_int_equal(pipe(fds), 0);
        assert_int_equal(unread_by_peer(fds[0]), -1);
        assert_int_equal(unread_by_peer(-1), -1);
        (void) close(fds[0]);
        (void) close(fds[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(of_a_unix_socket),
                cmocka_unit_test(of_tcp),
                cmocka_unit_test(of_what_is_no_connection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
