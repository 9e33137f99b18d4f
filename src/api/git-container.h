/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The other place where a repository is made: not in a sandbox of systemd's
 * (api/git-unit), but in a container of GitImage=, for those who have git in an image
 * and not on the host.  It is the same gear-git, linked statically, that works there
 * for the same user on the same directory, and may do as little.
 */

#include "api/git-unit.h"
#include "api/job-unit.h"

#include <sys/types.h>

/* What they are made from: the configuration when it was asked for, and what a look at the disk tells. */
struct git_base {
        struct spec needs; /* its image, before there is a container of it */
        char *helper;
        uid_t uid;
        gid_t gid;
        bool known_hosts;  /* of ssh */
};

/* NULL when out of memory. */
struct git_base *git_base_new(const struct config *config);
struct git_base *git_base_free(struct git_base *base);
/* Blocks. */
int git_base_look(struct git_base *base, struct fault *f);

struct git_container {
        struct job_unit unit;

        /* What it is made from. */
        struct job job;
        struct spec spec;
        char id[GEAR_ID_MAX + 1], description[128], user[32], file_max[48];
        char runtime[GEAR_ID_MAX + 16], key[GEAR_ID_MAX + 48];
        const char *make_dir[11], *copy_key[11], *drop_key[5], *runtime_dirs[2];
};

/* Borrows the options' strings, and must not move. With a fault it is to be reset, too. */
int git_container_init(struct git_container *c, const struct daemon *d, const struct git_base *base, const char *request_id,
                       const struct git_unit_options *o, struct fault *f);
void git_container_reset(struct git_container *c);
