/* SPDX-License-Identifier: Apache-2.0 */

#include "core/pkt-line.h"

#include <stdio.h>

#define BAND_DATA 1
#define HASH_MIN 40        /* hex digits of a SHA-1 */
#define NAME_TOLD_MAX 100 /* bytes of a name, so that none hides the others */

/* --- lines ------------------------------------------------------------------------------------------ */

static void begin_line(struct pkt_lines *p, bool (*take)(void *arg, const char *line, size_t n), void *arg)
{
        unsigned long size = strtoul(p->head, NULL, 16);
        bool hex = strspn(p->head, "0123456789abcdefABCDEF") == 4;

        p->n_head = 0;
        text_truncate(&p->line, 0);
        if (!hex || (size > 0 && size < 4))
                p->over = true;
        else if (size <= 4)
                p->over = !take(arg, size == 0 ? NULL : "", 0);
        else
                p->left = size - 4;
}

void pkt_lines_read(struct pkt_lines *p, const char *bytes, size_t n,
                    bool (*take)(void *arg, const char *line, size_t n), void *arg)
{
        while (n > 0 && !p->over) {
                size_t k = 1;

                if (p->left == 0) {
                        p->head[p->n_head++] = *bytes;
                        if (p->n_head == 4)
                                begin_line(p, take, arg);
                } else {
                        k = n < p->left ? n : p->left;
                        text_addn(&p->line, bytes, k);
                        p->left -= k;
                        if (p->left == 0)
                                p->over = !text_ok(&p->line) || !take(arg, p->line.data, p->line.len);
                }
                bytes += k;
                n -= k;
        }
}

/* --- a push ----------------------------------------------------------------------------------------- */

static void add_name(struct text *list, unsigned *count, const char *name, size_t n, const char *reason)
{
        if ((*count)++ >= PUSH_REFS_MAX)
                return;
        text_addf(list, "%s%.*s", list->len ? ", " : "", n < NAME_TOLD_MAX ? (int) n : NAME_TOLD_MAX, name);
        if (reason)
                text_addf(list, " (%.*s)", NAME_TOLD_MAX, reason);
}

/* "OLD NEW REF" → "REF", or NULL. git takes capitals, too. */
static const char *name_in(const char *line)
{
        static const char digits[] = "0123456789abcdefABCDEF";
        size_t old = strspn(line, digits), new;

        if (old < HASH_MIN || line[old] != ' ')
                return NULL;
        new = strspn(line + old + 1, digits);
        return new == old && line[old + 1 + new] == ' ' ? line + old + new + 2 : NULL;
}

/* Behind the first command stands a NUL and what the client is capable of. */
static bool take_command(void *arg, const char *line, size_t n)
{
        struct push_story *s = arg;
        const char *name;
        size_t known;

        if (!line)
                return false;
        known = strlen(line);
        if (known < n && strstr(line + known + 1, "side-band"))
                s->banded = true;
        if (starts_with(line, "push-cert"))
                s->sealed = true;
        name = name_in(line);
        if (name)
                add_name(&s->wanted, &s->n_asked, name, strcspn(name, "\n"), NULL);
        return true;
}

void push_story_asked(struct push_story *s, const char *bytes, size_t n)
{
        pkt_lines_read(&s->asked, bytes, n, take_command, s);
}

/* "ok REF", "ng REF REASON", and others. */
static bool take_report(void *arg, const char *line, size_t n _unused_)
{
        struct push_story *s = arg;
        char copy[1024], *reason;

        if (!line)
                return false;
        (void) snprintf(copy, sizeof copy, "%s", line);
        copy[strcspn(copy, "\n")] = '\0';
        if (starts_with(copy, "ok ")) {
                add_name(&s->done, &s->n_done, copy + 3, strlen(copy + 3), NULL);
        } else if (starts_with(copy, "ng ")) {
                reason = strchr(copy + 3, ' ');
                add_name(&s->refused, &s->n_refused, copy + 3, strcspn(copy + 3, " "), reason ? reason + 1 : NULL);
        }
        return true;
}

static bool take_band(void *arg, const char *line, size_t n)
{
        struct push_story *s = arg;

        if (line && n > 0 && line[0] == BAND_DATA)
                pkt_lines_read(&s->inner, line + 1, n - 1, take_report, s);
        return line;
}

void push_story_told(struct push_story *s, const char *bytes, size_t n)
{
        pkt_lines_read(&s->told, bytes, n, s->banded ? take_band : take_report, s);
}

static void tell(struct text *t, const char *what, const struct text *list, unsigned n)
{
        if (n == 0)
                return;
        text_addf(t, "%s%s %s", t->len ? "; " : "", what, text_ok(list) && list->data ? list->data : "");
        if (n > PUSH_REFS_MAX)
                text_addf(t, " and %u more", n - PUSH_REFS_MAX);
}

void push_story_tell(const struct push_story *s, struct text *ret)
{
        tell(ret, "updated", &s->done, s->n_done);
        tell(ret, "refused", &s->refused, s->n_refused);
        if (s->n_done + s->n_refused == 0)
                tell(ret, "asked for", &s->wanted, s->n_asked);
}

void push_story_reset(struct push_story *s)
{
        text_reset(&s->asked.line);
        text_reset(&s->told.line);
        text_reset(&s->inner.line);
        text_reset(&s->wanted);
        text_reset(&s->done);
        text_reset(&s->refused);
}
