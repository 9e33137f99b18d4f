/* SPDX-License-Identifier: Apache-2.0 */

/* Who speaks, and what they may do. */

#include "api/call.h"

#include "api/tokens.h"
#include "core/peer.h"
#include "util/digest.h"

#include <stdio.h>
#include <strings.h>

int access_denied(struct fault *f)
{
        return fault_set(f, FAULT_DENIED, NULL, "these credentials do not allow this, or there is no such thing");
}

static int denied(char ret_why[static FAULT_TEXT_MAX], struct fault *f, const char *why)
{
        (void) snprintf(ret_why, FAULT_TEXT_MAX, "%s", why);
        return access_denied(f);
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

static int identify_test(const struct daemon *d, const struct http_request *request, struct identity *ret,
                         char *ret_why, struct fault *f)
{
        const char *user = http_param(request, "u");

        if (!d->config->test_token)
                return denied(ret_why, f, "the test token is switched off (TestToken=)");
        if (request->peer->kind != PEER_UNIX && !request->peer->loopback)
                return denied(ret_why, f, "the test token is for loopback peers only");
        if (came_through_proxy(request))
                return denied(ret_why, f, "the test token came through a proxy");
        if (user && strlen(user) > USER_MAX)
                return fault_set(f, FAULT_INVALID, "u", "u: a user is at most %d bytes long", USER_MAX);

        *ret = (struct identity){ .kind = WHO_TEST };
        (void) snprintf(ret->principal, sizeof ret->principal, "test");
        (void) snprintf(ret->user, sizeof ret->user, "%s", user ? user : "");
        ret->r = http_param(request, "r");
        ret->t = http_param(request, "t");
        ret->i = http_param(request, "i");
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

static int identify_peer(const struct http_request *request, struct identity *ret, char *ret_why,
                         struct fault *f)
{
        const struct listen_config *listener = request->listener;

        if (request->peer->kind != PEER_UNIX)
                return denied(ret_why, f, "Auth=peer works on unix sockets only");
        if (!peer_may(request->peer, listener->group_id, listener->has_group_id))
                return denied(ret_why, f, "neither root nor in the socket's group");
        *ret = (struct identity){ .kind = WHO_PEER };
        (void) snprintf(ret->principal, sizeof ret->principal, "uid:%u", request->peer->uid);
        (void) snprintf(ret->user, sizeof ret->user, "uid:%u", request->peer->uid);
        return 0;
}

/* What the request says beside the token has to agree with it. */
static int check_agreement(const struct http_request *request, const struct identity *who, char *ret_why,
                           struct fault *f)
{
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
                return denied(ret_why, f, "the query names another than the token");
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

static int identify_token(const struct daemon *d, const struct http_request *request, const char *text,
                          struct identity *ret, char *ret_why, struct fault *f)
{
        const struct token *token;
        const char *asked;
        struct fault cause;
        int r;

        r = tokens_check(d->tokens, text, &token, &cause);
        if (r == -ENOMEM)
                return fault_oom(f);
        if (r < 0)
                return denied(ret_why, f, cause.text);
        if (token->claims.peer && !is_peer(request->peer, token->claims.peer))
                return denied(ret_why, f, "the token is for another peer");

        *ret = (struct identity){ .kind = WHO_TOKEN,
                                  .token = token,
                                  .r = only_locator(&token->claims),
                                  .t = token->claims.type,
                                  .i = one_or_none(token->claims.id) };
        (void) snprintf(ret->principal, sizeof ret->principal, "%s", token->issuer->name);
        (void) snprintf(ret->user, sizeof ret->user, "%s", token->claims.user ? token->claims.user : "");
        /* Of the several that it covers the query may choose one. */
        if (!ret->r && (asked = http_param(request, "r"))) {
                if (!access_covers(ret, asked))
                        return denied(ret_why, f, "the query names another than the token");
                ret->r = asked;
        }
        return check_agreement(request, ret, ret_why, f);
}

static const char *bearer_of(const char *authorization)
{
        if (strncasecmp(authorization, "Bearer ", 7) != 0)
                return NULL;
        return authorization + 7 + strspn(authorization + 7, " ");
}

int access_identify(const struct daemon *d, const struct http_request *request, const struct route_match *match,
                    struct identity *ret, char ret_why[static FAULT_TEXT_MAX], struct fault *f)
{
        const struct listen_config *listener = request->listener;
        const char *authorization = http_header(request, "Authorization");

        ret_why[0] = '\0';
        if (match->token && authorization)
                return denied(ret_why, f, "a token in the path and another in the header");
        if (match->token && streq(match->token, "__test__"))
                return identify_test(d, request, ret, ret_why, f);
        if (authorization && !bearer_of(authorization))
                return denied(ret_why, f, "the Authorization header is no bearer token");
        if (match->token || authorization)
                return identify_token(d, request, match->token ? match->token : bearer_of(authorization), ret, ret_why,
                                      f);
        if (listener->auth == AUTH_PEER)
                return identify_peer(request, ret, ret_why, f);
        if (listener->auth == AUTH_NONE) {
                *ret = (struct identity){ .kind = WHO_ANYONE };
                (void) snprintf(ret->principal, sizeof ret->principal, "anyone");
                return 0;
        }
        (void) snprintf(ret_why, FAULT_TEXT_MAX, "no credentials");
        return fault_set(f, FAULT_UNKNOWN_WHO, NULL,
                         "credentials are needed: a token in the path (/token/<token>/...) or as "
                         "`Authorization: Bearer', or the unix socket");
}

int access_allows(const struct call *call, char ret_why[static FAULT_TEXT_MAX], struct fault *f)
{
        const char *right = call->match.route->right;

        if (call->who.kind != WHO_TOKEN || !right || rights_grant(call->who.token->claims.rights, right))
                return 0;
        return denied(ret_why, f, "the token does not grant this right");
}

int access_allows_body(const struct call *call, char ret_why[static FAULT_TEXT_MAX], struct fault *f)
{
        char digest[DIGEST_BASE64URL_LEN + 1];

        if (call->who.kind != WHO_TOKEN || !call->who.token->claims.body[0])
                return 0;
        if (digest_base64url(call->request->body, call->request->body_len, digest) < 0)
                return fault_oom(f);
        return streq(digest, call->who.token->claims.body) ? 0 : denied(ret_why, f, "the token is for another body");
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
