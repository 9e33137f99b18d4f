/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two payloads, one a line: what is read is written and read again to the same;
 * a fault names a claim; and the second, where it narrows the first, grants no
 * name, right or peer that the first does not.
 */

#include "core/claims.h"
#include "core/peer.h"

static void check_written(const struct claims *c)
{
        _cleanup_text_ struct text once = { 0 }, twice = { 0 };
        _cleanup_(claims_reset) struct claims again = { 0 };
        struct fault f = { 0 };

        if (claims_write(c, &once, &f) < 0 || claims_read(once.data, once.len, &again, &f) < 0 ||
            claims_write(&again, &twice, &f) < 0 || !streq(once.data, twice.data))
                abort();
}

static bool read_line(const char *s, size_t n, struct claims *ret)
{
        struct fault f = { 0 };

        if (claims_read(s, n, ret, &f) == 0) {
                check_written(ret);
                return true;
        }
        if ((f.kind != FAULT_INVALID && f.kind != FAULT_TOO_LARGE) || !f.field[0] || !f.text[0])
                abort();
        return false;
}

static void check_within(const struct claims *outer, const struct claims *inner)
{
        static const char *const names[] = { "1", "a", "b", "web-1", "web-2", "db" };
        static const char *const rights[] = { "gear.read", "gear.create", "gear.host", "log.read",
                                              "repo.write" };
        static const char *const peers[] = { "10.0.0.1", "192.0.2.7", "2001:db8::1", "uid:0", "uid:1000" };
        char *const *granted = outer->rights ? outer->rights : rights_of_seed();

        for (size_t i = 0; outer->locators && i < ARRAY_SIZE(names); i++)
                if (pattern_covers(inner->locators, names[i]) && !pattern_covers(outer->locators, names[i]))
                        abort();
        for (size_t i = 0; inner->rights && i < ARRAY_SIZE(rights); i++)
                if (rights_grant(inner->rights, rights[i]) && !rights_grant(granted, rights[i]))
                        abort();
        for (size_t i = 0; outer->peer && i < ARRAY_SIZE(peers); i++)
                if (peer_covers(inner->peer, peers[i]) && !peer_covers(outer->peer, peers[i]))
                        abort();
        if ((outer->expires_sec && inner->expires_sec > outer->expires_sec) ||
            inner->not_before_sec < outer->not_before_sec || !streq_null(inner->user, outer->user))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(claims_reset) struct claims first = { 0 }, second = { 0 };
        const char *text = (const char *) data, *end = size ? memchr(text, '\n', size) : NULL;
        size_t n = end ? (size_t) (end - text) : size;
        struct fault f = { 0 };

        if (!read_line(text, n, &first) || !end || !read_line(end + 1, size - n - 1, &second))
                return 0;
        if (claims_narrow(&first, &second, &f) == 0) {
                check_within(&first, &second);
                check_written(&second);
        } else if (f.kind != FAULT_INVALID || !f.field[0]) {
                abort();
        }
        return 0;
}
