/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the Docker Engine says, as our structs.  A member that is missing, null
 * or of another type than documented reads as "nothing", never as a failure:
 * engines differ, and half an answer about a container is worth having.
 */

#include "sys/docker.h"
#include "util/json.h"

/* GET /containers/ID/json */
void docker_read_inspected(const struct json *v, struct docker_container *ret);
/* One element of GET /containers/json */
void docker_read_listed(const struct json *v, struct docker_container *ret);
/* GET /images/NAME/json */
void docker_read_image(const struct json *v, struct docker_image *ret);
/* One line of GET /events; borrows from v. False for what is no container event. */
bool docker_read_event(const struct json *v, struct docker_event *ret);

struct docker_pull_line {
        const char *layer;         /* NULL where the line is about the whole image */
        const char *text;          /* "Downloading" …; "" if none */
        uint64_t current, total;   /* of this layer; 0 where the line has none */
        const char *error;         /* NULL unless the pull failed */
};
/* One line of POST /images/create; borrows from v. */
void docker_read_pull_line(const struct json *v, struct docker_pull_line *ret);

/* The "message" of an error answer, or the body itself, fit for one line; "" if there is none. */
void docker_read_message(const char *body, size_t len, char *ret, size_t size);

/* Copies, cuts at a character's border, and makes control characters blanks. */
void docker_clean(char *ret, size_t size, const char *s);

/* The string member of an object, NULL if there is none. */
const char *docker_string(const struct json *object, const char *name);
