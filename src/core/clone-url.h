/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a repository may be cloned from.  Whatever reaches git is one of a few
 * schemes, spelled out, with a host and a path that nothing reads as an option,
 * a command or a helper; and it holds no secret, since git's command line is seen
 * by everybody on the host.
 */

#include "util/base.h"
#include "util/fault.h"

#define CLONE_URL_MAX 2048

enum clone_scheme {
        CLONE_HTTPS = 1 << 0,
        CLONE_HTTP = 1 << 1,
        CLONE_SSH = 1 << 2,
        CLONE_GIT = 1 << 3,
        CLONE_FILE = 1 << 4, /* only below one of the configured paths */
};

/* "https" → CLONE_HTTPS; 0 for what is none of them. */
enum clone_scheme clone_scheme_of(const char *name);

struct clone_rules {
        unsigned schemes;         /* of enum clone_scheme, without CLONE_FILE */
        char *const *file_paths;  /* absolute, without a slash at the end; NULL: none */
};

struct clone_url {
        enum clone_scheme scheme;
        char host[254];           /* "" for a file; an IPv6 address in its brackets */
        char port[6];             /* "" where none is named */
        const char *path;         /* the rest of the URL, which is borrowed */
        const char *below;        /* of a file: the one of the configured paths that it lies in, borrowed, too */
};

/* INVALID, or DENIED where the rules are what it is against. The URL itself is in no fault. */
int clone_url_check(const char *url, const char *field, const struct clone_rules *rules, struct clone_url *ret,
                    struct fault *f);
