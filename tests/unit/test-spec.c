/* SPDX-License-Identifier: Apache-2.0 */

/* Specs: every field, its limits, its fault, and the canonical form. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/spec.h"

static struct json *parse(const char *text)
{
        struct fault f = { 0 };
        struct json *v = json_parse(text, strlen(text), "body", &f);

        if (!v)
                fail_msg("%s: %s", text, f.text);
        return v;
}

/* What is left of the canonical form of {"image":"x", …, "stop_timeout":"10s", …} when those two are cut. */
static void without_defaults(struct text *t, const char *canonical)
{
        static const char image[] = "{\"image\":\"x\"", stop[] = ",\"stop_timeout\":\"10s\"";
        const char *at;

        assert_true(starts_with(canonical, image));
        canonical += strlen(image);
        at = strstr(canonical, stop);
        if (at) {
                text_addn(t, canonical, (size_t) (at - canonical));
                canonical = at + strlen(stop);
        }
        text_add(t, canonical);
        text_truncate(t, t->len - 1); /* the closing brace */
}

/* The members of a body, and those of its canonical form. */
static void canonical_forms(void **state _unused_)
{
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "", "" },
                { "\"Image\":\"x\"", "" },
                { "\"user\":null,\"ports\":null", "" },
                { "\"started\":false,\"replace\":true,\"env\":{\"A\":\"1\"}", "" }, /* no part of it */
                { "\"command\":[\"a b\",\"\",\"\\t\\n\"]", ",\"command\":[\"a b\",\"\",\"\\t\\n\"]" },
                { "\"command\":\"a 'b c' \\\"d\\\"\"", ",\"command\":[\"a\",\"b c\",\"d\"]" },
                { "\"command\":[]", "" },
                { "\"command\":\"\"", "" },
                { "\"command\":[\"é\xF0\x9F\x98\x80\"]", ",\"command\":[\"\\u00e9\\ud83d\\ude00\"]" },
                { "\"ports\":[{\"external\":\"4343\",\"internal\":\"8080\"}]",
                  ",\"ports\":[{\"internal\":8080,\"external\":4343}]" },
                { "\"ports\":[{\"internal\":1,\"external\":0},{\"internal\":1,\"protocol\":\"udp\"}]",
                  ",\"ports\":[{\"internal\":1},{\"internal\":1,\"protocol\":\"udp\"}]" },
                { "\"ports\":[{\"internal\":1,\"external\":7,\"address\":\"127.0.0.1\"},"
                  "{\"internal\":1,\"external\":7,\"address\":\"0:0::1\",\"protocol\":\"tcp\"}]",
                  ",\"ports\":[{\"internal\":1,\"external\":7,\"address\":\"127.0.0.1\"},"
                  "{\"internal\":1,\"external\":7,\"address\":\"::1\"}]" },
                { "\"ports\":[]", "" },
                { "\"volumes\":[{\"name\":\"data\",\"target\":\"/data\"},"
                  "{\"source\":\"/srv/x\",\"target\":\"/x\",\"read_only\":true}]",
                  ",\"volumes\":[{\"name\":\"data\",\"target\":\"/data\"},"
                  "{\"source\":\"/srv/x\",\"target\":\"/x\",\"read_only\":true}]" },
                { "\"labels\":{\"b\":\"2\",\"a\":\"\\t\\n=\",\"B\":\"\"}",
                  ",\"labels\":{\"B\":\"\",\"a\":\"\\t\\n=\",\"b\":\"2\"}" },
                { "\"labels\":{}", "" },
                { "\"memory\":\"64m\"", ",\"memory\":67108864" },
                { "\"memory\":6291456", ",\"memory\":6291456" },
                { "\"memory\":\"1.5G\"", ",\"memory\":1610612736" },
                { "\"cpus\":0.25", ",\"cpus\":0.250" },
                { "\"cpus\":\"1.5\"", ",\"cpus\":1.500" },
                { "\"cpus\":1024", ",\"cpus\":1024.000" },
                { "\"cpus\":0.01", ",\"cpus\":0.010" },
                { "\"pids\":\"100\"", ",\"pids\":100" },
                { "\"user\":\"1000:1000\"", ",\"user\":\"1000:1000\"" },
                { "\"user\":\"www-data\"", ",\"user\":\"www-data\"" },
                { "\"user\":\"_x:0\"", ",\"user\":\"_x:0\"" },
                { "\"workdir\":\"/\"", ",\"workdir\":\"/\"" },
                { "\"hostname\":\"web-1.example\"", ",\"hostname\":\"web-1.example\"" },
                { "\"read_only\":true", ",\"read_only\":true" },
                { "\"read_only\":false", "" },
                { "\"cap_add\":[\"net_admin\",\"CAP_SYS_TIME\"],\"cap_drop\":[\"ALL\"]",
                  ",\"cap_add\":[\"NET_ADMIN\",\"SYS_TIME\"],\"cap_drop\":[\"ALL\"]" },
                { "\"devices\":[\"/dev/kvm\",\"/dev/net/tun\"]",
                  ",\"devices\":[\"/dev/kvm\",\"/dev/net/tun\"]" },
                { "\"privileged\":true", ",\"privileged\":true" },
                { "\"pid_mode\":\"host\"", ",\"pid_mode\":\"host\"" },
                { "\"network\":\"bridge\"", "" },
                { "\"network\":\"none\"", ",\"network\":\"none\"" },
                { "\"network\":\"my_net.1\"", ",\"network\":\"my_net.1\"" },
                { "\"restart\":\"always\"", "" },
                { "\"restart\":\"on-failure\"", ",\"restart\":\"on-failure\"" },
                { "\"restart\":\"no\"", ",\"restart\":\"no\"" },
                { "\"stop_timeout\":90", ",\"stop_timeout\":\"90s\"" },
                { "\"stop_timeout\":\"90\"", ",\"stop_timeout\":\"90s\"" },
                { "\"stop_timeout\":\"1m30s\"", ",\"stop_timeout\":\"90s\"" },
                { "\"stop_timeout\":0", ",\"stop_timeout\":\"0s\"" },
                { "\"stop_timeout\":3600", ",\"stop_timeout\":\"3600s\"" },
                { "\"stop_signal\":\"TERM\"", ",\"stop_signal\":\"SIGTERM\"" },
                { "\"stop_signal\":\"sigquit\"", ",\"stop_signal\":\"SIGQUIT\"" },
                { "\"stop_signal\":9", ",\"stop_signal\":\"SIGKILL\"" },
                { "\"stop_signal\":\"34\"", ",\"stop_signal\":\"SIGRTMIN\"" },
                { "\"stop_signal\":37", ",\"stop_signal\":\"SIGRTMIN+3\"" },
                { "\"stop_signal\":\"SIGRTMAX-1\"", ",\"stop_signal\":\"SIGRTMAX-1\"" },
                { "\"pull\":\"missing\"", "" },
                { "\"pull\":\"never\"", ",\"pull\":\"never\"" },
                { "\"health\":{\"command\":[\"curl\",\"-f\"]}",
                  ",\"health\":{\"command\":[\"curl\",\"-f\"],\"interval\":\"30s\",\"timeout\":\"30s\","
                  "\"retries\":3,\"start_period\":\"0s\"}" },
                { "\"health\":{\"command\":\"a || exit 1\",\"interval\":\"1500ms\",\"retries\":\"1\"}",
                  ",\"health\":{\"command\":[\"/bin/sh\",\"-c\",\"a || exit 1\"],\"interval\":\"1500ms\","
                  "\"timeout\":\"30s\",\"retries\":1,\"start_period\":\"0s\"}" },
                { "\"health\":{\"http\":\"/up?x=1\",\"port\":80,\"timeout\":5,\"start_period\":\"1m\"}",
                  ",\"health\":{\"http\":{\"port\":80,\"path\":\"/up?x=1\"},\"interval\":\"30s\","
                  "\"timeout\":\"5s\",\"retries\":3,\"start_period\":\"60s\"}" },
                { "\"health\":{\"http\":{\"Port\":\"80\"}}",
                  ",\"health\":{\"http\":{\"port\":80,\"path\":\"/"
                  "\"},\"interval\":\"30s\",\"timeout\":\"30s\","
                  "\"retries\":3,\"start_period\":\"0s\"}" },
                { "\"health\":{\"tcp\":22,\"interval\":\"100001us\"}",
                  ",\"health\":{\"tcp\":22,\"interval\":\"100001us\",\"timeout\":\"30s\",\"retries\":3,"
                  "\"start_period\":\"0s\"}" },
                { "\"ready\":\"running\"", "" },
                { "\"ready\":{\"running\":true}", "" },
                { "\"ready\":{\"running\":true,\"timeout\":\"2s\"}",
                  ",\"ready\":{\"running\":true,\"timeout\":\"2s\"}" },
                { "\"ready\":\"healthy\"", ",\"ready\":{\"healthy\":true}" },
                { "\"ready\":{\"tcp\":\"8080\"}", ",\"ready\":{\"tcp\":8080}" },
                { "\"ready\":{\"http\":{\"port\":8080,\"path\":\"/x\"},\"timeout\":\"90s\"}",
                  ",\"ready\":{\"http\":{\"port\":8080,\"path\":\"/x\"},\"timeout\":\"90s\"}" },
                { "\"ready\":{\"log\":\"^ready in [0-9]{1,3} ms$\"}",
                  ",\"ready\":{\"log\":\"^ready in [0-9]{1,3} ms$\"}" },
                { "\"ready\":{\"log\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T([0-9]{2}:){2}[0-9]{2}[]{9]{3,}\"}",
                  ",\"ready\":{\"log\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T([0-9]{2}:){2}[0-9]{2}[]{9]{3,}\"}" },
                { "\"ready\":\"http\",\"ports\":[{\"internal\":9,\"protocol\":\"udp\"},{\"internal\":80}]",
                  ",\"ports\":[{\"internal\":9,\"protocol\":\"udp\"},{\"internal\":80}],"
                  "\"ready\":{\"http\":{\"port\":80,\"path\":\"/\"}}" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text body = { 0 }, once = { 0 }, twice = { 0 }, shown = { 0 };
                _cleanup_(json_freep) struct json *v = NULL, *again = NULL;
                _cleanup_(spec_reset) struct spec a = { 0 }, b = { 0 };
                struct fault f = { 0 };
                bool named = strstr(rows[i].in, "Image") != NULL;

                text_addf(&body, "{%s%s%s}", named ? "" : "\"image\":\"x\"",
                          named || !*rows[i].in ? "" : ",", rows[i].in);
                v = parse(body.data);
                if (spec_from_json(v, NULL, &a, &f) < 0)
                        fail_msg("%s: %s", body.data, f.text);
                spec_to_json(&a, &once);
                without_defaults(&shown, once.data);
                assert_string_equal(shown.data, rows[i].out);
                for (size_t n = 0; n < once.len; n++)
                        assert_in_range((unsigned char) once.data[n], 0x20, 0x7E);

                again = parse(once.data);
                if (spec_from_json(again, NULL, &b, &f) < 0)
                        fail_msg("%s: %s", once.data, f.text);
                spec_to_json(&b, &twice);
                assert_string_equal(once.data, twice.data);
        }
}

static void refused(void **state _unused_)
{
        static const struct {
                const char *in, *field, *says;
        } rows[] = {
                { "\"bogus\":1", "bogus", "unknown field" },
                { "\"User\":\"a\",\"user\":\"b\"", "user", "given twice" },
                { "\"image\":5", "image", "must be a string" },
                { "\"image\":\"\"", "image", "must not be empty" },
                { "\"image\":\"--privileged\"", "image", "not an image reference" },
                { "\"command\":{}", "command", "must be an array" },
                { "\"command\":5", "command", "must be an array" },
                { "\"command\":[1]", "command[0]", "must be a string" },
                { "\"command\":[\"a\",null]", "command[1]", "must be a string" },
                { "\"command\":\"a 'b\"", "command", "unclosed quote" },
                { "\"env\":5", "env", "must be an object" },
                { "\"env\":{\"A\":\"x\\ny\"}", "env.A", "without newline" },
                { "\"ports\":\"x\"", "ports", "must be an array" },
                { "\"ports\":[[]]", "ports[0]", "must be an object" },
                { "\"ports\":[8080]", "ports[0]", "must be an object" },
                { "\"ports\":[\"8080\"]", "ports[0]", "must be an object" },
                { "\"ports\":[{}]", "ports[0].internal", "1 to 65535" },
                { "\"ports\":[{\"internal\":0}]", "ports[0].internal", "1 to 65535" },
                { "\"ports\":[{\"internal\":65536}]", "ports[0].internal", "1 to 65535" },
                { "\"ports\":[{\"internal\":\"1-65535\"}]", "ports[0].internal", "1 to 65535" },
                { "\"ports\":[{\"internal\":80.5}]", "ports[0].internal", "1 to 65535" },
                { "\"ports\":[{\"internal\":1},{\"internal\":80,\"external\":-1}]", "ports[1].external",
                  "0 to 65535" },
                { "\"ports\":[{\"internal\":80,\"external\":65536}]", "ports[0].external", "0 to 65535" },
                { "\"ports\":[{\"internal\":80,\"extrenal\":1}]", "ports[0].extrenal", "unknown field" },
                { "\"ports\":[{\"internal\":80,\"protocol\":\"sctp\"}]", "ports[0].protocol", "tcp, udp" },
                { "\"ports\":[{\"internal\":80,\"protocol\":6}]", "ports[0].protocol", "tcp, udp" },
                { "\"ports\":[{\"internal\":80,\"address\":\"localhost\"}]", "ports[0].address", "IPv4" },
                { "\"ports\":[{\"internal\":80,\"address\":\"1.2.3\"}]", "ports[0].address", "IPv4" },
                { "\"ports\":[{\"internal\":80,\"address\":\"fe80::1%eth0\"}]", "ports[0].address", "IPv4" },
                { "\"ports\":[{\"internal\":80,\"external\":1},{\"internal\":81,\"external\":1}]",
                  "ports[1].external", "port 1 is published twice" },
                { "\"ports\":[{\"internal\":80,\"external\":1,\"address\":\"127.0.0.1\"},"
                  "{\"internal\":81,\"external\":1,\"address\":\"0.0.0.0\"}]",
                  "ports[1].external", "published twice" },
                { "\"ports\":[{\"internal\":80},{\"internal\":80}]", "ports[1].external",
                  "port 80 is leased twice" },
                { "\"volumes\":{}", "volumes", "must be an array" },
                { "\"volumes\":[{\"target\":\"/x\"}]", "volumes[0]", "either name or source" },
                { "\"volumes\":[{\"name\":\"a\",\"source\":\"/a\",\"target\":\"/x\"}]", "volumes[0]",
                  "either" },
                { "\"volumes\":[{\"name\":\"/etc\",\"target\":\"/x\"}]", "volumes[0].name",
                  "a host path is a source" },
                { "\"volumes\":[{\"name\":\"a:b\",\"target\":\"/x\"}]", "volumes[0].name",
                  "must be letters" },
                { "\"volumes\":[{\"name\":\"-v\",\"target\":\"/x\"}]", "volumes[0].name",
                  "must be letters" },
                { "\"volumes\":[{\"name\":\"a\"}]", "volumes[0].target", "must be a string" },
                { "\"volumes\":[{\"name\":\"a\",\"target\":\"x\"}]", "volumes[0].target", "absolute path" },
                { "\"volumes\":[{\"name\":\"a\",\"target\":\"/\"}]", "volumes[0].target", "absolute path" },
                { "\"volumes\":[{\"name\":\"a\",\"target\":\"/x:ro\"}]", "volumes[0].target",
                  "absolute path" },
                { "\"volumes\":[{\"name\":\"a\",\"target\":\"/x/../y\"}]", "volumes[0].target",
                  "absolute path" },
                { "\"volumes\":[{\"name\":\"a\",\"target\":\"/x/\"}]", "volumes[0].target",
                  "absolute path" },
                { "\"volumes\":[{\"name\":\"a\",\"target\":\"/x\\n\"}]", "volumes[0].target",
                  "control characters" },
                { "\"volumes\":[{\"source\":\"../x\",\"target\":\"/x\"}]", "volumes[0].source",
                  "absolute path" },
                { "\"volumes\":[{\"name\":\"a\",\"target\":\"/x\"},{\"name\":\"b\",\"target\":\"/x\"}]",
                  "volumes[1].target", "two volumes" },
                { "\"volumes\":[{\"name\":\"a\",\"target\":\"/x\",\"read_only\":1}]", "volumes[0].read_only",
                  "true or false" },
                { "\"labels\":[]", "labels", "must be an object" },
                { "\"labels\":{\"a\":1}", "labels.a", "must be a string" },
                { "\"labels\":{\"\":\"\"}", "labels", "name of a label" },
                { "\"labels\":{\"a b\":\"\"}", "labels", "name of a label" },
                { "\"labels\":{\"a=b\":\"\"}", "labels", "name of a label" },
                { "\"labels\":{\"a\\n\":\"\"}", "labels", "name of a label" },
                { "\"labels\":{\"io.geard.id\":\"2\"}", "labels", "reserved" },
                { "\"labels\":{\"com.docker.x\":\"2\"}", "labels", "reserved" },
                { "\"memory\":\"5m\"", "memory", "at least 6M" },
                { "\"memory\":6291455", "memory", "at least 6M" },
                { "\"memory\":0", "memory", "at least 6M" },
                { "\"memory\":-1", "memory", "at least 6M" },
                { "\"memory\":1e9", "memory", "at least 6M" },
                { "\"memory\":9223372036854775808", "memory", "at least 6M" },
                { "\"memory\":\"8388608t\"", "memory", "at least 6M" },
                { "\"memory\":\"lots\"", "memory", "at least 6M" },
                { "\"memory\":true", "memory", "at least 6M" },
                { "\"cpus\":0", "cpus", "0.01 to 1024" },
                { "\"cpus\":1025", "cpus", "0.01 to 1024" },
                { "\"cpus\":\"1/2\"", "cpus", "0.01 to 1024" },
                { "\"cpus\":0.0105", "cpus", "three digits" },
                { "\"pids\":0", "pids", "1 to 4194304" },
                { "\"pids\":1.5", "pids", "1 to 4194304" },
                { "\"user\":\"\"", "user", "must not be empty" },
                { "\"user\":\"a b\"", "user", "user name" },
                { "\"user\":\"-1\"", "user", "user name" },
                { "\"user\":\"a:\"", "user", "user name" },
                { "\"user\":\"a:b:c\"", "user", "user name" },
                { "\"user\":\"2147483648\"", "user", "user name" },
                { "\"user\":1000", "user", "must be a string" },
                { "\"workdir\":\"x\"", "workdir", "absolute" },
                { "\"workdir\":\"/x\\u0007\"", "workdir", "control characters" },
                { "\"hostname\":\"-a\"", "hostname", "letters, digits" },
                { "\"hostname\":\"a_b\"", "hostname", "letters, digits" },
                { "\"hostname\":\"a..b\"", "hostname", "letters, digits" },
                { "\"hostname\":\"a.\"", "hostname", "letters, digits" },
                { "\"read_only\":\"true\"", "read_only", "true or false" },
                { "\"cap_add\":\"ALL\"", "cap_add", "array" },
                { "\"cap_add\":[\"ROOT\"]", "cap_add[0]", "must be a capability" },
                { "\"cap_add\":[\"KILL\",\"CAP_KILL\"]", "cap_add[1]", "given twice" },
                { "\"cap_drop\":[1]", "cap_drop[0]", "must be a string" },
                { "\"devices\":[\"/etc/passwd\"]", "devices[0]", "below /dev" },
                { "\"devices\":[\"/dev/../etc\"]", "devices[0]", "absolute path" },
                { "\"devices\":[\"/dev/a:/dev/b\"]", "devices[0]", "absolute path" },
                { "\"devices\":[\"/dev\"]", "devices[0]", "below /dev" },
                { "\"privileged\":1", "privileged", "true or false" },
                { "\"pid_mode\":\"container:x\"", "pid_mode", "only be host" },
                { "\"network\":\"container:x\"", "network", "name of a network" },
                { "\"network\":\"--x\"", "network", "name of a network" },
                { "\"network\":\"host\",\"ports\":[{\"internal\":1}]", "ports", "network host" },
                { "\"network\":\"none\",\"ports\":[{\"internal\":1}]", "ports", "network none" },
                { "\"network\":\"host\",\"hostname\":\"a\"", "hostname", "network host" },
                { "\"restart\":\"sometimes\"", "restart", "always, on-failure, no" },
                { "\"restart\":false", "restart", "always, on-failure, no" },
                { "\"stop_timeout\":-1", "stop_timeout", "from 0s to 3600s" },
                { "\"stop_timeout\":3601", "stop_timeout", "from 0s to 3600s" },
                { "\"stop_timeout\":\"2h\"", "stop_timeout", "from 0s to 3600s" },
                { "\"stop_timeout\":\"soon\"", "stop_timeout", "from 0s to 3600s" },
                { "\"stop_timeout\":\"1500ms\"", "stop_timeout", "whole seconds" },
                { "\"stop_timeout\":1.5", "stop_timeout", "from 0s to 3600s" },
                { "\"stop_signal\":\"SIGFOO\"", "stop_signal", "name of a signal" },
                { "\"stop_signal\":\"\"", "stop_signal", "name of a signal" },
                { "\"stop_signal\":0", "stop_signal", "1 to 64" },
                { "\"stop_signal\":65", "stop_signal", "1 to 64" },
                { "\"stop_signal\":33", "stop_signal", "name of a signal" },
                { "\"stop_signal\":[]", "stop_signal", "1 to 64" },
                { "\"pull\":\"often\"", "pull", "missing, always, never" },
                { "\"health\":\"x\"", "health", "must be an object" },
                { "\"health\":{}", "health", "exactly one of command, http, tcp" },
                { "\"health\":{\"tcp\":1,\"http\":\"/\"}", "health", "exactly one" },
                { "\"health\":{\"tcp\":1,\"port\":2}", "health", "port goes with http" },
                { "\"health\":{\"tcp\":0}", "health.tcp", "1 to 65535" },
                { "\"health\":{\"http\":\"/\"}", "health.port", "1 to 65535" },
                { "\"health\":{\"http\":\"x\",\"port\":1}", "health.http", "must begin with '/'" },
                { "\"health\":{\"http\":\"/ x\",\"port\":1}", "health.http", "printable ASCII" },
                { "\"health\":{\"http\":\"/\\r\\nX: y\",\"port\":1}", "health.http", "printable ASCII" },
                { "\"health\":{\"http\":{\"port\":1,\"x\":1}}", "health.http.x", "unknown field" },
                { "\"health\":{\"http\":{\"port\":1},\"port\":1}", "health.port", "http object" },
                { "\"health\":{\"http\":{\"path\":\"/\"}}", "health.http.port", "1 to 65535" },
                { "\"health\":{\"command\":[]}", "health.command", "must name a command" },
                { "\"health\":{\"command\":5}", "health.command", "must be an array" },
                { "\"health\":{\"tcp\":1,\"interval\":\"1ms\"}", "health.interval", "from 0.1s to 86400s" },
                { "\"health\":{\"tcp\":1,\"retries\":0}", "health.retries", "1 to 100" },
                { "\"ready\":5", "ready", "must be a string" },
                { "\"ready\":\"log\"", "ready", "must be running, healthy" },
                { "\"ready\":\"tcp\"", "ready", "needs a TCP port" },
                { "\"ready\":{}", "ready", "exactly one of running, healthy, tcp, http, log" },
                { "\"ready\":{\"healthy\":false}", "ready.healthy", "only be true" },
                { "\"ready\":{\"tcp\":70000}", "ready.tcp", "1 to 65535" },
                { "\"ready\":{\"log\":\"(\"}", "ready.log", "regular expression" },
                { "\"ready\":{\"log\":\"a{40}{40}\"}", "ready.log", "too costly" },
                { "\"ready\":{\"log\":\"^up++++++++++++++++++++++++++++++++\"}", "ready.log", "too costly" },
                { "\"ready\":{\"log\":\"(a+b)+{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}\"}", "ready.log", "too costly" },
                { "\"ready\":{\"log\":\"(a{2,999}){1,2}\"}", "ready.log", "too costly" },
                { "\"ready\":{\"log\":\"((a{40}){40}){2}\"}", "ready.log", "too costly" },
                { "\"ready\":{\"log\":\"((((((((((((((((a))))))))))))))))\"}", "ready.log", "too costly" },
                { "\"ready\":{\"log\":\"[\"}", "ready.log", "regular expression" },
                { "\"ready\":{\"log\":\"(a)\\\\1\"}", "ready.log", "no back-references" },
                { "\"ready\":{\"log\":\"\"}", "ready.log", "must not be empty" },
                { "\"ready\":{\"tcp\":1,\"timeout\":\"2d\"}", "ready.timeout", "86400s" },
                { "\"started\":\"yes\"", "started", "true or false" },
                { "\"replace\":1", "replace", "true or false" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text body = { 0 };
                _cleanup_(json_freep) struct json *v = NULL;
                struct spec s = { 0 };
                struct fault f = { 0 };
                bool named = strstr(rows[i].in, "\"image\"") != NULL;

                text_addf(&body, "{%s%s}", named ? "" : "\"image\":\"x\",", rows[i].in);
                v = parse(body.data);
                if (spec_from_json(v, NULL, &s, &f) != -EINVAL)
                        fail_msg("accepted: %s", body.data);
                if (!streq(f.field, rows[i].field) || !strstr(f.text, rows[i].says) ||
                    f.kind != FAULT_INVALID)
                        fail_msg("%s: [%s] %s", body.data, f.field, f.text);
                assert_null(s.image);
        }
}

static void bodies_that_are_none(void **state _unused_)
{
        static const char *const rows[] = { "[]", "\"x\"", "5", "null", "true" };
        struct spec s = { 0 };
        struct fault f = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(json_freep) struct json *v = parse(rows[i]);

                assert_int_equal(spec_from_json(v, "x", &s, &f), -EINVAL);
                assert_string_equal(f.text, "body: must be a JSON object");
        }
        assert_int_equal(spec_from_json(NULL, NULL, &s, &f), -EINVAL);
        assert_string_equal(f.text, "image: must be given");
}

/* claims, body, outcome */
static void images_of_claims(void **state _unused_)
{
        static const struct {
                const char *claimed, *body, *image;
                enum fault_kind kind;
        } rows[] = {
                { "busybox", NULL, "busybox", FAULT_NONE },
                { "busybox", "{}", "busybox", FAULT_NONE },
                { "busybox", "{\"image\":\"busybox\"}", "busybox", FAULT_NONE },
                { "busybox", "{\"image\":\"docker.io/library/busybox:latest\"}", "busybox", FAULT_NONE },
                { NULL, "{\"image\":\"a/b:1\"}", "a/b:1", FAULT_NONE },
                { "busybox", "{\"image\":\"busybox:1\"}", NULL, FAULT_DENIED },
                { "busybox", "{\"image\":\"other\"}", NULL, FAULT_DENIED },
                { "Bad Image", "{}", NULL, FAULT_INVALID },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(json_freep) struct json *v = rows[i].body ? parse(rows[i].body) : NULL;
                _cleanup_(spec_reset) struct spec s = { 0 };
                struct fault f = { 0 };
                int r = spec_from_json(v, rows[i].claimed, &s, &f);

                assert_int_equal(f.kind, rows[i].kind);
                assert_int_equal(r, rows[i].image ? 0 : -EINVAL);
                if (rows[i].image)
                        assert_string_equal(s.image, rows[i].image);
        }
}

static void defaults(void **state _unused_)
{
        _cleanup_(spec_reset) struct spec s = { 0 };
        struct fault f = { 0 };

        assert_int_equal(spec_from_json(NULL, "x", &s, &f), 0);
        assert_true(s.started);
        assert_false(s.replace);
        assert_false(s.env_given);
        assert_false(s.stop_timeout_given);
        assert_int_equal(s.stop_timeout_usec, 10000000);
        assert_int_equal(s.restart, RESTART_ALWAYS);
        assert_int_equal(s.ready.kind, READY_RUNNING);
        assert_int_equal(s.health.kind, PROBE_NONE);
        assert_null(s.command);
        assert_null(s.network);
}

/* What needs gear.host, and what does not. */
static void host_fields(void **state _unused_)
{
        static const struct {
                const char *body, *field;
        } rows[] = {
                { "{}", NULL },
                { "{\"volumes\":[{\"name\":\"a\",\"target\":\"/a\"}]}", NULL },
                { "{\"volumes\":[{\"name\":\"a\",\"target\":\"/a\"},{\"source\":\"/b\",\"target\":\"/b\"}]}",
                  "volumes" },
                { "{\"cap_add\":[\"KILL\"]}", "cap_add" },
                { "{\"cap_add\":[]}", NULL },
                { "{\"cap_drop\":[\"ALL\"]}", NULL },
                { "{\"devices\":[\"/dev/kvm\"]}", "devices" },
                { "{\"privileged\":true}", "privileged" },
                { "{\"privileged\":false}", NULL },
                { "{\"pid_mode\":\"host\"}", "pid_mode" },
                { "{\"network\":\"host\"}", "network" },
                { "{\"network\":\"none\"}", NULL },
                { "{\"network\":\"mine\"}", NULL },
                { "{\"user\":\"0\"}", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(json_freep) struct json *v = parse(rows[i].body);
                _cleanup_(spec_reset) struct spec s = { 0 };
                struct fault f = { 0 };

                if (spec_from_json(v, "x", &s, &f) < 0)
                        fail_msg("%s: %s", rows[i].body, f.text);
                assert_true(streq_null(spec_host_field(&s), rows[i].field));
        }
}

/* `n` copies of an element, in an array or object of the field. */
static void counts(void **state _unused_)
{
        static const struct {
                const char *field, *element; /* %zu is its number */
                const char *brackets;
                size_t max;
        } rows[] = {
                { "ports", "{\"internal\":%zu}", "[]", SPEC_PORTS_MAX },
                { "volumes", "{\"name\":\"v\",\"target\":\"/%zu\"}", "[]", SPEC_VOLUMES_MAX },
                { "labels", "\"l%zu\":\"\"", "{}", SPEC_LABELS_MAX },
                { "command", "\"w%zu\"", "[]", SPEC_COMMAND_MAX },
                { "devices", "\"/dev/d%zu\"", "[]", 64 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                for (size_t n = rows[i].max; n <= rows[i].max + 1; n++) {
                        _cleanup_text_ struct text body = { 0 };
                        _cleanup_(json_freep) struct json *v = NULL;
                        _cleanup_(spec_reset) struct spec s = { 0 };
                        struct fault f = { 0 };
                        const char *number = strstr(rows[i].element, "%zu");

                        text_addf(&body, "{\"%s\":%c", rows[i].field, rows[i].brackets[0]);
                        for (size_t e = 0; e < n; e++)
                                text_addf(&body, "%s%.*s%zu%s", e ? "," : "",
                                          (int) (number - rows[i].element), rows[i].element, e + 1,
                                          number + strlen("%zu"));
                        text_addf(&body, "%c}", rows[i].brackets[1]);
                        v = parse(body.data);
                        assert_int_equal(spec_from_json(v, "x", &s, &f), n == rows[i].max ? 0 : -EINVAL);
                        assert_string_equal(f.field, n == rows[i].max ? "" : rows[i].field);
                }
        }
}

/* Lengths of single strings. */
static void lengths(void **state _unused_)
{
        static const struct {
                const char *before, *after;
                size_t max;
        } rows[] = {
                { "{\"command\":[\"", "\"]}", SPEC_WORD_MAX },
                { "{\"command\":\"", "\"}", SPEC_WORD_MAX },
                { "{\"labels\":{\"a\":\"", "\"}}", SPEC_LABEL_VALUE_MAX },
                { "{\"labels\":{\"", "\":\"\"}}", 255 },
                { "{\"hostname\":\"", "\"}", 63 },
                { "{\"user\":\"", "\"}", 64 },
                { "{\"network\":\"", "\"}", 63 },
                { "{\"workdir\":\"/", "\"}", 4094 },
                { "{\"volumes\":[{\"name\":\"", "\",\"target\":\"/x\"}]}", 63 },
                { "{\"volumes\":[{\"name\":\"x\",\"target\":\"/", "\"}]}", 4094 },
                { "{\"ready\":{\"log\":\"", "\"}}", 1024 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                for (size_t n = rows[i].max; n <= rows[i].max + 1; n++) {
                        _cleanup_text_ struct text body = { 0 };
                        _cleanup_(json_freep) struct json *v = NULL;
                        _cleanup_(spec_reset) struct spec s = { 0 };
                        struct fault f = { 0 };

                        text_add(&body, rows[i].before);
                        for (size_t c = 0; c < n; c++)
                                text_addc(&body, 'a');
                        text_add(&body, rows[i].after);
                        v = parse(body.data);
                        if ((spec_from_json(v, "x", &s, &f) == 0) != (n == rows[i].max))
                                fail_msg("row %zu, %zu: %s", i, n, f.text);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(canonical_forms),
                cmocka_unit_test(refused),
                cmocka_unit_test(bodies_that_are_none),
                cmocka_unit_test(images_of_claims),
                cmocka_unit_test(defaults),
                cmocka_unit_test(host_fields),
                cmocka_unit_test(counts),
                cmocka_unit_test(lengths),
        };

        return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
