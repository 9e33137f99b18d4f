/* SPDX-License-Identifier: Apache-2.0 */

/* Configuration files, line by line. */

#include "util/config-file.h"

#include "util/text.h"

#define BLANKS " \t\r"

struct reader {
        const char *next;   /* the rest of the text */
        unsigned number;    /* lines read so far */
        struct text joined; /* the current logical line */
        char *section;
        const char *file;
};

static int complain(const struct reader *r, unsigned number, const char *why, struct fault *f)
{
        return fault_set(f, FAULT_INVALID, NULL, "%s:%u: %s", r->file, number, why);
}

static bool is_comment(const char *s, size_t n)
{
        size_t blanks = strspn(s, BLANKS);

        return blanks < n && (s[blanks] == '#' || s[blanks] == ';');
}

/*
 * The next logical line into r->joined.  A comment between continued lines is
 * left out, and does not end them.  False at the end of the text.
 */
static bool next_line(struct reader *r, unsigned *ret_number)
{
        bool more = false;

        text_truncate(&r->joined, 0);
        for (;;) {
                const char *s = r->next;
                size_t n = strcspn(s, "\n");

                if (!*s)
                        return more;
                r->next = s[n] ? s + n + 1 : s + n;
                r->number++;
                if (is_comment(s, n))
                        continue;
                if (!more)
                        *ret_number = r->number;
                if (n > 0 && s[n - 1] == '\r')
                        n--;
                more = n > 0 && s[n - 1] == '\\';
                text_addn(&r->joined, s, more ? n - 1 : n);
                if (!more)
                        return true;
                text_addc(&r->joined, ' ');
        }
}

/* Cuts the blanks off both ends, in place. */
static char *trim(char *s)
{
        size_t n;

        s += strspn(s, BLANKS);
        n = strlen(s);
        while (n > 0 && strchr(BLANKS, s[n - 1]))
                n--;
        s[n] = '\0';
        return s;
}

static int begin_section(struct reader *r, char *s, unsigned number, struct fault *f)
{
        size_t n = strlen(s);

        if (n < 3 || s[n - 1] != ']' || memchr(s + 1, ']', n - 2))
                return complain(r, number, "a section is written [Name]", f);
        s[n - 1] = '\0';
        free(r->section);
        r->section = strdup(s + 1);
        return r->section ? 0 : fault_oom(f);
}

static int split_assignment(const struct reader *r, char *s, struct config_line *line, struct fault *f)
{
        char *equals = strchr(s, '=');

        if (!equals || equals == s)
                return complain(r, line->number, "neither [Section] nor Key=value", f);
        if (!r->section)
                return complain(r, line->number, "stands before the first [Section]", f);
        *equals = '\0';
        line->key = trim(s);
        line->value = trim(equals + 1);
        return 0;
}

static int parse_lines(struct reader *r,
                       int (*each)(void *arg, const struct config_line *line, struct fault *f), void *arg,
                       struct fault *f)
{
        unsigned number = 0;
        int result;

        while (next_line(r, &number)) {
                struct config_line line = { .file = r->file, .number = number };
                char *s;

                if (!text_ok(&r->joined))
                        return fault_oom(f);
                s = trim(r->joined.data);
                if (!*s)
                        continue;
                result = *s == '[' ? begin_section(r, s, number, f) : split_assignment(r, s, &line, f);
                line.section = r->section;
                if (result == 0)
                        result = each(arg, &line, f);
                if (result < 0)
                        return result;
        }
        return 0;
}

int config_file_parse(const char *text, const char *file,
                      int (*line)(void *arg, const struct config_line *line, struct fault *f), void *arg,
                      struct fault *f)
{
        struct reader reader = { .next = text, .file = file };
        int r = parse_lines(&reader, line, arg, f);

        free(reader.section);
        text_reset(&reader.joined);
        return r;
}
