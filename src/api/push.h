/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A push, as the audit trail has it: one record of which refs were asked for and what
 * became of each.  That it has begun is written down before git hears of it, so that
 * there is a record when geard dies meanwhile, too.
 */

#include "api/call.h"
#include "core/pkt-line.h"
#include "sys/database-audit.h"

#define PUSH_KIND "push" /* of its intent */

struct push {
        struct daemon *daemon;
        struct push_story story;
        struct audit_record record;
        char id[REQUEST_ID_LEN + 1]; /* of the intent; "" while there is none */
        struct database_op *op;
        uint64_t began_usec;
        void (*begun)(void *arg, const struct fault *fault);
        void *arg;
};

/* Who pushes, and where to. 0 or -ENOMEM. */
int push_init(struct push *p, const struct call *call, const char *repository);
/* Later: begun(), with a fault where it cannot be written down. Not after push_reset(). */
void push_begin(struct push *p, void (*begun)(void *arg, const struct fault *fault), void *arg);

/* It is one when a ref was asked for: git also knocks before a long one. */
static inline bool push_is_one(const struct push *p)
{
        return p->story.n_asked > 0;
}

/* What became of it, and why where git did not tell: once. What is no push leaves nothing. */
void push_end(struct push *p, int status, const char *why);
void push_reset(struct push *p);

/* One that an earlier life began, and did not see the end of. */
void push_recalled(struct daemon *d, const struct database_request *intent);
