/* SPDX-License-Identifier: Apache-2.0 */

/* geard.conf: what each key takes, what is refused and where, and drop-ins. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config.h"
#include "core/clone-url.h"
#include "util/text.h"

#include <sys/stat.h>
#include <syslog.h>

#define SEC UINT64_C(1000000)

/* A directory with geard.conf and geard.conf.d. */
struct place {
        char dir[64];
        char file[96];
};

static void write_file(const struct place *p, const char *name, const char *content)
{
        char path[192];
        FILE *f;

        (void) snprintf(path, sizeof path, "%s/%s", p->dir, name);
        f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(content, 1, strlen(content), f), strlen(content));
        assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
        static struct place p;
        char drop_ins[128];

        (void) snprintf(p.dir, sizeof p.dir, "/tmp/geard-test-config.XXXXXX");
        if (!mkdtemp(p.dir))
                return -1;
        (void) snprintf(p.file, sizeof p.file, "%s/geard.conf", p.dir);
        (void) snprintf(drop_ins, sizeof drop_ins, "%s.d", p.file);
        *state = &p;
        return mkdir(drop_ins, 0700);
}

static int tear_down(void **state)
{
        const struct place *p = *state;
        static const char *const names[] = {
                "geard.conf",           "geard.conf.d/10-a.conf", "geard.conf.d/20-b.conf",
                "geard.conf.d/.x.conf", "geard.conf.d/README",    "geard.conf.d",
        };
        char path[192];

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                (void) snprintf(path, sizeof path, "%s/%s", p->dir, names[i]);
                (void) remove(path);
        }
        return rmdir(p->dir);
}

static struct config *load(const struct place *p, const char *content)
{
        struct config *c = NULL;
        struct fault f = { 0 };

        write_file(p, "geard.conf", content);
        if (config_load(p->file, &c, &f) < 0)
                fail_msg("%s: %s", content, f.text);
        return c;
}

static void built_in(void **state)
{
        _cleanup_(config_freep) struct config *c = load(*state, "");

        assert_string_equal(c->state_directory, "/var/lib/gears");
        assert_false(c->test_token);
        assert_int_equal(c->max_token_life_usec, 86400 * SEC);
        assert_int_equal(c->audit_days, 90);
        assert_int_equal(c->audit_size, 256 << 20);
        assert_int_equal(c->port_first, 4000);
        assert_int_equal(c->port_last, 4999);
        assert_null(c->volume_paths);
        assert_null(c->allow_registries);
        assert_string_equal(c->publish_address, "0.0.0.0");
        assert_int_equal(c->log_rate_burst, 250000);
        assert_int_equal(c->log_rate_usec, 30 * SEC);
        assert_string_equal(c->docker, "/usr/bin/docker");
        assert_string_equal(c->docker_socket, "/run/docker.sock");
        assert_string_equal(c->docker_unit, "docker.service");
        assert_true(ends_with(c->helper, "/gear-unit"));
        assert_int_equal(c->stop_timeout_usec, 10 * SEC);
        assert_int_equal(c->log_level, LOG_INFO);
        assert_memory_equal(&c->limits, &server_limits_default, sizeof c->limits);
        assert_null(c->warnings);

        assert_int_equal(c->n_listens, 3);
        assert_string_equal(c->listens[0].address, "127.0.0.1:2223");
        assert_int_equal(c->listens[0].auth, AUTH_TOKEN);
        assert_string_equal(c->listens[1].address, "[::1]:2223");
        assert_int_equal(c->listens[1].auth, AUTH_TOKEN);
        assert_string_equal(c->listens[2].address, "/run/geard/geard.sock");
        assert_int_equal(c->listens[2].auth, AUTH_PEER);
        assert_int_equal(c->listens[2].mode, 0660);
        assert_string_equal(c->listens[2].group, "gears");
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(c->listens[i].faces, FACE_ALL);
}

static void everything_set(void **state)
{
        static const char text[] = "# a comment\n"
                                   "; another\n"
                                   "\n"
                                   "[Daemon]\n"
                                   "StateDirectory=/srv/gears\n"
                                   "  TestToken = yes  \r\n"
                                   "MaxTokenLife=1h30m\n"
                                   "PortRange=5000-5001\n"
                                   "VolumePaths=/srv /data\n"
                                   "VolumePaths=/more\n"
                                   "AllowRegistries=docker.io \\\n"
                                   "# in between\n"
                                   "  *.example.com\n"
                                   "PublishAddress=::1\n"
                                   "LogRate=100/1s\n"
                                   "Docker=/opt/docker\n"
                                   "Helper=/opt/helper\n"
                                   "DockerSocket=/tmp/d.sock\n"
                                   "DockerUnit=\n"
                                   "Wait=10\nReadyTimeout=20s\nPullSilence=30s\nStopTimeout=0\n"
                                   "ChangesMax=1\nStreamsMax=2\nRequestsMax=16\nGearsMax=4\n"
                                   "AuditDays=7\nAuditSize=1G\n"
                                   "CloneSchemes=ssh https\nClonePaths=/srv/git\nCloneKey=/key\nClonePrivate=yes\n"
                                   "GitHelper=/opt/git\nGitImage=local/git:1\nGitImageHelper=/opt/static\n"
                                   "GitBranch=trunk/new\nGitReflog=no\nGitRewinds=no\nRepositoryMax=2G\n"
                                   "JobTimeout=2min\nJobKeep=0\nJobsMax=3\nJobsWaiting=0\nJobsKept=7\nJobMemory=64M\n"
                                   "LogLevel=debug\n"
                                   "HeadMax=8K\nBodyMax=2M\nPendingMax=64k\nConnectionsMax=5\n"
                                   "ConnectionsPerAddress=0\nRequestsPerConnection=7\n"
                                   "HeadTimeout=1s\nBodyTimeout=2s\nIdleTimeout=3s\nStuckWrite=500ms\n"
                                   "[Listen]\n"
                                   "Address=0.0.0.0:7051\n"
                                   "Faces=services web\n"
                                   "Certificate=/c.pem\nKey=/k.pem\nClientCA=/ca.pem\n"
                                   "Origins=https://a.example https://b.example:8443\n"
                                   "Hosts=a.example\n"
                                   "[Listen]\n"
                                   "Address=/run/x.sock\n"
                                   "Mode=600\nGroup=root";
        _cleanup_(config_freep) struct config *c = load(*state, text);

        assert_null(c->warnings);
        assert_string_equal(c->state_directory, "/srv/gears");
        assert_true(c->test_token);
        assert_int_equal(c->max_token_life_usec, 5400 * SEC);
        assert_int_equal(c->port_first, 5000);
        assert_int_equal(c->port_last, 5001);
        assert_int_equal(strv_len(c->volume_paths), 3);
        assert_string_equal(c->volume_paths[2], "/more");
        assert_int_equal(strv_len(c->allow_registries), 2);
        assert_string_equal(c->allow_registries[1], "*.example.com");
        assert_string_equal(c->publish_address, "::1");
        assert_int_equal(c->log_rate_burst, 100);
        assert_int_equal(c->log_rate_usec, SEC);
        assert_string_equal(c->docker, "/opt/docker");
        assert_string_equal(c->helper, "/opt/helper");
        assert_string_equal(c->docker_socket, "/tmp/d.sock");
        assert_string_equal(c->docker_unit, "");
        assert_int_equal(c->wait_usec, 10 * SEC);
        assert_int_equal(c->ready_timeout_usec, 20 * SEC);
        assert_int_equal(c->pull_silence_usec, 30 * SEC);
        assert_int_equal(c->stop_timeout_usec, 0);
        assert_int_equal(c->changes_max, 1);
        assert_int_equal(c->streams_max, 2);
        assert_int_equal(c->requests_max, 16);
        assert_int_equal(c->gears_max, 4);
        assert_int_equal(c->clone_schemes, CLONE_SSH | CLONE_HTTPS);
        assert_string_equal(c->clone_paths[0], "/srv/git");
        assert_string_equal(c->clone_key, "/key");
        assert_true(c->clone_private);
        assert_string_equal(c->git_helper, "/opt/git");
        assert_string_equal(c->git_image, "local/git:1");
        assert_string_equal(c->git_image_helper, "/opt/static");
        assert_string_equal(c->git_branch, "trunk/new");
        assert_false(c->git_reflog || c->git_rewinds);
        assert_int_equal(c->repository_max, UINT64_C(2) << 30);
        assert_int_equal(c->job_timeout_usec, 120 * SEC);
        assert_int_equal(c->job_keep_usec, 0);
        assert_int_equal(c->jobs_max, 3);
        assert_int_equal(c->jobs_waiting, 0);
        assert_int_equal(c->jobs_kept, 7);
        assert_int_equal(c->job_memory, 64 << 20);
        assert_int_equal(c->audit_days, 7);
        assert_int_equal(c->audit_size, 1 << 30);
        assert_int_equal(c->log_level, LOG_DEBUG);
        assert_int_equal(c->limits.head_max, 8192);
        assert_int_equal(c->limits.body_max, 2 << 20);
        assert_int_equal(c->limits.pending_max, 65536);
        assert_int_equal(c->limits.connections_max, 5);
        assert_int_equal(c->limits.per_address_max, 0);
        assert_int_equal(c->limits.requests_per_connection, 7);
        assert_int_equal(c->limits.head_usec, SEC);
        assert_int_equal(c->limits.body_usec, 2 * SEC);
        assert_int_equal(c->limits.idle_usec, 3 * SEC);
        assert_int_equal(c->limits.stuck_usec, SEC / 2);

        assert_int_equal(c->n_listens, 2);
        assert_int_equal(c->listens[0].faces, FACE_SERVICES | FACE_WEB);
        assert_int_equal(c->listens[0].auth, AUTH_TOKEN);
        assert_string_equal(c->listens[0].certificate, "/c.pem");
        assert_string_equal(c->listens[0].key, "/k.pem");
        assert_string_equal(c->listens[0].client_ca, "/ca.pem");
        assert_string_equal(c->listens[0].origins[1], "https://b.example:8443");
        assert_string_equal(c->listens[0].hosts[0], "a.example");
        assert_int_equal(c->listens[1].auth, AUTH_PEER);
        assert_int_equal(c->listens[1].mode, 0600);
        assert_true(c->listens[1].has_group_id);
        assert_int_equal(c->listens[1].group_id, 0);
}

/* One [Daemon] line; the fault names line 2, the key and what is accepted. */
static void values_refused(void **state)
{
        static const struct {
                const char *line, *says;
        } rows[] = {
                { "StateDirectory=gears", "an absolute path" },
                { "StateDirectory=", "an absolute path" },
                { "TestToken=maybe", "yes or no" },
                { "TestToken=", "yes or no" },
                { "AuditDays=0", "from 1 to 36500" },
                { "AuditDays=90d", "from 1 to 36500" },
                { "AuditSize=100K", "from 1M to 1024G" },
                { "MaxTokenLife=0", "from 1s to 366d" },
                { "MaxTokenLife=-1h", "from 1s to 366d" },
                { "MaxTokenLife=infinity", "from 1s to 366d" },
                { "PortRange=4000", "two ports" },
                { "PortRange=4999-4000", "two ports" },
                { "PortRange=0-10", "two ports" },
                { "PortRange=1-65536", "two ports" },
                { "PortRange=1-2-3", "two ports" },
                { "VolumePaths=/a b", "absolute paths" },
                { "PublishAddress=localhost", "IPv4 or IPv6" },
                { "LogRate=100", "LINES/DURATION" },
                { "LogRate=x/1s", "LINES/DURATION" },
                { "LogRate=1/0", "LINES/DURATION" },
                { "LogRate=99999999999/1s", "LINES/DURATION" },
                { "DockerUnit=docker", ".service" },
                { "StopTimeout=61m", "from 0 to 1h" },
                { "ChangesMax=0", "from 1 to 4096" },
                { "ChangesMax=ten", "from 1 to 4096" },
                { "LogLevel=loud", "emerg" },
                { "CloneSchemes=https ext", "https, http, ssh and git" },
                { "CloneSchemes=file", "https, http, ssh and git" },
                { "ClonePaths=srv", "absolute paths" },
                { "CloneKey=key", "an absolute path" },
                { "ClonePrivate=perhaps", "yes or no" },
                { "GitImage=-x", "the name of an image" },
                { "GitBranch=-x", "the name of a branch" },
                { "GitBranch=a..b", "the name of a branch" },
                { "GitBranch=", "the name of a branch" },
                { "GitRewinds=", "yes or no" },
                { "RepositoryMax=1K", "from 1M to 1024G" },
                { "JobTimeout=0", "from 1s to 30d" },
                { "JobKeep=31d", "from 0 to 30d" },
                { "JobsMax=0", "from 1 to 1000" },
                { "JobsWaiting=-1", "up to 10000" },
                { "JobMemory=1M", "from 16M to 1024G" },
                { "BodyMax=100", "from 1K to 64M" },
                { "BodyMax=1G", "from 1K to 64M" },
                { "StuckWrite=1ms", "from 100ms" },
        };
        const struct place *p = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char text[256], where[256];
                struct config *c = NULL;
                struct fault f = { 0 };

                (void) snprintf(text, sizeof text, "[Daemon]\n%s\n", rows[i].line);
                (void) snprintf(where, sizeof where, "%s:2: %s: must be ", p->file, rows[i].line);
                write_file(p, "geard.conf", text);
                if (config_load(p->file, &c, &f) == 0)
                        fail_msg("accepted: %s", rows[i].line);
                if (!starts_with(f.text, where) || !strstr(f.text, rows[i].says))
                        fail_msg("%s: %s", rows[i].line, f.text);
                assert_int_equal(strlen(f.field), strcspn(rows[i].line, "="));
                assert_null(c);
        }
}

static void syntax_refused(void **state)
{
        static const struct {
                const char *text, *says;
        } rows[] = {
                { "Wait=1\n", ":1: stands before the first [Section]" },
                { "[Daemon\n", ":1: a section is written [Name]" },
                { "\n[]\n", ":2: a section is written [Name]" },
                { "[a]b]\n", ":1: a section is written [Name]" },
                { "[Daemon]\nWait\n", ":2: neither [Section] nor Key=value" },
                { "[Daemon]\n=1\n", ":2: neither [Section] nor Key=value" },
                { "[Daemon]\nVolumePaths=/a \\\n  /b \\\n\nWait=x\n", ":5: Wait=x: must be" },
        };
        const struct place *p = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct config *c = NULL;
                struct fault f = { 0 };

                write_file(p, "geard.conf", rows[i].text);
                if (config_load(p->file, &c, &f) == 0)
                        fail_msg("accepted: %s", rows[i].text);
                if (!starts_with(f.text, p->file) || !strstr(f.text, rows[i].says))
                        fail_msg("%s: %s", rows[i].text, f.text);
        }
}

/* One [Listen] block: how it is authenticated, or why it is refused. */
static void listeners(void **state)
{
        static const struct {
                const char *block;
                enum listen_auth auth;
                const char *says; /* the fault */
        } rows[] = {
                { "Address=127.0.0.1:1", AUTH_TOKEN, NULL },
                { "Address=[::]:1", AUTH_TOKEN, NULL },
                { "Address=/run/x", AUTH_PEER, NULL },
                { "Address=/run/x\nAuth=token", AUTH_TOKEN, NULL },
                { "Auth=token\nAddress=/run/x", AUTH_TOKEN, NULL },
                { "Address=/run/x\nAuth=none", AUTH_NONE, NULL },
                { "Address=127.9.9.9:1\nAuth=none", AUTH_NONE, NULL },
                { "Address=[::1]:1\nAuth=none", AUTH_NONE, NULL },
                { "Address=geard.socket", AUTH_TOKEN, NULL },
                { "Address=geard.socket\nAuth=peer", AUTH_PEER, NULL },
                { "Address=0.0.0.0:1\nAuth=none\nInsecureNoAuth=yes", AUTH_NONE, NULL },
                { "Address=0.0.0.0:1\nAuth=none", 0, "InsecureNoAuth=yes" },
                { "Address=[::]:1\nAuth=none", 0, "InsecureNoAuth=yes" },
                { "Address=[::ffff:127.0.0.1]:1\nAuth=none", 0, "InsecureNoAuth=yes" },
                { "Address=geard.socket\nAuth=none", 0, "InsecureNoAuth=yes" },
                { "Address=0.0.0.0:1\nAuth=none\nInsecureNoAuth=no", 0, "InsecureNoAuth=yes" },
                { "Address=127.0.0.1:1\nAuth=peer", 0, "Auth=peer needs a unix socket" },
                { "Auth=token", 0, "[Listen] without Address=" },
                { "Address=localhost:1", 0, "must be IPv4:port" },
                { "Address=127.0.0.1", 0, "must be IPv4:port" },
                { "Address=127.0.0.1:0", 0, "must be IPv4:port" },
                { "Address=127.0.0.1:65536", 0, "must be IPv4:port" },
                { "Address=::1:1", 0, "must be IPv4:port" },
                { "Address=[::1]", 0, "must be IPv4:port" },
                { "Address=:1", 0, "must be IPv4:port" },
                { "Address=*:1", 0, "must be IPv4:port" },
                { "Address=", 0, "must be IPv4:port" },
                { "Address=127.0.0.1:1\nAuth=yes", 0, "token, peer or none" },
                { "Address=127.0.0.1:1\nFaces=gears cats", 0, "any of gears" },
                { "Address=127.0.0.1:1\nCertificate=/c", 0, "go together" },
                { "Address=127.0.0.1:1\nKey=/k", 0, "go together" },
                { "Address=127.0.0.1:1\nClientCA=/k", 0, "ClientCA= needs" },
                { "Address=127.0.0.1:1\nOrigins=a.example", 0, "origins like" },
                { "Address=127.0.0.1:1\nOrigins=https://a.example/", 0, "origins like" },
                { "Address=/run/x\nMode=rw", 0, "octal" },
                { "Address=/run/x\nMode=4755", 0, "octal" },
                { "Address=/run/x\nGroup=", 0, "group" },
        };
        const struct place *p = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(config_freep) struct config *c = NULL;
                struct fault f = { 0 };
                char text[256];
                int r;

                (void) snprintf(text, sizeof text, "[Daemon]\n[Listen]\n%s\n", rows[i].block);
                write_file(p, "geard.conf", text);
                r = config_load(p->file, &c, &f);
                if ((r == 0) != !rows[i].says || (r < 0 && !strstr(f.text, rows[i].says)))
                        fail_msg("%s: %d %s", rows[i].block, r, f.text);
                if (r == 0) {
                        assert_int_equal(c->n_listens, 1);
                        assert_int_equal(c->listens[0].auth, rows[i].auth);
                        assert_true(ends_with(c->listens[0].where, "geard.conf:2"));
                }
        }
}

static void unknown_is_a_warning(void **state)
{
        _cleanup_(config_freep) struct config *c = load(*state, "[Daemon]\n"
                                                                "Foo=1\n"
                                                                "StateDirectroy=/x\n"
                                                                "testtoken=yes\n"
                                                                "[Nothing]\n"
                                                                "Foo=1\n"
                                                                "[Listen]\n"
                                                                "Address=127.0.0.1:1\n"
                                                                "Adress=127.0.0.1:2\n");
        static const char *const says[] = {
                "geard.conf:2: unknown key Foo= in [Daemon]",
                "geard.conf:3: unknown key StateDirectroy= in [Daemon], did you mean StateDirectory=?",
                "geard.conf:4: unknown key testtoken= in [Daemon], did you mean TestToken=?",
                "geard.conf:5: unknown section [Nothing]",
                "geard.conf:6: unknown key Foo= in [Nothing]",
                "geard.conf:9: unknown key Adress= in [Listen], did you mean Address=?",
        };

        assert_int_equal(strv_len(c->warnings), ARRAY_SIZE(says));
        for (size_t i = 0; i < ARRAY_SIZE(says); i++)
                if (!ends_with(c->warnings[i], says[i]))
                        fail_msg("%s", c->warnings[i]);
        assert_false(c->test_token);
}

static void drop_ins_in_order(void **state)
{
        const struct place *p = *state;
        _cleanup_(config_freep) struct config *c = NULL;

        write_file(p, "geard.conf.d/20-b.conf",
                   "[Daemon]\nWait=3\nVolumePaths=\nVolumePaths=/b\n"
                   "[Listen]\nAddress=127.0.0.1:1\nFaces=gears\n");
        write_file(p, "geard.conf.d/10-a.conf", "[Daemon]\nWait=2\nReadyTimeout=9\nVolumePaths=/a\n");
        write_file(p, "geard.conf.d/.x.conf", "nonsense");
        write_file(p, "geard.conf.d/README", "nonsense");
        c = load(p, "[Daemon]\nWait=1\nStopTimeout=7\nVolumePaths=/main\n"
                    "[Listen]\nAddress=127.0.0.1:1\n[Listen]\nAddress=127.0.0.1:2\n");
        assert_int_equal(c->wait_usec, 3 * SEC);
        assert_int_equal(c->ready_timeout_usec, 9 * SEC);
        assert_int_equal(c->stop_timeout_usec, 7 * SEC);
        assert_int_equal(strv_len(c->volume_paths), 1);
        assert_string_equal(c->volume_paths[0], "/b");
        /* The later block for an address takes the place of the earlier, and says so. */
        assert_int_equal(c->n_listens, 2);
        assert_string_equal(c->listens[0].address, "127.0.0.1:2");
        assert_string_equal(c->listens[1].address, "127.0.0.1:1");
        assert_int_equal(c->listens[1].faces, FACE_GEARS);
        assert_int_equal(strv_len(c->warnings), 1);
        assert_non_null(strstr(c->warnings[0], "replaces the [Listen] of"));
}

static void files_that_cannot_be_read(void **state)
{
        const struct place *p = *state;
        struct config *c = NULL;
        struct fault f = { 0 };
        FILE *file;

        assert_int_equal(config_load("/nonexistent/geard.conf", &c, &f), -ENOENT);
        assert_int_equal(f.kind, FAULT_MISSING);
        assert_non_null(strstr(f.text, "/nonexistent/geard.conf"));
        assert_int_equal(config_load(p->dir, &c, &f), -EISDIR);
        file = fopen(p->file, "w");
        assert_non_null(file);
        assert_int_equal(fwrite("[Daemon]\0\n", 1, 10, file), 10);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(config_load(p->file, &c, &f), -EINVAL);
        assert_non_null(strstr(f.text, "NUL"));
        assert_null(c);
}

/* --- a reload ------------------------------------------------------------------- */

static char **take_over(const struct place *p, struct config *current, const char *text)
{
        _cleanup_(config_freep) struct config *fresh = load(p, text);
        char **left = NULL;

        assert_int_equal(config_take_over(current, fresh, &left), 0);
        return left;
}

/* Changed one at a time: what only a start reads stays, is named, and is named again by the next reload. */
static void a_reload_leaves_and_names(void **state)
{
        static const char *const at_start[] = {
                "StateDirectory=/srv/gears", "Database=/srv/geard.db", "DatabaseCache=3M", "AuditDays=7",
                "AuditSize=1G", "KeysDirectory=/srv/keys", "DockerSocket=/srv/docker.sock", "DockerUnit=",
                "ChangesMax=7", "RequestsMax=70", "HeadMax=8K", "BodyMax=2M", "PendingMax=64K",
                "ConnectionsMax=7", "ConnectionsPerAddress=7", "RequestsPerConnection=7", "HeadTimeout=7s",
                "BodyTimeout=7s", "IdleTimeout=7s", "StuckWrite=7s",
        };
        _cleanup_(config_freep) struct config *before = load(*state, ""), *current = load(*state, "");

        for (size_t i = 0; i < ARRAY_SIZE(at_start); i++) {
                char text[128];

                (void) snprintf(text, sizeof text, "[Daemon]\n%s\n", at_start[i]);
                for (int again = 0; again < 2; again++) {
                        _cleanup_strv_ char **left = take_over(*state, current, text);

                        if (strv_len(left) != 1 || strncmp(left[0], at_start[i], strlen(left[0])) != 0 ||
                            !ends_with(left[0], "="))
                                fail_msg("%s: %zu, %s", at_start[i], strv_len(left), left ? left[0] : "");
                }
        }
        assert_string_equal(current->state_directory, before->state_directory);
        assert_string_equal(current->docker_unit, before->docker_unit);
        assert_int_equal(current->database_cache, before->database_cache);
        assert_int_equal(current->audit_days, before->audit_days);
        assert_int_equal(current->changes_max, before->changes_max);
        assert_memory_equal(&current->limits, &before->limits, sizeof before->limits);
}

static void a_reload_takes_the_rest_over(void **state)
{
        static const char text[] = "[Daemon]\n"
                                   "TestToken=yes\nMaxTokenLife=1h\nNodeName=a\nPortRange=5000-5001\n"
                                   "VolumePaths=/srv\nAllowRegistries=docker.io\nPublishAddress=::1\n"
                                   "LogRate=100/1s\nDocker=/opt/docker\nHelper=/opt/helper\n"
                                   "Wait=10\nReadyTimeout=20s\nPullSilence=30s\nStopTimeout=0\n"
                                   "StreamsMax=2\nGearsMax=4\nLogLevel=debug\n";
        _cleanup_(config_freep) struct config *current = load(*state, "");
        _cleanup_strv_ char **left = take_over(*state, current, text);

        assert_null(left);
        assert_true(current->test_token);
        assert_int_equal(current->max_token_life_usec, 3600 * SEC);
        assert_string_equal(current->node_name, "a");
        assert_int_equal(current->port_first, 5000);
        assert_int_equal(current->port_last, 5001);
        assert_string_equal(current->volume_paths[0], "/srv");
        assert_string_equal(current->allow_registries[0], "docker.io");
        assert_string_equal(current->publish_address, "::1");
        assert_int_equal(current->log_rate_burst, 100);
        assert_int_equal(current->log_rate_usec, SEC);
        assert_string_equal(current->docker, "/opt/docker");
        assert_string_equal(current->helper, "/opt/helper");
        assert_int_equal(current->wait_usec, 10 * SEC);
        assert_int_equal(current->ready_timeout_usec, 20 * SEC);
        assert_int_equal(current->pull_silence_usec, 30 * SEC);
        assert_int_equal(current->stop_timeout_usec, 0);
        assert_int_equal(current->streams_max, 2);
        assert_int_equal(current->gears_max, 4);
        assert_int_equal(current->log_level, LOG_DEBUG);
}

/* Whatever their order: what differs, what is new, and what is gone. */
static void a_reload_tells_of_listeners(void **state)
{
        static const char same[] = "[Listen]\nAddress=127.0.0.1:1\nOrigins=https://a.example https://b.example\n",
                          gone[] = "[Listen]\nAddress=127.0.0.1:2\n",
                          former[] = "[Listen]\nAddress=/run/x\n",
                          changed[] = "[Listen]\nAddress=/run/x\nFaces=gears\nAuth=token\nGroup=root\nHosts=a\n",
                          added[] = "[Listen]\nAddress=127.0.0.1:3\n";
        static const char *const says[] = {
                "[Listen] 127.0.0.1:2",        "Faces= of [Listen] /run/x", "Auth= of [Listen] /run/x",
                "Hosts= of [Listen] /run/x", "Group= of [Listen] /run/x", "[Listen] 127.0.0.1:3",
        };
        _cleanup_(config_freep) struct config *current = NULL;
        _cleanup_strv_ char **left = NULL, **none = NULL;
        char text[512];

        (void) snprintf(text, sizeof text, "%s%s%s", same, gone, former);
        current = load(*state, text);
        (void) snprintf(text, sizeof text, "%s%s%s", former, same, gone);
        none = take_over(*state, current, text);
        assert_null(none);
        (void) snprintf(text, sizeof text, "%s%s%s", added, changed, same);
        left = take_over(*state, current, text);
        assert_int_equal(strv_len(left), ARRAY_SIZE(says));
        for (size_t i = 0; i < ARRAY_SIZE(says); i++)
                assert_string_equal(left[i], says[i]);
        assert_int_equal(current->n_listens, 3);
        assert_string_equal(current->listens[1].address, "127.0.0.1:2");
        assert_int_equal(current->listens[2].faces, FACE_ALL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                CASE(built_in),          CASE(everything_set),
                CASE(values_refused),    CASE(syntax_refused),
                CASE(listeners),         CASE(unknown_is_a_warning),
                CASE(drop_ins_in_order), CASE(files_that_cannot_be_read),
                CASE(a_reload_leaves_and_names), CASE(a_reload_takes_the_rest_over),
                CASE(a_reload_tells_of_listeners),
        };

        return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
