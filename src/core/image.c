/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Image references by the distribution grammar, with docker's rule for telling
 * a registry from the first part of a path.  By hand: the grammar is regular
 * and small, and a reference comes with every create.
 */

#include "core/image.h"

#include <stdio.h>
#include <strings.h>

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define BIG "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define HEX_SMALL DIGITS "abcdef"

#define DEFAULT_REGISTRY "docker.io"
#define DEFAULT_PATH "library/"
#define TAG_MAX 128
#define IMAGE_ID_LEN 64

/* A piece of the reference. */
struct span {
        const char *s;
        size_t n;
};

static int refuse(const char *field, const char *why, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, field, "%s: %s", field, why);
}

static bool all_of(struct span p, const char *set)
{
        for (size_t i = 0; i < p.n; i++)
                if (!p.s[i] || !strchr(set, p.s[i]))
                        return false;
        return p.n > 0;
}

static struct span until(const char *s, const char *end)
{
        return (struct span){ s, (size_t) (end - s) };
}

/* alphanumerics, between which stand '.', '_', '__' or any number of '-' */
static bool path_component_valid(struct span p)
{
        size_t i = 0;

        for (;;) {
                size_t from = i, separator;

                while (i < p.n && strchr(SMALL DIGITS, p.s[i]))
                        i++;
                if (i == from)
                        return false;
                if (i == p.n)
                        return true;
                separator = i;
                while (i < p.n && p.s[i] == p.s[separator])
                        i++;
                switch (p.s[separator]) {
                case '.':
                        if (i - separator > 1)
                                return false;
                        break;
                case '_':
                        if (i - separator > 2)
                                return false;
                        break;
                case '-':
                        break;
                default:
                        return false;
                }
        }
}

static bool path_valid(struct span p)
{
        const char *end = p.s + p.n;

        for (;;) {
                const char *slash = memchr(p.s, '/', (size_t) (end - p.s));

                if (!path_component_valid(until(p.s, slash ? slash : end)))
                        return false;
                if (!slash)
                        return true;
                p.s = slash + 1;
        }
}

static bool host_label_valid(struct span p)
{
        return all_of(p, SMALL BIG DIGITS "-") && p.s[0] != '-' && p.s[p.n - 1] != '-';
}

static bool port_valid(struct span p)
{
        unsigned port = 0;

        if (!all_of(p, DIGITS) || p.n > 5)
                return false;
        for (size_t i = 0; i < p.n; i++)
                port = port * 10 + (unsigned) (p.s[i] - '0');
        return port >= 1 && port <= 65535;
}

/* labels with dots between, and perhaps a port */
static bool registry_valid(struct span p)
{
        const char *colon = memchr(p.s, ':', p.n), *end = p.s + p.n;

        if (colon && !port_valid(until(colon + 1, end)))
                return false;
        if (colon)
                end = colon;
        for (;;) {
                const char *dot = memchr(p.s, '.', (size_t) (end - p.s));

                if (!host_label_valid(until(p.s, dot ? dot : end)))
                        return false;
                if (!dot)
                        return true;
                p.s = dot + 1;
        }
}

static bool tag_valid(struct span p)
{
        return all_of(p, SMALL BIG DIGITS "_.-") && p.n <= TAG_MAX && p.s[0] != '.' && p.s[0] != '-';
}

/* The algorithms that the engine itself accepts. */
static bool digest_valid(struct span p)
{
        static const struct {
                const char *prefix;
                size_t digits;
        } algorithms[] = { { "sha256:", 64 }, { "sha384:", 96 }, { "sha512:", 128 } };

        for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
                size_t n = strlen(algorithms[i].prefix);

                if (p.n == n + algorithms[i].digits && strncmp(p.s, algorithms[i].prefix, n) == 0)
                        return all_of((struct span){ p.s + n, p.n - n }, HEX_SMALL);
        }
        return false;
}

static void copy(char *ret, size_t size, struct span p)
{
        (void) snprintf(ret, size, "%.*s", (int) p.n, p.s);
}

/* The first part of a name is a registry if it could not be part of a path on Docker Hub. */
static bool is_registry(struct span p)
{
        return memchr(p.s, '.', p.n) || memchr(p.s, ':', p.n) ||
               (p.n == 9 && memcmp(p.s, "localhost", 9) == 0);
}

static int parse_name(struct span name, const char *field, struct image *ret, struct fault *f)
{
        const char *slash = memchr(name.s, '/', name.n);
        struct span registry = { DEFAULT_REGISTRY, strlen(DEFAULT_REGISTRY) }, path = name;
        bool hub, official;

        if (slash && is_registry(until(name.s, slash))) {
                registry = until(name.s, slash);
                path = until(slash + 1, name.s + name.n);
                if (!registry_valid(registry))
                        return refuse(field, "the registry must be a host name with an optional port", f);
        }
        for (size_t i = 0; i < path.n; i++)
                if (path.s[i] >= 'A' && path.s[i] <= 'Z')
                        return refuse(field, "the name of an image is written in lower case", f);
        if (!path_valid(path))
                return refuse(
                        field,
                        "not an image reference, [registry[:port]/]name[:tag][@digest]; the parts of a "
                        "name are lower-case letters and digits with '.', '_', '__' or '-' between them",
                        f);
        if (registry.n == strlen("index.docker.io") &&
            memcmp(registry.s, "index.docker.io", registry.n) == 0)
                registry = (struct span){ DEFAULT_REGISTRY, strlen(DEFAULT_REGISTRY) };
        hub = registry.n == strlen(DEFAULT_REGISTRY) &&
              memcmp(registry.s, DEFAULT_REGISTRY, registry.n) == 0;
        official = hub && !memchr(path.s, '/', path.n);
        if (registry.n + 1 + (official ? strlen(DEFAULT_PATH) : 0) + path.n > IMAGE_MAX)
                return fault_set(f, FAULT_INVALID, field,
                                 "%s: the name of an image is at most %d bytes long", field, IMAGE_MAX);
        copy(ret->registry, sizeof ret->registry, registry);
        (void) snprintf(ret->path, sizeof ret->path, "%s%.*s", official ? DEFAULT_PATH : "", (int) path.n,
                        path.s);
        return 0;
}

int image_parse(const char *reference, const char *field, struct image *ret, struct fault *f)
{
        struct span name = { reference, strcspn(reference, "@") };
        const char *digest = reference[name.n] ? reference + name.n + 1 : NULL, *slash, *colon;
        struct image image = { 0 };
        int r;

        if (!*reference)
                return refuse(field, "must name an image", f);
        /* docker reads 64 hex digits as the id of an image, not as a name. */
        if (strlen(reference) == IMAGE_ID_LEN && strspn(reference, HEX_SMALL) == IMAGE_ID_LEN)
                return refuse(field, "must be a name, not the id of an image", f);
        slash = memrchr(name.s, '/', name.n);
        colon = memrchr(name.s, ':', name.n);
        if (colon && (!slash || colon > slash)) {
                struct span tag = until(colon + 1, name.s + name.n);

                if (!tag_valid(tag))
                        return refuse(
                                field,
                                "a tag is 1 to 128 letters, digits, '_', '.' or '-', and does not begin "
                                "with '.' or '-'",
                                f);
                copy(image.tag, sizeof image.tag, tag);
                name = until(name.s, colon);
        }
        if (digest) {
                struct span p = { digest, strlen(digest) };

                if (!digest_valid(p))
                        return refuse(field, "a digest is sha256:, sha384: or sha512: and its hex digits",
                                      f);
                copy(image.digest, sizeof image.digest, p);
        } else if (!image.tag[0]) {
                copy(image.tag, sizeof image.tag, (struct span){ "latest", strlen("latest") });
        }
        r = parse_name(name, field, &image, f);
        if (r < 0)
                return r;
        *ret = image;
        return 0;
}

bool image_allowed(const struct image *image, char *const *allowed)
{
        if (!allowed || !*allowed)
                return true;
        for (; *allowed; allowed++) {
                const char *pattern = *allowed;
                size_t n = strlen(image->registry), m;

                if (!starts_with(pattern, "*.")) {
                        if (strcasecmp(pattern, image->registry) == 0)
                                return true;
                        continue;
                }
                m = strlen(++pattern); /* ".suffix" */
                if (n > m && strcasecmp(image->registry + n - m, pattern) == 0)
                        return true;
        }
        return false;
}
