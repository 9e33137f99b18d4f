/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any file: a configuration within its limits, or a fault that names the file.
 * Never an address open to all without InsecureNoAuth=yes.
 */

#include "config.h"
#include "config-value.h"

#include <stdio.h>
#include <sys/mman.h>

static void check(const struct config *c)
{
        if (c->port_first == 0 || c->port_first > c->port_last || c->n_listens == 0)
                abort();
        if (c->state_directory[0] != '/' || c->docker[0] != '/' || c->limits.body_max < 1024)
                abort();
        for (size_t i = 0; i < c->n_listens; i++) {
                const struct listen_config *l = &c->listens[i];
                enum address_kind kind = address_kind(l->address);

                if (kind == ADDRESS_BAD || l->faces == 0 || !l->where)
                        abort();
                if (l->auth == AUTH_NONE && kind != ADDRESS_LOOPBACK && kind != ADDRESS_UNIX &&
                    !l->insecure_no_auth)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(config_freep) struct config *c = NULL;
        _cleanup_close_ int fd = memfd_create("geard.conf", MFD_CLOEXEC);
        struct fault f = { 0 };
        char path[64];

        if (fd < 0 || write(fd, data, size) != (ssize_t) size)
                return 0;
        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (config_load(path, &c, &f) == 0)
                check(c);
        else if (!starts_with(f.text, path) && f.kind != FAULT_INTERNAL)
                abort();
        return 0;
}
