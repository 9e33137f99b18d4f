/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Why a gear does not run, for people: what its exit status means, and the
 * last lines it wrote.
 */

#include "daemon.h"

struct failure;

/* "exited with status 127: the command was not found", from what systemd tells. */
void failure_of_exit(struct text *t, int exit_code, int exit_status, bool oom_killed);

/*
 * Gathers the last lines of the gear's run (its journal may lag a little) and
 * answers with a fault of the kind, the sentence `what`, the meaning of the exit
 * status, and those lines.  Where a spec is given (borrowed) and it is the engine
 * that refused a field of it, the fault is about that field instead.
 */
struct failure *failure_explain(struct daemon *d, const struct gear *gear, const struct spec *spec,
                                enum fault_kind kind, const char *what,
                                void (*done)(void *arg, const struct fault *fault), void *arg);
struct failure *failure_cancel(struct failure *f);
