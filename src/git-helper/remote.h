/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A remote that may only be where anybody may be: its name is looked up once, and
 * git is held to what was found, so that no second answer and no redirection leads
 * to this host or into its network.
 */

#include "core/clone-url.h"
#include "git-helper/git.h"

struct remote {
        char url[CLONE_URL_MAX + 64]; /* what git is to clone … */
        char resolve[512];            /* … "http.curloptResolve=…", "" where git gets the address another way */
};

/* 0; or an exit status, after saying why on standard error. */
int remote_hold(const char *url, struct remote *ret);
/* Options of git, before its verb. */
void remote_add(const struct remote *remote, struct git_words *w);
