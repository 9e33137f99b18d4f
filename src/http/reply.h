/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The answer to one request.  It outlives the client: after the client has
 * left every call below is a harmless no-op, and exactly one call that ends it
 * (reply_send, reply_end or reply_abort) must still be made; that call frees it.
 */

#include "util/gzip.h"

struct reply;

/* Extra headers, before reply_send()/reply_begin(). A value with CR, LF or NUL is dropped. */
void reply_header(struct reply *r, const char *name, const char *value);
void reply_headerf(struct reply *r, const char *name, const char *format, ...) _printf_(3, 4);

/* A whole answer with Content-Length. The bytes are copied. HEAD sends no body. Ends the reply. */
void reply_send(struct reply *r, int status, const char *type, const void *body, size_t len);

/*
 * A stream: head first, at once; then chunks (HTTP/1.1) or bytes until close
 * (HTTP/1.0).  reply_write() answers true while the client keeps up; after false
 * the caller stops producing until `drained` is called; it is false for good
 * once the client has left.  reply_abort() ends it so that the client can tell
 * that something is missing; before reply_begin() it closes without an answer.
 */
void reply_begin(struct reply *r, int status, const char *type);
bool reply_write(struct reply *r, const void *bytes, size_t len);

/*
 * Before reply_begin(): the stream is compressed if http_accepts_gzip() says that
 * its client takes that.  Bytes that are written are compressed at once, which is
 * for a few; who has many does that in a thread, and writes the part.
 */
void reply_gzip(struct reply *r);
bool reply_write_part(struct reply *r, const struct gzip_part *part);

/*
 * A body that was not read in advance (server_hooks.streams).  Each piece is
 * taken, all of it; false: no more until reply_receive_more().  The end comes
 * once: whole, or broken off, where the reply has yet to be ended.
 */
struct upload_hooks {
        bool (*bytes)(void *arg, const char *bytes, size_t n);
        void (*end)(void *arg, bool whole);
        void *arg;
};
void reply_receive(struct reply *r, const struct upload_hooks *hooks);
void reply_receive_more(struct reply *r);

void reply_end(struct reply *r);
void reply_abort(struct reply *r);

/*
 * Either may be NULL. `gone` is called at most once, from the loop, never after
 * the reply ended; it may end it.  When a departure is noticed: connection.c.
 */
void reply_watch(struct reply *r, void (*drained)(void *arg), void (*gone)(void *arg), void *arg);

bool reply_is_gone(const struct reply *r);
bool reply_begun(const struct reply *r);

/* For the access line: an id the handler settled on. Copied. */
void reply_note_request_id(struct reply *r, const char *id);
