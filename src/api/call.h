/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request on its way through the api: what came in, who speaks, what it
 * is allowed to do, and where the answer goes.  It lives until the handler
 * returns; a handler that answers later takes what it needs along.
 */

#include "api/tokens.h"
#include "daemon.h"
#include "util/json.h"

enum identity_kind {
        WHO_NOBODY,
        WHO_TEST,                 /* the __test__ token */
        WHO_TOKEN,                /* a signed token */
        WHO_PEER,                 /* a local user on the unix socket */
        WHO_ANYONE,               /* a listener with Auth=none */
};

struct identity {
        enum identity_kind kind;
        char principal[96];       /* scopes request ids: "test", "uid:0", the name of a key … */
        char token_id[TOKEN_ID_LEN + 1]; /* "" without one */
        char user[USER_MAX + 1];  /* the claim u, or the name of the local user */
        const char *r;            /* the claims; NULL where absent, r also where it names several */
        const char *t;
        const char *i;
        const struct token *token; /* all of its claims, as long as the call is new: see api/tokens.h */
};

struct call {
        struct daemon *daemon;
        const struct http_request *request;
        struct reply *reply;      /* whoever ends it sets it to NULL */
        struct route_match match;
        struct identity who;
        char request_id[REQUEST_ID_LEN + 1]; /* of a change, or "" */
        char why[FAULT_TEXT_MAX]; /* it is refused, where the client is told less; holds nothing of the credentials */
};

/* The server's hooks. Routes, authorises, calls the handler. */
void call_dispatch(void *arg, const struct http_request *request, struct reply *reply);
/* The same for a head alone, up to the handler: false if that already ended the reply. */
bool call_head(void *arg, const struct http_request *request, struct reply *reply);
bool call_streams(void *arg, const struct http_request *request);

/*
 * Who speaks, and may they do what the route does, on anything at all and with
 * this body?  UNKNOWN_WHO, or DENIED with one generic sentence and call->why.
 * call->who then tells, as WHO_NOBODY, what is proven of who is refused.
 */
int access_identify(struct call *call, struct fault *f);
int access_allows(struct call *call, struct fault *f);
/* Where the route leaves open which right it needs. */
int access_needs(struct call *call, const char *right, struct fault *f);
int access_allows_body(struct call *call, struct fault *f);
/* Why, and the one sentence, whether it is not theirs or not there. */
int access_denied(struct call *call, const char *why, struct fault *f);
/*
 * For a stream, whose reply must outlive it: `ended' is called when its token is
 * good no more, see api/tokens.h.  NULL in *ret for those without one.  0 or -ENOMEM.
 */
int access_permit(const struct call *call, void (*ended)(void *arg), void *arg, struct permit **ret);
bool access_may_reach_host(const struct identity *who);
/* Does what this caller may see include the gear? */
bool access_covers(const struct identity *who, const char *id);
/* The patterns of what they may see, for use after the call; NULL in *ret: everything. 0 or -ENOMEM. */
int access_patterns(const struct identity *who, char ***ret);

/* It is about to be answered with this fault. */
void call_refused(const struct call *call, const struct fault *fault);

/*
 * The gear that a call is about: {id} of the path, else the claim r.  A claim
 * that names another one is DENIED.
 */
int call_gear_id(struct call *call, const char **ret, struct fault *f);

/* The body as JSON; NULL in *ret for an empty one. */
int call_body(struct call *call, struct json **ret, struct fault *f);

/* A query parameter as a flag: absent is false. */
int call_flag(struct call *call, const char *name, bool *ret, struct fault *f);

/* Does the client prefer this over text? */
static inline bool call_wants_json(const struct http_request *request)
{
        return http_prefers_json(request);
}
