/* SPDX-License-Identifier: Apache-2.0 */

#include "core/log-form.h"

#include <limits.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/*
 * An expression may take a line apart in more ways than anybody has time for.
 * One that runs into these does not match.
 */
#define STEPS_MAX 100000
#define DEPTH_MAX 1000
#define HEAP_MAX_KB 1024

struct log_form {
        unsigned refs;
        struct log_form_options options;
        char *grep;
        pcre2_code *code;
        pcre2_match_context *limits;
};

/* As journalctl has it: an expression without capitals matches both. */
static bool has_capital(const char *s)
{
        for (; *s; s++)
                if (*s >= 'A' && *s <= 'Z')
                        return true;
        return false;
}

static int compile(struct log_form *form, struct fault *f)
{
        uint32_t flags = PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_DOTSTAR_ANCHOR;
        PCRE2_UCHAR reason[128] = "";
        int error;
        size_t at;

        if (!has_capital(form->grep))
                flags |= PCRE2_CASELESS;
        form->code = pcre2_compile((PCRE2_SPTR) form->grep, PCRE2_ZERO_TERMINATED, flags | PCRE2_UTF, &error,
                                   &at, NULL);
        if (!form->code) {
                (void) pcre2_get_error_message(error, reason, sizeof reason);
                return fault_set(f, FAULT_INVALID, "grep", "grep: %s, at byte %zu", (const char *) reason,
                                 at);
        }
        form->limits = pcre2_match_context_create(NULL);
        if (!form->limits)
                return fault_oom(f);
        (void) pcre2_set_match_limit(form->limits, STEPS_MAX);
        (void) pcre2_set_depth_limit(form->limits, DEPTH_MAX);
        (void) pcre2_set_heap_limit(form->limits, HEAP_MAX_KB);
        return 0;
}

int log_form_new(const struct log_form_options *o, struct log_form **ret, struct fault *f)
{
        _cleanup_(log_form_unrefp) struct log_form *form = calloc(1, sizeof *form);
        int r;

        if (!form)
                return fault_oom(f);
        form->refs = 1;
        form->options = *o;
        if (o->grep) {
                if (strlen(o->grep) > LOG_GREP_MAX)
                        return fault_set(f, FAULT_INVALID, "grep", "grep: at most %d bytes", LOG_GREP_MAX);
                form->grep = strdup(o->grep);
                if (!form->grep)
                        return fault_oom(f);
                form->options.grep = form->grep;
                r = compile(form, f);
                if (r < 0)
                        return r;
        }
        *ret = TAKE(form);
        return 0;
}

struct log_form *log_form_ref(struct log_form *form)
{
        form->refs++;
        return form;
}

struct log_form *log_form_unref(struct log_form *form)
{
        if (!form || --form->refs > 0)
                return NULL;
        pcre2_code_free(form->code);
        pcre2_match_context_free(form->limits);
        free(form->grep);
        free(form);
        return NULL;
}

bool log_form_equal(const struct log_form *a, const struct log_form *b)
{
        const struct log_form_options *x = &a->options, *y = &b->options;

        return x->format == y->format && x->priority == y->priority && x->until_usec == y->until_usec &&
               x->named == y->named && x->gzip == y->gzip && streq_null(x->grep, y->grep);
}

enum log_format log_form_format(const struct log_form *form)
{
        return form->options.format;
}

bool log_form_gzip(const struct log_form *form)
{
        return form->options.gzip;
}

bool log_form_is_over(const struct log_form *form, const struct log_entry *e)
{
        return e->kind != LOG_GONE && e->realtime_usec > form->options.until_usec;
}

static bool matches(const struct log_form *form, const struct log_entry *e)
{
        pcre2_match_data *found = pcre2_match_data_create(1, NULL);
        int r = PCRE2_ERROR_NOMEMORY;

        if (found)
                r = pcre2_match(form->code, (PCRE2_SPTR) e->message, e->message_len, 0, 0, found,
                                form->limits);
        pcre2_match_data_free(found);
        return r >= 0;
}

/*
 * What is missing is always told.  A failure that only repeats how the main
 * process ended is not.
 */
bool log_form_wants(const struct log_form *form, const struct log_entry *e)
{
        static const char *const told[] = { "exit-code", "signal", "core-dump" };

        if (e->kind == LOG_GONE || e->kind == LOG_SUPPRESSED)
                return true;
        for (size_t i = 0; e->kind == LOG_FAILED && i < ARRAY_SIZE(told); i++)
                if (streq(e->result, told[i]))
                        return false;
        if (e->priority > form->options.priority)
                return false;
        return !form->code || (e->kind == LOG_LINE && matches(form, e));
}

void log_form_render(const struct log_form *form, const struct log_entry *e, struct text *t)
{
        log_render(form->options.format, form->options.named, e, t);
}
