/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The yardstick of bench/http.sh: libevent's own HTTP server with one fixed
 * answer.
 *
 *   evhttp-hello PORT BODY-SIZE
 */

#include "util/base.h"

#include <signal.h>
#include <stdio.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

struct answer {
        char *body;
        size_t len;
};

static void on_request(struct evhttp_request *request, void *arg)
{
        const struct answer *a = arg;
        struct evbuffer *out = evhttp_request_get_output_buffer(request);

        (void) evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/plain");
        (void) evbuffer_add(out, a->body, a->len);
        evhttp_send_reply(request, 200, "OK", NULL);
}

int main(int argc, char **argv)
{
        struct event_base *base = event_base_new();
        struct evhttp *http = base ? evhttp_new(base) : NULL;
        struct answer a = { 0 };

        if (argc != 3 || !http)
                return 1;
        (void) signal(SIGPIPE, SIG_IGN);
        a.len = strtoul(argv[2], NULL, 10);
        a.body = malloc(a.len + 1);
        if (!a.body)
                return 1;
        memset(a.body, 'h', a.len);
        evhttp_set_gencb(http, on_request, &a);
        if (evhttp_bind_socket(http, "127.0.0.1", (uint16_t) strtoul(argv[1], NULL, 10)) < 0) {
                (void) fprintf(stderr, "cannot listen on port %s\n", argv[1]);
                return 1;
        }
        return event_base_dispatch(base) < 0;
}
