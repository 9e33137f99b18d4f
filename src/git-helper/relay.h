/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/base.h"

/* Whether it may go on is asked every second, and more seldom where that takes its time. */
struct relay_watch {
        bool (*goes_on)(void *arg);
        void *arg;
};

/*
 * Copies what a program says to another descriptor until it ends, a line each.
 * A line that the program means to write over (it ends with a carriage return) is
 * passed on at most a few times a second.  false: the watch would not have it go on;
 * watch: NULL for none.
 */
bool relay(int from, int to, const struct relay_watch *watch);
