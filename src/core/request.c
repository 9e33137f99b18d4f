/* SPDX-License-Identifier: Apache-2.0 */

#include "core/request.h"

#include "util/digest.h"

#include <stdio.h>
#include <sys/queue.h>

#define PROGRESS_MAX 256

struct request {
        TAILQ_ENTRY(request) link;
        struct request *next_in_bucket;
        char id[REQUEST_ID_LEN + 1];
        char *principal;
        char digest[DIGEST_HEX_LEN + 1];
        enum subject subject;
        char resource[GEAR_ID_MAX + 1];
        uint64_t began_usec, keep_until_sec;
        bool begun;
        struct outcome outcome;
        struct audit_record *audit; /* NULL once it has ended: it may be remembered for long */
        struct sink *sinks;
        char progress[PROGRESS_MAX];
};
TAILQ_HEAD(request_list, request);

#define BUCKETS 1024

struct requests {
        struct request *buckets[BUCKETS];
        struct request_list running, finished; /* finished: oldest first */
        size_t n_running_of[N_SUBJECTS], n_finished;
        size_t remembered_max, running_max;
};

void outcome_reset(struct outcome *o)
{
        free(o->text);
        free(o->json);
        free(o->headers);
        *o = (struct outcome){ 0 };
}

static struct request **bucket_of(struct requests *r, const char *principal, const char *id)
{
        uint64_t h = 14695981039346656037u; /* FNV-1a */

        for (const char *p = principal; *p; p++)
                h = (h ^ (unsigned char) *p) * 1099511628211u;
        for (const char *p = id; *p; p++)
                h = (h ^ (unsigned char) *p) * 1099511628211u;
        return &r->buckets[h % BUCKETS];
}

struct requests *requests_new(size_t remembered_max, size_t running_max)
{
        struct requests *r = calloc(1, sizeof *r);

        if (!r)
                return NULL;
        TAILQ_INIT(&r->running);
        TAILQ_INIT(&r->finished);
        r->remembered_max = remembered_max;
        r->running_max = running_max;
        return r;
}

static void forget_audit(struct request *q)
{
        if (q->audit)
                audit_record_reset(q->audit);
        q->audit = (free(q->audit), NULL);
}

static void request_free(struct requests *r, struct request *q)
{
        struct request **in = bucket_of(r, q->principal, q->id);

        while (*in != q)
                in = &(*in)->next_in_bucket;
        *in = q->next_in_bucket;
        forget_audit(q);
        outcome_reset(&q->outcome);
        free(q->principal);
        free(q);
}

static void forget(struct requests *r, struct request *q)
{
        TAILQ_REMOVE(&r->finished, q, link);
        r->n_finished--;
        request_free(r, q);
}

struct requests *requests_free(struct requests *r)
{
        struct request *q;

        if (!r)
                return NULL;
        while ((q = TAILQ_FIRST(&r->finished)))
                forget(r, q);
        while ((q = TAILQ_FIRST(&r->running))) {
                TAILQ_REMOVE(&r->running, q, link);
                request_free(r, q);
        }
        free(r);
        return NULL;
}

struct request *requests_find(struct requests *r, const char *principal, const char *id)
{
        struct request *q = *bucket_of(r, principal, id);

        while (q && !(streq(q->id, id) && streq(q->principal, principal)))
                q = q->next_in_bucket;
        return q;
}

static int join(struct requests *r, struct request *q, const char *digest)
{
        if (q->outcome.code != 0 && !q->outcome.good) {
                forget(r, q);
                return 0;
        }
        if (!streq(q->digest, digest))
                return REQUEST_E_DIFFERENT;
        return q->outcome.code == 0 ? REQUEST_E_RUNNING : REQUEST_E_FINISHED;
}

int requests_submit(struct requests *r, enum subject subject, const char *principal, const char *id, const char *digest,
                    uint64_t now_usec, struct request **ret)
{
        struct request *q = requests_find(r, principal, id), **bucket;
        int joined;

        if (q) {
                joined = join(r, q, digest);
                if (joined != 0) {
                        *ret = q;
                        return joined;
                }
        }
        if (subject == SUBJECT_GEAR && r->n_running_of[subject] >= r->running_max)
                return REQUEST_E_FULL;
        q = calloc(1, sizeof *q);
        if (!q || !(q->principal = strdup(principal)) || !(q->audit = calloc(1, sizeof *q->audit))) {
                free(q ? q->principal : NULL);
                free(q);
                return -ENOMEM;
        }
        (void) snprintf(q->id, sizeof q->id, "%s", id);
        (void) snprintf(q->digest, sizeof q->digest, "%s", digest);
        q->subject = subject;
        q->began_usec = now_usec;
        bucket = bucket_of(r, principal, q->id);
        q->next_in_bucket = *bucket;
        *bucket = q;
        TAILQ_INSERT_TAIL(&r->running, q, link);
        r->n_running_of[subject]++;
        *ret = q;
        return 0;
}

size_t requests_running(const struct requests *r)
{
        size_t n = 0;

        for (size_t i = 0; i < N_SUBJECTS; i++)
                n += r->n_running_of[i];
        return n;
}

const char *request_id(const struct request *q)
{
        return q->id;
}

const char *request_principal(const struct request *q)
{
        return q->principal;
}

const struct outcome *request_outcome(const struct request *q)
{
        return &q->outcome;
}

uint64_t request_began(const struct request *q)
{
        return q->began_usec;
}

const char *request_digest(const struct request *q)
{
        return q->digest;
}

const char *subject_name(enum subject s)
{
        static const char *const names[] = {
                [SUBJECT_GEAR] = "gear", [SUBJECT_REPOSITORY] = "repository", [SUBJECT_JOB] = "job"
        };

        return names[s];
}

enum subject subject_of(const char *name)
{
        enum subject s = 0;

        while (s < N_SUBJECTS && !streq(subject_name(s), name))
                s++;
        return s;
}

void request_about(struct request *q, const char *resource)
{
        (void) snprintf(q->resource, sizeof q->resource, "%s", resource);
}

enum subject request_subject(const struct request *q)
{
        return q->subject;
}

const char *request_resource(const struct request *q)
{
        return q->resource;
}

void request_begin(struct request *q)
{
        q->begun = true;
        for (struct sink *sink = q->sinks, *next; sink; sink = next) {
                next = sink->next;
                sink->begun(sink);
        }
}

bool request_begun(const struct request *q)
{
        return q->begun;
}

void request_keep(struct request *q, uint64_t until_sec)
{
        q->keep_until_sec = until_sec;
}

uint64_t request_kept_until(const struct request *q)
{
        return q->keep_until_sec;
}

const char *request_last_progress(const struct request *q)
{
        return q->progress;
}

struct audit_record *request_audit(struct request *q)
{
        return q->audit;
}

void request_listen(struct request *q, struct sink *sink)
{
        sink->next = q->sinks;
        q->sinks = sink;
}

void request_leave(struct request *q, struct sink *sink)
{
        for (struct sink **in = &q->sinks; *in; in = &(*in)->next) {
                if (*in == sink) {
                        *in = sink->next;
                        return;
                }
        }
}

void request_progress(struct request *q, const char *text)
{
        (void) snprintf(q->progress, sizeof q->progress, "%s", text);
        for (struct sink *sink = q->sinks, *next; sink; sink = next) {
                next = sink->next;
                sink->progress(sink, text);
        }
}

void request_finish(struct requests *r, struct request *q, struct outcome *outcome)
{
        struct sink *sink;

        forget_audit(q);
        q->outcome = *outcome;
        *outcome = (struct outcome){ 0 };
        TAILQ_REMOVE(&r->running, q, link);
        r->n_running_of[q->subject]--;
        TAILQ_INSERT_TAIL(&r->finished, q, link);
        r->n_finished++;
        while ((sink = q->sinks)) {
                q->sinks = sink->next;
                sink->done(sink, &q->outcome);
        }
        if (q->outcome.json && strlen(q->outcome.json) > REQUEST_JSON_MAX)
                q->outcome.json = (free(q->outcome.json), NULL);
        while (r->n_finished > r->remembered_max)
                forget(r, TAILQ_FIRST(&r->finished));
}
