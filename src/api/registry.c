/* SPDX-License-Identifier: Apache-2.0 */

#include "api/registry.h"

#include "core/image.h"
#include "util/base64.h"
#include "util/digest.h"
#include "util/file.h"
#include "util/json.h"

#include <stdio.h>

#define CREDENTIAL_MAX 65536
/* What docker calls its own registry in config.json. */
#define DOCKER_HUB "https://index.docker.io/v1/"

static int read_credential(char **ret, struct fault *f)
{
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *path = NULL;
        size_t n;
        int r;

        *ret = NULL;
        if (!directory)
                return 0;
        if (asprintf(&path, "%s/registry", directory) < 0)
                return fault_oom(f);
        r = file_read(path, CREDENTIAL_MAX, ret, &n);
        return r < 0 && r != -ENOENT ? fault_errno(f, r, "cannot read the credential `registry'") : 0;
}

static int unreadable(struct fault *f)
{
        return fault_set(f, FAULT_INTERNAL, NULL, "the credential `registry' is not in the form of docker's config.json");
}

/* "auth": base64 of user:password. */
static int encode_auth(const struct json *entry, const char *server, char **ret, struct fault *f)
{
        _cleanup_text_ struct text pair = { 0 }, json = { 0 }, encoded = { 0 };
        const struct json *auth = json_member(entry, "auth");
        const char *base64;
        struct fault ignored;
        char *colon;

        if (!auth || json_get_string(auth, "auth", CREDENTIAL_MAX, &base64, &ignored) < 0 ||
            base64_decode(base64, &pair) < 0)
                return unreadable(f);
        if (!text_ok(&pair) || !pair.data)
                return fault_oom(f);
        colon = strchr(pair.data, ':');
        if (!colon)
                return unreadable(f);
        *colon = '\0';
        text_addc(&json, '{');
        json_put(&json, "username", pair.data);
        json_put(&json, "password", colon + 1);
        json_put(&json, "serveraddress", server);
        text_addc(&json, '}');
        if (text_ok(&json))
                base64url_add(&encoded, json.data, json.len);
        explicit_bzero(pair.data, pair.len);
        explicit_bzero(json.data, json.len);
        *ret = text_take(&encoded);
        return *ret ? 0 : fault_oom(f);
}

int registry_auth(const char *reference, char **ret, struct fault *f)
{
        _cleanup_free_ char *text = NULL;
        _cleanup_(json_freep) struct json *config = NULL;
        const struct json *auths, *entry;
        const char *server;
        struct image image;
        struct fault ignored;
        int r;

        *ret = NULL;
        r = image_parse(reference, "image", &image, f);
        if (r == 0)
                r = read_credential(&text, f);
        if (r < 0 || !text)
                return r;
        config = json_parse(text, strlen(text), "registry", &ignored);
        auths = config ? json_member(config, "auths") : NULL;
        if (!config || (auths && !json_is_object(auths)))
                return unreadable(f);
        server = streq(image.registry, "docker.io") ? DOCKER_HUB : image.registry;
        entry = auths ? json_member(auths, server) : NULL;
        return entry ? encode_auth(entry, server, ret, f) : 0;
}
