/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How gear-unit, as the ExecStopPost of a gear, tells systemd and the log what ended
 * the run, where the status of the docker client counts as success.
 */

#define RUN_END_KILLED 1       /* the container was killed, though nobody wished a stop */
#define RUN_END_ENGINE_GONE 75 /* EX_TEMPFAIL */
