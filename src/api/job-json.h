/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A job in its two spellings. */

#include "core/job.h"

/* spec, output: NULL leaves them out. */
void job_to_json(const struct job *job, const char *spec, const char *output, struct text *t);
/* A row of the list, and all of one. */
void job_to_row(const struct job *job, struct text *t);
void job_to_text(const struct job *job, const char *output, struct text *t);
/* "succeeded after 1.2 s", "failed: it exited with status 3". */
void job_sentence(const struct job *job, struct text *t);
