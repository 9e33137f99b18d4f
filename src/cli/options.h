/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Options from tables: what is parsed, and what --help tells, come from the same
 * lines.  An option sets one member of its group's owner.
 */

#include "util/base.h"
#include "util/fault.h"

#define CLI_OPTIONS_MAX 32 /* of one verb */

enum {
        _OPTIONS_E_SUCCESS,
        OPTIONS_E_HELPED, /* --help was given and answered: nothing else is to do */
};

/* A value for the member; NULL where it may be left out, and was. Negative with the sentence, without the
 * option's name. */
typedef int option_take(const char *value, void *member, struct fault *f);

struct cli_option {
        char letter;       /* 0: none */
        const char *name;  /* without the dashes; NULL ends the table */
        const char *value; /* what --help calls it, in brackets if it may be left out; NULL: a flag */
        const char *claim; /* of a token, whose faults are this option's; NULL: none */
        option_take *take;
        size_t offset;
        const char *help; /* lines end in `\n' but for the last */
};

struct option_group {
        const char *title;                /* NULL: goes on with the one before */
        const struct cli_option *options; /* NULL ends the groups */
        void *owner;
};

struct usage {
        const char *verb;     /* "token narrow" */
        const char *operands; /* "[TOKEN|-]" */
        size_t operands_max;
        const char *about; /* what --help begins with, whole lines */
};

/* 0, OPTIONS_E_HELPED, or negative. The operands stand in argv, NULL-terminated. */
int options_parse(const struct usage *u, const struct option_group *groups, int argc, char **argv,
                  char ***ret_operands, struct fault *f);

/* A fault about a claim becomes one about the option that sets it. */
void options_blame(const struct cli_option *options, struct fault *f);

option_take take_flag; /* bool */
option_take take_word; /* const char *, of argv itself */
option_take take_text; /* char *, owned; UTF-8 */
option_take take_list; /* char **, owned: given again it grows, commas separate */
option_take take_time; /* uint64_t, seconds since 1970: 1h from now, @N, or a time of RFC 3339 */
