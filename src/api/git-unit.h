/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The sandbox in which git works on one repository: a user who owns nothing but
 * repositories, of which the unit sees this one; programs, nothing else of the host
 * and nothing of it to write to; no capabilities, and no network.  A clone from
 * elsewhere has the network, and sees what it takes to find a server and to believe it.
 */

#include "core/clone-url.h"
#include "daemon.h"
#include "sys/transient.h"

#define GIT_UNIT_SETTINGS_MAX 64
#define GIT_UNIT_WORDS_MAX 24
#define GIT_UNIT_SHOWN_MAX 24
#define GIT_UNIT_DIR "/var/repository" /* where the unit sees it */
#define GIT_UNIT_KEY "clone-key"       /* the credential's name */
#define GIT_UNIT_DESCRIPTION "Git repository %s"

#define GIT_USER "gear-git"
#define GIT_TASKS_MAX 64

/* INTERNAL where there is nothing to be its /, which each of them needs at least to be emptied. */
int git_unit_admit(const struct daemon *d, struct fault *f);

struct git_unit {
        struct setting settings[GIT_UNIT_SETTINGS_MAX];
        size_t n;

        /* What they point to. */
        char dir[512], description[128], identifier[GEAR_ID_MAX + 8], source[CLONE_URL_MAX + 1];
        const char *words[GIT_UNIT_WORDS_MAX], *make_dir[2], *binds[3], *shown[GIT_UNIT_SHOWN_MAX], *key[3];
};

struct git_unit_options {
        const char *id;            /* of the repository, for people */
        const char *dir;           /* its directory on the host */
        bool fresh;                /* it is to be made */
        bool network;
        const char *source;        /* a directory that it may read, too; or NULL */
        const char *key;           /* a path of a private key that it may have as a credential; or NULL */
        const char *const *words;  /* for gear-git: options, verb, GIT_UNIT_DIR … */
        bool kept;                 /* it stays in sight when it has come to its end */
        int input, output;         /* what it reads and what it writes; -1: nothing, and to the journal */
        bool reads_only;           /* and may not write into the repository */
        bool reads_nothing;        /* that somebody else has written: no bytes there could turn git against the kernel */
};

/* A fresh one is made below /var/lib only. */
bool git_unit_can_make(const char *dir);

/* Borrows the options' strings, and must not move. */
void git_unit_init(struct git_unit *u, const struct daemon *d, const struct git_unit_options *o);
