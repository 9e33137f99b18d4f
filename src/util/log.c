/* SPDX-License-Identifier: Apache-2.0 */

/*
 * To the journal with fields while stderr is the stream that systemd gave us,
 * to stderr as one line otherwise.  Whatever is in the text, one event stays
 * one line.
 */

#include "util/log.h"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define MESSAGE_MAX 4096

enum log_target { LOG_TO_STDERR, LOG_TO_TTY, LOG_TO_JOURNAL };

/* Set once by log_open(), before anything else runs; only read afterwards. */
static struct {
        const char *identifier;
        enum log_target target;
        int max;
} opened = { .identifier = "geard", .target = LOG_TO_STDERR, .max = LOG_INFO };

/* $JOURNAL_STREAM is "device:inode" of the stream; a redirected stderr is not it. */
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        char is[64];
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        (void) snprintf(is, sizeof is, "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
        return streq(stream, is);
}

void log_open(const char *identifier, int max)
{
        opened.identifier = identifier;
        opened.max = max;
        opened.target = stderr_is_journal()     ? LOG_TO_JOURNAL
                        : isatty(STDERR_FILENO) ? LOG_TO_TTY
                                                : LOG_TO_STDERR;
}

static struct iovec span(const char *s)
{
        return (struct iovec){ .iov_base = (char *) (uintptr_t) s, .iov_len = strlen(s) };
}

/* Control characters as \x0a; what does not fit is cut off. */
static void escape_controls(const char *s, char *ret, size_t size)
{
        size_t n = 0;

        for (; *s && n + sizeof "\\x00" <= size; s++) {
                unsigned char c = (unsigned char) *s;

                if (c < 0x20 || c == 0x7F)
                        n += (size_t) snprintf(ret + n, size - n, "\\x%02x", c);
                else
                        ret[n++] = *s;
        }
        ret[n] = '\0';
}

static void write_stderr(int level, const char *message)
{
        char prefix[8] = "";
        struct iovec line[3];

        if (opened.target != LOG_TO_TTY)
                (void) snprintf(prefix, sizeof prefix, "<%d>", level & LOG_PRIMASK);
        line[0] = span(prefix);
        line[1] = span(message);
        line[2] = span("\n");
        /* Nowhere is left to report that stderr cannot be written to. */
        if (writev(STDERR_FILENO, line, 3) < 0)
                return;
}

/* Each field is one allocation; one that finds no memory is left out rather than the event. */
static int write_journal(int level, const char *file, int line, struct log_fields fields,
                         const char *message)
{
        struct iovec entry[5 + LOG_FIELDS_MAX] = { 0 };
        int n = 0, r;

        const char *const own[][2] = {
                { "MESSAGE", message },
                { "SYSLOG_IDENTIFIER", opened.identifier },
                { "CODE_FILE", file },
        };
        char *made[ARRAY_SIZE(own) + 2 + LOG_FIELDS_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(own); i++)
                n += asprintf(&made[n], "%s=%s", own[i][0], own[i][1]) >= 0;
        n += asprintf(&made[n], "PRIORITY=%d", level & LOG_PRIMASK) >= 0;
        n += asprintf(&made[n], "CODE_LINE=%d", line) >= 0;
        for (const char *const *p = fields.pairs; p && p[0] && n < (int) ARRAY_SIZE(made); p += 2)
                if (p[1])
                        n += asprintf(&made[n], "%s=%s", p[0], p[1]) >= 0;
        for (int i = 0; i < n; i++)
                entry[i] = span(made[i]);
        r = sd_journal_sendv(entry, n);
        for (int i = 0; i < n; i++)
                free(made[i]);
        return r;
}

void log_write(int level, const char *file, int line, struct log_fields fields, const char *format, ...)
{
        char raw[MESSAGE_MAX], message[MESSAGE_MAX];
        va_list ap;

        if (!(level & LOG_ALWAYS) && (level & LOG_PRIMASK) > opened.max)
                return;
        va_start(ap, format);
        if (vsnprintf(raw, sizeof raw, format, ap) < 0)
                raw[0] = '\0';
        va_end(ap);
        escape_controls(raw, message, sizeof message);
        if (opened.target != LOG_TO_JOURNAL || write_journal(level, file, line, fields, message) < 0)
                write_stderr(level, message);
}
