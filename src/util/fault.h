/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A failure that a client must be able to understand: what kind it is, one
 * sentence, and the field or limit it is about.  Filled where the cause is
 * known; turned into an HTTP status in exactly one table (api/answer.c).
 *
 * A function that takes a `struct fault *` fills it whenever it returns a
 * negative value, and never touches it on success.
 */

#include "util/base.h"

enum fault_kind {
        FAULT_NONE,
        FAULT_INVALID,     /* the request is wrong: names the field */
        FAULT_UNKNOWN_WHO, /* no credentials */
        FAULT_DENIED,      /* credentials that do not allow this */
        FAULT_MISSING,     /* the thing named is not there */
        FAULT_CONFLICT,    /* something else holds the name, port, id … */
        FAULT_TOO_LARGE,   /* over a stated limit */
        FAULT_FAILED,      /* it was tried and did not work: the gear's own doing */
        FAULT_UPSTREAM,    /* the engine or a registry refused or broke */
        FAULT_TIMEOUT,     /* it took longer than allowed */
        FAULT_AWAY,        /* systemd's bus or the engine is not there: try later */
        FAULT_BUSY,        /* a limit of ours is reached: try later */
        FAULT_NO_SPACE,    /* the disk is full */
        FAULT_INTERNAL,    /* our own fault, or the machine's */
};

#define FAULT_TEXT_MAX 1024
#define FAULT_FIELD_MAX 96

struct fault {
        enum fault_kind kind;
        unsigned retry_after;        /* seconds, 0 for none */
        char field[FAULT_FIELD_MAX]; /* "" where no field is to blame */
        char text[FAULT_TEXT_MAX];
};

/* Fills the fault and returns -EINVAL, so that `return fault_set(…)` reads well. */
int fault_set(struct fault *f, enum fault_kind kind, const char *field,
              const char *format, ...) _printf_(4, 5);

/* The same for a failed system call: picks the kind from the errno. Returns -error. */
int fault_errno(struct fault *f, int error, const char *format, ...) _printf_(3, 4);

/* Out of memory. Returns -ENOMEM. */
int fault_oom(struct fault *f);
