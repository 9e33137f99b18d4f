/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Listening sockets, and who is at the other end of an accepted one. */

#include "http/server-private.h"

struct sockaddr;

/*
 * The descriptor for these options: the inherited one, checked, or a new one,
 * non-blocking and listening.  *ret_path is the socket file that was made, or
 * NULL.
 */
int socket_listen(const struct listen_options *o, int *ret_fd, char **ret_path, struct fault *f);

/* Who connected; fd is read for the credentials of a unix peer. */
void socket_peer(int fd, const struct sockaddr *address, struct peer *ret, struct address_key *ret_key);
/* Is our own end of this connection a loopback address? A listener on all addresses has both kinds. */
bool socket_is_at_loopback(int fd);
