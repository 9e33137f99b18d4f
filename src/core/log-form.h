/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which records of a log are wanted, and in what form.  Made once, then only
 * looked at, by any number of threads.
 */

#include "core/log-entry.h"
#include "util/fault.h"
#include "util/text.h"

enum log_format { LOG_TEXT, LOG_JSON, LOG_EVENTS, LOG_EXPORT };

#define LOG_GREP_MAX 512

struct log_form;

struct log_form_options {
        enum log_format format;
        const char
                *grep; /* a Perl-compatible expression, NULL: any line; small letters match capitals, too */
        int priority;  /* this and what is more urgent; 7: any */
        uint64_t until_usec; /* what was written later ends it */
        bool named;          /* of several gears: every line says whose it is */
        bool gzip;           /* a batch comes as part of a gzip body */
};

/* INVALID naming grep when that is no expression. */
int log_form_new(const struct log_form_options *o, struct log_form **ret, struct fault *f);
struct log_form *log_form_ref(struct log_form *form); /* on the loop only */
struct log_form *log_form_unref(struct log_form *form);
DEFINE_CLEANUP(struct log_form, log_form_unref);

bool log_form_equal(const struct log_form *a, const struct log_form *b);
enum log_format log_form_format(const struct log_form *form);
bool log_form_gzip(const struct log_form *form);

/* Does the entry end it? */
bool log_form_is_over(const struct log_form *form, const struct log_entry *e);
bool log_form_wants(const struct log_form *form, const struct log_entry *e);

void log_form_render(const struct log_form *form, const struct log_entry *e, struct text *t);

/* The record as the format has it; named: a text line says whose it is. Marks are told from lines in all of
 * them. */
void log_render(enum log_format format, bool named, const struct log_entry *e, struct text *t);

const char *log_format_type(enum log_format format); /* its media type */
