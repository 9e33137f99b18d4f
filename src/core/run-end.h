/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What gear-unit tells systemd and the log.  As the ExecStopPost of a gear: what ended
 * the run, where the status of the docker client counts as success.
 */

#define RUN_END_KILLED 1       /* the container was killed, though nobody wished a stop */
#define RUN_END_ENGINE_GONE 75 /* EX_TEMPFAIL */

/* As the main process of a job, in its status text: printf's and scanf's format are the same here. */
#define JOB_STATUS "attempt %u of %u"
#define JOB_STATUS_PEAK "at most %" PRIu64 " bytes of memory"
