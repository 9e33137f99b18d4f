/* SPDX-License-Identifier: Apache-2.0 */

#include "git-helper/show.h"

#include "core/git-ref.h"
#include "git-helper/git.h"
#include "git-helper/quarantine.h"
#include "git-helper/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>

#define OBJECT_MAX 128 /* of a hash in hex, with room */
#define NAME_MAX_BYTES 4096
#define ABBREVIATION_MIN 7 /* of a commit, in digits */

/* An object by its name; an exit status. Names with a meaning of their own never get here. */
static int find_object(const char *dir, const char *name, char ret[static OBJECT_MAX])
{
        struct git_words w = { 0 };

        git_add_in(&w, dir);
        git_add(&w, "rev-parse");
        git_add(&w, "--verify");
        git_add(&w, "--quiet");
        git_add(&w, "--end-of-options");
        git_add(&w, name);
        return git_capture(&w, ret, OBJECT_MAX);
}

/* --- an archive ------------------------------------------------------------------------------------- */

static int find_commit(const char *dir, const char *prefix, const char *name, size_t n, char ret[static OBJECT_MAX])
{
        char asked[GIT_REF_MAX + sizeof "refs/heads/^{commit}"];

        (void) snprintf(asked, sizeof asked, "%s%.*s^{commit}", prefix, (int) n, name);
        return find_object(dir, asked, ret);
}

static bool is_hex(const char *name, size_t n)
{
        return strspn(name, "0123456789abcdef") >= n;
}

/*
 * Only by its name: git would also take HEAD~3 and :/words for a commit, and the
 * first letters of many a branch for the beginning of one's number.
 */
static bool find_named(const char *dir, const char *name, size_t n, char ret[static OBJECT_MAX])
{
        char copy[GIT_REF_MAX + 1];

        if (n > GIT_REF_MAX)
                return false;
        (void) snprintf(copy, sizeof copy, "%.*s", (int) n, name);
        if (!git_ref_valid(copy))
                return false;
        if (streq(copy, "HEAD") || starts_with(copy, "refs/") || (is_hex(copy, n) && (n == 40 || n == 64)))
                return find_commit(dir, "", copy, n, ret) == 0;
        return find_commit(dir, "refs/heads/", copy, n, ret) == 0 || find_commit(dir, "refs/tags/", copy, n, ret) == 0;
}

/* What one asks for: a commit, and the rest of the name as a path in it. */
struct place {
        char commit[OBJECT_MAX], object[OBJECT_MAX];
        const char *inside;
};

static bool find_inside(const char *dir, struct place *p)
{
        char name[NAME_MAX_BYTES + OBJECT_MAX];

        (void) snprintf(name, sizeof name, "%s:%s", p->commit, p->inside);
        return find_object(dir, name, p->object) == 0;
}

/* Where the ref ends in it: a branch v1/fix and a tag v1 may both be there. 0, or an exit status. */
static int find_place(const char *dir, const char *where, struct place *p)
{
        size_t first = strcspn(where, "/");
        int r = GIT_NO_REF;

        for (size_t n = first;; n += 1 + strcspn(where + n + 1, "/")) {
                p->inside = where[n] ? where + n + 1 : "";
                if (find_named(dir, where, n, p->commit)) {
                        if (find_inside(dir, p))
                                return 0;
                        r = GIT_NO_PATH;
                }
                if (!where[n])
                        break;
        }
        if (r == GIT_NO_PATH || first < ABBREVIATION_MIN || first > 64 || !is_hex(where, first) ||
            find_commit(dir, "", where, first, p->commit) != 0)
                return r;
        p->inside = where[first] ? where + first + 1 : "";
        return find_inside(dir, p) ? 0 : GIT_NO_PATH;
}

int show_archive(const char *dir, const char *format, const char *where)
{
        struct git_words w = { 0 };
        struct place p;
        char as[64];
        int r = find_place(dir, where, &p);

        if (r != 0)
                return r;
        if (printf("%s %s\n", p.commit, p.object) < 0 || fflush(stdout) != 0)
                return EX_IOERR;
        (void) snprintf(as, sizeof as, "--format=%s", format);
        git_add_in(&w, dir);
        git_add(&w, "archive");
        git_add(&w, as);
        git_add(&w, "--end-of-options");
        git_add(&w, p.commit);
        if (*p.inside)
                git_add(&w, p.inside);
        return git_become(&w);
}

/* --- git's own protocol ------------------------------------------------------------------------------ */

/* What it may still grow by; git takes 0 for no limit. */
static uint64_t room_for_push(const char *dir, uint64_t size_max)
{
        uint64_t size = size_on_disk(dir);

        return size < size_max ? size_max - size : 1;
}

int show_service(const char *dir, const char *part, const char *service, const char *coding, const char *protocol,
                 uint64_t size_max)
{
        bool refs = streq(part, "refs"), pushes = !refs && streq(service, "git-receive-pack");
        char query[64], path[64], type[64], limit[64];
        const struct {
                const char *name, *value;
        } variables[] = {
                { "GIT_PROJECT_ROOT", dir },   { "GIT_HTTP_EXPORT_ALL", "1" },    { "REMOTE_USER", "geard" },
                { "PATH_INFO", path },         { "REQUEST_METHOD", refs ? "GET" : "POST" },
                { "QUERY_STRING", query },     { "CONTENT_TYPE", type },          { "HTTP_CONTENT_ENCODING", coding },
                { "GIT_PROTOCOL", protocol },
        };
        struct git_words w = { 0 };
        int r = pushes ? quarantine_enter(dir) : 0;

        if (r < 0) {
                fprintf(stderr, "the repository cannot be locked: %s\n", strerror(-r));
                return EX_CANTCREAT;
        }
        (void) snprintf(path, sizeof path, "/%s", refs ? "info/refs" : service);
        (void) snprintf(query, sizeof query, "%s%s", refs ? "service=" : "", refs ? service : "");
        (void) snprintf(limit, sizeof limit, "receive.maxInputSize=%" PRIu64,
                        pushes ? room_for_push(dir, size_max) : size_max);
        (void) snprintf(type, sizeof type, "application/x-%s-request", service);
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                if (*variables[i].value && setenv(variables[i].name, variables[i].value, 1) < 0)
                        return EX_OSERR;
        /* What is answered with "ok" is on the disk, and nothing goes on behind the unit's end. */
        git_add(&w, "-c");
        git_add(&w, "core.fsync=committed,reference");
        git_add(&w, "-c");
        git_add(&w, "core.fsyncMethod=batch");
        git_add(&w, "-c");
        git_add(&w, "gc.autoDetach=false");
        git_add(&w, "-c");
        git_add(&w, limit);
        git_add(&w, "-c");
        git_add(&w, "receive.unpackLimit=1"); /* what comes as deltas would be many times as large apart */
        git_add(&w, "http-backend");
        return git_become(&w);
}

/* --- what there is ------------------------------------------------------------------------------------ */

int show_description(const char *dir)
{
        struct git_words head = { 0 }, refs = { 0 };
        char name[NAME_MAX_BYTES];

        git_add_in(&head, dir);
        git_add(&head, "symbolic-ref");
        git_add(&head, "--quiet");
        git_add(&head, "HEAD");
        if (git_capture(&head, name, sizeof name) == 0)
                (void) printf("head %s\n", name);
        if (printf("size %" PRIu64 "\n", size_on_disk(dir)) < 0 || fflush(stdout) != 0)
                return EX_IOERR;
        git_add_in(&refs, dir);
        git_add(&refs, "for-each-ref");
        git_add(&refs, "--format=ref %(objectname) %(refname)");
        return git_become(&refs);
}
