/* SPDX-License-Identifier: Apache-2.0 */

#include "api/last-words.h"

/* Each as one line, whatever bytes it holds, and nothing that a terminal obeys. */
bool last_words_take(void *work, const struct log_entry *e)
{
        struct text *lines = work;

        for (size_t i = 0; i < e->message_len; i++) {
                unsigned char c = (unsigned char) e->message[i];

                text_addc(lines, c < 0x20 || c == 0x7f ? ' ' : (char) c);
        }
        text_addc(lines, '\n');
        return true;
}

void last_words_free(void *work)
{
        struct text *lines = work;

        text_reset(lines);
        free(lines);
}
