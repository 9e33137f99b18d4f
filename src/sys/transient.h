/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A unit without a file: what runs once, under systemd's eyes and not under
 * ours, so that it outlives us and what it may do is the kernel's business.
 * Settings go over the bus as they are: nothing of a tenant may stand in one that
 * systemd writes into a file unescaped (Description=, SyslogIdentifier= …).
 */

#include "sys/systemd.h"

enum setting_kind {
        SETTING_STRING,
        SETTING_BOOL,
        SETTING_I32,
        SETTING_U32,
        SETTING_U64,
        SETTING_STRINGS,
        SETTING_COMMAND,   /* Exec*=: the words, the first an absolute path; $ has no meaning */
        SETTING_ALLOW,     /* only these (SystemCallFilter=, RestrictAddressFamilies=) */
        SETTING_BINDS,     /* pairs: from, to, both behind a - where they may be missing (Bind*Paths=); with what is mounted below */
        SETTING_PAIRS,     /* TemporaryFileSystem=: where, options; LoadCredential=: name, path */
        SETTING_FIELDS,    /* LogExtraFields=: NAME=value each */
        SETTING_FD,        /* Standard*FileDescriptor=: is duplicated, and stays the caller's */
};

struct setting {
        const char *name;
        enum setting_kind kind;
        const char *string;
        const char *const *strings; /* NULL-terminated */
        uint64_t number;            /* … flag or descriptor */
};

#define SET_STRING(n, v)  ((struct setting){ .name = (n), .kind = SETTING_STRING, .string = (v) })
#define SET_BOOL(n, v)    ((struct setting){ .name = (n), .kind = SETTING_BOOL, .number = (v) })
#define SET_I32(n, v)     ((struct setting){ .name = (n), .kind = SETTING_I32, .number = (uint64_t) (v) })
#define SET_U32(n, v)     ((struct setting){ .name = (n), .kind = SETTING_U32, .number = (v) })
#define SET_U64(n, v)     ((struct setting){ .name = (n), .kind = SETTING_U64, .number = (v) })
#define SET_FD(n, v)      ((struct setting){ .name = (n), .kind = SETTING_FD, .number = (uint64_t) (v) })
#define SET_LIST(n, k, v) ((struct setting){ .name = (n), .kind = (k), .strings = (v) })

/*
 * Starts it, and follows the job to its end: for one of Type=oneshot that is the
 * end of what it does.  A unit of that name must not be loaded: CONFLICT.
 */
struct systemd_op *systemd_transient(struct systemd *s, const char *unit, const struct setting *settings, size_t n,
                                     systemd_job_done *done, void *arg);
