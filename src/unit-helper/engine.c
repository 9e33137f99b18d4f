/* SPDX-License-Identifier: Apache-2.0 */

/*
 * HTTP/1.0 over the Engine's unix socket, one connection a request, read until
 * the end.  No library: this runs before every start of every gear, and loading
 * one would take longer than asking.
 */

#include "unit-helper/engine.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ANSWER_MAX 65536 /* what we look at; the rest is read and dropped */

struct answer {
        int status;
        const char *body;
        char bytes[ANSWER_MAX + 1];
};

static int engine_connect(const char *socket_path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;

        if (strlen(socket_path) >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) < 0)
                return -errno;
        int owned = fd;
        fd = -1;
        return owned;
}

static int send_all(int fd, const char *bytes, size_t n)
{
        while (n > 0) {
                ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

                if (sent < 0 && errno == EINTR)
                        continue;
                if (sent < 0)
                        return -errno;
                bytes += sent;
                n -= (size_t) sent;
        }
        return 0;
}

static int receive_all(int fd, struct answer *answer)
{
        char scratch[4096];
        size_t len = 0;

        for (;;) {
                bool room = len < ANSWER_MAX;
                ssize_t got = room ? recv(fd, answer->bytes + len, ANSWER_MAX - len, 0)
                                   : recv(fd, scratch, sizeof scratch, 0);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                len += room ? (size_t) got : 0;
        }
        answer->bytes[len] = '\0';
        return 0;
}

static int ask(const char *socket_path, const char *method, const char *target, struct answer *answer)
{
        _cleanup_close_ int fd = -1;
        char request[1024];
        const char *body;
        int n, r;

        n = snprintf(request, sizeof request, "%s %s HTTP/1.0\r\nHost: docker\r\n\r\n", method, target);
        if (n < 0 || (size_t) n >= sizeof request)
                return -EMSGSIZE;
        fd = engine_connect(socket_path);
        if (fd < 0)
                return fd;
        r = send_all(fd, request, (size_t) n);
        if (r == 0)
                r = receive_all(fd, answer);
        if (r < 0)
                return r;
        if (sscanf(answer->bytes, "HTTP/1.%*d %3d", &answer->status) != 1)
                return -EPROTO;
        body = strstr(answer->bytes, "\r\n\r\n");
        answer->body = body ? body + 4 : "";
        return 0;
}

int engine_owns(const char *socket_path, const char *container, const char *label)
{
        struct answer answer = { 0 };
        char target[512];
        int r;

        /* {"name":["^/gear-1$"],"label":["…"]}; ids hold nothing a regex minds but dots */
        (void) snprintf(target, sizeof target,
                        "/containers/json?all=1&filters=%%7B%%22name%%22%%3A%%5B%%22%%5E%%2F%s%%24%%22%%5D%%2C"
                        "%%22label%%22%%3A%%5B%%22%s%%22%%5D%%7D",
                        container, label);
        r = ask(socket_path, "GET", target, &answer);
        if (r < 0)
                return r;
        if (answer.status != 200)
                return -EREMOTEIO;
        return strncmp(answer.body, "[]", 2) != 0;
}

int engine_remove(const char *socket_path, const char *container)
{
        struct answer answer = { 0 };
        char target[512];
        int r;

        (void) snprintf(target, sizeof target, "/containers/%s?force=1&v=1", container);
        r = ask(socket_path, "DELETE", target, &answer);
        if (r < 0)
                return r;
        /* 409: a removal is under way already (docker run --rm asked for it) */
        return answer.status == 204 || answer.status == 404 || answer.status == 409 ? 0 : -EREMOTEIO;
}

int engine_stop(const char *socket_path, const char *container)
{
        struct answer answer = { 0 };
        char target[512];
        int r;

        (void) snprintf(target, sizeof target, "/containers/%s/stop", container);
        r = ask(socket_path, "POST", target, &answer);
        if (r < 0)
                return r;
        if (answer.status == 404)
                return -ENOENT;
        return answer.status == 204 || answer.status == 304 ? 0 : -EREMOTEIO;
}
