/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gear-git: what a job's unit does with one repository, and the only place from
 * which git is called.
 *
 *   create DIR        an empty bare repository in this empty directory
 *   clone DIR URL     a bare copy of another one
 *   remove DIR        empties it
 *   describe DIR      its head, size and refs
 *   archive DIR FORMAT REF[/PATH]
 *   serve DIR refs|body SERVICE CODING PROTOCOL
 *                     what git-http-backend says, and is told
 *
 * It runs in the unit's sandbox, as a user who owns nothing but repositories, and
 * believes that whoever calls it has checked the URL; git is told all the same
 * which transports there are.  What git says goes to standard error line by line,
 * its progress a few times a second.
 */

#include "core/git-ref.h"
#include "git-helper/clone.h"
#include "git-helper/git.h"
#include "git-helper/show.h"
#include "util/text.h"

#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sysexits.h>

#define DESCRIPTORS_AT_ONCE 16
#define LITTLE_ROOM (64 * 1024) /* bytes; what git could not write may have been more */

struct options {
        const char *protocols; /* "https:ssh" */
        const char *branch, *description, *key;
        uint64_t size_max;
        bool reflog, no_rewinds, public_only;
};

static int complain(const char *what)
{
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        return errno == ENOSPC || errno == EDQUOT ? EX_CANTCREAT : EX_OSERR;
}

/* --- what is in a new one ------------------------------------------------------------------------- */

static _printf_(4, 5) int write_into(const char *dir, const char *name, const char *mode, const char *format, ...)
{
        char path[4096];
        FILE *file;
        va_list ap;
        bool good;

        (void) snprintf(path, sizeof path, "%s/%s", dir, name);
        file = fopen(path, mode);
        if (!file)
                return complain(name);
        va_start(ap, format);
        good = vfprintf(file, format, ap) >= 0;
        va_end(ap);
        return fclose(file) == 0 && good ? EX_OK : complain(name);
}

static int describe(const char *dir, const char *description)
{
        return write_into(dir, "description", "we", "%s\n", description);
}

/* Behind what git wrote there; a process for each of these would take as long as all the rest. */
static int configure(const struct options *o, const char *dir)
{
        int r = write_into(dir, "config", "ae",
                           "[core]\n\tlogAllRefUpdates = %s\n\thooksPath = /dev/null\n"
                           "[receive]\n\tdenyNonFastForwards = %s\n\tfsckObjects = true\n"
                           "[pack]\n\twindowMemory = 64m\n",
                           o->reflog ? "true" : "false", o->no_rewinds ? "true" : "false");

        return r == EX_OK && o->description ? describe(dir, o->description) : r;
}

/* All that git and we wrote is on the disk before anybody hears of it. */
static int sync_all(const char *dir)
{
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 || syncfs(fd) < 0 ? complain("cannot be written to the disk") : EX_OK;
}

static int finish(const struct options *o, const char *dir)
{
        int r = configure(o, dir);

        return r == EX_OK ? sync_all(dir) : r;
}

/* git says which file it could not write, and not always why. */
static void tell_room(const char *dir)
{
        struct statvfs s;
        uint64_t room;

        if (statvfs(dir, &s) < 0)
                return;
        room = (uint64_t) s.f_bavail * s.f_frsize;
        if (room < LITTLE_ROOM)
                fprintf(stderr, "its disk is full: %" PRIu64 " bytes are left\n", room);
        else if (s.f_files > 0 && s.f_favail == 0)
                fputs("its disk is full: no inode is left\n", stderr);
}

/* What git has come to with it. */
static int conclude(const struct options *o, const char *dir, int r)
{
        if (r == EX_OK)
                r = finish(o, dir);
        if (r != EX_OK)
                tell_room(dir);
        return r;
}

static int make_new(const struct options *o, const char *dir)
{
        char branch[300];
        struct git_words w = { 0 };

        (void) snprintf(branch, sizeof branch, "--initial-branch=%s", o->branch);
        git_add(&w, "init");
        git_add(&w, "--quiet");
        git_add(&w, "--bare");
        git_add(&w, "--template=");
        git_add(&w, branch);
        git_add(&w, "--");
        git_add(&w, dir);
        return conclude(o, dir, git_run(&w));
}

static int make_copy(const struct options *o, const char *dir, const char *url)
{
        return conclude(o, dir,
                        clone_into(dir, &(struct clone){ .url = url, .public_only = o->public_only, .size_max = o->size_max }));
}

/* --- taking away ------------------------------------------------------------------------------------ */

static int remove_one(const char *path, const struct stat *st _unused_, int type, struct FTW *where)
{
        /* A directory that its owner closed to itself. */
        if (type == FTW_DNR && (chmod(path, 0700) < 0 || nftw(path, remove_one, DESCRIPTORS_AT_ONCE, FTW_DEPTH | FTW_PHYS) != 0))
                return -1;
        return where->level == 0 ? 0 : remove(path);
}

static int empty(const char *dir)
{
        if (nftw(dir, remove_one, DESCRIPTORS_AT_ONCE, FTW_DEPTH | FTW_PHYS) != 0)
                return complain("cannot be removed");
        return EX_OK;
}

/* --- argv --------------------------------------------------------------------------------------------- */

static int usage(void)
{
        fputs("gear-git [OPTION...] create|remove|describe DIR\n"
              "gear-git [OPTION...] clone DIR URL\n"
              "gear-git archive DIR FORMAT REF[/PATH]\n"
              "gear-git serve DIR refs|body SERVICE CODING PROTOCOL\n"
              "  --protocols=A:B     transports git may use\n"
              "  --branch=NAME       the first branch of a new one\n"
              "  --description=TEXT\n"
              "  --reflog            keep what branches were before\n"
              "  --no-rewinds        refuse pushes that are no fast-forward\n"
              "  --public-only       clone from hosts on the Internet only\n"
              "  --key=NAME          the credential of the unit with which ssh clones\n"
              "  --max-size=BYTES    of what a clone or a push may make of it\n",
              stderr);
        return EX_USAGE;
}

static int act(const struct options *o, int argc, char **argv)
{
        const char *verb = argc > 0 ? argv[0] : "";

        if (git_set_environment(o->protocols, o->key) < 0)
                return complain("cannot set the environment");
        if (argc == 2 && streq(verb, "remove"))
                return empty(argv[1]);
        if (git_find() != 0)
                return GIT_NOT_THERE;
        if (argc == 2 && streq(verb, "create"))
                return make_new(o, argv[1]);
        if (argc == 3 && streq(verb, "clone"))
                return make_copy(o, argv[1], argv[2]);
        if (argc == 2 && streq(verb, "describe"))
                return show_description(argv[1]);
        if (argc == 4 && streq(verb, "archive"))
                return show_archive(argv[1], argv[2], argv[3]);
        if (argc == 6 && streq(verb, "serve"))
                return show_service(argv[1], argv[2], argv[3], argv[4], argv[5], o->size_max);
        return usage();
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                { "protocols", required_argument, NULL, 'p' }, { "branch", required_argument, NULL, 'b' },
                { "description", required_argument, NULL, 'd' }, { "reflog", no_argument, NULL, 'r' },
                { "no-rewinds", no_argument, NULL, 'n' }, { "public-only", no_argument, NULL, 'o' },
                { "key", required_argument, NULL, 'k' },
                { "max-size", required_argument, NULL, 'm' },
                { 0 },
        };
        struct options o = { .protocols = "", .branch = "main", .size_max = UINT64_MAX };
        int c;

        while ((c = getopt_long(argc, argv, "+", options, NULL)) >= 0)
                switch (c) {
                case 'p':
                        o.protocols = optarg;
                        break;
                case 'b':
                        o.branch = optarg;
                        break;
                case 'd':
                        o.description = optarg;
                        break;
                case 'r':
                        o.reflog = true;
                        break;
                case 'n':
                        o.no_rewinds = true;
                        break;
                case 'o':
                        o.public_only = true;
                        break;
                case 'm':
                        if (!parse_u64(optarg, UINT64_MAX, &o.size_max))
                                return usage();
                        break;
                case 'k':
                        o.key = optarg;
                        break;
                default:
                        return usage();
                }
        (void) umask(027);
        (void) signal(SIGXFSZ, SIG_IGN); /* git says better what is too large than its death would */
        return act(&o, argc - optind, argv + optind);
}
