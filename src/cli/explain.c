/* SPDX-License-Identifier: Apache-2.0 */

/* What a token says, said.  Names in it cannot steer a terminal: claims have no control characters. */

#include "cli/explain.h"

#include "core/jws.h"

#include <inttypes.h>
#include <time.h>

#define LABEL "%-12s"
#define LINK_END '~'
#define TIME_TEXT_MAX 64

void explained_reset(struct explained *e)
{
        token_reset(&e->token);
        for (size_t i = 0; i < TOKEN_LINKS_MAX; i++) {
                free(e->links[i].kid);
                free(e->links[i].algorithm);
                claims_reset(&e->links[i].claims);
        }
        *e = (struct explained){ 0 };
}

static int read_link(const char *text, size_t n, struct explained_link *ret, struct fault *f)
{
        _cleanup_(jws_reset) struct jws j = { 0 };
        const char *why = "";

        if (jws_parse(text, n, &j, &why) < 0)
                return fault_set(f, FAULT_FAILED, NULL, "this is no token: %s", why);
        ret->kid = TAKE(j.kid);
        ret->algorithm = TAKE(j.alg);
        return claims_read(j.payload, j.payload_len, &ret->claims, f);
}

int explained_read(struct explained *e, const char *text, size_t n, struct fault *f)
{
        const char *end = text + n;
        struct fault why = { 0 };

        if (token_read(text, n, NULL, &e->token, &why) < 0)
                return fault_set(f, FAULT_FAILED, NULL, "this is no token: %s", why.text);
        for (size_t i = 0; i < e->token.n_links; i++) {
                const char *stop = memchr(text, LINK_END, (size_t) (end - text));
                int r = read_link(text, (size_t) ((stop ? stop : end) - text), &e->links[i], f);

                if (r < 0)
                        return r;
                text = stop ? stop + 1 : end;
        }
        return 0;
}

/* --- times -------------------------------------------------------------------------------------------- */

static bool utc(uint64_t sec, struct tm *ret)
{
        time_t when = (time_t) sec;

        return gmtime_r(&when, ret) != NULL;
}

static void add_amount(struct text *t, uint64_t sec)
{
        static const struct {
                uint64_t sec;
                const char *name;
        } units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
        size_t i = 0;

        while (i + 1 < ARRAY_SIZE(units) && sec < 2 * units[i].sec)
                i++;
        sec /= units[i].sec;
        text_addf(t, "%" PRIu64 " %s%s", sec, units[i].name, sec == 1 ? "" : "s");
}

static void add_time(struct text *t, uint64_t sec, uint64_t now)
{
        char when[TIME_TEXT_MAX];
        struct tm tm;

        if (utc(sec, &tm) && strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
                text_add(t, when);
        else
                text_addf(t, "@%" PRIu64, sec);
        text_add(t, sec > now ? " (in " : " (");
        add_amount(t, sec > now ? sec - now : now - sec);
        text_add(t, sec > now ? ")" : " ago)");
}

/* --- claims ------------------------------------------------------------------------------------------- */

struct lines {
        struct text *t;
        const char *indent;
        uint64_t now_sec;
};

static void begin_line(const struct lines *l, const char *label)
{
        text_addf(l->t, "%s" LABEL, l->indent, label);
}

static void text_line(const struct lines *l, const char *label, const char *value, const char *remark)
{
        if (!value || !*value)
                return;
        begin_line(l, label);
        text_addf(l->t, "%s%s\n", value, remark);
}

static void list_line(const struct lines *l, const char *label, char *const *list, const char *remark)
{
        if (!list)
                return;
        begin_line(l, label);
        for (size_t i = 0; list[i]; i++)
                text_addf(l->t, "%s%s", i > 0 ? " " : "", list[i]);
        text_addf(l->t, "%s\n", remark);
}

static void time_line(const struct lines *l, const char *label, uint64_t sec)
{
        if (sec == 0)
                return;
        begin_line(l, label);
        add_time(l->t, sec, l->now_sec);
        text_addc(l->t, '\n');
}

static void claim_lines(const struct lines *l, const struct claims *c, const char *rights_remark)
{
        text_line(l, "user", c->user, "");
        text_line(l, "issuer", c->issuer, "");
        list_line(l, "gears", c->locators, "");
        text_line(l, "image", c->type, "");
        list_line(l, "rights", c->rights, rights_remark);
        time_line(l, "from", c->not_before_sec);
        time_line(l, "until", c->expires_sec);
        text_line(l, "request", c->id, ": one change, once");
        text_line(l, "body", c->body, ": only the one of this SHA-256");
        list_line(l, "nodes", c->audience, "");
        text_line(l, "brought by", c->peer, "");
        if (c->next)
                text_line(l, "narrowed by", c->next->name, "");
}

/* --- the whole ---------------------------------------------------------------------------------------- */

static void verdict_line(const struct lines *l, const struct explained *e)
{
        begin_line(l, "verified");
        switch (e->verdict) {
        case VERDICT_NONE:
                text_add(l->t, "no: without --key or --keys anybody may have written this\n");
                break;
        case VERDICT_GOOD:
                text_addf(l->t, "yes, signed by %s\n", e->signer);
                break;
        case VERDICT_REFUSED:
                text_addf(l->t, "refused: %s\n", e->why.text);
                break;
        }
}

static void link_lines(const struct explained *e, size_t i, struct text *t)
{
        const struct lines l = { t, "     ", e->now_sec };
        const struct explained_link *link = &e->links[i];

        text_addf(t, "  %zu. %s, ", i + 1, link->algorithm);
        if (i > 0)
                text_addf(t, "by %s\n", e->token.holders[i - 1]);
        else if (link->kid)
                text_addf(t, "by the key called %s\n", link->kid);
        else
                text_add(t, "by a key that is not named\n");
        claim_lines(&l, &link->claims, "");
}

void explain_text(const struct explained *e, struct text *t)
{
        const struct lines l = { t, "", e->now_sec };
        bool default_rights = !e->links[0].claims.rights && e->token.n_links == 1;

        text_line(&l, "id", e->token.id, "");
        claim_lines(&l, &e->token.claims, default_rights ? " (as none are named)" : "");
        if (!e->token.claims.locators)
                text_line(&l, "gears", "all", "");
        if (e->token.claims.expires_sec <= e->now_sec)
                text_line(&l, "state", "expired", "");
        else if (e->token.claims.next)
                text_line(&l, "state", "made for narrowing: opens nothing until gear token narrow was at it",
                          "");
        if (e->encrypted)
                text_line(&l, "encrypted", "yes", "");
        verdict_line(&l, e);
        text_addf(t, "\nChain of %zu link%s:\n", e->token.n_links, e->token.n_links == 1 ? "" : "s");
        for (size_t i = 0; i < e->token.n_links; i++)
                link_lines(e, i, t);
}

/* --- as JSON ------------------------------------------------------------------------------------------ */

static int put_link(const struct explained *e, size_t i, struct text *t, struct fault *f)
{
        const struct explained_link *link = &e->links[i];
        int r;

        text_add(t, i > 0 ? ",{" : "{");
        json_put(t, "alg", link->algorithm);
        json_put(t, "kid", link->kid);
        json_put(t, "signer", i > 0 ? e->token.holders[i - 1] : NULL);
        json_name(t, "claims");
        r = claims_write(&link->claims, t, f);
        text_addc(t, '}');
        return r;
}

static void put_verdict(const struct explained *e, struct text *t)
{
        if (e->verdict == VERDICT_NONE) {
                json_put(t, "verified", NULL);
                return;
        }
        json_putb(t, "verified", e->verdict == VERDICT_GOOD);
        json_put(t, "signer", *e->signer ? e->signer : NULL);
        if (e->verdict == VERDICT_REFUSED)
                json_put(t, "why", e->why.text);
}

int explain_json(const struct explained *e, struct text *t, struct fault *f)
{
        const struct claims *c = &e->token.claims;
        char until[TIME_TEXT_MAX];
        struct tm tm;
        int r;

        text_addc(t, '{');
        json_put(t, "id", e->token.id);
        put_verdict(e, t);
        json_putb(t, "encrypted", e->encrypted);
        json_putb(t, "expired", c->expires_sec <= e->now_sec);
        if (utc(c->expires_sec, &tm) && strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
                json_put(t, "until", until);
        json_putb(t, "for_narrowing", c->next != NULL);
        json_name(t, "claims");
        r = claims_write(c, t, f);
        json_name(t, "links");
        text_addc(t, '[');
        for (size_t i = 0; r == 0 && i < e->token.n_links; i++)
                r = put_link(e, i, t, f);
        text_add(t, "]}\n");
        return r;
}
