/* SPDX-License-Identifier: Apache-2.0 */

/* What Docker 20.10.24 with runc 1.1 said, word for word, and whom it blames. */

#include "core/engine-refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DAEMON "docker: Error response from daemon: "
#define RUNC                                                                                          \
        DAEMON                                                                                        \
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to start " \
        "container process: "
#define MERGED \
        "/var/lib/docker/overlay2/4a6140e26f1ec37dce9854af8b3ef390a5f61224a1b4a81a1a76499741b10f87/merged"
#define ENDPOINT DAEMON "driver failed programming external connectivity on endpoint gear-1 (f14e296ae67d): "
#define PORTS \
        "'ports':[{'internal':80,'external':47},{'internal':81,'external':4711,'address':'203.0.113.9'}]"

struct row {
        const char *spec; /* with ' for " */
        const char *line;
        const char *field;
        enum fault_kind kind;
};

static void read_spec(const char *plain, struct spec *ret)
{
        struct text t = { 0 };
        struct json *body;
        struct fault f;

        text_addc(&t, '{');
        for (const char *c = plain; *c; c++)
                text_addc(&t, *c == '\'' ? '"' : *c);
        text_addc(&t, '}');
        body = json_parse(t.data, t.len, "body", &f);
        if (!body || spec_from_json(body, "test/busybox", ret, &f) < 0)
                fail_msg("%s: %s", plain, f.text);
        (void) json_free(body);
        text_reset(&t);
}

static void check(const struct row *row)
{
        struct fault f = { .kind = FAULT_FAILED, .text = "untouched" };
        struct spec spec;

        read_spec(row->spec, &spec);
        if (engine_refusal_read(row->line, &spec, &f) != (row->field != NULL))
                fail_msg("%s: %s", row->line, f.text);
        assert_string_equal(f.field, row->field ? row->field : "");
        assert_int_equal(f.kind, row->field ? row->kind : FAULT_FAILED);
        if (row->field)
                assert_true(starts_with(f.text, row->field));
        else
                assert_string_equal(f.text, "untouched");
        spec_reset(&spec);
}

static void blamed(void **state _unused_)
{
        static const struct row rows[] = {
                { "'user':'nosuch'",
                  DAEMON "unable to find user nosuch: no matching entries in passwd file.", "user",
                  FAULT_MISSING },
                { "'user':'root:nosuch'",
                  DAEMON "unable to find group nosuch: no matching entries in group file.", "user",
                  FAULT_MISSING },
                { "'network':'nosuch'", DAEMON "network nosuch not found.", "network", FAULT_MISSING },
                { "'network':'qcfg'", DAEMON "cannot create endpoint on configuration-only network.",
                  "network", FAULT_INVALID },
                { "'command':['nosuch']",
                  RUNC "exec: \"nosuch\": executable file not found in $PATH: unknown.", "command",
                  FAULT_MISSING },
                { "'command':['']", RUNC "exec: \"\": executable file not found in $PATH: unknown.",
                  "command", FAULT_MISSING },
                { "'command':'/no/such x'",
                  RUNC "exec: \"/no/such\": stat /no/such: no such file or directory: unknown.", "command",
                  FAULT_MISSING },
                { "'command':'/etc/passwd'", RUNC "exec: \"/etc/passwd\": permission denied: unknown.",
                  "command", FAULT_INVALID },
                { "'workdir':'/etc/passwd'", DAEMON "Cannot mkdir: /etc/passwd is not a directory.",
                  "workdir", FAULT_INVALID },
                { "'workdir':'/etc/passwd/x'", DAEMON "lstat " MERGED "/etc/passwd/x: not a directory.",
                  "workdir", FAULT_INVALID },
                { "'cap_add':['CHOWN','PERFMON']",
                  DAEMON "invalid CapAdd: unknown capability: \"CAP_PERFMON\".", "cap_add[1]",
                  FAULT_INVALID },
                { "'cap_drop':['BPF']", DAEMON "invalid CapDrop: unknown capability: \"CAP_BPF\".",
                  "cap_drop[0]", FAULT_INVALID },
                { "'devices':['/dev/null','/dev/nosuch']",
                  DAEMON
                  "error gathering device information while adding custom device \"/dev/nosuch\": no such "
                  "file or directory.",
                  "devices[1]", FAULT_MISSING },
                { "'devices':['/dev/shm']",
                  DAEMON
                  "error gathering device information while adding custom device \"/dev/shm\": not a device "
                  "node.",
                  "devices[0]", FAULT_INVALID },
                { "'volumes':[{'source':'/gone','target':'/x'}]",
                  DAEMON "invalid mount config for type \"bind\": bind source path does not exist: /gone.",
                  "volumes[0].source", FAULT_MISSING },
                { "'volumes':[{'name':'a','target':'/etc'},{'name':'b','target':'/etc/passwd'}]",
                  DAEMON "source " MERGED "/etc/passwd is not directory.", "volumes[1].target",
                  FAULT_INVALID },
                { "'volumes':[{'name':'a','target':'/sys/x'}]",
                  RUNC "error during container init: error mounting "
                       "\"/var/lib/docker/volumes/gear-1-a/_data\" to "
                       "rootfs at \"/sys/x\": mkdir " MERGED "/sys/x: read-only file system: unknown.",
                  "volumes[0].target", FAULT_INVALID },
                { PORTS,
                  ENDPOINT "Error starting userland proxy: listen tcp4 203.0.113.9:4711: bind: cannot "
                           "assign requested address.",
                  "ports[1].address", FAULT_INVALID },
                { PORTS,
                  ENDPOINT
                  "Error starting userland proxy: listen tcp4 0.0.0.0:47: bind: address already in use.",
                  "ports[0].external", FAULT_CONFLICT },
                { PORTS, ENDPOINT "Bind for 203.0.113.9:4711 failed: port is already allocated.",
                  "ports[1].external", FAULT_CONFLICT },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                check(&rows[i]);
}

/* Not of this spec, not docker's line, or not to be told. */
static void nobody_blamed(void **state _unused_)
{
        static const struct row rows[] = {
                { "'command':['true']",
                  DAEMON "unable to find user nosuch: no matching entries in passwd file.", NULL,
                  FAULT_NONE },
                { "'user':'nos'", DAEMON "unable to find user nosuch: no matching entries in passwd file.",
                  NULL, FAULT_NONE },
                { "'user':'nosuch'", "unable to find user nosuch: no matching entries in passwd file.", NULL,
                  FAULT_NONE },
                { "'user':'1000'", DAEMON "unable to find group 1000: no matching entries in group file.",
                  NULL, FAULT_NONE },
                { "'labels':{'a':'b'}",
                  RUNC "exec: \"nosuch\": executable file not found in $PATH: unknown.", NULL, FAULT_NONE },
                { "'command':['x']", RUNC "exec: \"/entry\": permission denied: unknown.", NULL,
                  FAULT_NONE },
                { "'volumes':[{'name':'a','target':'/etc'}]",
                  DAEMON "source " MERGED "/etc/passwd is not directory.", NULL, FAULT_NONE },
                { PORTS, ENDPOINT "Bind for 0.0.0.0:7 failed: port is already allocated.", NULL,
                  FAULT_NONE },
                { PORTS, ENDPOINT "listen tcp4 0.0.0.0:47: bind: cannot assign requested address.", NULL,
                  FAULT_NONE },
                { "'user':'nosuch','command':['x']", "docker: something else.", NULL, FAULT_NONE },
                { "'user':'nosuch'", "", NULL, FAULT_NONE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                check(&rows[i]);
}

/* A value of any length is one word of the sentence. */
static void long_values(void **state _unused_)
{
        struct text spec = { 0 }, line = { 0 };
        struct fault f = { 0 };
        struct spec s;

        text_add(&spec, "'command':['");
        text_add(&line, RUNC "exec: \"");
        for (int i = 0; i < 30000; i++) {
                text_addc(&spec, 'x');
                text_addc(&line, 'x');
        }
        text_add(&spec, "']");
        text_add(&line, "\": executable file not found in $PATH: unknown.");
        read_spec(spec.data, &s);
        assert_true(engine_refusal_read(line.data, &s, &f));
        assert_string_equal(f.text, "command: what it names was not found in the image");
        spec_reset(&s);
        text_reset(&spec);
        text_reset(&line);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(blamed),
                cmocka_unit_test(nobody_blamed),
                cmocka_unit_test(long_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
