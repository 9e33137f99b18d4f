/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A batch of records in every form somebody wants them in: filled in one thread,
 * given out in another, in nobody else's hands in between.
 */

#include "core/log-form.h"
#include "util/gzip.h"

struct log_output {
        struct log_form *form;
        struct text text;
        struct gzip_part part; /* … or this, where the form says so; then text is empty */
        int error;             /* -ENOMEM: something is missing */
        bool over;             /* the record behind this is later than the form's bound */
};

struct log_work;

struct log_work *log_work_new(void);
struct log_work *log_work_free(struct log_work *w);
DEFINE_CLEANUP(struct log_work, log_work_free);

/* 0 or -ENOMEM. Of equal forms one is enough. */
int log_work_add(struct log_work *w, struct log_form *form);
const struct log_output *log_work_output(const struct log_work *w, const struct log_form *form);

/* For the thread: does anybody want it; and take it, false when that was enough. */
bool log_work_wants(const struct log_work *w, const struct log_entry *e);
bool log_work_take(struct log_work *w, const struct log_entry *e);
/* … and that was the last one. */
void log_work_finish(struct log_work *w);
