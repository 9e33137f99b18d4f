/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/journal-handle.h"

#include "sys/journal-match.h"
#include "sys/journal-roots.h"
#include "sys/journal-whose.h"
#include "sys/loop.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include <systemd/sd-journal.h>

/* What is older, journald has linked wherever it is looked for. */
#define SETTLED_USEC USEC_PER_SEC

struct journal_handle {
        const char *const *files;
        sd_journal *journal;        /* NULL: rests */
        struct journal_roots roots; /* as they were when it was opened */
        const struct journal_scope *scope;
        bool standing; /* the next step forward is to where it stands */
        struct journal_fields f;
        bool former; /* the entry is of one that had the name of a source before */
        struct journal_last_run last_run; /* of the marks that were read */
        uint64_t oldest_usec; /* no source is older; 0: that is not known */
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

static int set_matches(struct journal_handle *h)
{
        sd_journal_flush_matches(h->journal);
        return journal_match_scope(h->journal, h->scope);
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
        h->scope = scope;
        h->oldest_usec = 0;
        h->standing = false;
        r = set_matches(h);
        return r < 0 ? fail(h, r) : 0;
}

/* --- where it stands ----------------------------------------------------------------------------- */

static int find_oldest(struct journal_handle *h, uint64_t *ret_usec)
{
        int r = journal_whose_oldest(h->journal, h->scope, ret_usec);

        return r < 0 ? r : set_matches(h);
}

int journal_handle_note_oldest(struct journal_handle *h)
{
        const struct journal_scope *scope = h->scope;
        bool has_others = scope->n_sources > 1 || scope->sources[0].service; /* entries, between a former's and its own */
        int r = has_others ? find_oldest(h, &h->oldest_usec) : 0;

        return r < 0 ? fail(h, r) : 0;
}

int journal_handle_seek_head(struct journal_handle *h, uint64_t since_usec)
{
        uint64_t oldest;
        int r = find_oldest(h, &oldest);

        if (r >= 0 && oldest > since_usec)
                since_usec = oldest;
        if (r >= 0)
                r = since_usec ? sd_journal_seek_realtime_usec(h->journal, since_usec)
                               : sd_journal_seek_head(h->journal);
        h->standing = false;
        return r < 0 ? fail(h, r) : 0;
}

int journal_handle_seek_tail(struct journal_handle *h, uint64_t until_usec)
{
        int r = until_usec ? sd_journal_seek_realtime_usec(h->journal, until_usec) : sd_journal_seek_tail(h->journal);

        h->standing = false;
        return r < 0 ? fail(h, r) : 0;
}

/*
 * When journald writes what was volatile to the disk, the same entry becomes one of another
 * sequence; its boot, its times and its digest are what they were.
 */
static int is_at(struct journal_handle *h, const char *cursor)
{
        char here[LOG_CURSOR_MAX];
        const char *a = strstr(cursor, ";b="), *b;
        int there = sd_journal_test_cursor(h->journal, cursor);

        if (there != 0 || !a)
                return there;
        there = journal_handle_cursor(h, here);
        b = strstr(here, ";b=");
        return there < 0 ? there : b && streq(a, b);
}

int journal_handle_seek_cursor(struct journal_handle *h, const char *cursor, bool at,
                               enum journal_found *ret)
{
        int r = sd_journal_seek_cursor(h->journal, cursor), there = 0;

        h->standing = false;
        if (r >= 0)
                r = sd_journal_next(h->journal);
        if (r > 0)
                there = is_at(h, cursor);
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

/* --- the whole journal ---------------------------------------------------------------------------- */

/* Behind either the handle is to seek anew. */
static void look_at_all(struct journal_handle *h)
{
        sd_journal_flush_matches(h->journal);
        h->standing = false;
}

static int look_at_scope(struct journal_handle *h, int result)
{
        int r = result < 0 ? result : set_matches(h);

        return r < 0 ? fail(h, r) : result;
}

int journal_handle_keeps(struct journal_handle *h, const char *cursor)
{
        int r;

        look_at_all(h);
        r = sd_journal_seek_cursor(h->journal, cursor);
        if (r >= 0)
                r = sd_journal_next(h->journal);
        if (r > 0)
                r = is_at(h, cursor);
        return look_at_scope(h, r);
}

int journal_handle_last(struct journal_handle *h, const char *before, char ret[static LOG_CURSOR_MAX])
{
        int r;

        *ret = '\0';
        look_at_all(h);
        r = before ? sd_journal_seek_cursor(h->journal, before)
                   : sd_journal_seek_realtime_usec(h->journal, wall_usec() - SETTLED_USEC);
        if (r >= 0 && before)
                r = sd_journal_next(h->journal);
        if (r >= 0)
                r = sd_journal_previous(h->journal);
        if (r > 0)
                r = journal_handle_cursor(h, ret);
        return look_at_scope(h, r);
}

uint64_t journal_handle_oldest(const struct journal_handle *h)
{
        uint64_t usec;

        return sd_journal_get_cutoff_realtime_usec(h->journal, &usec, NULL) > 0 ? usec : UINT64_MAX;
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

static int return_to(struct journal_handle *h, const char *cursor)
{
        enum journal_found found;
        int r = set_matches(h);

        return r < 0 ? r : journal_handle_seek_cursor(h, cursor, false, &found);
}

/* Of the mark it stands at; behind it, the handle stands there again, or at the next when that is gone. */
static int find_whose_mark(struct journal_handle *h, const struct journal_source *source, const struct log_entry *e,
                           enum journal_whose *ret)
{
        char here[LOG_CURSOR_MAX];
        int r;

        *ret = journal_whose_known(&h->last_run, source, e->run);
        if (*ret != JOURNAL_UNKNOWN)
                return 0;
        r = journal_handle_cursor(h, here);
        if (r == 0)
                r = journal_whose_mark(h->journal, source, e, &h->last_run, ret);
        if (r >= 0)
                r = return_to(h, here);
        return r < 0 ? fail(h, r) : 0;
}

/*
 * Is it of the very gear that is meant?  Its lines say so.  What systemd and journald
 * say of its unit does not: the lines of the same run do, and where there are none, the
 * time.  The clock may have been set back since, or between one gear and the next.
 */
static int is_meant(struct journal_handle *h, const struct journal_source *source, const struct log_entry *e)
{
        bool in_time = e->realtime_usec >= source->created_usec;
        enum journal_whose whose = JOURNAL_UNKNOWN;
        int r = 0;

        if (!source->created_usec)
                return 1;
        if (e->kind != LOG_LINE)
                r = find_whose_mark(h, source, e, &whose);
        else if (*h->f.created)
                whose = journal_whose(h->f.created, source);
        else if (!in_time)
                whose = JOURNAL_FORMERS;
        h->former = whose == JOURNAL_FORMERS;
        return r < 0 ? r : whose == JOURNAL_UNKNOWN ? in_time : whose == JOURNAL_OWN;
}

int journal_handle_read(struct journal_handle *h, struct log_entry *ret, bool with_cursor)
{
        struct log_entry e = { .name = "", .run = "", .cursor = "" };
        const struct journal_source *source;
        int r;

        h->former = false;
        if (!read_fields(h) || sd_journal_get_realtime_usec(h->journal, &e.realtime_usec) < 0)
                return 0;
        source = journal_fields_source(&h->f, h->scope, &e);
        if (!source)
                return 0;
        r = is_meant(h, source, &e);
        if (r <= 0)
                return r;
        e.message = h->message.data ? h->message.data : "";
        e.message_len = h->message.len;
        e.priority = to_priority(h->f.priority);
        if (with_cursor) {
                r = journal_handle_cursor(h, h->cursor);
                if (r < 0)
                        return r;
                e.cursor = h->cursor;
        }
        *ret = e;
        return 1;
}

bool journal_handle_is_older(const struct journal_handle *h)
{
        return journal_handle_time(h) < h->oldest_usec || (h->former && h->scope->n_sources == 1);
}

bool journal_handle_is_torn(const struct journal_handle *h)
{
        return journal_fields_torn(&h->f, h->scope, h->has_message);
}

uint64_t journal_handle_time(const struct journal_handle *h)
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
