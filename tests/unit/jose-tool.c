/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Keys, signatures and encryption as a program, so that check-jose can hold them
 * against others'.  What is worked on comes from stdin, the result goes to stdout.
 *
 *   jose-tool generate ALGORITHM            a private JWK
 *   jose-tool jwk|pem|private-pem KEY       the key file, written anew
 *   jose-tool sign|verify|encrypt|decrypt KEY
 *   jose-tool rate KEY                      tokens verified in one second, of the one on stdin
 *   jose-tool timing KEY                    how long each of two bad messages, a line each, takes to be
 *                                           refused: nanoseconds in pairs
 */

#include "core/jwe.h"
#include "core/jws.h"
#include "util/file.h"

#include <stdio.h>
#include <time.h>

#define INPUT_MAX 65536
#define TIMINGS 1000

static int complain(const char *why)
{
        (void) fprintf(stderr, "%s\n", why);
        return 1;
}

static int show(int r, const struct text *t)
{
        if (r < 0)
                return complain(strerror(-r));
        (void) fwrite(t->data, 1, t->len, stdout);
        return 0;
}

static int generate(const char *name)
{
        struct fault f = { 0 };

        for (enum key_algorithm a = 0; a <= KEY_RSA_OAEP_256; a++) {
                _cleanup_(key_freep) struct key *k = NULL;
                _cleanup_text_ struct text t = { 0 };

                if (!streq(name, key_algorithm_name(a)))
                        continue;
                if (key_generate(a, KEY_RSA_BITS_MIN, &k, &f) < 0)
                        return complain(f.text);
                return show(key_to_jwk(k, true, &t), &t);
        }
        return complain("there is no such algorithm");
}

static int write_jwk(const struct key *k, const char *input _unused_, size_t n _unused_)
{
        _cleanup_text_ struct text t = { 0 };

        return show(key_to_jwk(k, false, &t), &t);
}

static int write_pem(const struct key *k, bool with_private)
{
        _cleanup_text_ struct text t = { 0 };
        struct fault f = { 0 };

        return key_to_pem(k, with_private, &t, &f) < 0 ? complain(f.text) : show(0, &t);
}

static int public_pem(const struct key *k, const char *input _unused_, size_t n _unused_)
{
        return write_pem(k, false);
}

static int private_pem(const struct key *k, const char *input _unused_, size_t n _unused_)
{
        return write_pem(k, true);
}

static int sign(const struct key *k, const char *input, size_t n)
{
        _cleanup_text_ struct text t = { 0 };

        return show(jws_sign(k, "JWT", NULL, input, n, &t), &t);
}

static int check(const struct key *k, const char *token, size_t n, struct jws *ret, const char **ret_why)
{
        int r = jws_parse(token, n, ret, ret_why);

        return r < 0 ? r : jws_verify(ret, k, ret_why);
}

static int verify(const struct key *k, const char *input, size_t n)
{
        _cleanup_(jws_reset) struct jws j = { 0 };
        const char *why = "out of memory";

        if (check(k, input, n, &j, &why) < 0)
                return complain(why);
        (void) fwrite(j.payload, 1, j.payload_len, stdout);
        return 0;
}

static double now(void)
{
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int rate(const struct key *k, const char *input, size_t n)
{
        double begin = now(), end = begin;
        size_t done = 0;

        for (; end < begin + 1; end = now(), done++) {
                _cleanup_(jws_reset) struct jws j = { 0 };
                const char *why = "out of memory";

                if (check(k, input, n, &j, &why) < 0)
                        return complain(why);
        }
        (void) printf("%.1f\n", (double) done / (end - begin));
        return 0;
}

static int encrypt(const struct key *k, const char *input, size_t n)
{
        _cleanup_text_ struct text t = { 0 };

        return show(jwe_encrypt(k, NULL, input, n, &t), &t);
}

static int decrypt(const struct key *k, const char *input, size_t n)
{
        _cleanup_free_ char *payload = NULL;
        size_t len = 0;
        int r = jwe_decrypt(input, n, &k, 1, &payload, &len);

        if (r < 0)
                return complain(strerror(-r));
        (void) fwrite(payload, 1, len, stdout);
        return 0;
}

static int refuse_once(const struct key *k, const char *message, size_t n, double *ret_ns)
{
        _cleanup_free_ char *payload = NULL;
        double begin = now();
        size_t len;
        int r = jwe_decrypt(message, n, &k, 1, &payload, &len);

        *ret_ns = (now() - begin) * 1e9;
        return r == -EBADMSG ? 0 : complain("a message was opened");
}

/*
 * Which goes first is told by the sequence of Thue and Morse: taken simply in turn,
 * every renewal of OpenSSL's blinding, after 32 uses, would fall on the same one.
 */
static int timing(const struct key *k, const char *input, size_t n)
{
        const char *newline = memchr(input, '\n', n), *messages[2];
        size_t lengths[2];

        if (!newline)
                return complain("two messages are needed");
        messages[0] = input;
        lengths[0] = (size_t) (newline - input);
        messages[1] = newline + 1;
        lengths[1] = n - lengths[0] - 1;
        for (size_t i = 0; i < TIMINGS; i++) {
                size_t first = (size_t) __builtin_parityll(i), second = 1 - first;
                double ns[2];

                if (refuse_once(k, messages[first], lengths[first], &ns[first]) != 0 ||
                    refuse_once(k, messages[second], lengths[second], &ns[second]) != 0)
                        return 1;
                (void) printf("%.0f %.0f\n", ns[0], ns[1]);
        }
        return 0;
}

static const struct verb {
        const char *name;
        bool encryption;
        bool reads;
        int (*run)(const struct key *k, const char *input, size_t n);
} verbs[] = {
        { "jwk", false, false, write_jwk },
        { "pem", false, false, public_pem },
        { "private-pem", false, false, private_pem },
        { "sign", false, true, sign },
        { "verify", false, true, verify },
        { "rate", false, true, rate },
        { "encrypt", true, true, encrypt },
        { "decrypt", true, true, decrypt },
        { "timing", true, true, timing },
};

static int run(const struct verb *v, const char *path)
{
        static char input[INPUT_MAX];
        _cleanup_free_ char *bytes = NULL;
        struct fault f = { 0 };
        struct key **keys = NULL;
        size_t len = 0, n_keys = 0;
        int r = file_read(path, KEY_FILE_MAX, &bytes, &len);

        if (r < 0)
                return complain(strerror(-r));
        if (key_read(bytes, len, "key", v->encryption, &keys, &n_keys, &f) < 0)
                return complain(f.text);
        r = v->run(keys[0], input, v->reads ? fread(input, 1, sizeof input, stdin) : 0);
        (void) keys_free(keys, n_keys);
        return r;
}

int main(int argc, char **argv)
{
        if (argc == 3 && streq(argv[1], "generate"))
                return generate(argv[2]);
        for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(verbs); i++)
                if (streq(argv[1], verbs[i].name))
                        return run(&verbs[i], argv[2]);
        return complain("usage: jose-tool VERB KEY < INPUT");
}
