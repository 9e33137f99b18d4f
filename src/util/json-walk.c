/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The strict walker in front of the JSON reader.  It builds nothing but the
 * list of member names, decoded, since "\u0061" and "a" are the same name.
 */

#include "util/json-walk.h"

#include "util/json.h"
#include "util/text.h"

#define NUMBER_MAX 64     /* bytes of one number */
#define NAME_SHOWN_MAX 64 /* bytes of a name in a fault */

struct member {
        size_t object; /* which object it stands in, numbered in order of appearance */
        size_t name;   /* offset into walk.names */
        size_t len;
        size_t at; /* offset into the document */
};

struct walk {
        const unsigned char *start, *p, *end;
        const char *what;
        struct fault *fault;
        unsigned depth;
        size_t objects;
        size_t values; /* members and elements so far */
        struct member *members;
        size_t n_members;
        struct text names;
};

static int walk_value(struct walk *w);

static int refuse(const struct walk *w, const unsigned char *at, const char *why)
{
        return fault_set(w->fault, FAULT_INVALID, w->what, "%s: %s at byte %zu", w->what, why,
                         (size_t) (at - w->start));
}

static void skip_blanks(struct walk *w)
{
        while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\n' || *w->p == '\r'))
                w->p++;
}

static bool take(struct walk *w, char c)
{
        if (w->p == w->end || *w->p != (unsigned char) c)
                return false;
        w->p++;
        return true;
}

static int hex4(struct walk *w, uint32_t *ret)
{
        uint32_t value = 0;

        for (int i = 0; i < 4; i++, w->p++) {
                const char *digits = "0123456789abcdef0123456789ABCDEF", *d;

                d = w->p < w->end && *w->p ? strchr(digits, *w->p) : NULL;
                if (!d)
                        return refuse(w, w->p, "bad \\u escape");
                value = value << 4 | (uint32_t) ((d - digits) & 15);
        }
        *ret = value;
        return 0;
}

static void add_utf8(struct text *t, uint32_t c)
{
        if (c < 0x80) {
                text_addc(t, (char) c);
                return;
        }
        if (c < 0x800) {
                text_addc(t, (char) (0xC0 | c >> 6));
        } else {
                if (c < 0x10000) {
                        text_addc(t, (char) (0xE0 | c >> 12));
                } else {
                        text_addc(t, (char) (0xF0 | c >> 18));
                        text_addc(t, (char) (0x80 | (c >> 12 & 0x3F)));
                }
                text_addc(t, (char) (0x80 | (c >> 6 & 0x3F)));
        }
        text_addc(t, (char) (0x80 | (c & 0x3F)));
}

/* After "\u". */
static int walk_unicode_escape(struct walk *w, struct text *decoded)
{
        const unsigned char *at = w->p - 2;
        uint32_t c = 0, low = 0;
        int r = hex4(w, &c);

        if (r < 0)
                return r;
        if (c == 0)
                return refuse(w, at, "NUL");
        if (c >= 0xDC00 && c <= 0xDFFF)
                return refuse(w, at, "lone surrogate");
        if (c >= 0xD800 && c <= 0xDBFF) {
                if (!take(w, '\\') || !take(w, 'u'))
                        return refuse(w, at, "lone surrogate");
                r = hex4(w, &low);
                if (r < 0)
                        return r;
                if (low < 0xDC00 || low > 0xDFFF)
                        return refuse(w, at, "lone surrogate");
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        }
        if (decoded)
                add_utf8(decoded, c);
        return 0;
}

/* After the backslash. */
static int walk_escape(struct walk *w, struct text *decoded)
{
        static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
        const char *e;

        if (take(w, 'u'))
                return walk_unicode_escape(w, decoded);
        e = w->p < w->end && *w->p ? strchr(escapes, *w->p) : NULL;
        if (!e)
                return refuse(w, w->p - 1, "bad escape");
        w->p++;
        if (decoded)
                text_addc(decoded, meanings[e - escapes]);
        return 0;
}

/* After the opening quote; decoded may be NULL. */
static int walk_string(struct walk *w, struct text *decoded)
{
        int r;

        while (w->p < w->end && *w->p != '"') {
                uint32_t c;
                size_t n;

                if (take(w, '\\')) {
                        r = walk_escape(w, decoded);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (*w->p < 0x20)
                        return refuse(w, w->p, *w->p ? "control character in a string" : "NUL");
                n = utf8_decode(w->p, (size_t) (w->end - w->p), &c);
                if (n == 0)
                        return refuse(w, w->p, "invalid UTF-8");
                if (decoded)
                        text_addn(decoded, w->p, n);
                w->p += n;
        }
        if (!take(w, '"'))
                return refuse(w, w->p, "unfinished string");
        return 0;
}

static size_t skip_digits(struct walk *w)
{
        const unsigned char *from = w->p;

        while (w->p < w->end && *w->p >= '0' && *w->p <= '9')
                w->p++;
        return (size_t) (w->p - from);
}

/* The reader behind us would saturate silently. */
static bool integer_fits(const unsigned char *digits, size_t n, bool negative)
{
        char copy[NUMBER_MAX + 1];
        uint64_t value;

        memcpy(copy, digits, n);
        copy[n] = '\0';
        return parse_u64(copy, negative ? (uint64_t) INT64_MAX + 1 : UINT64_MAX, &value);
}

static int walk_number(struct walk *w)
{
        const unsigned char *from = w->p, *digits;
        bool negative = take(w, '-'), whole = true;
        size_t n;

        digits = w->p;
        n = skip_digits(w);
        if (n == 0 || (n > 1 && *digits == '0'))
                return refuse(w, from, n == 0 ? "unexpected character" : "number with a leading zero");
        if (take(w, '.')) {
                whole = false;
                if (skip_digits(w) == 0)
                        return refuse(w, from, "number without digits after the point");
        }
        if (take(w, 'e') || take(w, 'E')) {
                whole = false;
                if (!take(w, '+'))
                        (void) take(w, '-');
                if (skip_digits(w) == 0)
                        return refuse(w, from, "number without digits in the exponent");
        }
        if (w->p - from > NUMBER_MAX || (whole && !integer_fits(digits, n, negative)))
                return refuse(w, from, "number too large");
        return 0;
}

static int walk_word(struct walk *w, const char *word)
{
        size_t n = strlen(word);

        if ((size_t) (w->end - w->p) < n || memcmp(w->p, word, n) != 0)
                return refuse(w, w->p, "unexpected character");
        w->p += n;
        return 0;
}

/* Counts a member or element. */
static int count_value(struct walk *w)
{
        if (++w->values > JSON_MEMBERS_MAX)
                return fault_set(w->fault, FAULT_INVALID, w->what, "%s: more than %d names and elements",
                                 w->what, JSON_MEMBERS_MAX);
        return 0;
}

/* Up to and with the colon. */
static int walk_name(struct walk *w, size_t object)
{
        struct member *members, *m;
        size_t at = (size_t) (w->p - w->start);
        int r;

        if (!take(w, '"'))
                return refuse(w, w->p, "expected a name");
        members = reallocarray(w->members, w->n_members + 1, sizeof *members);
        if (!members)
                return fault_oom(w->fault);
        w->members = members;
        m = &members[w->n_members++];
        *m = (struct member){ .object = object, .name = w->names.len, .at = at };
        r = walk_string(w, &w->names);
        if (r < 0)
                return r;
        m->len = w->names.len - m->name;
        skip_blanks(w);
        if (!take(w, ':'))
                return refuse(w, w->p, "expected ':'");
        return 0;
}

/* The members of an object or, without names, the elements of an array, and the closing bracket. */
static int walk_members(struct walk *w, bool named, char close)
{
        size_t object = w->objects++;
        int r;

        skip_blanks(w);
        if (take(w, close))
                return 0;
        for (;;) {
                skip_blanks(w);
                r = count_value(w);
                if (r == 0 && named)
                        r = walk_name(w, object);
                if (r == 0)
                        r = walk_value(w);
                if (r < 0)
                        return r;
                skip_blanks(w);
                if (take(w, close))
                        return 0;
                if (!take(w, ','))
                        return refuse(w, w->p, "expected ',' or a closing bracket");
        }
}

static int walk_nested(struct walk *w)
{
        bool named = *w->p == '{';
        int r;

        if (++w->depth > JSON_DEPTH_MAX)
                return fault_set(w->fault, FAULT_INVALID, w->what, "%s: nested deeper than %d at byte %zu",
                                 w->what, JSON_DEPTH_MAX, (size_t) (w->p - w->start));
        w->p++;
        r = walk_members(w, named, named ? '}' : ']');
        w->depth--;
        return r;
}

static int walk_value(struct walk *w)
{
        skip_blanks(w);
        if (w->p == w->end)
                return refuse(w, w->p, "unexpected end");
        switch (*w->p) {
        case '{':
        case '[':
                return walk_nested(w);
        case '"':
                w->p++;
                return walk_string(w, NULL);
        case 't':
                return walk_word(w, "true");
        case 'f':
                return walk_word(w, "false");
        case 'n':
                return walk_word(w, "null");
        default:
                return walk_number(w);
        }
}

static int compare_members(const void *a, const void *b, void *names)
{
        const struct member *x = a, *y = b;
        int c;

        if (x->object != y->object)
                return x->object < y->object ? -1 : 1;
        if (x->len != y->len)
                return x->len < y->len ? -1 : 1;
        c = memcmp((const char *) names + x->name, (const char *) names + y->name, x->len);
        return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* Sorting finds the duplicates in a time that no choice of names can stretch. */
static int refuse_duplicates(struct walk *w)
{
        _cleanup_text_ struct text shown = { 0 };
        const struct member *first = NULL;

        text_add(&w->names, ""); /* names that are all empty left it without memory */
        if (!text_ok(&w->names))
                return fault_oom(w->fault);
        if (w->n_members < 2)
                return 0;
        qsort_r(w->members, w->n_members, sizeof *w->members, compare_members, w->names.data);
        for (size_t i = 1; i < w->n_members; i++) {
                const struct member *a = &w->members[i - 1], *b = &w->members[i];

                if (a->object == b->object && a->len == b->len &&
                    memcmp(w->names.data + a->name, w->names.data + b->name, a->len) == 0 &&
                    (!first || b->at < first->at))
                        first = b;
        }
        if (!first)
                return 0;
        json_outn(&shown, w->names.data + first->name,
                  first->len < NAME_SHOWN_MAX ? first->len : NAME_SHOWN_MAX);
        return fault_set(w->fault, FAULT_INVALID, w->what, "%s: duplicate name %s at byte %zu", w->what,
                         text_ok(&shown) ? shown.data : "", first->at);
}

int json_walk(const char *bytes, size_t n, const char *what, struct fault *f)
{
        const unsigned char *start = (const unsigned char *) bytes;
        struct walk w = { .start = start, .p = start, .end = start + n, .what = what, .fault = f };
        int r;

        r = walk_value(&w);
        if (r == 0) {
                skip_blanks(&w);
                r = w.p < w.end ? refuse(&w, w.p, "unexpected text after the value") : refuse_duplicates(&w);
        }
        free(w.members);
        text_reset(&w.names);
        return r;
}
