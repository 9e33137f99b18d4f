/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Answers that are logs.  Whose log it is may take a while to find out: in between
 * is log_stream_open(), after which the answer is no longer the call's, and log_stream_begin().
 */

#include "api/call.h"

struct log_stream;

/*
 * A unit, and which it is of those that had its name. identifier: "" for any.  service:
 * unit is its template, and all of its instances are meant; "" for a unit of its own.
 */
struct log_source {
        char unit[SERVICE_UNIT_NAME_MAX], identifier[SERVICE_UNIT_NAME_MAX];
        char service[GEAR_ID_MAX + 1];
        uint64_t created_usec;
        bool runs_once; /* a job */
};

/* Takes the reply, unless it fails. named: each line says whose it is. */
int log_stream_open(struct call *call, bool named, struct log_stream **ret, struct fault *f);
/* Either ends it, now or later. */
void log_stream_begin(struct log_stream *s, const struct log_source *sources, size_t n);
void log_stream_refuse(struct log_stream *s, const struct fault *fault);

extern const struct route_table log_routes;
