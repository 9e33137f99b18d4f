/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whose entries a reader looks at, and what the fields of an entry say of whose it is. */

#include "core/log-entry.h"

/* Whose entries: lines by their trusted unit and identifier, and what is said of that unit. */
struct journal_source {
        const char *unit;       /* gear-1.service, or the template gear-web@.service of … */
        const char *service;    /* … web: its instances', who are called gear-web@3 each; NULL: of no service */
        const char *identifier; /* lines with another one are a helper's, not the container's; NULL: any */
        uint64_t created_usec;  /* which it is of those that had this name, one after the other; 0: any */
        bool runs_once;         /* its unit has started when all is done, and ends when it is forgotten */
};

struct journal_scope {
        const struct journal_source *sources;
        size_t n_sources;
        const char *invocation; /* lines of this run only; NULL: of any */
        bool marks;             /* also what systemd and journald say of these units */
};

/* The fields we know, as strings cut to what is possible. */
struct journal_fields {
        char unit[128], subject[128], object[128], identifier[128];
        char pid[16], uid[16], transport[16], priority[4], stream[64], line_break[16];
        char message_id[64], run[LOG_ID_LEN + 1], subject_run[LOG_ID_LEN + 1], object_run[LOG_ID_LEN + 1];
        char created[24], service[64];
        char code[16], status[16], result[32], dropped[24], restarts[24], command[24];
        char instance[128]; /* no field: the name of the service's it is of */
};

void journal_fields_clear(struct journal_fields *f);
/* One of the entry's, NAME=value; of those that are not known nothing is kept. */
void journal_fields_take(struct journal_fields *f, const char *data, size_t name_len, size_t len);

/* MESSAGE_ID= of what marks are made of, one after the other; NULL behind the last. */
const char *journal_mark_id(size_t i);

/* Is the unit the source's, or one of its? */
bool journal_source_has(const struct journal_source *source, const char *unit);

/*
 * Which of the scope's it is, and what is said of it in e, which holds as long as the
 * fields do; NULL: of none.
 */
const struct journal_source *journal_fields_source(struct journal_fields *f, const struct journal_scope *scope,
                                                   struct log_entry *e);

/* Does it lack what journald gives every entry? */
bool journal_fields_torn(const struct journal_fields *f, const struct journal_scope *scope, bool has_message);
