/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/journal-scope.h"

#include "core/run-end.h"
#include "util/text.h"

#include <signal.h>
#include <stdio.h>

#include <systemd/sd-messages.h>

/* --- the fields ----------------------------------------------------------------------------------- */

#define KNOWN(FIELD)                                      \
        FIELD("_SYSTEMD_UNIT", unit)                      \
        FIELD("_SYSTEMD_INVOCATION_ID", run)              \
        FIELD("_STREAM_ID", stream)                       \
        FIELD("_TRANSPORT", transport)                    \
        FIELD("_PID", pid)                                \
        FIELD("_UID", uid)                                \
        FIELD("_LINE_BREAK", line_break)                  \
        FIELD("SYSLOG_IDENTIFIER", identifier)            \
        FIELD("PRIORITY", priority)                       \
        FIELD("MESSAGE_ID", message_id)                   \
        FIELD("UNIT", subject)                            \
        FIELD("INVOCATION_ID", subject_run)               \
        FIELD("OBJECT_SYSTEMD_UNIT", object)              \
        FIELD("OBJECT_SYSTEMD_INVOCATION_ID", object_run) \
        FIELD(LOG_CREATED_FIELD, created)                 \
        FIELD(LOG_SERVICE_FIELD, service)                 \
        FIELD("EXIT_CODE", code)                          \
        FIELD("EXIT_STATUS", status)                      \
        FIELD("UNIT_RESULT", result)                      \
        FIELD("N_DROPPED", dropped)                       \
        FIELD("N_RESTARTS", restarts)                     \
        FIELD("COMMAND", command)

static const struct {
        const char *name;
        size_t at, size;
} known[] = {
#define PLACE(name, member) { name, offsetof(struct journal_fields, member), sizeof(((struct journal_fields *) NULL)->member) },
        KNOWN(PLACE)
#undef PLACE
};
static const uint8_t known_lengths[] = {
#define LENGTH(name, member) sizeof(name) - 1,
        KNOWN(LENGTH)
#undef LENGTH
};

static void take_value(struct journal_fields *f, size_t i, const char *value, size_t n)
{
        char *to = (char *) f + known[i].at;

        if (n >= known[i].size || memchr(value, '\0', n))
                return;
        memcpy(to, value, n);
        to[n] = '\0';
}

/* Some twenty times per entry: by its length most of what we do not know is passed over at once. */
void journal_fields_take(struct journal_fields *f, const char *data, size_t name_len, size_t len)
{
        const uint8_t *end = known_lengths + ARRAY_SIZE(known_lengths);

        if (name_len > UINT8_MAX)
                return;
        for (const uint8_t *at = known_lengths; (at = memchr(at, (int) name_len, (size_t) (end - at))); at++) {
                size_t i = (size_t) (at - known_lengths);

                if (memcmp(known[i].name, data, name_len) == 0) {
                        take_value(f, i, data + name_len + 1, len - name_len - 1);
                        return;
                }
        }
}

void journal_fields_clear(struct journal_fields *f)
{
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                *((char *) f + known[i].at) = '\0';
}

/* --- whose it is ----------------------------------------------------------------------------------- */

#define UNIT_SUFFIX ".service"

static bool is_instance(const char *template, const char *unit)
{
        size_t n = strcspn(template, "@") + 1;

        return strncmp(template, unit, n) == 0 && strlen(unit) > strlen(template) && ends_with(unit, UNIT_SUFFIX);
}

bool journal_source_has(const struct journal_source *source, const char *unit)
{
        return source->service ? is_instance(source->unit, unit) : *unit && streq(source->unit, unit);
}

static const struct journal_source *find_source(const struct journal_scope *scope, const char *unit)
{
        for (size_t i = 0; i < scope->n_sources; i++)
                if (journal_source_has(&scope->sources[i], unit))
                        return &scope->sources[i];
        return NULL;
}

/* And says who it is. */
static const struct journal_source *source_of(struct journal_fields *f, const struct journal_scope *scope,
                                              const char *unit, struct log_entry *e)
{
        const struct journal_source *source = find_source(scope, unit);

        if (!source)
                return NULL;
        e->name = source->identifier ? source->identifier : f->identifier;
        if (source->service) {
                (void) snprintf(f->instance, sizeof f->instance, "%.*s",
                                (int) (strlen(unit) - strlen(UNIT_SUFFIX)), unit);
                e->name = f->instance;
        }
        return source;
}

static const struct {
        const char *message_id;
        enum log_kind kind;
} marks[] = {
        { SD_MESSAGE_UNIT_STARTED_STR, LOG_STARTED },
        { SD_MESSAGE_UNIT_PROCESS_EXIT_STR, LOG_EXITED },
        { SD_MESSAGE_UNIT_SUCCESS_STR, LOG_ENDED },
        { SD_MESSAGE_UNIT_FAILURE_RESULT_STR, LOG_FAILED },
        { SD_MESSAGE_UNIT_RESTART_SCHEDULED_STR, LOG_RESTARTING },
        { SD_MESSAGE_UNIT_OUT_OF_MEMORY_STR, LOG_KILLED },
};

const char *journal_mark_id(size_t i)
{
        static const char *const others[] = { LOG_KILLED_MESSAGE_ID, SD_MESSAGE_JOURNAL_DROPPED_STR, NULL };

        return i < ARRAY_SIZE(marks) ? marks[i].message_id
               : i - ARRAY_SIZE(marks) < ARRAY_SIZE(others) ? others[i - ARRAY_SIZE(marks)] : NULL;
}

/*
 * How the main process ended is told by itself, or else by the helper behind it:
 * systemd says nothing of a status that counts as success.  Ends of other helpers
 * are no end of the run.
 */
static bool read_exit(const struct journal_fields *f, struct log_entry *e)
{
        if (streq(f->command, "ExecStart"))
                return true;
        if (!streq(f->command, "ExecStopPost") || !streq(e->code, "exited"))
                return false;
        if (e->status == RUN_END_KILLED) {
                e->status = 128 + SIGKILL;
                return true;
        }
        e->kind = LOG_FAILED;
        (void) snprintf(e->result, sizeof e->result, "engine-gone");
        return e->status == RUN_END_ENGINE_GONE;
}

/* What systemd tells of a unit's life. */
static bool read_mark(const struct journal_fields *f, struct log_entry *e)
{
        uint64_t status = 0;

        for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
                if (streq(f->message_id, marks[i].message_id)) {
                        e->kind = marks[i].kind;
                        (void) snprintf(e->code, sizeof e->code, "%s", f->code);
                        (void) snprintf(e->result, sizeof e->result, "%s", f->result);
                        (void) parse_u64(f->status, INT32_MAX, &status);
                        e->status = (int) status;
                        (void) parse_u64(f->restarts, UINT64_MAX, &e->count);
                        e->run = f->subject_run;
                        return e->kind != LOG_EXITED || read_exit(f, e);
                }
        return false;
}

/* What systemd calls the start of a oneshot is its good end. */
static bool is_of_run(const struct journal_source *source, struct log_entry *e)
{
        if (!source->runs_once)
                return true;
        if (e->kind == LOG_ENDED)
                return false;
        if (e->kind == LOG_STARTED)
                e->kind = LOG_ENDED;
        return true;
}

/* Written by geard, or by who may be geard. */
static bool is_ours(const struct journal_fields *f)
{
        uint64_t uid;

        return parse_u64(f->uid, UINT32_MAX, &uid) && uid == geteuid();
}

/* Which of the scope's it is, or NULL. Only fields that journald itself fills in decide. */
const struct journal_source *journal_fields_source(struct journal_fields *f, const struct journal_scope *scope,
                                                   struct log_entry *e)
{
        const struct journal_source *source = source_of(f, scope, f->unit, e);

        if (source) {
                e->kind = LOG_LINE;
                e->run = f->run;
                return streq(f->identifier, e->name) ? source : NULL;
        }
        if (!scope->marks)
                return NULL;
        if (streq(f->pid, "1")) {
                source = source_of(f, scope, f->subject, e);
                return source && read_mark(f, e) && is_of_run(source, e) ? source : NULL;
        }
        if (streq(f->message_id, LOG_KILLED_MESSAGE_ID)) {
                source = is_ours(f) ? source_of(f, scope, f->subject, e) : NULL;
                e->kind = LOG_KILLED;
                e->run = f->subject_run;
                return source;
        }
        source = source_of(f, scope, f->object, e);
        if (!source || !streq(f->transport, "driver") ||
            !streq(f->message_id, SD_MESSAGE_JOURNAL_DROPPED_STR))
                return NULL;
        e->kind = LOG_SUPPRESSED;
        e->run = f->object_run;
        (void) parse_u64(f->dropped, UINT64_MAX, &e->count);
        return source;
}

static bool has_service(const struct journal_scope *scope, const char *name)
{
        for (size_t i = 0; i < scope->n_sources; i++)
                if (scope->sources[i].service && (!name || streq(scope->sources[i].service, name)))
                        return true;
        return false;
}

/* A service's are not found by the unit: that may be what is not linked yet. */
static bool lacks_its_unit(const struct journal_fields *f, const struct journal_scope *scope)
{
        if (streq(f->pid, "1"))
                return !*f->subject && has_service(scope, NULL);
        return !*f->unit && has_service(scope, f->service);
}

/* What strangers write is never torn, whatever it lacks: nobody waits for it. */
bool journal_fields_torn(const struct journal_fields *f, const struct journal_scope *scope, bool has_message)
{
        if (!*f->pid || lacks_its_unit(f, scope))
                return true;
        if (!find_source(scope, f->unit))
                return streq(f->pid, "1") && !has_message;
        if (streq(f->transport, "stdout"))
                return !has_message || !*f->identifier || !*f->stream || !*f->priority;
        return !has_message || !*f->transport;
}
