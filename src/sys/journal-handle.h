/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One handle on the journal, used by one thread at a time.  What it looks at
 * and where it stands is set anew for every slice of a reader, which costs some
 * microseconds: so a few handles serve any number of readers, and only they
 * cost descriptors and memory.
 */

#include "sys/journal-scope.h"
#include "util/text.h"

struct journal_handle;

/* files: only these, NULL-terminated, which must outlive it; NULL: the journal of this host. */
struct journal_handle *journal_handle_new(const char *const *files);
struct journal_handle *journal_handle_free(struct journal_handle *h);
DEFINE_CLEANUP(struct journal_handle, journal_handle_free);

/* Closes what it has open; the next aim opens it again. */
void journal_handle_rest(struct journal_handle *h);

/*
 * All below answer -errno on failure, after which the handle rests.
 * -EAGAIN: this host has no journal yet.  The scope must live until the next aim.
 */
int journal_handle_aim(struct journal_handle *h, const struct journal_scope *scope);

/* Where to stand, before the first step. */
int journal_handle_seek_head(struct journal_handle *h, uint64_t since_usec); /* … and not before the oldest of the sources */
int journal_handle_seek_tail(struct journal_handle *h, uint64_t until_usec); /* 0: at the very end */

/* Behind the entry of this cursor, or at it; or, when it is not kept any more, at the first later one. */
enum journal_found { JOURNAL_FOUND, JOURNAL_FOUND_LATER, JOURNAL_FOUND_NONE };
int journal_handle_seek_cursor(struct journal_handle *h, const char *cursor, bool at,
                               enum journal_found *ret);

/*
 * Of the whole journal, whatever the scope.  Behind the first two the handle has no
 * place, and is to seek one.
 */
int journal_handle_keeps(struct journal_handle *h, const char *cursor); /* is the entry there? 1 or 0 */
/* The last entry before this one (NULL: of all that are not quite new); "" for none. */
int journal_handle_last(struct journal_handle *h, const char *before, char ret[static LOG_CURSOR_MAX]);
uint64_t journal_handle_oldest(const struct journal_handle *h); /* when it was written; UINT64_MAX: unknown */

/* A step; 1, or 0 when there is none in that direction. */
int journal_handle_next(struct journal_handle *h);
int journal_handle_previous(struct journal_handle *h);

/*
 * The entry it stands at: 1, or 0 for one that is not the sources'.  Valid until
 * the next step.  What cannot be read of a damaged journal is 0, too.
 */
int journal_handle_read(struct journal_handle *h, struct log_entry *ret, bool with_cursor);

/*
 * Of the entry it stands at: is it of a former one, and nothing of the sources before it?  Only
 * after a read; of several sources, this can be told where they were noted behind the aim.
 */
bool journal_handle_is_older(const struct journal_handle *h);
int journal_handle_note_oldest(struct journal_handle *h); /* before a seek */
/*
 * Of the entry it stands at: does it lack what journald gives every entry?  libsystemd
 * leaves out a field that it cannot read, and one that journald is about to link
 * into the file is such.  Only after a read.
 */
bool journal_handle_is_torn(const struct journal_handle *h);
/* When it was written; 0 where that cannot be read. */
uint64_t journal_handle_time(const struct journal_handle *h);

/* Of the entry it stands at: is it the first part of a longer line?  Only after a read. */
bool journal_handle_is_part(const struct journal_handle *h);
/* Which stream of the container wrote it, "" if unknown. */
const char *journal_handle_stream(const struct journal_handle *h);
int journal_handle_cursor(struct journal_handle *h, char ret[static LOG_CURSOR_MAX]);
/* All of its fields in the journal's export format, without those that describe the docker client. */
int journal_handle_export(struct journal_handle *h, struct text *t);
