/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Requests whose outcome an earlier life did not live to write down.  They are
 * under way for whoever asks again, until the host tells what became of them.
 */

#include "daemon.h"

/* Runs the loop for as long as reading takes, before anything else is on it. A fault: they stay unknown. */
int recall_requests(struct daemon *d, struct fault *f);
/* geard stops before it is known: the next start asks again. */
void recall_leave(struct daemon *d);
