/* SPDX-License-Identifier: Apache-2.0 */

/* The grammar of ids, and the names that follow from one. */

#include "core/ident.h"

#include <inttypes.h>
#include <stdio.h>

#define UNIT_PREFIX "gear-"
#define UNIT_SUFFIX ".service"

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define BIG "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool gear_id_valid(const char *id)
{
        size_t n = strspn(id, SMALL BIG DIGITS "_.-");

        return id[n] == '\0' && n >= 1 && n <= GEAR_ID_MAX && !strchr("_.-", id[0]);
}

int gear_id_check(const char *id, const char *field, struct fault *f)
{
        if (gear_id_valid(id))
                return 0;
        return fault_set(f, FAULT_INVALID, field,
                         "%s: an id is 1 to %d letters, digits, '_', '.' or '-', and begins with a letter "
                         "or digit",
                         field, GEAR_ID_MAX);
}

void gear_unit_name(const char *id, char ret[static UNIT_NAME_MAX])
{
        (void) snprintf(ret, UNIT_NAME_MAX, UNIT_PREFIX "%.*s" UNIT_SUFFIX, GEAR_ID_MAX, id);
}

void gear_container_name(const char *id, char ret[static UNIT_NAME_MAX])
{
        (void) snprintf(ret, UNIT_NAME_MAX, UNIT_PREFIX "%.*s", GEAR_ID_MAX, id);
}

void service_template_name(const char *id, char ret[static SERVICE_UNIT_NAME_MAX])
{
        (void) snprintf(ret, SERVICE_UNIT_NAME_MAX, UNIT_PREFIX "%.*s@" UNIT_SUFFIX, GEAR_ID_MAX, id);
}

void service_instance_name(const char *id, uint32_t instance, char ret[static SERVICE_UNIT_NAME_MAX])
{
        (void) snprintf(ret, SERVICE_UNIT_NAME_MAX, UNIT_PREFIX "%.*s@%" PRIu32, GEAR_ID_MAX, id, instance);
}

bool gear_id_of_unit(const char *unit, char ret[static GEAR_ID_MAX + 1])
{
        const size_t around = strlen(UNIT_PREFIX UNIT_SUFFIX);
        char id[GEAR_ID_MAX + 1];
        size_t n = strlen(unit);

        if (!starts_with(unit, UNIT_PREFIX) || !ends_with(unit, UNIT_SUFFIX))
                return false;
        if (n <= around || n - around > GEAR_ID_MAX)
                return false;
        n -= around;
        memcpy(id, unit + strlen(UNIT_PREFIX), n);
        id[n] = '\0';
        if (!gear_id_valid(id))
                return false;
        memcpy(ret, id, n + 1);
        return true;
}

int request_id_canonical(const char *s, char ret[static REQUEST_ID_LEN + 1])
{
        size_t n = strspn(s, DIGITS "abcdefABCDEF");

        if (s[n] != '\0' || n < 1 || n > REQUEST_ID_LEN)
                return -EINVAL;
        memset(ret, '0', REQUEST_ID_LEN - n);
        for (size_t i = 0; i < n; i++) {
                char c = s[i];

                ret[REQUEST_ID_LEN - n + i] = (char) (c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
        }
        ret[REQUEST_ID_LEN] = '\0';
        return 0;
}

static bool is_label_byte(const char *name, const char *at)
{
        if (*at >= '0' && *at <= '9')
                return at > name; /* systemd escapes a leading digit */
        return strchr(SMALL BIG, *at) != NULL;
}

void bus_label_escape(const char *name, char *ret, size_t size)
{
        size_t n = 0;

        if (size == 0)
                return;
        if (!*name && size > 1)
                ret[n++] = '_';
        for (const char *s = name; *s; s++) {
                bool plain = is_label_byte(name, s);

                if (n + (plain ? 1 : 3) >= size)
                        break;
                if (plain)
                        ret[n++] = *s;
                else
                        n += (size_t) snprintf(ret + n, size - n, "_%02x", (unsigned char) *s);
        }
        ret[n] = '\0';
}

static int hex_value(char c)
{
        const char *digits = DIGITS "abcdef", *d = c ? strchr(digits, c) : NULL;

        return d ? (int) (d - digits) : -1;
}

bool bus_label_unescape(const char *label, char *ret, size_t size)
{
        size_t n = 0;

        if (size == 0)
                return false;
        if (streq(label, "_"))
                label = "";
        for (; *label; label++) {
                char c = *label;

                if (n + 1 >= size)
                        return false;
                if (c == '_') {
                        int high = hex_value(label[1]), low = high < 0 ? -1 : hex_value(label[2]);

                        if (low < 0 || (high | low) == 0)
                                return false;
                        c = (char) (high << 4 | low);
                        label += 2;
                } else if (!strchr(SMALL BIG DIGITS, c)) {
                        return false;
                }
                ret[n++] = c;
        }
        ret[n] = '\0';
        return true;
}
