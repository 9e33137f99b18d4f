/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Values of the configuration: each reader turns the text behind Key= into
 * one member of its owner, a struct config or struct listen_config.
 */

#include "config.h"

struct option;

/* 0, -EINVAL for a value that is not accepted, -ENOMEM. */
typedef int option_read(const struct option *o, const char *value, void *owner);

enum value_kind { VALUE_PLAIN, VALUE_STRING, VALUE_LIST };

struct option {
        const char *section;
        const char *key;
        const char *accepts;  /* what a good value is, for messages */
        option_read *read;
        size_t offset, size;  /* of the member; readers of several members ignore them */
        enum value_kind kind; /* of the member */
        bool at_start;        /* a reload leaves it as it is; of one member, then */
        uint64_t min, max;    /* of numbers, sizes and durations (µs) */
};

/* All there are, of both sections. */
const struct option *config_options(size_t *ret_n);

option_read option_flag, option_count, option_size, option_duration;
option_read option_string;     /* anything but nothing */
option_read option_path;       /* an absolute one */
option_read option_list;       /* appended to; nothing empties it */
option_read option_path_list;
option_read option_name;       /* [A-Za-z0-9._-]*, the name of a machine */
option_read option_unit;       /* the name of a service; nothing for none */
option_read option_port_range, option_ip_address, option_log_rate, option_log_level;
option_read option_image;      /* nothing for none */
option_read option_branch;     /* of git */
option_read option_schemes;    /* of what may be cloned */
option_read option_faces, option_auth, option_address, option_mode, option_origins;

enum address_kind { ADDRESS_BAD, ADDRESS_UNIX, ADDRESS_LOOPBACK, ADDRESS_OPEN, ADDRESS_INHERITED };

/* What Address= names; ADDRESS_INHERITED is a socket that the service manager passes by name. */
enum address_kind address_kind(const char *address);
