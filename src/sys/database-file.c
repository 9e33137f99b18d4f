/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The file: its pragmas, its tables, its statements, and what becomes of one
 * that cannot be used.  Everything here runs in the thread.
 */

#include "sys/database-audit-private.h"

#include <fcntl.h>
#include <stdio.h>

#define APPLICATION_ID 1734697330 /* "gear" */
#define SCHEMA_VERSION 5
#define BUSY_MSEC 2000

#define STRING(x) #x
#define EXPANDED(x) STRING(x)

/*
 * Exclusive, and that first of all, because the index of the log is then held
 * in memory: in a shared file, a full disk would be met as SIGBUS.
 */
static const char pragmas[] =
        "PRAGMA locking_mode=EXCLUSIVE;"
        "PRAGMA journal_mode=WAL;"
        "PRAGMA synchronous=FULL;"
        "PRAGMA mmap_size=0;"
        "PRAGMA temp_store=MEMORY;"
        "PRAGMA journal_size_limit=16777216;";

/*
 * An outcome is written once, at the end of its table, and never grows: that is
 * why intents have a table of their own.
 */
#define TABLE_OF_JOBS                                                                                        \
        "CREATE TABLE jobs ("                                                                                \
        "  id TEXT PRIMARY KEY, image TEXT, user TEXT, why TEXT, request TEXT,"                              \
        "  state INTEGER, created INTEGER, started INTEGER, ended INTEGER, timeout INTEGER, memory INTEGER," \
        "  retries INTEGER, attempts INTEGER, peak INTEGER, exit_code INTEGER, exit_status INTEGER,"         \
        "  spec TEXT, output TEXT) WITHOUT ROWID;"
#define MARK                                                                                                 \
        "PRAGMA application_id=" EXPANDED(APPLICATION_ID) ";PRAGMA user_version=" EXPANDED(SCHEMA_VERSION) ";"

static const char schema[] =
        "BEGIN IMMEDIATE;"
        "CREATE TABLE intents ("
        "  number INTEGER PRIMARY KEY, principal TEXT NOT NULL, id BLOB NOT NULL, digest BLOB NOT NULL, began INTEGER NOT NULL,"
        "  keep_until INTEGER NOT NULL, resource TEXT NOT NULL, kind TEXT NOT NULL, verb TEXT NOT NULL,"
        "  audit TEXT,"
        "  UNIQUE (principal, id));"
        "CREATE TABLE outcomes ("
        "  principal TEXT NOT NULL, id BLOB NOT NULL, digest BLOB NOT NULL, began INTEGER NOT NULL,"
        "  keep_until INTEGER NOT NULL, resource TEXT NOT NULL, code INTEGER NOT NULL, good INTEGER NOT NULL,"
        "  retry_after INTEGER NOT NULL, answer BLOB NOT NULL,"
        "  UNIQUE (principal, id));"
        "CREATE INDEX outcomes_keep_until ON outcomes (keep_until);"
        "CREATE TABLE audit ("
        "  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, took INTEGER NOT NULL, code INTEGER NOT NULL,"
        "  request TEXT, principal TEXT, token TEXT, chain TEXT, user TEXT, peer TEXT, \"right\" TEXT,"
        "  verb TEXT, resource TEXT, \"before\" TEXT, \"after\" TEXT, said TEXT,"
        "  hash TEXT NOT NULL, bytes INTEGER NOT NULL);"
        /* Its id, and what the oldest record is chained to once there were older ones. */
        "CREATE TABLE trail (id TEXT NOT NULL, removed TEXT);"
        "INSERT INTO trail VALUES (lower(hex(randomblob(16))), NULL);"
        TABLE_OF_JOBS MARK "COMMIT;";

/* The versions that differ from ours by tables they lack. */
static const char *const upgrades[SCHEMA_VERSION] = {
        [4] = "BEGIN IMMEDIATE;" TABLE_OF_JOBS MARK "COMMIT;",
};

#define COMMON "principal, lower(hex(id)), lower(hex(digest)), began, keep_until, resource"
#define NO_OUTCOME "0, 0, 0, NULL"

#define RECORD                                                                                       \
        "number, at, took, code, request, principal, token, chain, user, peer, \"right\", verb, resource," \
        " \"before\", \"after\", said, hash, bytes"
#define MATCHES                                                                                      \
        "number >= ?2 AND number <= ?3 AND at >= ?4 AND at <= ?5 AND code >= ?6"                     \
        " AND (?7 IS NULL OR principal = ?7) AND (?8 IS NULL OR user = ?8)"                          \
        " AND (?9 IS NULL OR resource = ?9) AND (?10 IS NULL OR request = ?10)"                      \
        " AND (?11 IS NULL OR verb = ?11)"

static const char *const texts[N_STATEMENTS] = {
        [SQL_BEGIN] = "BEGIN IMMEDIATE",
        [SQL_COMMIT] = "COMMIT",
        [SQL_ROLLBACK] = "ROLLBACK",
        [SQL_INTEND] = "INSERT OR REPLACE INTO intents VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        [SQL_WITHDRAW] = "DELETE FROM intents WHERE principal = ?1 AND id = ?2",
        [SQL_CONCLUDE] =
                "INSERT OR REPLACE INTO outcomes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        /* The intent of a second try stands beside the outcome of the first, and before it. */
        [SQL_FIND] = "SELECT " COMMON ", " NO_OUTCOME ", kind, verb, audit"
                     "  FROM intents WHERE principal = ?1 AND id = ?2 "
                     "UNION ALL "
                     "SELECT " COMMON ", code, good, retry_after, answer, '', '', NULL"
                     "  FROM outcomes WHERE principal = ?1 AND id = ?2 LIMIT 1",
        [SQL_UNFINISHED] =
                "SELECT " COMMON ", " NO_OUTCOME ", kind, verb, audit FROM intents ORDER BY number",
        [SQL_PRUNE_OUTCOMES] = "DELETE FROM outcomes WHERE rowid IN"
                               "  (SELECT rowid FROM outcomes WHERE keep_until < ?1 LIMIT ?2)",
        [SQL_AUDIT] = "INSERT INTO audit VALUES"
                      " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        [SQL_AUDIT_TRAIL] = "SELECT id, removed FROM trail",
        [SQL_AUDIT_ENDS] = "SELECT (SELECT min(number) FROM audit WHERE number > 0), (SELECT max(number) FROM audit)",
        [SQL_AUDIT_NEWEST] = "SELECT " RECORD " FROM audit ORDER BY number DESC LIMIT 1",
        [SQL_AUDIT_OLDEST] = "SELECT " RECORD " FROM audit WHERE number > 0 ORDER BY number LIMIT ?1",
        [SQL_AUDIT_FORWARD] = "SELECT " RECORD " FROM audit WHERE " MATCHES " ORDER BY number LIMIT ?1",
        [SQL_AUDIT_BACKWARD] = "SELECT " RECORD " FROM audit WHERE " MATCHES " ORDER BY number DESC LIMIT ?1",
        [SQL_AUDIT_REMOVE] = "DELETE FROM audit WHERE number <= ?1",
        [SQL_AUDIT_REMOVED] = "UPDATE trail SET removed = ?1",
        [SQL_JOB_PUT] = "INSERT INTO jobs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
                        "  ON CONFLICT (id) DO UPDATE SET image = excluded.image, user = excluded.user, why = excluded.why,"
                        "  request = excluded.request, state = excluded.state, created = excluded.created,"
                        "  started = excluded.started, ended = excluded.ended, timeout = excluded.timeout,"
                        "  memory = excluded.memory, retries = excluded.retries, attempts = excluded.attempts,"
                        "  peak = excluded.peak, exit_code = excluded.exit_code, exit_status = excluded.exit_status,"
                        "  spec = ifnull(excluded.spec, spec), output = ifnull(excluded.output, output)",
        [SQL_JOB_REMOVE] = "DELETE FROM jobs WHERE id = ?1",
        [SQL_JOB_LIST] = "SELECT id, image, user, why, request, state, created, started, ended, timeout, memory,"
                         "  retries, attempts, peak, exit_code, exit_status FROM jobs",
        [SQL_JOB_FIND] = "SELECT spec, output FROM jobs WHERE id = ?1",
};

/* --- statements -------------------------------------------------------------------------- */

sqlite3_stmt *file_statement(struct database_file *file, enum statement which)
{
        return file->statements[which];
}

int file_execute(struct database_file *file, enum statement which)
{
        sqlite3_stmt *statement = file->statements[which];
        int code = sqlite3_step(statement);

        (void) sqlite3_reset(statement);
        (void) sqlite3_clear_bindings(statement);
        return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

void column_copy(sqlite3_stmt *row, int column, char *ret, size_t size)
{
        const char *text = (const char *) sqlite3_column_text(row, column);

        (void) snprintf(ret, size, "%s", text ? text : "");
}

char *column_dup(sqlite3_stmt *row, int column, bool *oom)
{
        const char *text = (const char *) sqlite3_column_text(row, column);
        char *copy = text ? strdup(text) : NULL;

        if (text && !copy)
                *oom = true;
        return copy;
}

int file_begin(struct database_file *file)
{
        file->head = file->committed;
        return file_execute(file, SQL_BEGIN);
}

int file_commit(struct database_file *file)
{
        int code = file_execute(file, SQL_COMMIT);

        if (code == SQLITE_OK) {
                file->commits++;
                file->committed = file->head;
        }
        return code;
}

/* Some errors have rolled back already. */
void file_rollback(struct database_file *file)
{
        if (!sqlite3_get_autocommit(file->sqlite))
                (void) file_execute(file, SQL_ROLLBACK);
}

/* --- what went wrong ------------------------------------------------------------------------ */

bool file_is_damage(int code)
{
        switch (code & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_ERROR: /* our statements are right, so the tables are wrong */
        case SQLITE_SCHEMA:
        case SQLITE_CONSTRAINT:
                return true;
        default:
                return code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ;
        }
}

/* SQLite tells a full disk by ENOSPC alone; a quota or a limit it calls a broken one. */
static bool is_full_for(sqlite3_file *file)
{
        int error = 0;

        if (!file || !file->pMethods ||
            file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) != SQLITE_OK)
                return false;
        return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

static bool is_full(const struct database_file *file, int code)
{
        sqlite3_file *pages = NULL, *log = NULL;

        if ((code & 0xff) == SQLITE_FULL)
                return true;
        if (!file->sqlite || (code & 0xff) != SQLITE_IOERR)
                return false;
        (void) sqlite3_file_control(file->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &pages);
        (void) sqlite3_file_control(file->sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
        return is_full_for(pages) || is_full_for(log);
}

int file_fault(const struct database_file *file, int code, struct fault *f)
{
        switch (code & 0xff) {
        case SQLITE_NOMEM:
                return fault_oom(f);
        case SQLITE_BUSY:
                (void) fault_set(f, FAULT_BUSY, NULL, "%s is held by another program", file->path);
                f->retry_after = 1;
                return -EBUSY;
        default:
                if (is_full(file, code))
                        return fault_set(f, FAULT_NO_SPACE, NULL, "no space is left for %s", file->path);
                return fault_set(f, FAULT_INTERNAL, NULL, "%s: %s", file->path, sqlite3_errstr(code));
        }
}

/* --- opening ---------------------------------------------------------------------------------- */

void file_close(struct database_file *file)
{
        for (size_t i = 0; i < N_STATEMENTS; i++) {
                (void) sqlite3_finalize(file->statements[i]);
                file->statements[i] = NULL;
        }
        (void) sqlite3_close(file->sqlite);
        file->sqlite = NULL;
}

static int first_number(struct database_file *file, const char *question, int64_t *ret)
{
        sqlite3_stmt *statement = NULL;
        int code = sqlite3_prepare_v2(file->sqlite, question, -1, &statement, NULL);

        if (code == SQLITE_OK) {
                code = sqlite3_step(statement);
                if (code == SQLITE_ROW)
                        *ret = sqlite3_column_int64(statement, 0);
                code = code == SQLITE_ROW ? SQLITE_OK : code;
        }
        (void) sqlite3_finalize(statement);
        return code;
}

/* SQLITE_NOTADB when the file is a database, but not one of ours. */
static int prepare_schema(struct database_file *file)
{
        int64_t tables = 0, application = 0, version = 0;
        int code = first_number(file, "SELECT count(*) FROM sqlite_schema", &tables);

        if (code == SQLITE_OK && tables == 0)
                return sqlite3_exec(file->sqlite, schema, NULL, NULL, NULL);
        if (code == SQLITE_OK)
                code = first_number(file, "PRAGMA application_id", &application);
        if (code == SQLITE_OK)
                code = first_number(file, "PRAGMA user_version", &version);
        if (code != SQLITE_OK || (application == APPLICATION_ID && version == SCHEMA_VERSION))
                return code;
        if (application != APPLICATION_ID || version < 0 || version >= SCHEMA_VERSION || !upgrades[version])
                return SQLITE_NOTADB;
        return sqlite3_exec(file->sqlite, upgrades[version], NULL, NULL, NULL);
}

static int open_sqlite(struct database_file *file)
{
        char cache[64];
        int code = sqlite3_open_v2(file->path, &file->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                   NULL);

        if (code != SQLITE_OK)
                return code;
        (void) sqlite3_extended_result_codes(file->sqlite, 1);
        (void) sqlite3_busy_timeout(file->sqlite, BUSY_MSEC);
        (void) snprintf(cache, sizeof cache, "PRAGMA cache_size=-%llu;",
                        (unsigned long long) (file->cache_bytes / 1024));
        code = sqlite3_exec(file->sqlite, pragmas, NULL, NULL, NULL);
        if (code == SQLITE_OK)
                code = sqlite3_exec(file->sqlite, cache, NULL, NULL, NULL);
        if (code == SQLITE_OK)
                code = prepare_schema(file);
        for (size_t i = 0; code == SQLITE_OK && i < N_STATEMENTS; i++)
                code = sqlite3_prepare_v3(file->sqlite, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                          &file->statements[i], NULL);
        return code == SQLITE_OK ? audit_open(file) : code;
}

/* Run by hand, nobody else has made the directory. */
static void make_directory(const char *path)
{
        const char *end = strrchr(path, '/');
        _cleanup_free_ char *directory = end ? strndup(path, (size_t) (end - path)) : NULL;

        if (directory)
                (void) mkdir(directory, 0755);
}

static int open_or_create(const char *path)
{
        const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;
        int fd = open(path, flags, 0600);

        if (fd >= 0 || errno != ENOENT)
                return fd;
        make_directory(path);
        return open(path, flags, 0600);
}

/* Made by us, so that it is 0600, and looked at first, since SQLite keeps to itself what it met. */
static int look_at_file(struct database_file *file)
{
        _cleanup_close_ int fd = open_or_create(file->path);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        file->device = st.st_dev;
        file->inode = st.st_ino;
        return 0;
}

/* Something is there that can be moved out of the way, rather than a directory or disk that takes nothing.
 */
static bool is_unusable(int error)
{
        return error == -EACCES || error == -EPERM || error == -EISDIR || error == -ELOOP ||
               error == -EINVAL || error == -ENXIO || error == -EIO;
}

static int cannot_open(const struct database_file *file, int error, struct fault *f)
{
        (void) fault_errno(f, error, "cannot open %s", file->path);
        if (f->kind == FAULT_MISSING) /* its directory, which is not what a client asked for */
                f->kind = FAULT_INTERNAL;
        return error;
}

static int file_open(struct database_file *file, bool again, struct fault *f)
{
        int r = look_at_file(file), code;
        char why[LOST_WHY_MAX];

        if (r < 0) {
                if (again || !is_unusable(r))
                        return cannot_open(file, r, f);
                (void) snprintf(why, sizeof why, "it cannot be opened: %s", strerror(-r));
        } else {
                code = open_sqlite(file);
                if (code == SQLITE_OK)
                        return 0;
                r = file_fault(file, code, f);
                (void) snprintf(why, sizeof why, "%s",
                                code == SQLITE_NOTADB ? "it is no database of this version of geard"
                                                      : sqlite3_errmsg(file->sqlite));
                file_close(file);
                if (again || !file_is_damage(code))
                        return r;
        }
        r = file_set_aside(file, why, f);
        return r < 0 ? r : file_open(file, true, f);
}

static bool has_its_name(const struct database_file *file)
{
        struct stat st;

        return stat(file->path, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode;
}

static void note_loss(struct database_file *file, const char *why, char *moved_to)
{
        free(file->moved_to);
        file->moved_to = moved_to;
        file->was_lost = true;
        (void) snprintf(file->why, sizeof file->why, "%s", why);
}

int file_ready(struct database_file *file, struct fault *f)
{
        if (file->sqlite && !has_its_name(file)) {
                file_close(file);
                note_loss(file, "it was deleted or replaced while geard ran", NULL);
        }
        return file->sqlite ? 0 : file_open(file, false, f);
}

/* --- moving aside -------------------------------------------------------------------------------- */

/* The log goes along: whoever repairs the file needs it. */
static int move_aside(const char *path, const char *suffix, const char *aside)
{
        _cleanup_free_ char *from = NULL, *to = NULL;

        if (asprintf(&from, "%s%s", path, suffix) < 0 || asprintf(&to, "%s%s", aside, suffix) < 0)
                return -ENOMEM;
        return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

int file_set_aside(struct database_file *file, const char *why, struct fault *f)
{
        char *aside = NULL;
        int r;

        file_close(file);
        if (asprintf(&aside, "%s.damaged-%llu", file->path,
                     (unsigned long long) (wall_usec() / USEC_PER_SEC)) < 0)
                return fault_oom(f);
        r = move_aside(file->path, "-wal", aside);
        if (r == 0)
                r = move_aside(file->path, "", aside);
        if (r < 0) {
                r = fault_errno(f, r, "cannot move %s to %s", file->path, aside);
                free(aside);
                return r;
        }
        note_loss(file, why, aside);
        return 0;
}
