/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Exactly once per request id: who asks again while it runs joins, who asks
 * again after it went well gets the same answer, who asks for something else
 * under the same id is refused, and after a failure the id is free again.
 * This is what memory holds of it, and bounded; the database holds the rest.
 * Ids are scoped to the principal who speaks.
 */

#include "core/audit.h"
#include "core/ident.h"
#include "util/base.h"

/* A longer JSON body is sent, but not remembered: its replay is the sentence alone. */
#define REQUEST_JSON_MAX 8192

struct requests;
struct request;
struct sink;

/* What a request came to: both spellings, since each listener may prefer another. */
struct outcome {
        int code;             /* the api layer's; 0 while it runs */
        bool good;
        bool replayed;        /* nothing was executed for it: it was remembered */
        unsigned retry_after;
        char *text;           /* for people, ends in a newline */
        char *json;           /* NULL: none */
        char *headers;        /* "Name: value\n…" or NULL */
};
void outcome_reset(struct outcome *o);

struct sink {
        struct sink *next;
        void (*begun)(struct sink *sink); /* at most once, before all else; not for a replay */
        void (*progress)(struct sink *sink, const char *text);
        void (*done)(struct sink *sink, const struct outcome *outcome); /* the last call; may free the sink */
};

/* Ids of each have a space of their own. */
enum subject { SUBJECT_GEAR, SUBJECT_REPOSITORY, SUBJECT_JOB, N_SUBJECTS };
const char *subject_name(enum subject s); /* "gear" */
enum subject subject_of(const char *name); /* N_SUBJECTS for what is none */

enum {
        _REQUEST_E_SUCCESS,
        REQUEST_E_RUNNING,    /* the same request is under way: listen */
        REQUEST_E_FINISHED,   /* … went well: replay request_outcome() */
        REQUEST_E_DIFFERENT,  /* the id belongs to another request */
        REQUEST_E_FULL,       /* too many under way */
};

struct requests *requests_new(size_t remembered_max, size_t running_max);
struct requests *requests_free(struct requests *r);
DEFINE_CLEANUP(struct requests, requests_free);

/*
 * 0: it is new and runs from now on; *ret is set except for DIFFERENT and FULL. -ENOMEM.
 * Only changes of gears are counted for FULL: who waits for a job's turn is counted there.
 */
int requests_submit(struct requests *r, enum subject subject, const char *principal, const char *id, const char *digest, uint64_t now_usec,
                    struct request **ret);
/* NULL when nothing is known of it. */
struct request *requests_find(struct requests *r, const char *principal, const char *id);
size_t requests_running(const struct requests *r);

const char *request_id(const struct request *q);
const char *request_principal(const struct request *q);
const struct outcome *request_outcome(const struct request *q);
uint64_t request_began(const struct request *q);
const char *request_digest(const struct request *q);
const char *request_last_progress(const struct request *q); /* "" at first */

/* What it changes; no resource ("") until that is said. Only who may see it is told of the request. */
void request_about(struct request *q, const char *resource);
enum subject request_subject(const struct request *q);
const char *request_resource(const struct request *q);

/* Nobody did this before, so from now on there is something to hear. */
void request_begin(struct request *q);
bool request_begun(const struct request *q);

/* Until when somebody may come and ask again; wall clock. */
void request_keep(struct request *q, uint64_t until_sec);
uint64_t request_kept_until(const struct request *q);

/* What the audit trail is to say of it: filled in by those who know, and gone with its end. */
struct audit_record *request_audit(struct request *q);

void request_listen(struct request *q, struct sink *sink);
void request_leave(struct request *q, struct sink *sink);

/* Tells all who listen, and remembers the last one for who asks later. */
void request_progress(struct request *q, const char *text);
/* Exactly once. Takes the outcome's strings. The request may be gone afterwards. */
void request_finish(struct requests *r, struct request *q, struct outcome *outcome);
