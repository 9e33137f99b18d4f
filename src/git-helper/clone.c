/* SPDX-License-Identifier: Apache-2.0 */

/*
 * git checks the objects of a pack that upload-pack sends (fetch.fsckObjects), and
 * nothing of what it gathers file by file from a plain web server.  Which of the two
 * it did only its trace tells: what was not seen to be checked is checked afterwards.
 */

#include "git-helper/clone.h"

#include "git-helper/git.h"
#include "git-helper/remote.h"
#include "git-helper/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#define TRACE "/tmp/trace"
#define TRACE_VARIABLE "GIT_TRACE2_EVENT"

struct room {
        const char *dir;
        uint64_t max, size; /* as it was seen last */
};

static bool has_room(void *arg)
{
        struct room *room = arg;

        room->size = size_on_disk(room->dir);
        return room->size <= room->max;
}

static int too_large(const struct room *room)
{
        fprintf(stderr, "it takes %" PRIu64 " bytes on the disk, and a repository may have %" PRIu64 " (RepositoryMax=)\n", room->size,
                room->max);
        return EX_CANTCREAT;
}

/* A server may send for ever: what has come is looked at on the way, too. */
static int run_clone(const char *dir, const struct clone *c)
{
        struct room room = { .dir = dir, .max = c->size_max };
        const struct relay_watch watch = { .goes_on = has_room, .arg = &room };
        const char *url = c->url;
        struct git_words w = { 0 };
        struct remote remote;
        int r;

        if (c->public_only) {
                r = remote_hold(url, &remote);
                if (r != 0)
                        return r;
                remote_add(&remote, &w);
                url = remote.url;
        }
        git_add(&w, "-c");
        git_add(&w, "fetch.fsckObjects=true");
        git_add(&w, "clone");
        git_add(&w, "--bare");
        git_add(&w, "--progress");
        git_add(&w, "--template=");
        git_add(&w, "--");
        git_add(&w, url);
        git_add(&w, dir);
        r = git_run_watched(&w, &watch);
        if (room.size > room.max || (r == EX_OK && !has_room(&room)))
                return too_large(&room);
        return r;
}

/* Of a child that was started; a quote in a word of its is escaped, and so nothing that it was given looks like this. */
static bool is_checking(const char *event)
{
        return strstr(event, "\"child_start\"") && strstr(event, "\"argv\":[\"git\",\"index-pack\"") &&
               (strstr(event, "\"--strict\"") || strstr(event, "\"--fsck-objects\""));
}

static bool was_checked(void)
{
        _cleanup_free_ char *event = NULL;
        FILE *trace = fopen(TRACE, "re");
        bool found = false;
        size_t size = 0;

        while (trace && !found && getline(&event, &size, trace) >= 0)
                found = is_checking(event);
        if (trace)
                (void) fclose(trace);
        return found;
}

static int check(const char *dir)
{
        struct git_words w = { 0 };

        git_add_in(&w, dir);
        git_add(&w, "fsck");
        git_add(&w, "--full");
        git_add(&w, "--strict");
        git_add(&w, "--no-dangling");
        git_add(&w, "--progress");
        return git_run(&w);
}

int clone_into(const char *dir, const struct clone *c)
{
        int r;

        if (setenv(TRACE_VARIABLE, TRACE, 1) < 0)
                return EX_OSERR;
        r = run_clone(dir, c);
        (void) unsetenv(TRACE_VARIABLE);
        if (r == EX_OK && !was_checked())
                r = check(dir);
        (void) unlink(TRACE);
        return r;
}
