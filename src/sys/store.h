/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * /var/lib/gears, the state itself:
 *
 *   units/gear-1.service     the gear: rendered unit with its [X-Gear] record
 *   units/gear-web@.service  the same of a service, the template of its instances
 *   env/1.env                its environment, 0600; perhaps headed by the request that edited it last
 *   wanted/1                 "started", "stopped", "creating", "replacing [stopped]", "deleting [volumes]"
 *   previous/gear-1.service  while it is replaced: what to go back to,
 *   previous/1.env             with its environment
 *   host                     the machine this directory belongs to
 *
 * The unit is written last and removed first, so a directory that a crash left
 * behind never holds a gear that is not whole.
 */

#include "core/gear.h"
#include "util/fault.h"

struct store;

/* Opens and locks it, making what is missing. Another daemon on it is a CONFLICT. */
int store_open(const char *path, struct store **ret, struct fault *f);
struct store *store_free(struct store *s);
DEFINE_CLEANUP(struct store, store_free);

const char *store_path(const struct store *s);
void store_unit_path(const struct store *s, const char *id, char *ret, size_t size);

/* Every id that has a unit file. */
int store_each(struct store *s, int (*entry)(void *arg, const char *id), void *arg);
/* Every id that has an environment or a wanted state, once for each: without a unit it is a leftover. */
int store_each_trace(struct store *s, int (*entry)(void *arg, const char *id), void *arg);

/* Reading: 0 or negative errno (-ENOENT: there is none; -EBADMSG: it is no text). */
int store_read_unit(struct store *s, const char *id, char **ret);
int store_read_template(struct store *s, const char *id, char **ret);
int store_read_env(struct store *s, const char *id, struct environ *ret);
/* The digest of the request that wrote it; -ENOENT as well when that is not known. */
int store_read_env_request(struct store *s, const char *id, char ret[static DIGEST_HEX_LEN + 1]);
enum gear_phase store_read_phase(struct store *s, const char *id);

int store_write_unit(struct store *s, const char *id, const char *text, size_t len, struct fault *f);
/* request: the digest of the one that this is for, or NULL. Both are on the disk, or neither. */
int store_write_env(struct store *s, const char *id, const struct environ *env, const char *request,
                    struct fault *f);
int store_write_phase(struct store *s, const char *id, enum gear_phase phase, struct fault *f);

/* Unit first, then the rest. */
int store_remove(struct store *s, const char *id, struct fault *f);

/* While a gear is replaced: copies aside, puts back what is there, forgets. */
int store_keep_previous(struct store *s, const char *id, struct fault *f);
int store_restore_previous(struct store *s, const char *id, struct fault *f);
void store_drop_previous(struct store *s, const char *id);

/* Does the directory belong to this machine? false: it was copied here. */
bool store_is_at_home(struct store *s);
int store_settle(struct store *s, struct fault *f);
