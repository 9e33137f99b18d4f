/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What gear-git tells of a repository, read from a unit of its own in the sandbox
 * (api/git-unit), where nothing can be written.  Who leaves ends it.
 */

#include "daemon.h"

/* geard-git-PID-N.service */
#define GIT_READ_UNITS "geard-git-*.service"

struct git_read;

struct git_read_hooks {
        bool (*bytes)(void *arg, const char *bytes, size_t n); /* false: no more until git_read_resume() */
        /* All was brought, and this is how gear-git ended; with a fault, it did not even run. */
        void (*end)(void *arg, int exit_status, const struct fault *fault);
        void *arg;
};

/* BUSY when so many are under way already. */
int git_read_admit(const struct daemon *d, struct fault *f);

/* words: for gear-git, behind "gear-git". NULL when out of memory or descriptors. */
struct git_read *git_read_start(struct daemon *d, const char *id, const char *const *words,
                                const struct git_read_hooks *hooks);
void git_read_resume(struct git_read *g);
struct git_read *git_read_free(struct git_read *g);
