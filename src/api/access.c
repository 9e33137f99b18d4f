/* SPDX-License-Identifier: Apache-2.0 */

/* Who speaks, and what they may do. */

#include "api/call.h"

#include <stdio.h>

#define GENERIC_DENIED "these credentials do not allow this, or there is no such thing"

static int denied(const char **ret_why, struct fault *f, const char *why)
{
        *ret_why = why;
        return fault_set(f, FAULT_DENIED, NULL, GENERIC_DENIED);
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
                         const char **ret_why, struct fault *f)
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

static int identify_peer(const struct http_request *request, struct identity *ret, const char **ret_why,
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

int access_identify(const struct daemon *d, const struct http_request *request, const struct route_match *match,
                    struct identity *ret, const char **ret_why, struct fault *f)
{
        const struct listen_config *listener = request->listener;

        *ret_why = NULL;
        if (match->token)
                return streq(match->token, "__test__")
                               ? identify_test(d, request, ret, ret_why, f)
                               : denied(ret_why, f, "signed tokens are not known to this version");
        if (http_header(request, "Authorization"))
                return denied(ret_why, f, "signed tokens are not known to this version");
        if (listener->auth == AUTH_PEER)
                return identify_peer(request, ret, ret_why, f);
        if (listener->auth == AUTH_NONE) {
                *ret = (struct identity){ .kind = WHO_ANYONE };
                (void) snprintf(ret->principal, sizeof ret->principal, "anyone");
                return 0;
        }
        *ret_why = "no credentials";
        return fault_set(f, FAULT_UNKNOWN_WHO, NULL,
                         "credentials are needed: a token in the path (/token/<token>/...) or as "
                         "`Authorization: Bearer', or the unix socket");
}

bool access_may_reach_host(const struct identity *who)
{
        return who->kind == WHO_PEER;
}

bool access_covers(const struct identity *who, const char *id)
{
        size_t n;

        if (!who->r)
                return true;
        n = strlen(who->r);
        if (n > 0 && who->r[n - 1] == '*')
                return strncmp(who->r, id, n - 1) == 0;
        return streq(who->r, id);
}
