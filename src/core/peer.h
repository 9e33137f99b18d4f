/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who may bring a token, as its claim `p' says: an address or network, the uid
 * on a unix socket, or the certificate of a TLS client, by itself or by a name
 * that it is for.
 *
 *   192.0.2.7  10.0.0.0/8  2001:db8::/32  uid:1000  sha256:<64 hex digits>
 *   dns:host.example  uri:spiffe://example/host  email:alice@example.org
 *
 * An IPv4 address and its IPv4-mapped IPv6 form are the same, and so is a name
 * of the DNS in capitals.  All else is compared as it is.
 */

#include "util/base.h"

/* A network whose bits behind the prefix are not zero is none. */
bool peer_valid(const char *peer);

/* Is `peer', which may be a network itself, all within `pattern'?  Neither valid: no. */
bool peer_covers(const char *pattern, const char *peer);
