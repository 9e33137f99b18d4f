/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Units: the whole text against golden files, the record read back, and what
 * hands may have done to it.  GEARD_GOLDEN=write makes the golden files anew,
 * for a person to look at the difference.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/unit.h"
#include "util/file.h"

#define GOLDEN_MAX ((size_t) 1 << 20)

static const struct unit_host debian = {
        .state_directory = "/var/lib/gears",
        .docker = "/usr/bin/docker",
        .docker_unit = "docker.service",
        .docker_socket = "/run/docker.sock",
        .helper = "/usr/libexec/geard/gear-unit",
        .publish_address = "0.0.0.0",
};

static const struct unit_host strange = {
        .state_directory = "/srv/100% \"gears\" $HOME",
        .docker = "/opt/docker bin/docker",
        .docker_unit = "",
        .docker_socket = "/run/user/docker.sock",
        .helper = "/opt/geard's/gear-unit",
        .cgroup_parent = "gear.slice",
        .publish_address = "::1",
        .log_rate_burst = 5000,
        .log_rate_usec = 30000000,
};

static const struct unit_origin somebody = {
        .id = "1",
        .user = "0",
        .request_id = "0000000000000000000000000000002a",
        .created_usec = 1795227201000042,
};

static const struct unit_origin awkward = {
        .id = "a.B-c_9",
        .user = "Zo\xc3\xab \"%h\"\n[Service]\nExecStart=/bin/false \\",
        .request_id = "ffffffffffffffffffffffffffffffff",
        .created_usec = 999999,
};

struct golden {
        const char *name;
        const struct unit_origin *origin;
        const struct unit_host *host;
        const char *spec;
};

static const struct golden goldens[] = {
        { "minimal", &somebody, &debian, "{\"image\":\"test/busybox\"}" },
        { "strange-host", &somebody, &strange, "{\"image\":\"test/busybox\",\"ports\":[{\"internal\":80,\"external\":81}]}" },
        { "on-failure", &awkward, &debian,
          "{\"image\":\"test/busybox\",\"restart\":\"on-failure\",\"health\":{\"http\":\"/up?x=%41\",\"port\":8080},"
          "\"ready\":\"healthy\"}" },
        { "once", &somebody, &debian,
          "{\"image\":\"localhost:5000/a/b:v1.2\",\"restart\":\"no\",\"command\":[\"\",\";\",\"-c\",\"%n $HOME ${X} $$\","
          "\"it's\",\"say \\\"hi\\\"\",\"back\\\\slash\",\"tab\\tnew\\nline\\r\",\"#no\",\"\\u00e9\\u2028\\ud83d\\ude00\"],"
          "\"stop_timeout\":0,\"ready\":{\"log\":\"^up$\",\"timeout\":\"5s\"}}" },
        { "everything", &awkward, &debian,
          "{\"image\":\"registry.example:5000/team/app@sha256:"
          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
          "\"command\":\"serve --port 8080 'two words'\",\"env\":{\"SECRET\":\"never in here\"},"
          "\"ports\":[{\"internal\":8080,\"external\":4343},{\"internal\":53,\"external\":5353,\"protocol\":\"udp\","
          "\"address\":\"127.0.0.1\"},{\"internal\":443,\"external\":4443,\"address\":\"::1\"}],"
          "\"volumes\":[{\"name\":\"data\",\"target\":\"/data\"},{\"source\":\"/srv/50% $x\",\"target\":\"/srv\","
          "\"read_only\":true}],\"labels\":{\"b\":\"2\",\"a\":\"100% \\\"$sure\\\"\\\\ ; #\"},"
          "\"memory\":\"64m\",\"cpus\":\"1.5\",\"pids\":100,\"user\":\"1000:1000\",\"workdir\":\"/srv/a b\","
          "\"hostname\":\"web-1.example\",\"read_only\":true,\"cap_add\":[\"NET_ADMIN\"],\"cap_drop\":[\"ALL\"],"
          "\"devices\":[\"/dev/null\"],\"privileged\":true,\"pid_mode\":\"host\",\"network\":\"backend\","
          "\"restart\":\"always\",\"stop_timeout\":\"1min\",\"stop_signal\":\"INT\",\"pull\":\"never\","
          "\"health\":{\"command\":[\"test\",\"-e\",\"/tmp/it's $fine\"],\"interval\":\"1s\",\"timeout\":\"500ms\","
          "\"retries\":2,\"start_period\":\"10s\"},\"ready\":{\"http\":\"/\",\"port\":8080},\"started\":false,"
          "\"replace\":true}" },
};

static void spec_of(const char *json, struct spec *ret)
{
        _cleanup_(json_freep) struct json *body = NULL;
        struct fault f = { 0 };

        body = json_parse(json, strlen(json), "body", &f);
        if (!body || spec_from_json(body, NULL, ret, &f) < 0)
                fail_msg("%s: %s", json, f.text);
}

static char *rendered(const struct golden *g)
{
        struct text t = { 0 };
        struct spec spec = { 0 };
        struct fault f = { 0 };

        spec_of(g->spec, &spec);
        if (unit_render(&spec, g->origin, g->host, &t, &f) < 0)
                fail_msg("%s: %s", g->name, f.text);
        spec_reset(&spec);
        return text_take(&t);
}

static void golden_path(const struct golden *g, char *ret, size_t size)
{
        const char *srcdir = getenv("srcdir");

        (void) snprintf(ret, size, "%s/tests/unit/golden/%s.service", srcdir ? srcdir : ".", g->name);
}

static void write_golden(const char *path, const char *text)
{
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void text_is_golden(void **state _unused_)
{
        const char *wish = getenv("GEARD_GOLDEN");

        for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
                _cleanup_free_ char *text = rendered(&goldens[i]), *golden = NULL;
                char path[4096];
                size_t n;

                golden_path(&goldens[i], path, sizeof path);
                if (wish && streq(wish, "write"))
                        write_golden(path, text);
                if (file_read(path, GOLDEN_MAX, &golden, &n) < 0)
                        fail_msg("cannot read %s", path);
                assert_string_equal(text, golden);
        }
}

static void record_round_trip(void **state _unused_)
{
        for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
                const struct golden *g = &goldens[i];
                _cleanup_free_ char *text = rendered(g);
                _cleanup_text_ struct text before = { 0 }, after = { 0 };
                struct unit_record record = { 0 };
                struct spec spec = { 0 };
                char hash[DIGEST_HEX_LEN + 1];
                struct fault f = { 0 };

                if (unit_read(text, &record, &f) < 0)
                        fail_msg("%s: %s", g->name, f.text);
                spec_of(g->spec, &spec);
                assert_int_equal(unit_spec_hash(&spec, hash), 0);
                spec_to_json(&spec, &before);
                spec_to_json(&record.spec, &after);
                assert_string_equal(after.data, before.data);
                assert_string_equal(record.hash, hash);
                assert_string_equal(record.id, g->origin->id);
                assert_string_equal(record.user, g->origin->user);
                assert_string_equal(record.request_id, g->origin->request_id);
                unit_record_reset(&record);
                spec_reset(&spec);
        }
}

static void no_environment_in_it(void **state _unused_)
{
        for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
                _cleanup_free_ char *text = rendered(&goldens[i]);

                assert_null(strstr(text, "never in here"));
                assert_null(strstr(text, "SECRET"));
        }
}

/* --- what hands may do ---------------------------------------------------------- */

/* A copy of text with the first occurrence of one string replaced. */
static char *edited(const char *text, const char *from, const char *to)
{
        struct text t = { 0 };
        const char *at = strstr(text, from);

        if (!at)
                fail_msg("there is no \"%s\" to damage", from);
        text_addn(&t, text, (size_t) (at - text));
        text_add(&t, to);
        text_add(&t, at + strlen(from));
        return text_take(&t);
}

static void damage_has_a_reason(void **state _unused_)
{
        static const struct {
                const char *from, *to, *reason;
        } rows[] = {
                { "[X-Gear]", "[X-Geer]", "no [X-Gear] section" },
                { "Version=1\n", "", "a key is missing" },
                { "Version=1\n", "Version=2\n", "a format this geard does not know" },
                { "Version=1\n", "Version=1\nVersion=1\n", "twice" },
                { "Version=1\n", "Version\n", "without `='" },
                { "Version=1\n", "Version=1\nFlavour=sweet\n", "unknown key" },
                { "Id=1\n", "Id=../1\n", "malformed id" },
                { "Id=1\n", "Id=\n", "malformed id" },
                { "RequestId=", "RequestId=x", "malformed id" },
                { "Created=", "Created=x", "unreadable Created=" },
                { ".000042Z", ".42Z", "unreadable Created=" },
                { ".000042Z", ".-00042Z", "unreadable Created=" },
                { "User=\"0\"", "User=0", "unreadable User=" },
                { "User=\"0\"", "User=\"0", "unreadable User=" },
                { "User=\"0\"", "User=\"0\",\"x\":1", "unreadable User=" },
                { "Image=test/busybox", "Image=test/other", "the hash does not fit" },
                { "SpecHash=", "SpecHash=0", "the hash does not fit" },
                { "{\"image\":\"test/busybox\"", "{\"image\":\"test/busybox\",\"pids\":1", "the hash does not fit" },
                { "{\"image\":\"test/busybox\"", "{\"image\":\"test/busybox\",\"flavour\":1", "flavour" },
                { "{\"image\":\"test/busybox\"", "{\"image\":\"test/busybox\",\"pids\":\"-1\"", "pids" },
                { "{\"image\"", "\"image\"", "unreadable Spec=" },
                { "\n[Unit]", "\n[X-Gear]", "a second heading" },
        };
        _cleanup_free_ char *text = rendered(&goldens[0]);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *damaged = edited(text, rows[i].from, rows[i].to);
                struct unit_record record = { 0 };
                struct fault f = { 0 };

                if (unit_read(damaged, &record, &f) >= 0)
                        fail_msg("\"%s\" in place of \"%s\" was read", rows[i].to, rows[i].from);
                if (!strstr(f.text, rows[i].reason))
                        fail_msg("\"%s\" in place of \"%s\": %s", rows[i].to, rows[i].from, f.text);
        }
}

/* Whatever is cut off: a reason, or – once the section is whole – the gear. */
static void a_torn_file_is_never_half_a_gear(void **state _unused_)
{
        _cleanup_free_ char *text = rendered(&goldens[4]);
        size_t whole = (size_t) (strstr(text, "\n\n[Unit]") - text);

        for (size_t n = 0; n <= strlen(text); n++) {
                _cleanup_free_ char *torn = strndup(text, n);
                struct unit_record record = { 0 };
                struct fault f = { 0 };
                int r = unit_read(torn, &record, &f);

                if ((r == 0) != (n >= whole))
                        fail_msg("cut after %zu bytes of %zu: %s", n, whole, r == 0 ? "a gear" : f.text);
                if (r < 0)
                        assert_true(*f.text);
                else
                        unit_record_reset(&record);
        }
}

/* --- lines ------------------------------------------------------------------------- */

static void longest_line_is_bounded(void **state _unused_)
{
        static char value[SPEC_LABEL_VALUE_MAX + 1];
        _cleanup_text_ struct text json = { 0 }, unit = { 0 };
        struct spec spec = { 0 };
        struct fault f = { 0 };

        memset(value, '\x01', sizeof value - 1); /* takes six bytes each in the record, four in the command */
        text_add(&json, "{\"image\":\"x\",\"labels\":{");
        for (int i = 0; i < 5; i++) {
                text_addf(&json, "%s\"l%d\":", i ? "," : "", i);
                json_out(&json, value);
        }
        text_add(&json, "}}");
        assert_true(text_ok(&json));
        spec_of(json.data, &spec);
        assert_true(unit_render(&spec, &somebody, &debian, &unit, &f) < 0);
        assert_int_equal(f.kind, FAULT_INVALID);
        assert_string_equal(f.field, "command");
        assert_null(unit.data);

        spec_reset(&spec);
        text_truncate(&json, 0);
        text_add(&json, "{\"image\":\"x\",\"labels\":{\"one\":");
        json_out(&json, value);
        text_add(&json, "}}");
        spec_of(json.data, &spec);
        assert_int_equal(unit_render(&spec, &somebody, &debian, &unit, &f), 0);
        spec_reset(&spec);
}

static void words_are_quoted(void **state _unused_)
{
        static const struct {
                const char *word, *quoted;
        } rows[] = {
                { "plain", "plain" },
                { "--a=/b:c,d@e+f-g_h.i", "--a=/b:c,d@e+f-g_h.i" },
                { "", "\"\"" },
                { ";", "\";\"" },
                { "a;", "\"a;\"" },
                { "two words", "\"two words\"" },
                { "it's", "\"it's\"" },
                { "\"\\", "\"\\\"\\\\\"" },
                { "100%", "\"100%%\"" },
                { "$HOME", "\"$HOME\"" }, /* the `:' before the command keeps it from being expanded */
                { "\t\n\r\x7f", "\"\\x09\\x0a\\x0d\\x7f\"" },
                { "\xc3\xa9", "\"\\xc3\\xa9\"" },
                { "~", "\"~\"" },
                { "#", "\"#\"" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text t = { 0 };

                unit_quote(&t, rows[i].word);
                assert_string_equal(t.data, rows[i].quoted);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_is_golden),
                cmocka_unit_test(record_round_trip),
                cmocka_unit_test(no_environment_in_it),
                cmocka_unit_test(damage_has_a_reason),
                cmocka_unit_test(a_torn_file_is_never_half_a_gear),
                cmocka_unit_test(longest_line_is_bounded),
                cmocka_unit_test(words_are_quoted),
        };

        return cmocka_run_group_tests_name("unit", tests, NULL, NULL);
}
