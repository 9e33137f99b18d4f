/* SPDX-License-Identifier: Apache-2.0 */

/* Who speaks, and what they may do. */

#include "api/call.h"

#include "core/peer.h"
#include "util/digest.h"

#include <stdio.h>
#include <strings.h>

int access_denied(struct call *call, const char *why, struct fault *f)
{
        (void) snprintf(call->why, sizeof call->why, "%s", why);
        return fault_set(f, FAULT_DENIED, NULL, "these credentials do not allow this, or there is no such thing");
}

/* A proxy on this machine makes the whole world look like loopback. */
static bool came_through_proxy(const struct http_request *request)
{
        static const char *const marks[] = { "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via" };

        for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
                if (http_header(request, marks[i]))
                        return true;
        return false;
}

static int identify_test(struct call *call, struct fault *f)
{
        const struct http_request *request = call->request;
        struct identity *who = &call->who;
        const char *user = http_param(request, "u");

        if (!call->daemon->config->test_token)
                return access_denied(call, "the test token is switched off (TestToken=)", f);
        if (request->peer->kind != PEER_UNIX && !request->peer->loopback)
                return access_denied(call, "the test token is for loopback peers only", f);
        if (came_through_proxy(request))
                return access_denied(call, "the test token came through a proxy", f);
        if (user && strlen(user) > USER_MAX)
                return fault_set(f, FAULT_INVALID, "u", "u: a user is at most %d bytes long", USER_MAX);

        who->kind = WHO_TEST;
        (void) snprintf(who->principal, sizeof who->principal, "test");
        (void) snprintf(who->user, sizeof who->user, "%s", user ? user : "");
        who->r = http_param(request, "r");
        who->t = http_param(request, "t");
        who->i = http_param(request, "i");
        return 0;
}

/* The socket's mode lets in root and its group; who is in neither got here by another way. */
static bool peer_may(const struct peer *peer, gid_t group, bool has_group)
{
        if (peer->uid == 0)
                return true;
        if (!has_group)
                return false;
        if (peer->gid == group)
                return true;
        for (size_t i = 0; i < peer->n_groups; i++)
                if (peer->groups[i] == group)
                        return true;
        return false;
}

static int identify_peer(struct call *call, struct fault *f)
{
        const struct listen_config *listener = call->request->listener;
        const struct peer *peer = call->request->peer;
        struct identity *who = &call->who;

        if (peer->kind != PEER_UNIX)
                return access_denied(call, "Auth=peer works on unix sockets only", f);
        (void) snprintf(who->principal, sizeof who->principal, "uid:%u", peer->uid);
        (void) snprintf(who->user, sizeof who->user, "uid:%u", peer->uid);
        if (!peer_may(peer, listener->group_id, listener->has_group_id))
                return access_denied(call, "neither root nor in the socket's group", f);
        who->kind = WHO_PEER;
        return 0;
}

/* What the request says beside the token has to agree with it. */
static int check_agreement(struct call *call, struct fault *f)
{
        const struct http_request *request = call->request;
        const struct identity *who = &call->who;
        const struct {
                const char *name, *claim;
        } claims[] = { { "r", who->r }, { "t", who->t }, { "i", who->i }, { "u", who->user[0] ? who->user : NULL } };

        for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
                const char *asked = http_param(request, claims[i].name);
                char id[REQUEST_ID_LEN + 1];

                if (!asked || !claims[i].claim || streq(asked, claims[i].claim))
                        continue;
                if (streq(claims[i].name, "i") && request_id_canonical(asked, id) == 0 && streq(id, claims[i].claim))
                        continue;
                return access_denied(call, "the query names another than the token", f);
        }
        return 0;
}

static const char *one_or_none(const char *s)
{
        return s && *s ? s : NULL;
}

static bool is_peer(const struct peer *peer, const char *pattern)
{
        char name[sizeof peer->address + sizeof peer->certificate];
        const char *colon = strrchr(peer->address, ':');
        int n = colon ? (int) (colon - peer->address) : 0;

        if (peer->certificate[0]) {
                (void) snprintf(name, sizeof name, "sha256:%s", peer->certificate);
                if (peer_covers(pattern, name))
                        return true;
        }
        for (char *const *other = peer->names; other && *other; other++)
                if (peer_covers(pattern, *other))
                        return true;
        if (peer->kind == PEER_UNIX)
                (void) snprintf(name, sizeof name, "uid:%u", peer->uid);
        else if (peer->address[0] == '[')
                (void) snprintf(name, sizeof name, "%.*s", n > 2 ? n - 2 : 0, peer->address + 1);
        else
                (void) snprintf(name, sizeof name, "%.*s", n, peer->address);
        return peer_covers(pattern, name);
}

/* The claim r, where it is one exact name. */
static const char *only_locator(const struct claims *c)
{
        if (strv_len(c->locators) != 1 || ends_with(c->locators[0], "*"))
                return NULL;
        return c->locators[0];
}

/* What is proven of who brings it, whether or not it is good for anything. */
static void tell_bearer(const struct bearer *bearer, struct identity *who)
{
        const struct token *token = bearer->token;

        if (!bearer->proof.signer)
                return;
        (void) snprintf(who->principal, sizeof who->principal, "%s", bearer->proof.signer->name);
        (void) snprintf(who->token_id, sizeof who->token_id, "%s", bearer->proof.id);
        if (!token)
                return;
        (void) snprintf(who->user, sizeof who->user, "%s", token->claims.user ? token->claims.user : "");
        who->token = token;
        who->r = only_locator(&token->claims);
        who->t = token->claims.type;
        who->i = one_or_none(token->claims.id);
}

static int identify_token(struct call *call, const char *text, struct fault *f)
{
        struct identity *who = &call->who;
        struct bearer bearer;
        const char *asked;
        struct fault cause;
        int r;

        r = tokens_check(call->daemon->tokens, text, &bearer, &cause);
        tell_bearer(&bearer, who);
        if (r == -ENOMEM)
                return fault_oom(f);
        if (r < 0)
                return access_denied(call, cause.text, f);
        if (who->token->claims.peer && !is_peer(call->request->peer, who->token->claims.peer))
                return access_denied(call, "the token is for another peer", f);
        /* Of the several that it covers the query may choose one. */
        if (!who->r && (asked = http_param(call->request, "r"))) {
                if (!access_covers(who, asked))
                        return access_denied(call, "the query names another than the token", f);
                who->r = asked;
        }
        r = check_agreement(call, f);
        if (r == 0)
                who->kind = WHO_TOKEN;
        return r;
}

static const char *bearer_of(const char *authorization)
{
        if (strncasecmp(authorization, "Bearer ", 7) != 0)
                return NULL;
        return authorization + 7 + strspn(authorization + 7, " ");
}

static const char *token_text(const struct call *call)
{
        return call->match.token ? call->match.token
                                 : bearer_of(http_header(call->request, "Authorization"));
}

/* Nobody is asked who it is; what is known all the same tells the requests of one from those of another. */
static void identify_anyone(const struct peer *peer, struct identity *who)
{
        who->kind = WHO_ANYONE;
        (void) snprintf(who->principal, sizeof who->principal, "anyone");
        if (peer->certificate[0])
                (void) snprintf(who->principal, sizeof who->principal, "sha256:%s", peer->certificate);
        else if (peer->kind == PEER_UNIX)
                (void) snprintf(who->principal, sizeof who->principal, "uid:%u", peer->uid);
}

int access_identify(struct call *call, struct fault *f)
{
        const struct http_request *request = call->request;
        const struct listen_config *listener = request->listener;
        const char *authorization = http_header(request, "Authorization"), *token = call->match.token;

        call->who = (struct identity){ 0 };
        if (token && authorization)
                return access_denied(call, "a token in the path and another in the header", f);
        if (token && streq(token, "__test__"))
                return identify_test(call, f);
        if (authorization && !bearer_of(authorization))
                return access_denied(call, "the Authorization header is no bearer token", f);
        if (token || authorization)
                return identify_token(call, token_text(call), f);
        if (listener->auth == AUTH_PEER)
                return identify_peer(call, f);
        if (listener->auth == AUTH_NONE) {
                identify_anyone(request->peer, &call->who);
                return 0;
        }
        (void) snprintf(call->why, sizeof call->why, "no credentials");
        return fault_set(f, FAULT_UNKNOWN_WHO, NULL,
                         "credentials are needed: a token in the path (/token/<token>/...) or as "
                         "`Authorization: Bearer', or the unix socket");
}

int access_permit(const struct call *call, void (*ended)(void *arg), void *arg, struct permit **ret)
{
        struct permit *p = NULL;

        if (call->who.kind == WHO_TOKEN) {
                p = permit_new(call->daemon->tokens, token_text(call), call->who.token, ended, arg);
                if (!p)
                        return -ENOMEM;
        }
        *ret = p;
        return 0;
}

int access_allows(struct call *call, struct fault *f)
{
        const char *right = call->match.route->right;

        return right ? access_needs(call, right, f) : 0;
}

int access_needs(struct call *call, const char *right, struct fault *f)
{
        if (call->who.kind != WHO_TOKEN || rights_grant(call->who.token->claims.rights, right))
                return 0;
        return access_denied(call, "the token does not grant this right", f);
}

int access_allows_body(struct call *call, struct fault *f)
{
        char digest[DIGEST_BASE64URL_LEN + 1];

        if (call->who.kind != WHO_TOKEN || !call->who.token->claims.body[0])
                return 0;
        if (call->match.route->flags & ROUTE_UPLOAD) /* which is not here yet, and never as a whole */
                return access_denied(call, "the token is for one body, and these are as git makes them", f);
        if (digest_base64url(call->request->body, call->request->body_len, digest) < 0)
                return fault_oom(f);
        return streq(digest, call->who.token->claims.body) ? 0
                                                           : access_denied(call, "the token is for another body", f);
}

bool access_may_reach_host(const struct identity *who)
{
        return who->kind == WHO_PEER || (who->kind == WHO_TOKEN && rights_grant(who->token->claims.rights, "gear.host"));
}

bool access_covers(const struct identity *who, const char *id)
{
        char *const named[] = { (char *) who->r, NULL };
        char *const *locators = who->token ? who->token->claims.locators : who->r ? named : NULL;

        return !locators || pattern_covers(locators, id);
}

int access_patterns(const struct identity *who, char ***ret)
{
        char *const named[] = { (char *) who->r, NULL };
        char *const *locators = who->token ? who->token->claims.locators : named;

        *ret = strv_copy(locators);
        return *ret || strv_len(locators) == 0 ? 0 : -ENOMEM;
}
