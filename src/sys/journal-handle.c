/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/journal-handle.h"

#include "sys/journal-roots.h"
#include "sys/loop.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include <systemd/sd-journal.h>

#define MATCH_MAX 512

struct journal_handle {
        const char *const *files;
        sd_journal *journal;        /* NULL: rests */
        struct journal_roots roots; /* as they were when it was opened */
        const struct journal_scope *scope;
        bool standing; /* the next step forward is to where it stands */
        struct journal_fields f;
        struct text message; /* a copy: the next field may unmap it */
        bool has_message;
        char cursor[LOG_CURSOR_MAX];
};

struct journal_handle *journal_handle_new(const char *const *files)
{
        struct journal_handle *h = calloc(1, sizeof *h);

        if (h)
                h->files = files;
        return h;
}

void journal_handle_rest(struct journal_handle *h)
{
        sd_journal_close(h->journal);
        h->journal = NULL;
        text_reset(&h->message);
}

struct journal_handle *journal_handle_free(struct journal_handle *h)
{
        if (!h)
                return NULL;
        journal_handle_rest(h);
        free(h);
        return NULL;
}

/* --- what it looks at ---------------------------------------------------------------------------- */

static int open_journal(struct journal_handle *h)
{
        int r;

        if (h->files) {
                r = sd_journal_open_files(&h->journal, (const char **) (uintptr_t) h->files, 0);
        } else {
                journal_roots_look(&h->roots);
                r = sd_journal_open(&h->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
                /* libsystemd opens what it may, and is content with nothing. */
                if (r >= 0 && sd_journal_has_persistent_files(h->journal) == 0 &&
                    sd_journal_has_runtime_files(h->journal) == 0)
                        r = journal_roots_missing();
        }
        if (r == 0)
                r = sd_journal_set_data_threshold(h->journal, 0);
        /* From here on the handle is told of files that come and go. */
        if (r == 0)
                r = sd_journal_get_fd(h->journal);
        return r < 0 ? r : 0;
}

static int add_match(sd_journal *j, const char *name, const char *value)
{
        char match[MATCH_MAX];
        int n;

        if (!value)
                return 0;
        n = snprintf(match, sizeof match, "%s=%s", name, value);
        if (n < 0 || (size_t) n >= sizeof match)
                return -ENAMETOOLONG;
        return sd_journal_add_match(j, match, (size_t) n);
}

/*
 * Entries that only claim to be about the unit are found by this, too: they are
 * told apart when read, which costs nothing more.
 */
static int match_source(sd_journal *j, const struct journal_scope *scope,
                        const struct journal_source *source)
{
        int r = sd_journal_add_disjunction(j);

        if (r >= 0)
                r = add_match(j, "_SYSTEMD_UNIT", source->unit);
        if (r >= 0)
                r = add_match(j, "_SYSTEMD_INVOCATION_ID", scope->invocation);
        if (r < 0 || !scope->marks)
                return r;
        r = sd_journal_add_disjunction(j);
        if (r >= 0)
                r = add_match(j, "UNIT", source->unit);
        if (r >= 0)
                r = sd_journal_add_disjunction(j);
        if (r >= 0)
                r = add_match(j, "OBJECT_SYSTEMD_UNIT", source->unit);
        return r;
}

static int fail(struct journal_handle *h, int error)
{
        journal_handle_rest(h);
        return error;
}

static bool has_moved(const struct journal_handle *h)
{
        struct journal_roots now;

        if (h->files)
                return false;
        journal_roots_look(&now);
        return !journal_roots_same(&now, &h->roots);
}

int journal_handle_aim(struct journal_handle *h, const struct journal_scope *scope)
{
        int r = 0;

        if (h->journal && has_moved(h))
                journal_handle_rest(h);
        if (!h->journal)
                r = open_journal(h);

        /* Files may have come or gone since the last slice. */
        if (r >= 0)
                r = sd_journal_process(h->journal);
        if (r < 0)
                return fail(h, r);
        sd_journal_flush_matches(h->journal);
        for (size_t i = 0; r >= 0 && i < scope->n_sources; i++)
                r = match_source(h->journal, scope, &scope->sources[i]);
        h->scope = scope;
        h->standing = false;
        return r < 0 ? fail(h, r) : 0;
}

/* --- where it stands ----------------------------------------------------------------------------- */

int journal_handle_seek_head(struct journal_handle *h, uint64_t since_usec)
{
        int r = since_usec ? sd_journal_seek_realtime_usec(h->journal, since_usec)
                           : sd_journal_seek_head(h->journal);

        h->standing = false;
        return r < 0 ? fail(h, r) : 0;
}

int journal_handle_seek_tail(struct journal_handle *h)
{
        int r = sd_journal_seek_tail(h->journal);

        h->standing = false;
        return r < 0 ? fail(h, r) : 0;
}

int journal_handle_seek_cursor(struct journal_handle *h, const char *cursor, bool at,
                               enum journal_found *ret)
{
        int r = sd_journal_seek_cursor(h->journal, cursor), there = 0;

        h->standing = false;
        if (r >= 0)
                r = sd_journal_next(h->journal);
        if (r > 0)
                there = sd_journal_test_cursor(h->journal, cursor);
        if (r < 0 || there < 0)
                return fail(h, r < 0 ? r : there);
        h->standing = r > 0 && (at || !there);
        *ret = there > 0 ? JOURNAL_FOUND : r > 0 ? JOURNAL_FOUND_LATER : JOURNAL_FOUND_NONE;
        return 0;
}

int journal_handle_next(struct journal_handle *h)
{
        int r;

        if (h->standing) {
                h->standing = false;
                return 1;
        }
        r = sd_journal_next(h->journal);
        return r < 0 ? fail(h, r) : r;
}

int journal_handle_previous(struct journal_handle *h)
{
        int r = sd_journal_previous(h->journal);

        h->standing = false;
        return r < 0 ? fail(h, r) : r;
}

int journal_handle_cursor(struct journal_handle *h, char ret[static LOG_CURSOR_MAX])
{
        _cleanup_free_ char *cursor = NULL;
        int r = sd_journal_get_cursor(h->journal, &cursor);

        if (r < 0)
                return fail(h, r);
        if (strlen(cursor) >= LOG_CURSOR_MAX)
                return fail(h, -ENAMETOOLONG);
        memcpy(ret, cursor, strlen(cursor) + 1);
        return 0;
}

/* --- one entry ----------------------------------------------------------------------------------- */

/* All of the entry in one pass: to ask for one field walks over those before it. */
static bool read_fields(struct journal_handle *h)
{
        static const char message[] = "MESSAGE=";
        const void *data;
        size_t len;

        h->has_message = false;
        journal_fields_clear(&h->f);
        text_truncate(&h->message, 0);
        sd_journal_restart_data(h->journal);
        while (sd_journal_enumerate_available_data(h->journal, &data, &len) > 0) {
                const char *equals = memchr(data, '=', len);

                if (!equals)
                        continue;
                if (len >= strlen(message) && memcmp(data, message, strlen(message)) == 0) {
                        h->has_message = true;
                        text_truncate(&h->message, 0);
                        text_addn(&h->message, equals + 1, len - strlen(message));
                } else {
                        journal_fields_take(&h->f, data, (size_t) (equals - (const char *) data), len);
                }
        }
        return h->has_message && text_ok(&h->message);
}

static int to_priority(const char *value)
{
        return value[0] >= '0' && value[0] <= '7' && !value[1] ? value[0] - '0' : 6;
}

int journal_handle_read(struct journal_handle *h, struct log_entry *ret, bool with_cursor)
{
        struct log_entry e = { .name = "", .run = "", .cursor = "" };
        const struct journal_source *source;

        if (!read_fields(h) || sd_journal_get_realtime_usec(h->journal, &e.realtime_usec) < 0)
                return 0;
        source = journal_fields_source(&h->f, h->scope, &e);
        if (!source || e.realtime_usec < source->since_usec)
                return 0;
        e.name = source->identifier ? source->identifier : h->f.identifier;
        e.message = h->message.data ? h->message.data : "";
        e.message_len = h->message.len;
        e.priority = to_priority(h->f.priority);
        if (with_cursor) {
                int r = journal_handle_cursor(h, h->cursor);

                if (r < 0)
                        return r;
                e.cursor = h->cursor;
        }
        *ret = e;
        return 1;
}

bool journal_handle_is_torn(const struct journal_handle *h)
{
        return journal_fields_torn(&h->f, h->scope, h->has_message);
}

uint64_t journal_handle_time(struct journal_handle *h)
{
        uint64_t usec;

        return sd_journal_get_realtime_usec(h->journal, &usec) < 0 ? 0 : usec;
}

bool journal_handle_is_part(const struct journal_handle *h)
{
        return streq(h->f.line_break, "line-max");
}

const char *journal_handle_stream(const struct journal_handle *h)
{
        return h->f.stream;
}

/* --- the export format --------------------------------------------------------------------------- */

static bool is_plain(const char *value, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if ((unsigned char) value[i] < 0x20 && value[i] != '\t')
                        return false;
        return utf8_valid(value, n);
}

static void export_field(struct text *t, const char *data, size_t name_len, size_t len)
{
        const char *value = data + name_len + 1;
        size_t n = len - name_len - 1;
        uint64_t size = htole64(n);

        if (is_plain(value, n)) {
                text_addn(t, data, len);
        } else {
                text_addn(t, data, name_len);
                text_addc(t, '\n');
                text_addn(t, &size, sizeof size);
                text_addn(t, value, n);
        }
        text_addc(t, '\n');
}

/* The command line is that of the docker client around the container, with all that it was given. */
static bool is_exported(const char *data, size_t name_len)
{
        static const char *const left_out[] = { "_CMDLINE", "_BOOT_ID" };

        for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
                if (strlen(left_out[i]) == name_len && memcmp(left_out[i], data, name_len) == 0)
                        return false;
        return true;
}

int journal_handle_export(struct journal_handle *h, struct text *t)
{
        char cursor[LOG_CURSOR_MAX], boot_id[SD_ID128_STRING_MAX];
        uint64_t realtime, monotonic;
        sd_id128_t boot;
        const void *data;
        size_t len;
        int r = journal_handle_cursor(h, cursor);

        if (r < 0)
                return r;
        r = sd_journal_get_realtime_usec(h->journal, &realtime);
        if (r >= 0)
                r = sd_journal_get_monotonic_usec(h->journal, &monotonic, &boot);
        if (r < 0)
                return fail(h, r);
        text_addf(t,
                  "__CURSOR=%s\n__REALTIME_TIMESTAMP=%" PRIu64 "\n__MONOTONIC_TIMESTAMP=%" PRIu64
                  "\n_BOOT_ID=%s\n",
                  cursor, realtime, monotonic, sd_id128_to_string(boot, boot_id));
        sd_journal_restart_data(h->journal);
        while ((r = sd_journal_enumerate_available_data(h->journal, &data, &len)) > 0) {
                const char *equals = memchr(data, '=', len);
                size_t name_len = equals ? (size_t) (equals - (const char *) data) : 0;

                if (equals && is_exported(data, name_len))
                        export_field(t, data, name_len, len);
        }
        text_addc(t, '\n');
        return r < 0 ? fail(h, r) : 0;
}
