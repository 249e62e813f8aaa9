/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one subject's slots, in order of their numbers.
 *
 *     rc = reader_open(state, owner, &reader);
 *     for (size_t i = 0; i < reader.n; i++)
 *         rc = reader_read(&reader, i, &instance);     personal: wipe it
 *     reader_close(&reader);
 *
 * The caller holds the mutex.
 */
#ifndef MUNKEY_STORAGE_READ_H
#define MUNKEY_STORAGE_READ_H

#include "storage/state_private.h"

struct reader {
    struct state *state;
    uint32_t owner;
    uint8_t data_key[SECRET_SIZE];
    uint64_t *slot; /* (n), ascending */
    size_t n;
};

/* owner KEYRING_NONE: nothing is held, n is 0.  Close it whatever is returned. */
int reader_open(struct state *state, uint32_t owner, struct reader *ret_reader);
int reader_read(const struct reader *reader, size_t i, struct instance *ret_instance);
void reader_close(struct reader *reader); /* wipes */

#endif
