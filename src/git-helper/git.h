/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* git, called with nothing but what stands here: no configuration, no questions, no other way out. */

#include "git-helper/relay.h"

#define GIT_WORDS_MAX 64

/* A command line, which is never longer than we make it; "/usr/bin/git" comes first by itself. */
struct git_words {
        const char *at[GIT_WORDS_MAX + 1];
        size_t n;
};

void git_add(struct git_words *w, const char *word);
void git_add_in(struct git_words *w, const char *dir); /* … in this repository; comes first */

/*
 * Once, before anything else. protocols: "https:ssh", the transports that git may
 * use; key: the name of the unit's credential that ssh shows, or NULL.
 */
int git_set_environment(const char *protocols, const char *key);

/* Is there one to call? 0; or what git_run() answers otherwise, after saying so. */
int git_find(void);

/* ssh goes to this address, and to nobody who does not know the key of that host. */
int git_hold_ssh(const char *host, const char *address);

/*
 * Its exit status; 127 where there is none to run, 128 + N where a signal ended it.
 * What it says goes to standard error line by line, its progress a few times a second.
 */
int git_run(const struct git_words *w);
/* The same; killed where the watch would not have it go on. */
int git_run_watched(const struct git_words *w, const struct relay_watch *watch);
/* The same, and what it writes, up to size, without the newline at its end. */
int git_capture(const struct git_words *w, char *ret, size_t size);
/* Becomes it; what it writes is our standard output. Answers an exit status where that fails. */
int git_become(const struct git_words *w);
