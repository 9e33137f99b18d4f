/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the tests of the database share: one in a directory of its own, requests
 * to be remembered in it, and waiting for its answers.  What goes wrong in here
 * fails the test.
 */

#include "sys/database-private.h"

#include <sys/resource.h>

struct scene {
        char directory[64], path[96];
        struct loop *loop;
        struct database *db;
        struct database_options options;
        unsigned answers, awaited; /* the loop ends with the last of them */
        unsigned failed;
        struct fault fault; /* the last one */
        size_t found;
        struct database_request row;
        unsigned losses;
        char why[256], moved_to[160];
};

int set_up(void **state);
int tear_down(void **state);
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

void open_database(struct scene *s);
void open_again(struct scene *s);

/* An answer has come; these two are the callbacks that say so. */
void answered(struct scene *s, const struct fault *fault);
void on_written(void *arg, const struct fault *fault);
void on_found(void *arg, struct database_request *rows, size_t n, const struct fault *fault);
/* Runs the loop until so many answers have come; how many of them were faults. */
unsigned await(struct scene *s, unsigned answers);

/* An intent and an outcome that differ by their number. The text is borrowed. */
struct database_request numbered(unsigned number);
struct database_request concluded(unsigned number, int code, const char *text);
/* To be awaited. */
void intend(struct scene *s, unsigned number);
void conclude(struct scene *s, unsigned number, int code, const char *text);

/* These wait themselves. How many rows there are of it; of intents without an outcome. */
size_t look_for(struct scene *s, unsigned number);
size_t count_unfinished(struct scene *s);
/* Outcomes 0 to n - 1. */
void fill(struct scene *s, unsigned n);

/* No file of this process may become longer, as on a full disk; RLIM_INFINITY, and tear_down(): as before. */
int limit_files(rlim_t bytes);
