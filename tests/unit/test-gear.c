/* SPDX-License-Identifier: Apache-2.0 */

/* The index: who is in it and in which order, who holds which port, which word stands for which state. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/gear.h"

/* A record as a unit file of that spec would give it. */
static void record_of(const char *id, const char *json, struct unit_record *ret)
{
        _cleanup_(json_freep) struct json *body = NULL;
        struct fault f = { 0 };

        *ret = (struct unit_record){ .user = strdup("0") };
        (void) snprintf(ret->id, sizeof ret->id, "%s", id);
        body = json_parse(json, strlen(json), "body", &f);
        if (!body || spec_from_json(body, NULL, &ret->spec, &f) < 0 || unit_spec_hash(&ret->spec, ret->hash) < 0)
                fail_msg("%s: %s", json, f.text);
}

static struct gear *add(struct gears *g, const char *id, const char *json)
{
        struct gear *gear = gears_add(g, id);
        struct unit_record record;

        assert_non_null(gear);
        record_of(id, json, &record);
        assert_int_equal(gear_set_record(g, gear, &record), 0);
        unit_record_reset(&record);
        return gear;
}

/* --- the table --------------------------------------------------------------------- */

static void thousands_are_found_in_order(void **state _unused_)
{
        enum { N = 3000 };
        _cleanup_(gears_freep) struct gears *g = gears_new();
        char id[16];

        assert_non_null(g);
        for (unsigned i = 0; i < N; i++) { /* 1009 and N share no divisor: every number once */
                (void) snprintf(id, sizeof id, "%u", i * 1009 % N);
                assert_non_null(gears_add(g, id));
        }
        assert_int_equal(gears_count(g), N);
        for (unsigned i = 0; i < N; i++) {
                (void) snprintf(id, sizeof id, "%u", i);
                assert_string_equal(gears_find(g, id)->id, id);
                assert_string_equal(gears_at(g, gears_after(g, id) - 1)->id, id);
                assert_true(i == 0 || strcmp(gears_at(g, i - 1)->id, gears_at(g, i)->id) < 0);
        }
        assert_null(gears_at(g, N));
        for (unsigned i = 0; i < N; i += 2) {
                (void) snprintf(id, sizeof id, "%u", i);
                gears_remove(g, gears_find(g, id));
        }
        assert_int_equal(gears_count(g), N / 2);
        for (unsigned i = 0; i < N; i++) {
                (void) snprintf(id, sizeof id, "%u", i);
                assert_int_equal(gears_find(g, id) != NULL, i % 2);
        }
}

static void adding_again_finds_the_first(void **state _unused_)
{
        _cleanup_(gears_freep) struct gears *g = gears_new();
        struct gear *first = gears_add(g, "1");

        assert_ptr_equal(gears_add(g, "1"), first);
        assert_int_equal(gears_count(g), 1);
        assert_null(gears_find(g, "2"));
        assert_null(gears_find(g, ""));
}

static void after_is_for_paging(void **state _unused_)
{
        static const char *const ids[] = { "b", "B", "a1", "a", "a-1", "10", "9" };
        static const struct {
                const char *after, *first;
        } rows[] = {
                { NULL, "10" }, { "", "10" }, { "0", "10" }, { "10", "9" }, { "9", "B" },
                { "A", "B" },   { "a", "a-1" }, { "a-2", "a1" }, { "a1", "b" }, { "b", NULL }, { "zz", NULL },
        };
        _cleanup_(gears_freep) struct gears *g = gears_new();

        assert_int_equal(gears_after(g, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
                assert_non_null(gears_add(g, ids[i]));
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct gear *gear = gears_at(g, gears_after(g, rows[i].after));

                if (!streq_null(gear ? gear->id : NULL, rows[i].first))
                        fail_msg("after \"%s\": \"%s\"", rows[i].after ? rows[i].after : "NULL", gear ? gear->id : "NULL");
        }
}

static void every_change_moves_the_revision(void **state _unused_)
{
        _cleanup_(gears_freep) struct gears *g = gears_new();
        uint64_t before = gears_revision(g);
        struct gear *gear = add(g, "1", "{\"image\":\"x\"}");

        assert_true(gears_revision(g) > before);
        before = gears_revision(g);
        gear->row = strdup("row");
        gear_touched(g, gear);
        assert_null(gear->row);
        assert_true(gears_revision(g) > before);
        before = gears_revision(g);
        assert_int_equal(gear_set_damage(g, gear, "torn"), 0);
        assert_true(gears_revision(g) > before);
        before = gears_revision(g);
        gears_remove(g, gear);
        assert_true(gears_revision(g) > before);
}

/* --- records ------------------------------------------------------------------------ */

static void a_record_takes_the_place_of_the_last(void **state _unused_)
{
        _cleanup_(gears_freep) struct gears *g = gears_new();
        struct gear *gear = add(g, "1",
                                "{\"image\":\"one\",\"ports\":[{\"internal\":1,\"external\":4001},{\"internal\":2,"
                                "\"external\":4002,\"protocol\":\"udp\",\"address\":\"127.0.0.1\"}],"
                                "\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"health\":{\"tcp\":1}}");

        assert_string_equal(gear->image, "one");
        assert_int_equal(gear->n_ports, 2);
        assert_null(gear->ports[0].address);
        assert_string_equal(gear->ports[1].address, "127.0.0.1");
        assert_true(gear->ports[1].udp);
        assert_int_equal(gear->n_labels, 2);
        assert_string_equal(gear->labels[1].value, "2");
        assert_true(gear->health_is_ours);

        assert_int_equal(gear_set_damage(g, gear, "torn"), 0);
        assert_string_equal(gear->damage, "torn");
        add(g, "1", "{\"image\":\"two\",\"health\":{\"command\":\"true\"}}");
        assert_null(gear->damage);
        assert_string_equal(gear->image, "two");
        assert_int_equal(gear->n_ports + gear->n_labels, 0);
        assert_false(gear->health_is_ours);
        assert_null(gears_port_holder(g, 4001, false, "0.0.0.0"));
}

/* --- ports --------------------------------------------------------------------------- */

static void ports_have_one_holder(void **state _unused_)
{
        static const struct {
                uint16_t port;
                bool udp;
                const char *address, *holder;
        } rows[] = {
                { 4000, false, "0.0.0.0", "any" },    { 4000, false, "127.0.0.1", "any" },
                { 4000, true, "0.0.0.0", NULL },      { 4001, false, "0.0.0.0", NULL },
                { 5000, false, "127.0.0.1", "one" },  { 5000, false, "127.0.0.2", "two" },
                { 5000, false, "127.0.0.3", NULL },   { 5000, false, "::", "one" },
                { 5000, false, "0.0.0.0", "one" },    { 6000, true, "127.0.0.1", "wild" },
                { 6000, false, "127.0.0.1", NULL },   { 0, false, "0.0.0.0", NULL },
                { 65535, false, "10.0.0.1", "last" },
        };
        _cleanup_(gears_freep) struct gears *g = gears_new();

        add(g, "any", "{\"image\":\"x\",\"ports\":[{\"internal\":1,\"external\":4000}]}");
        add(g, "one", "{\"image\":\"x\",\"ports\":[{\"internal\":1,\"external\":5000,\"address\":\"127.0.0.1\"}]}");
        add(g, "two", "{\"image\":\"x\",\"ports\":[{\"internal\":1,\"external\":5000,\"address\":\"127.0.0.2\"}]}");
        add(g, "wild", "{\"image\":\"x\",\"ports\":[{\"internal\":1,\"external\":6000,\"protocol\":\"udp\","
                       "\"address\":\"0.0.0.0\"}]}");
        add(g, "last", "{\"image\":\"x\",\"ports\":[{\"internal\":1,\"external\":65535}]}");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct gear *holder = gears_port_holder(g, rows[i].port, rows[i].udp, rows[i].address);

                if (!streq_null(holder ? holder->id : NULL, rows[i].holder))
                        fail_msg("%s port %u of %s is held by %s", rows[i].udp ? "udp" : "tcp", rows[i].port,
                                 rows[i].address, holder ? holder->id : "nobody");
        }
        gears_remove(g, gears_find(g, "any"));
        assert_null(gears_port_holder(g, 4000, false, "0.0.0.0"));
        gears_remove(g, gears_find(g, "one"));
        assert_string_equal(gears_port_holder(g, 5000, false, "0.0.0.0")->id, "two");
}

static void a_port_may_be_held_on_very_many_addresses(void **state _unused_)
{
        enum { N = 256 };
        _cleanup_(gears_freep) struct gears *g = gears_new();
        char id[16], json[128];

        for (unsigned i = 0; i < N; i++) {
                (void) snprintf(id, sizeof id, "%u", i);
                (void) snprintf(json, sizeof json,
                                "{\"image\":\"x\",\"ports\":[{\"internal\":1,\"external\":80,\"address\":\"127.0.1.%u\"}]}", i);
                add(g, id, json);
        }
        assert_string_equal(gears_port_holder(g, 80, false, "127.0.1.255")->id, "255");
}

/* --- states --------------------------------------------------------------------------- */

static void one_word_for_every_state(void **state _unused_)
{
        static const struct {
                const char *active, *sub, *load, *container;
                bool damaged;
                enum gear_phase phase;
                enum gear_state expected;
        } rows[] = {
                { "active", "running", "loaded", "running", false, GEAR_STARTED, STATE_RUNNING },
                { "active", "running", "loaded", "paused", false, GEAR_STARTED, STATE_RUNNING },
                { "active", "running", "loaded", "running", false, GEAR_CREATING, STATE_RUNNING },
                { "active", "running", "loaded", "running", true, GEAR_STARTED, STATE_RUNNING },
                { "active", "running", "bad-setting", "running", false, GEAR_STARTED, STATE_RUNNING },
                { "active", "running", "loaded", "created", false, GEAR_STARTED, STATE_STARTING },
                { "active", "running", "loaded", "", false, GEAR_STARTED, STATE_STARTING },
                { "reloading", "running", "loaded", "running", false, GEAR_STARTED, STATE_RUNNING },
                { "activating", "start", "loaded", "", false, GEAR_STARTED, STATE_WAITING },
                { "activating", "start-post", "loaded", "", false, GEAR_STARTED, STATE_STARTING },
                { "activating", "auto-restart", "loaded", "", false, GEAR_STARTED, STATE_RESTARTING },
                { "deactivating", "stop-sigterm", "loaded", "running", false, GEAR_STARTED, STATE_STOPPING },
                { "failed", "failed", "loaded", "", false, GEAR_STARTED, STATE_FAILED },
                { "failed", "failed", "bad-setting", "", false, GEAR_STARTED, STATE_DAMAGED },
                { "inactive", "dead", "loaded", "", false, GEAR_STOPPED, STATE_STOPPED },
                { "inactive", "dead", "loaded", "", false, GEAR_STARTED, STATE_STOPPED },
                { "inactive", "dead", "loaded", "", false, GEAR_CREATING, STATE_CREATING },
                { "inactive", "dead", "loaded", "", false, GEAR_REPLACING, STATE_STOPPED },
                { "inactive", "dead", "not-found", "", false, GEAR_STOPPED, STATE_STOPPED },
                { "inactive", "dead", "error", "", false, GEAR_STOPPED, STATE_DAMAGED },
                { "inactive", "dead", "loaded", "", true, GEAR_STOPPED, STATE_DAMAGED },
                { "", "", "", "", false, GEAR_CREATING, STATE_CREATING },
        };
        _cleanup_(gears_freep) struct gears *g = gears_new();

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct gear *gear = gears_add(g, "1");

                gear->active = gear_word(rows[i].active);
                gear->sub = gear_word(rows[i].sub);
                gear->load = gear_word(rows[i].load);
                gear->container_state = gear_word(rows[i].container);
                gear->phase = rows[i].phase;
                if (rows[i].damaged)
                        assert_int_equal(gear_set_damage(g, gear, "torn"), 0);
                if (gear_state_of(gear) != rows[i].expected)
                        fail_msg("row %zu is \"%s\"", i, gear_state_name(gear_state_of(gear)));
                gears_remove(g, gear);
        }
        for (int s = 0; s < N_STATES; s++)
                assert_true(*gear_state_name((enum gear_state) s));
}

static void a_run_has_a_name(void **state _unused_)
{
        struct gear gear = { 0 };
        char name[GEAR_INVOCATION_LEN + 1] = "x";

        gear_invocation(&gear, name);
        assert_string_equal(name, "");
        for (uint8_t i = 0; i < sizeof gear.invocation; i++)
                gear.invocation[i] = (uint8_t) (i * 17);
        gear_invocation(&gear, name);
        assert_string_equal(name, "00112233445566778899aabbccddeeff");
}

static void words_are_constants(void **state _unused_)
{
        char running[] = "running";

        assert_ptr_equal(gear_word(running), gear_word("running"));
        assert_string_equal(gear_word("running"), "running");
        assert_string_equal(gear_word("exotic"), "unknown");
        assert_string_equal(gear_word(NULL), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(thousands_are_found_in_order),
                cmocka_unit_test(adding_again_finds_the_first),
                cmocka_unit_test(after_is_for_paging),
                cmocka_unit_test(every_change_moves_the_revision),
                cmocka_unit_test(a_record_takes_the_place_of_the_last),
                cmocka_unit_test(ports_have_one_holder),
                cmocka_unit_test(a_port_may_be_held_on_very_many_addresses),
                cmocka_unit_test(one_word_for_every_state),
                cmocka_unit_test(a_run_has_a_name),
                cmocka_unit_test(words_are_constants),
        };

        return cmocka_run_group_tests_name("gear", tests, NULL, NULL);
}
