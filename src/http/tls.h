/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The only file of the front end that knows OpenSSL. */

#include "http/server.h"

struct bufferevent;
struct peer;
struct tls;

/* Reads certificate, key and client CA; the fault names the file that is wrong. */
int tls_new(const struct listen_options *o, struct tls **ret, struct fault *f);
struct tls *tls_free(struct tls *t);
DEFINE_CLEANUP(struct tls, tls_free);

/* Starts the handshake. Owns fd only on success; NULL when out of memory. */
struct bufferevent *tls_accept(struct tls *t, struct event_base *base, int fd);

/* The client certificate that was verified, and its names, if one was shown. -ENOMEM. */
int tls_peer_certificate(struct bufferevent *socket, struct peer *peer);

/* Tells the client that no more is coming, without waiting for its answer. */
void tls_goodbye(struct bufferevent *socket);
