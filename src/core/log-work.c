/* SPDX-License-Identifier: Apache-2.0 */

#include "core/log-work.h"

/* What a slow client may be owed at once, beside one line of whatever length. */
#define OUTPUT_MAX ((size_t) 64 * 1024)

struct log_work {
        struct log_output *outputs;
        size_t n;
};

struct log_work *log_work_new(void)
{
        return calloc(1, sizeof(struct log_work));
}

struct log_work *log_work_free(struct log_work *w)
{
        if (!w)
                return NULL;
        for (size_t i = 0; i < w->n; i++) {
                (void) log_form_unref(w->outputs[i].form);
                text_reset(&w->outputs[i].text);
                gzip_part_reset(&w->outputs[i].part);
        }
        free(w->outputs);
        free(w);
        return NULL;
}

const struct log_output *log_work_output(const struct log_work *w, const struct log_form *form)
{
        for (size_t i = 0; i < w->n; i++)
                if (w->outputs[i].form == form || log_form_equal(w->outputs[i].form, form))
                        return &w->outputs[i];
        return NULL;
}

int log_work_add(struct log_work *w, struct log_form *form)
{
        struct log_output *outputs;

        if (log_work_output(w, form))
                return 0;
        outputs = reallocarray(w->outputs, w->n + 1, sizeof *outputs);
        if (!outputs)
                return -ENOMEM;
        w->outputs = outputs;
        outputs[w->n++] = (struct log_output){ .form = log_form_ref(form) };
        return 0;
}

bool log_work_wants(const struct log_work *w, const struct log_entry *e)
{
        for (size_t i = 0; i < w->n; i++)
                if (log_form_wants(w->outputs[i].form, e))
                        return true;
        return false;
}

bool log_work_take(struct log_work *w, const struct log_entry *e)
{
        bool more = false, full = false;

        for (size_t i = 0; i < w->n; i++) {
                struct log_output *output = &w->outputs[i];

                output->over = output->over || log_form_is_over(output->form, e);
                if (!output->over && log_form_wants(output->form, e))
                        log_form_render(output->form, e, &output->text);
                full = full || output->text.len >= OUTPUT_MAX;
                more = more || !output->over;
        }
        return more && !full;
}

static void finish(struct log_output *o)
{
        if (!text_ok(&o->text)) {
                o->error = -ENOMEM;
        } else if (log_form_gzip(o->form)) {
                o->error = gzip_part(o->text.data, o->text.len, &o->part);
                text_reset(&o->text);
        }
}

void log_work_finish(struct log_work *w)
{
        for (size_t i = 0; i < w->n; i++)
                finish(&w->outputs[i]);
}
