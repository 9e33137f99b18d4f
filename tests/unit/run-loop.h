/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The loop of a test: it ends, or the test fails. */

#include "sys/loop.h"

/* Until something calls loop_stop(); that takes too long when nothing does. said: what happened so far, for the message. */
void run_loop(struct loop *l, const char *said);
/* Until so much time has passed, or something calls loop_stop(). */
void run_loop_for(struct loop *l, uint64_t usec, const char *said);
