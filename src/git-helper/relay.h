/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Copies what a program says to another descriptor until it ends, a line each.
 * A line that the program means to write over (it ends with a carriage return) is
 * passed on at most a few times a second.
 */
void relay(int from, int to);
