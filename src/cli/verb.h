/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The verbs of gear.  Each gets the words from its own name on, writes what was
 * asked for to stdout, and returns 0 or negative with the fault filled, which
 * main says on stderr and turns into an exit status.  A positive return is an
 * exit status as it is.
 */

#include "util/fault.h"

typedef int verb_run(int argc, char **argv, struct fault *f);

verb_run keygen_run, token_run, token_show_run, audit_run, audit_verify_run, log_run;
