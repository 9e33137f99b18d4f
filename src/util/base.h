/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The handful of idioms every other file uses: owning locals that clean up
 * after themselves, moving ownership out of one, and getting from a member to
 * its container.  Nothing here knows what a gear is.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((__cleanup__(fn)))
#define _printf_(fmt, args) __attribute__((__format__(printf, fmt, args)))
#define _unused_ __attribute__((__unused__))
#define _must_check_ __attribute__((__warn_unused_result__))

/* Moves an owning pointer out of a local with _cleanup_: `return TAKE(thing);` */
#define TAKE(p)                                                                \
        __extension__({                                                        \
                __auto_type _taken_ = (p);                                     \
                (p) = NULL;                                                    \
                _taken_;                                                       \
        })

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member)                                        \
        ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/*
 * DEFINE_CLEANUP(struct text, text_free) gives `_cleanup_(text_freep)` for a
 * local `struct text *`.  Every x_free() accepts NULL and returns NULL, so that
 * `owner->x = x_free(owner->x)` never leaves a dangling pointer.
 */
#define DEFINE_CLEANUP(type, fn)                                               \
        static inline void fn##p(type **p)                                     \
        {                                                                      \
                if (*p)                                                        \
                        (void) fn(*p);                                         \
        }                                                                      \
        struct _swallow_semicolon_

static inline void freep(void *p)
{
        free(*(void **) p);
}

static inline void closep(int *fd)
{
        if (*fd >= 0)
                (void) close(*fd);
        *fd = -1;
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

static inline bool streq(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

/* Equal, where either side may be NULL and NULL equals only NULL. */
static inline bool streq_null(const char *a, const char *b)
{
        return a && b ? streq(a, b) : a == b;
}

static inline bool starts_with(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

static inline bool ends_with(const char *s, const char *suffix)
{
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix);
}
