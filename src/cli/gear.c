/* SPDX-License-Identifier: Apache-2.0 */

/* gear: the verbs, and what a failure of one is to the shell. */

#include "build-config.h"
#include "cli/verb.h"

#include <stdio.h>
#include <sysexits.h>

static const struct verb {
        const char *name;
        verb_run *run;
        const char *summary;
} verbs[] = {
        { "keygen", keygen_run, "make a key for tokens" },
        { "token", token_run, "mint a token, or show, narrow or encrypt one" },
        { "log", log_run, "what gears wrote and what became of their runs" },
        { "audit", audit_run, "what was changed on this host, or whether the record of it is whole" },
};

static void help(void)
{
        puts("usage: gear VERB ...\n\nVerbs:");
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                printf("  %-8s%s\n", verbs[i].name, verbs[i].summary);
        puts("\nEvery verb tells more with --help; gear(1) has it all.");
}

static int exit_status(enum fault_kind kind)
{
        switch (kind) {
        case FAULT_INVALID:
                return EX_USAGE;
        case FAULT_FAILED:
        case FAULT_TOO_LARGE:
                return EX_DATAERR;
        case FAULT_MISSING:
                return EX_NOINPUT;
        case FAULT_UNKNOWN_WHO:
        case FAULT_DENIED:
                return EX_NOPERM;
        case FAULT_CONFLICT:
                return EX_CANTCREAT;
        case FAULT_NO_SPACE:
                return EX_IOERR;
        case FAULT_BUSY:
        case FAULT_AWAY:
        case FAULT_TIMEOUT:
                return EX_TEMPFAIL;
        default:
                return EX_OSERR;
        }
}

/* A disk that is full shows here, and a token that was cut must not look like a success. */
static int finish(int r, const struct fault *f)
{
        if (r < 0)
                fprintf(stderr, "gear: %s\n", f->text);
        if (fflush(stdout) != 0 || ferror(stdout)) {
                fprintf(stderr, "gear: standard output cannot be written\n");
                return r < 0 ? exit_status(f->kind) : EX_IOERR;
        }
        return r < 0 ? exit_status(f->kind) : r;
}

static int run(int argc, char **argv, struct fault *f)
{
        if (argc < 2)
                return fault_set(f, FAULT_INVALID, NULL, "what is to be done? gear --help tells");
        if (streq(argv[1], "--help") || streq(argv[1], "-h") || streq(argv[1], "help")) {
                help();
                return 0;
        }
        if (streq(argv[1], "--version")) {
                puts("gear " PACKAGE_VERSION);
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                if (streq(argv[1], verbs[i].name))
                        return verbs[i].run(argc - 1, argv + 1, f);
        return fault_set(f, FAULT_INVALID, NULL, "%s: no verb of gear; gear --help has them", argv[1]);
}

int main(int argc, char **argv)
{
        struct fault f = { 0 };
        int r = run(argc, argv, &f);

        return finish(r, &f);
}
