/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Answers: the one table from faults to HTTP statuses, and the two spellings
 * (JSON when asked for, else text for a person) of everything we say.
 */

#include "api/call.h"

int answer_status(const struct fault *fault);

/* All of these end the reply and clear call->reply. */
void answer_fault(struct call *call, const struct fault *fault);
/* An error that is HTTP's own and no fault's: one sentence without a final stop. */
void answer_problem(struct call *call, int status, const char *detail);
void answer_json(struct call *call, int status, const struct text *json);
void answer_text(struct call *call, int status, const char *text);
/* One of the two, by what the client prefers. */
void answer_either(struct call *call, int status, const char *text, const struct text *json);
void answer_empty(struct call *call, int status);

/* What a stream is made of. */
enum stream_form {
        STREAM_OUTPUT,  /* of a container: nothing of ours could be told from it */
        STREAM_WORDS,   /* lines for people */
        STREAM_OBJECTS, /* a JSON object per line */
        STREAM_EVENTS,
};
/* Ends a stream whose caller may see no more of it, and says so last, as a line, a problem or an event. */
void answer_no_longer(struct reply *reply, enum stream_form form);

/* The same for someone who is no longer a call: a stored outcome. */
void answer_outcome(struct reply *reply, bool json, const struct outcome *outcome);
/* An outcome from a fault, and from an answer. Out of memory leaves the strings NULL, which is legal. */
void outcome_of_fault(struct outcome *ret, const struct fault *fault);
void outcome_of(struct outcome *ret, int status, const char *text, struct text *json);
void outcome_header(struct outcome *o, const char *name, const char *format, ...) _printf_(3, 4);
