/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Listening sockets, and who is at the other end of an accepted one. */

#include "http/server-private.h"

struct sockaddr;

/*
 * The descriptor for these options: the inherited one, checked, or a new one,
 * non-blocking and listening.  *ret_path is the socket file that was made, or
 * NULL; *ret_loopback tells whether only this machine can connect by TCP.
 */
int socket_listen(const struct listen_options *o, int *ret_fd, char **ret_path, bool *ret_loopback,
                  struct fault *f);

/* Who connected; fd is read for the credentials of a unix peer. */
void socket_peer(int fd, const struct sockaddr *address, struct peer *ret, struct address_key *ret_key);
