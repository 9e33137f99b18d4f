/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is done to one repository in a job-<id>.service: it is made or removed, as
 * a whole or not at all.  Whoever asked may leave, and so may we: the unit goes on,
 * and the next life takes the errand up where systemd and the disk say it is.
 */

#include "api/change.h"

struct errand_create {
        const char *url;         /* to be cloned; NULL: an empty one */
        const char *description; /* or NULL */
        const char *branch;      /* or NULL: the configured one */
};

/* Both take the request, and end it. */
void errand_create(struct daemon *d, struct request *request, const char *id, const struct errand_create *o);
void errand_remove(struct daemon *d, struct request *request, const char *id);

/* The verbs of the intents, by which a request of an earlier life is taken up again. */
#define ERRAND_CREATED "repo-created"
#define ERRAND_DELETED "repo-deleted"
void errand_recall(struct daemon *d, struct request *request, const char *id, const char *verb);

/* Is a repository of this id made or removed? */
bool errand_is_at_work(const struct daemon *d, const char *id);

/* Goes on with those as soon as it can; false when none is left. */
bool errands_look(struct daemon *d);

/* Once, behind all that were recalled: removes what nobody will ask for any more. */
void errands_sweep(struct daemon *d);
/* geard goes: who waits is told so. */
void errands_answer_all(struct daemon *d);
/* When loop and worker have ended. Their units go on. */
void errands_free(struct daemon *d);
