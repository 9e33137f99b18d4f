/* SPDX-License-Identifier: Apache-2.0 */

/* The example of gear-token(7), taken from the page: what it prints is what the code makes and accepts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/jws.h"
#include "core/token.h"
#include "util/file.h"

#define PAGE_MAX 65536

struct example {
        char *page;
        struct key *issuer, *holder;
};

/* The lines of the display behind `.\" example: NAME', as one. */
static char *block(const struct example *e, const char *name)
{
        struct text joined = { 0 };
        const char *line, *end;
        char mark[64];

        (void) snprintf(mark, sizeof mark, "\n.\\\" example: %s\n.Bd ", name);
        line = strstr(e->page, mark);
        if (!line)
                fail_msg("the page has no example %s", name);
        line = strchr(line + strlen(mark), '\n') + 1;
        end = strstr(line, "\n.Ed\n");
        assert_non_null(end);
        for (; line < end; line++)
                if (*line != '\n')
                        text_addc(&joined, *line);
        return text_take(&joined);
}

static struct key *key_of(const struct example *e, const char *name)
{
        _cleanup_free_ char *jwk = block(e, name);
        _cleanup_(json_freep) struct json *v = NULL;
        struct key *k = NULL;
        struct fault f = { 0 };

        v = json_parse(jwk, strlen(jwk), name, &f);
        if (!v || key_from_jwk(v, name, false, &k, &f) < 0)
                fail_msg("%s", f.text);
        return k;
}

static void claims_of(const struct example *e, const char *name, struct claims *ret)
{
        _cleanup_free_ char *json = block(e, name);
        struct fault f = { 0 };

        if (claims_read(json, strlen(json), ret, &f) < 0)
                fail_msg("%s: %s", name, f.text);
}

static int set_up(void **state)
{
        const char *top = getenv("srcdir");
        struct example *e = calloc(1, sizeof *e);
        char path[4096];

        assert_non_null(e);
        (void) snprintf(path, sizeof path, "%s/man/gear-token.7", top ? top : ".");
        assert_int_equal(file_read(path, PAGE_MAX, &e->page, NULL), 0);
        e->issuer = key_of(e, "issuer");
        e->holder = key_of(e, "holder");
        *state = e;
        return 0;
}

static int tear_down(void **state)
{
        struct example *e = *state;

        key_free(e->issuer);
        key_free(e->holder);
        free(e->page);
        free(e);
        return 0;
}

static void first_link(void **state)
{
        struct example *e = *state;
        _cleanup_(claims_reset) struct claims issued = { 0 };
        _cleanup_free_ char *token = block(e, "token");
        _cleanup_text_ struct text minted = { 0 };
        struct fault f = { 0 };

        claims_of(e, "issued", &issued);
        assert_string_equal(issued.next->name, e->holder->name);
        assert_int_equal(token_mint(&issued, e->issuer, &minted, &f), 0);
        assert_string_equal(minted.data, token);
}

static void narrowed(void **state)
{
        struct example *e = *state;
        _cleanup_(claims_reset) struct claims narrower = { 0 };
        _cleanup_free_ char *token = block(e, "token"), *chain = block(e, "chain");
        _cleanup_text_ struct text made = { 0 };
        char digest[DIGEST_BASE64URL_LEN + 1];
        struct fault f = { 0 };

        claims_of(e, "narrower", &narrower);
        assert_int_equal(digest_base64url(token, strlen(token), digest), 0);
        assert_string_equal(narrower.previous, digest);
        assert_int_equal(token_narrow(token, strlen(token), e->holder, &narrower, &made, &f), 0);
        assert_string_equal(made.data, chain);
}

static void granted(void **state)
{
        struct example *e = *state;
        const struct key *trusted[] = { e->issuer };
        const struct token_rules rules = { .keys = trusted, .n_keys = 1 };
        _cleanup_(claims_reset) struct claims expected = { 0 };
        _cleanup_(token_reset) struct token t = { 0 };
        _cleanup_free_ char *token = block(e, "token"), *chain = block(e, "chain");
        _cleanup_text_ struct text printed = { 0 }, read = { 0 };
        struct fault f = { 0 };

        assert_true(token_verify(token, strlen(token), &rules, &t, &f) < 0);
        assert_int_equal(token_verify(chain, strlen(chain), &rules, &t, &f), 0);
        *t.claims.previous = '\0';
        claims_of(e, "granted", &expected);
        assert_int_equal(claims_write(&expected, &printed, &f), 0);
        assert_int_equal(claims_write(&t.claims, &read, &f), 0);
        assert_string_equal(read.data, printed.data);
}

/* The page's own command line makes it of the page's own token. */
static void id(void **state)
{
        struct example *e = *state;
        _cleanup_(token_reset) struct token t = { 0 };
        _cleanup_free_ char *chain = block(e, "chain"), *command = block(e, "id command"), *told = block(e, "id");
        _cleanup_free_ char *line = NULL;
        char made[TOKEN_ID_LEN + 2] = "";
        struct fault f = { 0 };
        FILE *shell;

        assert_int_equal(token_read(chain, strlen(chain), NULL, &t, &f), 0);
        assert_string_equal(t.id, told);
        for (char *back = command; (back = strstr(back, "\\e")); back++)
                memmove(back + 1, back + 2, strlen(back + 2) + 1);
        assert_true(asprintf(&line, "token='%s'; %s", chain, command) > 0);
        shell = popen(line, "re"); /* NOLINT(cert-env33-c): a shell is what is meant */
        assert_non_null(shell);
        assert_non_null(fgets(made, sizeof made, shell));
        (void) pclose(shell);
        made[strcspn(made, "\n")] = '\0';
        assert_string_equal(made, told);
}

static void limits(void **state)
{
        static const struct {
                const char *before;
                unsigned value;
                const char *after;
        } rows[] = {
                { "\nAt most ", TOKEN_MAX, " bytes.\n" },
                { "\nAt most ", TOKEN_LINKS_MAX, " links.\n" },
                { "at most ", JWS_PART_MAX, " bytes a part;" },
                { "at most ", CLAIM_NAMES_MAX, " names;" },
                { "leeway of ", TOKEN_LEEWAY_SEC, " seconds" },
                { "The user: at most ", CLAIM_USER_MAX, " bytes" },
                { "Who issued it: at most ", CLAIM_ISSUER_MAX, " such bytes" },
                { "\nAt most ", CLAIM_TYPE_MAX, " such bytes" },
        };
        struct example *e = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text sentence = { 0 };

                text_addf(&sentence, "%s%u%s", rows[i].before, rows[i].value, rows[i].after);
                if (!strstr(e->page, sentence.data))
                        fail_msg("the page does not say \"%s\"", sentence.data);
        }
}

/* The names of the list of rights are rights, and those of the seed are among them. */
static void rights(void **state)
{
        struct example *e = *state;
        const char *from = strstr(e->page, "\n.Sh RIGHTS\n"), *item = from, *to;
        size_t n = 0;

        assert_non_null(from);
        to = strstr(from, "\n.El\n");
        assert_non_null(to);
        while ((item = strstr(item, "\n.It Cm ")) && item < to) {
                char right[32];

                for (item += strlen("\n.It Cm "); *item != '\n'; item += strspn(item, " ,"), n++) {
                        size_t len = strcspn(item, " \n");

                        (void) snprintf(right, sizeof right, "%.*s", (int) len, item);
                        if (!right_known(right))
                                fail_msg("\"%s\" is no right", right);
                        item += len;
                }
        }
        assert_int_equal(n, 15);
        for (char *const *right = rights_of_seed(); *right; right++)
                assert_non_null(strstr(from, *right));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(first_link), cmocka_unit_test(narrowed), cmocka_unit_test(granted),
                cmocka_unit_test(id),
                cmocka_unit_test(limits),     cmocka_unit_test(rights),
        };

        return cmocka_run_group_tests_name("token-manual", tests, set_up, tear_down);
}
