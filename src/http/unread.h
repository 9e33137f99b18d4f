/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/base.h"

/*
 * How many bytes the program at the other end of a connection within this host
 * has not read yet; -1 where that cannot be told.  TCP itself tells of reading
 * only when there is room for a segment again, a unix socket when a buffer of the
 * kernel's is empty, which for a very slow reader is hours; but for both ends of such
 * a connection the same kernel keeps the books.  Of TCP it goes through all of them:
 * not for every day.
 */
int64_t unread_by_peer(int fd);
