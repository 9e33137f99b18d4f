/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/mapped.h"

#include <signal.h>
#include <sys/mman.h>

/* A signal handler has no argument of ours: what it may do, and what it did, is the thread's. */
static _Thread_local volatile sig_atomic_t reading, missing;

static void *page_of(const void *address)
{
        uintptr_t size = (uintptr_t) sysconf(_SC_PAGESIZE);

        return (void *) ((uintptr_t) address & ~(size - 1)); /* NOLINT(performance-no-int-to-ptr) */
}

/* Anybody else's error is what it would be without us: the end. */
static void on_bus_error(int number, siginfo_t *info, void *context _unused_)
{
        const int error = errno;

        if (reading && info->si_code == BUS_ADRERR &&
            mmap(page_of(info->si_addr), (size_t) sysconf(_SC_PAGESIZE), PROT_READ,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
                missing = 1;
        else
                (void) signal(number, SIG_DFL);
        errno = error;
}

int mapped_guard(void)
{
        struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

        return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

void mapped_begin(void)
{
        missing = 0;
        reading = 1;
}

int mapped_end(void)
{
        reading = 0;
        return missing ? -EIO : 0;
}
