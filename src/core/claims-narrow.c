/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What one link of a chain may say after those before it.  A claim that only
 * restricts may be added; one that names somebody (u, iss) may be repeated, but
 * where nobody was named, nobody can be named later.
 */

#include "core/claims.h"

#include "core/peer.h"

static int refuse(const char *claim, const char *why, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, claim, "%s: %s", claim, why);
}

static int check_times(const struct claims *parent, const struct claims *c, struct fault *f)
{
        if (c->expires_sec > parent->expires_sec && parent->expires_sec)
                return refuse("d", "later than in the links before", f);
        if (c->not_before_sec && c->not_before_sec < parent->not_before_sec)
                return refuse("nbf", "earlier than in the links before", f);
        return 0;
}

static int check_names(const struct claims *parent, const struct claims *c, struct fault *f)
{
        if (c->user && !streq_null(c->user, parent->user))
                return refuse("u", "not the user of the links before", f);
        if (c->issuer && !streq_null(c->issuer, parent->issuer))
                return refuse("iss", "not the issuer of the links before", f);
        return 0;
}

static int check_values(const struct claims *parent, const struct claims *c, struct fault *f)
{
        if (c->type && parent->type && !streq(c->type, parent->type))
                return refuse("t", "another than in the links before", f);
        if (*c->id && *parent->id && !streq(c->id, parent->id))
                return refuse("i", "another than in the links before", f);
        if (*c->body && *parent->body && !streq(c->body, parent->body))
                return refuse("b", "another than in the links before", f);
        return 0;
}

static bool audience_within(char *const *outer, char *const *inner)
{
        for (; *inner; inner++) {
                char *const *same = outer;

                while (*same && !streq(*same, *inner))
                        same++;
                if (!*same)
                        return false;
        }
        return true;
}

static int check_reach(const struct claims *parent, const struct claims *c, struct fault *f)
{
        if (c->locators && parent->locators && !patterns_cover(parent->locators, c->locators))
                return refuse("r", "reaches further than the links before", f);
        if (c->rights && !rights_cover(parent->rights ? parent->rights : rights_of_seed(), c->rights))
                return refuse("a", "grants more than the links before", f);
        if (c->audience && parent->audience && !audience_within(parent->audience, c->audience))
                return refuse("aud", "names somebody whom the links before do not", f);
        if (c->peer && parent->peer && !peer_covers(parent->peer, c->peer))
                return refuse("p", "not within that of the links before", f);
        return 0;
}

static int inherit_text(char **own, const char *from)
{
        if (*own || !from)
                return 0;
        *own = strdup(from);
        return *own ? 0 : -ENOMEM;
}

static int inherit_list(char ***own, char *const *from)
{
        if (*own || !from)
                return 0;
        *own = strv_copy(from);
        return *own ? 0 : -ENOMEM;
}

static int inherit(const struct claims *parent, struct claims *c, struct fault *f)
{
        if (!c->expires_sec)
                c->expires_sec = parent->expires_sec;
        if (!c->not_before_sec)
                c->not_before_sec = parent->not_before_sec;
        if (!*c->id)
                memcpy(c->id, parent->id, sizeof c->id);
        if (!*c->body)
                memcpy(c->body, parent->body, sizeof c->body);
        if (inherit_text(&c->user, parent->user) < 0 || inherit_text(&c->type, parent->type) < 0 ||
            inherit_text(&c->issuer, parent->issuer) < 0 || inherit_text(&c->peer, parent->peer) < 0 ||
            inherit_list(&c->locators, parent->locators) < 0 ||
            inherit_list(&c->rights, parent->rights) < 0 || inherit_list(&c->audience, parent->audience) < 0)
                return fault_oom(f);
        return 0;
}

int claims_narrow(const struct claims *parent, struct claims *c, struct fault *f)
{
        int r = check_times(parent, c, f);

        if (r == 0)
                r = check_names(parent, c, f);
        if (r == 0)
                r = check_values(parent, c, f);
        if (r == 0)
                r = check_reach(parent, c, f);
        return r < 0 ? r : inherit(parent, c, f);
}
