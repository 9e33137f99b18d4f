/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Claims from options.  What a claim may be is decided where tokens are read,
 * as each new one is before it is handed out; here are only the spellings that
 * the command line adds.
 */

#include "cli/claim-options.h"

#include "cli/material.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#define BODY_MAX (64U << 20)
#define NEW_HOLDER "holder.key"

void wanted_reset(struct wanted *w)
{
        claims_reset(&w->claims);
}

static int take_id(const char *value, void *member, struct fault *f)
{
        if (request_id_canonical(value, member) < 0)
                return fault_set(f, FAULT_INVALID, NULL, "must be 1 to %d hex digits", REQUEST_ID_LEN);
        return 0;
}

static int take_digest(const char *value, void *member, struct fault *f)
{
        if (strlen(value) != DIGEST_BASE64URL_LEN)
                return fault_set(f, FAULT_INVALID, NULL, "must be a SHA-256 in base64url, %d digits",
                                 DIGEST_BASE64URL_LEN);
        memcpy(member, value, DIGEST_BASE64URL_LEN + 1);
        return 0;
}

static int take_holder(const char *value, void *member, struct fault *f)
{
        struct wanted *w = member;

        w->for_narrowing = true;
        return value ? take_word(value, &w->holder_file, f) : 0;
}

#define CLAIM(member) offsetof(struct wanted, claims.member)

const struct cli_option claim_options[] = {
        { 0, "user", "NAME", "u", take_text, CLAIM(user), "who the token is for, for the record" },
        { 0, "type", "IMAGE", "t", take_text, CLAIM(type), "the image that it may create a gear of" },
        { 0, "locator", "ID", "r", take_list, CLAIM(locators),
          "the gears that it reaches: ids, or prefixes (web-*)" },
        { 0, "right", "RIGHT", "a", take_list, CLAIM(rights),
          "what it may do: gear.read, log.read, gear.* ...;\nif none is given, create, start, stop and "
          "log" },
        { 0, "expires", "TIME", "d", take_time, CLAIM(expires_sec),
          "until when: 1h, 2031-12-31T23:59:59Z or @SECONDS" },
        { 0, "not-before", "TIME", "nbf", take_time, CLAIM(not_before_sec), "from when, in the same forms" },
        { 0, "id", "HEX", "i", take_id, CLAIM(id),
          "the id of the one request it makes; without one it\nmay be used again and again" },
        { 0, "once", NULL, "i", take_flag, offsetof(struct wanted, once),
          "the same, with an id drawn by lot" },
        { 0, "body", "FILE", "b", take_word, offsetof(struct wanted, body_file),
          "goes with this body only; - for standard input" },
        { 0, "body-digest", "DIGEST", "b", take_digest, CLAIM(body), "... with this SHA-256, in base64url" },
        { 0, "issuer", "NAME", "iss", take_text, CLAIM(issuer), "who issued it, for the record" },
        { 0, "audience", "NODE", "aud", take_list, CLAIM(audience),
          "the nodes that it is for, by NodeName=" },
        { 0, "peer", "PEER", "p", take_text, CLAIM(peer),
          "who may bring it: an address, a network,\nuid:NUMBER, sha256:DIGITS of a TLS "
          "client's\ncertificate, or its dns:NAME, uri:URI, email:ADDRESS" },
        { 0, "for-narrowing", "[=HOLDER.pub]", "cnf", take_holder, 0,
          "does nothing itself, but who has the private half\n"
          "of this key can make weaker tokens of it; without\n"
          "a value a new key is made, in ./" NEW_HOLDER },
        { 0 },
};

static int draw_id(char ret[static REQUEST_ID_LEN + 1], struct fault *f)
{
        uint64_t words[2];

        if (getrandom(words, sizeof words, 0) != sizeof words)
                return fault_errno(f, errno, "there is no randomness to make an id of");
        (void) snprintf(ret, REQUEST_ID_LEN + 1, "%016" PRIx64 "%016" PRIx64, words[0], words[1]);
        return 0;
}

static int digest_file(const char *path, char ret[static DIGEST_BASE64URL_LEN + 1], struct fault *f)
{
        _cleanup_secret_text_ struct text body = { 0 };
        struct fault why = { 0 };

        if (input_read(path, BODY_MAX, &body, &why) < 0)
                return fault_set(f, why.kind, "body", "--body: %s", why.text);
        return digest_base64url(body.data, body.len, ret) < 0 ? fault_oom(f) : 0;
}

/* Either half will do: a link shows the public one. */
static int name_holder(struct wanted *w, struct fault *f)
{
        struct key **next = &w->claims.next;

        if (!w->holder_file)
                return key_generate(KEY_EDDSA, 0, next, f);
        return key_load("for-narrowing", w->holder_file, false, next, f);
}

int wanted_complete(struct wanted *w, struct fault *f)
{
        int r = 0;

        if (w->once && *w->claims.id)
                return fault_set(f, FAULT_INVALID, "once", "--once: there is an --id already");
        if (w->body_file && *w->claims.body)
                return fault_set(f, FAULT_INVALID, "body", "--body: there is a --body-digest already");
        if (w->once)
                r = draw_id(w->claims.id, f);
        if (r == 0 && w->body_file)
                r = digest_file(w->body_file, w->claims.body, f);
        if (r == 0 && w->for_narrowing)
                r = name_holder(w, f);
        return r;
}

int wanted_keep_holder(const struct wanted *w, struct fault *f)
{
        _cleanup_secret_text_ struct text pem = { 0 };
        struct fault why = { 0 };
        int r;

        if (!w->for_narrowing || w->holder_file)
                return 0;
        r = key_print(w->claims.next, KEY_FORM_PEM, true, &pem, f);
        if (r < 0)
                return r;
        if (file_put(".", NEW_HOLDER, &pem, S_IRUSR | S_IWUSR, false, &why) < 0)
                return fault_set(f, why.kind, "for-narrowing",
                                 "--for-narrowing: %s (gear keygen makes keys of other names)", why.text);
        fputs("gear: " NEW_HOLDER " narrows this token: gear token narrow --holder=" NEW_HOLDER "\n",
              stderr);
        return 0;
}
