/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#define SWAP(a, b)                                                             \
        do {                                                                   \
                __auto_type _swap_ = (a);                                      \
                (a) = (b);                                                     \
                (b) = _swap_;                                                  \
        } while (0)

/*
 * Whole structs change places, then what belongs to things that are open comes
 * back: sockets point to their listen_config, the store is locked and held.
 */
void config_take_over(struct config *current, struct config *fresh)
{
        SWAP(*current, *fresh);
        SWAP(current->listens, fresh->listens);
        SWAP(current->n_listens, fresh->n_listens);
        SWAP(current->state_directory, fresh->state_directory);
        SWAP(current->database, fresh->database);
        SWAP(current->database_cache, fresh->database_cache);
        SWAP(current->audit_days, fresh->audit_days);
        SWAP(current->audit_size, fresh->audit_size);
        SWAP(current->docker_socket, fresh->docker_socket);
        SWAP(current->docker_unit, fresh->docker_unit);
        SWAP(current->keys_directory, fresh->keys_directory);
}
