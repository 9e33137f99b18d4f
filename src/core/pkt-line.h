/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * git's own framing, four hex digits of a length and then the bytes, as far as
 * the record of a push needs it: the commands at its beginning, and what git says
 * of each in its answer.  It only looks on: what it does not understand it skips.
 */

#include "util/text.h"

#define PUSH_REFS_MAX 8 /* told of by name; all are counted */

struct pkt_lines {
        char head[5];
        size_t n_head, left; /* digits seen; bytes of the line still to come */
        struct text line;
        bool over;           /* nobody wants more, or it is none of git's framing */
};

/* `take' gets each line, NULL for a flush; false: no more. */
void pkt_lines_read(struct pkt_lines *p, const char *bytes, size_t n,
                    bool (*take)(void *arg, const char *line, size_t n), void *arg);

/* What a push asked for, and what became of it. */
struct push_story {
        struct pkt_lines asked, told, inner; /* inner: what stands in band 1 of what is told */
        struct text wanted, done;            /* "refs/heads/main, refs/tags/v1" */
        struct text refused;                 /* "refs/heads/x (non-fast-forward)" */
        unsigned n_asked, n_done, n_refused;
        bool banded; /* the client wants the answer in bands */
        bool sealed; /* what is asked for stands in a certificate, which nobody invited */
};

void push_story_asked(struct push_story *s, const char *bytes, size_t n);
void push_story_told(struct push_story *s, const char *bytes, size_t n);
/*
 * "updated refs/heads/main, refs/tags/v1 and 2 more; refused refs/heads/x (non-fast-forward)";
 * where git said nothing: "asked for refs/heads/main".
 */
void push_story_tell(const struct push_story *s, struct text *ret);
void push_story_reset(struct push_story *s);
