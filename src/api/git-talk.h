/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What gear-git tells of a repository, and is told, through pipes to a unit of its
 * own in the sandbox (api/git-unit).  Who leaves ends it.
 */

#include "daemon.h"

/* geard-git-PID-N.service */
#define GIT_TALK_UNITS "geard-git-*.service"
#define GIT_TALK_WORDS_MAX 8

/* Or of an earlier life's? */
bool git_talk_is_ours(const struct daemon *d, const char *unit);

struct git_talk;

struct git_talk_hooks {
        bool (*bytes)(void *arg, const char *bytes, size_t n); /* false: no more until git_talk_resume() */
        void (*started)(void *arg);                            /* there is such a repository; NULL for none */
        void (*drained)(void *arg);                            /* git_talk_give() may go on; NULL for none */
        /*
         * All was brought, and this is how gear-git ended.  With a fault it did not
         * even run: MISSING where there is no such repository.
         */
        void (*end)(void *arg, int exit_status, const struct fault *fault);
        void *arg;
};

struct git_talk_options {
        const char *id, *who;     /* repository and principal */
        const char *const *words; /* for gear-git, behind "gear-git": borrowed until the end */
        bool takes_input;         /* git_talk_give() … git_talk_end_input() */
        bool writes;              /* into the repository */
};

/* BUSY when so many are under way already, of this principal or of all; INTERNAL where there is no sandbox. */
int git_talk_admit(const struct daemon *d, const char *who, struct fault *f);

/* What such an exit status says of the repository. */
void git_talk_explain(const char *id, int exit_status, struct fault *f);

/* NULL when out of memory or descriptors. */
struct git_talk *git_talk_start(struct daemon *d, const struct git_talk_options *options,
                                const struct git_talk_hooks *hooks);
void git_talk_resume(struct git_talk *g);
bool git_talk_give(struct git_talk *g, const char *bytes, size_t n); /* false: no more until `drained' */
void git_talk_end_input(struct git_talk *g);
struct git_talk *git_talk_free(struct git_talk *g);
