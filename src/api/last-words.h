/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a unit said, gathered in the journal's thread as lines that can be shown:
 * hooks for a journal_reader, whose work is a struct text from calloc().
 */

#include "sys/journal.h"

bool last_words_take(void *work, const struct log_entry *e);
void last_words_free(void *work);
